"""The words of the deployment half: settings with their places, the hops that have them, and what a hop leads to.

A reader knows a file format and no rule; a rule knows these words and no file format.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from lg_stream_lint.finding import Span


class Kind:
    """What a limit counts. Two limits can be compared only when they are of one kind."""

    IDLE = "idle"  # seconds without a byte
    TOTAL = "total"  # seconds after the request, whatever flows
    FIRST_BYTE = "first_byte"  # seconds until the response's headers
    GRACE = "grace"  # seconds after SIGTERM
    BLOCK = "block"  # seconds in which the event loop does not turn


class Origin:
    """Where a value comes from. A default inside the project's own text (``${X:-45}``) is explicit, and overridable."""

    EXPLICIT = "explicit"
    DEFAULT = "default"


class Role:
    """What a hop is to the stream."""

    SERVER = "server"  # runs the application: gunicorn, uvicorn, hypercorn …
    HOST = "host"  # starts and stops a server, and asks whether it lives: Kubernetes, compose, systemd, ECS …
    PROXY = "proxy"  # passes the stream on: nginx, a load balancer, a platform's router …


#: Every name that a setting can have, and what its value is. Limits are seconds as numbers, ``None`` for no limit; a name
#: that says ``limit`` has the kind that the product gives it (gunicorn's ``timeout`` is ``total`` for a sync worker and
#: ``block`` for an async one).
NAMES = {
    # A server's
    "worker_class": "text, as written or by default: sync, gthread, gevent, asgi, uvicorn.workers.UvicornWorker …",
    "workers": "number of processes",
    "threads": "number of threads of a process",
    "timeout": "limit of a worker",
    "graceful_timeout": "limit after SIGTERM that the server sets itself",
    "keep_alive": "seconds that a connection without a request is kept; no limit of a stream",
    "max_requests": "number of requests after which a worker is replaced; 0 is never",
    "response_limit": "limit of a response that a server option sets (hypercorn's --read-timeout, daphne's -t)",
    "development": "truth: a development mode is on (--reload, fastapi dev, debug) in what production runs",
    "http_parser": "text: httptools, h11, auto",
    "unknown": "text: the known name that was meant, empty when none is close; the key is the unknown name",
    "port": "text: the port that is listened on",
    # A host's
    "stop_grace": "limit between the signal to stop and the kill",
    "pre_stop": "seconds that pass before the server gets the signal",
    "liveness": "seconds that an HTTP liveness probe waits for its answer",
    "liveness_period": "seconds between two liveness probes",
    "liveness_failures": "number of failed probes after which the container is restarted",
    "replicas": "number of instances",
    "shell": "truth, `pipeline` or `script`: a shell that passes no signal on stands before the server; written: its first word",
    "image": "text: the base image",
    "init": "truth: an init process stands before the shell, or before whatever the container runs",
    # A proxy's
    "read_timeout": "limit on the way from the application",
    "send_timeout": "limit on the way to the client",
    "total_timeout": "limit of the whole response",
    "first_byte_timeout": "limit until the headers",
    "stop_timeout": "limit for running streams when the proxy itself is reloaded or stopped",
    "buffering": "truth: the response is held back",
    "http_version": "text: 1.0 or 1.1, towards the application",
    "protocol": "text: http, https, uwsgi, fastcgi, scgi, grpc, ws",
    "compression": "truth: event streams are compressed in a way that holds them back",
    "compression_from": "bytes of the response's first piece from which on it is compressed",
    "compression_holds": "bytes that wait before they are compressed, after which each piece is passed on; all where not set",
    "compressed_types": "tuple of media types that are compressed",
    "ignores_accel": "truth: the application's X-Accel-Buffering is not obeyed",
    "sets_accel": "truth: X-Accel-Buffering is set where it has no effect on this proxy itself",
    "forwards_accel": "text: set or passed, when the next proxy outward gets X-Accel-Buffering: no from here or the application's",
    "hop_by_hop": "text: what a hop-by-hop header that is set by hand breaks",
    "cannot_stream": "text: why the platform hands on whole responses only",
}


class Where(NamedTuple):
    """A place in a file; ``path`` is absolute."""

    path: str
    span: Span


