"""Traefik: its static and dynamic files, in YAML and TOML. Labels are read with the compose file that holds them."""

from __future__ import annotations

from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.proxies.carried import carried
from lg_stream_lint.deploy.settings import Hop, Note, Reading
from lg_stream_lint.deploy.traefik.hops import Dynamic
from lg_stream_lint.deploy.traefik.nodes import child, read_documents
from lg_stream_lint.deploy.traefik.static import static_for, static_of


def read(file: DeployFile, context: Context) -> Reading:
    """The routers of a file; the entry points that they are reached through may stand in another."""
    found = read_documents(file, context)
    notes: list[Note] = list(found.notes)
    own = [static for root in found.roots if (static := static_of(root, notes)) is not None]
    hops: list[Hop] = []
    for root in found.roots:
        http = child(root, "http")
        if http is not None and child(http, "routers") is not None:
            static = own[0] if own else static_for(file, context)
            hops += Dynamic(http, file, static, carried(file, context, "traefik"), notes).hops()
    return Reading(tuple(hops), tuple(dict.fromkeys(notes)))
