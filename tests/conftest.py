"""Fixtures for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty folder that a test's project is written to; what lies above it is no project."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder
