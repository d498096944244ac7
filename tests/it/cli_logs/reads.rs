//! Lines, requests, errors and queries out of CloudWatch.

use std::time::Duration;

use vintner::sandbox::Incident;

use super::{Scene, objects, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_requests_and_errors_come_as_text_and_json() {
    let scene = Scene::after_calls(3).await;
    let lines = scene.logs(&["--since", "1h", "--json"]).await;
    assert!(lines.status.success(), "{}", text(&lines.stderr));
    let events = objects(&lines);
    assert_eq!(
        events.len(),
        3 * 3 + 3,
        "three lines a call, and three of the cold start"
    );
    for field in [
        "timestamp",
        "ingestionTime",
        "logStreamName",
        "eventId",
        "message",
    ] {
        assert!(
            events.iter().all(|event| !event[field].is_null()),
            "{field}"
        );
    }
    let plain = text(
        &scene
            .logs(&["--since", "1h", "--grep", "^REPORT"])
            .await
            .stdout,
    );
    assert_eq!(plain.lines().count(), 3, "{plain}");
    let served = scene.logs(&["--since", "1h", "--filter", "START"]).await;
    assert!(
        text(&served.stdout).contains("START RequestId"),
        "{}",
        text(&served.stderr)
    );
    let requests = scene.logs(&["--since", "1h", "--requests"]).await;
    assert_eq!(text(&requests.stdout).lines().count(), 3);
    assert!(
        text(&requests.stderr).contains("3 requests, 3 reported: 0 failed"),
        "{}",
        text(&requests.stderr)
    );
    let until = scene.logs(&["--since", "2h", "--until", "1h"]).await;
    assert_eq!(text(&until.stdout), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_are_grouped_and_insights_counts_them() {
    let scene = Scene::new().await;
    scene.sandbox.set_incident(Some(Incident::HandlerCrash));
    scene.call(3).await;
    let mut errors = Vec::new();
    for _ in 0..100 {
        errors = objects(&scene.logs(&["--since", "1h", "--errors", "--json"]).await);
        if errors.first().is_some_and(|row| row["count"] == 3) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(errors[0]["count"], 3, "{errors:?}");
    let query = "filter @message like /^REPORT/ | stats count(*) as n";
    let counted = scene
        .logs(&["--since", "1h", "--json", "--insights", query])
        .await;
    assert_eq!(objects(&counted)[0]["n"], "3", "{}", text(&counted.stderr));
    assert!(text(&counted.stderr).contains("scanned"));
    let wrong = scene.logs(&["--insights", "filtr x"]).await;
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stderr));
}
