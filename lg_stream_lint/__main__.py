"""``python -m lg_stream_lint``, and what the installed command starts."""

from __future__ import annotations

import gc
import os
import sys

from lg_stream_lint.cli import main


def run() -> None:
    """Run the command as a process of its own, and end it with the command's exit code.

    The process takes its memory with it. Freeing millions of nodes one by one, or letting the collector walk over them, would
    cost a large run a tenth of its time.
    """
    gc.disable()
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
