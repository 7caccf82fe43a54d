"""Asks a handler as Lambda does, and passes on what it returns: ``lambda_front.py main:handler 8000``.

Each request becomes an event in the form of function URLs (and HTTP APIs), the handler is called with it, and its answer, a
dictionary, is what there is to send. The mode in which Lambda itself hands it on makes no difference to that.
"""

import asyncio
import base64
import importlib
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from urllib.parse import urlsplit

HEALTH = "/__health"


def event_of(request):
    """The event of a request."""
    url = urlsplit(request.path)
    headers = {name.lower(): value for name, value in request.headers.items()}
    length = int(headers.get("content-length") or 0)
    http = {
        "method": request.command,
        "path": url.path,
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": headers.get("user-agent", ""),
    }
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": url.path,
        "rawQueryString": url.query,
        "headers": headers,
        "requestContext": {"http": http, "stage": "$default", "requestId": "1"},
        "body": request.rfile.read(length).decode() if length else None,
        "isBase64Encoded": False,
    }


class Front(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    handler = None

    def do_GET(self):
        """Call the handler."""
        if self.path == HEALTH:
            self._send(200, {}, b"ok")
            return
        answer = type(self).handler[0](event_of(self), SimpleNamespace(aws_request_id="1", function_name="chat"))
        body = answer.get("body") or ""
        data = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
        self._send(answer["statusCode"], answer.get("headers") or {}, data)

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def _send(self, status, headers, data):
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.send_header("connection", "close")  # one request at a time, as a function has it
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, text, *values):
        """To the log of the run."""
        print(text % values, json.dumps(self.path), file=sys.stderr, flush=True)


def main():
    """Serve a handler on a port; its project may keep its code in ``src``, as a function's package does."""
    sys.path[:0] = [".", "src"]
    module, _, attribute = sys.argv[1].partition(":")
    Front.handler = (getattr(importlib.import_module(module), attribute),)
    asyncio.set_event_loop(asyncio.new_event_loop())  # adapters ask for the main thread's, as in Lambda's own runtime
    HTTPServer(("127.0.0.1", int(sys.argv[2])), Front).serve_forever()


if __name__ == "__main__":
    main()
