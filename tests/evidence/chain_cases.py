"""The chains that are run: their applications, commands and configurations, and what is predicted of them."""

from __future__ import annotations

from tests.evidence.chains import DEPLOY, LENGTH, SILENCE, Chain

_APP = """\
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from openai import AsyncOpenAI

app = FastAPI()
client = AsyncOpenAI(timeout=60, max_retries=0)
QUESTION = [{"role": "user", "content": "a story"}]


async def tokens():
    try:
        stream = await client.chat.completions.create(model="gpt-4o-mini", messages=QUESTION, stream=True)
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                yield f"data: {json.dumps(chunk.choices[0].delta.content)}\\n\\n"
        yield "data: [DONE]\\n\\n"
    except BaseException as error:
        print("cancelled" if type(error).__name__ == "CancelledError" else type(error).__name__, flush=True)
        raise


@app.get("/chat")
async def chat():
    return StreamingResponse(tokens(), media_type="text/event-stream")
"""
_TELLS = _APP.replace('"text/event-stream")', '"text/event-stream", headers={"X-Accel-Buffering": "no"})')
_SHORT_MODEL = _APP.replace("timeout=60", "timeout=2")
_TOKEN = "json.dumps(chunk.choices[0].delta.content)"
_PINGS = (
    _APP.replace("from fastapi.responses import StreamingResponse\n", "")
    .replace("import AsyncOpenAI\n", "import AsyncOpenAI\nfrom sse_starlette import EventSourceResponse\n")
    .replace('StreamingResponse(tokens(), media_type="text/event-stream")', "EventSourceResponse(tokens(), ping=1)")
    .replace(f'yield f"data: {{{_TOKEN}}}\\n\\n"', f"yield {_TOKEN}")
    .replace('yield "data: [DONE]\\n\\n"', 'yield "[DONE]"')
)
_WAITS = """\
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from openai import AsyncOpenAI

app = FastAPI()
client = AsyncOpenAI(timeout=60, max_retries=0)
QUESTION = [{"role": "user", "content": "a story"}]


async def tokens(stream):
    async for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            yield f"data: {json.dumps(chunk.choices[0].delta.content)}\\n\\n"
    yield "data: [DONE]\\n\\n"


@app.get("/chat")
async def chat():
    stream = await client.chat.completions.create(model="gpt-4o-mini", messages=QUESTION, stream=True)
    return StreamingResponse(tokens(stream), media_type="text/event-stream")
"""

_UVICORN = "web: uvicorn app:app --host 127.0.0.1 --port {app}\n"
_ASGI = "web: gunicorn app:app -k asgi -b 127.0.0.1:{app}\n"
_UVICORN_WORKER = "web: gunicorn app:app -k uvicorn_worker.UvicornWorker -b 127.0.0.1:{app}"


