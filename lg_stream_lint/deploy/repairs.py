"""Repairs of settings that a product's own syntax allows: so far nginx's directives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lg_stream_lint.finding import Edit, Fix, Span

if TYPE_CHECKING:
    from lg_stream_lint.deploy.files import Context
    from lg_stream_lint.deploy.settings import Hop, Setting


def with_value(hop: Hop, setting: Setting, value: str, context: Context) -> Fix | None:
    """Give a setting of an nginx hop another value: where it is written, or else on a line of its own behind the pass directive.

    Unsafe: what the value ought to be is for somebody who knows the application. None for other products, for values that the
    environment gives, and inside an ``if``, where nginx knows no such directive.
    """
    if hop.layer != "nginx" or setting.overridable or hop.name.endswith("(if)"):
        return None
    message = f"{setting.key} {value};"
    if setting.explicit:
        return Fix("unsafe", message, (Edit(setting.where.span, f"{setting.key} {value}"),))
    file = context.open(setting.where.path)
    row, column = setting.where.span.end_row, setting.where.span.end_column
    line = file.lines[row - 1]
    end = line.find(";", column - 1)
    if end < 0 or line[column - 1 : end].strip():
        return None
    start = setting.where.span.row - 1
    indent = file.lines[start][: len(file.lines[start]) - len(file.lines[start].lstrip())]
    newline = "\r\n" if "\r\n" in file.text else "\n"
    at = Span(row, end + 2, row, end + 2)
    return Fix("unsafe", message, (Edit(at, f"{newline}{indent}{setting.key} {value};"),))