class Setting(NamedTuple):
    """One value that holds for a hop.

    ``name`` is one of :data:`NAMES`, ``key`` what a user of the product calls it (``proxy_read_timeout``), ``value`` is as
    :data:`NAMES` says, ``kind`` one of :class:`Kind` for limits, else empty. A default stands ``where`` it would be written:
    the ``proxy_pass`` line, the server's command, the resource. ``written`` is the value's text in the file (``1m30s``).
    ``overridable``: the environment or a chart's values can replace it. ``overruled``: another place of the project sets the same
    and wins (the command line over ``gunicorn.conf.py``); what is overruled stands after what wins.
    """

    name: str
    key: str
    value: Any
    origin: str
    where: Where
    kind: str = ""
    written: str = ""
    overridable: bool = False
    overruled: bool = False

    @property
    def explicit(self) -> bool:
        """Whether the project writes it."""
        return self.origin == Origin.EXPLICIT

    @property
    def fixed(self) -> bool:
        """Whether the product lets nobody change it; its key says so."""
        return self.key.endswith("which is fixed")


class Target(NamedTuple):
    """What a hop leads to, or what it is known as. The pairs that match stand in :mod:`~lg_stream_lint.deploy.links`.

    ========= ==================================================================================================
    ``kind``  ``value``
    ========= ==================================================================================================
    app       ``package.module:attribute``; ``base`` is the folder that the command runs in, as far as known
    address   ``host:port`` as a proxy writes it, the port may be missing
    host      a name under which others in the same network reach it (a compose service, a Kubernetes service)
    port      a port on this machine
    file      the absolute path of a Dockerfile (or of another file that holds the command)
    image     an image's name without registry and tag
    replaces  the absolute path of a Dockerfile in whose image a server is started in place of the image's own
    labels    ``key=value`` pairs, sorted, separated by commas; a selector's must all be among a pod's
    unit      any text that two hops of one file agree on
    any       whatever serves in this project: a load balancer whose targets cannot be read
    ========= ==================================================================================================
    """

    kind: str
    value: str
    base: str = ""


class Route(NamedTuple):
    """Which paths a proxy's hop serves: ``how`` is ``prefix``, ``exact`` or ``regex``.

    ``inside`` is what the application gets in place of ``path``, where the proxy replaces it; None where it does not.
    """

    how: str
    path: str
    inside: str | None = None


class Hop(NamedTuple):
    """One thing that a stream crosses, or that can stop it: a server's command, a container, a proxy's location.

    ``layer`` is one of the names in RULES (``nginx``, ``gunicorn``, ``kubernetes`` …), ``role`` one of :class:`Role`,
    ``name`` what a reader of the file calls it (``location /chat``). ``routes``: the paths that it serves; empty for all.
    ``version`` is the product's, where it is written (an image's tag), with its place. Hops of one ``group`` (the locations of
    one server) share the requests between them: each path is served by one of them. ``resource`` is the name by which a
    configuration ignores it (``Deployment/api``, ``service api``), where that is not ``name``.
    """

    layer: str
    role: str
    name: str
    where: Where
    settings: tuple[Setting, ...] = ()
    leads_to: tuple[Target, ...] = ()
    known_as: tuple[Target, ...] = ()
    routes: tuple[Route, ...] = ()
    version: str = ""
    version_where: Where | None = None
    group: str = ""
    resource: str = ""

    def get(self, name: str) -> Setting | None:
        """The setting of that name that holds, if it is known."""
        return next((s for s in self.settings if s.name == name and not s.overruled), None)

    def value(self, name: str, default: Any = None) -> Any:
        """The value of that name, or the default where nothing is known."""
        setting = self.get(name)
        return default if setting is None else setting.value

    def limits(self, kind: str) -> tuple[Setting, ...]:
        """The limits of one kind; those that are off (``None``) are left out."""
        return tuple(s for s in self.settings if s.kind == kind and s.value is not None and not s.overruled)


class Note(NamedTuple):
    """A part of a file that was not read, and why: ``reason`` is a phrase after ``not read:``."""

    where: Where
    reason: str


class Reading(NamedTuple):
    """What a file holds."""

    hops: tuple[Hop, ...] = ()
    notes: tuple[Note, ...] = ()
