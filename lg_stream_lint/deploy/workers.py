"""What gunicorn's worker classes are to a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lg_stream_lint.deploy.settings import Hop


class Family:
    """Worker classes that behave alike. ``UNKNOWN``: a class of the project's own, or a variable."""

    SYNC = "sync"  # WSGI, one request at a time; the time-out counts the whole response
    THREADS = "gthread"  # WSGI; the time-out does not cut
    GREEN = "green"  # gevent, eventlet: WSGI; the time-out does not cut
    UVICORN = "uvicorn"  # ASGI; the loop reports each half of the time-out, and not while it drains
    ASGI = "asgi"  # gunicorn's own; the loop reports each second
    UNKNOWN = ""

    WSGI = frozenset({SYNC, THREADS, GREEN})
    ASYNC = frozenset({UVICORN, ASGI})


def family_of(worker_class: object) -> str:
    """The family of a worker class as it is written: ``uvicorn.workers.UvicornWorker``, ``gthread`` …"""
    text = str(worker_class or "").strip().removeprefix("egg:gunicorn#")
    name = text.rpartition(".")[2].lower()
    if text in ("sync", "gunicorn.workers.sync.SyncWorker"):
        return Family.SYNC
    if text in ("gthread", "gunicorn.workers.gthread.ThreadWorker"):
        return Family.THREADS
    if name in ("gevent", "eventlet", "gevent_pywsgi", "gevent_wsgi", "geventworker", "eventletworker"):
        return Family.GREEN
    if text in ("asgi", "gunicorn.workers.gasgi.ASGIWorker"):
        return Family.ASGI
    return Family.UVICORN if "uvicorn" in name else Family.UNKNOWN


def serves_nothing(server: Hop, interface: str) -> bool:
    """Whether a server answers every request of an application of that interface with HTTP 500, so that no stream begins."""
    family = family_of(server.value("worker_class")) if server.layer == "gunicorn" else Family.UNKNOWN
    return family in Family.WSGI and interface == "asgi"


def is_cut_before(server: Hop, grace: float) -> bool:
    """Whether a ``sync`` worker is killed for a long response before a graceful time-out of so many seconds matters."""
    timeout = server.get("timeout") if server.layer == "gunicorn" else None
    is_sync = family_of(server.value("worker_class")) == Family.SYNC
    return is_sync and timeout is not None and timeout.value is not None and bool(timeout.value <= grace)
