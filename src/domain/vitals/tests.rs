//! The figures and lamps over hand-made readings.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::doctor::facts::Metrics;
use crate::domain::latency::tests::{cold, warm};
use crate::domain::slo::Counts;

fn samples() -> Samples {
    let mut samples = Samples::default();
    for i in 0..300 {
        samples.push(warm(i * 1000, 180.0));
    }
    samples.push(cold(301_000, 200.0, 1400.0));
    samples
}

fn readings<'a>(samples: &'a Samples, prices: &'a Prices) -> Readings<'a> {
    Readings {
        overview: None,
        snapshot: None,
        budget: None,
        samples,
        reports: None,
        own_calls: &[],
        window: Window::H1,
        now_ms: 302_000,
        prices,
        slo: Slo::default(),
        limits: Limits::default(),
    }
}

#[test]
fn every_figure_carries_its_n_and_source() {
    let (samples, prices) = (samples(), Prices::default());
    let vitals = Vitals::of(&readings(&samples, &prices));
    assert_eq!(vitals.warm.unwrap().n, 300);
    assert_eq!(vitals.cold.cold, 1);
    let lamp = |label: &str| vitals.strip.iter().find(|v| v.label == label).unwrap();
    assert_eq!(
        (lamp("warm p99").value.as_str(), lamp("warm p99").light),
        ("180 ms", Light::Green)
    );
    assert!(lamp("warm p99").why.contains("n = 300"));
    assert_eq!(lamp("state").light, Light::Grey);
    let row = vitals
        .latency
        .iter()
        .find(|r| r.what == "Duration")
        .unwrap();
    assert_eq!(
        (row.n, row.source, row.newest_ms),
        (301, "REPORT lines", Some(301_000))
    );
    assert!((vitals.cost.unwrap().million.total() - 4.3).abs() < 0.2);
}

#[test]
fn nothing_collected_is_grey_and_not_zero() {
    let (samples, prices) = (Samples::default(), Prices::default());
    let vitals = Vitals::of(&readings(&samples, &prices));
    assert_eq!(vitals.worst(), Light::Grey);
    assert!(vitals.cost.is_none() && vitals.strip.iter().all(|v| v.value == "–"));
}

#[test]
fn cloudwatch_rows_say_what_they_cover_and_until_when() {
    let (samples, prices) = (Samples::default(), Prices::default());
    let snapshot = Fact::Known(Snapshot {
        totals: Metrics {
            window_s: 3600,
            span_ms: Some((0, 43 * 60_000)),
            latency_n: Some(120.0),
            latency_p99: Some(400.0),
            ..Metrics::default()
        },
        ..Snapshot::default()
    });
    let vitals = Vitals::of(&Readings {
        snapshot: Some(&snapshot),
        ..readings(&samples, &prices)
    });
    let row = |what: &str| vitals.latency.iter().find(|r| r.what == what).unwrap();
    let gateway = row("gateway Latency");
    assert_eq!(
        (gateway.window.as_str(), gateway.n, gateway.newest_ms),
        ("43m", 120, Some(43 * 60_000))
    );
    assert_eq!(row("Duration").window, "1h");
    // No data point for throttles is no zero.
    let lamp = vitals
        .strip
        .iter()
        .find(|v| v.label == "throttles")
        .unwrap();
    assert_eq!((lamp.light, lamp.value.as_str()), (Light::Grey, "–"));
    assert_eq!(vitals.worst(), Light::Grey);
}

#[test]
fn what_is_slow_is_said_by_the_rule_for_such_a_figure() {
    let (samples, prices) = (samples(), Prices::default());
    let slow = |warm_ms, all_ms| {
        let limits = Limits {
            warm_ms,
            all_ms,
            ..Limits::default()
        };
        let own_calls: Vec<(i64, f64)> = (0..300).map(|i| (i, 250.0)).collect();
        let vitals = Vitals::of(&Readings {
            own_calls: &own_calls,
            limits,
            ..readings(&samples, &prices)
        });
        let slow = vitals.latency.into_iter().filter(LatencyRow::is_slow);
        slow.map(|row| row.what).collect::<Vec<_>>()
    };
    assert_eq!(slow(500.0, 500.0), Vec::<&str>::new());
    assert_eq!(slow(100.0, 500.0), ["Duration"]);
    assert_eq!(slow(500.0, 200.0), ["client total"]);
}

#[test]
fn an_architecture_that_nobody_could_read_is_called_assumed() {
    let (samples, prices) = (samples(), Prices::default());
    let priced = |overview: Option<&Overview>| {
        let vitals = Vitals::of(&Readings {
            overview,
            ..readings(&samples, &prices)
        });
        vitals.cost.unwrap().priced_on()
    };
    assert_eq!(priced(None), "x86 assumed");
    let arm = Overview {
        config: Fact::Known(crate::domain::function::FunctionConfig {
            architecture: "arm64".into(),
            ..Default::default()
        }),
        ..Overview::default()
    };
    assert_eq!(priced(Some(&arm)), "arm64");
}

