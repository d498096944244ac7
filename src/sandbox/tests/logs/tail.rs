//! Live Tail sessions.

use aws_sdk_cloudwatchlogs::operation::start_live_tail::StartLiveTailOutput;
use aws_sdk_cloudwatchlogs::types::StartLiveTailResponseStream;

use super::super::{clients, half_the_alcohol, quiet};
use super::{fill, line, put};
use crate::sandbox::{Options, Sandbox};

async fn session(sandbox: &Sandbox, group: &str) -> StartLiveTailOutput {
    let (region, account) = (sandbox.region(), sandbox.account());
    let arn = format!("arn:aws:logs:{region}:{account}:log-group:{group}");
    let asked = clients::logs(sandbox).start_live_tail();
    asked.log_group_identifiers(arn).send().await.unwrap()
}

#[tokio::test]
async fn live_tail_pushes_what_arrives_and_samples_a_flood() {
    let sandbox = quiet().await;
    let client = clients::logs(&sandbox);
    let (group, start) = fill(&client, 10).await;
    let mut tail = session(&sandbox, &group).await.response_stream;
    assert!(matches!(
        tail.recv().await.unwrap(),
        Some(StartLiveTailResponseStream::SessionStart(_))
    ));
    let flood = (0..2000).map(|index| line(start, format!("flood {index}")));
    put(&client, &group, flood.collect()).await;
    loop {
        let Some(StartLiveTailResponseStream::SessionUpdate(update)) = tail.recv().await.unwrap()
        else {
            panic!("the session ended")
        };
        if !update.session_results().is_empty() {
            assert!(update.session_metadata().unwrap().sampled());
            assert_eq!(update.session_results().len(), 500);
            assert!(
                update.session_results()[0]
                    .message()
                    .unwrap()
                    .starts_with("flood")
            );
            break;
        }
    }
}

#[tokio::test]
async fn a_live_tail_session_ends_after_its_time() {
    let options = Options {
        live_tail_session: std::time::Duration::from_secs(5),
        ..Options::quiet()
    };
    let sandbox = Sandbox::start(options, half_the_alcohol()).await.unwrap();
    let session = session(&sandbox, &sandbox.log_group()).await;
    let mut tail = session.response_stream;
    let error = loop {
        match tail.recv().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("ended without a reason"),
            Err(error) => break error,
        }
    };
    assert!(error.into_service_error().is_session_timeout_exception());
}
