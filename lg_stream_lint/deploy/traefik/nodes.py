"""Maps whose keys count without their case, as Traefik reads its files; one tree for YAML and TOML."""

from __future__ import annotations

from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.nginx.templates import template_sign
from lg_stream_lint.deploy.settings import Note
from lg_stream_lint.deploy.toml_marks import toml_root
from lg_stream_lint.deploy.yaml_marks import LIST, TEXT, Documents, Node, documents


def read_documents(file: DeployFile, context: Context) -> Documents:
    """The documents of a YAML file, or the one of a TOML file; what is a resource of Kubernetes is left to its reader."""
    if file.name.lower().endswith(".toml"):
        template = template_sign(file.text)
        if template is not None:
            offset, kind = template
            return Documents((), (Note(file.at(offset, offset + 2), f"{kind}: what it becomes is not known"),))
        return Documents((toml_root(file),))
    found = documents(file, context)
    return found._replace(roots=tuple(root for root in found.roots if not root.has("apiVersion")))


def child(node: Node | None, *keys: str) -> Node | None:
    """The node below these keys, whatever their case; None where there is none."""
    for key in keys:
        if node is None:
            return None
        node = next((value for known, value in reversed(node.entries()) if known.text.lower() == key.lower()), None)
    return None if node is None or node.is_null else node


def texts(node: Node | None) -> list[str]:
    """The texts of a list, or the parts of one text with commas in it."""
    if node is None:
        return []
    if node.kind == LIST:
        return [element.text for element in node.elements() if element.kind == TEXT]
    return [part.strip() for part in node.text.split(",") if part.strip()]


def entries(node: Node | None) -> list[tuple[Node, Node]]:
    """The entries of a map; none of what is no map."""
    return node.entries() if node is not None else []
