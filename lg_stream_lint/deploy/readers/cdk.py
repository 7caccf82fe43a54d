"""The AWS CDK in Python."""

from __future__ import annotations

from lg_stream_lint.deploy.clouds.cdk import Stack
from lg_stream_lint.deploy.clouds.limits import Found
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Reading


def read(file: DeployFile, context: Context) -> Reading:
    """The hops of a stack."""
    from lg_stream_lint.python.gate import is_test_module

    if is_test_module(file.path):
        return Reading()
    found = Found()
    Stack(file, found, context).read()
    return found.reading()
