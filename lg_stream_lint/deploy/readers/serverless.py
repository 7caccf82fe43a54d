"""AWS in YAML and JSON: CloudFormation, SAM, the Serverless Framework, and ECS task definitions of their own."""

from __future__ import annotations

from lg_stream_lint.deploy.clouds import aws
from lg_stream_lint.deploy.clouds.cloudformation import read_template
from lg_stream_lint.deploy.clouds.limits import Found
from lg_stream_lint.deploy.clouds.serverless_framework import read_service
from lg_stream_lint.deploy.clouds.tasks import container
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Reading
from lg_stream_lint.deploy.yaml_marks import LIST, Node, documents

#: Words that a document must all have, to be one of the three.
_WORDS = (("Resources", "AWS::"), ("functions", "provider"), ("resources", "provider"), ("containerDefinitions",))


def read(file: DeployFile, context: Context) -> Reading:
    """The hops of a file."""
    found = Found()
    read_documents = documents(file, context, lambda text: any(all(word in text for word in words) for words in _WORDS))
    for root in read_documents.roots:
        if _is_template(root):
            read_template(file, root, found, context)
        elif root.get("provider") is not None and root.get("service") is not None:
            read_service(file, root, found, context)
        elif (containers := root.get("containerDefinitions")) is not None and containers.kind == LIST:
            _task(file, containers, found, context)
    if found.hops:
        found.notes += read_documents.notes
    return found.reading()


def _is_template(root: Node) -> bool:
    """Whether a document is a template: a resource has one of AWS's types."""
    resources = root.get("Resources")
    return resources is not None and any(
        node.string("Type").startswith(("AWS::", "Custom::")) for _, node in resources.entries()
    )


def _task(file: DeployFile, containers: Node, found: Found, context: Context) -> None:
    for index, each in enumerate(containers.elements()):
        name = each.string("name") or str(index)
        key = each.key("name") or each
        resource = aws.Resource(name, key.where, f"{file.path}#{name}", aws.Keys(stop="stopTimeout"))
        container(resource, each, found, context, folder=file.folder)
