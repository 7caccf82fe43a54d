"""Where the names of import statements lead, where a package and a module share a name."""

from __future__ import annotations

from pathlib import Path

from lg_stream_lint.python.locating import Located
from lg_stream_lint.python.project import Project, project_of
from tests.projects import Project as Files

PROJECT_FILE = b"[project]\nname = 'app'\n"


def written(root: Path, **files: str) -> Project:
    """A project of these files; in their names, two underscores stand for a slash, and ``init`` for ``__init__``."""
    paths = {name: name.replace("__", "/").replace("/init", "/__init__") + ".py" for name in files}
    named = {paths[name]: text.encode() for name, text in files.items()}
    Files("app", {"pyproject.toml": PROJECT_FILE, **named}).write(root)
    return project_of(str(root / "main.py"))


def test_what_a_package_binds_hides_its_submodule(root: Path) -> None:
    project = written(root, agents__init="from .graph import graph\n", agents__graph="graph = object()\n", main="")
    main, package = str(root / "main.py"), str(root / "agents" / "__init__.py")
    assert project.leads_to("agents.graph", main) == Located(package, ("graph",))
    assert project.leads_to("agents.graph.graph", main) == Located(str(root / "agents" / "graph.py"), ("graph",))
    assert project.leads_to("graph.graph", package, 1) == Located(str(root / "agents" / "graph.py"), ("graph",))


def test_what_a_package_takes_by_a_star_hides_its_submodule(root: Path) -> None:
    project = written(root, agents__init="from .graph import *\n", agents__graph="graph = object()\n", main="")
    assert project.leads_to("agents.graph", str(root / "main.py")) == Located(
        str(root / "agents" / "__init__.py"), ("graph",)
    )


def test_a_submodule_that_nothing_hides(root: Path) -> None:
    project = written(root, agents__init="from . import graph\n", agents__graph="x = 1\n", main="")
    package = str(root / "agents" / "__init__.py")
    assert project.leads_to("graph", package, 1) == Located(str(root / "agents" / "graph.py"), ())


def test_a_script_means_the_module_beside_it(root: Path) -> None:
    project = written(
        root,
        assistant__init="",
        assistant__assistant="def reply(): ...\n",
        assistant__server="from assistant import reply\n",
    )
    server = str(root / "assistant" / "server.py")
    assert project.locate("assistant.reply", server) == Located(str(root / "assistant" / "assistant.py"), ("reply",))


def test_a_package_that_has_the_name_is_meant(root: Path) -> None:
    project = written(
        root,
        assistant__init="def reply(): ...\n",
        assistant__assistant="def reply(): ...\n",
        assistant__server="from assistant import reply\n",
    )
    server = str(root / "assistant" / "server.py")
    assert project.locate("assistant.reply", server) == Located(str(root / "assistant" / "__init__.py"), ("reply",))
