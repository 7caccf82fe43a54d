"""Platforms that run functions or applications of their own kind: App Engine, Vercel, LangGraph's, and kin of theirs."""

from __future__ import annotations

import os
import re

from lg_stream_lint.deploy.clouds.aws import ANYTHING
from lg_stream_lint.deploy.clouds.limits import Found, Limit, settings
from lg_stream_lint.deploy.clouds.platforms import Service, pairs_env, path_at, run
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Hop, Kind, Role, Setting, Target
from lg_stream_lint.deploy.yaml_marks import LIST, TEXT, Node

_PYTHON_FILE = re.compile(r"\.py$")
_MOST = 200


def app(file: DeployFile, root: Node, found: Found, context: Context) -> None:
    """app.yaml: App Engine's (``runtime``), DigitalOcean's (``services``), Databricks' (``command``)."""
    runtime = root.get("runtime")
    if runtime is not None and runtime.kind == TEXT:
        _app_engine(file, root, runtime, found, context)
        return
    services = root.get("services")
    for node in services.elements()[:_MOST] if services is not None else ():
        command, dockerfile = node.get("run_command"), node.string("dockerfile_path")
        if command is None and not dockerfile:
            continue
        name = node.string("name")
        top = os.path.dirname(file.folder) if os.path.basename(file.folder) == ".do" else file.folder
        folder = os.path.normpath(os.path.join(top, node.string("source_dir").lstrip("/") or "."))
        path = os.path.normpath(os.path.join(top, dockerfile.lstrip("/"))) if dockerfile else ""
        env = pairs_env(node.get("envs"))
        place = (node.get("name") or node).where
        run(
            Service("app-platform", name, place, f"{file.path}#{name}", command, folder, path, env),
            file,
            found,
            context,
        )
    command = root.get("command")
    if services is None and command is not None and command.kind == LIST:
        env = pairs_env(root.get("env"), "name")
        run(Service("databricks", "app", command.where, file.path, command, file.folder, "", env), file, found, context)


def _app_engine(file: DeployFile, root: Node, runtime: Node, found: Found, context: Context) -> None:
    if not runtime.text.startswith(("python", "custom")):
        return
    env = pairs_env(root.get("env_variables"))
    dockerfile = path_at(file, "Dockerfile") if runtime.text == "custom" else ""
    service = Service(
        "app-engine", root.string("service") or "default", runtime.where, file.path, root.get("entrypoint"), file.folder,
        dockerfile, env,
    )  # fmt: skip
    run(service, file, found, context)


def vercel(file: DeployFile, root: Node, found: Found, context: Context) -> None:
    """vercel.json: the limit of each function that is Python; the platform's own where none is written."""
    functions = root.get("functions")
    entries = functions.entries()[:_MOST] if functions is not None else []
    limit = Limit("vercel", "total_timeout", "maxDuration", Kind.TOTAL)
    covered = False
    for pattern, node in entries:
        files = _python_files(pattern.text, file, context)
        if not files and not _PYTHON_FILE.search(pattern.text):
            continue
        covered = True
        where = file.row(pattern.where.span.row)
        values = found.limit(limit, node.get("maxDuration"), where)
        found.hops.append(_function(pattern.text, pattern, values, files, file))
    builds = root.get("builds")
    for node in builds.elements()[:_MOST] if builds is not None else ():
        if node.string("use").startswith("@vercel/python") and not covered:
            source = node.get("src") or node
            values = found.limit(limit, node.get("config", "maxDuration"), file.row(source.where.span.row))
            files = _python_files(source.text, file, context)
            found.hops.append(_function(source.text, source, values, files, file))


def _function(name: str, node: Node, values: list[Setting], files: list[str], file: DeployFile) -> Hop:
    """A function: it runs the application of its file."""
    if len(files) == 1:
        target = Target("app", f"{os.path.relpath(files[0], file.folder).replace(os.sep, '/')}:app", file.folder)
        return Hop("vercel", Role.SERVER, name, node.where, tuple(values), (target,))
    return Hop("vercel", Role.PROXY, name, node.where, tuple(values), (ANYTHING,))


def _python_files(pattern: str, file: DeployFile, context: Context) -> list[str]:
    """The Python files that a pattern of functions means, as far as a folder can tell."""
    import glob

    if ".." in pattern or pattern.count("*") > 4 or len(pattern) > 200:
        return []
    pattern = pattern.lstrip("/")
    if pattern.startswith("*"):
        return []
    found: list[str] = []
    for count, path in enumerate(glob.iglob(os.path.join(glob.escape(file.folder), pattern), recursive=True)):
        if count >= _MOST:
            break
        if path.endswith(".py") and context.holds(path):
            found.append(os.path.normpath(path))
    return sorted(found)


def langgraph(file: DeployFile, root: Node, found: Found, context: Context) -> None:  # noqa: ARG001 - as every reader here
    """langgraph.json: LangGraph's own server, with an application of the project's where ``http.app`` names one."""
    if root.get("graphs") is None:
        return
    place = root.key("graphs")
    where = place.where if place is not None else file.row(1)
    env = root.get("env")
    variables = {key.text: value for key, value in env.entries()} if env is not None else {}
    values = settings(
        found.limit(
            Limit("langgraph", "total_timeout", "BG_JOB_TIMEOUT_SECS", Kind.TOTAL),
            variables.get("BG_JOB_TIMEOUT_SECS"),
            where,
        ),
        found.limit(
            Limit("langgraph", "graceful_timeout", "BG_JOB_SHUTDOWN_GRACE_PERIOD_SECS", Kind.GRACE),
            variables.get("BG_JOB_SHUTDOWN_GRACE_PERIOD_SECS"),
            where,
        ),
    )
    named = root.get("http", "app")
    target = named.text.removeprefix("./") if named is not None and named.kind == TEXT and not named.unknown else ""
    if target:
        leads_to = (Target("app", target, file.folder),)
        found.hops.append(
            Hop("langgraph", Role.SERVER, "langgraph", where, values, leads_to, (Target("file", file.path),))
        )
    else:  # what it serves is LangGraph's own, and pings by itself
        found.hops.append(Hop("langgraph", Role.HOST, "langgraph", where, values, (), (Target("file", file.path),)))
