//! Every row of the decision matrix and every incident: verdict, fix, and a finding that says so.

use super::*;

type Case = (&'static str, fn(&mut Facts), &'static str);

/// (code, what is changed from the healthy facts, what the fix must contain).
const CASES: &[Case] = &[
    ("healthy", |_| (), ""),
    (
        "permission-missing",
        |f| {
            gateway_500(f);
            flat(f);
            f.policy = Fact::Missing("The resource you requested does not exist.".into());
        },
        "aws lambda add-permission",
    ),
    (
        "permission-missing",
        |f| {
            gateway_500(f);
            flat(f);
            f.policy = Fact::Known(r#"{"Statement":[]}"#.into());
        },
        "arn:aws:execute-api:us-east-2:123456789012:mc7310utyk/*/*",
    ),
    // Partial permissions: the policy alone decides when the direct call is refused.
    (
        "permission-missing",
        |f| {
            gateway_500(f);
            flat(f);
            f.policy = Fact::Missing("none".into());
            f.invoke = denied("lambda:InvokeFunction");
        },
        "add-permission",
    ),
    (
        "permission-wrong-source-arn",
        |f| {
            gateway_500(f);
            flat(f);
            f.policy = Fact::Known(policy_for("CustomAPI"));
        },
        "mc7310utyk",
    ),
    (
        "wrong-integration",
        |f| {
            gateway_500(f);
            flat(f);
            api(f).integrations[0].uri = FUNCTION_ARN.replace("predictor", "predictor-old");
        },
        "update-integration",
    ),
    (
        "handler-crash",
        |f| {
            gateway_500(f);
            f.invoke = crashed(r#"{"errorType":"KeyError","errorMessage":"'alcohol'"}"#);
        },
        "logs",
    ),
    (
        "handler-crash",
        |f| {
            f.gateway = Fact::Known(answered(
                500,
                r#"{"error":"could not convert string to float: 'x'","message":"Prediction failed"}"#,
            ));
        },
        "logs",
    ),
    (
        "timeout",
        |f| {
            gateway_500(f);
            f.invoke = crashed(
                r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 1 Error: Task timed out after 3.00 seconds"}"#,
            );
        },
        "--timeout 30",
    ),
    (
        "out-of-memory",
        |f| {
            gateway_500(f);
            f.invoke = crashed(
                r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 1 Error: Runtime exited with error: signal: killed"}"#,
            );
        },
        "--memory-size 2048",
    ),
    (
        "malformed-proxy-response",
        |f| {
            gateway_500(f);
            api(f).integrations[0].payload_format = "1.0".into();
            f.invoke = Fact::Known(Invoke::Answered(Invocation {
                status: 200,
                payload: r#"{"prediction":5.1}"#.into(),
                ..Invocation::default()
            }));
        },
        "statusCode",
    ),
    (
        "silent-200",
        |f| {
            let Fact::Known(call) = &mut f.gateway else {
                unreachable!()
            };
            call.body = r#"{"errorType":"KeyError","errorMessage":"x"}"#.into();
            call.contract_violation = Some("no numeric prediction".into());
        },
        "raise",
    ),
    (
        "integration-timeout",
        |f| {
            f.gateway = Fact::Known(GatewayCall {
                elapsed_ms: 29_100.0,
                ..answered(503, r#"{"message":"Service Unavailable"}"#)
            });
        },
        "30 s",
    ),
    // The gateway's own limit is shorter than a call takes: the fix raises it.
    (
        "integration-timeout",
        |f| {
            f.gateway = Fact::Known(answered(503, r#"{"message":"Service Unavailable"}"#));
            api(f).integrations[0].timeout_ms = 2000;
            let Fact::Known(Invoke::Answered(i)) = &mut f.invoke else {
                unreachable!()
            };
            i.duration_ms = Some(3200.0);
        },
        "--timeout-in-millis 30000",
    ),
    // A quick 503 is no timeout, whatever else may not be asked.
    (
        "gateway-503",
        |f| f.gateway = Fact::Known(answered(503, r#"{"message":"Service Unavailable"}"#)),
        "",
    ),
    (
        "access-denied",
        |f| {
            f.gateway = Fact::Known(answered(503, r#"{"message":"Service Unavailable"}"#));
            f.invoke = denied("lambda:InvokeFunction");
            f.metrics = denied("cloudwatch:GetMetricData");
        },
        "lambda:InvokeFunction",
    ),
    // The gateway hangs while the function is quick.
    ("slow-network", |f| f.gateway = Fact::Known(hung()), ""),
    (
        "no-answer",
        |f| {
            f.gateway = Fact::Known(hung());
            f.invoke = Fact::NotAsked;
        },
        "",
    ),
    (
        "integration-timeout",
        |f| {
            f.gateway = Fact::Known(hung());
            f.invoke = Fact::Known(Invoke::TimedOut { after_ms: 5000.0 });
        },
        "30 s",
    ),
    (
        "throttled-concurrency",
        |f| {
            gateway_500(f);
            f.invoke = Fact::Known(Invoke::Throttled {
                reason: "ConcurrentInvocationLimitExceeded".into(),
            });
        },
        "service-quotas",
    ),
    (
        "throttled-concurrency",
        |f| {
            f.gateway = Fact::Known(answered(503, r#"{"message":"Service Unavailable"}"#));
            f.invoke = denied("lambda:InvokeFunction");
            let Fact::Known(m) = &mut f.metrics else {
                unreachable!()
            };
            m.throttles = Some(12.0);
        },
        "service-quotas",
    ),
    (
        "stage-throttle",
        |f| {
            f.gateway = Fact::Known(answered(429, r#"{"message":"Too Many Requests"}"#));
            api(f).stages[0].rate_limit = Some(0.0);
        },
        "update-stage",
    ),
    (
        "stage-throttle",
        |f| {
            f.gateway = Fact::Known(answered(429, r#"{"message":"Too Many Requests"}"#));
            f.api = denied("apigateway:GET");
        },
        "update-stage",
    ),
    (
        "route-missing",
        |f| {
            f.gateway = Fact::Known(answered(404, r#"{"message":"Not Found"}"#));
            api(f).routes[0].key = "GET /health".into();
        },
        "'POST /predict'",
    ),
    (
        "endpoint-disabled",
        |f| {
            f.gateway = Fact::Known(answered(404, r#"{"message":"Not Found"}"#));
            api(f).endpoint_disabled = true;
        },
        "--no-disable-execute-api-endpoint",
    ),
    (
        "endpoint-disabled",
        |f| {
            f.gateway = Fact::Known(answered(403, r#"{"message":"Forbidden"}"#));
            api(f).endpoint_disabled = true;
        },
        "update-api",
    ),
    (
        "unauthorized",
        |f| {
            f.gateway = Fact::Known(answered(401, r#"{"message":"Unauthorized"}"#));
            api(f).routes[0].authorization = "JWT".into();
        },
        "authorization",
    ),
    (
        "bad-deploy",
        |f| {
            function(f).last_update_status = "Failed".into();
            function(f).last_update_code = Some("InvalidImage".into());
        },
        "update-function-code",
    ),
    (
        "bad-deploy",
        |f| {
            function(f).last_update_status = "Failed".into();
            function(f).last_update_code = Some("SomethingNewOfAws".into());
        },
        "update-function-code",
    ),
    (
        "image-deleted",
        |f| {
            f.image = Fact::Missing("ImageNotFoundException".into());
            function(f).state = "Failed".into();
        },
        "push the image again",
    ),
    (
        "ecr-denied",
        |f| {
            f.repository_policy = Fact::Missing("RepositoryPolicyNotFoundException".into());
            function(f).last_update_status = "Failed".into();
            function(f).last_update_code = Some("ImageAccessDenied".into());
        },
        "set-repository-policy",
    ),
    (
        "ecr-denied",
        |f| {
            f.repository_policy = denied("ecr:GetRepositoryPolicy");
            function(f).last_update_status = "Failed".into();
            function(f).last_update_code = Some("ImageAccessDenied".into());
        },
        "wine-quality-lambda",
    ),
    (
        "tag-drift",
        |f| {
            f.image = Fact::Known(Image {
                tag_digest: Some(OTHER_DIGEST.into()),
                pushed_ms: None,
            });
        },
        "update-function-code",
    ),
    (
        "role-cannot-log",
        |f| {
            silent_role(f);
            f.own_lines = Some(false);
        },
        "AWSLambdaBasicExecutionRole",
    ),
    (
        "role-cannot-log",
        |f| {
            silent_role(f);
            let Fact::Known(l) = &mut f.logs else {
                unreachable!()
            };
            l.last_event_age_s = None;
        },
        "AWSLambdaBasicExecutionRole",
    ),
    (
        "reserved-zero",
        |f| {
            f.gateway = Fact::Known(answered(503, r#"{"message":"Service Unavailable"}"#));
            f.concurrency = Fact::Known(Concurrency {
                reserved: Some(0),
                account_limit: Fact::Known(1000),
            });
            f.invoke = Fact::Known(Invoke::Throttled {
                reason: "ReservedFunctionConcurrentInvocationLimitExceeded".into(),
            });
        },
        "delete-function-concurrency",
    ),
    // Nobody may call it: the log decides.
    (
        "cold-start-storm",
        |f| {
            storm_in_the_log(f);
            f.invoke = denied("lambda:InvokeFunction");
        },
        "--qualifier live",
    ),
    (
        "slow-dependency",
        |f| {
            let Fact::Known(l) = &mut f.logs else {
                unreachable!()
            };
            l.warm_p50_ms = Some(1350.0);
            let Fact::Known(Invoke::Answered(i)) = &mut f.invoke else {
                unreachable!()
            };
            i.duration_ms = Some(1400.0);
        },
        "logs",
    ),
    (
        "cold-start-storm",
        |f| {
            f.repeats = vec![
                Repeat {
                    duration_ms: 200.0,
                    cold: true
                };
                2
            ];
        },
        "provisioned",
    ),
    (
        "slow-dependency",
        |f| {
            f.repeats = vec![
                Repeat {
                    duration_ms: 1350.0,
                    cold: false
                };
                2
            ];
            let Fact::Known(Invoke::Answered(i)) = &mut f.invoke else {
                unreachable!()
            };
            i.duration_ms = Some(1400.0);
        },
        "logs",
    ),
    // One slow or cold call, then all is well: no alarm.
    (
        "healthy",
        |f| {
            f.repeats = vec![
                Repeat {
                    duration_ms: 150.0,
                    cold: false
                };
                3
            ];
        },
        "",
    ),
    (
        "slow-network",
        |f| {
            let Fact::Known(call) = &mut f.gateway else {
                unreachable!()
            };
            call.elapsed_ms = 4200.0;
        },
        "",
    ),
    (
        "flaky-network",
        |f| {
            let Fact::Known(call) = &mut f.gateway else {
                unreachable!()
            };
            call.broken_attempts = 2;
        },
        "",
    ),
    (
        "unreachable",
        |f| {
            f.gateway = Fact::Failed("dns error: no such host".into());
            f.network = Fact::Failed("dns error".into());
        },
        "curl -v",
    ),
    (
        "credentials-expired",
        |f| {
            f.identity =
                Fact::NoCredentials("the security token included in the request is expired".into());
            f.subject.profile = Some("prod".into());
        },
        "aws sso login --profile prod",
    ),
    ("aws-unreachable", aws_silent, "vintner config"),
    (
        "aws-unreachable",
        |f| {
            f.function = Fact::Failed("lambda:GetFunction: no answer in 5.0 s".into());
            f.policy = Fact::Failed("lambda:GetPolicy: no answer in 5.0 s".into());
            f.invoke = Fact::Known(Invoke::TimedOut { after_ms: 5000.0 });
        },
        "aws lambda get-function-configuration --region us-east-2",
    ),
    (
        "aws-unreachable",
        |f| {
            aws_silent(f);
            gateway_500(f);
        },
        "aws sts get-caller-identity --region us-east-2",
    ),
    (
        "unreachable",
        |f| {
            aws_silent(f);
            f.gateway = Fact::Failed("dns error: no such host".into());
        },
        "curl -v",
    ),
    (
        "access-denied",
        |f| {
            f.function = denied("lambda:GetFunction");
            f.policy = denied("lambda:GetPolicy");
            f.metrics = denied("cloudwatch:GetMetricData");
            f.invoke = denied("lambda:InvokeFunction");
        },
        "lambda:GetFunction",
    ),
    (
        "access-denied",
        |f| {
            gateway_500(f);
            f.invoke = denied("lambda:InvokeFunction");
        },
        "lambda:InvokeFunction",
    ),
    (
        "wrong-region",
        |f| {
            f.function = Fact::Missing("Function not found".into());
            f.subject.region = "us-east-1".into();
        },
        "--region us-east-2",
    ),
    (
        "clock-skew",
        |f| {
            f.clock_skew_s = Fact::Known(-420.0);
            f.identity = Fact::Failed("InvalidSignatureException".into());
        },
        "chronyc",
    ),
    ("gateway-500", gateway_500, ""),
    // Without the policy the likeliest cause is named as such, with both commands.
    (
        "gateway-500",
        |f| {
            gateway_500(f);
            f.policy = denied("lambda:GetPolicy");
        },
        "add-permission",
    ),
    (
        "wrong-region",
        |f| {
            f.function = Fact::Missing("Function not found".into());
            f.subject.qualifier = Some("nolive".into());
        },
        "list-aliases",
    ),
    (
        "timeout",
        |f| {
            gateway_500(f);
            function(f).timeout_s = 60;
            f.invoke =
                crashed(r#"{"errorType":"Sandbox.Timedout","errorMessage":"Task timed out"}"#);
        },
        "vintner logs",
    ),
    (
        "throttled-concurrency",
        |f| {
            gateway_500(f);
            f.concurrency = Fact::Known(Concurrency {
                reserved: Some(5),
                account_limit: denied("lambda:GetAccountSettings"),
            });
            f.invoke = Fact::Known(Invoke::Throttled {
                reason: "ReservedFunctionConcurrentInvocationLimitExceeded".into(),
            });
        },
        "--reserved-concurrent-executions 10",
    ),
    (
        "permission-missing",
        |f| {
            gateway_500(f);
            f.policy = Fact::Known(policy_for(API).replace("Allow", "Deny"));
        },
        "remove-permission --region us-east-2",
    ),
    (
        "bad-deploy",
        |f| {
            function(f).last_update_status = "Failed".into();
            function(f).last_update_code = Some("InvalidImage".into());
            function(f).last_update_reason = Some("the image's architecture arm64 …".into());
        },
        "docker buildx build --platform linux/amd64",
    ),
    (
        "function-failed",
        |f| {
            function(f).state = "Failed".into();
        },
        "",
    ),
    (
        "not-the-service",
        |f| {
            let Fact::Known(call) = &mut f.gateway else {
                unreachable!()
            };
            call.body = "<html>hello</html>".into();
            call.contract_violation = Some("not JSON".into());
        },
        "--endpoint",
    ),
];

#[test]
fn every_row_of_the_matrix_has_its_verdict_and_its_fix() {
    for (index, (code, change, fix)) in CASES.iter().enumerate() {
        let mut facts = healthy();
        change(&mut facts);
        let diagnosis = diagnose(&facts);
        assert_eq!(
            diagnosis.verdict.code, *code,
            "case {index}: {:?}",
            diagnosis.verdict
        );
        assert!(
            diagnosis.verdict.fix.contains(fix),
            "case {index} {code}: {}",
            diagnosis.verdict.fix
        );
        assert!(
            diagnosis.verdict.text.ends_with(['.', ')']) || diagnosis.verdict.text.len() > 30,
            "{:?}",
            diagnosis.verdict
        );
        assert_eq!(diagnosis.findings.len(), 16);
    }
}

#[test]
fn a_verdict_has_a_finding_that_says_so() {
    for (code, change, _) in CASES {
        let mut facts = healthy();
        change(&mut facts);
        let diagnosis = diagnose(&facts);
        let seen = diagnosis.findings.iter().any(|f| f.status != Status::Pass);
        assert!(*code == HEALTHY || seen, "{code}");
    }
}
