"""CloudFormation, SAM, the Serverless Framework, ECS's task definitions, and the CDK in Python."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from lg_stream_lint.deploy.files import NotRead
from lg_stream_lint.deploy.settings import Origin, Reading, Role, Route
from lg_stream_lint.finding import Span
from tests.deploy.repositories import by_name, hosts, linked, proxies, reading, values

SAM = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Seconds:
    Type: Number
    Default: 40
Globals:
  Function:
    Runtime: python3.12
    Timeout: 20
Resources:
  Chat:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app/main.handler
      Timeout: !Ref Seconds
      FunctionUrlConfig:
        AuthType: NONE
      Events:
        Stream:
          Type: Api
          Properties:
            Path: /chat/{id}
            Method: post
            ResponseTransferMode: STREAM
            TimeoutInMillis: 900000
        All:
          Type: HttpApi
  Nightly:
    Type: AWS::Serverless::Function
    Properties:
      Handler: nightly.handler
      Events:
        Cron:
          Type: Schedule
"""


def test_sam_functions_with_doors(tmp_path: Path) -> None:
    found = reading("serverless", tmp_path, {"template.yaml": SAM})
    (server,) = by_name(found, Role.SERVER).values()
    assert (server.layer, server.leads_to[0]) == ("lambda", ("app", "app.main:handler", str(tmp_path / "src")))
    limit = server.get("total_timeout")
    assert (limit.value, limit.overridable, limit.where.span) == (40.0, True, Span(16, 16, 16, 28))
    doors = proxies(found)
    assert doors["Chat url"].value("cannot_stream")
    assert doors["Chat Stream"].value("cannot_stream") is None
    assert doors["Chat Stream"].value("total_timeout") == 900.0
    assert doors["Chat Stream"].routes == (Route("prefix", "/chat/"),)
    assert doors["Chat All"].value("cannot_stream")
    assert all((name, "Chat") in linked(found) for name in doors)
    assert "Nightly" not in {hop.name for hop in found.hops}


def test_an_image_is_the_dockerfile_that_its_metadata_name(tmp_path: Path) -> None:
    text = """
    Resources:
      Chat:
        Type: AWS::Serverless::Function
        Properties:
          PackageType: Image
          FunctionUrlConfig: {AuthType: NONE, InvokeMode: RESPONSE_STREAM}
        Metadata:
          DockerContext: ./app
          Dockerfile: Dockerfile.lambda
    """
    found = reading("serverless", tmp_path, {"template.yaml": text})
    (host,) = hosts(found).values()
    assert host.leads_to[0].value == str(tmp_path / "app" / "Dockerfile.lambda")
    assert [(s.value, s.origin) for s in host.settings] == [(3, Origin.DEFAULT)]


def test_functions_of_other_languages_lead_elsewhere(tmp_path: Path) -> None:
    text = """
    Resources:
      Fn:
        Type: AWS::Lambda::Function
        Properties: {Handler: index.handler, Runtime: nodejs22.x}
      Url:
        Type: AWS::Lambda::Url
        Properties: {TargetFunctionArn: !GetAtt Fn.Arn, AuthType: NONE}
      Api:
        Type: AWS::ApiGatewayV2::Integration
        Properties: {ApiId: x, IntegrationType: AWS_PROXY, IntegrationUri: !Sub "arn:${Fn.Arn}/invocations"}
    """
    assert reading("serverless", tmp_path, {"template.yaml": text}).hops == ()


CLOUDFORMATION = """
Resources:
  Balancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties:
      LoadBalancerAttributes:
        - Key: idle_timeout.timeout_seconds
          Value: "120"
  Plain:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
  Network:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties: {Type: network}
  Site:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        DefaultCacheBehavior: {TargetOriginId: files}
        CacheBehaviors:
          - {PathPattern: "api/*", TargetOriginId: api}
        Origins:
          - Id: files
            DomainName: !GetAtt Bucket.RegionalDomainName
            S3OriginConfig: {}
          - Id: api
            DomainName: !GetAtt Balancer.DNSName
            CustomOriginConfig:
              OriginReadTimeout: 60
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: api
          Image: !Sub "${Account}.dkr.ecr.amazonaws.com/api"
          StopTimeout: 110
          Command: [uvicorn, "app.main:app", "--port", "8000"]
  Socket:
    Type: AWS::ApiGatewayV2::Api
    Properties: {ProtocolType: WEBSOCKET}
"""


def test_cloudformation_balancers_distributions_tasks(tmp_path: Path) -> None:
    found = reading("serverless", tmp_path, {"stack.json.template": CLOUDFORMATION})
    outer = proxies(found)
    assert values(outer["Balancer"]) == {"read_timeout": 120.0}
    assert outer["Balancer"].get("read_timeout").where.span == Span(7, 18, 7, 23)
    assert [(s.value, s.origin, s.where.span.row) for s in outer["Plain"].settings] == [(60, Origin.DEFAULT, 8)]
    assert (outer["Network"].layer, values(outer["Network"])) == ("nlb", {"read_timeout": 350})
    assert values(outer["Site api"]) == {"read_timeout": 60.0, "first_byte_timeout": 60.0}
    assert outer["Site api"].routes == (Route("prefix", "/api/"),)
    assert ("Site api", "Balancer") in linked(found)
    assert "Site files" not in outer
    assert values(hosts(found)["api"]) == {"stop_grace": 110.0}
    assert ("api", "uvicorn app.main:app") in linked(found)