def _nginx(listen: str, upstream: str, *lines: str) -> str:
    """A whole configuration that may write in its prefix only."""
    folders = "".join(f"    {name}_temp_path tmp;\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    inside = "".join(f"            {line}\n" for line in lines)
    return (
        f"pid tmp/{listen}.pid;\nevents {{\n}}\nhttp {{\n    access_log off;\n{folders}    server {{\n"
        f"        listen 127.0.0.1:{{{listen}}};\n        location / {{\n"
        f"            proxy_pass http://127.0.0.1:{{{upstream}}};\n{inside}        }}\n    }}\n}}\n"
    )


def _haproxy(listen: str, upstream: str, timeout: str) -> str:
    return f"""\
global
    log stdout format raw local0
defaults
    mode http
    log global
    option httplog
    timeout connect 5s
    timeout client 60s
    timeout server {timeout}
frontend web
    bind 127.0.0.1:{{{listen}}}
    default_backend api
backend api
    server one 127.0.0.1:{{{upstream}}}
"""


def _envoy(listen: str, upstream: str, route: str) -> str:
    return f"""\
static_resources:
  listeners:
    - name: web
      address:
        socket_address: {{ address: 127.0.0.1, port_value: {{{listen}}} }}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: web
                access_log:
                  - name: envoy.access_loggers.stdout
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
                      log_format:
                        text_format_source:
                          inline_string: "%RESPONSE_CODE% %RESPONSE_FLAGS%\\n"
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
                route_config:
                  virtual_hosts:
                    - name: all
                      domains: ["*"]
                      routes:
                        - match: {{ prefix: "/" }}
                          route: {{ cluster: api{route} }}
  clusters:
    - name: api
      type: STATIC
      load_assignment:
        cluster_name: api
        endpoints:
          - lb_endpoints:
              - endpoint:
                  address:
                    socket_address: {{ address: 127.0.0.1, port_value: {{{upstream}}} }}
"""


_LIVE = ("proxy_http_version 1.1;", "proxy_buffering off;")
CHAINS = (
    Chain(
        "uvicorn, nginx: silence",
        SILENCE,
        5,
        "uvicorn",
        ("nginx.conf",),
        {"app.py": _APP, "Procfile": _UVICORN, "nginx.conf": _nginx("inner", "app", *_LIVE, "proxy_read_timeout 2s;")},
        (2, "nginx"),
    ),
    Chain(
        "uvicorn, nginx: an answer that flows",
        LENGTH,
        5,
        "uvicorn",
        ("nginx.conf",),
        {"app.py": _APP, "Procfile": _UVICORN, "nginx.conf": _nginx("inner", "app", *_LIVE, "proxy_read_timeout 2s;")},
    ),
    Chain(
        "uvicorn, nginx: pings through a silence",
        SILENCE,
        5,
        "uvicorn",
        ("nginx.conf",),
        {"app.py": _PINGS, "Procfile": _UVICORN, "nginx.conf": _nginx("inner", "app", "proxy_read_timeout 2500ms;")},
    ),
    Chain(
        "gunicorn asgi, nginx: headers with the first chunk",
        SILENCE,
        5,
        "gunicorn",
        ("nginx.conf",),
        {"app.py": _APP, "Procfile": _ASGI, "nginx.conf": _nginx("inner", "app", *_LIVE, "proxy_read_timeout 2s;")},
        (2, "nginx"),
    ),
    Chain(
        "uvicorn, nginx: a handler that waits",
        SILENCE,
        5,
        "uvicorn",
        ("nginx.conf",),
        {
            "app.py": _WAITS,
            "Procfile": _UVICORN,
            "nginx.conf": _nginx("inner", "app", *_LIVE, "proxy_read_timeout 2s;"),
        },
        (2, "nginx"),
        waits=True,
    ),
    Chain(
        "uvicorn, nginx, haproxy: the inner one is shorter",
        SILENCE,
        6,
        "uvicorn",
        ("nginx.conf", "haproxy.cfg"),
        {
            "app.py": _APP,
            "Procfile": _UVICORN,
            "nginx.conf": _nginx("inner", "app", *_LIVE, "proxy_read_timeout 2s;"),
            "haproxy.cfg": _haproxy("outer", "inner", "4s"),
        },
        (2, "nginx"),
    ),
    Chain(
        "uvicorn, nginx, haproxy: the outer one is shorter",
        SILENCE,
        6,
        "uvicorn",
        ("nginx.conf", "haproxy.cfg"),
        {
            "app.py": _APP,
            "Procfile": _UVICORN,
            "nginx.conf": _nginx("inner", "app", *_LIVE, "proxy_read_timeout 5s;"),
            "haproxy.cfg": _haproxy("outer", "inner", "2500"),
        },
        (2.5, "haproxy"),
    ),
    Chain(
        "uvicorn, nginx that buffers, haproxy: an answer that flows",
        LENGTH,
        6,
        "uvicorn",
        ("nginx.conf", "haproxy.cfg"),
        {
            "app.py": _APP,
            "Procfile": _UVICORN,
            "nginx.conf": _nginx("inner", "app", "proxy_read_timeout 5s;"),
            "haproxy.cfg": _haproxy("outer", "inner", "3s"),
        },
        (3, "haproxy"),
    ),
    Chain(
        "uvicorn, nginx released by the header, haproxy: an answer that flows",
        LENGTH,
        5,
        "uvicorn",
        ("nginx.conf", "haproxy.cfg"),
        {
            "app.py": _TELLS,
            "Procfile": _UVICORN,
            "nginx.conf": _nginx("inner", "app", "proxy_read_timeout 4s;"),
            "haproxy.cfg": _haproxy("outer", "inner", "3s"),
        },
    ),
    Chain(
        "uvicorn, nginx, nginx, haproxy: the inner one takes the header away",
        LENGTH,
        6,
        "uvicorn",
        ("inner.nginx.conf", "outer.nginx.conf", "haproxy.cfg"),
        {
            "app.py": _TELLS,
            "Procfile": _UVICORN,
            "inner.nginx.conf": _nginx("inner", "app", "proxy_read_timeout 4s;"),
            "outer.nginx.conf": _nginx("middle", "inner", "proxy_read_timeout 4s;"),
            "haproxy.cfg": _haproxy("outer", "middle", "3s"),
        },
        (3, "haproxy"),
    ),
    Chain(
        "uvicorn, nginx, nginx: silence",
        SILENCE,
        6,
        "uvicorn",
        ("inner.nginx.conf", "outer.nginx.conf"),
        {
            "app.py": _APP,
            "Procfile": _UVICORN,
            "inner.nginx.conf": _nginx("inner", "app", *_LIVE, "proxy_read_timeout 4s;"),
            "outer.nginx.conf": _nginx("outer", "inner", *_LIVE, "proxy_read_timeout 2s;"),
        },
        (2, "nginx"),
    ),
    Chain(
        "uvicorn, nginx: the model's client gives up first",
        SILENCE,
        6,
        "uvicorn",
        ("nginx.conf",),
        {
            "app.py": _SHORT_MODEL,
            "Procfile": _UVICORN,
            "nginx.conf": _nginx("inner", "app", *_LIVE, "proxy_read_timeout 4s;"),
        },
        (2, "model"),
    ),
    Chain(
        "hypercorn with a total limit: an answer that flows",
        LENGTH,
        5,
        "hypercorn",
        (),
        {"app.py": _APP, "Procfile": "web: hypercorn app:app --bind 127.0.0.1:{app} --read-timeout 2\n"},
        (2, "hypercorn"),
    ),
    Chain(
        "uvicorn, envoy: a total limit",
        LENGTH,
        6,
        "uvicorn",
        ("envoy.yaml",),
        {"app.py": _APP, "Procfile": _UVICORN, "envoy.yaml": _envoy("inner", "app", ", timeout: 2s")},
        (2, "envoy"),
    ),
    Chain(
        "uvicorn, envoy, nginx: an idle limit inside",
        SILENCE,
        6,
        "uvicorn",
        ("envoy.yaml", "nginx.conf"),
        {
            "app.py": _APP,
            "Procfile": _UVICORN,
            "envoy.yaml": _envoy("inner", "app", ", timeout: 0s, idle_timeout: 2s"),
            "nginx.conf": _nginx("outer", "inner", *_LIVE, "proxy_read_timeout 5s;"),
        },
        (2, "envoy"),
    ),
    Chain(
        "uvicorn: a deploy",
        DEPLOY,
        6,
        "uvicorn",
        (),
        {"app.py": _APP, "Procfile": f"{_UVICORN.rstrip()} --timeout-graceful-shutdown 2\n"},
        (2, "uvicorn"),
    ),
    Chain(
        "gunicorn with uvicorn's worker: a deploy",
        DEPLOY,
        6,
        "gunicorn",
        (),
        {"app.py": _APP, "Procfile": f"{_UVICORN_WORKER} --graceful-timeout 2\n"},
        (2, "gunicorn"),
    ),
)
