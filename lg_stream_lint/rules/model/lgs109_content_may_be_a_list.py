"""A chunk's content is taken for text, and is a list of blocks with this model.

## What it does
Points at `text += chunk.content`, `"".join(chunk.content …)`, `yield chunk.content` and `yield f"… {chunk.content} …"` where the
chunks come from a model that is known to send lists of blocks: Anthropic with tools or thinking, Bedrock's Converse API,
Gemini 3, OpenAI's Responses API, and every model with `output_version="v1"`.

## Why it cuts the stream
`[{"type": "text", "text": "Hello", "index": 0}]` is no string: adding or joining it raises a TypeError in mid-stream, a response
refuses it, and an f-string shows the reader brackets and quotes. With another model, or before tools are bound, the same
code works.

## Example
```python
from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="gpt-4o-mini", timeout=60, use_responses_api=True)


async def answer(question: str) -> str:
    text = ""
    async for chunk in model.astream(question):
        text += chunk.content
    return text
```

## Use instead
```python
from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="gpt-4o-mini", timeout=60, use_responses_api=True)


async def answer(question: str) -> str:
    text = ""
    async for chunk in model.astream(question):
        text += chunk.text
    return text
```

## Fix
None: `chunk.text` is the text of all blocks (a method, `chunk.text()`, before langchain-core 1.0); `StrOutputParser` at a chain's
end does the same.

## Limits
The model must be known, and so must be what makes its content a list: a `thinking=` that is decided at run time is silent, and so
are OpenAI's built-in tools. Silent too when the function asks what the content is (`isinstance`, `match`).

## Evidence
`fixtures/LGS109/evidence.yaml`: the error, and what the reader gets. Which classes send lists, and when, was seen against
servers that speak the providers' protocols: langchain-anthropic 1.7.10, langchain-openai 1.7.4, langchain-google-genai 4.4.3.

## References
- <https://docs.langchain.com/oss/python/langchain/messages#message-content>
- <https://docs.langchain.com/oss/python/integrations/chat/anthropic>
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lg_stream_lint.finding import Severity
from lg_stream_lint.python.list_content import class_name, reason
from lg_stream_lint.python.message_streams import asked_for
from lg_stream_lint.python.syntax import called_name, code_of, string_value, walk, walk_same_scope
from lg_stream_lint.rules.base import PythonRule

_QUESTIONS = frozenset({"isinstance", "type", "hasattr"})
_ADD, _JOIN, _SEND, _WRITE = "add", "join", "send", "write"
_SEEN = {
    _ADD: "adding it to a string raises a TypeError in mid-stream",
    _JOIN: "joining it raises a TypeError",
    _SEND: "it cannot be sent as text",
    _WRITE: "the reader gets its brackets and quotes",
}


class ContentMayBeAList(PythonRule):
    """Looks at each ``….content`` that is used as text."""

    severity = Severity.INFO
    independent_of_async = True
    in_tests = False
    place = (("content",), ("stream",))
    evidence = (("@langchain",),)

    def visit_Attribute(self, node: cst.Attribute) -> None:
        """Judge one ``chunk.content``."""
        if node.attr.value != "content":
            return
        use = next(((place, kind) for place, kind in self._uses(node)), None)
        if use is None or self._is_asked(node):
            return
        for asked in asked_for(self.facts, node.value, self.module):
            why = reason(self.facts, asked)
            if why:
                self._say(use[0], use[1], node, class_name(self.facts, asked), why)
                return

    def _uses(self, node: cst.Attribute) -> Iterator[tuple[cst.CSTNode, str]]:
        """Where the content, or the one name that it is assigned to, is used as text, and how."""
        direct = self._use(node)
        if direct:
            yield node, direct
        name = self._named(node)
        function = self.function_of(node)
        if not name or function is None:
            return
        for other in walk_same_scope(function.node):
            if isinstance(other, cst.Name) and other.value == name:
                kind = self._use(other)
                if kind:
                    yield other, kind

    def _named(self, node: cst.Attribute) -> str:
        """The name that stands for the content, when it stands for nothing else (but an empty string)."""
        parent = self.parent_of(node)
        while isinstance(parent, cst.BooleanOperation) and parent.left in (node, self.parent_of(node)):
            parent = self.parent_of(parent)
        target: cst.CSTNode | None = None
        if isinstance(parent, cst.Assign) and len(parent.targets) == 1:
            target = parent.targets[0].target
        elif isinstance(parent, cst.NamedExpr):
            target = parent.target
        if not isinstance(target, cst.Name):
            return ""
        holder = self.module.scope_at(node).holder_of(target.value)
        bindings = holder.bindings[target.value] if holder is not None else []
        others = [b for b in bindings if b.node is None or string_value(b.node) != ""]
        return target.value if len(others) == 1 else ""

    def _use(self, node: cst.BaseExpression) -> str:
        """How an expression is used as text; empty when it is not."""
        child: cst.CSTNode = node
        parent = self.parent_of(node)
        if isinstance(parent, cst.BooleanOperation) and parent.left is child:  # `chunk.content or ""`
            child, parent = parent, self.parent_of(parent)
        if isinstance(parent, cst.AugAssign) and parent.value is child:
            return _ADD if isinstance(parent.operator, cst.AddAssign) and self._is_text(parent.target) else ""
        if isinstance(parent, (cst.GeneratorExp, cst.ListComp)) and parent.elt is child:
            return _JOIN if self._is_joined(parent) else ""
        if isinstance(parent, cst.Yield):
            return _SEND
        if isinstance(parent, cst.FormattedStringExpression):
            return _WRITE if any(isinstance(a, cst.Yield) for a in self.module.ancestors(parent)[:3]) else ""
        return ""

    def _is_text(self, target: cst.BaseExpression) -> bool:
        """Whether what is added to begins as a string."""
        if not isinstance(target, cst.Name):
            return False
        holder = self.module.scope_at(target).holder_of(target.value)
        bound = [b.node for b in (holder.bindings[target.value] if holder is not None else ()) if b.kind == "assign"]
        return any(string_value(node) is not None for node in bound)

    def _is_joined(self, comprehension: cst.CSTNode) -> bool:
        argument = self.parent_of(comprehension)
        call = self.parent_of(argument) if isinstance(argument, cst.Arg) else None
        return (
            isinstance(call, cst.Call)
            and called_name(call) == "join"
            and isinstance(call.func, cst.Attribute)
            and string_value(call.func.value) is not None
        )

    def _is_asked(self, node: cst.Attribute) -> bool:
        """Whether the function around asks what a content is."""
        function = self.function_of(node)
        name = self._named(node)
        for item in walk(function.node) if function is not None else ():
            if isinstance(item, cst.Call) and called_name(item) in _QUESTIONS and item.args:
                if _is_content(item.args[0].value, name):
                    return True
            elif isinstance(item, cst.Match) and _is_content(item.subject, name):
                return True
        return False

    def _say(self, place: cst.CSTNode, kind: str, node: cst.Attribute, model: str, why: str) -> None:
        message = code_of(node.value, 30)
        self.report(
            place,
            f"With {why}, the content of {model}'s chunks is a list of blocks and no string: {_SEEN[kind]}. "
            f"Use {message}.text (before langchain-core 1.0: {message}.text()), or end the chain with StrOutputParser().",
        )


def _is_content(node: cst.CSTNode, name: str) -> bool:
    if isinstance(node, cst.Attribute):
        return node.attr.value == "content"
    return isinstance(node, cst.Name) and bool(name) and node.value == name
