//! Doctor against the sandbox: every incident through the real clients, and silence when nothing is wrong.

mod held;

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use url::Url;
use vintner::client::collect::{self, Access, Examination};
use vintner::client::{metrics, survey};
use vintner::domain::alerts::Limits;
use vintner::domain::doctor::{Diagnosis, Status, diagnose};
use vintner::domain::latency::Window;
use vintner::domain::latency::calls::{CallLine, Told};
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
    config_at(sandbox, sandbox.aws_endpoint()).await
}

async fn config_at(sandbox: &Sandbox, endpoint: String) -> SdkConfig {
    aws_config::ConfigLoader::default()
        .behavior_version(BehaviorVersion::latest())
        .empty_test_environment()
        .region(Region::new(sandbox.region().to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(sandbox.credentials()))
        .endpoint_url(endpoint)
        .load()
        .await
}

async fn examine(sandbox: &Sandbox) -> Diagnosis {
    examine_as(sandbox, None).await
}

async fn examine_as(sandbox: &Sandbox, qualifier: Option<&str>) -> Diagnosis {
    let config = config(sandbox).await;
    let examination = examination(sandbox, sandbox.endpoint(), config, qualifier);
    diagnose(&collect::facts(&examination).await)
}

fn examination(
    sandbox: &Sandbox,
    endpoint: Url,
    config: SdkConfig,
    qualifier: Option<&str>,
) -> Examination {
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
    Examination {
        endpoint: Some(endpoint),
        aws: Some(Access {
            config,
            custom_endpoint: true,
            profile: None,
        }),
        no_aws: None,
        function: sandbox.function().to_owned(),
        qualifier: qualifier.map(str::to_owned),
        payload: payload.into(),
        schema,
        limits: Limits::default(),
        now_ms: jiff::Timestamp::now().as_millisecond(),
    }
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

/// Nothing listens where AWS should be; the endpoint is as well as ever.
#[tokio::test(flavor = "multi_thread")]
async fn an_aws_that_cannot_be_reached_is_no_clean_bill() {
    let sandbox = sandbox(options(7)).await;
    let config = config_at(&sandbox, "http://127.0.0.1:9".to_owned()).await;
    let examination = examination(&sandbox, sandbox.endpoint(), config, None);
    let verdict = diagnose(&collect::facts(&examination).await).verdict;
    assert_eq!(verdict.code, "aws-unreachable", "{verdict:?}");
    assert!(verdict.text.contains("refused"), "{verdict:?}");

    let examination = Examination {
        aws: None,
        no_aws: Some("no AWS region: give --region".to_owned()),
        ..examination
    };
    let verdict = diagnose(&collect::facts(&examination).await).verdict;
    let said = "AWS cannot be asked: no AWS region: give --region. The endpoint itself answers.";
    assert_eq!(
        (verdict.code.as_str(), verdict.text.as_str()),
        ("aws-unreachable", said)
    );
}

/// What Doctor need not find is named in the README's section on the sandbox.
#[test]
fn incidents_without_a_verdict_are_named_in_the_readme() {
    let readme = include_str!("../../README.md");
    let section = readme
        .split("\n## ")
        .find(|part| part.starts_with("The sandbox"));
    let section = section.unwrap();
    for incident in Incident::ALL {
        let name = incident.name();
        if !PROMISED.contains(&name) {
            assert!(section.contains(&format!("`{name}`")), "{name}");
        }
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
        // Of these a part is still known.
        ("concurrency", "lambda:GetAccountSettings"),
        ("logs", "logs:DescribeLogGroups"),
    ] {
        sandbox.deny(vec![action.to_owned()]);
        let diagnosis = examine(&sandbox).await;
        let finding = diagnosis
            .findings
            .iter()
            .find(|f| f.check == check)
            .unwrap();
        let partly = ["lambda:GetAccountSettings", "logs:DescribeLogGroups"].contains(&action);
        let status = if partly { Status::Pass } else { Status::Skip };
        assert_eq!(
            (finding.status, finding.missing_action.as_deref()),
            (status, Some(action)),
            "{finding:?}"
        );
        if action == "lambda:GetFunction" {
            // What only the function names could not be looked at either, for the same reason.
            let image = diagnosis.findings.iter().find(|f| f.check == "image");
            assert_eq!(image.unwrap().missing_action.as_deref(), Some(action));
        }
        assert!(diagnosis.is_healthy(), "{action}: {:?}", diagnosis.verdict);
        let said = if partly {
            "Nothing is wrong: "
        } else {
            "Nothing wrong was found: "
        };
        let text = &diagnosis.verdict.text;
        assert!(text.starts_with(said), "{action}: {text}");
    }
}

/// The sandbox's alias has no policy of its own, and needs none: the gateway calls the function.
#[tokio::test(flavor = "multi_thread")]
async fn a_function_named_with_its_alias_is_not_ill() {
    let sandbox = sandbox(options(42)).await;
    let diagnosis = examine_as(&sandbox, Some("live")).await;
    assert!(diagnosis.is_healthy(), "{diagnosis:#?}");
    let diagnosis = examine_as(&sandbox, Some("nolive")).await;
    assert!(
        diagnosis.verdict.text.contains("alias or version nolive"),
        "{:?}",
        diagnosis.verdict
    );
}

/// Traffic comes in while Doctor looks: none of twenty-five sessions may raise an alarm.
#[tokio::test(flavor = "multi_thread")]
async fn live_traffic_raises_no_alarm() {
    for seed in 200..225 {
        let sandbox = sandbox(Options {
            rate: 2.0,
            ..options(seed)
        })
        .await;
        let diagnosis = examine(&sandbox).await;
        assert!(diagnosis.is_healthy(), "seed {seed}: {diagnosis:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_run_calls_production_twice_once_through_the_gateway_and_once_directly() {
    let sandbox = sandbox(options(42)).await;
    let config = config(&sandbox).await;
    let invocations = async || {
        let now = jiff::Timestamp::now().as_millisecond();
        let read = metrics::snapshot(&config, sandbox.function(), None, 3600, now).await;
        read.known().unwrap().totals.invocations.unwrap()
    };
    let before = invocations().await;
    assert!(examine(&sandbox).await.is_healthy());
    assert_eq!(invocations().await - before, 2.0);
}

/// CloudWatch's sums and the log tell of the same calls, whatever the second of the minute.
#[tokio::test(flavor = "multi_thread")]
async fn sums_count_the_calls_of_the_window_once() {
    let sandbox = sandbox(Options {
        history: Duration::from_hours(3),
        ..options(42)
    })
    .await;
    let access = Access {
        config: config(&sandbox).await,
        custom_endpoint: true,
        profile: None,
    };
    let now = jiff::Timestamp::now().as_millisecond();
    let read = metrics::snapshot(&access.config, sandbox.function(), None, 3600, now).await;
    let counted = read.known().unwrap().totals.invocations.unwrap();
    let reports = survey::reports(&access, &sandbox.log_group(), Window::H1, now).await;
    let ended = |line: &&CallLine| matches!(line.told, Told::Ended(_));
    let lines = reports.known().unwrap().lines.iter().filter(ended).count() as f64;
    // At most the window's first minute is left out: some 15 of 360 calls.
    assert!(
        counted <= lines + 2.0 && counted > lines - 40.0,
        "{counted} of {lines}"
    );
}

/// Every read of the Lambda tab refused in turn: what it would have told is named with its action, the rest goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_read_leaves_the_rest_of_the_tab_working() {
    let sandbox = sandbox(options(7)).await;
    let access = Access {
        config: config(&sandbox).await,
        custom_endpoint: true,
        profile: None,
    };
    let endpoint = sandbox.endpoint().to_string();
    for action in [
        "",
        "lambda:GetFunction",
        "lambda:ListAliases",
        "lambda:ListVersionsByFunction",
        "lambda:GetFunctionConcurrency",
        "lambda:ListProvisionedConcurrencyConfigs",
        "lambda:GetFunctionUrlConfig",
        "lambda:ListEventSourceMappings",
        "lambda:GetPolicy",
        "apigateway:GET",
        "ecr:DescribeImages",
        "logs:DescribeLogGroups",
        "logs:FilterLogEvents",
        "cloudwatch:GetMetricData",
    ] {
        sandbox.deny(vec![action.to_owned()]);
        let now = jiff::Timestamp::now().as_millisecond();
        let overview = survey::overview(&access, sandbox.function(), None, &endpoint).await;
        let api_id = overview.api_id.known().map(String::as_str);
        let month = survey::month(&access, api_id, now).await;
        let (snapshot, budget) =
            survey::measure(&access, sandbox.function(), api_id, Window::H1, &month, now).await;
        let reports = survey::reports(&access, &sandbox.log_group(), Window::H1, now).await;
        let told = format!("{overview:?} {snapshot:?} {budget:?} {reports:?}");
        let refused = told.matches("Denied").count();
        let named = told.matches(action).count();
        match action {
            "" => assert_eq!(refused, 0, "{told}"),
            // The gateway is not found either, and so there is no budget.
            "apigateway:GET" => assert!(refused >= 1 && named >= 1, "{told}"),
            // The month's question and the window's are both refused.
            "cloudwatch:GetMetricData" => assert!(refused == 2 && named >= 2, "{told}"),
            _ => assert!(refused == 1 && named >= 1, "{action}: {told}"),
        }
        let known = [
            overview.aliases.known().is_some(),
            overview.versions.known().is_some(),
            overview.policy.known().is_some(),
            snapshot.known().is_some(),
            reports.known().is_some(),
        ];
        assert!(
            known.iter().filter(|k| !**k).count() <= 1,
            "{action}: {known:?}"
        );
    }
}
