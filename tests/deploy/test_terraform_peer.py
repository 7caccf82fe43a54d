"""Terraform: the light reader against python-hcl2, and python-hcl2 where the light reader stops."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.terraform import hcl
from lg_stream_lint.deploy.terraform.complete import parse_completely
from lg_stream_lint.deploy.yaml_marks import MAP, TEXT, Node
from tests.need import need

FIXTURES = Path(__file__).parents[2] / "fixtures"

READ_BY_BOTH = [
    'resource "aws_lb" "main" {\n  idle_timeout = 60 // c\n  on = true # d\n  off = null /* e */\n}\n',
    'a = "${f("${g("x")}")}"\nb = "${jsonencode({x = "}"})}"\nc = "%{ if x == "}" }y%{ endif }"\nd = 1\n',
    'a = "${x ? "a" : "b"}-${y ? "c{" : "d"}"\nb = "é $${x} %%{y} \\"z\\""\nc = 1\n',
    'a = {\n  (var.k) = 3\n  b = 2\n}\nc = {\n  "${var.k}" = 3\n}\nd = {k: v, "l": 3}\ne = {x = y ? 1 : 2, z = 3}\n',
    "a = (\n var.x\n ? 1\n : 2)\nb = var.x != null ? var.x : [\n 1 ]\nc = x == y ? 1 : 2\nd = (60)\n",
    'a = x[*].id\nb = x.*.id\nc = x[0].y["k}"]\nd = f(x...)\ne = provider::aws::arn("x")\nf = !x\n',
    'a = [for k, v in m : {\n x = k } if v != ""]\nb = { for k, v in m : k => v... }\nc = [forest, 2]\nd = [form]\n',
    'a = {for = 2}\nin = 1\nfor = 2\nb = ["x", # c\n "y"]\nc = [\n  1,\n\n  2\n]\nd = {}\ne = []\n',
    "a = 1e3\nb = -1.5\nc = -x\nd = 2 * 30\n",
    'a = jsonencode([{n = "x", p = 80},])\nb = tonumber("30")\nc = jsonencode(\n{\n}\n)\nd = tostring(5)\n',
    'a = <<EOT\n"\n${x}\nEOT\nb = <<-A.B\n  x\n  A.B\nc = f(<<E\n}\nE\n)\nd = <<-EOT\n  %{ for x in y ~}\n  EOT\n',
    'a "b" c "d" {\n  e "f" { g = 1 }\n  h {}\n}\n',
    'x {\n  dynamic "l" {\n    for_each = y\n    iterator = z\n    content { p = 1 }\n  }\n}\n',
    "a = 1\r\nb = <<E\r\nx\r\nE\r\nc {\r\n  d = 2\r\n}\r\n",
    "a = 1\rb = 2 # c\rc {\r  d = 2\r}\r",
    "",
]


def plain(node: Node) -> Any:
    """A node as a value that can be compared, places among it."""
    if node.kind == TEXT:
        return (node.text, node.unknown, node.plain, node.where.span)
    if node.kind == MAP:
        return (node.where.span, node.open, [(key.text, key.where.span, plain(value)) for key, value in node.pairs])
    return (node.where.span, [plain(value) for value in node.values])


def said(found: hcl.Hcl | None) -> Any:
    assert found is not None
    assert not found.notes
    return [(b.kind, b.labels, b.where.span, plain(b.body)) for b in found.blocks], plain(found.attributes)


@pytest.mark.parametrize("text", READ_BY_BOTH)
def test_the_light_reader_sees_what_a_complete_parser_sees(text: str) -> None:
    need("hcl2")
    file = DeployFile("/project/main.tf", text.encode())
    assert said(hcl.parse(file)) == said(parse_completely(file))


def test_so_it_does_in_the_fixtures() -> None:
    need("hcl2")
    paths = sorted(FIXTURES.rglob("*.tf"))
    assert len(paths) > 10
    for path in paths:
        file = DeployFile(str(path), path.read_bytes())
        assert said(hcl.parse(file)) == said(parse_completely(file)), path


SPLIT = 'a = x &&\n  y\nresource "aws_lb" "main"\n{\n  idle_timeout = 30\n}\n'


def test_a_complete_parser_reads_what_the_light_reader_stops_at() -> None:
    need("hcl2")
    found = hcl.parse(DeployFile("/project/main.tf", SPLIT.encode()))
    assert not found.notes
    (block,) = found.blocks
    assert block.labels == ("aws_lb", "main")
    assert block.where.span.row == 3
    assert block.body.number("idle_timeout") == 30


def test_without_it_what_is_left_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hcl2.api", None)
    found = hcl.parse(DeployFile("/project/main.tf", SPLIT.encode()))
    assert [note.where.span.row for note in found.notes] == [2]
    assert "cannot be read" in found.notes[0].reason


def test_what_neither_reads_is_said_once() -> None:
    found = hcl.parse(DeployFile("/project/main.tf", b'{{ a }}\nresource "a" "b" {\n  c = 1\n}\n'))
    assert [note.where.span.row for note in found.notes] == [1]
    assert [block.labels for block in found.blocks] == [("a", "b")]
