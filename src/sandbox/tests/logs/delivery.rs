//! When the lines of a call become visible.

use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use aws_sdk_lambda::primitives::Blob;

use super::super::{clients, eventually, half_the_alcohol, quiet};
use super::events;
use crate::sandbox::{Incident, Options, Sandbox};

async fn invoke(sandbox: &Sandbox, calls: usize) {
    let call = clients::lambda(sandbox)
        .invoke()
        .function_name(sandbox.function())
        .payload(Blob::new("{}"));
    for _ in 0..calls {
        call.clone().send().await.unwrap();
    }
}

#[tokio::test]
async fn lines_become_visible_late_and_stay_where_they_belong() {
    let options = Options {
        speed: 20.0,
        ..Options::quiet()
    };
    let sandbox = Sandbox::start(options, half_the_alcohol()).await.unwrap();
    invoke(&sandbox, 8).await;
    let client = clients::logs(&sandbox);
    let events = eventually(async || {
        let events = events(&client, &sandbox.log_group()).await;
        let reports = events
            .iter()
            .filter(|event| event.message().unwrap().starts_with("REPORT"));
        (reports.count() == 8).then_some(events)
    })
    .await;
    assert!(
        events
            .iter()
            .any(|event| event.ingestion_time() > event.timestamp())
    );
    assert!(events.is_sorted_by_key(FilteredLogEvent::timestamp));
}

#[tokio::test]
async fn an_incident_brings_its_own_delivery_lag() {
    let sandbox = quiet().await;
    sandbox.set_incident(Some(Incident::LagNone));
    invoke(&sandbox, 8).await;
    let client = clients::logs(&sandbox);
    let events = events(&client, &sandbox.log_group()).await;
    let reports = events.iter().filter(|event| {
        assert_eq!(event.ingestion_time(), event.timestamp());
        event.message().unwrap().starts_with("REPORT")
    });
    assert_eq!(reports.count(), 8, "readable at once");
}
