"""Which libraries the evidence interpreter has: one short process, asked once."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from typing import NamedTuple

from tests.evidence import proxies
from tests.evidence.cases import Case
from tests.evidence.harness import python
from tests.evidence.servers import server_of

SHOWN = (
    "fastapi",
    "starlette",
    "uvicorn",
    "sse-starlette",
    "flask",
    "litestar",
    "langgraph",
    "langgraph-checkpoint-sqlite",
    "langchain",
    "langchain-core",
    "langchain-openai",
    "openai",
    "httpx",
)
ASK = """
import importlib.metadata as metadata, json, platform, re, sys
print(json.dumps({
    "python": platform.python_version(),
    "modules": sorted({*metadata.packages_distributions(), *sys.stdlib_module_names}),
    "versions": {
        re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower(): found.version
        for found in metadata.distributions() if found.metadata["Name"]
    },
}))
"""


class Installed(NamedTuple):
    """What the interpreter says of itself: modules that can be imported, and versions of distributions."""

    python: str
    modules: frozenset[str]
    versions: dict[str, str]


@cache
def installed() -> Installed:
    """Ask the interpreter."""
    run = subprocess.run([python(), "-c", ASK], capture_output=True, text=True, check=True)
    answer = json.loads(run.stdout)
    return Installed(answer["python"], frozenset(answer["modules"]), answer["versions"])


def missing(case: Case) -> list[str]:
    """What the interpreter lacks for this case: modules that it imports, distributions that its server needs."""
    there = installed()
    distributions = (server_of(case.server, case.command).distribution, *case.needs)
    programs = [name for name in proxies.programs_of(case.proxy) if not proxies.is_there(name)]
    lacking = [name for name in distributions if name not in there.versions]
    return sorted(case.modules() - there.modules) + lacking + programs


def versions() -> dict[str, str]:
    """Python and the libraries, as the docs quote them."""
    there = installed()
    return {"python": there.python, **{name: there.versions[name] for name in SHOWN if name in there.versions}}
