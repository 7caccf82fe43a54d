"""The reader of Kubernetes' manifests: pods, Services, ways in, charts, patches, configurations in ConfigMaps."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lg_stream_lint.deploy.settings import Hop, Kind, Origin, Reading, Role, Target
from lg_stream_lint.finding import Span
from tests.deploy.repositories import hosts, linked, proxies, reading, values

POD = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: chat
spec:
  replicas: 2
  selector: {matchLabels: {app: chat}}
  template:
    metadata:
      labels: {app: chat, tier: api}
    spec:
      containers:
        - name: api
          image: registry.example.com:5000/team/chat:1
          command: ["uvicorn", "main:app"]
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: chat-svc}
spec:
  selector: {app: chat}
"""


def read(folder: Path, *documents: str, **more: str) -> Reading:
    """What one file with these documents says, beside others."""
    text = "\n---\n".join(document.strip("\n") for document in documents)
    others = {path.replace("__", "/").replace("_dot_", "."): content for path, content in more.items()}
    return reading("kubernetes", folder, {"k8s.yaml": text, **others})


def ingress(annotations: str, kind: str = "nginx") -> str:
    """An Ingress to the Service, with annotations."""
    return f"""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: way-in
  annotations:
    a: b
    {annotations}
spec:
  ingressClassName: {kind}
  rules:
    - http:
        paths:
          - path: /chat
            pathType: Prefix
            backend: {{service: {{name: chat-svc, port: {{number: 80}}}}}}
"""


def way_in(folder: Path, annotations: str, kind: str = "nginx", *more: str) -> Hop:
    """The hop of an Ingress."""
    return proxies(read(folder, ingress(annotations, kind), *more))["way-in"]


# Pods


def test_defaults_stand_where_they_would_be_written(tmp_path: Path) -> None:
    hop = hosts(read(tmp_path, POD))["chat"]
    grace = hop.get("stop_grace")
    assert (grace.value, grace.kind, grace.origin) == (30, Kind.GRACE, Origin.DEFAULT)
    assert grace.where.span == Span(11, 5, 11, 9)
    assert hop.value("replicas") == 2
    assert hop.get("liveness") is None


def test_written_values_hooks_and_probes(tmp_path: Path) -> None:
    pod = (
        POD.replace("      containers:", "      terminationGracePeriodSeconds: 90\n      containers:")
        + """
          lifecycle:
            preStop: {exec: {command: [/bin/sh, -c, "sleep 12 && true"]}}
          livenessProbe:
            httpGet: {path: /health, port: 8000}
            periodSeconds: 4
"""
    )
    hop = hosts(read(tmp_path, pod))["chat"]
    assert values(hop) == {
        "stop_grace": 90,
        "pre_stop": 12,
        "liveness": 1,
        "liveness_period": 4,
        "liveness_failures": 3,
        "replicas": 2,
    }
    assert hop.get("stop_grace").where.span == Span(12, 38, 12, 40)


@pytest.mark.parametrize("probe", ["tcpSocket: {port: 8000}", "exec: {command: [cat, /tmp/x]}", "grpc: {port: 1}"])
def test_only_http_probes_ask_the_loop(tmp_path: Path, probe: str) -> None:
    found = read(tmp_path, POD + f"          livenessProbe: {{{probe}}}\n")
    assert hosts(found)["chat"].get("liveness") is None


def test_commands_arguments_and_variables(tmp_path: Path) -> None:
    pod = (
        POD.replace('command: ["uvicorn", "main:app"]', "command: [gunicorn, main:app]")
        + """
          args: [--timeout, $(LIMIT)]
          env:
            - {name: LIMIT, value: "44"}
            - {name: SECRET, valueFrom: {secretKeyRef: {name: a, key: b}}}
          envFrom:
            - configMapRef: {name: settings}
"""
    )
    settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {WEB_CONCURRENCY: '5'}\n"
    found = read(tmp_path, pod, more_dot_yaml=settings)
    (server,) = (hop for hop in found.hops if hop.role == Role.SERVER)
    assert (server.value("timeout"), server.value("workers")) == (44, 5)
    assert server.get("workers").where.path.endswith("more.yaml")
    assert (hosts(found)["chat"].name, server.name) in linked(found)


