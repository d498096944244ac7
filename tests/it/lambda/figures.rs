//! Figures and what they are of: their window, their target, their source, and the requests behind them.

use super::*;

#[test]
fn another_window_asks_anew_and_stale_answers_are_dropped() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    fill(&mut stage);
    let asked = stage.press("w");
    assert!(
        asked.contains(&Effect::Lambda(LambdaEffect::Watch {
            ticket: 1,
            window: Window::H6
        })),
        "{asked:?}"
    );
    stage.event(Event::Described {
        ticket: 0,
        overview: Err("stale".into()),
    });
    assert!(!stage.text().contains("stale"));
}

#[test]
fn a_refused_read_of_the_log_is_said_until_the_next_one_works() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    fill(&mut stage);
    stage.event(Event::Reports {
        ticket: 0,
        reports: Fact::Failed("logs:FilterLogEvents: throttled".into()),
    });
    let text = stage.text();
    assert!(
        text.contains("log not read anew") && text.contains("throttled"),
        "{text}"
    );
    let now = stage.now().wall;
    stage.event(Event::Reports {
        ticket: 0,
        reports: Fact::Known(reports(now)),
    });
    assert!(!stage.text().contains("throttled"), "{}", stage.text());
}

#[test]
fn the_figures_of_one_window_are_not_called_anothers() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    fill(&mut stage);
    let row = |stage: &Stage| {
        let text = stage.text();
        let row = text.lines().find(|l| l.contains("IntegrationLatency"));
        row.unwrap().to_owned()
    };
    assert!(row(&stage).contains("178 ms"), "{}", row(&stage));
    stage.press("w");
    let text = stage.text();
    assert!(row(&stage).contains("not read yet"), "{}", row(&stage));
    assert!(text.contains("REPORT lines since"), "{text}");
    // For the moment refused: what was read of this window stays, with its age.
    fill_again(&mut stage, 1);
    stage.wait(std::time::Duration::from_mins(1));
    stage.event(Event::Measured {
        ticket: 1,
        snapshot: Box::new(Fact::Failed("throttled".into())),
        budget: Fact::Failed("throttled".into()),
    });
    let text = stage.text();
    assert!(row(&stage).contains("178 ms"), "{}", row(&stage));
    assert!(
        text.contains("CloudWatch's figures are of 60 s ago: throttled"),
        "{text}"
    );
}

/// Key and frame must not wait for figures: lines and a question go out, and the screen changes when the answer comes.
#[test]
fn figures_are_worked_out_elsewhere_and_those_of_another_target_are_dropped() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    stage.connect();
    fill(&mut stage);
    let before = stage.text();
    let now_ms = stage.now().wall.as_millisecond();
    let lines = vec![full(now_ms, 9_000, 237)];
    let reports = Fact::Known(Reports {
        lines: lines.clone(),
        since_ms: now_ms - 60_000,
        cut: false,
    });
    let ticket = 1;
    let asked = stage.unanswered(Event::Reports { ticket, reports });
    let [
        Effect::Lambda(LambdaEffect::Reckon(Work::Lines(sent))),
        Effect::Lambda(LambdaEffect::Reckon(Work::Ask(question))),
    ] = asked.as_slice()
    else {
        panic!("{asked:?}")
    };
    assert_eq!((sent, question.window), (&lines, Window::H1));
    assert_eq!(stage.text(), before);
    stage.answer(asked.clone());
    assert_ne!(stage.text(), before);

    // Another target: what comes late is not its.
    stage.unanswered(Event::Described {
        ticket,
        overview: Ok(Box::new(overview())),
    });
    let late = stage.figures(asked);
    stage.connect();
    let connected = stage.text();
    stage.event(Event::Reckoned(late.into()));
    assert_eq!(stage.text(), connected);
}

#[test]
fn enter_lists_the_requests_behind_the_figures() {
    for (keys, sorted) in [
        ("", "sort: slowest"),
        ("v v v", "sort: longest init"),
        ("v v v v", "sort: newest"),
    ] {
        let mut stage = Stage::new((120, 40), ThemeName::Dark);
        fill(&mut stage);
        stage.press(keys);
        stage.press("enter");
        let offers = stage.app.offers();
        let offered = offers.iter().any(|(_, offer)| offer.label == sorted);
        assert!(offered, "{keys}: {offers:?}\n{}", stage.text());
    }
}

#[test]
fn a_function_that_disappears_is_said_and_its_last_figures_stay() {
    for size in SIZES {
        let mut stage = Stage::new(size, ThemeName::Dark);
        fill(&mut stage);
        let gone = Overview {
            config: Fact::Missing("Function not found: wine-quality-predictor".into()),
            ..Overview::default()
        };
        stage.event(Event::Described {
            ticket: 0,
            overview: Ok(Box::new(gone)),
        });
        let text = stage.text();
        assert!(text.contains("Function not found"), "{size:?}: {text}");
        assert!(text.contains("✗ state"), "{size:?}: {text}");
        assert!(text.contains("n 390"), "{size:?}: {text}");
        stage.press("v v e d y o");
        assert!(stage.text().contains("Function not found"), "{size:?}");
    }
}

#[test]
fn a_function_never_called_is_grey_and_not_zero() {
    for size in SIZES {
        let mut stage = Stage::new(size, ThemeName::Dark);
        stage.press("3");
        never_called(&mut stage);
        let text = stage.text();
        for part in ["– errors", "– warm p99", "– cold rate", "no REPORT line"] {
            assert!(text.contains(part), "{size:?}: {part}: {text}");
        }
        for keys in ["v", "v", "v", "v"] {
            stage.press(keys);
            stage.buffer();
        }
    }
}

/// A number that is cut is another number: a busy service's counts are shortened where there is no room for them.
#[test]
fn the_counts_of_a_busy_service_are_not_cut() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    fill(&mut stage);
    let end_s = stage.now().wall.as_second();
    let minute = |at: i64| {
        let counts = Counts {
            valid: 20_577.0,
            bad: 411.54,
        };
        (end_s - 60 * (at + 1), counts)
    };
    let totals = Metrics {
        window_s: 3600,
        latency_n: Some(1_234_567.0),
        latency_p50: Some(184.0),
        latency_p99: Some(212.0),
        ..Metrics::default()
    };
    let point = |at: i64| Point {
        at_ms: (end_s - 60 * (at + 1)) * 1000,
        server_errors: Some(12_345.0),
        ..Point::default()
    };
    stage.event(Event::Measured {
        ticket: 0,
        snapshot: Box::new(Fact::Known(Snapshot {
            totals,
            period_s: 60,
            points: (0..60).map(point).collect(),
        })),
        budget: Fact::Known(Budget {
            recent: Recent {
                end_s,
                periods: (0..60).map(minute).collect(),
            },
            ..Budget::default()
        }),
    });
    let text = stage.text();
    for whole in [
        "2.00 % n 103k",
        "gateway Latency      1.2M  184 ms",
        "gw 5xx 12k ",
    ] {
        assert!(text.contains(whole), "{whole} in\n{text}");
    }
}
