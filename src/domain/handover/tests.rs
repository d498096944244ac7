//! What the report says, and how remote text stands in it.

#![allow(clippy::unwrap_used)]
use super::markdown::spark;
use super::*;
use crate::domain::alerts::Limits;
use crate::domain::cost::Prices;
use crate::domain::doctor::{Facts, diagnose};
use crate::domain::drift::Reference;
use crate::domain::latency::histogram::histogram;
use crate::domain::latency::series::series;
use crate::domain::latency::tests::{cold, warm};
use crate::domain::latency::{Samples, Window};
use crate::domain::slo::Slo;
use crate::domain::vitals::Readings;

fn handover() -> Handover {
    let mut samples = Samples::default();
    for i in 0..120 {
        samples.push(warm(i * 1000, 150.0 + i as f64));
    }
    samples.push(cold(130_000, 200.0, 1400.0));
    let prices = Prices::default();
    let vitals = Vitals::of(&Readings {
        overview: None,
        snapshot: None,
        budget: None,
        samples: &samples,
        reports: None,
        own_calls: &[],
        window: Window::H1,
        now_ms: 131_000,
        prices: &prices,
        slo: Slo::default(),
        limits: Limits::default(),
    });
    Handover {
        written: "2026-11-23T12:00:00Z".to_owned(),
        source: Source {
            target: "aws".to_owned(),
            account: None,
            region: "us-east-2".to_owned(),
            function: "wine|<b>".to_owned(),
            endpoint: "https://x".to_owned(),
            sandbox: false,
        },
        config: None,
        surroundings: Vec::new(),
        drift: Drifting::Unread("no champion".to_owned()),
        series: series(samples.iter(), 3600, 131_000, 24),
        histogram: histogram(samples.iter(), 8),
        note: "121 REPORT lines in 1h".to_owned(),
        vitals,
        errors: Errors::Groups(vec![ErrorGroup {
            template: "KeyError: <*>".to_owned(),
            count: 3,
            request_id: Some("abc".to_owned()),
            last_ms: 0,
        }]),
        diagnosis: diagnose(&Facts::default()),
    }
}

#[test]
fn the_report_has_every_section_and_its_n() {
    let text = handover().markdown();
    for part in [
        "## Health",
        "## Latency",
        "| Duration | 121 |",
        "| client total | 0 | – | – | – | 1h | our calls: no call of ours in the window |",
        "## Cold starts\n\n1 of 121",
        "## Failures",
        "| in the log | 0 | 121 | 1h | log lines |",
        "## Errors",
        "| 3 | KeyError",
        "## Cost",
        "## Drift\n\nCould not be compared: no champion",
        "## Doctor",
        "# warm  * cold",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

#[test]
fn drift_is_said_with_its_n_and_its_model() {
    let alcohol = (0..1000_i16).map(|row| 8.0 + f32::from(row) * 0.006);
    let reference = Reference::of([("alcohol".to_owned(), alcohol.collect())]);
    let drift = |rows: usize| {
        let drift = Drifting::Compared(DriftLine {
            against: "v0001".to_owned(),
            report: reference.compare(&[vec![13.9; rows]]).unwrap(),
        });
        Handover {
            drift,
            ..handover()
        }
        .markdown()
    };
    assert!(drift(37).contains("Collecting: 37 of 50 requests"));
    let text = drift(200);
    assert!(
        text.contains("**retrain suggested**: inputs have moved far; inputs against the training rows of v0001; farthest alcohol")
            && text.contains("n = 200"),
        "{text}"
    );
}

#[test]
fn hostile_names_do_not_become_markup() {
    let text = handover().markdown();
    assert!(text.starts_with("# wine\\|&lt;b>"));
    let mut report = handover();
    report.diagnosis.verdict.fix = "aws x \u{202e}\u{1b}[2J\n```\n# evil".to_owned();
    let text = report.markdown();
    assert!(
        text.contains("```sh\naws x [2J\n'''\n# evil\n```"),
        "{text}"
    );
}

#[test]
fn sparks_scale_to_their_highest_value() {
    assert_eq!(spark(&[0.0, 1.0, 4.0, 8.0]), " ▁▄█");
    assert_eq!(spark(&[]), "");
}