def test_the_image_is_found_by_its_name(tmp_path: Path) -> None:
    pod = POD.replace('          command: ["uvicorn", "main:app"]\n', "")
    image = 'FROM python:3.12\nCMD ["uvicorn", "main:app"]\n'
    two = {"k8s.yaml": pod, "services/chat/Dockerfile": image, "services/page/Dockerfile": image}
    found = reading("kubernetes", tmp_path, two)
    assert Target("file", str(tmp_path / "services" / "chat" / "Dockerfile")) in hosts(found)["chat"].leads_to


def test_one_image_and_one_dockerfile_belong_together_and_others_do_not(tmp_path: Path) -> None:
    pod = POD.replace('          command: ["uvicorn", "main:app"]\n', "")
    image = 'FROM python:3.12\nCMD ["uvicorn", "main:app"]\n'
    one = reading("kubernetes", tmp_path / "a", {"k8s.yaml": pod, "Dockerfile": image})
    assert Target("file", str(tmp_path / "a" / "Dockerfile")) in hosts(one)["chat"].leads_to
    other = pod.replace("chat", "mail")
    two = reading("kubernetes", tmp_path / "b", {"k8s.yaml": f"{pod}\n---\n{other}", "Dockerfile": image})
    assert not any(target.kind == "file" for hop in two.hops for target in hop.leads_to)
    public = reading(
        "kubernetes", tmp_path / "c", {"k8s.yaml": pod.replace("team/chat:1", "redis:7"), "Dockerfile": image}
    )
    assert not any(target.kind == "file" for hop in public.hops for target in hop.leads_to)


def test_the_autoscaler_counts(tmp_path: Path) -> None:
    scaler = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: chat}
spec:
  scaleTargetRef: {kind: Deployment, name: chat}
  maxReplicas: 7
