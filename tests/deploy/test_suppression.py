"""What silences findings over settings: comments in every format that has them, files, resources, and what is selected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lg_stream_lint.deploy.deployment import forget_deployments
from lg_stream_lint.python.project import forget_projects
from tests import fronts
from tests.projects import DEPLOYED, LINE_END, Place, Project, text_of

BAD = [project for project in DEPLOYED if project.bad]
JSON = ("--isolated", "--output-format", "json", "--pedantic")
#: Formats in which a comment may stand behind what it is about; the other ones have lines of their own for them.
BEHIND = re.compile(r".*\.(?:ya?ml|conf|toml|tf|py|cfg|vcl|template|nginx)|.*Caddyfile")


def _cases() -> Iterator[tuple[Project, Place]]:
    for project in BAD:
        for place in project.expected:
            if place.code >= "LGS5" and not place.file.endswith(".json"):
                yield project, place


def _each(cases: list[tuple[Project, Place]]) -> pytest.MarkDecorator:
    names = [f"{project.name}-{place.file}-{place.row}" for project, place in cases]
    return pytest.mark.parametrize(("project", "place"), cases, ids=names)


CASES = list(_cases())
each = _each(CASES)
each_with_room_behind = _each([case for case in CASES if BEHIND.fullmatch(case[1].file)])


def found(root: Path, *options: str) -> list[Place]:
    """What a run finds, without columns; nothing is left of an earlier one."""
    forget_deployments()
    forget_projects()
    answer = fronts.command(*JSON, *options, ".", at=root)
    assert answer.code in {0, 1}, answer.err
    return [finding.place for finding in fronts.from_report(answer.report)]


def only(code: str, root: Path, *options: str) -> list[Place]:
    """What a run for one rule finds, and what silences nothing."""
    return found(root, "--select", f"{code},LGS0", *options)


def rewritten(project: Project, place: Place, root: Path, *, behind: str = "", above: str = "") -> Path:
    """The project with a comment at a finding."""
    text = text_of(project.files[place.file])
    ends = [match[0] for match in LINE_END.finditer(text)]
    lines = LINE_END.split(text)
    line = lines[place.row - 1]
    if behind:
        lines[place.row - 1] = f"{line} {behind}"
    else:
        lines[place.row - 1] = f"{line[: len(line) - len(line.lstrip())]}{above}\n{line}"
    content = "".join(a + b for a, b in zip(lines, [*ends, ""], strict=True)).encode()
    return project.with_files({**project.files, place.file: content}).write(root)


@each
def test_on_the_line_above(project: Project, place: Place, root: Path) -> None:
    """Every format with comments has lines that are nothing else. What is silenced is one code, in one place."""
    before = only(place.code, project.write(root))
    left = only(place.code, rewritten(project, place, root, above=f"# noqa: {place.code}"))
    assert place in before
    assert len(left) == len([other for other in before if other != place])
    assert {other.code for other in left} <= {place.code}


@each_with_room_behind
def test_behind_it(project: Project, place: Place, root: Path) -> None:
    before = only(place.code, project.write(root))
    left = only(place.code, rewritten(project, place, root, behind=f"# noqa: {place.code}"))
    assert left == [other for other in before if other != place]


@each
def test_a_comment_for_something_else_silences_nothing(project: Project, place: Place, root: Path) -> None:
    left = only(place.code, rewritten(project, place, root, above="# noqa: LGS599, E501"))
    assert place._replace(row=place.row + 1) in left


@each
def test_for_the_whole_file(project: Project, place: Place, root: Path) -> None:
    text = text_of(project.files[place.file])
    first, _, rest = text.partition("\n")
    kept = f"{first}\n" if first.startswith(("#!", "<?", "#cloud")) else ""
    content = f"{kept}# lg-stream-lint: noqa: {place.code}\n{rest if kept else text}".encode()
    left = only(place.code, project.with_files({**project.files, place.file: content}).write(root))
    assert place.file not in {other.file for other in left}


@each
def test_for_files_by_their_names(project: Project, place: Place, root: Path) -> None:
    project.write(root)
    before = only(place.code, root)
    assert only(place.code, root, "--per-file-ignores", f"{place.file}:{place.code}") == [
        other for other in before if other.file != place.file
    ]


NGINX = "server {\n    location /chat {\n        proxy_pass http://api:8000;\n    }\n}\n"
COMPOSE = "services:\n  api:\n    image: a\n    command: gunicorn app.main:app\n"
APPLICATION = """\
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langgraph.graph import StateGraph

app = FastAPI()
graph = StateGraph(dict).compile()


async def tokens():
    async for chunk in graph.astream({}):
        yield f"data: {chunk}\\n\\n"


