"""Deployment files that nobody means to be read: never a crash, never a hang, and what stands beside them is judged as ever.

Every case is a project of two folders: in one a healthy server that has a finding, in the other what is hostile. The command
runs in a process of its own, with a limit on its memory; a minute is far more than any case needs.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import fronts

SECONDS = 240
MEMORY = 3 << 30  # bytes of address space
LONG = 1_000_000
DEEP = 10_000
SELECT = ("--isolated", "--select", "LGS5,LGS6,LGS7", "--jobs", "1")
#: Where the healthy finding stands; gunicorn's own worker holds a whole stream back.
HEALTHY = ("service/Dockerfile", 4, "LGS501")

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


class Format(NamedTuple):
    """A format: the name of a file, and how far it is one before the hostile part begins."""

    name: str
    start: str


FORMATS = {
    "nginx": Format("nginx.conf", "location / { proxy_pass http://api; }\n"),
    "dockerfile": Format("Dockerfile", "FROM python:3.12\nCMD "),
    "compose": Format("compose.yaml", "services:\n  a:\n    command: "),
    "kubernetes": Format("deploy.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: "),
    "kustomize": Format("kustomization.yaml", "patches:\n  - target: {kind: Pod}\n    patch: "),
    "cloud build": Format("cloudbuild.yaml", "steps:\n  - name: gcloud\n    args: "),
    "workflow": Format("deploy.yml", "jobs:\n  a:\n    steps:\n      - run: gcloud run deploy "),
    "helm": Format("templates/pod.yaml", "apiVersion: v1\nkind: Pod\nspec: {{ "),
    "procfile": Format("Procfile", "web: "),
    "systemd": Format("api.service", "[Service]\nExecStart="),
    "supervisor": Format("supervisord.conf", "[program:x]\ncommand="),
    "shell": Format("start.sh", "gunicorn "),
    "makefile": Format("Makefile", "run:\n\tgunicorn "),
    "gunicorn.conf.py": Format("gunicorn.conf.py", "worker_class = "),
    "package.json": Format("package.json", '{"scripts": {"a": "uvicorn '),
    "render": Format("render.yaml", "services:\n  - type: web\n    startCommand: "),
    "fly": Format("fly.toml", '[processes]\napp = "'),
    "vercel": Format("vercel.json", '{"functions": '),
    "langgraph": Format("langgraph.json", '{"graphs": '),
    "sam": Format("template.yaml", "Resources:\n  A:\n    Type: AWS::Lambda::Function\n    Properties: "),
    "cloudformation": Format("template.json", '{"Resources": {"A": {"Type": "AWS::Lambda::Function", "Properties": '),
    "serverless": Format("serverless.yml", "provider: aws\nfunctions: "),
    "cdk": Format("stack.py", "import aws_cdk\nx = "),
    "terraform": Format("main.tf", 'resource "aws_lb" "x" {\n  a = '),
    "caddy": Format("Caddyfile", "localhost {\n  reverse_proxy "),
    "haproxy": Format("haproxy.cfg", "frontend x\n  bind "),
    "apache": Format("httpd.conf", "<VirtualHost *:80>\nProxyPass "),
    "traefik": Format("traefik.yml", "entryPoints:\n  web: "),
    "traefik.toml": Format("traefik.toml", '[entryPoints]\na = "'),
    "envoy": Format("envoy.yaml", "static_resources:\n  clusters: "),
    "envoy.json": Format("envoy.json", '{"static_resources": {"clusters": '),
    "varnish": Format("default.vcl", "vcl 4.0;\nbackend default { .host = "),
}
every = pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)


def project(root: Path, files: dict[str, bytes]) -> Path:
    """The healthy service, and beside it a folder with these files."""
    everything = {
        "service/app/__init__.py": b"",
        "service/app/main.py": APPLICATION.encode(),
        "service/Dockerfile": b'FROM python:3.12\nWORKDIR /app\nCOPY . .\nCMD ["gunicorn", "app.main:app"]\n',
        **{f"hostile/{name}": content for name, content in files.items()},
    }
    (root / ".git").mkdir(exist_ok=True)
    for name, content in everything.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def limited() -> None:
    """What a hostile file may take of the machine."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def run(root: Path, *options: str) -> fronts.Answer:
    """The command, in a process that is stopped when it takes too long or too much."""
    command = [sys.executable, "-m", "lg_stream_lint", *SELECT, *options]
    before = limited if sys.platform == "linux" else None
    started = subprocess.run(command, cwd=root, capture_output=True, check=False, timeout=SECONDS, preexec_fn=before)
    answer = fronts.Answer(started.returncode, started.stdout.decode(), started.stderr.decode())
    assert "Traceback" not in answer.out + answer.err
    assert " failed in " not in answer.err
    return answer


