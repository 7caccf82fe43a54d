"""Values of ``uvicorn.run(…)`` that stand in another module: constants, and the fields of a settings class."""

from __future__ import annotations

from pathlib import Path

import pytest

from lg_stream_lint.deploy.settings import Setting
from tests.deploy.repositories import reading

RUN = """
import uvicorn
{imports}

uvicorn.run("main:app", timeout_graceful_shutdown={value})
"""
CLASS = """
from pydantic import Field
from pydantic_settings import BaseSettings


class Base(BaseSettings):
    INHERITED: int = 11


class Settings(Base):
    GRACE: int = 30
    FIELD: int = Field(31, ge=1)
    NAMED: int = Field(default=32, description="seconds")
    MADE: int = Field(default_factory=lambda: 5)
    CHECKED: int = 33
    SET: int = 34

    @field_validator("CHECKED")
    @classmethod
    def check(cls, value):
        return value * 2

    def model_post_init(self, context):
        self.SET = 7


def get_settings():
    return Settings()


settings = Settings()
cached = get_settings()
other = Settings(GRACE=90)
"""


def grace(folder: Path, imports: str, value: str, files: dict[str, str]) -> Setting | None:
    """The graceful time-out that a ``run.py`` gives to uvicorn."""
    texts: dict[str, str | bytes] = {"run.py": RUN.format(imports=imports, value=value)}
    texts |= files
    (hop,) = reading("python_server", folder, texts).hops
    found = hop.get("graceful_timeout")
    return found if found is not None and found.explicit else None


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("settings.GRACE", 30),
        ("settings.FIELD", 31),
        ("settings.NAMED", 32),
        ("settings.INHERITED", 11),
        ("cached.GRACE", 30),
        ("settings.GRACE + 5", 35),
        ("settings.MADE", None),
        ("settings.CHECKED", None),
        ("settings.SET", None),
        ("settings.MISSING", None),
        ("settings.GRACE.real", None),
        ("other.GRACE", None),
        ("unknown.GRACE", None),
    ],
)
def test_a_field_of_a_settings_class(written: str, seconds: int | None, tmp_path: Path) -> None:
    found = grace(tmp_path, "from settings import cached, other, settings", written, {"settings.py": CLASS})
    assert (found.value if found is not None else None) == seconds
    assert found is None or found.overridable


def test_through_a_package(tmp_path: Path) -> None:
    files = {"core/__init__.py": "from core.settings import settings\n", "core/settings.py": CLASS}
    found = grace(tmp_path, "from core import settings", "settings.GRACE", files)
    assert found is not None
    assert found.value == 30


@pytest.mark.parametrize(
    ("imports", "written"),
    [
        ("import config", "config.GRACE"),
        ("from config import GRACE", "GRACE"),
        ("from config import GRACE as seconds", "seconds"),
        ("from config import Values", "Values.INNER"),
        ("from config import values", "values.INNER"),
    ],
)
def test_a_constant_cannot_be_overridden(imports: str, written: str, tmp_path: Path) -> None:
    config = "GRACE = 40\n\n\nclass Values:\n    INNER = 40\n\n\nvalues = Values()\n"
    found = grace(tmp_path, imports, written, {"config.py": config})
    assert found is not None
    assert (found.value, found.overridable) == (40, False)


def test_modules_that_lead_to_each_other_have_an_end(tmp_path: Path) -> None:
    assert grace(tmp_path, "from a import X", "X", {"a.py": "from b import X\n", "b.py": "from a import X\n"}) is None


def test_a_name_of_the_file_itself_wins(tmp_path: Path) -> None:
    found = grace(tmp_path, "from config import GRACE\nGRACE = 9", "GRACE", {"config.py": "GRACE = 40\n"})
    assert found is not None
    assert found.value == 9
