"""`vintner lambda` and `vintner doctor` with moto and ministack as AWS; the AWS CLI reading our sandbox.

What each emulator lacks: moto_server has no CloudWatch metrics as today's SDKs ask for them (CBOR), no policy simulator,
no account settings, and keeps one policy for a function and its versions. ministack has no image digests and no `?a ?b`
in filter patterns, so REPORT lines are read from moto and metrics from ministack.
"""

import datetime
import json
import math
import os
import shlex
import subprocess
import time
import unittest
import urllib.error
import urllib.request

from emulators import REGION, HttpApi, Ministack, Moto, package
from vintner import Sandbox

PREDICTION = {"prediction": 5.1, "wine_quality_score": 5.1, "quality_rating": "Average", "message": "Prediction successful"}
PROXY_RESPONSE = {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(PREDICTION)}
HANDLER = f"""
def handler(event, context):
    return {PROXY_RESPONSE!r}
"""
LOG_ROLE = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


class Diagnosis:
    """What `vintner doctor --json` says of a function behind an API."""

    def __init__(self, api, function, *flags):
        done = api.aws.vintner("doctor", "--function", function, "--endpoint", api.endpoint, *flags, "--json", code=(0, 1))
        said = json.loads(done.stdout)
        self.code, self.text, self.fix = (said["verdict"][key] for key in ("code", "text", "fix"))
        self.findings = {finding["check"]: finding for finding in said["findings"]}
        self.exit = done.returncode

    def status(self, check):
        return self.findings[check]["status"]

    def evidence(self, check):
        return self.findings[check]["evidence"]

    def __repr__(self):
        lines = [f"{found['status']} {name}: {found['evidence']}" for name, found in self.findings.items()]
        return "\n".join([f"{self.code} ({self.exit}): {self.text}", self.fix, *lines])


class Check(unittest.TestCase):
    """Assertions on what vintner says."""

    def assert_verdict(self, found, code):
        """The code, and the exit code that goes with it."""
        self.assertEqual((found.code, found.exit), (code, 0 if code == "healthy" else 1), found)

    def assert_finding(self, found, check, status, *words):
        self.assertEqual(found.status(check), status, found)
        for word in words:
            self.assertIn(word, found.evidence(check))

    def lambda_json(self, aws, function, *arguments):
        # 1 is a red lamp.
        return json.loads(aws.vintner("lambda", "--function", function, "--json", *arguments, code=(0, 1)).stdout)

    def known(self, fact):
        self.assertEqual(fact["answer"], "known", fact)
        return fact["value"]

    def assert_described(self, said, function, versions, aliases):
        """GetFunction, ListVersionsByFunction and ListAliases as another client read them; returns the configuration."""
        config, wanted = self.known(said["config"]), described(function)
        self.assertEqual({key: config[key] for key in wanted}, wanted)
        self.assertEqual(self.known(said["versions"]), [version(one) for one in versions["Versions"]])
        self.assertEqual(self.known(said["aliases"]), [alias(one) for one in aliases["Aliases"]])
        return config


def described(function):
    """GetFunction's answer, as boto3 reads it, in the words of `vintner lambda --json`."""
    c, code = function["Configuration"], function["Code"]
    logging = c.get("LoggingConfig", {})
    return {
        "name": c["FunctionName"], "arn": c["FunctionArn"], "description": c["Description"], "version": c["Version"],
        "package_type": c["PackageType"], "image_uri": code.get("ImageUri"), "resolved_image_uri": code.get("ResolvedImageUri"),
        "runtime": c.get("Runtime"), "handler": c.get("Handler"), "architecture": c["Architectures"][0],
        "memory_mb": c["MemorySize"], "timeout_s": c["Timeout"], "ephemeral_mb": c["EphemeralStorage"]["Size"], "role": c["Role"],
        "vpc": c.get("VpcConfig", {}).get("VpcId") or None, "layers": [layer["Arn"] for layer in c.get("Layers", [])],
        "tracing": c["TracingConfig"]["Mode"], "log_group": logging.get("LogGroup", f"/aws/lambda/{c['FunctionName']}"),
        "log_format": logging.get("LogFormat", "Text"),
        "environment": [[key, "••••••"] for key in sorted(c.get("Environment", {}).get("Variables", {}))],
        "last_modified": c["LastModified"], "code_sha256": c["CodeSha256"], "code_size": c["CodeSize"], "state": c["State"],
        "last_update_status": c["LastUpdateStatus"], "tags": [list(pair) for pair in sorted(function.get("Tags", {}).items())],
    }


def version(configuration):
    return {
        "version": configuration["Version"], "last_modified": configuration["LastModified"],
        "code_sha256": configuration["CodeSha256"], "memory_mb": configuration["MemorySize"],
        "timeout_s": configuration["Timeout"], "description": configuration["Description"],
    }


def alias(configuration):
    weights = (configuration.get("RoutingConfig") or {}).get("AdditionalVersionWeights", {})
    weights = [list(pair) for pair in sorted(weights.items())]
    return {"name": configuration["Name"], "version": configuration["FunctionVersion"], "weights": weights}


def asked(functions, name):
    """What `assert_described` compares with, by boto3."""
    calls = (functions.get_function, functions.list_versions_by_function, functions.list_aliases)
    return [call(FunctionName=name) for call in calls]


