"""Whether a proxy's hop carries the application's stream: decided here for every product.

A server's locations share its requests: each path is served by one of them. So the hops of one group are compared, and for
each stream of the code the one (or the few that cannot be told apart) that its path reaches carries it. A router's prefix is
often written elsewhere (``include_router``, ``root_path``), so ``/api/v1/chat`` may be the stream ``/chat``. Where the code's
paths are not known the words in a location's path decide, and where nothing at all is known of the code only words like
``stream`` do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from lg_stream_lint.deploy.code import CodeFacts
from lg_stream_lint.deploy.links import split_address
from lg_stream_lint.deploy.settings import Hop, Route

# How well a route fits a stream's path. Between equals the longer one is nearer to a path that is known; of those that only
# sound like it the shorter one is for more (`/api/` before `/api/users/`).
_EXACT, _ENDING, _PREFIX, _TALKS, _IS_API, _ALL, _PERHAPS, _NO = 7, 6, 5, 4, 3, 2, 1, 0

_WORD = re.compile(r"[a-z0-9]+")
_FILE_ENDING = re.compile(r"\\\.\(?(?:\?:)?\w+(?:\||\)|\$)")
_STREAM = frozenset({"stream", "streaming", "streams", "sse", "astream"})
#: Beside these words, streams are music and films.
_MEDIA = frozenset(
    {"library", "video", "videos", "audio", "music", "media", "hls", "dash", "live", "tv", "radio", "camera", "cameras"}
)
_TALK = _STREAM | frozenset(
    {"chat", "chats", "completion", "completions", "agent", "agents", "ask", "generate", "events"}
)
_API = _TALK | frozenset(
    {"api", "apis", "backend", "v1", "v2", "v3", "ai", "llm", "graph", "langgraph", "langserve", "rag"}
)
#: Words in paths that serve files, pages for people who run the thing, sign-ins, and connections of another kind.
_OTHER = frozenset(
    {
        *(
            "static",
            "assets",
            "asset",
            "media",
            "images",
            "image",
            "img",
            "css",
            "js",
            "fonts",
            "favicon",
            "robots",
            "public",
        ),
        *("uploads", "upload", "downloads", "download", "files", "next", "nuxt", "vite", "webpack", "hmr"),
        *(
            "health",
            "healthz",
            "healthcheck",
            "ready",
            "readyz",
            "readiness",
            "live",
            "livez",
            "liveness",
            "ping",
            "status",
        ),
        *("metrics", "prometheus", "grafana", "kibana", "flower", "pgadmin", "minio", "jaeger", "phoenix", "langfuse"),
        *("docs", "doc", "redoc", "openapi", "swagger", "admin", "auth", "oauth", "oauth2", "login", "logout", "acme"),
        *("well", "known"),
    }
)
_SOCKET = frozenset({"ws", "wss", "websocket", "websockets", "socket", "sockjs"})
_FRONTENDS = frozenset(
    {"frontend", "front", "web", "webapp", "ui", "webui", "nextjs", "next", "react", "vite", "client", "spa"}
)
#: What hosts are called that serve something else than the project's application: databases, tools, other people's models.
_TOOLS = frozenset((
    "elasticsearch", "opensearch", "kibana", "grafana", "prometheus", "loki", "jaeger", "phoenix", "langfuse",
    "flower", "minio", "redis", "rabbitmq", "postgres", "pgadmin", "adminer", "qdrant", "weaviate", "chroma",
    "chromadb", "neo4j", "ollama", "vllm", "keycloak", "sso", "oauth2-proxy", "authelia", "searxng", "open-webui",
    "mailhog", "portainer",
))  # fmt: skip
_INSIDE = frozenset({"local", "internal", "svc", "cluster", "consul", "docker", "lan", "home", "test", "localhost"})
_PUBLIC = frozenset({"com", "org", "net", "io", "ai", "dev", "app", "co", "cloud"})


def siblings(hop: Hop, hops: Iterable[Hop]) -> list[Hop]:
    """The hops that share one server's requests with this one, itself among them."""
    return [other for other in hops if other.group == hop.group] if hop.group else [hop]


def carries(hop: Hop, hops: Iterable[Hop], code: CodeFacts, *, sure: bool = True) -> bool:
    """Whether a stream of the code goes through a proxy's hop; see :func:`through`."""
    return through(hop, hops, code, sure=sure) is not None


