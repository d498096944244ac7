//! The lines of calls that nobody here makes: history, background traffic, the other function.

use std::sync::{Arc, Mutex};

use super::super::{clients, eventually, half_the_alcohol};
use crate::sandbox::{Incident, Options, Sandbox, ServedModel};

#[tokio::test]
async fn history_is_there_at_once_and_the_same_for_the_same_seed() {
    let options = || Options {
        history: std::time::Duration::from_hours(1),
        ..Options::quiet()
    };
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let sandbox = Sandbox::start(options(), half_the_alcohol()).await.unwrap();
        let page = clients::logs(&sandbox)
            .filter_log_events()
            .log_group_name(sandbox.log_group())
            .filter_pattern("REPORT")
            .send()
            .await
            .unwrap();
        sessions.push(
            page.events()
                .iter()
                .map(|event| event.message().unwrap().to_owned())
                .collect::<Vec<_>>(),
        );
    }
    assert!(
        (100..1000).contains(&sessions[0].len()),
        "{}",
        sessions[0].len()
    );
    // The day's curve depends on when it started, so the two differ by a moment at the end.
    let same = sessions[0].len().min(sessions[1].len()) - 3;
    assert_eq!(sessions[0][..same], sessions[1][..same]);
}

#[tokio::test]
async fn background_traffic_calls_the_real_model() {
    let options = Options {
        rate: 200.0,
        ..Options::quiet()
    };
    let rows = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&rows);
    let model = ServedModel::ready(
        "v1",
        Arc::new(move |row: &[f32]| {
            seen.lock().unwrap().push(row.to_vec());
            5.5
        }),
    );
    let sandbox = Sandbox::start(options, model).await.unwrap();
    eventually(async || (rows.lock().unwrap().len() > 100).then_some(())).await;
    let densities_are_wine = rows
        .lock()
        .unwrap()
        .iter()
        .all(|row| (0.98..1.04).contains(&row[7]));
    assert!(densities_are_wine);
    sandbox.set_incident(Some(Incident::DriftedInput));
    rows.lock().unwrap().clear();
    eventually(async || (rows.lock().unwrap().len() > 100).then_some(())).await;
    let late = rows.lock().unwrap()[20..].to_vec();
    assert!(
        late.iter().all(|row| row[10] > 13.0),
        "alcohol did not drift"
    );
}

#[tokio::test]
async fn the_other_function_logs_in_json() {
    let options = Options {
        history: std::time::Duration::from_hours(1),
        ..Options::quiet()
    };
    let sandbox = Sandbox::start(options, half_the_alcohol()).await.unwrap();
    let client = clients::logs(&sandbox);
    let reports = client
        .filter_log_events()
        .log_group_name("/aws/lambda/wine-quality-retrain")
        .filter_pattern("{ $.type = \"platform.report\" && $.record.metrics.memorySizeMB = 3008 }")
        .send()
        .await
        .unwrap();
    // Four quarters of an hour; the last run may not be over yet.
    assert!((3..=4).contains(&reports.events().len()));
    let report =
        crate::domain::report::Report::parse(reports.events()[0].message().unwrap()).unwrap();
    assert!(report.billed_ms as f64 >= report.duration_ms + report.init_ms.unwrap());
}