def nearest_rank(values, share):
    return sorted(values)[math.ceil(share * len(values)) - 1]


def invocation(index, duration, init):
    """The lines of one call and what is billed for it."""
    request, billed = f"00000000-0000-4000-8000-{index:012d}", math.ceil(duration + (init or 0))
    report = (
        f"REPORT RequestId: {request}\tDuration: {duration} ms\tBilled Duration: {billed} ms\tMemory Size: 512 MB\t"
        f"Max Memory Used: {200 + index % 50} MB\t" + (f"Init Duration: {init} ms\t" if init else "")
    )
    return [f"START RequestId: {request} Version: $LATEST\n", f"[INFO] a line that says REPORT {index}\n", f"{report}\n"], billed


class WithMoto(Check):
    @classmethod
    def setUpClass(cls):
        cls.aws = cls.enterClassContext(Moto())
        cls.aws.functions_answer(PROXY_RESPONSE)
        cls.functions, cls.logs = cls.aws.client("lambda"), cls.aws.client("logs")
        cls.role = cls.aws.client("iam").create_role(RoleName="cellar", AssumeRolePolicyDocument="{}")["Role"]["Arn"]

    def function(self, name, **more):
        """A function that has a log group, as one that ran before has; returns its ARN."""
        self.logs.create_log_group(logGroupName=f"/aws/lambda/{name}")
        made = {"Runtime": "python3.12", "Handler": "app.handler", "Code": {"ZipFile": package(HANDLER)}, **more}
        return self.functions.create_function(FunctionName=name, Role=self.role, **made)["FunctionArn"]

    def allow(self, name, source, sid="other", **more):
        """Let API Gateway invoke it from `source`, or let in whoever `more` says."""
        self.functions.add_permission(**{
            "FunctionName": name, "StatementId": sid, "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
            **({"SourceArn": source} if source else {}), **more,
        })

    def image(self, manifest, tag="v1"):
        """Push an image that differs by `manifest`; returns its digest."""
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        part = {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": 1, "digest": f"sha256:{manifest:064x}"}
        text = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": part, "layers": [part]})
        named = {"repositoryName": "wine", "imageTag": tag}
        pushed = self.aws.client("ecr").put_image(imageManifest=text, imageManifestMediaType=kind, **named)
        return pushed["image"]["imageId"]["imageDigest"]

    def test_lambda_says_of_a_zip_what_boto3_says(self):
        layer = self.functions.publish_layer_version(LayerName="pandas", Content={"ZipFile": package("")})["LayerVersionArn"]
        self.function(
            "whole", Description="Schöne \"Weine\"", Timeout=47, MemorySize=1769, Architectures=["arm64"], Layers=[layer],
            Environment={"Variables": {"BUCKET": "sesame-street", "KEY": "models/v7"}}, TracingConfig={"Mode": "Active"},
            VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}, EphemeralStorage={"Size": 2048},
            Tags={"team": "cellar", "stage": "prod"},
        )
        for _ in range(2):
            self.functions.publish_version(FunctionName="whole")
        weights = {"AdditionalVersionWeights": {"2": 0.25}}
        self.functions.create_alias(FunctionName="whole", Name="live", FunctionVersion="1", RoutingConfig=weights)
        self.functions.put_function_concurrency(FunctionName="whole", ReservedConcurrentExecutions=7)
        url = self.functions.create_function_url_config(FunctionName="whole", AuthType="NONE")["FunctionUrl"]
        self.allow("whole", None)
        done = self.aws.vintner("lambda", "--function", "whole", "--json", code=(0, 1))
        self.assertNotIn("sesame-street", done.stdout + done.stderr)
        said = json.loads(done.stdout)["function"]
        self.assert_described(said, *asked(self.functions, "whole"))
        self.assertEqual(self.known(said["aliases"])[0]["weights"], [["2", 0.25]])
        self.assertEqual(self.known(said["concurrency"])["reserved"], 7)
        self.assertEqual(self.known(said["url"]), url)
        policy = self.functions.get_policy(FunctionName="whole")["Policy"]
        self.assertEqual(json.loads(self.known(said["policy"])), json.loads(policy))

    def test_lambda_does_not_deny_a_function_that_lacks_policy_and_url(self):
        self.function("bare")
        said = self.lambda_json(self.aws, "bare")["function"]
        for part in ("policy", "url"):
            self.assertEqual(said[part]["answer"], "missing")
            self.assertNotIn("function bare not found", said[part]["value"])

    def test_lambda_counts_report_lines_by_nearest_rank_and_costs_them(self):
        self.function("measured", MemorySize=512)
        now = int(time.time() * 1000)
        warm = [100 + (n * 37 % 300) + 0.25 for n in range(300)]
        cold = [(180.5, 900.0), (190.5, 1400.25), (170.5, 1100.5)]
        calls = [(duration, None) for duration in warm]
        for place, call in zip((0, 100, 200), cold):
            calls.insert(place, call)
        events, billed = [], []
        for index, (duration, init) in enumerate(calls):
            lines, paid = invocation(index, duration, init)
            billed.append(paid)
            events += [{"timestamp": now - 3_000_000 + index * 9000, "message": line} for line in lines]
        self.logs.create_log_stream(logGroupName="/aws/lambda/measured", logStreamName="a")
        self.logs.put_log_events(logGroupName="/aws/lambda/measured", logStreamName="a", logEvents=events)
        said = self.lambda_json(self.aws, "measured", "--window", "1h")
        vitals = said["vitals"]
        self.assertEqual(said["reports"], "303 REPORT lines in 1h")
        rows = {row["what"]: row for row in vitals["latency"] if row["source"] == "REPORT lines"}
        durations = warm + [duration for duration, _ in cold]
        shown = [rows["Duration"]["p50"], rows["Duration"]["p99"], vitals["warm"]["p99"]]
        ranked = [nearest_rank(durations, 0.5), nearest_rank(durations, 0.99), nearest_rank(warm, 0.99)]
        self.assertEqual([one["ms"] for one in shown], ranked)
        self.assertEqual((vitals["cold"]["n"], vitals["cold"]["cold"], vitals["cold"]["init"]["max"]), (303, 3, 1400.25))
        self.assertEqual(vitals["cold"]["init"]["p50"], {"kind": "measured", "ms": 1100.5})
        self.assertEqual(vitals["max_memory"], [249, 303])
        compute = sum(billed) / len(billed) / 1000 * 512 / 1024 * 0.0000166667 * 1e6
        self.assertAlmostEqual(vitals["cost"]["million"]["compute"], compute, places=9)
        self.assertEqual((vitals["cost"]["million"]["requests"], vitals["cost"]["million"]["gateway"]), (0.2, 1.0))

    def test_a_missing_permission_is_found_and_its_fix_mends_it(self):
        with HttpApi(self.aws, self.function("alone")) as api:
            broken = Diagnosis(api, "alone")
            self.assert_verdict(broken, "permission-missing")
            self.assert_finding(broken, "policy", "FAIL", "no resource policy")
            self.assert_finding(broken, "invoke", "PASS")
            self.assert_finding(broken, "api", "PASS", "POST /predict", api.target(), "2.0", "29000")
            self.assertEqual(broken.findings["policy"]["fix"], broken.fix)
            self.aws.paste(broken.fix)
            statement, = json.loads(self.functions.get_policy(FunctionName="alone")["Policy"])["Statement"]
            source = f"arn:aws:execute-api:{REGION}:123456789012:{api.id}/*/*"
            self.assertEqual(statement["Condition"], {"ArnLike": {"AWS:SourceArn": source}})
            mended = Diagnosis(api, "alone")
            self.assert_finding(mended, "policy", "PASS", statement["Sid"])
            self.assert_verdict(mended, "healthy")

    def test_near_misses_are_named_and_the_fix_mends_them(self):
        with HttpApi(self.aws, self.function("near")) as api:
            own = f"arn:aws:execute-api:{REGION}:123456789012:{api.id}"
            misses = {
                "another API id": {"source": own.replace(api.id, "q3v7x0old9") + "/*/*"},
                "another region": {"source": own.replace(REGION, "eu-west-1") + "/*/*"},
                "another account": {"source": own.replace("123456789012", "210987654321") + "/*/*"},
                "another stage": {"source": own + "/prod/*"},
                "another method: ANY": {"source": own + "/*/ANY/predict"},
                "another path": {"source": own + "/*/POST/predictions"},
                "sourceaccount": {"source": None, "SourceAccount": "210987654321"},
            }
            for words, statement in misses.items():
                with self.subTest(words):
                    found = self.with_only(api, "near", statement)
                    self.assert_verdict(found, "permission-wrong-source-arn")
                    self.assert_finding(found, "policy", "FAIL", words, statement["source"] or "210987654321")
            strangers = {
                "another service": {"Principal": "events.amazonaws.com"}, "another action": {"Action": "lambda:GetFunction"},
            }
            for words, statement in strangers.items():
                with self.subTest(words):
                    found = self.with_only(api, "near", {"source": own + "/*/*", **statement})
                    self.assert_verdict(found, "permission-missing")
                    self.assert_finding(found, "policy", "FAIL", "no statement")
            for sid, statement in enumerate([*misses.values(), *strangers.values()]):
                self.allow("near", sid=f"s{sid}", **{"source": own + "/*/*", **statement})
            broken = Diagnosis(api, "near")
            self.assert_verdict(broken, "permission-wrong-source-arn")
            self.aws.paste(broken.fix)
            self.assert_verdict(Diagnosis(api, "near"), "healthy")

    def with_only(self, api, name, statement):
        """What Doctor says while this is the policy's only statement."""
        self.allow(name, **statement)
        try:
            return Diagnosis(api, name)
        finally:
            self.functions.remove_permission(FunctionName=name, StatementId="other")

    def test_every_way_to_grant_the_permission_is_understood(self):
        with HttpApi(self.aws, self.function("granted")) as api:
            own = f"arn:aws:execute-api:{REGION}:123456789012:{api.id}"
            for tail in ("/*/*", "/*", "/*/*/predict", "/*/POST/predict", "/$default/POST/predict", "*"):
                with self.subTest(tail):
                    found = self.with_only(api, "granted", {"source": own + tail})
                    self.assert_verdict(found, "healthy")
                    self.assert_finding(found, "policy", "PASS", "statement other")
            with self.subTest("from anywhere in the account"):
                found = self.with_only(api, "granted", {"source": None, "SourceAccount": "123456789012"})
                self.assert_verdict(found, "healthy")

    def test_the_policy_lamp_agrees_with_doctor(self):
        with HttpApi(self.aws, self.function("lamp")) as api:
            self.allow("lamp", api.source())
            lamps = self.lambda_json(self.aws, "lamp", "--endpoint", api.endpoint)["vitals"]["strip"]
            lamp, = (lamp for lamp in lamps if lamp["label"] == "policy")
            self.assertEqual((lamp["light"], Diagnosis(api, "lamp").status("policy")), ("green", "PASS"), lamp)

    def test_a_named_stage_is_part_of_the_path_and_of_the_source_arn(self):
        with HttpApi(self.aws, self.function("staged"), stage="prod") as api:
            broken = Diagnosis(api, "staged")
            self.assert_finding(broken, "api", "PASS", "POST /predict")
            self.assert_verdict(broken, "permission-missing")
            self.allow("staged", api.source())
            self.assert_verdict(Diagnosis(api, "staged"), "healthy")

    def test_an_integration_with_a_role_needs_no_permission(self):
        with HttpApi(self.aws, self.function("assumed")) as api:
            api.apis.update_integration(ApiId=api.id, IntegrationId=api.integration, CredentialsArn=self.role)
            found = Diagnosis(api, "assumed")
            self.assert_finding(found, "policy", "SKIP", self.role)
            self.assert_verdict(found, "gateway-500")
            self.assertIn(self.role, found.text)

    def test_a_function_that_never_ran_is_healthy(self):
        arn = self.function("new")
        self.logs.delete_log_group(logGroupName="/aws/lambda/new")
        with HttpApi(self.aws, arn) as api:
            self.allow("new", None)
            found = Diagnosis(api, "new")
            self.assert_finding(found, "logs", "WARN", "/aws/lambda/new")
            self.assert_verdict(found, "healthy")

    def test_what_moto_lacks_is_unknown_and_stops_nothing(self):
        with HttpApi(self.aws, self.function("partly")) as api:
            self.allow("partly", None)
            found = Diagnosis(api, "partly")
            self.assert_verdict(found, "healthy")
            for check in ("role", "deployer", "metrics"):
                self.assert_finding(found, check, "UNKNOWN")
            self.assert_finding(found, "identity", "PASS", "123456789012")

    def test_a_function_that_does_not_exist(self):
        with HttpApi(self.aws, self.function("there")) as api:
            self.assert_verdict(Diagnosis(api, "nowhere"), "wrong-region")
        said = self.aws.vintner("lambda", "--function", "nowhere", code=(3,)).stderr
        self.assertIn("nowhere not found in us-east-1", said)

    def test_images_their_tags_and_who_may_pull_them(self):
        ecr = self.aws.client("ecr")
        ecr.create_repository(repositoryName="wine")
        first = self.image(1)
        uri = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/wine:v1"
        arn = self.function("image", PackageType="Image", Code={"ImageUri": uri}, Runtime="", Handler="")
        self.allow("image", None)
        config = self.assert_described(self.lambda_json(self.aws, "image")["function"], *asked(self.functions, "image"))
        self.assertEqual((config["image_uri"], config["resolved_image_uri"]), (uri, uri.replace(":v1", "@" + first)))
        with HttpApi(self.aws, arn) as api:
            unpullable = Diagnosis(api, "image")
            self.assert_verdict(unpullable, "ecr-denied")
            self.assert_finding(unpullable, "image", "PASS", first)
            self.aws.paste(unpullable.fix)
            mended = Diagnosis(api, "image")
            self.assert_finding(mended, "repository-policy", "PASS")
            self.assert_verdict(mended, "healthy")
            second = self.image(2)
            moved = Diagnosis(api, "image")
            self.assert_verdict(moved, "tag-drift")
            self.assert_finding(moved, "image", "WARN", first, second)
            self.aws.paste(moved.fix)
            self.assert_verdict(Diagnosis(api, "image"), "healthy")
            ecr.batch_delete_image(repositoryName="wine", imageIds=[{"imageTag": "v1"}])
            gone = Diagnosis(api, "image")
            self.assert_verdict(gone, "image-deleted")
            self.assert_finding(gone, "image", "FAIL", "wine:v1")


