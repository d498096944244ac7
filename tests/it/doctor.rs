//! Doctor against the sandbox: every incident through the real clients, and silence when nothing is wrong.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use vintner::client::collect::{self, Access, Examination};
use vintner::domain::doctor::{Diagnosis, Status, diagnose};
use vintner::domain::schema::Schema;
use vintner::sandbox::{Incident, Options, Sandbox, ServedModel};

/// The incidents that issue and specification promise a verdict for.
const PROMISED: [&str; 25] = [
    "permission-missing",
    "permission-wrong-source-arn",
    "wrong-integration",
    "handler-crash",
    "timeout",
    "out-of-memory",
    "malformed-proxy-response",
    "silent-200",
    "integration-timeout",
    "throttled-concurrency",
    "stage-throttle",
    "route-missing",
    "endpoint-disabled",
    "bad-deploy",
    "image-deleted",
    "ecr-denied",
    "tag-drift",
    "role-cannot-log",
    "reserved-zero",
    "cold-start-storm",
    "slow-dependency",
    "credentials-expired",
    "access-denied",
    "wrong-region",
    "clock-skew",
];

fn options(seed: u64) -> Options {
    Options {
        seed,
        rate: 0.0,
        speed: 50.0,
        history: Duration::from_mins(30),
        ..Options::default()
    }
}

async fn sandbox(options: Options) -> Sandbox {
    let model = ServedModel::ready("v1.0", Arc::new(|row: &[f32]| row[10] / 2.0));
    Sandbox::start(options, model).await.unwrap()
}

async fn config(sandbox: &Sandbox) -> SdkConfig {
    aws_config::ConfigLoader::default()
        .behavior_version(BehaviorVersion::latest())
        .empty_test_environment()
        .region(Region::new(sandbox.region().to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(sandbox.credentials()))
        .endpoint_url(sandbox.aws_endpoint())
        .load()
        .await
}

async fn examine(sandbox: &Sandbox) -> Diagnosis {
    let schema = Schema::wine_quality().clone();
    let payload: serde_json::Map<String, serde_json::Value> = schema
        .names()
        .map(|name| {
            (
                name.to_owned(),
                serde_json::json!(if name == "alcohol" { 10.4 } else { 1.0 }),
            )
        })
        .collect();
    let examination = Examination {
        endpoint: Some(sandbox.endpoint()),
        aws: Some(Access {
            config: config(sandbox).await,
            custom_endpoint: true,
            profile: None,
        }),
        function: sandbox.function().to_owned(),
        qualifier: None,
        payload: payload.into(),
        schema,
        now_ms: jiff::Timestamp::now().as_millisecond(),
    };
    diagnose(&collect::facts(&examination).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_incident_gets_its_verdict() {
    let mut wrong = Vec::new();
    for name in PROMISED {
        let incident: Incident = name.parse().unwrap();
        let sandbox = sandbox(Options {
            incident: Some(incident),
            ..options(42)
        })
        .await;
        let began = Instant::now();
        let diagnosis = examine(&sandbox).await;
        let took = began.elapsed();
        if diagnosis.verdict.code != name || took > Duration::from_secs(10) {
            wrong.push(format!("{name} in {took:?}: {diagnosis:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_service_raises_no_alarm_in_a_hundred_sessions() {
    for seed in 0..100 {
        let sandbox = sandbox(options(seed)).await;
        let diagnosis = examine(&sandbox).await;
        assert!(diagnosis.is_healthy(), "seed {seed}: {diagnosis:#?}");
    }
}

/// Every permission refused in turn: that check is skipped with the action, and nothing else stops.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_read_is_skipped_with_its_action() {
    let sandbox = sandbox(options(7)).await;
    for (check, action) in [
        ("function", "lambda:GetFunction"),
        ("invoke", "lambda:InvokeFunction"),
        ("policy", "lambda:GetPolicy"),
        ("concurrency", "lambda:GetFunctionConcurrency"),
        ("api", "apigateway:GET"),
        ("image", "ecr:DescribeImages"),
        ("repository-policy", "ecr:GetRepositoryPolicy"),
        ("role", "iam:SimulatePrincipalPolicy"),
        ("metrics", "cloudwatch:GetMetricData"),
        ("runtime", "logs:FilterLogEvents"),
    ] {
        sandbox.deny(vec![action.to_owned()]);
        let diagnosis = examine(&sandbox).await;
        let finding = diagnosis
            .findings
            .iter()
            .find(|f| f.check == check)
            .unwrap();
        assert_eq!(
            (finding.status, finding.missing_action.as_deref()),
            (Status::Skip, Some(action)),
            "{finding:?}"
        );
        assert!(diagnosis.is_healthy(), "{action}: {:?}", diagnosis.verdict);
    }
}
