"""From a command, wherever it stands, to the servers that it starts: ``server_hops(command, Carrier(…))``.

>>> server_hops("exec gunicorn -k uvicorn.workers.UvicornWorker app.main:app", carrier)          # a shell's text
>>> server_hops([Word("uvicorn", where), Word("app.main:app", where)], carrier)                  # exec form
"""

from __future__ import annotations

from collections.abc import Sequence

from lg_stream_lint.deploy.commands.carrier import Carrier, Stands, Variable, Word
from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.settings import Reading

__all__ = ["Carrier", "Stands", "Variable", "Word", "python_hops", "server_hops"]


def server_hops(command: str | Sequence[str | Word], carrier: Carrier) -> Reading:
    """The servers that a command starts, with their settings (defaults included), and notes on what was not read.

    ``command`` is a text for a shell (``&&``, ``;``, ``|``, line ends and continuations in it are understood) or a list of
    words, of which a plain ``str`` stands at ``carrier.where``. Wrappers are seen through: ``exec``, ``env``, ``uv run``,
    ``poetry run``, ``python -m``, ``sh -c``, ``tini``, ``dumb-init``; ``python main.py``, ``./start.sh`` and
    ``-c gunicorn.conf.py`` are followed into the repository's files. A command that starts no server known here gives
    no hops: a carrier whose container runs something else says so with a host hop of its own.

    Each hop has ``leads_to`` its application, and ``known_as`` the carrier's targets and ``Target("port", …)``.
    """
    from lg_stream_lint.deploy.commands.running import Runner

    runner = Runner()
    if isinstance(command, str):
        runner.text(command, carrier, carrier.shell)
    else:
        words = [word if isinstance(word, Word) else Word(word, carrier.where) for word in command]
        runner.words(words, carrier)
    return runner.reading()


def python_hops(file: DeployFile, carrier: Carrier) -> Reading:
    """The servers that a Python file starts when it is run: ``uvicorn.run(…)`` and its kin."""
    from lg_stream_lint.deploy.commands.running import Runner

    runner = Runner()
    runner.python(file, carrier)
    return runner.reading()