"""
    found = read(tmp_path, POD.replace("  replicas: 2\n", ""), scaler)
    assert hosts(found)["chat"].get("replicas")[1:3] == ("maxReplicas", 7)


def test_other_kinds_are_nothing(tmp_path: Path) -> None:
    job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {spec: {containers: [{name: a, image: a}]}}}\n"
    assert read(tmp_path, job) == Reading()


def test_a_list_and_a_bad_document(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        f"kind: List\napiVersion: v1\nitems:\n  - {POD.strip().replace(chr(10), chr(10) + '    ')}",
        "kind: Pod\na: [",
        POD,
    )
    assert [hop.name for hop in found.hops if hop.role == Role.HOST] == ["chat", "chat"]
    assert len(found.notes) == 1


# Ways in


def test_services_link_ways_in_to_pods(tmp_path: Path) -> None:
    found = read(tmp_path, POD, SERVICE, ingress("x: y"))
    assert ("way-in", "chat") in linked(found)
    other = read(tmp_path, POD.replace("app: chat, tier", "app: other, tier"), SERVICE, ingress("x: y"))
    assert ("way-in", "chat") not in linked(other)


def test_ingress_nginx(tmp_path: Path) -> None:
    usual = way_in(tmp_path, "x: y")
    prefix = "nginx.ingress.kubernetes.io"
    assert usual.layer == "ingress-nginx"
    assert (usual.value("read_timeout"), usual.get("read_timeout").where.span.row) == (60, 5)
    assert not usual.value("buffering")
    told = way_in(tmp_path, f'{prefix}/proxy-read-timeout: "300"\n    {prefix}/proxy-buffering: "on"')
    assert (told.value("read_timeout"), told.value("buffering")) == (300, True)
    assert told.get("read_timeout").where.span == Span(7, 53, 7, 58)
    assert [(route.how, route.path) for route in told.routes] == [("prefix", "/chat")]


def test_a_unit_is_thrown_away_and_a_snippet_leaves_nothing_known(tmp_path: Path) -> None:
    assert way_in(tmp_path, "nginx.ingress.kubernetes.io/proxy-read-timeout: 300s").get("read_timeout") is None
    snippet = "nginx.ingress.kubernetes.io/configuration-snippet: proxy_read_timeout 1h;"
    assert way_in(tmp_path, snippet).get("read_timeout") is None


def test_the_controllers_config_map_counts(tmp_path: Path) -> None:
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ingress-nginx-controller}\ndata: {proxy-read-timeout: '900'}\n"
    assert way_in(tmp_path, "x: y", "nginx", config).value("read_timeout") == 900


def test_other_controllers(tmp_path: Path) -> None:
    f5 = way_in(tmp_path, "nginx.org/proxy-read-timeout: 5m")
    assert (f5.layer, f5.value("read_timeout"), bool(f5.value("buffering"))) == ("nginx-ingress", 300, True)
    alb = way_in(
        tmp_path, "alb.ingress.kubernetes.io/load-balancer-attributes: a=b,idle_timeout.timeout_seconds=120", "alb"
    )
    assert (alb.layer, alb.value("read_timeout"), alb.limits(Kind.IDLE)[0].explicit) == ("alb", 120, True)
    haproxy = way_in(tmp_path, "haproxy.org/timeout-server: 90000", "haproxy")
    assert (haproxy.layer, haproxy.value("read_timeout")) == ("haproxy", 90)
    unknown = read(tmp_path, ingress("x: y", "something"))
    assert values(proxies(unknown)["way-in"]) == {}
    assert unknown.notes


def test_google_counts_the_whole_answer(tmp_path: Path) -> None:
    named = 'annotations: {cloud.google.com/backend-config: \'{"default": "slow"}\'}'
    service = SERVICE.replace("{name: chat-svc}", f"{{name: chat-svc, {named}}}")
    config = "apiVersion: cloud.google.com/v1\nkind: BackendConfig\nmetadata: {name: slow}\nspec: {timeoutSec: 1200}\n"
    hop = way_in(tmp_path, "x: y", "gce", service, config)
    assert (hop.layer, hop.value("total_timeout"), hop.get("total_timeout").kind) == ("gcp-lb", 1200, Kind.TOTAL)


def test_traefiks_middlewares(tmp_path: Path) -> None:
    middleware = "apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata: {name: zip}\nspec: {compress: {}}\n"
    spared = middleware.replace("{}", "{excludedContentTypes: [text/event-stream]}")
    told = "traefik.ingress.kubernetes.io/router.middlewares: default-zip@kubernetescrd"
    assert way_in(tmp_path, told, "traefik", middleware).get("compression") is None  # flushed since Traefik 3.3.5
    buffered = middleware.replace("compress", "buffering")
    assert way_in(tmp_path, told, "traefik", buffered).value("buffering") is True
    assert way_in(tmp_path, told, "traefik", spared).get("compression") is None


@pytest.mark.parametrize(
    ("rule", "seconds"),
    [
        ("timeouts: {request: 10s}", 10),
        ("timeouts: {request: 0s}", None),
        ("timeouts: {request: 1m, backendRequest: 20s}", 20),
        ("timeouts: {request: 0s, backendRequest: 20s}", 20),
    ],
)
def test_http_routes(tmp_path: Path, rule: str, seconds: float | None) -> None:
    route = f"""
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: r}}
spec:
  rules:
    - matches: [{{path: {{type: PathPrefix, value: /chat}}}}]
      {rule}
      backendRefs: [{{name: chat-svc, port: 80}}]
"""
    found = read(tmp_path, POD, SERVICE, route)
    hop = proxies(found)["r"]
    assert hop.get("total_timeout").value == seconds
    assert ("r", "chat") in linked(found)
    assert [(r.how, r.path) for r in hop.routes] == [("prefix", "/chat")]


def test_an_http_route_without_timeouts_is_not_judged(tmp_path: Path) -> None:
    api = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"
    route = f"{api}metadata: {{name: r}}\nspec: {{rules: [{{backendRefs: [{{name: a}}]}}]}}\n"
    assert values(proxies(read(tmp_path, route))["r"]) == {}


def test_istio_and_contour(tmp_path: Path) -> None:
    istio = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: v}
spec:
  http:
    - match: [{uri: {prefix: /a}}]
      timeout: 45s
      route: [{destination: {host: chat-svc.default.svc.cluster.local}}]
    - route: [{destination: {host: chat-svc}}]
"""
    contour = """
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: h}
spec:
  routes:
    - conditions: [{prefix: /x}]
      timeoutPolicy: {response: infinity, idle: 10m}
      services: [{name: chat-svc, port: 80}]
    - services: [{name: chat-svc, port: 80}]
"""
    found = read(tmp_path, istio, contour)
    first, second, third, fourth = found.hops
    assert [first.value("total_timeout"), second.value("total_timeout")] == [45, None]
    assert values(third) == {"total_timeout": None, "read_timeout": 600}
    assert values(fourth) == {"total_timeout": 15, "read_timeout": 300}


