"""Which files are deployment files: by their names, and then by words that their bytes must hold.

The table is read before any reader is imported: a repository without such files pays for nothing else.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple


class FileKind(NamedTuple):
    """A format: the module in :mod:`lg_stream_lint.deploy.readers` that reads it, names, and words (one is enough)."""

    reader: str
    names: str
    words: tuple[bytes, ...] = ()


#: The order counts: a file is read by every kind that claims it, in this order.
KINDS = (
    FileKind("dockerfile", r"(?i:(?:.*[./_-])?(?:dockerfile|containerfile)(?:[._-][\w.-]+)?)"),
    FileKind("compose", r"(?:docker-)?compose[\w.-]*\.ya?ml", (b"services", b"include")),
    FileKind("kubernetes", r"kustomization\.ya?ml"),  # kind and version need not be written in it
    FileKind("kubernetes", r"(?!kustomization\.ya?ml).*\.(?:ya?ml|tpl)", (b"apiVersion",)),
    FileKind(
        "nginx",
        r".*(?:nginx|\.conf|\.conf\.\w+|\.vhost|\.nginx|\.inc)(?:\.\w+)?",
        (b"proxy_pass", b"uwsgi_pass", b"fastcgi_pass", b"grpc_pass", b"scgi_pass", b"upstream", b"include"),
    ),
    FileKind("procfile", r"Procfile(?:\.\w+)?"),
    FileKind("systemd", r".*\.service(?:\.\w+)?", (b"ExecStart",)),
    FileKind("supervisor", r".*supervis.*\.(?:conf|ini)", (b"command",)),
    FileKind("shell", r".*\.(?:sh|bash)|(?:start|run|entrypoint|serve|prestart|launch|boot)"),
    FileKind("makefile", r"(?i:makefile|gnumakefile|justfile)|.*\.mk"),
    FileKind(
        "python_server",
        r".*\.py",
        (
            *(b"gunicorn", b"uvicorn", b"hypercorn", b"granian", b"daphne"),
            *(b"worker_class", b"graceful_timeout", b"Mangum", b"apig_wsgi", b"awsgi", b"serverless_wsgi"),
        ),
    ),
    FileKind("package_json", r"package\.json", (b"uvicorn", b"gunicorn", b"hypercorn", b"fastapi")),
    FileKind(
        "platforms",
        r"render\.ya?ml|railway\.(?:json|toml)|fly(?:\.\w+)?\.toml|app\.ya?ml|vercel\.json|now\.json|langgraph\.json"
        r"|heroku\.yml|nixpacks\.toml",
    ),
    FileKind("platforms", r"app\.json", (b"buildpacks", b"formation")),
    FileKind("serverless", r".*\.(?:ya?ml|json|template)", (b"AWS::", b"provider:", b"containerDefinitions")),
    FileKind("pipelines", r".*\.ya?ml|cloudbuild.*\.json", (b"gcloud", b"deploy-cloudrun")),
    FileKind("cdk", r".*\.py", (b"aws_cdk",)),
    FileKind("terraform", r".*\.tf"),
    FileKind("caddy", r"(?i:(?:.*\.)?caddyfile(?:\.(?!(?:go|md|rst|html|json|js|ts)$)\w+)?)"),
    FileKind("haproxy", r".*\.cfg|.*haproxy.*\.conf", (b"backend", b"frontend", b"listen")),
    FileKind(
        "apache",
        r".*(?:apache|httpd|vhost|\.conf|\.htaccess).*(?<!\.md)(?<!\.rst)(?<!\.html)(?<!\.yml)(?<!\.yaml)(?<!\.go)",
        (b"ProxyPass", b"VirtualHost", b"BalancerMember", b"Include"),
    ),
    FileKind(
        "traefik",
        r".*traefik.*\.(?:ya?ml|toml)|dynamic.*\.(?:ya?ml|toml)",
        (b"entryPoints", b"entrypoints", b"routers", b"services", b"serversTransport"),
    ),
    FileKind("envoy", r".*envoy.*\.(?:ya?ml|json)", (b"clusters", b"http_connection_manager", b"route_config")),
    FileKind("varnish", r".*\.vcl"),
)

#: Suffixes of formats in which settings stand: a file with one is never Python, even when it is named and no reader claims it.
NOT_PYTHON = frozenset(
    (
        ".toml",
        ".json",
        ".yaml",
        ".yml",
        ".cfg",
        ".ini",
        ".conf",
        ".tf",
        ".tpl",
        ".template",
        ".sh",
        ".mk",
        ".service",
        ".vcl",
    )
)

_PYTHON = r".*\.py"
#: Named by a walk as deployment files: everything but Python, which is found as such.
_BY_NAME = re.compile("|".join(f"(?:{kind.names})" for kind in KINDS if kind.names != _PYTHON))


#: Folders whose files are virtual hosts, whatever they are called: ``sites-available/chat``, ``sites-enabled/example.org``.
_SITES = frozenset({"sites-available", "sites-enabled"})


def is_candidate(path: str) -> bool:
    """Whether a file of this name may be a deployment file; of its folders only the nearest counts."""
    return _BY_NAME.fullmatch(_name_of(path)) is not None


def _name_of(path: str) -> str:
    """A file's name, with the ending that it would have elsewhere."""
    folder, name = os.path.split(path)
    is_site = os.path.basename(folder) in _SITES and not name.endswith((".py", ".md"))
    return f"{name}.vhost" if is_site and _BY_NAME.fullmatch(name) is None else name


def kinds_of(path: str, source: bytes) -> list[FileKind]:
    """The kinds that claim a file; :mod:`re` keeps the patterns that it has compiled once."""
    name = _name_of(path)
    return [
        kind
        for kind in KINDS
        if re.fullmatch(kind.names, name) and (not kind.words or any(word in source for word in kind.words))
    ]
