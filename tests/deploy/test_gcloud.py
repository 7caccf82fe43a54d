"""Cloud Run services that commands make: in scripts, in Cloud Build's steps, in GitHub's workflows."""

from __future__ import annotations

from pathlib import Path

import pytest

from lg_stream_lint.deploy.settings import Kind, Origin, Reading, Role, Setting
from lg_stream_lint.finding import Span
from tests.deploy.repositories import linked, proxies, reading

DOCKERFILE = 'FROM python:3.12-slim\nCMD ["uvicorn", "main:app"]\n'
IMAGE = "--image=gcr.io/$PROJECT_ID/chat:$SHA"


def shell(folder: Path, text: str, **more: str) -> Reading:
    """What a script says, in a repository with one Dockerfile."""
    others = {path.replace("__", "/").replace("_dot_", "."): content for path, content in more.items()}
    return reading("shell", folder, {"deploy.sh": text, "Dockerfile": DOCKERFILE, **others})


def pipeline(folder: Path, text: str, name: str = "cloudbuild.yaml") -> Reading:
    """What a pipeline says, in a repository with one Dockerfile."""
    return reading("pipelines", folder, {name: text, "Dockerfile": DOCKERFILE})


def limit(found: Reading) -> Setting:
    """The limit of the only service."""
    (hop,) = proxies(found).values()
    (setting,) = hop.settings
    assert (hop.layer, setting.name, setting.kind) == ("cloud-run", "total_timeout", Kind.TOTAL)
    return setting


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("--timeout=60s", 60), ("--timeout 3600", 3600), ("--timeout 10m5s", 605), ("--timeout=${LIMIT:-90}", 90)],
)
def test_the_limit_of_a_command(tmp_path: Path, written: str, seconds: float) -> None:
    found = limit(shell(tmp_path, f"set -e\ngcloud run deploy chat {IMAGE} \\\n  {written} --allow-unauthenticated\n"))
    assert (found.value, found.overridable) == (seconds, "$" in written)
    assert found.where.span == Span(3, 3, 3, 3 + len(written))


def test_the_default_stands_at_the_command(tmp_path: Path) -> None:
    found = limit(shell(tmp_path, f"gcloud beta run deploy chat {IMAGE} --no-cpu-throttling --quiet\n"))
    assert (found.value, found.origin, found.where.span) == (300, Origin.DEFAULT, Span(1, 1, 1, 23))


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ('gcloud run deploy chat --image a "${FLAGS[@]}"\n', {}),
        ("gcloud run deploy chat --image a --flags-file f.yaml\n", {}),
        ("gcloud run services update chat --memory 1Gi\n", {}),
        ("gcloud run deploy chat --image a\ngcloud run services update chat --timeout $T\n", {}),
        ("gcloud run deploy chat --image a\n", {"main_dot_tf": 'resource "google_cloud_run_v2_service" "chat" {}\n'}),
        ("gcloud run deploy chat --image a\n", {"first_dot_sh": "gcloud run deploy chat --image a --timeout 900\n"}),
        ("gcloud run jobs deploy chat --image a --task-timeout 60\n", {}),
        ("gcloud run services replace service.yaml\n", {}),
        ("gcloud builds submit --timeout 60\n", {}),
        ("gcloud\n", {}),
    ],
)
def test_where_the_default_is_not_certain(tmp_path: Path, text: str, more: dict[str, str]) -> None:
    assert proxies(shell(tmp_path, text, **more)) == {}


def test_a_value_that_is_not_written_is_a_note(tmp_path: Path) -> None:
    found = shell(tmp_path, "gcloud run deploy chat --image a --timeout $T\n")
    assert [note.reason for note in found.notes] == ["the value of --timeout is not written here"]
    assert found.hops == ()


def test_an_update_sets_it_too(tmp_path: Path) -> None:
    assert limit(shell(tmp_path, "gcloud run services update chat --timeout=45\n")).value == 45


def test_scripts_of_a_desk_say_nothing_of_production(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"dev/deploy.sh": "gcloud run deploy chat --image a --timeout 60\n"}
    assert reading("shell", tmp_path, files).hops == ()


def test_what_the_service_runs(tmp_path: Path) -> None:
    found = shell(tmp_path / "a", f"gcloud run deploy chat {IMAGE} --timeout 60\n")
    assert ("chat", "chat") in linked(found)  # the service and its container
    (host,) = (hop for hop in found.hops if hop.role == Role.HOST)
    assert [(t.kind, Path(t.value).name) for t in host.leads_to if t.kind == "file"] == [("file", "Dockerfile")]
    named = 'IMAGE="gcr.io/${PROJECT:?not set}/chat:$(git rev-parse HEAD)"\ngcloud run deploy chat --image "$IMAGE" --timeout 60\n'
    (host,) = (hop for hop in shell(tmp_path / "c", named).hops if hop.role == Role.HOST)
    assert any(target.kind == "file" and target.value.endswith("Dockerfile") for target in host.leads_to)
    two = f"gcloud run deploy chat {IMAGE} --timeout 60\ngcloud run deploy web --image gcr.io/a/web --timeout 60\n"
    hosts = [hop for hop in shell(tmp_path / "b", two).hops if hop.role == Role.HOST]
    assert not any(
        target.kind == "file" for hop in hosts for target in hop.leads_to
    )  # which of them it makes is not said


