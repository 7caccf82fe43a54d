"""The headers that a project's own middlewares speak of: they may set them on every response."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lg_stream_lint.python.outgoing import literal_text

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module


class MiddlewareHeaders:
    """Answers for one project, by the header's name."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._known: dict[str, bool] = {}

    def speak_of(self, name: str) -> bool:
        """Whether a middleware of the project (or a hook after each request) speaks of the header."""
        name = name.lower()
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._in_middleware(name)
        return known

    def _in_middleware(self, name: str) -> bool:
        project = self.facts.project
        for path in project.files():
            if name.encode() not in (project.read(path) or b"").lower():
                continue
            module = project.module(path)
            for node in module.parents if module is not None else ():
                if (
                    module is not None
                    and (literal_text(node) or "").lower() == name
                    and self._runs_in_middleware(node, module)
                ):
                    return True
        return False

    def _runs_in_middleware(self, node: cst.CSTNode, module: Module) -> bool:
        function = module.function_at(node)
        current = function
        while current is not None:
            methods = current.cls.methods.values() if current.cls is not None else ()
            if any("middleware" in self.facts.functions.marks(f) for f in (current, *methods)):
                return True
            if any(_last_name(d) in ("after_request", "after_app_request") for d in current.decorators):
                return True
            current = current.parent
        if function is None:
            return False
        return any(
            caller is not None and "middleware" in self.facts.functions.marks(caller)
            for other, call in self.facts.callers(function)
            for caller in [other.function_at(call)]
        )


def _last_name(node: cst.BaseExpression) -> str:
    target = node.func if isinstance(node, cst.Call) else node
    return target.attr.value if isinstance(target, cst.Attribute) else ""
