"""Which libraries the evidence interpreter has: one short process, asked once."""

from __future__ import annotations

import json
import subprocess
from functools import cache

from tests.evidence.cases import Case, all_cases
from tests.evidence.harness import python
from tests.evidence.servers import SERVERS

SHOWN = (
    "fastapi starlette uvicorn sse-starlette langgraph langchain-core langchain langchain-openai openai "
    "langgraph-checkpoint-sqlite flask litestar django httpx"
).split()
ASK = """
import importlib.metadata, importlib.util, json, platform, sys
modules, distributions = json.loads(sys.stdin.read())
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
print(json.dumps({
    "python": platform.python_version(),
    "missing": [name for name in modules if importlib.util.find_spec(name) is None],
    "versions": {name: version(name) for name in distributions},
}))
"""


@cache
def _asked() -> dict[str, object]:
    cases = list(all_cases())
    modules = sorted(set().union(*(case.modules() for case in cases)))
    distributions = sorted({*SHOWN, *(name for case in cases for name in needs(case))})
    run = subprocess.run(
        [python(), "-c", ASK], input=json.dumps([modules, distributions]), capture_output=True, text=True, check=True
    )
    return dict(json.loads(run.stdout))


def needs(case: Case) -> tuple[str, ...]:
    """The distributions that the case asks for beside its imports."""
    return (SERVERS[case.server].distribution, *case.needs)


def missing(case: Case) -> list[str]:
    """What the interpreter lacks for this case."""
    asked = _asked()
    absent, versions = asked["missing"], asked["versions"]
    assert isinstance(absent, list) and isinstance(versions, dict)
    return sorted(case.modules() & set(absent)) + [name for name in needs(case) if versions[name] is None]


def versions() -> dict[str, str]:
    """Python and the libraries, as the docs quote them."""
    asked = _asked()
    found = asked["versions"]
    assert isinstance(found, dict)
    return {"python": str(asked["python"]), **{name: found[name] for name in SHOWN if found[name] is not None}}