def test_the_source_of_a_service(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "deploy.sh": "gcloud run deploy web --source web --timeout 60\n",
        "web/Dockerfile": "FROM node:22\n",
        "Dockerfile": DOCKERFILE,
    }
    (host,) = (hop for hop in reading("shell", tmp_path, files).hops if hop.role == Role.HOST)
    assert [Path(t.value).parent.name for t in host.leads_to if t.kind == "file"] == ["web"]


def test_a_script_in_a_folder_of_its_own(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "scripts/deploy.sh": "gcloud run deploy chat --source . --timeout 60\n",
        "Dockerfile": DOCKERFILE,
    }
    (host,) = (hop for hop in reading("shell", tmp_path, files).hops if hop.role == Role.HOST)
    assert [t.value for t in host.leads_to if t.kind == "file"] == [str(tmp_path / "Dockerfile")]


def test_commands_and_variables_of_a_service(tmp_path: Path) -> None:
    command = "--command gunicorn --args=-k,uvicorn_worker.UvicornWorker,main:app"
    command += " --set-env-vars ^@^WEB_CONCURRENCY=3@A=b,c --set-env-vars B=1"
    found = shell(tmp_path, f"gcloud run deploy chat {IMAGE} --timeout 60 {command}\n")
    (server,) = (hop for hop in found.hops if hop.role == Role.SERVER)
    assert (server.layer, server.value("workers")) == ("gunicorn", 3)


# Cloud Build


def test_steps_of_cloud_build(tmp_path: Path) -> None:
    steps = """
    substitutions: {_TIMEOUT: 120s}
    steps:
      - name: gcr.io/cloud-builders/docker
        args: [build, -t, gcr.io/$PROJECT_ID/chat, .]
      - name: gcr.io/google.com/cloudsdktool/cloud-sdk:slim
        entrypoint: gcloud
        args:
          - run
          - deploy
          - chat
          - --image=gcr.io/$PROJECT_ID/chat:$COMMIT_SHA
          - --timeout
          - ${_TIMEOUT}
    """
    found = limit(pipeline(tmp_path, steps))
    assert (found.value, found.overridable, found.where.span.row) == (120, True, 12)


@pytest.mark.parametrize(
    "step",
    [
        "{name: gcr.io/cloud-builders/gcloud, args: [run, deploy, chat, --image, a, --timeout=60]}",
        "{name: a, entrypoint: bash, args: [-c, 'gcloud run deploy chat --image $$IMAGE --timeout=60']}",
        "{name: a, script: 'gcloud run deploy chat --image a --timeout=60'}",
    ],
)
def test_other_ways_to_write_a_step(tmp_path: Path, step: str) -> None:
    found = limit(pipeline(tmp_path, f"steps:\n  - {step}\n"))
    assert (found.value, found.where.span.row) == (60, 2)


def test_a_script_over_lines_keeps_its_places(tmp_path: Path) -> None:
    step = "steps:\n  - name: a\n    entrypoint: bash\n    args:\n      - -c\n      - |\n        gcloud run deploy chat \\\n"
    found = limit(pipeline(tmp_path, step + "          --image a --timeout=60\n"))
    assert found.where.span == Span(8, 21, 8, 33)


# GitHub


WORKFLOW = """
name: deploy
on: {push: {branches: [main]}}
env:
  LIMIT: 45s
jobs:
  deploy:
    runs-on: ubuntu-latest
    env: {REGION: europe-west1}
    steps:
      - uses: actions/checkout@v4
      - run: |
          gcloud run deploy ${{ env.SERVICE }} --region ${{ env.REGION }} \\
            --image a --timeout=${{ env.LIMIT }}
"""


def test_scripts_of_workflows(tmp_path: Path) -> None:
    found = limit(pipeline(tmp_path, WORKFLOW, ".github/workflows/deploy.yml"))
    assert (found.value, found.where.span) == (45, Span(13, 23, 13, 49))


def test_googles_action(tmp_path: Path) -> None:
    action = """
    jobs:
      deploy:
        steps:
          - uses: google-github-actions/deploy-cloudrun@v2
            with:
              service: chat
              image: gcr.io/${{ vars.PROJECT }}/chat:${{ github.sha }}
              flags: "--timeout=90 --concurrency=20"
    """
    found = pipeline(tmp_path, action, ".github/workflows/deploy.yml")
    assert (limit(found).value, limit(found).where.span.row) == (90, 8)
    assert next(iter(proxies(found))) == "chat"
    (host,) = (hop for hop in found.hops if hop.role == Role.HOST)
    assert [Path(t.value).name for t in host.leads_to if t.kind == "file"] == ["Dockerfile"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "steps: 1\n",
        "jobs: [a]\n",
        "jobs: {a: {steps: [b, {run: [c]}, {uses: 1, with: 2}]}}\n",
        "steps: [{args: x}]\n",
    ],
)
def test_odd_pipelines_say_nothing(tmp_path: Path, text: str) -> None:
    assert pipeline(tmp_path, text).hops == ()
