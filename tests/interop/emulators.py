"""Other people's AWS: moto and ministack on loopback ports, for vintner as the client."""

import fnmatch
import http.server
import io
import json
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zipfile

REGION = "us-east-1"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def package(source):
    """A zip with one Python module, as CreateFunction takes it."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("app.py", source)
    return data.getvalue()


def post(url, body):
    """POST JSON text; returns (status, body) whatever the status is."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


class Emulator:
    """`with Moto() as aws:` serves until the block ends. `aws.client(service)` is boto3, `aws.vintner(...)` runs ours."""

    def command(self):
        raise NotImplementedError

    def extra_env(self):
        return {}

    def __enter__(self):
        self.home = tempfile.mkdtemp(prefix="vintner-interop-")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "XDG_"))}
        self.env = {
            **clean, "HOME": self.home, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1",
        }
        self.log = open(os.path.join(self.home, "server.log"), "w+")
        self.process = subprocess.Popen(
            self.command(), env={**self.env, **self.extra_env()}, cwd=self.home, stdout=self.log, stderr=subprocess.STDOUT
        )
        self.wait()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def wait(self):
        end = time.monotonic() + 90
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        self.log.seek(0)
        raise AssertionError(f"the server does not listen: {self.log.read()[-2000:]}")

    def client(self, service, key="test", **config):
        """boto3; a key of twelve digits is an account of its own to ministack."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, aws_access_key_id=key, aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 2}, **config),
        )

    def arguments(self, *arguments):
        """vintner against this server, by flags alone."""
        command, *rest = arguments
        return [os.environ["VINTNER"], command, "--target", "aws", "--region", REGION, "--endpoint-url", self.url, *rest]

    def vintner(self, *arguments, code=(0,)):
        done = subprocess.run(self.arguments(*arguments), env=self.env, capture_output=True, text=True, timeout=120)
        if done.returncode not in code:
            raise AssertionError(f"{arguments} ended with {done.returncode}: {done.stderr}")
        return done

    def rows(self, *arguments):
        """The JSON lines that vintner prints."""
        return [json.loads(line) for line in self.vintner(*arguments, "--json").stdout.splitlines()]

    def follow(self, *arguments):
        """vintner in the background, its stdout in a file."""
        return Follower(self, arguments)

    def cli(self, *words):
        """The AWS CLI in a shell whose own region is another one; returns its stdout."""
        env = {**self.env, "AWS_ENDPOINT_URL": self.url, "AWS_DEFAULT_REGION": "eu-north-1", "AWS_PAGER": ""}
        done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"{words} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def paste(self, fix):
        """Run the lines of a fix as a person would paste them, comments left out."""
        for words in filter(None, (shlex.split(line, comments=True) for line in fix.splitlines())):
            if words[0] != "aws":
                raise AssertionError(f"not a line for the AWS CLI: {words}")
            self.cli(*words)

    def call_route(self, api, path, body):
        """What the API's integration answers, permission granted: (status, body)."""
        raise NotImplementedError


class Follower:
    """A running `vintner logs --follow --json`."""

    def __init__(self, aws, arguments):
        self.path = os.path.join(aws.home, f"follow-{free_port()}")
        command = aws.arguments("logs", "--follow", "--json", *arguments)
        self.errors = open(self.path + ".err", "w+")
        with open(self.path, "w") as out:
            self.process = subprocess.Popen(command, env=aws.env, stdout=out, stderr=self.errors)

    def rows(self):
        with open(self.path) as text:
            return [json.loads(line) for line in text if line.endswith("\n")]

    def stop(self):
        """Interrupts it as Ctrl-C does; it must end with 0."""
        self.process.send_signal(2)
        code = self.process.wait(timeout=10)
        self.errors.seek(0)
        said = self.errors.read()
        self.errors.close()
        if code != 0:
            raise AssertionError(f"following ended with {code}: {said}")
        return said


class Moto(Emulator):
    def command(self):
        return ["moto_server", "-H", "127.0.0.1", "-p", str(self.port)]

    def extra_env(self):
        return {"MOTO_LAMBDA_STUB_ECR": "false"}  # an image must be in moto's ECR and resolves to its digest

    def functions_answer(self, result):
        """Let every function return this: moto would want Docker to run one."""
        post(f"{self.url}/moto-api/config", json.dumps({"lambda": {"use_docker": False}}).encode())
        queue = {"region": REGION, "results": [json.dumps(result)] * 500}
        post(f"{self.url}/moto-api/static/lambda-simple/response", json.dumps(queue).encode())

    def call_route(self, api, path, body):
        event = {"version": "2.0", "rawPath": path, "body": body.decode()}
        answer = api.functions.invoke(FunctionName=api.target(), Payload=json.dumps(event))
        result = json.load(answer["Payload"])
        return result["statusCode"], result["body"].encode()


