"""Runs inside the application's process: the fixture's app, with ``/__health`` beside it on the same event loop.

The server is told ``evidence_loader:app``; ``LGS_EVIDENCE_APP`` names the real one (``main:app``,
``main:create_app()``). Everything but ``/__health`` passes through untouched.
"""

import importlib
import os

HEALTH = "/__health"


def load(target):
    """The application that ``module:attribute`` names; brackets at the end call a factory."""
    module, _, attribute = target.partition(":")
    value = importlib.import_module(module)
    for name in attribute.removesuffix("()").split("."):
        value = getattr(value, name)
    return value() if attribute.endswith("()") else value


def with_health(inner):
    """The application, with a path of its own for the prober."""

    async def outer(scope, receive, send):
        if scope["type"] == "http" and scope["path"] == HEALTH:
            headers = [(b"content-type", b"text/plain"), (b"content-length", b"2")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"ok"})
        else:
            await inner(scope, receive, send)

    return outer


app = with_health(load(os.environ["LGS_EVIDENCE_APP"]))