def test_cloud_run_and_openshift(tmp_path: Path) -> None:
    run = """
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: chat, annotations: {run.googleapis.com/ingress: all}}
spec:
  template:
    spec:
      timeoutSeconds: 900
      containers: [{image: gcr.io/team/chat, command: [uvicorn, main:app]}]
"""
    route = """
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: r, annotations: {haproxy.router.openshift.io/timeout: 5m}}
spec: {to: {kind: Service, name: chat}}
"""
    found = read(tmp_path, run, route)
    assert proxies(found)["chat"].layer == "cloud-run"
    assert proxies(found)["chat"].value("total_timeout") == 900
    assert proxies(found)["r"].value("read_timeout") == 300
    assert ("chat", "chat") in linked(found)
    assert hosts(found)["chat"].get("stop_grace") is None


# Charts, patches, configurations

CHART = {
    "chart/templates/all.yaml": """
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: {{ include "c.fullname" . }}
        spec:
          selector:
            matchLabels:
              {{- include "c.selectorLabels" . | nindent 6 }}
          template:
            metadata:
              labels:
                {{- include "c.labels" . | nindent 8 }}
            spec:
              terminationGracePeriodSeconds: {{ .Values.grace }}
              containers:
                - name: {{ .Chart.Name }}
                  image: "{{ .Values.image }}:{{ .Values.tag | default .Chart.AppVersion }}"
                  command: [uvicorn, main:app]
        ---
        apiVersion: v1
        kind: Service
        metadata:
          name: {{ include "c.fullname" . }}
        spec:
          selector:
            {{- include "c.selectorLabels" . | nindent 4 }}
        ---
        {{- if .Values.ingress.enabled }}
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata:
          name: way-in
          {{- with .Values.ingress.annotations }}
          annotations:
            {{- toYaml . | nindent 4 }}
          {{- end }}
        spec:
          ingressClassName: {{ .Values.ingress.class }}
          rules:
            - http:
                paths:
                  - path: /
                    pathType: Prefix
                    backend:
                      service:
                        name: {{ include "c.fullname" . }}
        {{- end }}
        """,
    "chart/Chart.yaml": "name: c\n",
    "chart/values.yaml": """
        grace: 50
        image: team/chat
        ingress:
          enabled: true
          class: nginx
          annotations:
            nginx.ingress.kubernetes.io/proxy-read-timeout: "70"
        """,
}


def test_a_chart_is_read_with_its_own_values(tmp_path: Path) -> None:
    found = reading("kubernetes", tmp_path, dict(CHART))
    (host,) = hosts(found).values()
    grace = host.get("stop_grace")
    assert (grace.value, grace.explicit, grace.overridable) == (50, True, True)
    told = proxies(found)["way-in"].get("read_timeout")
    assert (told.value, told.explicit, told.overridable) == (70, True, True)
    assert told.where.path.endswith("all.yaml")
    assert ("way-in", host.name) in linked(found)


def test_annotations_that_may_come_leave_nothing_certain(tmp_path: Path) -> None:
    files = {**CHART, "chart/values.yaml": "ingress: {enabled: true, class: nginx}\ngrace: 50\nimage: a\n"}
    assert proxies(reading("kubernetes", tmp_path, files))["way-in"].get("read_timeout") is None


PATCHES = """
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
patches:
  - patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: chat}
      spec:
        template:
          spec:
            terminationGracePeriodSeconds: 200
            containers:
              - name: api
                args: [--workers, "3"]
  - target: {kind: Deployment, name: chat}
    patch: |
      - op: replace
        path: /spec/replicas
        value: 9
      - {op: remove, path: /spec/x}
"""


