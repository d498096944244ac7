"""The AWS CLI, boto3 and awslogs against the sandbox."""

import base64
import json
import time
import unittest

from vintner import DEMO, Sandbox, eventually

QUIET = ("--rate", "0", "--history", "0", "--speed", "20")


class Logs(unittest.TestCase):
    def test_every_reader_sees_the_lines_of_every_call(self):
        with Sandbox(*QUIET) as sandbox:
            for _ in range(5):
                self.assertEqual(sandbox.predict()[0], 200)

            def reports():
                page = sandbox.aws("logs", "filter-log-events", "--log-group-name", sandbox.group, "--filter-pattern", "REPORT")
                return page["events"] if len(page["events"]) == 5 else None

            events = eventually(reports)
            self.assertEqual(len({event["eventId"] for event in events}), 5)
            self.assertTrue(all(event["ingestionTime"] >= event["timestamp"] for event in events))
            text = sandbox.run("awslogs", "get", sandbox.group, "ALL", "--start", "5m", "--no-color")
            self.assertEqual(text.count(" REPORT RequestId: "), 5, text)
            self.assertEqual(text.count(" INIT_START "), 1, text)
            streams = sandbox.aws("logs", "describe-log-streams", "--log-group-name", sandbox.group, "--order-by", "LastEventTime", "--descending")
            name = streams["logStreams"][0]["logStreamName"]
            page = sandbox.aws("logs", "get-log-events", "--log-group-name", sandbox.group, "--log-stream-name", name, "--start-from-head")
            words = [event["message"].split()[0] for event in page["events"][:4]]
            self.assertEqual(words, ["INIT_START", "✅", "✅", "START"])

    def test_a_day_of_history_pages_without_loss(self):
        with Sandbox("--rate", "0") as sandbox:
            logs = sandbox.client("logs")
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=sandbox.group)
            events = [event for page in pages for event in page["events"]]
            self.assertGreater(len(events), 10_000)
            self.assertEqual(len({event["eventId"] for event in events}), len(events))
            times = [event["timestamp"] for event in events]
            self.assertEqual(times, sorted(times))
            stored = len(logs.filter_log_events(logGroupName=sandbox.group, startFromHead=False, limit=10)["events"])
            self.assertEqual(stored, 10)

    def test_live_tail(self):
        with Sandbox(*QUIET) as sandbox:
            logs = sandbox.client("logs", inject_host_prefix=False)
            arn = f"arn:aws:logs:{sandbox.region}:{sandbox.account}:log-group:{sandbox.group}"
            stream = logs.start_live_tail(logGroupIdentifiers=[arn])["responseStream"]
            sandbox.predict()
            messages = []
            for event in stream:
                messages += [row["message"] for row in event.get("sessionUpdate", {}).get("sessionResults", [])]
                if any(message.startswith("REPORT") for message in messages):
                    break
            stream.close()
            self.assertTrue(any(message.startswith("START") for message in messages))

    def test_insights(self):
        with Sandbox(*QUIET) as sandbox:
            for _ in range(3):
                sandbox.predict()
            logs, now = sandbox.client("logs"), int(time.time())

            def result():
                query = "filter @type = 'REPORT' | stats count(*) as n, max(@memorySize / 1000 / 1000) as mb"
                started = logs.start_query(logGroupName=sandbox.group, startTime=now - 600, endTime=now + 600, queryString=query)
                done = eventually(lambda: (r := logs.get_query_results(queryId=started["queryId"]))["status"] == "Complete" and r)
                row = {field["field"]: field["value"] for field in done["results"][0]} if done["results"] else {}
                return row if row.get("n") == "3" else None

            self.assertEqual(eventually(result)["mb"], "1024")
            with self.assertRaises(logs.exceptions.MalformedQueryException):
                logs.start_query(logGroupName=sandbox.group, startTime=0, endTime=1, queryString="filtr x")


