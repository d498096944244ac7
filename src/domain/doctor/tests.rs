//! Every row of the decision matrix and every incident, as facts with their verdict.

#![allow(
    clippy::unwrap_used,
    clippy::semicolon_if_nothing_returned,
    clippy::type_complexity
)]

use super::facts::*;
use super::*;
use crate::domain::alerts::Limits;

mod slow;

const API: &str = "mc7310utyk";
const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-2:123456789012:function:wine-quality-predictor";
const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
const OTHER_DIGEST: &str =
    "sha256:2222222222222222222222222222222222222222222222222222222222222222";

fn policy_for(api: &str) -> String {
    serde_json::json!({"Version": "2012-10-17", "Statement": [{"Sid": "apigateway-invoke", "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "lambda:InvokeFunction", "Resource": FUNCTION_ARN,
        "Condition": {"ArnLike": {"AWS:SourceArn": format!("arn:aws:execute-api:us-east-2:123456789012:{api}/*/*")}}}]})
    .to_string()
}

fn healthy() -> Facts {
    let image = "123456789012.dkr.ecr.us-east-2.amazonaws.com/wine-quality-lambda";
    let proxy = r#"{"statusCode":200,"headers":{},"body":"{\"prediction\":5.17}"}"#;
    let pull = r#"{"Statement":[{"Sid":"LambdaECRImageRetrievalPolicy","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]}]}"#;
    let may = |action: &str| Simulated {
        action: action.to_owned(),
        decision: "allowed".to_owned(),
    };
    Facts {
        limits: Limits::default(),
        subject: Subject {
            endpoint: format!("https://{API}.execute-api.us-east-2.amazonaws.com/"),
            api_id: Some(API.to_owned()),
            endpoint_region: Some("us-east-2".to_owned()),
            function: "wine-quality-predictor".to_owned(),
            region: "us-east-2".to_owned(),
            method: "POST".to_owned(),
            path: "/predict".to_owned(),
            ..Subject::default()
        },
        clock_skew_s: Fact::Known(0.4),
        network: Fact::Known(Network {
            connect_ms: 40.0,
            certificate_days: Some(200),
        }),
        gateway: Fact::Known(answered(200, r#"{"prediction":5.17}"#)),
        identity: Fact::Known(Identity {
            account: "123456789012".to_owned(),
            arn: "arn:aws:iam::123456789012:user/oncall".to_owned(),
        }),
        function: Fact::Known(Function {
            arn: FUNCTION_ARN.to_owned(),
            state: "Active".to_owned(),
            last_update_status: "Successful".to_owned(),
            package_type: "Image".to_owned(),
            image_uri: Some(format!("{image}:latest")),
            resolved_image_uri: Some(format!("{image}@{DIGEST}")),
            role: "arn:aws:iam::123456789012:role/wine-quality-role".to_owned(),
            architecture: "x86_64".to_owned(),
            memory_mb: 1024,
            timeout_s: 3,
            ..Function::default()
        }),
        invoke: Fact::Known(Invoke::Answered(Invocation {
            status: 200,
            payload: proxy.to_owned(),
            elapsed_ms: 190.0,
            duration_ms: Some(150.0),
            ..Invocation::default()
        })),
        raw: Fact::NotAsked,
        repeats: Vec::new(),
        own_lines: None,
        aliases: Fact::Known(vec!["live".to_owned()]),
        api: Fact::Known(Api {
            routes: vec![Route {
                key: "POST /predict".to_owned(),
                integration_id: Some("i1".to_owned()),
                authorization: "NONE".to_owned(),
            }],
            integrations: vec![Integration {
                id: "i1".to_owned(),
                uri: FUNCTION_ARN.to_owned(),
                payload_format: "2.0".to_owned(),
                timeout_ms: 30_000,
                credentials_arn: None,
            }],
            stages: vec![Stage {
                name: "$default".to_owned(),
                auto_deploy: true,
                deployed: true,
                ..Stage::default()
            }],
            ..Api::default()
        }),
        policy: Fact::Known(policy_for(API)),
        image: Fact::Known(Image {
            tag_digest: Some(DIGEST.to_owned()),
            pushed_ms: Some(0),
        }),
        repository_policy: Fact::Known(pull.to_owned()),
        role_logs: Fact::Known(vec![may("logs:CreateLogStream"), may("logs:PutLogEvents")]),
        deployer: Fact::Known(vec![may("lambda:UpdateFunctionCode")]),
        concurrency: Fact::Known(Concurrency {
            reserved: None,
            account_limit: Fact::Known(1000),
        }),
        metrics: Fact::Known(Metrics {
            window_s: 900,
            invocations: Some(60.0),
            errors: Some(0.0),
            throttles: Some(0.0),
            duration_p50: Some(150.0),
            gateway_count: Some(60.0),
            gateway_5xx: Some(0.0),
            ..Metrics::default()
        }),
        logs: Fact::Known(Logs {
            retention: Fact::Known(Some(30)),
            last_event_age_s: Some(3.0),
            reports: 60,
            cold: 2,
            warm_p50_ms: Some(150.0),
            p99_ms: Some(230.0),
            max_memory_mb: Some(237),
            ..Logs::default()
        }),
    }
}

fn answered(status: u16, body: &str) -> GatewayCall {
    GatewayCall {
        status,
        body: body.to_owned(),
        elapsed_ms: 186.0,
        ..GatewayCall::default()
    }
}

fn hung() -> GatewayCall {
    GatewayCall {
        timed_out: true,
        elapsed_ms: 5000.0,
        ..GatewayCall::default()
    }
}

fn gateway_500(facts: &mut Facts) {
    facts.gateway = Fact::Known(answered(500, r#"{"message":"Internal Server Error"}"#));
}

/// The simulator says that the role may not write logs.
fn silent_role(facts: &mut Facts) {
    facts.role_logs = Fact::Known(vec![Simulated {
        action: "logs:PutLogEvents".into(),
        decision: "implicitDeny".into(),
    }]);
}

fn storm_in_the_log(facts: &mut Facts) {
    let Fact::Known(logs) = &mut facts.logs else {
        panic!("known in the healthy facts")
    };
    logs.cold = 40;
}

fn flat(facts: &mut Facts) {
    facts.metrics = Fact::Known(Metrics {
        window_s: 900,
        invocations: None,
        gateway_count: Some(20.0),
        gateway_5xx: Some(20.0),
        ..Metrics::default()
    });
}

fn function(facts: &mut Facts) -> &mut Function {
    let Fact::Known(function) = &mut facts.function else {
        panic!("known in the healthy facts")
    };
    function
}

fn api(facts: &mut Facts) -> &mut Api {
    let Fact::Known(api) = &mut facts.api else {
        panic!("known in the healthy facts")
    };
    api
}

fn crashed(payload: &str) -> Fact<Invoke> {
    Fact::Known(Invoke::Answered(Invocation {
        status: 200,
        function_error: Some("Unhandled".to_owned()),
        payload: payload.to_owned(),
        ..Invocation::default()
    }))
}

fn denied<T>(action: &str) -> Fact<T> {
    Fact::Denied {
        action: action.to_owned(),
    }
}

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

/// Set-ups in which everything works, however odd they look: none may raise an alarm.
const ODD_BUT_WELL: &[(&str, fn(&mut Facts))] = &[
    (
        "the function named with an alias, its policy on the function",
        |f| {
            f.subject.qualifier = Some("live".into());
            f.policy = Fact::Missing("The resource you requested does not exist.".into());
        },
    ),
    ("the integration calls an alias", |f| {
        api(f).integrations[0].uri = format!("{FUNCTION_ARN}:live");
        f.policy = Fact::Missing("The resource you requested does not exist.".into());
    }),
    ("a custom domain, the default endpoint off", |f| {
        f.subject.endpoint = "https://wine.example.com/predict".into();
        api(f).endpoint_disabled = true;
    }),
    ("a base path in front of the route", |f| {
        f.subject.path = "/v1/predict".into();
    }),
    ("a named stage", |f| {
        f.subject.path = "/prod/predict".into();
        api(f).stages[0].name = "prod".into();
    }),
    ("another stage throttled to 0", |f| {
        let switched_off = Stage {
            name: "old".into(),
            rate_limit: Some(0.0),
            ..api(f).stages[0].clone()
        };
        api(f).stages.insert(0, switched_off);
    }),
    ("a session whose role's path IAM does not find", |f| {
        f.deployer = Fact::Failed("NoSuchEntity".into());
    }),
    ("the deployer missing altogether", |f| {
        f.deployer = Fact::Missing("NoSuchEntity".into());
    }),
    ("a simulator that is wrong about the logs", |f| {
        f.role_logs = Fact::Known(vec![Simulated {
            action: "logs:PutLogEvents".into(),
            decision: "implicitDeny".into(),
        }]);
    }),
    ("a storm that is over", |f| storm_in_the_log(f)),
    ("a storm that is over: cold, then warm", |f| {
        storm_in_the_log(f);
        f.repeats = vec![Repeat {
            duration_ms: 150.0,
            cold: false,
        }];
    }),
    ("an image without its tag", |f| {
        f.image = Fact::Known(Image::default());
    }),
    ("no retention known", |f| {
        let Fact::Known(logs) = &mut f.logs else {
            unreachable!()
        };
        logs.retention = denied("logs:DescribeLogGroups");
    }),
];

#[test]
fn what_works_is_not_called_ill() {
    for (what, change) in ODD_BUT_WELL {
        let mut facts = healthy();
        change(&mut facts);
        let diagnosis = diagnose(&facts);
        assert!(diagnosis.is_healthy(), "{what}: {:?}", diagnosis.verdict);
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

#[test]
fn a_named_stage_is_part_of_the_source_arn() {
    let mut facts = healthy();
    facts.subject.path = "/prod/predict".to_owned();
    api(&mut facts).stages[0].name = "prod".to_owned();
    assert_eq!(
        fixes::source_arn(&facts).unwrap(),
        "arn:aws:execute-api:us-east-2:123456789012:mc7310utyk/prod/POST/predict"
    );
    gateway_500(&mut facts);
    facts.policy = Fact::Known(policy_for(API).replace("/*/*", "/prod/POST/predict"));
    assert_eq!(diagnose(&facts).verdict.code, "gateway-500");
}

#[test]
fn permissions_are_granted_to_who_lacks_them() {
    for (arn, command) in [
        (
            "arn:aws:iam::123456789012:user/team/anna",
            "put-user-policy --profile prod --user-name anna ",
        ),
        (
            "arn:aws:sts::123456789012:assumed-role/oncall/anna",
            "put-role-policy --profile prod --role-name oncall ",
        ),
        (
            "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Ops_1/anna",
            "permission set",
        ),
    ] {
        let mut facts = healthy();
        facts.subject.profile = Some("prod".to_owned());
        facts.identity = Fact::Known(Identity {
            account: "123456789012".to_owned(),
            arn: arn.to_owned(),
        });
        facts.image = denied("ecr:DescribeImages");
        let diagnosis = diagnose(&facts);
        let finding = diagnosis
            .findings
            .iter()
            .find(|f| f.check == "image")
            .unwrap();
        assert!(finding.fix.contains(command), "{}", finding.fix);
    }
}

#[test]
fn a_partial_answer_names_the_action_that_was_lacking() {
    let mut facts = healthy();
    facts.concurrency = Fact::Known(Concurrency {
        reserved: None,
        account_limit: denied("lambda:GetAccountSettings"),
    });
    let Fact::Known(logs) = &mut facts.logs else {
        unreachable!()
    };
    logs.retention = denied("logs:DescribeLogGroups");
    let diagnosis = diagnose(&facts);
    let action = |check: &str| {
        let finding = diagnosis
            .findings
            .iter()
            .find(|f| f.check == check)
            .unwrap();
        (
            finding.missing_action.clone().unwrap(),
            finding.evidence.clone(),
        )
    };
    assert_eq!(action("concurrency").0, "lambda:GetAccountSettings");
    let (lacking, evidence) = action("logs");
    assert_eq!(lacking, "logs:DescribeLogGroups");
    assert!(!evidence.contains("for ever"), "{evidence}");
}

/// Each call refused in turn, and all at once: SKIP with the action, nothing else stops, no false alarm.
#[test]
fn a_missing_permission_skips_its_check_and_names_the_action() {
    let refusals: [(&str, &str, fn(&mut Facts)); 11] = [
        ("identity", "sts:GetCallerIdentity", |f| {
            f.identity = denied("sts:GetCallerIdentity");
        }),
        ("function", "lambda:GetFunction", |f| {
            f.function = denied("lambda:GetFunction");
        }),
        ("invoke", "lambda:InvokeFunction", |f| {
            f.invoke = denied("lambda:InvokeFunction");
        }),
        ("api", "apigateway:GET", |f| {
            f.api = denied("apigateway:GET");
        }),
        ("policy", "lambda:GetPolicy", |f| {
            f.policy = denied("lambda:GetPolicy");
        }),
        ("image", "ecr:DescribeImages", |f| {
            f.image = denied("ecr:DescribeImages");
        }),
        ("repository-policy", "ecr:GetRepositoryPolicy", |f| {
            f.repository_policy = denied("ecr:GetRepositoryPolicy");
        }),
        ("role", "iam:SimulatePrincipalPolicy", |f| {
            f.role_logs = denied("iam:SimulatePrincipalPolicy");
        }),
        ("concurrency", "lambda:GetFunctionConcurrency", |f| {
            f.concurrency = denied("lambda:GetFunctionConcurrency");
        }),
        ("metrics", "cloudwatch:GetMetricData", |f| {
            f.metrics = denied("cloudwatch:GetMetricData");
        }),
        ("runtime", "logs:FilterLogEvents", |f| {
            f.logs = denied("logs:FilterLogEvents");
        }),
    ];
    for (check, action, refuse) in refusals {
        let mut facts = healthy();
        refuse(&mut facts);
        let diagnosis = diagnose(&facts);
        let finding = diagnosis
            .findings
            .iter()
            .find(|f| f.check == check)
            .unwrap();
        assert_eq!(
            (finding.status, finding.missing_action.as_deref()),
            (Status::Skip, Some(action))
        );
        assert!(diagnosis.is_healthy(), "{check}: {:?}", diagnosis.verdict);
    }
    let mut facts = healthy();
    for (_, _, refuse) in refusals {
        refuse(&mut facts);
    }
    assert_eq!(diagnose(&facts).verdict.code, "access-denied");
}

#[test]
fn knowing_nothing_is_not_a_panic_and_not_a_clean_bill() {
    let diagnosis = diagnose(&Facts::default());
    assert!(diagnosis.findings.iter().all(|f| f.status == Status::Skip));
    assert_eq!(diagnosis.verdict.code, "undecided");
}

#[test]
fn hostile_text_loses_its_control_characters() {
    let mut facts = healthy();
    facts.gateway = Fact::Known(answered(
        500,
        "{\"error\":\"\u{1b}[2J\u{7}e\u{202e}vil\\u001b\",\"message\":\"x\"}",
    ));
    function(&mut facts).state = "Act\u{1b}]0;ive\u{7}".to_owned();
    let diagnosis = diagnose(&facts);
    let texts = diagnosis
        .findings
        .iter()
        .map(|f| &f.evidence)
        .chain([&diagnosis.verdict.text]);
    for text in texts {
        assert!(!text.chars().any(is_hidden), "{text:?}");
    }
}

#[test]
fn an_unknown_state_is_a_remark_and_not_a_failure() {
    let mut facts = healthy();
    function(&mut facts).state = "Hibernating".to_owned();
    let diagnosis = diagnose(&facts);
    assert!(diagnosis.is_healthy());
    assert_eq!(
        diagnosis
            .findings
            .iter()
            .find(|f| f.check == "function")
            .unwrap()
            .status,
        Status::Warn
    );
}

#[test]
fn routes_are_found_as_api_gateway_finds_them() {
    for (key, found) in [
        ("POST /predict", true),
        ("ANY /predict", true),
        ("$default", true),
        ("ANY /{proxy+}", true),
        ("GET /predict", false),
        ("POST /", false),
    ] {
        let mut facts = healthy();
        api(&mut facts).routes[0].key = key.to_owned();
        assert_eq!(facts.route().is_some(), found, "{key}");
    }
}

#[test]
fn the_json_has_the_documented_shape() {
    let json = serde_json::to_value(diagnose(&healthy())).unwrap();
    assert_eq!(json["verdict"]["code"], "healthy");
    assert_eq!(json["findings"][2]["check"], "gateway");
    assert_eq!(json["findings"][2]["status"], "PASS");
    assert!(json["findings"][2]["missing_action"].is_null());
}
