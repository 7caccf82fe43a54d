"""A product's default as a setting, from the table ``knowledge/layers.yaml``."""

from __future__ import annotations

from lg_stream_lint.deploy.settings import Origin, Setting, Where
from lg_stream_lint.knowledge import LayerDefault, knowledge


def default(layer: str, name: str, where: Where, *, version: str = "", when: str = "") -> Setting | None:
    """What holds for a layer where nothing is written; None when the table does not know.

    ``where`` is the place at which it would be written. A version that is not known counts as the newest.
    """
    row = _row(layer, name, version, when)
    if row is None:
        return None
    value = None if row.value == "none" else row.value
    return Setting(name, row.key, value, Origin.DEFAULT, where, row.kind)


def _row(layer: str, name: str, version: str, when: str) -> LayerDefault | None:
    found = [row for row in knowledge().layers if row.layer == layer and row.name == name and row.when == when]
    for row in found:
        if _holds(row, version):
            return row
    return None


def _holds(row: LayerDefault, version: str) -> bool:
    if not (row.since or row.before):
        return True
    if not version:
        return not row.before
    from packaging.version import InvalidVersion, Version

    try:
        release = Version(version)
        return (not row.since or release >= Version(row.since)) and (not row.before or release < Version(row.before))
    except InvalidVersion:
        return not row.before