class Lambda(unittest.TestCase):
    def test_the_cli_reads_the_function_and_its_policy(self):
        with Sandbox(*QUIET) as sandbox:
            function = sandbox.aws("lambda", "get-function", "--function-name", sandbox.function)
            self.assertEqual(function["Configuration"]["PackageType"], "Image")
            self.assertEqual(function["Configuration"]["MemorySize"], 1024)
            policy = json.loads(sandbox.aws("lambda", "get-policy", "--function-name", sandbox.function)["Policy"])
            self.assertEqual(policy["Statement"][0]["Principal"]["Service"], "apigateway.amazonaws.com")
            self.assertEqual(sandbox.aws("sts", "get-caller-identity")["Account"], sandbox.account)

    def test_invoke_returns_the_log_tail(self):
        with Sandbox(*QUIET) as sandbox:
            answer = sandbox.client("lambda").invoke(FunctionName=sandbox.function, LogType="Tail", Payload=json.dumps({"body": json.dumps(DEMO)}))
            self.assertNotIn("FunctionError", answer)
            body = json.loads(json.loads(answer["Payload"].read())["body"])
            self.assertEqual(body, sandbox.predict()[1])
            self.assertIn("REPORT RequestId: ", base64.b64decode(answer["LogResult"]).decode())

    def test_a_missing_permission_shows_in_every_place_it_should(self):
        with Sandbox(*QUIET, "--incident", "permission-missing") as sandbox:
            self.assertEqual(sandbox.predict(), (500, {"message": "Internal Server Error"}))
            client = sandbox.client("lambda")
            with self.assertRaises(client.exceptions.ResourceNotFoundException):
                client.get_policy(FunctionName=sandbox.function)
            self.assertNotIn("FunctionError", client.invoke(FunctionName=sandbox.function, Payload=json.dumps(DEMO)))
            self.assertEqual((total(sandbox, "5xx"), total(sandbox, "Invocations")), (1, 1))

    def test_a_throttle_carries_its_reason(self):
        with Sandbox(*QUIET, "--incident", "reserved-zero") as sandbox:
            client = sandbox.client("lambda")
            with self.assertRaises(client.exceptions.TooManyRequestsException) as caught:
                client.invoke(FunctionName=sandbox.function, Payload=b"{}")
            self.assertEqual(caught.exception.response["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded")
            self.assertEqual(client.get_function_concurrency(FunctionName=sandbox.function)["ReservedConcurrentExecutions"], 0)


class Store(unittest.TestCase):
    def test_objects_and_conditions(self):
        with Sandbox(*QUIET) as sandbox:
            s3 = sandbox.client("s3", s3={"addressing_style": "path"})
            s3.put_object(Bucket="wine-quality-mlops", Key="models/v2.onnx", Body=b"model", IfNoneMatch="*")
            with self.assertRaises(s3.exceptions.ClientError) as caught:
                s3.put_object(Bucket="wine-quality-mlops", Key="models/v2.onnx", Body=b"other", IfNoneMatch="*")
            self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 412)
            self.assertEqual(s3.get_object(Bucket="wine-quality-mlops", Key="models/v2.onnx")["Body"].read(), b"model")
            keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket="wine-quality-mlops")["Contents"]]
            self.assertIn("models/v2.onnx", keys)


def total(sandbox, metric):
    """Sum of a metric over the last ten minutes, as the AWS CLI reads it."""
    gateway = metric in ("Count", "4xx", "5xx")
    dimension = {"Name": "ApiId", "Value": "sandbox0api"} if gateway else {"Name": "FunctionName", "Value": sandbox.function}
    stat = {"Metric": {"Namespace": "AWS/ApiGateway" if gateway else "AWS/Lambda", "MetricName": metric, "Dimensions": [dimension]}, "Period": 60, "Stat": "Sum"}
    now = int(time.time())
    answer = sandbox.aws(
        "cloudwatch", "get-metric-data", "--start-time", str(now - 600), "--end-time", str(now + 60),
        "--metric-data-queries", json.dumps([{"Id": "m", "MetricStat": stat}]),
    )
    return sum(answer["MetricDataResults"][0]["Values"])


if __name__ == "__main__":
    unittest.main()