#[test]
fn a_refused_read_is_named_by_the_lamps_that_need_it() {
    let (samples, prices) = (Samples::default(), Prices::default());
    let refused = Fact::Denied {
        action: "cloudwatch:GetMetricData".to_owned(),
    };
    let vitals = Vitals::of(&Readings {
        snapshot: Some(&refused),
        budget: Some(&Fact::Denied {
            action: "cloudwatch:GetMetricData".to_owned(),
        }),
        ..readings(&samples, &prices)
    });
    for label in ["throttles", "error budget"] {
        let lamp = vitals.strip.iter().find(|v| v.label == label).unwrap();
        assert!(lamp.why.contains("cloudwatch:GetMetricData"), "{lamp:?}");
    }
}

fn lamp<'a>(vitals: &'a Vitals, label: &str) -> &'a Vital {
    vitals.strip.iter().find(|v| v.label == label).unwrap()
}

#[test]
fn calls_that_crash_light_the_errors_lamp_whoever_counts_them() {
    let prices = Prices::default();
    let mut crashed = Samples::default();
    for i in 0..120 {
        crashed.push(Sample {
            failed: i % 2 == 0,
            ..warm(i * 1000, 5.0)
        });
    }
    let vitals = Vitals::of(&readings(&crashed, &prices));
    let errors = lamp(&vitals, "errors");
    assert_eq!((errors.light, errors.value.as_str()), (Light::Red, "50 %"));
    assert!(errors.why.contains("in the log 60 of 120"), "{errors:?}");
    // What failed says nothing about how long an answer takes.
    assert_eq!(lamp(&vitals, "warm p99").light, Light::Grey);

    // A missing permission reaches no function: only the gateway knows.
    let snapshot = Fact::Known(Snapshot {
        totals: Metrics {
            gateway_count: Some(40.0),
            gateway_5xx: Some(40.0),
            ..Metrics::default()
        },
        ..Snapshot::default()
    });
    let none = Samples::default();
    let vitals = Vitals::of(&Readings {
        snapshot: Some(&snapshot),
        ..readings(&none, &prices)
    });
    let errors = lamp(&vitals, "errors");
    assert_eq!((errors.light, errors.value.as_str()), (Light::Red, "100 %"));
    assert!(errors.why.contains("gateway 5xx 40 of 40"), "{errors:?}");
}

#[test]
fn few_failures_are_worth_a_look_and_none_are_green_only_when_the_gateway_was_asked() {
    let prices = Prices::default();
    let mut one = samples();
    one.push(Sample {
        failed: true,
        ..warm(299_500, 180.0)
    });
    let vitals = Vitals::of(&readings(&one, &prices));
    assert_eq!(lamp(&vitals, "errors").light, Light::Amber);
    let fine = samples();
    let vitals = Vitals::of(&readings(&fine, &prices));
    assert_eq!(lamp(&vitals, "errors").light, Light::Green);
    let overview = Overview {
        api_id: Fact::Known("a".to_owned()),
        ..Overview::default()
    };
    let refused = Fact::Denied {
        action: "cloudwatch:GetMetricData".to_owned(),
    };
    let vitals = Vitals::of(&Readings {
        overview: Some(&overview),
        snapshot: Some(&refused),
        ..readings(&fine, &prices)
    });
    let errors = lamp(&vitals, "errors");
    assert_eq!(errors.light, Light::Grey);
    assert!(
        errors.why.contains("cloudwatch:GetMetricData")
            && errors.why.contains("in the log 0 of 301"),
        "{errors:?}"
    );
}

#[test]
fn a_budget_that_is_overspent_says_how_much_was_used() {
    let said = |remaining: Option<f64>| {
        let line = BudgetLine {
            remaining,
            ..budget::budget(&Budget::default(), Slo::default())
        };
        line.left()
    };
    assert_eq!(said(None), "–");
    assert_eq!(said(Some(0.769)), "76.9 % left");
    assert_eq!(said(Some(-3.872)), "487 % used");
}

#[test]
fn how_long_the_budget_lasts_is_said_in_a_unit_that_fits() {
    let left = |hours_left: Option<f64>| {
        let line = BudgetLine {
            hours_left,
            ..budget::budget(&Budget::default(), Slo::default())
        };
        line.gone().unwrap_or_default()
    };
    assert_eq!(left(None), "");
    assert_eq!(left(Some(0.0)), "gone");
    assert_eq!(left(Some(0.75)), "gone in 45 min");
    assert_eq!(left(Some(30.0)), "gone in 30 h");
    assert_eq!(left(Some(624.0)), "gone in 26 d");
}

#[test]
fn a_burning_budget_pages() {
    let (samples, prices) = (Samples::default(), Prices::default());
    let outage = Counts {
        valid: 100.0,
        bad: 50.0,
    };
    let budget = Budget {
        five_minutes: outage,
        half_hour: outage,
        hour: outage,
        six_hours: outage,
        month: Counts {
            valid: 1e6,
            bad: 50.0,
        },
        ..Budget::default()
    };
    let vitals = Vitals::of(&Readings {
        budget: Some(&Fact::Known(budget)),
        ..readings(&samples, &prices)
    });
    let line = vitals.budget.as_ref().unwrap();
    assert_eq!(line.paging, Some(14.4));
    assert_eq!(vitals.worst(), Light::Red);
}
