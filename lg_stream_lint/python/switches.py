"""Whether a chat model is told not to stream: by ``disable_streaming``, by ``streaming=False``, or by the tag ``nostream``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from lg_stream_lint.python.keywords import Keyword, keywords_of, mapping_of
from lg_stream_lint.python.model_builds import Build, build_of
from lg_stream_lint.python.syntax import argument, string_value
from lg_stream_lint.python.value import Kind
from lg_stream_lint.versions import told

if TYPE_CHECKING:
    from lg_stream_lint.python.facts import Facts
    from lg_stream_lint.python.module import Module

#: An explicit `streaming=False` was ignored before.
_CORE_SINCE = "1.0"
#: The tag `nostream`; `langsmith:nostream` is the name that older ones know, and newer ones too.
_TAG_SINCE = "0.4.1"
_OLD_TAG = "langsmith:nostream"
_CONSTANTS = {"langgraph.constants.TAG_NOSTREAM": "nostream", "langgraph.constants.TAG_NOSTREAM_ALT": _OLD_TAG}


class Off(NamedTuple):
    """How a model is told not to stream.

    ``how`` is what is written. ``hidden``: it does stream, but ``stream_mode="messages"`` leaves its tokens out.
    ``certain`` is false when an assumed version decides; ``version`` says which, empty when all behave alike.
    """

    build: Build
    how: str
    hidden: bool = False
    certain: bool = True
    version: str = ""


def switched_off(facts: Facts, call: cst.Call, module: Module) -> Off | None:
    """How the model that a call builds is told not to stream; None when it is not, or that cannot be told."""
    build = build_of(facts, call, module)
    if build is None or build.row.kind != "chat":
        return None
    methods = dict(_chained(call, module))
    if any(name.startswith("configurable") for name in methods):
        return None  # a request may set it
    given = keywords_of(facts, call, module).given
    if _boolean(given.get("disable_streaming")) == "True":
        return Off(build, "disable_streaming=True")
    if build.row.takes_streaming and _boolean(given.get("streaming")) == "False":
        return _by_streaming(facts, build, module)
    tagged = methods.get("with_config")
    tags = given.get("tags") or (_configured(facts, tagged, module) if tagged is not None else None)
    return _by_tag(facts, build, tags, module) if tags is not None else None


def _by_streaming(facts: Facts, build: Build, module: Module) -> Off | None:
    """``streaming=False``, as the installed langchain-core takes it."""
    versions = facts.project.versions(module.path)
    for package in ("langchain-core", "langchain"):  # each major version of the latter needs the former's
        fact = versions.of(package)
        affected = fact.always(f">={_CORE_SINCE}") if fact is not None else None
        if affected is False:
            return None
        if fact is not None and affected:
            return Off(build, "streaming=False", version=told(fact, package, ""))
    assumed = told(None, "langchain-core", f"{_CORE_SINCE} or newer")
    return Off(build, "streaming=False", certain=False, version=assumed)


def _by_tag(facts: Facts, build: Build, tags: Keyword, module: Module) -> Off | None:
    """The tag among literal ones, as the installed langgraph takes it."""
    names = set(_names(facts, tags))
    if _OLD_TAG in names:
        return Off(build, f'the tag "{_OLD_TAG}"', hidden=True)
    if "nostream" not in names:
        return None
    fact = facts.project.versions(module.path).of("langgraph")
    affected = fact.always(f">={_TAG_SINCE}") if fact is not None else None
    if affected is False:
        return None
    version = told(fact, "langgraph", f"{_TAG_SINCE} or newer", decided=affected is True)
    return Off(build, 'the tag "nostream"', hidden=True, certain=affected is True, version=version)


def _names(facts: Facts, tags: Keyword) -> Iterator[str]:
    for value in facts.infer.of(tags.node, tags.module):
        if not isinstance(value.node, (cst.List, cst.Tuple)) or value.home is None:
            continue
        for element in value.node.elements:
            text = string_value(element.value)
            if text is not None:
                yield text
            for known in facts.infer.of(element.value, value.home):
                yield _CONSTANTS.get(known.name, "") if known.kind == Kind.EXTERNAL else ""


def _configured(facts: Facts, call: cst.Call, module: Module) -> Keyword | None:
    """The tags that ``with_config(tags=…)`` or ``with_config({"tags": …})`` sets."""
    written = keywords_of(facts, call, module).given.get("tags")
    config = argument(call, "config", 0)
    return written or (mapping_of(facts, config, module).given.get("tags") if config is not None else None)


def _chained(call: cst.Call, module: Module) -> Iterator[tuple[str, cst.Call]]:
    """The methods that are called on the new model at once: ``ChatOpenAI(…).with_config(…)``."""
    current: cst.CSTNode = call
    while True:
        method = module.parents.get(current)
        if not isinstance(method, cst.Attribute) or method.value is not current:
            return
        outer = module.parents.get(method)
        if not isinstance(outer, cst.Call) or outer.func is not method:
            return
        yield method.attr.value, outer
        current = outer


def _boolean(given: Keyword | None) -> str:
    """``True`` or ``False`` where that is written, or a constant that is; empty otherwise, and for parameters."""
    node = given.node if given is not None else None
    for _ in range(3):
        if not isinstance(node, cst.Name) or node.value in ("True", "False") or given is None:
            break
        bindings = given.module.scope_at(node).holder_of(node.value)
        bound = bindings.bindings[node.value] if bindings is not None else []
        value = bound[0].node if len(bound) == 1 and bound[0].kind == "assign" and not bound[0].path else None
        node = value if isinstance(value, cst.BaseExpression) else None
    return node.value if isinstance(node, cst.Name) and node.value in ("True", "False") else ""
