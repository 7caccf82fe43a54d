"""Terraform: the reader of HCL, variables, and the resources."""

from __future__ import annotations

from pathlib import Path

import pytest

from lg_stream_lint.deploy.clouds.aws import ANYTHING
from lg_stream_lint.deploy.files import DeployFile
from lg_stream_lint.deploy.settings import Kind, Origin, Role, Route
from lg_stream_lint.deploy.terraform.hcl import Hcl, blocks_in, parse
from lg_stream_lint.finding import Span
from tests.deploy.repositories import by_name, hosts, linked, proxies, reading, values


def hcl(text: str | bytes) -> Hcl:
    return parse(DeployFile("/project/main.tf", text if isinstance(text, bytes) else text.encode()))


def test_blocks_attributes_and_literals() -> None:
    (block,) = hcl(
        'resource "aws_lb" "main" {  # c\n  idle_timeout = 30 // d\n  on = true\n  name = "a\\"b"\n'
        '  list = [1, "two", { k = 3, "l" : 4 },]\n  inner { a = 1 }\n  inner { a = 2 }\n}\n'
    ).blocks
    assert (block.kind, block.labels, block.where.span) == ("resource", ("aws_lb", "main"), Span(1, 1, 1, 25))
    assert block.body.number("idle_timeout") == 30
    assert block.body.get("idle_timeout").where.span == Span(2, 18, 2, 20)
    assert block.body.truth("on") is True
    assert block.body.string("name") == 'a"b'
    assert block.body.number("list", 2, "l") == 4
    assert [each.number("a") for each in blocks_in(block.body, "inner")] == [1, 2]


def test_other_expressions_are_unknown_and_lose_nothing_behind_them() -> None:
    (block,) = hcl(
        'x "y" {\n  a = var.b ? 1 : 2\n  c = [for i in d : i]\n  e = merge({\n    f = "}"\n  }, g)\n  h = "${i ? "j" : "k"}"\n'
        "  l = <<-EOT\n    m = 1 }\n  EOT\n  n = foo(<<EOT\n}\nEOT\n  )\n  o = 5\n}\n"
    ).blocks
    unknown = {key.text: value.unknown for key, value in block.body.pairs}
    assert unknown == {"a": True, "c": True, "e": True, "h": True, "l": False, "n": True, "o": False}
    assert block.body.string("l") == "    m = 1 }\n"
    assert block.body.number("o") == 5


def test_a_block_that_cannot_be_read_does_not_lose_the_next() -> None:
    found = hcl('resource "a" "b" {\n  c.d = 1\n}\nresource "e" "f" {\n  g = 1\n}\n')
    assert [block.labels for block in found.blocks] == [("e", "f")]
    assert [note.where.span.row for note in found.notes] == [1]


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n"])
def test_any_line_ends(ends: str) -> None:
    (block,) = hcl(
        ends.join(("x {", "  a = 1 # c", "  b = <<E", "t", "E", "  c = f(", "  1)", "  d = 2", "}", ""))
    ).blocks
    assert block.body.get("d").where.span == Span(8, 7, 8, 8)
    assert block.body.number("a") == 1


@pytest.mark.parametrize(
    "text",
    [
        b"a = " + b"[" * 50_000,
        b'a = "${' + b'{"' * 30_000,
        b"a {\n" * 30_000,
        b"/*" * 50_000,
        b"a = f(/* \n" * 20_000,
        b"a = <<E\n" * 20_000,
        b"x = \xff\xfe\r" * 10_000,
        b'a "b" {\n c = \n' * 5_000,
    ],
)
def test_hostile_text_ends_soon(text: bytes) -> None:
    hcl(text)


NETWORK = """
resource "aws_lb" "main" {
  name         = "api"
  idle_timeout = var.idle
}
resource "aws_alb" "plain" {}
resource "aws_lb" "tcp" {
  load_balancer_type = "network"
}
resource "aws_lb" "off" {
  count = 0
}
resource "aws_cloudfront_distribution" "cdn" {
  origin {
    domain_name = aws_s3_bucket.site.bucket_regional_domain_name
    origin_id   = "site"
  }
  origin {
    domain_name = aws_lb.main.dns_name
    origin_id   = local.api
    custom_origin_config {
      origin_read_timeout = 60
    }
  }
  default_cache_behavior {
    target_origin_id = "site"
  }
  ordered_cache_behavior {
    path_pattern     = "/api/*"
    target_origin_id = local.api
  }
}
locals {
  api = "api"
}
"""
VARIABLES = 'variable "idle" {\n  default = 45\n}\n'


