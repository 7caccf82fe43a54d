"""ECS: a task's containers, as hosts of what they start."""

from __future__ import annotations

from lg_stream_lint.deploy.clouds.aws import Resource
from lg_stream_lint.deploy.clouds.limits import Found, Limit, written
from lg_stream_lint.deploy.commands import Carrier, Stands, Variable, Word
from lg_stream_lint.deploy.containers import Start, dockerfile_for, image_name, servers_in
from lg_stream_lint.deploy.files import Context
from lg_stream_lint.deploy.settings import Hop, Kind, Role, Target
from lg_stream_lint.deploy.yaml_marks import LIST, TEXT, Node


def container(resource: Resource, body: Node, found: Found, context: Context, *, folder: str) -> None:
    """A container of an ECS task, whose keys begin with a small letter here and a capital in CloudFormation."""

    def part(name: str) -> Node | None:
        return body.get(name) or body.get(name[0].upper() + name[1:])

    limit = Limit("ecs", "stop_grace", resource.keys.stop, Kind.GRACE)
    values = found.limit(limit, part("stopTimeout"), resource.where)
    process = part("linuxParameters")
    init = process.get("initProcessEnabled") or process.get("InitProcessEnabled") if process is not None else None
    if init is not None and (truth := init.truth()) is not None:
        values = [*values, written("init", "initProcessEnabled", truth, init)]
    image = part("image")
    name = image_name(image.text) if image is not None and not image.unknown else ""
    dockerfile = dockerfile_for(name, context, frozenset({name}))
    known = (Target("unit", f"{resource.unit}/run"),)
    start = Start(words_of(part("entryPoint")), words_of(part("command")))
    carrier = Carrier(context, resource.where, Stands.MANIFEST, _environment(part("environment")), (folder,), known)
    reading = servers_in(start, carrier, dockerfile)
    leads_to = list(known)
    if reading is not None:
        found.add(reading)
    elif dockerfile is not None:
        leads_to.append(Target("file", dockerfile.path))
    elif name:
        leads_to.append(Target("image", name))
    found.hops.append(
        Hop("ecs", Role.HOST, resource.name, resource.where, tuple(values), tuple(leads_to), resource.known_as)
    )


def words_of(node: Node | None) -> list[str | Word] | None:
    """A list of words with their places (or a text as one command); None where nothing is written."""
    if node is None or node.unknown:
        return None
    if node.kind == LIST:
        return [Word(each.text, each.where, each.overridable) for each in node.elements() if each.kind == TEXT]
    return [Word(word, node.where, node.overridable) for word in node.text.split()] if node.kind == TEXT else None


def _environment(node: Node | None) -> dict[str, Variable]:
    """``[{name: …, value: …}]``, in small letters or with capitals."""
    found: dict[str, Variable] = {}
    for each in node.elements() if node is not None else ():
        name = each.string("name") or each.string("Name")
        value = each.get("value") or each.get("Value")
        if name and value is not None and not value.unknown:
            found[name] = Variable(value.text, value.where, value.overridable)
    return found
