//! Doctor behind a proxy that holds every request: how deep its questions hang on one another, and that it ends.

use vintner::client::collect;
use vintner::domain::doctor::{Status, diagnose};

use super::{config_at, examination, options, sandbox};
use crate::support::holding::Holding;

/// Each round of answers may take as long as its questions' limit of 5 s, so at most two rounds fit into the 9 s that Doctor
/// takes in all. All of a round is asked before any of it is answered: the proxy lets none go before.
#[tokio::test(flavor = "multi_thread")]
async fn all_that_needs_no_others_answer_is_asked_at_once() {
    let sandbox = sandbox(options(42)).await;
    let proxy = Holding::before(&sandbox.aws_endpoint()).await;
    let config = config_at(&sandbox, proxy.url().to_string()).await;
    let examination = examination(&sandbox, proxy.url(), config, None);
    let doctor = tokio::spawn(async move { collect::facts(&examination).await });
    let function = format!("/functions/{}", sandbox.function());
    let lambda =
        |method: &str, version: &str, rest: &str| format!("{method} /{version}{function}{rest}");
    let invoke = lambda("POST", "2015-03-31", "/invocations");
    let first = [
        "POST /",
        "GetCallerIdentity",
        &lambda("GET", "2015-03-31", ""),
        &lambda("GET", "2015-03-31", "/policy"),
        &lambda("GET", "2019-09-30", "/concurrency"),
        &lambda("GET", "2015-03-31", "/aliases"),
        &invoke,
        "GET /v2/apis",
        "FilterLogEvents",
        "DescribeLogGroups",
    ];
    proxy.release(&first).await;
    let second = [
        &invoke,
        "GET /v2/apis/",
        "DescribeImages",
        "GetRepositoryPolicy",
        "SimulatePrincipalPolicy",
        "GetMetricData",
    ];
    proxy.release(&second).await;
    let late = proxy.names();
    proxy.open();
    let diagnosis = diagnose(&doctor.await.unwrap());
    assert!(diagnosis.is_healthy(), "{late:?} {diagnosis:#?}");
}

/// Nothing is ever answered: Doctor ends all the same, blames what holds the requests, and calls nothing well.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_ends_while_every_request_is_still_held() {
    let sandbox = sandbox(options(42)).await;
    let proxy = Holding::before(&sandbox.aws_endpoint()).await;
    let config = config_at(&sandbox, proxy.url().to_string()).await;
    let examination = examination(&sandbox, proxy.url(), config, None);
    let diagnosis = diagnose(&collect::facts(&examination).await);
    assert_eq!(diagnosis.verdict.code, "no-answer", "{diagnosis:#?}");
    let passed = diagnosis
        .findings
        .iter()
        .filter(|f| f.status == Status::Pass);
    assert_eq!(passed.count(), 0, "{diagnosis:#?}");
}