class Ministack(Emulator):
    def command(self):
        return ["ministack"]

    def extra_env(self):
        return {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(self.port), "IOT_MTLS_ENABLED": "0"}

    def function(self, name, source, **more):
        """A Python function that ministack really runs."""
        functions = self.client("lambda")
        functions.create_function(**{
            "FunctionName": name, "Runtime": "python3.12", "Role": "arn:aws:iam::000000000000:role/x", "Handler": "app.handler",
            "Code": {"ZipFile": package(source)}, "Timeout": 10, "MemorySize": 256, **more,
        })
        functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return functions

    def call_route(self, api, path, body):
        status, body = post(f"{self.url}/_aws/execute-api/{api.id}/{api.stage}{path}", body)
        # Where an HTTP API says 500, ministack says 502 and why.
        return (500, GATEWAY_500) if status == 502 else (status, body)


GATEWAY_500 = b'{"message":"Internal Server Error"}'


class HttpApi:
    """An HTTP API before a function: wired with boto3 in the emulator, answered on a port of its own.

    No emulator asks a function's resource policy before it lets API Gateway invoke, and a permission that is missing is
    the case Doctor is there for. So the port asks it, as AWS does, and then hands the call to the emulator.
    """

    def __init__(self, aws, target, stage="$default", path="/predict"):
        self.aws, self.first_target, self.stage, self.path = aws, target, stage, path

    def __enter__(self):
        self.functions = self.aws.client("lambda")
        apis = self.apis = self.aws.client("apigatewayv2")
        self.id = apis.create_api(Name="wine", ProtocolType="HTTP")["ApiId"]
        integration = apis.create_integration(
            ApiId=self.id, IntegrationType="AWS_PROXY", IntegrationUri=self.first_target, PayloadFormatVersion="2.0",
            IntegrationMethod="POST", TimeoutInMillis=29_000,
        )
        self.integration = integration["IntegrationId"]
        route = apis.create_route(ApiId=self.id, RouteKey=f"POST {self.path}", Target=f"integrations/{self.integration}")
        self.route = route["RouteId"]
        apis.create_stage(ApiId=self.id, StageName=self.stage, AutoDeploy=True)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        prefix = "" if self.stage == "$default" else f"/{self.stage}"
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}{prefix}{self.path}"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.apis.delete_api(ApiId=self.id)

    def handler(self):
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = api.answer(body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.send_header("Apigw-Requestid", "interop")
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        return Handler

    def answer(self, body):
        if not self.may_invoke():
            return 500, GATEWAY_500
        return self.aws.call_route(self, self.path, body)

    def target(self):
        """The function, version or alias that the integration calls now: an ARN."""
        return self.apis.get_integration(ApiId=self.id, IntegrationId=self.integration)["IntegrationUri"]

    def source(self):
        """The ARN that API Gateway presents when it calls the function."""
        account = self.first_target.split(":")[4]
        return f"arn:aws:execute-api:{REGION}:{account}:{self.id}/{self.stage}/POST{self.path}"

    def may_invoke(self):
        """Does the policy of the very function, version or alias that is called let this API in?"""
        target = self.target()
        name, _, qualifier = target.split(":function:")[1].partition(":")
        try:
            policy = self.functions.get_policy(FunctionName=name, **({"Qualifier": qualifier} if qualifier else {}))
        except self.functions.exceptions.ResourceNotFoundException:
            return False
        return any(admits(statement, target, self.source()) for statement in json.loads(policy["Policy"])["Statement"])


def admits(statement, target, source):
    """One statement as AddPermission writes it, and nothing beyond that."""
    condition = statement.get("Condition", {})
    pattern = condition.get("ArnLike", {}).get("AWS:SourceArn", "*")
    account = condition.get("StringEquals", {}).get("AWS:SourceAccount", source.split(":")[4])
    return (
        statement["Effect"] == "Allow" and statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
        and statement["Action"] == "lambda:InvokeFunction" and statement["Resource"] == target
        and fnmatch.fnmatchcase(source, pattern) and account == source.split(":")[4]
    )