def through(hop: Hop, hops: Iterable[Hop], code: CodeFacts, *, sure: bool = True) -> CodeFacts | None:
    """The code's facts with those of its streams that go through a proxy's hop; None when it carries none.

    ``hops`` are all of the repository. ``sure``: what the hop leads to was found; otherwise one that leads to a frontend, or
    out of the project, carries nothing. Without streams the hop carries one by its name alone.
    """
    if not code.streams and code.complete:
        return None
    rivals = siblings(hop, hops)
    if sure:
        rivals = [other for other in rivals if other == hop or set(other.leads_to) & set(hop.leads_to)]
    else:
        addresses = frozenset(address for other in rivals for address in _addresses(other))
        rivals = [other for other in rivals if not _leads_elsewhere(other, addresses)]
    if hop not in rivals:
        return None
    if not code.streams:
        words = _words_of(hop)
        return code if _fit_of(hop, "") == _TALKS and words & _STREAM and not words & _MEDIA else None
    carried = tuple(
        stream for stream in code.streams if any(hop in _best(rivals, path) for path in stream.routes or ("",))
    )
    return code._replace(streams=carried) if carried else None


def _best(rivals: Sequence[Hop], path: str) -> list[Hop]:
    """Those of the hops that serve a path of the application, as far as can be told; an empty path is not known.

    Where nothing speaks for any of several, nothing is said of them.
    """
    fits = [(_fit_of(hop, path), hop) for hop in rivals]
    best = max((fit for fit, _ in fits), default=_NO)
    found = [hop for fit, hop in fits if fit == best]
    if best == _NO or (best == _PERHAPS and len(found) > 1):
        return []
    length = max(map(_length, found)) if best >= _PREFIX else min(map(_length, found))
    return [hop for hop in found if _length(hop) == length]


def _length(hop: Hop) -> int:
    return max((len(route.path) for route in hop.routes), default=0)


def _words_of(hop: Hop) -> frozenset[str]:
    return frozenset(word for route in hop.routes for word in _words(route.path))


def _words(path: str) -> set[str]:
    return set(_WORD.findall(path.lower()))


def _fit_of(hop: Hop, path: str) -> int:
    if not hop.routes:
        return _ALL
    return max(_fit(route, path) for route in hop.routes)


def _fit(route: Route, path: str) -> int:
    own = (route.inside if route.inside is not None else route.path) or "/"
    if path and route.how != "regex":
        found = _fit_path(route.how, own, path)
        if found:
            return found
        if route.how == "exact":
            return _NO
    words = _words(route.path)
    if path and route.how == "regex" and _last(path) and _last(path) in route.path:
        return _ENDING
    if route.how == "regex" and _FILE_ENDING.search(route.path):
        return _NO
    if words & _SOCKET or (words & _OTHER and not words & _TALK):
        return _NO
    if words & _TALK:
        return _TALKS
    if words & _API:
        return _IS_API
    return _PERHAPS if words else _ALL


def _fit_path(how: str, own: str, path: str) -> int:
    """How well a literal route fits a path of the application, which may have another prefix in front of it."""
    if own == path:
        return _EXACT
    bare = own.rstrip("/")
    if bare and bare.endswith(path.rstrip("/")):
        return _ENDING
    if how == "exact":
        return _NO
    if bare and (path.startswith(bare + "/") or (path.startswith(own) and not own.endswith("/"))):
        return _PREFIX
    return _NO


def _last(path: str) -> str:
    """The last part of a path that is no parameter."""
    parts = [part for part in path.split("/") if part and "{" not in part and "<" not in part]
    return parts[-1] if parts else ""


def _addresses(hop: Hop) -> list[str]:
    return [target.value for target in hop.leads_to if target.kind == "address"]


def _leads_elsewhere(hop: Hop, all_addresses: frozenset[str]) -> bool:
    """Whether the addresses alone say that a hop does not lead to the application; others are those of its rivals, too."""
    addresses = _addresses(hop)
    if not addresses:
        return False
    if all(_is_outside(address) or split_address(address)[0] in _TOOLS for address in addresses):
        return True
    if not all(split_address(address)[0] in _FRONTENDS for address in addresses):
        return False
    return bool(all_addresses - set(addresses))


def _is_outside(address: str) -> bool:
    """``api.openai.com`` is somebody else's; an address in numbers or with a private ending is not."""
    host, _ = split_address(address)
    parts = host.split(".")
    if host.startswith(("unix:", "[")):
        return False
    return (parts[-1] in _PUBLIC and len(parts) > 1) or (
        len(parts) > 2 and parts[-1].isalpha() and parts[-1] not in _INSIDE
    )