def test_load_balancers_and_distributions(tmp_path: Path) -> None:
    found = reading("terraform", tmp_path, {"main.tf": NETWORK, "variables.tf": VARIABLES})
    outer = proxies(found)
    limit = outer["aws_lb.main"].get("read_timeout")
    assert (limit.value, limit.overridable, limit.where.span) == (45.0, True, Span(3, 18, 3, 26))
    assert [(s.value, s.origin, s.kind) for s in outer["aws_alb.plain"].settings] == [(60, Origin.DEFAULT, Kind.IDLE)]
    assert (outer["aws_lb.tcp"].layer, values(outer["aws_lb.tcp"])) == ("nlb", {"read_timeout": 350})
    assert "aws_lb.off" not in outer
    cdn = outer["aws_cloudfront_distribution.cdn api"]
    assert values(cdn) == {"read_timeout": 60.0, "first_byte_timeout": 60.0}
    assert cdn.routes == (Route("prefix", "/api/"),)
    assert ("aws_cloudfront_distribution.cdn api", "aws_lb.main") in linked(found)


def test_values_of_variables_win_over_their_defaults(tmp_path: Path) -> None:
    files = {"main.tf": NETWORK, "variables.tf": VARIABLES, "terraform.tfvars": "idle = 300 # seconds\n"}
    found = reading("terraform", tmp_path, files)
    assert proxies(found)["aws_lb.main"].value("read_timeout") == 300.0


def test_a_variable_without_a_default_is_a_note(tmp_path: Path) -> None:
    found = reading("terraform", tmp_path, {"main.tf": NETWORK, "variables.tf": 'variable "idle" {}\n'})
    assert proxies(found)["aws_lb.main"].settings == ()
    assert [(note.where.span.row, note.reason) for note in found.notes] == [
        (3, "the value of idle_timeout is not written here")
    ]


FUNCTION = """
resource "aws_lambda_function" "chat" {
  runtime = "python3.12"
  handler = "app.main.handler"
}
resource "aws_lambda_alias" "live" {
  function_name = aws_lambda_function.chat.function_name
}
resource "aws_lambda_function" "page" {
  runtime = "nodejs22.x"
  handler = "index.handler"
}
"""
DOORS = """
resource "aws_lambda_function_url" "chat" {
  function_name = aws_lambda_function.chat.function_name
  invoke_mode   = "RESPONSE_STREAM"
}
resource "aws_apigatewayv2_api" "web" {
  protocol_type = "HTTP"
}
resource "aws_apigatewayv2_integration" "chat" {
  api_id          = aws_apigatewayv2_api.web.id
  integration_uri = aws_lambda_alias.live.invoke_arn
}
resource "aws_apigatewayv2_integration" "page" {
  api_id          = aws_apigatewayv2_api.web.id
  integration_uri = aws_lambda_function.page.invoke_arn
}
resource "aws_api_gateway_rest_api" "rest" {
  endpoint_configuration {
    types = ["EDGE"]
  }
}
resource "aws_api_gateway_integration" "chat" {
  rest_api_id            = aws_api_gateway_rest_api.rest.id
  type                   = "AWS_PROXY"
  uri                    = aws_lambda_function.chat.response_streaming_invoke_arn
  response_transfer_mode = "STREAM"
  timeout_milliseconds   = 900000
}
"""


def test_functions_and_what_asks_them(tmp_path: Path) -> None:
    files = {"functions.tf": FUNCTION, "doors.tf": DOORS}
    inner = reading("terraform", tmp_path, files, "functions.tf")
    outer = proxies(reading("terraform", tmp_path, files, "doors.tf"))
    (server,) = by_name(inner, Role.SERVER).values()
    assert (server.leads_to[0].value, values(server)) == ("app.main:handler", {"total_timeout": 3})
    assert outer["aws_lambda_function_url.chat"].settings == ()
    assert outer["aws_apigatewayv2_integration.chat"].value("cannot_stream")
    assert "aws_apigatewayv2_integration.page" not in outer
    assert values(outer["aws_api_gateway_integration.chat"]) == {"total_timeout": 900.0, "read_timeout": 30}
    assert {hop.leads_to for hop in outer.values()} == {server.known_as}


TASK = """
resource "aws_ecs_task_definition" "api" {
  container_definitions = jsonencode([
    {
      name        = "api"
      image       = "${var.repository}:latest"
      stopTimeout = 120
      command     = ["gunicorn", "-k", "uvicorn.workers.UvicornWorker", "app.main:app"]
      environment = [{ name = "WEB_CONCURRENCY", value = "3" }]
      linuxParameters = { initProcessEnabled = true }
    },
  ])
}
resource "aws_ecs_task_definition" "other" {
  container_definitions = file("task.json")
}
"""


def test_containers_of_a_task(tmp_path: Path) -> None:
    found = reading("terraform", tmp_path, {"main.tf": TASK})
    assert values(hosts(found)["aws_ecs_task_definition.api api"]) == {"stop_grace": 120.0, "init": True}
    (server,) = by_name(found, Role.SERVER).values()
    assert values(server)["workers"] == 3.0
    assert server.get("worker_class").where.span.row == 7
    assert [(note.where.span.row, note.reason) for note in found.notes] == [
        (14, "containers that are not written here")
    ]


