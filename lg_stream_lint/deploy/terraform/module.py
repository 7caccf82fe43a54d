"""A Terraform module: the files of one folder, their resources, and what variables and locals stand for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple
from weakref import WeakKeyDictionary

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.settings import Where
from lg_stream_lint.deploy.terraform.hcl import Hcl, blocks_in, parse
from lg_stream_lint.deploy.yaml_marks import LIST, MAP, TEXT, Node

_WHOLE = re.compile(r"\s*(?:\$\{\s*)?(?P<scope>var|local)\.(?P<name>[\w-]+)(?:\s*\})?\s*")
_INSIDE = re.compile(r"\$\{\s*(?P<scope>var|local)\.(?P<name>[\w-]+)\s*\}")
_REFERENCE = re.compile(r"(?<![\w.])(?:data\.)?(?P<kind>[a-z]+_\w+)\.(?P<name>[\w-]+)")
_MOST_FILES = 200
_DEEPEST = 5

_modules: WeakKeyDictionary[Context, dict[str, Module]] = WeakKeyDictionary()


class Resource(NamedTuple):
    """A resource: ``where`` is its first line, ``body`` its attributes and nested blocks with variables replaced."""

    kind: str
    name: str
    body: Node
    where: Where

    @property
    def address(self) -> str:
        """``aws_lb.main``."""
        return f"{self.kind}.{self.name}"


class Module:
    """The files of one folder that Terraform reads together."""

    def __init__(self, folder: str, context: Context) -> None:
        self.folder = folder
        self.files: dict[str, Hcl] = {}
        self._resources: dict[str, list[Resource]] = {}
        self.values: dict[tuple[str, str], tuple[Node, bool]] = {}
        for path in _files(folder, context):
            try:
                self.files[path] = parse(context.open(path))
            except NotRead:  # noqa: PERF203 - a handful of files
                continue
        for hcl in self.files.values():
            self._take(hcl)
        self._take_variables(context)

    def _take(self, hcl: Hcl) -> None:
        for block in hcl.blocks:
            if block.kind == "variable" and block.labels:
                usual = block.body.get("default")
                if usual is not None and not usual.unknown:
                    self.values["var", block.labels[0]] = (usual, True)
            elif block.kind == "locals":
                for key, value in block.body.entries():
                    self.values["local", key.text] = (value, False)

    def _take_variables(self, context: Context) -> None:
        """What ``terraform.tfvars`` beside the files says in place of a variable's default."""
        file = context.find("terraform.tfvars", self.folder)
        if file is not None:
            for key, value in parse(file).attributes.entries():
                if not value.unknown:
                    self.values["var", key.text] = (value, True)

    def resources(self, path: str) -> list[Resource]:
        """The resources of one file; those that are switched off (``count = 0``) are left out."""
        if path not in self._resources:
            hcl = self.files.get(path)
            self._resources[path] = list(self._read(hcl)) if hcl is not None else []
        return self._resources[path]

    def _read(self, hcl: Hcl) -> Iterator[Resource]:
        for block in hcl.blocks:
            if block.kind == "resource" and len(block.labels) == 2:
                body = self.resolved(block.body)
                if body.number("count") != 0:
                    yield Resource(*block.labels, body, block.where)

    @cached_property
    def by_address(self) -> dict[str, Resource]:
        """The resources of all files."""
        return {each.address: each for path in self.files for each in self.resources(path)}

    def resolved(self, node: Node, depth: int = 0) -> Node:
        """A node with its variables and locals replaced where they are literal; what is replaced stands at the same place."""
        if depth > 60:
            return node
        if node.kind == TEXT:
            return self._text(node) if node.unknown else node
        copy = Node(node.kind, node.where)
        copy.open, copy.unknown = node.open, node.unknown
        copy.pairs = [(key, self.resolved(value, depth + 1)) for key, value in node.pairs]
        copy.values = [self.resolved(value, depth + 1) for value in node.values]
        return copy

    def _text(self, node: Node, depth: int = 0) -> Node:
        whole = _WHOLE.fullmatch(node.text)
        if whole is not None:
            value, overridable = self.values.get((whole["scope"], whole["name"]), (None, False))
            if value is None or depth > _DEEPEST:
                return node
            if value.kind != TEXT:
                return self._moved(value, node.where)
            if value.unknown:
                value = self._text(value, depth + 1)
            return _text(value.text, node.where, value.unknown, overridable or value.overridable)
        overridable = False

        def inner(match: re.Match[str]) -> str:
            nonlocal overridable
            value, replaceable = self.values.get((match["scope"], match["name"]), (None, False))
            if value is None or value.kind != TEXT or value.unknown:
                return match[0]
            overridable |= replaceable
            return value.text

        text = _INSIDE.sub(inner, node.text) if "${" in node.text else node.text
        unknown = "${" in text or (text == node.text)
        return _text(text, node.where, unknown, overridable)

    def _moved(self, value: Node, where: Where) -> Node:
        """A list or map that a variable stands for, told of where the variable is used."""
        copy = Node(value.kind, where)
        copy.pairs, copy.values, copy.overridable = value.pairs, value.values, True
        return copy


def _text(text: str, where: Where, unknown: bool, overridable: bool) -> Node:
    node = Node(TEXT, where, text)
    node.unknown, node.overridable = unknown, overridable
    return node


def module_of(file: DeployFile, context: Context) -> Module:
    """The module that a file belongs to, read once for a context."""
    known = _modules.setdefault(context, {})
    if file.folder not in known:
        known[file.folder] = Module(file.folder, context)
    module = known[file.folder]
    if file.path not in module.files:
        module.files[file.path] = parse(file)
    return module


def _files(folder: str, context: Context) -> list[str]:
    paths = {*context.listed, *context.overrides}
    return sorted(path for path in paths if path.endswith(".tf") and os.path.dirname(path) == folder)[:_MOST_FILES]


def references(*nodes: Node | None) -> list[str]:
    """The addresses of resources that expressions name, in order, each once."""
    found: dict[str, None] = {}
    for node in nodes:
        if node is None:
            continue
        if node.kind == TEXT:
            for match in _REFERENCE.finditer(node.text) if node.unknown else ():
                found[f"{match['kind']}.{match['name']}"] = None
        else:
            for address in references(*node.values, *(value for _, value in node.pairs)):
                found[address] = None
    return list(found)


def is_list(node: Node | None) -> bool:
    """Whether a value is a list that is written out."""
    return node is not None and node.kind == LIST


__all__ = ["MAP", "Module", "Resource", "blocks_in", "is_list", "module_of", "references"]
