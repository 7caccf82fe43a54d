"""Envoy: its bootstrap files and pieces of them, in YAML or JSON."""

from __future__ import annotations

from lg_stream_lint.deploy.envoy.hops import read_hops
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.proxies.carried import carried
from lg_stream_lint.deploy.settings import Reading
from lg_stream_lint.deploy.yaml_marks import documents


def read(file: DeployFile, context: Context) -> Reading:
    """The routes of a file; resources of Kubernetes are left to its reader."""
    if not any(word in file.text for word in ("virtual_hosts", "virtualHosts")):
        return Reading()
    found = documents(file, context)
    roots = tuple(root for root in found.roots if not root.has("apiVersion"))
    return read_hops(roots, file, carried(file, context, "envoy"), list(found.notes))
