"""YAML as nodes with places: what people write, templates, and what only an enemy would write."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.yaml_marks import Documents, Node, documents, walk
from lg_stream_lint.finding import Span


def read(text: str | bytes) -> Documents:
    source = text if isinstance(text, bytes) else text.encode()
    return documents(DeployFile("/project/file.yaml", source))


def only(text: str | bytes) -> Node:
    (root,) = read(text).roots
    return root


def test_scalars_keep_their_text():
    root = only("a: off\nb: 1:30\nc: 1_000\nd: '08'\ne: ~\nf: 3.0\n")
    assert [root.string(key) for key in "abcd"] == ["off", "1:30", "1_000", "08"]
    assert root.truth("a") is False
    assert root.number("b") is None
    assert root.get("e") is None
    assert root.has("e")
    assert root.number("f") == 3.0


def test_places_are_rows_and_columns_from_one():
    second = read("a: 1\n---\nb:\n  - c: 'x'\n").roots[1]
    assert second.get("b", 0, "c").where.span == Span(4, 8, 4, 11)
    assert second.key("b").where.span == Span(3, 1, 3, 2)


def test_line_ends_do_not_move_places():
    for ends in ("\r\n", "\r", "\n"):
        assert only(ends.join(("a: 1", "b: 2", ""))).get("b").where.span == Span(2, 4, 2, 5)


def test_merge_keys_duplicates_and_tags():
    root = only("x: &x {k: 1, l: 1}\ny:\n  <<: [*x]\n  l: 2\n  m: 3\n  m: 4\nz: !Ref Name\nn: !reset null\n")
    assert [root.string("y", key) for key in "klm"] == ["1", "2", "4"]
    assert [key.text for key, _ in root.get("y").entries()] == ["l", "m", "k"]
    assert root.get("z").unknown
    assert root.get("n") is None


def test_one_bad_document_does_not_lose_the_others():
    found = read("a: 1\n---\nb: [\n---\nc: 3\n")
    assert [root.pairs[0][0].text for root in found.roots] == ["a", "c"]
    assert [note.where.span.row for note in found.notes] == [3]


def test_tabs_and_odd_bytes_are_forgiven():
    assert only("a:\n\tb: 1\n\tc: 2\n").string("a", "c") == "2"
    assert only(b"a: \xe4\x01\nb: 2\n").get("b").where.span.row == 2
    assert only("a: x\u2028y\nb: 2\n").get("b").where.span.row == 2


def test_json_is_yaml():
    assert only('{\n\t"a": {"b": [1, true]}\n}').truth("a", "b", 1) is True


def test_numbers_with_a_default_in_the_text():
    assert only("a: ${X:-30}").number("a") == 30.0
    assert only("a: ${X}").number("a") is None


@pytest.fixture
def chart(tmp_path: Path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("name: chart\n")

    def read_template(template: str, values: str = "") -> Documents:
        (tmp_path / "values.yaml").write_text(values)
        path = tmp_path / "templates" / "a.yaml"
        path.write_text(template)
        context = Context(str(tmp_path))
        return documents(context.open(str(path)), context)

    return read_template


def test_a_value_of_the_chart_is_looked_up_and_overridable(chart):
    (root,) = chart(
        "a: {{ .Values.deep.grace }}\nb: {{ .Values.none | default 31 }}\nc: '{{ .Values.name }}:v1'\n"
        "d: {{ .Release.Name }}\n",
        "deep: {grace: 45}\nname: app\n",
    ).roots
    assert (root.number("a"), root.get("a").overridable, root.get("a").where.span.row) == (45.0, True, 1)
    assert root.number("b") == 31.0
    assert root.string("c") == "app:v1"
    assert root.get("d").unknown
    assert root.string("d") == "{{ .Release.Name }}"
    assert root.number("d") is None


def test_a_value_that_another_file_of_the_chart_sets_is_not_known(chart, tmp_path):
    (tmp_path / "values-prod.yaml").write_text("grace: 90\nname: app\n")
    (root,) = chart("a: {{ .Values.grace }}\nb: {{ .Values.name }}\n", "grace: 45\nname: app\n").roots
    assert root.get("a").unknown
    assert root.string("b") == "app"


def test_a_branch_that_the_chart_turns_off_is_a_note(chart):
    found = chart(
        "a: 1\n{{- if .Values.on }}\nb: 2\n{{- else }}\nb: 3\n{{- end }}\n{{- if not .Values.on }}\nc: 4\n{{- end }}\n",
        "on: true\n",
    )
    assert [(key.text, value.text) for key, value in found.roots[0].entries()] == [("a", "1"), ("b", "2")]
    assert [note.where.span.row for note in found.notes] == [4]


def test_what_is_only_defined_and_comments_are_blank(chart):
    (root,) = chart('{{- define "x" }}\n- a\n{{ end }}\n{{/*\n' + "words: [\n" * 2000 + "*/}}\nb: 2\n").roots
    assert root.string("b") == "2"


def test_branches_that_cannot_be_told_make_a_value_unknown(chart):
    (root,) = chart("{{- if .Capabilities.X }}\nb: 2\n{{- else }}\nb: 3\n{{- end }}\n").roots
    assert root.get("b").unknown


def test_what_is_printed_below_a_key_is_its_value(chart):
    (root,) = chart(
        "a:\n  {{- toYaml .Values.probe | nindent 2 }}\nb: {{- toYaml .Values.probe | nindent 2 }}\n"
        "c:\n  {{- include 'x.labels' . | nindent 2 }}\nd:\n  {{- toYaml .Values.probe | nindent 2 }}\n  e: 1\n",
        "probe: {httpGet: {path: /}}\n",
    ).roots
    assert root.string("a", "httpGet", "path") == root.string("b", "httpGet", "path") == "/"
    assert root.get("c").open
    assert root.get("c").inserts == ("include 'x.labels' .",)
    assert root.get("d").may_have("anything") is False
    assert root.string("d", "httpGet", "path") == "/"


def test_a_map_that_a_template_adds_to_is_open(chart):
    (root,) = chart("a:\n  b: 1\n  {{- include 'x' . | nindent 2 }}\nc:\n  d: 1\n").roots
    assert root.get("a").may_have("anything")
    assert not root.get("c").may_have("anything")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "- " * 100_000,
        "{a: " * 100_000,
        "? " * 50_000,
        "---\n" * 300_000,
        "a: 1\n" * 200_000,
        "{{" * 500_000,
        "{{ a }}" * 100_000,
        "{{ if a }}\n" * 100_000,
        "a: {{ if a }}\n" * 19_000,
        "b0: &b0 [x, x]\n" + "".join(f"b{n}: &b{n} [*b{n - 1}, *b{n - 1}, *b{n - 1}]\n" for n in range(1, 60)),
        "m0: &m0 {k: 1}\n" + "".join(f"m{n}: &m{n}\n  <<: [*m{n - 1}, *m{n - 1}, *m{n - 1}]\n" for n in range(1, 60)),
        "&a [*a]",
        "a: &a\n  <<: *a\n",
        "*nobody",
        "%YAML 1.2\n" * 1000,
    ],
)  # fmt: skip
def test_bombs_end_soon(text):
    started = time.process_time()
    try:
        for root in read(text).roots:
            count = sum(len(node.entries()) + 1 for node in walk(root))
            assert count < 200_000
    except NotRead:
        pass
    assert time.process_time() - started < 20


def test_fifty_megabytes_are_refused():
    with pytest.raises(NotRead):
        read(b"a: 1\n" * 10_000_000)
