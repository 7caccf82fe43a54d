"""The start of a new rule: ``python -m lg_stream_lint.new_rule LGS112 ineffective-model-argument``.

Writes the rule's file, two bad and three good fixtures, and the evidence file. All of them hold the word TODO, and the
tests refuse a rule that still does. It works in a checkout only, and is left out of the wheel.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from lg_stream_lint.rules.registry import rules

ROOT = Path(__file__).resolve().parent.parent
FAMILIES = {"0": "tool", "1": "model", "2": "graph", "3": "generator", "4": "response"}

RULE = '''"""TODO: what is wrong, in one line of plain words.

## What it does
TODO: what the rule looks for, in the words of someone who reads code.

## Why it cuts the stream
TODO: what the user of the application sees, in the words that people search for.

## Example
```python
TODO = "the smallest code on which this rule, and no other, fires"
```

## Use instead
```python
TODO = "the same, repaired"
```

## Fix
None: TODO why not.

## Limits
TODO: what the rule does not see.

## Evidence
TODO: what ran, with versions; or the documentation that is cited.

## References
- <TODO>
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lg_stream_lint.finding import Severity
from lg_stream_lint.rules.base import PythonRule

if TYPE_CHECKING:
    import libcst as cst


class {class_name}(PythonRule):
    """{code}: see the module's documentation."""

    severity = Severity.WARNING
    # A file without one of these words has nothing to say to this rule: TODO.
    place: ClassVar = (("TODO",),)

    def visit_Call(self, node: cst.Call) -> None:
        """TODO: ask the facts about the node, and report what is certain."""
'''

FIXTURE = '''"""TODO: {what}."""

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph

app = FastAPI()
llm = ChatOpenAI(model="gpt-4o-mini", timeout=60)


async def answer(state: MessagesState) -> dict:
    return {{"messages": [await llm.ainvoke(state["messages"])]}}


builder = StateGraph(MessagesState)
builder.add_node("answer", answer)
builder.add_edge(START, "answer")
builder.add_edge("answer", END)
graph = builder.compile()


async def frames(question: str):
    inputs = {{"messages": [("user", question)]}}
    try:
        async for message, _ in graph.astream(inputs, stream_mode="messages"):
            yield f"data: {{message.content!r}}\\n\\n"
    except Exception:
        yield 'event: error\\ndata: "the answer could not be finished"\\n\\n'


@app.get("/chat")
async def chat(question: str = "Why is the sky blue?") -> StreamingResponse:
    return StreamingResponse(frames(question), media_type="text/event-stream"){mark}
'''

EVIDENCE = """# What the fixtures do when they run: see tests/evidence/README.md for the words.
runs:
  - file: bad_todo_first.py
    shows: TODO
    expect: [streams, complete]
  - file: good_todo_first.py
    repairs: bad_todo_first.py
    shows: TODO
    expect: [streams, complete, event-stream, others-served]
"""

FIXTURES = {
    "bad_todo_first": "the smallest application that shows the failure",
    "bad_todo_second": "the same failure in another shape: through a helper, another module, another framework",
    "good_todo_first": "the first one, repaired",
    "good_todo_second": "what looks like the failure, and is right",
    "good_todo_third": "another thing that must stay silent",
}


class NotPossibleError(Exception):
    """The rule cannot be started; the message says why."""


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Write the files, and say which."""
    try:
        if len(arguments) != 2:
            raise NotPossibleError("usage: python -m lg_stream_lint.new_rule LGSnnn name-of-the-bad-pattern")
        files = plan(*arguments)
        there = [path for path in files if (root / path).exists()]
        if there:
            raise NotPossibleError(f"{there[0]} is there already")
    except NotPossibleError as error:
        print(error, file=sys.stderr)
        return 2
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
        print(path)
    print("Next: the fixtures, then the check, then the docstring (CONTRIBUTING.md).")
    return 0


def plan(code: str, name: str) -> dict[str, str]:
    """The files of a new rule, by their path in the project."""
    if not re.fullmatch(r"LGS\d{3}", code):
        raise NotPossibleError(f"{code} is no code: LGS and three digits")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", name):
        raise NotPossibleError(f"{name} is no name: words in small letters with hyphens, such as raw-stream-returned")
    if code in rules():
        raise NotPossibleError(f"{code} is taken: {rules()[code].name}")
    if name in {rule.name for rule in rules().values()}:
        raise NotPossibleError(f"{name} is the name of another rule")
    family = FAMILIES.get(code[3])
    if family is None:
        raise NotPossibleError(
            f"{code}: there is no family LGS{code[3]} of Python rules; there are {', '.join(FAMILIES)}"
        )
    class_name = "".join(word.capitalize() for word in name.split("-"))
    module = f"{code.lower()}_{name.replace('-', '_')}"
    files = {
        f"lg_stream_lint/rules/{family}/{module}.py": RULE.replace("{class_name}", class_name).replace("{code}", code)
    }
    for fixture, what in FIXTURES.items():
        mark = f"  # expect: {code}" if fixture.startswith("bad_") else ""
        files[f"fixtures/{code}/{fixture}.py"] = FIXTURE.format(what=what, mark=mark)
    files[f"fixtures/{code}/evidence.yaml"] = EVIDENCE
    return files


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
