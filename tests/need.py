"""What a test needs and a machine may lack: skipped here, a failure where everything has to be there."""

from __future__ import annotations

import importlib.util
import os
import shutil

import pytest


def require(there: bool, reason: str) -> None:
    """Go on when ``there``; otherwise skip, or fail where ``LGS_REQUIRE_ALL`` says that nothing may be missing."""
    if there:
        return
    if os.environ.get("LGS_REQUIRE_ALL"):
        pytest.fail(f"{reason}, and LGS_REQUIRE_ALL is set")
    pytest.skip(reason)


def need(*names: str) -> None:
    """Each name is a module that can be imported or a command on the path."""
    for name in names:
        there = shutil.which(name) is not None or importlib.util.find_spec(name) is not None
        require(there, f"needs {name}")
