"""Python files that start a server, and gunicorn's configuration files, which are Python too. Nothing is executed."""

from __future__ import annotations

from lg_stream_lint.deploy.commands import Carrier, Stands, python_hops
from lg_stream_lint.deploy.commands.gunicorn_conf import is_conf, read_conf
from lg_stream_lint.deploy.commands.places import upward
from lg_stream_lint.deploy.commands.servers import Start, hop_of
from lg_stream_lint.deploy.files import Context, DeployFile, NotRead
from lg_stream_lint.deploy.settings import Note, Reading, Target
from lg_stream_lint.python.gate import is_test_module


def read(file: DeployFile, context: Context) -> Reading:
    """The servers of a file. What a command elsewhere starts with this file is read there, too."""
    if is_test_module(file.path):
        return Reading()
    known = (Target("file", file.path),)
    carrier = Carrier(
        context, file.row(1), Stands.SCRIPT, bases=upward(file.folder, context.repository), known_as=known
    )
    if not is_conf(file):
        return python_hops(file, carrier)
    try:
        conf = read_conf(file, {})
    except NotRead as reason:
        return Reading((), (Note(file.row(1), str(reason)),))
    if not conf.options and not conf.unknown:
        return Reading()
    app = conf.options["wsgi_app"].value if "wsgi_app" in conf.options else ""
    # Nobody knows what a command line adds, so that no default of this file is sure.
    return hop_of(Start("gunicorn", conf.first, conf.options, app, open_ended=True, unknown=conf.unknown), carrier)
