"""The hops of Traefik's dynamic configuration: one for each router."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lg_stream_lint.deploy.defaults import default
from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.proxies.addresses import Url, is_open
from lg_stream_lint.deploy.proxies.carried import Carried
from lg_stream_lint.deploy.settings import Hop, Note, Role, Setting, Target, Where
from lg_stream_lint.deploy.traefik.keys import buffering, compression, header_timeout, routes_of_rule
from lg_stream_lint.deploy.traefik.nodes import child, entries, texts
from lg_stream_lint.deploy.traefik.static import EntryPoint, Static
from lg_stream_lint.deploy.units import with_default
from lg_stream_lint.deploy.yaml_marks import Node

#: Routers of one file, and services in services.
MOST = 500
_DEEPEST = 5
_MOST_ADDRESSES = 100


class Dynamic:
    """The ``http`` part of a document."""

    def __init__(self, http: Node, file: DeployFile, static: Static, carried: Carried, notes: list[Note]) -> None:
        self.http, self.file, self.static, self.carried, self.notes = http, file, static, carried, notes

    def hops(self) -> Iterator[Hop]:
        """A hop for each router that leads to a service."""
        for key, router in entries(child(self.http, "routers"))[:MOST]:
            service = child(router, "service")
            if service is None or service.text.endswith("@internal"):
                continue
            yield self._hop(key, router, service)

    def _hop(self, key: Node, router: Node, service: Node) -> Hop:
        points = self.static.for_router(texts(child(router, "entryPoints")))
        rule = child(router, "rule")
        middlewares = [node for name in texts(child(router, "middlewares")) if (node := self._middleware(name))]
        routes = routes_of_rule(rule.text) if rule is not None and not rule.unknown else ()
        if any(_strips(middleware) for middleware in middlewares):
            routes = tuple(route._replace(inside="/") if route.how == "prefix" else route for route in routes)
        ports = dict.fromkeys(point.port for point in points if point.port)
        return Hop(
            "traefik",
            Role.PROXY,
            f"router {key.text}",
            key.where,
            tuple(self._settings(middlewares, points, service, key.where)),
            tuple(Target("address", address) for address in dict.fromkeys(self._addresses(service, 0))),
            (*self.carried.known_as, *(Target("port", port) for port in ports)),
            routes,
            self.carried.version.tag,
            self.carried.version.where,
            self.file.path,
        )

    def _middleware(self, name: str) -> Node | None:
        return child(self.http, "middlewares", name.removesuffix("@file"))

    def _settings(
        self, middlewares: Sequence[Node], points: Sequence[EntryPoint], service: Node, where: Where
    ) -> Iterator[Setting]:
        for middleware in middlewares:
            for key, node in entries(middleware):
                yield from self._effects(key, node)
        yield from self._header(service, where)
        written = {setting.name: setting for point in reversed(points) for setting in point.settings}
        for name in ("total_timeout", "stop_timeout"):
            setting = written.get(name) or default("traefik", name, where)
            yield from (setting,) if setting is not None else ()

    def _effects(self, key: Node, node: Node) -> Iterator[Setting]:
        """What a middleware does to a stream."""
        if key.text.lower() == "compress" and node.truth() is not False:
            excluded, included = (texts(child(node, f"{how}ContentTypes")) for how in ("excluded", "included"))
            least = child(node, "minResponseBodyBytes")
            text = least.text if least is not None else ""
            yield from compression(key.where, self.carried.version.release, excluded, included, text)
        elif key.text.lower() == "buffering":
            disabled = child(node, "disableResponseBuffer")
            found = buffering(key.where, disabled.text if disabled is not None else "")
            yield from (found,) if found is not None else ()

    def _header(self, service: Node, where: Where) -> Iterator[Setting]:
        """The limit until the headers: of the service's own transport, of all, or the default."""
        name = child(self.http, "services", _plain(service.text), "loadBalancer", "serversTransport")
        own = child(self.http, "serversTransports", _plain(name.text)) if name is not None else None
        written = child(own, "forwardingTimeouts", "responseHeaderTimeout")
        if written is not None:
            setting = header_timeout(with_default(written.text)[0], written.where)
            if setting is None:
                self.notes.append(Note(written.where, f"a duration that is not written here: {written.text[:60]}"))
        else:
            setting = self.static.header if own is None else None
            setting = setting or default("traefik", "first_byte_timeout", where)
        yield from (setting,) if setting is not None else ()

    def _addresses(self, service: Node, depth: int) -> Iterator[str]:
        node = child(self.http, "services", _plain(service.text))
        if node is None or depth > _DEEPEST:
            self.notes.append(Note(service.where, f"the service {service.text[:80]} is not known here"))
            return
        for server in _elements(child(node, "loadBalancer", "servers")):
            yield from self._address(server)
        inner = [child(element, "name") for element in _elements(child(node, "weighted", "services"))]
        inner += [child(node, "mirroring", "service"), child(node, "failover", "service")]
        for name in inner:
            if name is not None:
                yield from self._addresses(name, depth + 1)

    def _address(self, server: Node) -> Iterator[str]:
        url = child(server, "url")
        if url is None:
            return
        text = with_default(url.text)[0]
        if url.unknown or is_open(text):
            self.notes.append(Note(url.where, f"the address in {text[:80]} is not known here"))
        else:
            yield Url(text).address


def _plain(name: str) -> str:
    return name.removesuffix("@file")


def _elements(node: Node | None) -> list[Node]:
    return node.elements()[:_MOST_ADDRESSES] if node is not None else []


def _strips(middleware: Node) -> bool:
    return any(child(middleware, name) is not None for name in ("stripPrefix", "stripPrefixRegex"))