@app.get("/chat")
async def chat():
    return StreamingResponse(tokens(), media_type="text/event-stream")
"""


def written(root: Path, files: dict[str, str]) -> Path:
    """A project with the application and these files."""
    for name, text in {"pyproject.toml": "[project]\nname = 'a'\n", "app/main.py": APPLICATION, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("name", "text", "row"),
    [
        ("Dockerfile", "FROM python:3.12\n# noqa: LGS501\nCMD gunicorn app.main:app\n", 3),
        ("Dockerfile", 'FROM python:3.12\n# noqa: LGS501\nCMD ["gunicorn", \\\n  "app.main:app"]\n', 3),
        ("Procfile", "# noqa: LGS501\nweb: gunicorn app.main:app\n", 2),
        ("api.service", "[Service]\n; noqa: LGS501\nExecStart=gunicorn app.main:app\n", 3),
        ("api.service", "[Service]\n# why it is so\n# noqa: LGS501\n# and more\nExecStart=gunicorn app.main:app\n", 5),
        ("supervisord.conf", "[program:api]\n; noqa: LGS501\ncommand=gunicorn app.main:app\n", 3),
        ("start.sh", "#!/bin/sh\nexec gunicorn app.main:app  # noqa: LGS501\n", 2),
        ("Makefile", "run:\n\tgunicorn app.main:app  # noqa: LGS501\n", 2),
        ("gunicorn.conf.py", "wsgi_app = 'app.main:app'\nworker_class = 'sync'  # noqa: LGS501\n", 2),
        ("compose.yaml", "services:\n  api:\n    image: a\n    command: gunicorn app.main:app  # noqa: LGS501\n", 4),
        ("compose.yaml", "services:\n  api:\n    image: a\n    # NOQA: lgs5\n    command: gunicorn app.main:app\n", 5),
        ("fly.toml", '[processes]\nweb = "gunicorn app.main:app"  # noqa: LGS501\n', 2),
        ("render.yaml", "services:\n  - type: web\n    startCommand: gunicorn app.main:app  # noqa: LGS501\n", 3),
        (
            "main.tf",
            'resource "google_cloud_run_v2_service" "api" {\n  template {\n    containers {\n      image = "a"\n'
            '      command = ["gunicorn", "app.main:app"]  // noqa: LGS501\n    }\n  }\n}\n',
            5,
        ),
    ],
)
def test_the_signs_of_comments(name: str, text: str, row: int, root: Path) -> None:
    """With the comment nothing is found; with another sign in its place, which is none, it is."""
    assert found(written(root, {name: text}), "--select", "LGS501,LGS0") == []
    without = re.sub(r"(#|;|//) noqa: LGS501", r"\1 said: LGS501", re.sub("NOQA: lgs5", "said", text))
    found_without = found(written(root, {name: without}), "--select", "LGS501")
    assert [(place.file, place.code) for place in found_without] == [(name, "LGS501")]
    assert found_without[0].row == row


UNUSED = {
    "Dockerfile": "FROM python:3.12\n# noqa: LGS602\nCMD uvicorn app.main:app\n",
    "nginx.conf": "# noqa: LGS602\nevents {}\nupstream a { server b; }\n",
    "compose.yaml": "services:\n  db:\n    image: postgres  # noqa: LGS602\n",
    "deploy.yaml": "apiVersion: v1\nkind: Service  # noqa: LGS602\nmetadata: {name: a}\n",
    "main.tf": 'resource "aws_lb" "a" {\n  idle_timeout = 400  // noqa: LGS602\n}\n',
    "api.service": "[Service]\n; noqa: LGS602\nExecStart=/bin/true\n",
    "fly.toml": "app = 'a'\n# noqa: LGS602\n",
    "haproxy.cfg": "backend a\n  server a b:80  # noqa: LGS602\n",
    "Caddyfile": "localhost {\n  file_server  # noqa: LGS602\n}\n",
    "httpd.conf": "<VirtualHost *:80>\n# noqa: LGS602\n</VirtualHost>\n",
    "default.vcl": "vcl 4.0;\n// noqa: LGS602\nsub vcl_recv {\n}\n",
    "start.sh": "echo a  # noqa: LGS602\n",
}


@pytest.mark.parametrize("name", UNUSED)
def test_what_silences_nothing_is_found(name: str, root: Path) -> None:
    written(root, {name: UNUSED[name]})
    row = 1 + UNUSED[name].split("noqa")[0].count("\n")
    assert found(root, "--select", "LGS0,LGS6") == [Place(name, row, "LGS002")]
    assert found(root, "--select", "LGS0,LGS6", "--ignore", "LGS002") == []
    assert found(root, "--select", "LGS6") == [], "LGS002 is not asked for"
    assert found(root, "--select", "LGS0,LGS7") == [], "what did not run may have its use"
    assert found(root, "--select", "LGS0,LGS6", "--per-file-ignores", f"{name}:LGS602") == []


def repaired(text: str, name: str, root: Path) -> str:
    """The text of a file after the repair of the one unused comment in it."""
    forget_deployments()
    answer = fronts.command(*JSON, "--select", "LGS0,LGS6", name, at=written(root, {name: text}))
    (entry,) = answer.report
    (edit,) = entry["fix"]["edits"]
    lines = text.splitlines(keepends=True)
    first, last = edit["location"], edit["end_location"]
    head = "".join(lines[: first["row"] - 1]) + (lines[first["row"] - 1][: first["column"] - 1])
    tail = (
        "".join([lines[last["row"] - 1][last["column"] - 1 :], *lines[last["row"] :]])
        if last["row"] <= len(lines)
        else ""
    )
    return f"{head}{edit['content']}{tail}"


@pytest.mark.parametrize("name", UNUSED)
def test_what_silences_nothing_is_taken_out(name: str, root: Path) -> None:
    lines = [re.sub(r"\s*(?:#|;|//) noqa.*", "", line) for line in UNUSED[name].splitlines()]
    kept = [line for line, before in zip(lines, UNUSED[name].splitlines(), strict=True) if line or not before]
    assert repaired(UNUSED[name], name, root).splitlines() == kept


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("main.tf", "a = 1  // noqa: LGS602 because it must\n", "a = 1  // because it must\n"),
        ("main.tf", "// noqa: LGS602 because it must\n", "// because it must\n"),
        ("main.tf", "// noqa: LGS602, E501\n", "// noqa: E501\n"),
        ("main.tf", "a = 1  // why # noqa: LGS602\n", "a = 1  // why\n"),
        ("main.tf", "a = 1  # noqa: LGS602 # tfsec:ignore\n", "a = 1  # tfsec:ignore\n"),
        ("api.service", "[Service]\n; noqa: LGS602 because it must\n", "[Service]\n; because it must\n"),
        ("fly.toml", "a = 1 # noqa: LGS602\n", "a = 1\n"),
        ("nginx.conf", "include a; # noqa: LGS602 for now\n", "include a; # for now\n"),
    ],
)
def test_other_words_of_a_comment_stay(name: str, before: str, after: str, root: Path) -> None:
    if name == "api.service":
        before, after = f"{before}ExecStart=a\n", f"{after}ExecStart=a\n"
    assert repaired(before, name, root) == after


def test_nothing_is_said_of_comments_of_other_programs(root: Path) -> None:
    files = {
        ".github/workflows/ci.yml": "on: push  # noqa\n# noqa: E501\njobs: {}\n",
        "start.sh": "a  # noqa: SC1090\n",
    }
    assert only("LGS6", written(root, files)) == []


SERVICES = {
    "compose.yaml": "services:\n  api:\n    image: a\n    command: gunicorn app.main:app\n",
    "deploy.yaml": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec:\n  template:\n    spec:\n      containers:\n"
        "        - {name: web, image: a, command: [gunicorn, 'app.main:app']}\n"
    ),
    "api.service": "[Service]\nExecStart=gunicorn app.main:app\n",
    "render.yaml": "services:\n  - type: web\n    name: api\n    startCommand: gunicorn app.main:app\n",
    "fly.toml": '[processes]\napi = "gunicorn app.main:app"\n',
    "Procfile": "web: gunicorn app.main:app\n",
    "start.sh": "exec gunicorn app.main:app\n",
}


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("compose.yaml", "service api"),
        ("deploy.yaml", "Deployment/api"),
        ("deploy.yaml", "Deployment/*"),
        ("api.service", "api.service"),
        ("render.yaml", "service api"),
        ("fly.toml", "service api"),
        *((name, "gunicorn app.main:app") for name in SERVICES),
        *((name, "gunicorn *") for name in SERVICES),
    ],
)
def test_for_a_resource(name: str, resource: str, root: Path) -> None:
    """A server's command stands in a service, and is ignored by the service's name or by its own."""
    written(root, {name: SERVICES[name]})
    assert [place.code for place in found(root, "--select", "LGS501")] == ["LGS501"]
    for table, left in (
        (f'"{resource}" = ["LGS501"]', 0),
        ('"Deployment/other" = ["LGS501"]', 1),
        (f'"{resource}" = ["LGS502"]', 1),
    ):
        (root / "settings.toml").write_text(f"[per-resource-ignores]\n{table}\n")
        answer = fronts.command(
            "--config", "settings.toml", "--select", "LGS501", "--output-format", "json", ".", at=root
        )
        assert len(answer.report) == left, answer.out
