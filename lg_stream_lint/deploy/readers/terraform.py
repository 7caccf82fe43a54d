"""Terraform: load balancers, gateways, functions, containers and distributions, with variables where they are literal."""

from __future__ import annotations

from lg_stream_lint.deploy.clouds.limits import Found
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Reading
from lg_stream_lint.deploy.terraform.aws import AwsReader
from lg_stream_lint.deploy.terraform.module import module_of
from lg_stream_lint.deploy.terraform.others import CloudReader

#: Resources of a file.
_MOST = 1_000


def read(file: DeployFile, context: Context) -> Reading:
    """The hops of one file of a module."""
    module = module_of(file, context)
    found = Found()
    readers = (AwsReader(file, module, found, context), CloudReader(file, module, found, context))
    for count, resource in enumerate(module.resources(file.path)):
        if count >= _MOST:
            found.notes.append(file.note(resource.where.span.row, f"more than {_MOST:,} resources"))
            break
        for reader in readers:
            reader.read(resource)
    found.notes += module.files[file.path].notes
    return found.reading()
