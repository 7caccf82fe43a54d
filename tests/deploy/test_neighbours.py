"""Several services in one repository: nothing crosses from one to another because both are called ``api``."""

from __future__ import annotations

import shutil
from pathlib import Path

from lg_stream_lint.config import Config
from lg_stream_lint.engine import run
from tests.projects import FIXTURES


def test_each_service_has_its_own_proxy(root: Path) -> None:
    services = {
        "one": "LGS601/bad_default",
        "two": "LGS601/good_off",
        "three": "LGS602/bad_default",
        "four": "LGS605/bad_two_nginx",
    }
    for name, fixture in services.items():
        shutil.copytree(FIXTURES / fixture, root / name)
    (root / "pyproject.toml").write_text('[project]\nname = "four"\nversion = "0"\n')
    findings = run([str(root)], Config(jobs=1)).findings
    found = {(Path(f.path).relative_to(root).as_posix(), f.code) for f in findings if f.code >= "LGS5"}
    assert found == {("one/nginx.conf", "LGS601"), ("three/nginx.conf", "LGS602"), ("four/outer.conf", "LGS605")}
    for finding in findings:
        near = {Path(place.path).relative_to(root).parts[0] for place in finding.related}
        assert near <= {Path(finding.path).relative_to(root).parts[0]}


def test_one_proxy_for_two_services(root: Path) -> None:
    """Each location is judged by the code of the service that it leads to."""
    shutil.copytree(FIXTURES / "LGS602/bad_default", root / "slow")
    shutil.copytree(FIXTURES / "LGS602/good_pings", root / "pinging")
    for name in ("slow", "pinging"):
        (root / name / "nginx.conf").unlink()
        (root / name / "compose.yaml").unlink()
    (root / "pyproject.toml").write_text('[project]\nname = "two"\nversion = "0"\n')
    (root / "compose.yaml").write_text(
        "services:\n  slow:\n    build: slow\n  pinging:\n    build: pinging\n"
        "  proxy:\n    image: nginx:1.31\n    volumes: ['./nginx.conf:/etc/nginx/nginx.conf']\n"
    )
    off = "proxy_buffering off;"
    (root / "nginx.conf").write_text(
        "http {\n  server {\n"
        f"    location /slow/ {{\n      proxy_pass http://slow:8000/;\n      {off}\n    }}\n"
        f"    location /pinging/ {{\n      proxy_pass http://pinging:8000/;\n      {off}\n    }}\n"
        "  }\n}\n"
    )
    findings = [f for f in run([str(root)], Config(jobs=1)).findings if f.code == "LGS602"]
    assert [(f.span.row, f.confidence) for f in findings] == [(4, "high")]


def test_a_service_below_its_compose_file_is_told_once(root: Path) -> None:
    """Without a repository each folder with a project file is a root; the folder around them knows the proxy, too."""
    shutil.copytree(FIXTURES / "LGS504/bad_uvicorn_flag", root / "api")
    (root / "api" / "requirements.txt").write_text("fastapi\n")
    (root / "compose.yaml").write_text(
        "services:\n  api:\n    build: api\n"
        "  proxy:\n    image: nginx:1.31\n    volumes: ['./nginx.conf:/etc/nginx/nginx.conf']\n"
    )
    (root / "nginx.conf").write_text("server { location / { proxy_pass http://api:8000; proxy_buffering off; } }\n")
    findings = run([str(root)], Config(jobs=1)).findings
    found = sorted((Path(f.path).relative_to(root).as_posix(), f.code) for f in findings if f.code >= "LGS5")
    assert found == [("api/Dockerfile", "LGS504"), ("compose.yaml", "LGS505"), ("nginx.conf", "LGS602")]


def test_a_repository_within_a_folder_is_told_once(root: Path) -> None:
    shutil.copytree(FIXTURES / "LGS504/bad_uvicorn_flag", root / "api")
    (root / "api" / ".git").mkdir()
    (root / "compose.yaml").write_text("services:\n  api:\n    build: api\n    stop_grace_period: 400s\n")
    findings = run([str(root)], Config(jobs=1)).findings
    found = [(Path(f.path).relative_to(root).as_posix(), f.code) for f in findings if f.code >= "LGS5"]
    assert found == [("api/Dockerfile", "LGS504")]
