"""Start the real binary's sandbox for a test, in a home of its own."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

DEMO = {
    "fixed_acidity": 7.4, "volatile_acidity": 0.7, "citric_acid": 0, "residual_sugar": 1.9, "chlorides": 0.076,
    "free_sulfur_dioxide": 11, "total_sulfur_dioxide": 34, "density": 0.9978, "pH": 3.51, "sulphates": 0.56,
    "alcohol": 9.4, "wine_type_encoded": 0,
}


class Sandbox:
    """`with Sandbox("--rate", "0") as sandbox:` serves until the block ends, which must be clean."""

    def __init__(self, *flags):
        self.flags = flags

    def __enter__(self):
        self.home = tempfile.mkdtemp(prefix="vintner-interop-")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "XDG_"))}
        command = [os.environ["VINTNER"], "sandbox", "--json", *self.flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**clean, "HOME": self.home})
        text = ""
        for line in self.process.stdout:
            text += line
            if line == "}\n":
                break
        facts = json.loads(text)
        self.endpoint, self.function, self.group = facts["endpoint"], facts["function"], facts["log_group"]
        self.account, self.region = facts["account"], facts["region"]
        self.env = {**clean, **facts["env"], "HOME": self.home, "AWS_PAGER": ""}
        self.url = facts["env"]["AWS_ENDPOINT_URL"]
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=5)
        self.process.stdout.close()
        shutil.rmtree(self.home, ignore_errors=True)
        if code != 0:
            raise AssertionError(f"the sandbox ended with {code}")

    def predict(self, body=None):
        """POST a prediction; returns (status, parsed body)."""
        request = urllib.request.Request(self.endpoint, json.dumps(DEMO if body is None else body).encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def run(self, *command, timeout=60):
        """Run a client program against the sandbox; returns its stdout."""
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def aws(self, *arguments):
        """Run the AWS CLI; returns its parsed JSON."""
        return json.loads(self.run("aws", "--output", "json", *arguments))

    def client(self, service, **config):
        """A boto3 client."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            service, endpoint_url=self.url, region_name=self.region, aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"], config=Config(retries={"max_attempts": 0}, **config),
        )


def eventually(check, seconds=20):
    """Poll until `check()` is truthy and return that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("the condition never came true")