CLOUDS = """
resource "google_cloud_run_v2_service" "api" {
  template {
    timeout = "90s"
    containers {
      image   = "europe-docker.pkg.dev/p/r/api"
      command = ["uvicorn", "app.main:app"]
    }
  }
}
resource "google_cloud_run_service" "old" {
  template {
    spec {
      timeout_seconds = 30
    }
  }
}
resource "google_compute_backend_service" "api" {
  timeout_sec = 20
}
resource "google_compute_backend_service" "run" {
  backend {
    group = google_compute_region_network_endpoint_group.run.id
  }
}
resource "azurerm_application_gateway" "gw" {
  global {
    response_buffering_enabled = false
    request_buffering_enabled  = true
  }
  backend_http_settings {
    name            = "api"
    request_timeout = 20
  }
}
resource "azurerm_application_gateway" "plain" {
  backend_http_settings {
    name = "api"
  }
}
resource "azurerm_container_app" "app" {
  ingress {
    target_port = 8000
  }
  template {
    termination_grace_period_seconds = 60
    container {
      image   = "registry/app"
      command = ["uvicorn", "app.main:app"]
    }
  }
}
resource "azurerm_linux_web_app" "web" {
  site_config {
    app_command_line = "gunicorn -k uvicorn.workers.UvicornWorker -t 600 app.main:app"
  }
}
resource "azurerm_cdn_frontdoor_profile" "fd" {
  response_timeout_seconds = 60
}
"""


def test_google_and_azure(tmp_path: Path) -> None:
    found = reading("terraform", tmp_path, {"main.tf": CLOUDS})
    outer = proxies(found)
    assert values(outer["google_cloud_run_v2_service.api"]) == {"total_timeout": 90.0}
    assert values(outer["google_cloud_run_service.old"]) == {"total_timeout": 30.0}
    assert values(outer["google_compute_backend_service.api"]) == {"total_timeout": 20.0}
    assert "google_compute_backend_service.run" not in outer
    assert values(outer["azurerm_application_gateway.gw api"]) == {"read_timeout": 20.0, "buffering": False}
    assert values(outer["azurerm_application_gateway.plain api"]) == {"buffering": True}
    assert values(outer["azurerm_container_app.app"]) == {"read_timeout": 240}
    assert values(hosts(found)["azurerm_container_app.app"]) == {"stop_grace": 60.0}
    assert values(outer["azurerm_linux_web_app.web"]) == {"read_timeout": 230}
    assert outer["azurerm_cdn_frontdoor_profile.fd"].get("read_timeout").kind == ""
    servers = [hop for hop in found.hops if hop.role == Role.SERVER]
    assert sorted(hop.layer for hop in servers) == ["gunicorn", "uvicorn", "uvicorn"]
    assert ("google_cloud_run_v2_service.api", "uvicorn app.main:app") in linked(found)
    gunicorn = next(hop for hop in servers if hop.layer == "gunicorn")
    assert gunicorn.get("timeout").where.span == Span(54, 67, 54, 73)


SERVICE = """
resource "aws_lb" "main" {}
resource "aws_lb_target_group" "api" {}
resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.main.arn
  LISTENER
}
resource "aws_ecs_service" "api" {
  task_definition = aws_ecs_task_definition.api.arn
  load_balancer {
    target_group_arn = aws_lb_target_group.api.arn
    container_name   = "api"
  }
}
"""
FORWARDS = "default_action {\n    target_group_arn = aws_lb_target_group.api.arn\n  }"
WEIGHTED = "default_action {\n forward {\n target_group {\n arn = aws_lb_target_group.api.arn\n }\n }\n }"
RULE = """
resource "aws_lb_listener_rule" "api" {
  listener_arn = aws_lb_listener.http.arn
  action {
    target_group_arn = aws_lb_target_group.api.arn
  }
}
"""


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        (SERVICE.replace("LISTENER", FORWARDS), True),
        (SERVICE.replace("LISTENER", WEIGHTED), True),
        (SERVICE.replace("LISTENER", "port = 80") + RULE, True),
        (SERVICE.replace("LISTENER", "port = 80"), False),
        (SERVICE.replace("LISTENER", FORWARDS.replace("_group.api", "_group.other")), False),
    ],
)
def test_a_balancer_leads_to_the_containers_behind_its_listeners(tmp_path: Path, text: str, resolved: bool) -> None:
    found = reading("terraform", tmp_path, {"main.tf": text + TASK})
    balancer, host = proxies(found)["aws_lb.main"], hosts(found)["aws_ecs_task_definition.api api"]
    assert bool(set(balancer.leads_to) & set(host.known_as)) == resolved
    assert (ANYTHING in balancer.leads_to) != resolved
