"""Platforms that run a command or an image: what starts it, how long it may take to stop, what stands in front of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from lg_stream_lint.deploy.clouds.aws import ANYTHING
from lg_stream_lint.deploy.clouds.limits import Found, Limit, settings, written
from lg_stream_lint.deploy.commands import Carrier, Stands, Variable, Word
from lg_stream_lint.deploy.containers import Start, servers_in
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Hop, Kind, Role, Setting, Target, Where
from lg_stream_lint.deploy.yaml_marks import LIST, MAP, TEXT, Node
from lg_stream_lint.deploy.yaml_text import place_in

_MOST = 200


class Service(NamedTuple):
    """A service of a platform: what it is called, where, and what it runs.

    ``command`` is empty where an image's own, or a Procfile's, holds; ``dockerfile`` is absolute, empty where there is none.
    """

    layer: str
    name: str
    where: Where
    unit: str
    command: Node | None = None
    folder: str = ""
    dockerfile: str = ""
    env: dict[str, Variable] | None = None


def run(
    service: Service,
    file: DeployFile,
    found: Found,
    context: Context,
    *,
    stop: Sequence[Setting] = (),
    front: Sequence[Setting] | None = None,
) -> None:
    """Add a service: its server, its host with ``stop``, and, unless ``front`` is None, the router in front of it."""
    unit = Target("unit", f"{service.unit}/run")
    leads_to = [unit]
    command = service.command
    dockerfile = context.find(service.dockerfile, "") if service.dockerfile else None
    if command is None or command.unknown:
        start = Start(None, None)
    elif command.kind == LIST:
        start = Start(None, [Word(each.text, each.where) for each in command.elements() if each.kind == TEXT])
    else:
        start = Start([], None)._replace(entrypoint=command.text)
    where = command.where if command is not None else service.where
    at = place_in(file, command) if command is not None and command.kind == TEXT else None
    folder = service.folder or file.folder
    carrier = Carrier(context, where, Stands.MANIFEST, service.env or {}, (folder,), (unit,), at=at)
    reading = servers_in(start, carrier, dockerfile)
    if reading is not None:
        found.add(reading)
    else:
        leads_to += [Target("file", path) for path in _own(service, folder, context)]
    host = Target("unit", service.unit)
    hop = Hop(service.layer, Role.HOST, service.name, service.where, tuple(stop), tuple(leads_to), (host,))
    found.hops.append(hop._replace(resource=f"service {service.name}"))
    if front is not None:
        outer = tuple(dict.fromkeys((*leads_to, host, ANYTHING)))
        router = Hop(service.layer, Role.PROXY, service.name, service.where, tuple(front), outer)
        found.hops.append(router._replace(resource=f"service {service.name}"))


def _own(service: Service, folder: str, context: Context) -> list[str]:
    """What is run where no command is written: a Dockerfile, else a Procfile."""
    if service.dockerfile:
        return [service.dockerfile]
    for name in ("Dockerfile", "Procfile"):
        found = context.find(name, folder)
        if found is not None:
            return [found.path]
    return []


def pairs_env(node: Node | None, key: str = "key", value: str = "value") -> dict[str, Variable]:
    """``[{key: …, value: …}]``, or a map, as variables."""
    found: dict[str, Variable] = {}
    for each in node.elements() if node is not None else ():
        text = each.get(value)
        if each.string(key) and text is not None and text.kind == TEXT and not text.unknown:
            found[each.string(key)] = Variable(text.text, text.where)
    for name, text in node.entries() if node is not None else ():
        if text.kind == TEXT and not text.unknown:
            found[name.text] = Variable(text.text, text.where)
    return found


def path_at(file: DeployFile, *parts: str) -> str:
    """A path that a file names, absolute."""
    return os.path.normpath(os.path.join(file.folder, *(part.lstrip("/") for part in parts)))


def render(file: DeployFile, root: Node, found: Found, context: Context) -> None:
    """render.yaml: web and private services."""
    services = root.get("services")
    for index, node in enumerate(services.elements()[:_MOST] if services is not None else ()):
        runtime = node.string("runtime") or node.string("env")
        if node.string("type") not in ("web", "pserv") or runtime == "static":
            continue
        name = node.string("name") or str(index)
        where = (node.get("name") or node.key("type") or node).where
        folder = path_at(file, node.string("rootDir") or ".")
        dockerfile = ""
        if runtime == "docker":
            dockerfile = os.path.normpath(os.path.join(folder, node.string("dockerfilePath") or "Dockerfile"))
        grace = Limit("render", "stop_grace", "maxShutdownDelaySeconds", Kind.GRACE)
        stop = settings(found.limit(grace, node.get("maxShutdownDelaySeconds"), where), _replicas(node, "numInstances"))
        command = node.get("dockerCommand") if runtime == "docker" else node.get("startCommand")
        service = Service(
            "render", name, where, f"{file.path}#{name}", command, folder, dockerfile, pairs_env(node.get("envVars"))
        )
        run(service, file, found, context, stop=stop)


def _replicas(node: Node, key: str) -> list[Setting]:
    count = node.get(key)
    value = count.number() if count is not None else None
    return [written("replicas", key, value, count)] if count is not None and value is not None else []


def railway(file: DeployFile, root: Node, found: Found, context: Context) -> None:
    """railway.json, railway.toml: one service, behind the platform's edge."""
    deploy = root.get("deploy") or Node(MAP, file.row(1))
    build = root.get("build") or Node(MAP, file.row(1))
    where = (root.key("deploy") or root.key("build") or root).where
    where = file.row(where.span.row)
    dockerfile = build.string("dockerfilePath")
    if not dockerfile and build.string("builder").upper() == "DOCKERFILE":
        dockerfile = "Dockerfile"
    stop = settings(
        found.limit(
            Limit("railway", "stop_grace", "drainingSeconds", Kind.GRACE), deploy.get("drainingSeconds"), where
        ),
        _replicas(deploy, "numReplicas"),
    )
    front = settings(
        found.limit(Limit("railway", "total_timeout", "the edge's limit, which is fixed", Kind.TOTAL), None, where),
        found.limit(
            Limit("railway", "read_timeout", "the edge's limit on silence, which is fixed", Kind.IDLE), None, where
        ),
    )
    path = path_at(file, dockerfile) if dockerfile else ""
    service = Service("railway", "railway", where, file.path, deploy.get("startCommand"), file.folder, path)
    run(service, file, found, context, stop=stop, front=front)