def judged(root: Path, *options: str) -> fronts.Answer:
    """A run over everything: the healthy file's finding is there, and the exit code says that there is one."""
    answer = run(root, "--output-format", "json", *options, ".")
    assert answer.code == 1, answer.err
    places = [(found.file, found.row, found.code) for found in fronts.from_report(answer.report)]
    assert HEALTHY in places, answer.err
    return answer


def nested(opening: str, closing: str) -> str:
    return opening * DEEP + closing * DEEP


DEEPLY: dict[str, Callable[[str], str]] = {
    "brackets": lambda start: start + nested("[", "]"),
    "maps": lambda start: start + nested('{"a":', "}"),
    "calls": lambda start: start + nested("f(", ")"),
    "blocks": lambda start: start + "\n" + nested("location /a {\n", "}\n"),
    "elements": lambda start: start + "\n" + nested("<If a>\n", "</If>\n"),
    "indentation": lambda start: start + "\n" + "".join(" " * depth + "a:\n" for depth in range(2_000)),
    "actions": lambda start: start + "\n" + nested("{{ if .Values.a }}\n", "{{ end }}\n"),
}


@every
def test_nesting_without_end(form: Format, root: Path) -> None:
    """Each nesting in a folder of its own: ten thousand levels."""
    files = {f"{index}/{form.name}": make(form.start).encode() for index, make in enumerate(DEEPLY.values())}
    judged(project(root, files))


#: One line of each letter: what a badly written expression tries in every possible way.
LETTERS = "a0 \t\"'{}[]()<>\\$#/;=:-.,*%&|`~^@!+?\n\r"


