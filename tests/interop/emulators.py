"""Other people's AWS: moto and ministack on loopback ports, for vintner as the client."""

import io
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import zipfile

REGION = "us-east-1"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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

    def client(self, service, **config):
        import boto3
        from botocore.config import Config

        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test",
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


class Ministack(Emulator):
    def command(self):
        return ["ministack"]

    def extra_env(self):
        return {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(self.port), "IOT_MTLS_ENABLED": "0"}

    def function(self, name, source):
        """A Python function that ministack really runs."""
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("app.py", source)
        functions = self.client("lambda")
        functions.create_function(
            FunctionName=name, Runtime="python3.12", Role="arn:aws:iam::000000000000:role/x", Handler="app.handler",
            Code={"ZipFile": package.getvalue()}, Timeout=10, MemorySize=256,
        )
        functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return functions
