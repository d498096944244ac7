//! Three ways side by side, and what the log tells of a call through the gateway.

use vintner::client::tail::{Batch, Phase, TailUpdate};
use vintner::domain::doctor::Fact;
use vintner::domain::line::LogEvent;
use vintner::effects::lambda::Event as Described;
use vintner::effects::logs::Event as Logged;
use vintner::effects::predict::Event as Heard;

use super::{GOOD, answer, answered, began, stage, three_ways};
use crate::support::stage::Stage;

/// What a running tail brings.
fn logged(stage: &mut Stage, messages: &[&str]) {
    let at = stage.now().wall.as_millisecond();
    let events = messages.iter().map(|message| LogEvent {
        timestamp: at,
        ingestion_time: at,
        group: "g".into(),
        stream: "a".into(),
        event_id: None,
        message: (*message).to_owned(),
    });
    let batch = Batch {
        group: "g".into(),
        phase: Phase::Live,
        events: events.collect(),
    };
    stage.event(Logged::Tail(1, TailUpdate::Events(batch)));
}

/// The gateway's id is none of Lambda's: only a log that puts both together tells a cold start from a warm one.
#[test]
fn an_answer_through_the_gateway_is_cold_or_warm_where_the_log_says_which_report_is_its() {
    let report = |cold: &str| {
        format!(
            "REPORT RequestId: 8f5d9e9c-6c3a-4d0e-9a43-0d5f6a7b8c9d\tDuration: 158.42 ms\tBilled Duration: 1559 ms\tMemory Size: 1024 MB\tMax Memory Used: 236 MB\t{cold}"
        )
    };
    let cold = report("Init Duration: 1400.11 ms\t");
    let both = r#"{"level":"INFO","function_request_id":"8f5d9e9c-6c3a-4d0e-9a43-0d5f6a7b8c9d","correlation_id":"JKvX2hdTiYcEJtw="}"#;
    let mut stage = stage();
    stage.connect();
    answered(&mut stage, Ok(answer(200, GOOD)));
    logged(&mut stage, &["Model loaded successfully", &cold]);
    assert!(stage.text().contains("cold or warm: "), "{}", stage.text());
    logged(&mut stage, &[both]);
    let text = stage.text();
    assert!(text.contains("cold: init 1.40 s + 158 ms (log)"), "{text}");
    // The next answer is not the last one's.
    answered(&mut stage, Ok(answer(200, GOOD)));
    assert!(stage.text().contains("cold or warm: "), "{}", stage.text());
    logged(&mut stage, &[both, &report("")]);
    let text = stage.text();
    assert!(text.contains("warm: handler 158 ms"), "{text}");
}

/// A million calls of 1559 ms billed with 1 GB: 25.98 of compute on x86, 20.79 on arm64, and 0.20 for the requests.
#[test]
fn three_ways_are_priced_by_the_functions_architecture_and_a_direct_call_pays_no_api() {
    let mut stage = stage();
    stage.connect();
    let ticket = began(&stage.press("a"))[0];
    stage.event(Heard::CompareBegan { ticket });
    let comparison = Box::new(three_ways());
    stage.event(Heard::Compared { ticket, comparison });
    let said = |stage: &Stage, row: &str| {
        let text = stage.text();
        let line = text.lines().find(|line| line.contains(row));
        line.map(str::to_owned).unwrap_or_default()
    };
    assert!(
        said(&stage, "x86/1M").contains("$26.18"),
        "{}",
        stage.text()
    );
    assert!(
        said(&stage, "arm/1M").contains("$20.99"),
        "{}",
        stage.text()
    );
    for (architecture, price) in [("arm64", "$20.99"), ("x86_64", "$26.18")] {
        let mut overview = crate::lambda::overview();
        if let Fact::Known(config) = &mut overview.config {
            config.architecture = architecture.into();
        }
        stage.event(Described::Described {
            ticket: 0,
            overview: Ok(Box::new(overview)),
        });
        assert!(said(&stage, "cost/1M").contains(price), "{}", stage.text());
    }
    assert!(stage.text().contains("on x86, "), "{}", stage.text());
}
