"""The wheel: what is in it, and that it runs where nothing else of the project is."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests import fronts
from tests.need import need
from tests.projects import BAD, ROOT

pytestmark = pytest.mark.xdist_group("wheel")
# A PYTHONPATH that leads to the checkout would hide the installed package.
CLEAN = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as an installer would build it."""
    need("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    assert {name.partition("/")[0] for name in names} == {"lg_stream_lint"}
    there = {name for name in names if name.endswith((".py", ".yaml", "py.typed"))}
    assert "lg_stream_lint/py.typed" in there
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "lg_stream_lint"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    tracked = [name for name in tracked if (ROOT / name).is_file()]
    assert there == set(tracked) - {"lg_stream_lint/docs.py", "lg_stream_lint/new_rule.py"}


@pytest.fixture(scope="module")
def scratch(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it; the libraries it depends on are lent by this one."""
    folder = tmp_path_factory.mktemp("scratch") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    # A .pth file inside a folder that a .pth file names is not read: the editable install stays out of sight.
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def test_finds_the_same_as_the_checkout(scratch: Path, root: Path) -> None:
    project = BAD[0]
    project.write(root)
    expected = fronts.by_command(root)
    where = fronts.process(
        "-c", "import lg_stream_lint as l; print(l.__file__)", program=[str(scratch / "python")], at=root, env=CLEAN
    )
    assert where.out.startswith(str(scratch.parent))
    answer = fronts.process(
        "--isolated", "--output-format", "json", ".", program=[str(scratch / "lg-stream-lint")], at=root, env=CLEAN
    )
    assert (answer.code, fronts.from_report(answer.report)) == (1, expected)


def test_needs_no_flake8(scratch: Path, root: Path) -> None:
    """It is an extra: the command runs where flake8 cannot be imported."""
    code = "import sys; sys.modules['flake8'] = None; from lg_stream_lint.cli import main; sys.exit(main(['.']))"
    BAD[0].write(root)
    assert fronts.process("-c", code, program=[str(scratch / "python")], at=root, env=CLEAN).code == 1


def test_flake8_finds_the_plugin_by_itself(root: Path) -> None:
    need("flake8")
    assert "LGS" in fronts.process("--version", program=[sys.executable, "-m", "flake8"], at=root).out.replace(
        "lg-stream-lint", "LGS"
    )