@every
def test_lines_of_one_letter(form: Format, root: Path) -> None:
    """A shorter line for each letter; a longer one is a test of its own below."""
    files = {
        f"{index}/{form.name}": (form.start + letter * (LONG // 20) + " x\n  y: z\n").encode()
        for index, letter in enumerate(LETTERS)
    }
    judged(project(root, files))


@every
@pytest.mark.parametrize("letter", ["a", " ", '"', "{", "$", "\n"], ids=repr)
def test_a_line_of_a_million_letters(form: Format, letter: str, root: Path) -> None:
    judged(project(root, {form.name: (form.start + "x " + letter * LONG + "x\n").encode()}))


#: What opens something and never closes it, again and again.
OPENINGS = (
    *("${", "${a:-", "$(", "{{", "{{ if a }}\n", "{% ", "%{", "<<E ", "/* ", "[a,", "{a: ", "a {\n", "a {", "<a>\n"),
    *("\\\n", "a=b ", "a: ", "\n a", "- ", '\\"', "'", "a && ", "a | ", "a.", "a, ", "1m", "#{", "*a ", "&a ", "!a "),
)


@every
def test_openings_without_an_end(form: Format, root: Path) -> None:
    length = LONG // 10 if not form.name.endswith(".py") else LONG // 100  # what parses Python needs the square of it
    files = {
        f"{index}/{form.name}": (form.start + opening * (length // len(opening))).encode()
        for index, opening in enumerate(OPENINGS)
    }
    judged(project(root, files))


ODD = {
    "empty": lambda text: text[:0],
    "a mark alone": lambda text: b"\xef\xbb\xbf" + text[:0],
    "a mark before": lambda text: b"\xef\xbb\xbf" + text,
    "Latin-1": lambda text: text + b"\xe9\xfc\xff\n",
    "UTF-16": lambda text: (text.decode() + "a\n").encode("utf-16"),
    "a null at the beginning": lambda text: b"\0" + text,
    "a null in the middle": lambda text: text + b"a\0b\n",
    "a null far behind": lambda text: text + b"a" * 10_000 + b"\0\n",
    "binary": lambda text: text + bytes(range(256)) * 100,
    "surrogates": lambda text: text + b"\xed\xa0\x80\n",
    "line ends of other scripts": lambda text: text + "a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g\n".encode(),
    "line ends of old": lambda text: (text + b"a\nb\n").replace(b"\n", b"\r"),
    "line ends mixed": lambda text: text + b"a\r\nb\rc\n\rd",
    "quotes without an end": lambda text: text + b"\"a\n'b\n",
    "a text without an end": lambda text: text + b"<<EOF\na\nb\n",
    "a block without an end": lambda text: text + b"\na {\n b {\n",
    "the beginning alone": lambda text: text,
    "the beginning, cut": lambda text: text[: len(text) // 2],
}


@every
def test_odd_bytes(form: Format, root: Path) -> None:
    files = {f"{i}/{form.name}": make(form.start.encode()) for i, make in enumerate(ODD.values())}
    judged(project(root, files))


@every
def test_six_megabytes_are_said_and_not_read(form: Format, root: Path) -> None:
    project(root, {form.name: form.start.encode() + b"a\n" * 3_000_000})
    answer = judged(root)
    assert f"hostile/{form.name}" in answer.err or form.name.endswith(".py")


def test_fifty_megabytes_of_manifests(root: Path) -> None:
    """As one file it is only said; as a thousand files it is read as far as a repository's manifests go."""
    manifest = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n" + b"".join(
        b"  key%d: value\n" % number for number in range(2_500)
    )
    files = {f"many/{number}.yaml": manifest for number in range(1_000)}
    answer = judged(project(root, {"all.yaml": b"---\n".join([manifest] * 1_200), **files}))
    assert "hostile/all.yaml:1: over 5 MB" in answer.err


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20)
)
MERGES = "a: &a {k: v}\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} {{<<: [*{chr(97 + n)}, *{chr(97 + n)}], k{n}: v}}\n" for n in range(20)
)
CHAIN = "x0: &x0 {a: b}\n" + "".join(f"x{n}: &x{n} {{<<: *x{n - 1}}}\n" for n in range(1, 10_000))
CIRCLE = "a: &a\n  b: *a\n  <<: *a\n"
YAML = {
    "compose.yaml": "services:\n  api:\n    command: uvicorn app:app\n    environment: *{last}\n",
    "pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, annotations: *{last}}}\nspec: *{last}\n",
    "render.yaml": "services: *{last}\n",
    "template.yaml": "Resources:\n  A: {{Type: 'AWS::Lambda::Function', Properties: *{last}}}\n",
    "serverless.yml": "provider: {{name: aws}}\nfunctions: *{last}\n",
    "traefik.yml": "http: {{routers: *{last}, services: *{last}}}\n",
    "envoy.yaml": "static_resources: {{clusters: *{last}, listeners: *{last}}}\n",
    "app.yaml": "runtime: python\nentrypoint: *{last}\n",
    "Chart.yaml": "apiVersion: v2\nname: *{last}\n",
    "values.yaml": "all: *{last}\n",
}


@pytest.mark.parametrize(
    ("bomb", "last"),
    [(LAUGHS, "u"), (MERGES, "u"), (CHAIN, "x9999"), (CIRCLE, "a"), ("", "nobody"), ("a: &a *a\n", "a")],
    ids=["laughs", "merges", "a chain", "a circle", "nothing", "itself"],
)
def test_aliases(bomb: str, last: str, root: Path) -> None:
    files = {name: (bomb + text.format(last=last)).encode() for name, text in YAML.items()}
    files["templates/pod.yaml"] = b"apiVersion: v1\nkind: Pod\nspec: {{ .Values.all | toYaml | nindent 2 }}\n"
    judged(project(root, files))


def test_a_hundred_thousand_services(root: Path) -> None:
    services = b"".join(b"  s%d: {image: a, command: uvicorn a:a}\n" % number for number in range(100_000))
    pods = b"".join(
        b"---\napiVersion: v1\nkind: Service\nmetadata: {name: s%d}\nspec: {selector: {a: s%d}}\n" % (n, n)
        for n in range(50_000)
    )
    judged(project(root, {"compose.yaml": b"services:\n" + services, "pods.yaml": pods}))


def test_ten_thousand_of_everything_that_leads_somewhere(root: Path) -> None:
    """What leads to each other is matched by name, and not each with each."""
    count = 10_000
    nginx = "".join(
        f"upstream u{n} {{ server h{n}:80; }}\nserver {{ location /{n} {{ proxy_pass http://u{n}; }} }}\n"
        for n in range(count)
    )
    files = {
        "nginx.conf": nginx,
        "Procfile": "".join(f"w{n}: uvicorn a{n}:app --port {n}\n" for n in range(count)),
        "Makefile": "".join(f"t{n}:\n\tgunicorn a{n}:app -b :{n}\n" for n in range(count)),
        "main.tf": "".join(f'resource "aws_lb" "l{n}" {{\n  name = aws_lb.l{n - 1}.name\n}}\n' for n in range(count)),
        "haproxy.cfg": "".join(f"frontend f{n}\n  default_backend b{n}\nbackend b{n}\n  server s h{n}:80\n" for n in range(count)),
        "Caddyfile": "".join(f"h{n}.example.org {{\n  reverse_proxy h{n}:80\n}}\n" for n in range(count)),
    }  # fmt: skip
    judged(project(root, {name: text.encode() for name, text in files.items()}))


PROXIED = "location / { proxy_pass http://api; }\n"


@pytest.mark.parametrize(
    "files",
    [
        {"nginx.conf": "http { server { include nginx.conf; } }\n" + PROXIED},
        {"nginx.conf": "include a.conf;\n", "a.conf": "include b.conf;\n" + PROXIED, "b.conf": "include a.conf;\n"},
        {"nginx.conf": "include *;\ninclude ./*;\ninclude .;\ninclude ..;\ninclude ../*;\ninclude /;\n" + PROXIED},
        {"nginx.conf": "include " + "*" * 10_000 + ";\ninclude [[[[a-;\ninclude " + "../" * 5_000 + "etc/passwd;\n"},
        {f"{n}.conf": f"include {n + 1}.conf;\ninclude {n + 1}.conf;\n{PROXIED}" for n in range(60)},
        {f"{n}.conf": f"include *.conf;\n{PROXIED}" for n in range(30)},
        {"Caddyfile": "import Caddyfile\nimport *\nimport .\n(a) {\n import a\n}\nlocalhost {\n import a\n}\n"},
        {"httpd.conf": "Include httpd.conf\nIncludeOptional *\nProxyPass / http://api/\n"},
        {"compose.yaml": "include: [compose.yaml, .]\nservices:\n  a: {extends: {service: a, file: compose.yaml}}\n"},
        {
            "start.sh": "./start.sh\nsh start.sh\nmake run\npython run.py\nexec ./run.sh\n",
            "run.sh": ". ./start.sh\nbash ./run.sh\nuvicorn app:app\n",
            "run.py": "import os, uvicorn\nos.system('./start.sh')\nos.system('python run.py')\n",
            "Makefile": "run: run\n\tmake run\n\t./start.sh\n\tuvicorn $(A)\nA = $(B)$(B)\nB = $(A)$(A)\n",
            "Procfile": "web: ./start.sh\n",
            "supervisord.conf": "[program:a]\ncommand=supervisord -c supervisord.conf\n",
            "Dockerfile": "FROM a\nCOPY . .\nCMD supervisord -c supervisord.conf\n",
        },
        {"Dockerfile": "FROM a AS a\nFROM a AS b\nFROM b AS a\nARG A=$A$A\nENV A=$A$A B=$A$A A=$B$B\nCMD gunicorn $A $B\n"},
        {"main.tf": 'module "a" {\n  source = "./"\n}\nlocals {\n  a = local.b\n  b = "${local.a}${local.a}"\n}\n'
                    'resource "aws_lb" "a" {\n  idle_timeout = local.a\n}\n'},
        {"Chart.yaml": "apiVersion: v2\nname: a\ndependencies: [{name: a, repository: 'file://.'}]\n",
         "values.yaml": "a: '{{ .Values.a }}'\n",
         "templates/_helpers.tpl": '{{ define "a" }}{{ include "a" . }}{{ include "a" . }}{{ end }}\n',
         "templates/a.yaml": 'apiVersion: v1\nkind: Pod\nmetadata: {name: {{ include "a" . }}}\nspec: {{ tpl .Values.a . }}\n'},
        {"kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [., ..]\n"
                               "patches: [{path: kustomization.yaml}]\n"},
    ],
    ids=[
        *("nginx, itself", "nginx, two", "nginx, folders", "nginx, patterns", "nginx, a tree", "nginx, each other"),
        *("caddy", "apache", "compose", "commands", "dockerfile", "terraform", "helm", "kustomize"),
    ],
)  # fmt: skip
def test_what_leads_back_to_itself(files: dict[str, str], root: Path) -> None:
    judged(project(root, {name: text.encode() for name, text in files.items()}))


def test_a_chain_of_extends(root: Path) -> None:
    services = "".join(f"  s{n}: {{extends: {{service: s{n + 1}}}}}\n" for n in range(5_000))
    judged(project(root, {"compose.yaml": f"services:\n{services}  s5000: {{command: uvicorn a:a}}\n".encode()}))


#: Where a number is due; ``@`` stands for it.
NUMBERS = {
    "nginx.conf": "location / { proxy_pass http://api; proxy_read_timeout @; keepalive_timeout @ @; }\n",
    "compose.yaml": "services:\n  a:\n    command: gunicorn a:a --timeout @ -w @\n    stop_grace_period: @\n    scale: @\n",
    "pod.yaml": """\
        apiVersion: v1
        kind: Pod
        metadata: {name: a}
        spec:
          terminationGracePeriodSeconds: @
          containers:
            - command: [uvicorn, "a:a", --workers, "@", --timeout-graceful-shutdown=@]
              livenessProbe: {httpGet: {path: /}, timeoutSeconds: @, periodSeconds: @, failureThreshold: @}
        """,
    "ingress.yaml": """\
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata:
          name: a
          annotations:
            nginx.ingress.kubernetes.io/proxy-read-timeout: "@"
            alb.ingress.kubernetes.io/load-balancer-attributes: idle_timeout.timeout_seconds=@
        spec:
          ingressClassName: nginx
          rules: [{http: {paths: [{path: /, backend: {service: {name: a, port: {number: @}}}}]}}]
        """,
    "api.service": "[Service]\nExecStart=gunicorn a:a --timeout @\nTimeoutStopSec=@\nRuntimeMaxSec=@\n",
    "Procfile": "web: hypercorn a:a --read-timeout @ --bind :@\n",
    "gunicorn.conf.py": "timeout = int('@')\nworkers = @\nbind = f':{@}'\ngraceful_timeout = float('@') * 2\n",
    "main.tf": """\
        resource "aws_lb" "a" {
          idle_timeout = @
        }
        resource "aws_lambda_function" "b" {
          timeout = "@"
        }
        """,
    "fly.toml": "kill_timeout = @\n[processes]\napp = 'uvicorn a:a --timeout-keep-alive @'\n",
    "vercel.json": '{"functions": {"a.py": {"maxDuration": @}}}\n',
    "template.yaml": "Resources:\n  A:\n    Type: AWS::Lambda::Function\n    Properties: {Timeout: @, MemorySize: @}\n",
    "serverless.yml": "provider: {name: aws, timeout: @}\nfunctions: {a: {handler: a.b, timeout: @}}\n",
    "haproxy.cfg": "defaults\n  timeout server @\n  timeout client @\nlisten a\n  bind :80\n  server a a:@\n",
    "Caddyfile": """\
        localhost {
          reverse_proxy a:@ {
            flush_interval @
            transport http {
              read_timeout @
            }
          }
        }
        """,
    "httpd.conf": "Timeout @\nProxyTimeout @\nProxyPass / http://a:@/ timeout=@\n",
    "traefik.yml": "entryPoints:\n  web:\n    address: :@\n    transport: {respondingTimeouts: {writeTimeout: @}}\n",
    "envoy.yaml": "static_resources:\n  clusters: [{name: a, common_http_protocol_options: {idle_timeout: @s}}]\n",
    "default.vcl": 'vcl 4.0;\nbackend default { .host = "a"; .port = "@"; .first_byte_timeout = @s; }\n',
}


@pytest.mark.parametrize(
    "number",
    [
        *("9" * 400, "1" + "0" * 5_000, "1e999", "-1", "-0", "nan", "inf", "0x1f", "1_000", "", "\u0663", "\u00b2"),
        *("1.5.5", "99999999d", "1" * 30 + "m", "~", "true", "[]", "{}", "1d" * 1_000, "00:00:00:00", "'", '"'),
    ],
    ids=lambda number: ascii(number)[:12],
)
def test_numbers_that_are_none(number: str, root: Path) -> None:
    files = {name: textwrap.dedent(text).replace("@", number).encode() for name, text in NUMBERS.items()}
    judged(project(root, files))


NAMES = sorted({form.name for form in FORMATS.values()})


def test_folders_that_are_named_like_files(root: Path) -> None:
    project(root, {f"{name}/keep.txt": b"" for name in NAMES})
    judged(root)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
class TestPipes:
    """A pipe waits for somebody who writes into it: nobody does."""

    def test_in_a_folder(self, root: Path) -> None:
        project(root, {"keep.txt": b"", "templates/keep.txt": b""})
        for name in NAMES:
            os.mkfifo(root / "hostile" / name)
        judged(root)

    @pytest.mark.parametrize("name", ["Dockerfile", "nginx.conf", "compose.yaml"])
    def test_that_is_named(self, name: str, root: Path) -> None:
        os.mkfifo(project(root, {"keep.txt": b""}) / "hostile" / name)
        assert "no regular file" in judged(root, f"hostile/{name}").err

    def test_that_another_file_leads_to(self, root: Path) -> None:
        files = {
            "compose.yaml": b"services:\n  a: {build: {context: ., dockerfile: Pipe}, env_file: env}\n",
            "nginx.conf": b"include pipe;\nlocation / { proxy_pass http://a; }\n",
            "Procfile": b"web: gunicorn -c conf.py a:a\n",
            "Dockerfile": b"FROM a\nCOPY . .\nCMD ./start.sh\n",
        }
        project(root, files)
        for name in ("Pipe", "env", "pipe", "conf.py", "start.sh", ".env", "Chart.yaml", "values.yaml"):
            os.mkfifo(root / "hostile" / name)
        judged(root)


def test_links_that_lead_nowhere_or_in_a_circle(root: Path) -> None:
    project(root, {"keep.txt": b"", "templates/keep.txt": b""})
    for name in NAMES:
        (root / "hostile" / name).symlink_to("nowhere")
    (root / "hostile" / "compose.yml").symlink_to("compose.yml")
    (root / "hostile" / "again").symlink_to(root, target_is_directory=True)
    judged(root)


def test_what_a_walk_leaves_out_is_read_when_it_is_named(root: Path) -> None:
    """Git ignores it, or a folder of that name is excluded: who names it wants to know."""
    project(
        root,
        {
            "Dockerfile": b"FROM a\nCMD gunicorn app.main:app\n",
            "build/nginx.conf": b"server { location / { proxy_pass http://a;\n",
        },
    )
    (root / ".gitignore").write_text("hostile\n")
    assert "hostile/build/nginx.conf" not in judged(root).err
    assert "hostile/build/nginx.conf" in judged(root, "hostile/build/nginx.conf").err


@pytest.mark.parametrize("name", ["Dockerfile", "nginx.conf"])
def test_a_link_that_is_named_is_answered(name: str, root: Path) -> None:
    (project(root, {"keep.txt": b""}) / "hostile" / name).symlink_to("nowhere")
    assert f"hostile/{name}" in judged(root, f"hostile/{name}").err


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep permissions in other ways")
def test_what_may_not_be_read_is_said(root: Path) -> None:
    from tests.need import require
    from tests.test_hostile import without_privileges

    locked = project(root, {"Dockerfile": b"FROM a\nCMD gunicorn a:a\n"}) / "hostile" / "Dockerfile"
    locked.chmod(0)
    try:
        program = [sys.executable, "-c", f"import os; raise SystemExit(os.access({str(locked)!r}, os.R_OK))"]
        locks = fronts.process(program=program, at=root, preexec_fn=without_privileges).code == 0
        require(locks, "needs a file system and a user for whom permissions count")
        answer = fronts.process(*SELECT, "--output-format", "json", ".", at=root, preexec_fn=without_privileges)
    finally:
        locked.chmod(0o644)
    assert answer.code == 1, answer.err
    assert "hostile/Dockerfile" in answer.err
    assert "Permission denied" in answer.err
    assert "Traceback" not in answer.err


def test_a_file_that_goes_while_it_is_looked_for(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the walk and the reading anything may happen."""
    from lg_stream_lint import discovery

    gone = project(root, {"Dockerfile": b"FROM a\nCMD gunicorn a:a\n", "keep.txt": b""}) / "hostile" / "Dockerfile"
    inventory = discovery.inventory

    def and_then(*arguments: object) -> object:
        found = inventory(*arguments)  # type: ignore[arg-type]
        gone.unlink()
        return found

    monkeypatch.setattr(discovery, "inventory", and_then)
    answer = fronts.command(*SELECT, "--output-format", "json", ".", at=root)
    assert answer.code == 1, answer.err
    assert HEALTHY in [(found.file, found.row, found.code) for found in fronts.from_report(answer.report)]
    assert "hostile/Dockerfile:1: No such file or directory" in answer.err


def test_names_that_are_no_text(root: Path) -> None:
    project(root, {"a b\t'\"\n/Dockerfile": b"FROM a\nCMD gunicorn a:a\n"})
    try:
        (root / "hostile" / os.fsdecode(b"\xff.conf")).write_bytes(PROXIED.encode())
    except OSError:
        pytest.skip("this file system takes text only")
    for style in "text", "concise", "json", "sarif", "github":
        assert run(root, "--output-format", style, ".").code == 1


@every
def test_standard_input(form: Format, root: Path) -> None:
    """An editor's half of a file."""
    given = (form.start + '"{[(<').encode()
    answer = fronts.process(*SELECT, "--stdin-filename", f"hostile/{form.name}", "-", at=project(root, {}), given=given)
    assert answer.code in {0, 1}, answer.err
    assert "Traceback" not in answer.err
