"""OpenShift's routes: what its router waits where nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.repositories import proxies, reading


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ("", 30),
        ("  tls: {termination: edge}\n", 30),
        ("  tls: {termination: reencrypt}\n", 30),
        ("  tls: {termination: passthrough}\n", None),
        ("  tls: {termination: '{{ .Values.tls }}'}\n", None),
    ],
)
def test_openshift_waits_half_a_minute_by_default(tmp_path: Path, more: str, seconds: float | None) -> None:
    """Where its router passes a connection through, it sees no requests, and another limit holds."""
    route = f"""
apiVersion: route.openshift.io/v1
kind: Route
metadata: {{name: r}}
spec:
  to: {{kind: Service, name: chat}}
{more}"""
    found = reading("kubernetes", tmp_path, {"route.yaml": route})
    assert proxies(found)["r"].value("read_timeout") == seconds
