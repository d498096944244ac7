//! Facts with their diagnosis: a healthy function to change at will, and what holds of every diagnosis.

#![allow(
    clippy::unwrap_used,
    clippy::semicolon_if_nothing_returned,
    clippy::type_complexity
)]

use super::facts::*;
use super::*;
use crate::domain::alerts::Limits;

mod matrix;
mod permissions;
mod silence;
mod slow;
mod well;

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

/// No call to AWS gets an answer.
fn aws_silent(facts: &mut Facts) {
    let why = || "cannot reach AWS: the connection is refused".to_owned();
    facts.identity = Fact::Failed(why());
    facts.function = Fact::Failed(why());
    facts.invoke = Fact::Failed(why());
    facts.api = Fact::Failed(why());
    facts.policy = Fact::Failed(why());
    facts.image = Fact::Failed(why());
    facts.repository_policy = Fact::Failed(why());
    facts.role_logs = Fact::Failed(why());
    facts.deployer = Fact::Failed(why());
    facts.concurrency = Fact::Failed(why());
    facts.metrics = Fact::Failed(why());
    facts.logs = Fact::Failed(why());
}

fn denied<T>(action: &str) -> Fact<T> {
    Fact::Denied {
        action: action.to_owned(),
    }
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

/// What stands beside a finding must not contradict the verdict, nor say more than was seen.
#[test]
fn findings_say_no_more_than_what_was_seen() {
    let find = |facts: &Facts, check: &str| {
        let found = diagnose(facts).findings;
        found.into_iter().find(|f| f.check == check).unwrap()
    };
    let mut off = healthy();
    gateway_500(&mut off);
    let reason = "ReservedFunctionConcurrentInvocationLimitExceeded".to_owned();
    off.invoke = Fact::Known(Invoke::Throttled { reason });
    off.concurrency = Fact::Known(Concurrency {
        reserved: Some(0),
        account_limit: Fact::Known(1000),
    });
    assert_eq!(find(&off, "invoke").fix, diagnose(&off).verdict.fix);

    let mut crash = healthy();
    gateway_500(&mut crash);
    crash.invoke = crashed(r#"{"errorType":"ValueError","errorMessage":"not as expected."}"#);
    let text = diagnose(&crash).verdict.text;
    assert!(text.ends_with("not as expected."), "{text}");

    let mut gone = healthy();
    gone.function = Fact::Missing("not found".into());
    gone.policy = Fact::Missing("not found".into());
    assert_eq!(find(&gone, "policy").evidence, "there is no such function");

    let mut one_warm = healthy();
    let Fact::Known(logs) = &mut one_warm.logs else {
        panic!("known in the healthy facts")
    };
    (logs.reports, logs.cold, logs.warm_p50_ms) = (3, 2, Some(3000.0));
    let seen = find(&one_warm, "runtime").evidence;
    assert!(!seen.contains("half of"), "{seen}");

    let mut shaky = healthy();
    let Fact::Known(call) = &mut shaky.gateway else {
        panic!("known in the healthy facts")
    };
    call.broken_attempts = 1;
    let seen = find(&shaky, "gateway").evidence;
    assert!(seen.ends_with("after 1 broken connection"), "{seen}");
}