def test_patches_stand_on_their_base(tmp_path: Path) -> None:
    files = {"overlays/prod/kustomization.yaml": PATCHES, "base/chat.yaml": POD}
    found = reading("kubernetes", tmp_path, files)
    hop = hosts(found)["chat"]
    assert values(hop) == {"stop_grace": 200, "replicas": 9}
    assert hop.get("stop_grace").where.span == Span(11, 44, 11, 47)
    (server,) = (hop for hop in found.hops if hop.role == Role.SERVER)
    assert server.value("workers") == 3
    base = hosts(reading("kubernetes", tmp_path, files, "base/chat.yaml"))["chat"]
    assert base.get("stop_grace") is None  # an overlay sets it


def test_kustomizes_replicas_are_a_patch(tmp_path: Path) -> None:
    overlay = (
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nreplicas:\n  - {name: chat, count: 5}\n"
    )
    files = {"prod/kustomization.yaml": overlay, "base/chat.yaml": POD}
    replicas = hosts(reading("kubernetes", tmp_path, files))["chat"].get("replicas")
    assert (replicas.value, replicas.where.span) == (5, Span(4, 25, 4, 26))


def test_a_patch_without_a_base_is_nothing(tmp_path: Path) -> None:
    assert hosts(reading("kubernetes", tmp_path, {"kustomization.yaml": PATCHES})) == {}


def test_what_is_too_much_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lg_stream_lint.deploy.kubernetes import manifests

    monkeypatch.setattr(manifests, "MOST_FILES", 2)
    files: dict[str, str | bytes] = {
        "a.yaml": "plain: true\n",  # no manifest counts for none
        "b.yaml": SERVICE,
        "c.yaml": POD,
        "d.yaml": POD.replace("name: chat", "name: other"),
        "e.yaml": POD.replace("name: chat", "name: third"),
    }
    notes = [note for name in files for note in reading("kubernetes", tmp_path, files, name).notes]
    assert [(Path(note.where.path).name, note.where.span.row) for note in notes] == [("c.yaml", 1)]
    assert "2 files behind this one" in notes[0].reason
    assert set(hosts(reading("kubernetes", tmp_path, files, "d.yaml"))) == {"other"}


def test_nginx_in_a_config_map_keeps_its_places(tmp_path: Path) -> None:
    config = """
apiVersion: v1
kind: ConfigMap
metadata: {name: n}
data:
  a.conf: |
    server {
      location /a { proxy_pass http://chat-svc; }
    }
  b.conf: |
    server {
      location /b {
        proxy_pass http://chat-svc;
      }
    }
"""
    found = read(tmp_path, config, POD, SERVICE)
    a, b = proxies(found)["location /a"], proxies(found)["location /b"]
    assert a.where.span.row == 7
    assert b.get("read_timeout").where.span[:2] == (12, 9)
    assert ("location /b", "chat") in linked(found)


# Hostile input


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: Deployment\n",
        "apiVersion: v1\nkind: Deployment\nspec: [1]\nmetadata: x\n",
        "apiVersion: v1\nkind: Pod\nspec: {containers: [1, {}, {name: {a: b}, command: {a: b}, env: [1]}]}\n",
        "apiVersion: v1\nkind: Ingress\nspec: {rules: [{http: {paths: [1, {backend: 3}]}}]}\n",
        "apiVersion: v1\nkind: List\nitems: &a [*a]\n",
        "apiVersion: v1\nkind: Kustomization\npatches: [1, {patch: 'x'}, {patch: {a: b}, target: 3}]\n",
        b"apiVersion: v1\r\nkind: Deployment\r\nmetadata: {name: \xff}\r\nspec:\r\n\ttemplate: x\r\n",
        "\n---\n".join([POD] * 700),
        "\n---\n".join([SERVICE, POD, *(POD.replace("name: chat", f"name: c{n}") for n in range(500))]),
        "apiVersion: v1\nkind: ConfigMap\ndata:\n"
        + "".join(f"  k{n}: |\n    server {{ proxy_pass x;\n" for n in range(300)),
    ],
)
def test_odd_manifests_give_no_errors(tmp_path: Path, text: str | bytes) -> None:
    started = time.process_time()
    reading("kubernetes", tmp_path, {"k8s.yaml": text})
    assert time.process_time() - started < 20