class WithMinistack(Check):
    @classmethod
    def setUpClass(cls):
        cls.aws = cls.enterClassContext(Ministack())
        iam = cls.aws.client("iam")
        cls.role = iam.create_role(RoleName="cellar", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        iam.attach_role_policy(RoleName="cellar", PolicyArn=LOG_ROLE)
        cls.functions = cls.aws.client("lambda")

    def function(self, name, source=HANDLER, **more):
        """Create it; returns its ARN."""
        self.aws.function(name, source, **{"Role": self.role, **more})
        if source is HANDLER:
            self.warm(name)
        return self.functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]

    def warm(self, name):
        """Some calls in the log: ministack's cold starts carry no Init Duration, so one alone would look like a slow call."""
        for _ in range(8):
            self.functions.invoke(FunctionName=name, Payload="{}")

    def allow(self, name, api, **more):
        self.functions.add_permission(
            FunctionName=name, StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
            SourceArn=f"{api.source().split('/')[0]}/*/*", **more,
        )

    def test_lambda_says_of_a_function_what_boto3_says(self):
        self.function(
            "whole", Description="red", Timeout=9, MemorySize=384, Environment={"Variables": {"BUCKET": "sesame-street"}},
            LoggingConfig={"LogFormat": "JSON", "LogGroup": "/cellar/whole"}, TracingConfig={"Mode": "Active"},
            Tags={"team": "cellar"},
        )
        self.functions.publish_version(FunctionName="whole", Description="first")
        self.functions.create_alias(FunctionName="whole", Name="live", FunctionVersion="1")
        done = self.aws.vintner("lambda", "--function", "whole", "--json", code=(0, 1))
        self.assertNotIn("sesame-street", done.stdout + done.stderr)
        said = json.loads(done.stdout)["function"]
        config = self.assert_described(said, *asked(self.functions, "whole"))
        self.assertEqual((config["log_group"], config["log_format"]), ("/cellar/whole", "JSON"))
        limit = self.functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
        self.assertEqual(self.known(said["concurrency"]), {"reserved": None, "account_limit": {"answer": "known", "value": limit}})

    def test_lambda_sums_the_metrics_by_name_and_by_arn(self):
        arn = self.function("counted", "def handler(event, context):\n    return 1 / event['n']\n")
        for n in (1, 2, 0, 4):
            self.functions.invoke(FunctionName="counted", Payload=json.dumps({"n": n}))
        with HttpApi(self.aws, arn) as api:
            put = {"Count": [7, 5], "4xx": [2, 0], "5xx": [1, 2], "Latency": [80.5, 120.25]}
            dimensions, now = [{"Name": "ApiId", "Value": api.id}], datetime.datetime.now(datetime.timezone.utc)
            point = {"Dimensions": dimensions, "Timestamp": now}
            data = [{"MetricName": name, "Value": value, **point} for name, values in put.items() for value in values]
            self.aws.client("cloudwatch").put_metric_data(Namespace="AWS/ApiGateway", MetricData=data)
            for function in ("counted", arn):
                with self.subTest(function):
                    said = self.lambda_json(self.aws, function, "--endpoint", api.endpoint)
                    totals = self.known(said["metrics"])["totals"]
                    wanted = {
                        "invocations": 4, "errors": 1, "throttles": 0, "duration_n": 4, "gateway_count": 12, "gateway_4xx": 2,
                        "gateway_5xx": 3, "latency_n": 2,
                    }
                    self.assertEqual({key: totals[key] for key in wanted}, wanted)
                    budget = said["vitals"]["budget"]
                    self.assertEqual((budget["valid"], budget["bad"]), (10, 3))
            self.assert_finding(Diagnosis(api, "counted"), "metrics", "WARN", "gateway 12 requests, 3 5xx, 2 4xx; Lambda ")

    def test_a_missing_permission_is_found_and_its_fix_mends_it(self):
        with HttpApi(self.aws, self.function("alone")) as api:
            broken = Diagnosis(api, "alone")
            self.assert_verdict(broken, "permission-missing")
            self.assert_finding(broken, "policy", "FAIL")
            self.assert_finding(broken, "invoke", "PASS")
            self.aws.paste(broken.fix)
            mended = Diagnosis(api, "alone")
            self.assert_finding(mended, "policy", "PASS")
            self.assert_verdict(mended, "healthy")
            for check in ("gateway", "invoke", "api", "role", "metrics", "runtime", "logs"):
                self.assert_finding(mended, check, "PASS")

    def test_reasons_that_are_empty_texts_are_no_reasons(self):
        with HttpApi(self.aws, self.function("plain")) as api:
            self.assert_finding(Diagnosis(api, "plain"), "function", "PASS", "LastUpdateStatus Successful; 256 MB")
            lamps = self.lambda_json(self.aws, "plain", "--endpoint", api.endpoint)["vitals"]["strip"]
            self.assertEqual([lamp["label"] for lamp in lamps if not lamp["why"].strip(" :")], [])

    def aliased(self, name):
        """A function that crashes in its newest version while its alias is well; returns the alias' ARN."""
        arn = self.function(name)
        self.functions.publish_version(FunctionName=name)
        self.functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        self.warm(f"{name}:live")
        broken = package("def handler(event, context):\n    return 1 / 0\n")
        self.functions.update_function_code(FunctionName=name, ZipFile=broken)
        self.functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return f"{arn}:live"

    def test_an_alias_needs_a_permission_of_its_own(self):
        with HttpApi(self.aws, self.aliased("aliased")) as api:
            self.allow("aliased", api)
            broken = Diagnosis(api, "aliased:live")
            self.assertIn(broken.code, ("permission-missing", "permission-wrong-source-arn"), broken)
            self.assert_finding(broken, "policy", "FAIL")
            self.assertIn(" --qualifier live ", broken.fix)
            self.aws.paste(broken.fix)
            mended = Diagnosis(api, "aliased:live")
            self.assert_finding(mended, "policy", "PASS")
            self.assert_verdict(mended, "healthy")

    def test_a_permission_on_the_function_instead_of_its_alias_is_a_near_miss(self):
        with HttpApi(self.aws, self.aliased("aside")) as api:
            self.allow("aside", api)
            self.assert_finding(Diagnosis(api, "aside:live"), "policy", "FAIL", "alias", "live")

    def test_the_alias_that_the_integration_calls_is_the_one_examined(self):
        with HttpApi(self.aws, self.aliased("hidden")) as api:
            self.allow("hidden", api)
            broken = Diagnosis(api, "hidden")
            with self.subTest("its policy"):
                self.assert_finding(broken, "policy", "FAIL", "live")
                self.assertIn(" --qualifier live ", broken.findings["policy"]["fix"])
            self.functions.add_permission(
                FunctionName="hidden", Qualifier="live", StatementId="alias", Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com", SourceArn=api.source(),
            )
            with self.subTest("its code"):
                self.assert_verdict(Diagnosis(api, "hidden"), "healthy")

    def test_a_role_that_may_not_log_is_no_verdict_while_lines_arrive(self):
        """ministack writes a function's lines whatever its role may do: what arrives weighs more than the simulation."""
        mute = self.aws.client("iam").create_role(RoleName="mute", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        with HttpApi(self.aws, self.function("mute", Role=mute)) as api:
            self.allow("mute", api)
            found = Diagnosis(api, "mute")
            self.assert_verdict(found, "healthy")
            self.assert_finding(found, "role", "WARN", "logs:CreateLogStream", "logs:PutLogEvents")

    def test_a_profile_is_the_one_that_the_cli_takes(self):
        account = "111122223333"
        folder = os.path.join(self.aws.home, ".aws")
        os.makedirs(folder)
        with open(os.path.join(folder, "credentials"), "w") as text:
            text.write(f"[cellar]\naws_access_key_id = {account}\naws_secret_access_key = x\n")
        iam = self.aws.client("iam", key=account)
        mute = iam.create_role(RoleName="far", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        made = {"Runtime": "python3.12", "Handler": "app.handler", "Code": {"ZipFile": package(HANDLER)}}
        self.aws.client("lambda", key=account).create_function(FunctionName="far", Role=mute, **made)
        seen = json.loads(self.aws.cli("aws", "sts", "get-caller-identity", "--profile", "cellar", "--output", "json"))
        self.assertEqual(seen["Account"], account)
        with HttpApi(self.aws, self.function("near")) as api:
            found = Diagnosis(api, "far", "--profile", "cellar")
            self.assert_finding(found, "identity", "PASS", account)
            self.assert_finding(found, "role", "FAIL")
            self.aws.paste(found.findings["role"]["fix"])
            attached = iam.list_attached_role_policies(RoleName="far")["AttachedPolicies"]
            self.assertEqual([policy["PolicyArn"] for policy in attached], [LOG_ROLE])
            self.assert_finding(Diagnosis(api, "far", "--profile", "cellar"), "role", "PASS")

    def test_a_crash_a_timeout_and_a_silent_200(self):
        cases = {
            "handler-crash": ("raise ValueError('bad row 7')", "FAIL", "X-Amz-Function-Error Unhandled", "bad row 7"),
            "timeout": ("__import__('time').sleep(3)", "FAIL", "Task timed out after 1.00 seconds"),
            "silent-200": ("return {'error': 'no model'}", "WARN", "no model"),
        }
        for code, (body, status, *words) in cases.items():
            source = f"def handler(event, context):\n    {body}\n"
            with self.subTest(code), HttpApi(self.aws, self.function(code, source, Timeout=1)) as api:
                self.allow(code, api)
                found = Diagnosis(api, code)
                self.assert_verdict(found, code)
                self.assert_finding(found, "invoke", status, *words)
                self.assert_finding(found, "policy", "PASS")
                if code == "timeout":
                    self.aws.paste(found.fix)
                    self.assertEqual(self.functions.get_function_configuration(FunctionName=code)["Timeout"], 30)

    def test_a_function_switched_off_is_switched_on_by_the_fix(self):
        with HttpApi(self.aws, self.function("off")) as api:
            self.allow("off", api)
            self.functions.put_function_concurrency(FunctionName="off", ReservedConcurrentExecutions=0)
            broken = Diagnosis(api, "off")
            self.assert_verdict(broken, "reserved-zero")
            self.assert_finding(broken, "invoke", "FAIL", "429")
            self.aws.paste(broken.fix)
            self.assert_verdict(Diagnosis(api, "off"), "healthy")

    def test_wrong_wiring_is_found_and_its_fix_mends_it(self):
        with HttpApi(self.aws, self.function("wired")) as api:
            self.allow("wired", api)
            self.assert_verdict(Diagnosis(api, "wired"), "healthy")
            api.apis.delete_route(ApiId=api.id, RouteId=api.route)
            unrouted = Diagnosis(api, "wired")
            self.assert_verdict(unrouted, "route-missing")
            self.aws.paste(unrouted.fix)
            self.assert_verdict(Diagnosis(api, "wired"), "healthy")
            api.apis.update_integration(ApiId=api.id, IntegrationId=api.integration, IntegrationUri=f"{api.first_target}-old")
            astray = Diagnosis(api, "wired")
            self.assert_verdict(astray, "wrong-integration")
            self.assert_finding(astray, "api", "FAIL", "wired-old")
            self.aws.paste(astray.fix)
            self.assert_verdict(Diagnosis(api, "wired"), "healthy")


QUIET = ("--rate", "0", "--history", "0", "--speed", "20")
API, IMAGES = "sandbox0api", "--repository-name wine-quality-lambda"
FUNCTION = "--function-name wine-quality-predictor"
ROLE = "--policy-source-arn arn:aws:iam::123456789012:role/wine-quality-lambda-role"
# Incident: what the AWS CLI is asked, its answer while all is well, its answer or error code then.
SHOWN_BY = {
    "permission-missing": (f"lambda get-policy {FUNCTION} --query 'contains(Policy, `{API}`)'", True, "ResourceNotFoundException"),
    "permission-wrong-source-arn": (f"lambda get-policy {FUNCTION} --query 'contains(Policy, `{API}`)'", True, False),
    "wrong-integration": (
        f"apigatewayv2 get-integrations --api-id {API} --query 'ends_with(Items[0].IntegrationUri, `predictor`)'", True, False,
    ),
    "throttled-concurrency": ("lambda get-account-settings --query AccountLimit.ConcurrentExecutions", 1000, 10),
    "stage-throttle": (f"apigatewayv2 get-stages --api-id {API} --query Items[0].DefaultRouteSettings.ThrottlingRateLimit", None, 0),
    "route-missing": (f"apigatewayv2 get-routes --api-id {API} --query 'contains(Items[].RouteKey, `POST /`)'", True, False),
    "endpoint-disabled": ("apigatewayv2 get-apis --query Items[0].DisableExecuteApiEndpoint", False, True),
    "bad-deploy": (f"lambda get-function-configuration {FUNCTION} --query LastUpdateStatus", "Successful", "Failed"),
    "image-deleted": (
        f"ecr describe-images {IMAGES} --image-ids imageTag=latest --query 'length(imageDetails)'", 1, "ImageNotFoundException",
    ),
    "ecr-denied": (
        f"ecr get-repository-policy {IMAGES} --query 'contains(policyText, `ecr:BatchGetImage`)'", True,
        "RepositoryPolicyNotFoundException",
    ),
    "tag-drift": (f"ecr describe-images {IMAGES} --query 'length(imageDetails[?!imageTags])'", 0, 1),
    "role-cannot-log": (
        f"iam simulate-principal-policy {ROLE} --action-names logs:PutLogEvents --query EvaluationResults[0].EvalDecision",
        "allowed", "implicitDeny",
    ),
    "reserved-zero": (f"lambda get-function-concurrency {FUNCTION} --query ReservedConcurrentExecutions", None, 0),
    "credentials-expired": ("sts get-caller-identity --query Account", "123456789012", "ExpiredToken"),
    "access-denied": (f"lambda list-aliases {FUNCTION} --query Aliases[0].Name", "live", "AccessDeniedException"),
    "wrong-region": (f"lambda list-versions-by-function {FUNCTION} --query 'length(Versions)'", 3, "ResourceNotFoundException"),
}


def cli(sandbox, line):
    """The AWS CLI's answer, or the code of the error it ended with."""
    command = ["aws", "--output", "json", *shlex.split(line)]
    done = subprocess.run(command, env=sandbox.env, capture_output=True, text=True, timeout=60)
    if done.returncode == 0:
        return json.loads(done.stdout)
    return done.stderr.partition("An error occurred (")[2].partition(")")[0] or done.stderr


def ask(sandbox, command):
    """What a vintner that knows the sandbox only as an AWS account says: (exit code, JSON)."""
    flags = ["--target", "aws", "--function", sandbox.function, "--endpoint", sandbox.endpoint, "--json"]
    done = subprocess.run([os.environ["VINTNER"], command, *flags], env=sandbox.env, capture_output=True, text=True, timeout=60)
    if done.returncode not in (0, 1):
        raise AssertionError(f"{command} ended with {done.returncode}: {done.stderr}")
    return done.returncode, json.loads(done.stdout)


class SandboxByTheCli(Check):
    def test_the_cli_and_vintner_describe_the_same_function(self):
        with Sandbox(*QUIET) as sandbox:
            _, said = ask(sandbox, "lambda")
            function = said["function"]
            read = (cli(sandbox, f"lambda {call} {FUNCTION}") for call in ("get-function", "list-versions-by-function", "list-aliases"))
            config = self.assert_described(function, *read)
            policy = cli(sandbox, f"lambda get-policy {FUNCTION} --query Policy")
            self.assertEqual(json.loads(self.known(function["policy"])), json.loads(policy))
            reserved = cli(sandbox, f"lambda get-function-concurrency {FUNCTION} --query ReservedConcurrentExecutions")
            limit = cli(sandbox, "lambda get-account-settings --query AccountLimit.ConcurrentExecutions")
            self.assertEqual(self.known(function["concurrency"]), {"reserved": reserved, "account_limit": {"answer": "known", "value": limit}})
            self.assertEqual(cli(sandbox, "sts get-caller-identity --query Account"), config["arn"].split(":")[4])
            self.assertEqual(cli(sandbox, "apigatewayv2 get-apis --query Items[].ApiId"), [self.known(function["api_id"])])

    def test_the_wiring_and_the_image_are_the_functions_own(self):
        with Sandbox(*QUIET) as sandbox:
            _, said = ask(sandbox, "lambda")
            config = self.known(said["function"]["config"])
            integration, = cli(sandbox, f"apigatewayv2 get-integrations --api-id {API}")["Items"]
            self.assertEqual((integration["IntegrationUri"], integration["PayloadFormatVersion"]), (config["arn"], "2.0"))
            routes = cli(sandbox, f"apigatewayv2 get-routes --api-id {API}")["Items"]
            targets = {route["RouteKey"]: route["Target"] for route in routes}
            self.assertEqual(targets["POST /"], f"integrations/{integration['IntegrationId']}")
            stage, = cli(sandbox, f"apigatewayv2 get-stages --api-id {API}")["Items"]
            self.assertEqual((stage["StageName"], stage["AutoDeploy"], bool(stage["DeploymentId"])), ("$default", True, True))
            registry, _, repository = config["image_uri"].partition("/")
            name, _, tag = repository.partition(":")
            image, = cli(sandbox, f"ecr describe-images --repository-name {name} --image-ids imageTag={tag}")["imageDetails"]
            self.assertEqual(config["resolved_image_uri"], f"{registry}/{name}@{image['imageDigest']}")
            actions = "logs:CreateLogStream logs:PutLogEvents s3:DeleteBucket"
            role = f"--policy-source-arn {config['role']}"
            simulated = cli(sandbox, f"iam simulate-principal-policy {role} --action-names {actions}")
            decisions = [result["EvalDecision"] for result in simulated["EvaluationResults"]]
            self.assertEqual(decisions, ["allowed", "allowed", "implicitDeny"])

    def test_the_cli_and_vintner_count_the_same_calls(self):
        with Sandbox(*QUIET) as sandbox:
            for _ in range(6):
                self.assertEqual(sandbox.predict()[0], 200)
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(f"{sandbox.endpoint.rstrip('/')}/nowhere")
            with caught.exception as answer:
                self.assertEqual(answer.code, 404)
            read = metrics(sandbox)
            totals = self.known(ask(sandbox, "lambda")[1]["metrics"])["totals"]
            self.assertEqual({key: totals[key] for key in read}, read)
            counts = ("invocations", "errors", "throttles", "gateway_count", "gateway_4xx", "gateway_5xx")
            self.assertEqual([read[key] for key in counts], [6, 0, 0, 7, 1, 0])

    def test_a_silent_role_speaks_once_its_fix_was_pasted(self):
        """ministack writes a function's lines whatever its role may do, so that only our sandbox is silent before the fix."""
        with Sandbox(*QUIET, "--incident", "role-cannot-log") as sandbox:
            lines = f"logs filter-log-events --log-group-name {sandbox.group} --query 'length(events)'"
            code, ill = ask(sandbox, "doctor")
            self.assertEqual((code, ill["verdict"]["code"], cli(sandbox, lines)), (1, "role-cannot-log", 0))
            for fix in filter(None, ill["verdict"]["fix"].splitlines()):
                done = subprocess.run(shlex.split(fix), env=sandbox.env, capture_output=True, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(sandbox.predict()[0], 200)
            code, well = ask(sandbox, "doctor")
            self.assertEqual((code, well["verdict"]["code"]), (0, "healthy"))
            self.assertGreater(cli(sandbox, lines), 0)

    def test_every_incident_shows_where_the_cli_looks_and_doctor_names_it(self):
        with Sandbox(*QUIET) as sandbox:
            for line, well in {(line, well) for line, well, _ in SHOWN_BY.values()}:
                with self.subTest(line):
                    self.assertEqual(cli(sandbox, line), well)
        for incident, (line, _, broken) in SHOWN_BY.items():
            with self.subTest(incident), Sandbox(*QUIET, "--incident", incident) as sandbox:
                self.assertEqual(cli(sandbox, line), broken)
                code, said = ask(sandbox, "doctor")
                self.assertEqual((code, said["verdict"]["code"]), (1, incident), said)


def metrics(sandbox):
    """The last hour by GetMetricData, as the AWS CLI reads it, under the names that `vintner lambda --json` has."""
    function = ("AWS/Lambda", "FunctionName", sandbox.function)
    gateway = ("AWS/ApiGateway", "ApiId", API)
    wanted = {
        "invocations": (function, "Invocations", "Sum"), "errors": (function, "Errors", "Sum"),
        "throttles": (function, "Throttles", "Sum"),
        "duration_n": (function, "Duration", "SampleCount"), "duration_p99": (function, "Duration", "p99"),
        "gateway_count": (gateway, "Count", "Sum"), "gateway_4xx": (gateway, "4xx", "Sum"),
        "gateway_5xx": (gateway, "5xx", "Sum"),
        "latency_n": (gateway, "Latency", "SampleCount"), "latency_p50": (gateway, "Latency", "p50"),
        "integration_p99": (gateway, "IntegrationLatency", "p99"),
    }
    queries = []
    for name, ((namespace, dimension, value), metric, stat) in wanted.items():
        which = {"Namespace": namespace, "MetricName": metric, "Dimensions": [{"Name": dimension, "Value": value}]}
        queries.append({"Id": name, "MetricStat": {"Metric": which, "Period": 3600, "Stat": stat}})
    end = (int(time.time()) // 60 + 1) * 60
    window = ("--start-time", str(end - 3600), "--end-time", str(end))
    answer = sandbox.aws("cloudwatch", "get-metric-data", *window, "--metric-data-queries", json.dumps(queries))
    # Calls on both sides of a full hour come in two points: counts add up, of percentiles the larger is shown.
    join = {name: max if stat.startswith("p") else sum for name, (_, _, stat) in wanted.items()}
    return {result["Id"]: join[result["Id"]](result["Values"]) for result in answer["MetricDataResults"]}


if __name__ == "__main__":
    unittest.main()