def test_a_task_definition_of_its_own(tmp_path: Path) -> None:
    text = '{"containerDefinitions": [{"name": "api", "image": "x/api:1", "entryPoint": ["uvicorn"], "command": ["main:app"]}]}'
    found = reading("serverless", tmp_path, {"task.json": text})
    assert values(hosts(found)["api"]) == {}
    assert "uvicorn main:app" in by_name(found, Role.SERVER)


SERVERLESS = """
service: chat
provider:
  name: aws
  runtime: python3.12
  endpointType: EDGE
functions:
  chat:
    handler: src.main.handler
    url: true
    events:
      - http: ANY /chat
      - http:
          path: /stream
          method: post
          timeoutInMillis: 60000
          response: {transferMode: STREAM}
      - httpApi: '*'
  nightly:
    handler: nightly.run
    events:
      - schedule: rate(1 day)
"""


def test_the_serverless_framework(tmp_path: Path) -> None:
    found = reading("serverless", tmp_path, {"serverless.yml": SERVERLESS})
    (server,) = by_name(found, Role.SERVER).values()
    assert [(s.value, s.origin) for s in server.settings] == [(6, Origin.DEFAULT)]
    told = [hop for hop in found.hops if hop.name == "chat http"]
    assert [hop.value("cannot_stream") is None for hop in told] == [False, True]
    assert values(told[1]) == {"total_timeout": 60.0, "read_timeout": 30}
    assert proxies(found)["chat url"].get("cannot_stream").where.span == Span(9, 5, 9, 8)
    assert proxies(found)["chat httpApi"].value("total_timeout") == 30
    assert not any("nightly" in hop.name for hop in found.hops)


def test_what_is_no_template_says_nothing(tmp_path: Path) -> None:
    for text in (
        "a: AWS::x\n",
        "Resources: {A: {Type: AWS::S3::Bucket}}\n",
        "provider: x\n",
        "Resources: [1]\nx: AWS::\n",
        "{",
    ):
        assert reading("serverless", tmp_path, {"x.yml": text}).hops == ()


STACK = """
from aws_cdk import Duration, Stack
from aws_cdk import aws_apigateway as apigw, aws_cloudfront_origins as origins
from aws_cdk import aws_ecs_patterns as patterns, aws_lambda as _lambda
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration


class ChatStack(Stack):
    def __init__(self, scope, construct_id):
        self.chat = _lambda.Function(
            self, "Chät", handler="main.handler", runtime=_lambda.Runtime.PYTHON_3_12, timeout=Duration.seconds(5 * 60),
            code=_lambda.Code.from_asset("service"),
        )
        page = _lambda.Function(self, "Page", handler="index.handler", runtime=_lambda.Runtime.NODEJS_22_X)
        self.chat.add_function_url(invoke_mode=_lambda.InvokeMode.RESPONSE_STREAM)
        apigw.LambdaRestApi(self, "Api", handler=self.chat)
        HttpLambdaIntegration("x", handler=page)
        HttpLambdaIntegration("y", elsewhere)
        patterns.ApplicationLoadBalancedFargateService(self, "Web", idle_timeout=Duration.minutes(5))
        origins.HttpOrigin("example.com", read_timeout=seconds)
"""


def test_the_cdk_in_python(tmp_path: Path) -> None:
    found = reading("cdk", tmp_path, {"stack.py": STACK})
    (server,) = by_name(found, Role.SERVER).values()
    assert server.leads_to[0] == ("app", "main:handler", str(tmp_path / "service"))
    assert (server.value("total_timeout"), server.get("total_timeout").where.span.row) == (300.0, 10)
    assert {hop.name for hop in found.hops if hop.role == Role.PROXY} == {
        "add_function_url",
        "LambdaRestApi Api",
        "ApplicationLoadBalancedFargateService Web",
        "HttpOrigin",
    }
    assert proxies(found)["LambdaRestApi Api"].value("cannot_stream")
    assert values(proxies(found)["ApplicationLoadBalancedFargateService Web"]) == {"read_timeout": 300.0}
    assert [note.reason for note in found.notes] == ["the value of read_timeout is not written here"] * 1


def test_columns_of_the_cdk_count_characters(tmp_path: Path) -> None:
    text = 'from aws_cdk import Duration\nx = "äöü"; LB = ApplicationLoadBalancer(s, "ä", idle_timeout=Duration.seconds(30))\n'
    (hop,) = reading("cdk", tmp_path, {"stack.py": text}).hops
    assert hop.where.span == Span(2, 17, 2, 40)


@pytest.mark.parametrize("text", ["import aws_cdk\n(" * 3, "import aws_cdk\n" + "x(" * 90 + ")" * 90, "aws_cdk\0", ""])
def test_python_that_is_odd(text: str, tmp_path: Path) -> None:
    with suppress(NotRead):
        assert isinstance(reading("cdk", tmp_path, {"stack.py": text}), Reading)