def fly(file: DeployFile, root: Node, found: Found, context: Context) -> None:
    """fly.toml: one application, its processes, and the proxy in front of it."""
    where = file.row((root.key("app") or root.key("build") or root).where.span.row)
    grace = root.get("kill_timeout")
    stop = found.limit(Limit("fly", "stop_grace", "kill_timeout", Kind.GRACE), grace, where)
    idle = root.get("http_service", "http_options", "idle_timeout")
    front: list[Setting] = []
    if idle is not None:
        front = found.limit(Limit("fly", "read_timeout", "idle_timeout", Kind.IDLE), idle, where)
    processes = root.get("processes")
    dockerfile = root.string("build", "dockerfile")
    given = path_at(file, dockerfile) if dockerfile else _beside(file, context, "Dockerfile")
    entries: list[tuple[Node | None, Node | None]] = [*processes.entries()] if processes is not None else []
    has_front = root.get("http_service") is not None or root.get("services") is not None
    for key, command in entries[:_MOST] or [(None, root.get("experimental", "cmd"))]:
        name = key.text if key is not None else "app"
        service = Service(
            "fly", name, where, f"{file.path}#{name}", command, file.folder, given, pairs_env(root.get("env"))
        )
        is_served = has_front and name in (_served(root) or [name])
        run(service, file, found, context, stop=stop, front=front if is_served else None)


def _served(root: Node) -> list[str]:
    """The processes that the HTTP service leads to; empty for all."""
    processes = root.get("http_service", "processes")
    return [each.text for each in processes.elements()] if processes is not None else []


def _beside(file: DeployFile, context: Context, name: str) -> str:
    found = context.find(name, file.folder)
    return found.path if found is not None else ""


def heroku(file: DeployFile, root: Node, found: Found, context: Context) -> None:
    """heroku.yml: the image or the command of ``web``."""
    command = root.get("run", "web")
    where = file.row((root.key("run") or root.key("build") or root).where.span.row)
    if command is not None and command.kind == MAP:
        command = command.get("command")
    built = root.get("build", "docker", "web")
    dockerfile = (
        built.text if built is not None and built.kind == TEXT else root.string("build", "docker", "web", "dockerfile")
    )
    path = path_at(file, dockerfile) if dockerfile else ""
    service = Service("heroku", "web", where, file.path, command, file.folder, path)
    run(service, file, found, context, front=_router(found, where))


def heroku_app(file: DeployFile, root: Node, found: Found, context: Context) -> None:
    """app.json, as Heroku writes it, beside a Procfile or a heroku.yml."""
    is_heroku = root.get("buildpacks") is not None or root.get("formation") is not None
    if not is_heroku or context.find("heroku.yml", file.folder) is not None:
        return
    where = file.row((root.key("buildpacks") or root.key("formation") or root).where.span.row)
    service = Service("heroku", "web", where, file.path, None, file.folder)
    run(service, file, found, context, front=_router(found, where))


def _router(found: Found, where: Where) -> tuple[Setting, ...]:
    first = Limit("heroku", "first_byte_timeout", "the router's limit, which is fixed", Kind.FIRST_BYTE)
    idle = Limit("heroku", "read_timeout", "the router's rolling window, which is fixed", Kind.IDLE)
    return settings(found.limit(first, None, where), found.limit(idle, None, where))


def nixpacks(file: DeployFile, root: Node, found: Found, context: Context) -> None:
    """nixpacks.toml: only a command; which platform builds with it is not said."""
    command = root.get("start", "cmd")
    if command is not None and not command.unknown and command.kind == TEXT:
        from lg_stream_lint.deploy.commands import server_hops

        place = place_in(file, command)
        env = pairs_env(root.get("variables"))
        known = (Target("unit", file.path),)
        found.add(
            server_hops(
                command.text, Carrier(context, command.where, Stands.MANIFEST, env, (file.folder,), known, at=place)
            )
        )
