"""More than one process, by ``fork``, when there is enough to do; the results are the same in the same order."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Sequence
from typing import Any

#: Bytes of Python whose analysis takes about as long as starting processes pays for (0.3 s).
_WORTHWHILE = 300_000


def worthwhile(files: Sequence[str]) -> bool:
    """Whether the files are large enough, in all, for several processes."""
    total = 0
    for path in files:
        try:
            total += os.path.getsize(path)
        except OSError:
            continue
        if total > _WORTHWHILE:
            return True
    return False


def run_forked(work: Callable[[str], Any], files: Sequence[str], jobs: int) -> list[Any]:
    """``[work(path) for path in files]`` by several processes; neighbours go to the same one, for their shared imports.

    ``multiprocessing`` and ``concurrent.futures`` cost 30 ms to import and serialise each task; a fork and a pipe do not.
    A child that dies is replaced by doing its share here; children whose parent is gone stop at the next file.
    """
    jobs = min(jobs, len(files))
    size = -(-len(files) // jobs)
    shares = [files[i : i + size] for i in range(0, len(files), size)]
    running: list[tuple[int, int, Sequence[str]]] = []
    parent = os.getpid()
    for share in shares[1:]:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            _child(work, share, (reader, writer), parent)
        os.close(writer)
        running.append((pid, reader, share))
    results = [work(path) for path in shares[0]]
    for pid, reader, share in running:
        with os.fdopen(reader, "rb") as pipe:
            data = pipe.read()
        os.waitpid(pid, 0)
        try:
            results.extend(pickle.loads(data))  # noqa: S301 - written by our own child, through a pipe
        except Exception:  # noqa: BLE001 - a child that died in any way
            results.extend(work(path) for path in share)
    return results


def _child(work: Callable[[str], Any], share: Sequence[str], pipe: tuple[int, int], parent: int) -> None:
    code = 1
    try:
        os.close(pipe[0])
        results = []
        for path in share:
            if os.getppid() != parent:  # interrupted or killed alone, as editors and CI do it: nobody reads this
                return
            results.append(work(path))
        with os.fdopen(pipe[1], "wb") as writer:
            writer.write(pickle.dumps(results))
        code = 0
    finally:
        os._exit(code)
