"""The timelines for programs. The form is documented in docs/timeline.md and only ever grows."""

from __future__ import annotations

import json
from typing import Any

from lg_stream_lint.cuts import Cut, Layer
from lg_stream_lint.deploy.settings import Where
from lg_stream_lint.report.timeline import View
from lg_stream_lint.timeline import Timeline


def render(view: View) -> str:
    """One document a way under ``ways``; the first stands at the top as well."""
    documents = [_document(view, line) for line in view.timelines]
    return json.dumps({**documents[0], "ways": documents}, indent=2) + "\n"


def _document(view: View, line: Timeline) -> dict[str, Any]:
    stream = line.stream
    return {
        "title": line.title,
        "sure": line.sure,
        "heartbeat": _number(stream.heartbeat),
        "late_headers": True if stream.waits else stream.late,
        "layers": [_layer(view, layer) for layer in line.layers],
        "holds_back": [
            {"layer": hop.layer, "name": hop.name, "whole": hop.whole, **_place(view, hop.where)} for hop in line.held
        ],
        "cuts": [_cut(view, cut) for cut in line.cuts],
        "not_visible": view.unseen(line),
    }


def _layer(view: View, layer: Layer) -> dict[str, Any]:
    return {
        "layer": layer.layer,
        "product": layer.product,
        "name": layer.name,
        "setting": layer.setting,
        "kind": layer.kind,
        "seconds": _number(layer.seconds),
        "origin": layer.origin,
        "overridable": layer.overridable,
        **_place(view, layer.where),
    }


def _cut(view: View, cut: Cut) -> dict[str, Any]:
    asked: Any = True if cut.question == "deploy" else _number(cut.asked)
    found = {cut.question: asked, "at": _number(cut.at), "by": cut.by, "why": cut.why, "seen": cut.seen or None}
    if cut.layer is None:
        return {**found, "setting": None, "filename": None, "location": None}
    return {**found, "setting": cut.layer.setting, **_place(view, cut.layer.where)}


def _place(view: View, where: Where) -> dict[str, Any]:
    """Where something is written, or would be; as in the report of findings."""
    return {
        "filename": view.name(where.path),
        "location": {"row": where.span.row, "column": where.span.column},
    }


def _number(value: float | None) -> float | int | None:
    """Whole seconds as whole numbers."""
    return int(value) if value is not None and float(value).is_integer() else value
