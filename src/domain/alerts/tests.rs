//! The rules over hand-made windows: what fires, what clears, what is remembered.

#![allow(clippy::unwrap_used, clippy::unnecessary_wraps, clippy::float_cmp)]
use super::*;
use crate::domain::latency::Sample;
use crate::domain::latency::tests::warm;
use crate::domain::metrics::Recent;
use crate::domain::slo::Counts;

fn rule() -> Rule {
    default_rules().remove(0)
}

fn at(value: f64) -> Option<Reading> {
    Some(Reading::new(value, 100, "gateway 5xx"))
}

#[test]
fn both_windows_fire_and_only_the_lower_threshold_clears() {
    let rule = rule();
    let (standing, change) = rule.step(Standing::NoData, at(5.0), at(0.4), 0);
    assert_eq!(
        (standing.is_firing(), change),
        (false, None),
        "a blip is not an alert"
    );
    let (standing, change) = rule.step(standing, at(5.0), at(1.2), 10);
    assert_eq!(change, Some(Change::Fired(at(5.0).unwrap())));
    let (standing, change) = rule.step(standing, at(0.8), at(1.2), 20);
    assert_eq!(
        (standing.is_firing(), change),
        (true, None),
        "between the thresholds nothing changes"
    );
    let (standing, change) = rule.step(standing, None, at(1.2), 30);
    assert_eq!(
        (standing.is_firing(), change),
        (true, None),
        "silence does not clear"
    );
    let (standing, change) = rule.step(standing, at(0.1), at(1.2), 40);
    assert_eq!(
        (standing.is_firing(), change),
        (false, Some(Change::Cleared))
    );
    let (_, change) = rule.step(standing, at(0.9), at(1.2), 50);
    assert_eq!(change, None, "no flapping");
}

#[test]
fn a_flapping_signal_fires_once() {
    let rule = rule();
    let (mut standing, mut fired) = (Standing::NoData, 0);
    for i in 0..100 {
        let value = if i % 2 == 0 { 1.1 } else { 0.9 };
        let (next, change) = rule.step(standing, at(value), at(1.1), i);
        standing = next;
        fired += i32::from(matches!(change, Some(Change::Fired(_))));
    }
    assert_eq!(fired, 1);
}

#[test]
fn too_few_values_say_nothing() {
    let few = Some(Reading::new(50.0, 2, "gateway 5xx"));
    assert_eq!(
        rule().step(Standing::NoData, few, few, 0),
        (Standing::NoData, None)
    );
    // At a call in half a minute five minutes hold ten: enough to show that it goes on.
    let ten = Some(Reading::new(100.0, 10, "gateway 5xx"));
    let (standing, _) = rule().step(Standing::NoData, ten, at(20.0), 0);
    assert!(standing.is_firing());
}

#[test]
fn slow_calls_fire_the_p99_rules_and_the_session_replays_alike() {
    let mut samples = Samples::default();
    for i in 0..200 {
        samples.push(warm(i * 1000, 620.0));
    }
    let run = || {
        let mut alerts = Alerts::default();
        alerts.step(&samples, &Outside::default(), 200_000)
    };
    let signals: Vec<Signal> = run().into_iter().map(|(rule, _)| rule.signal).collect();
    assert_eq!(signals, [Signal::P99All, Signal::P99Warm]);
    assert_eq!(run().len(), 2);
}

/// Gateway counts by the minute, the newest now.
fn gateway(minutes: impl IntoIterator<Item = (i64, f64, f64)>) -> Recent {
    let counted = |(at, valid, bad)| (-60 * (at + 1), Counts { valid, bad });
    Recent {
        end_s: 0,
        periods: minutes.into_iter().map(counted).collect(),
    }
}

fn fired(alerts: &mut Alerts, samples: &Samples, gateway: &Recent) -> Vec<String> {
    let outside = Outside {
        gateway: Some(gateway),
        ..Outside::default()
    };
    let told = |(rule, change): (Rule, Change)| match change {
        Change::Fired(reading) => Some(rule.sentence(&reading)),
        Change::Cleared => None,
    };
    let changes = alerts.step(samples, &outside, 60_000);
    changes.into_iter().filter_map(told).collect()
}

#[test]
fn errors_count_at_the_gateway_and_in_the_log_whichever_is_worse() {
    let outage = gateway([(0, 100.0, 100.0)]);
    let told = fired(&mut Alerts::default(), &Samples::default(), &outage);
    assert_eq!(
        told,
        ["error rate 100.0 % > 1.00 % (n = 100 in 5 min, gateway 5xx)"]
    );
    // CloudWatch lags: the log knows of the crash before the gateway's counts do.
    let mut crashed = Samples::default();
    for i in 0..60 {
        crashed.push(Sample {
            failed: true,
            ..warm(i * 1000, 5.0)
        });
    }
    let calm = gateway([(0, 1000.0, 0.0)]);
    let told = fired(&mut Alerts::default(), &crashed, &calm);
    assert_eq!(
        told,
        ["error rate 100.0 % > 1.00 % (n = 60 in 5 min, log lines)"]
    );
}

#[test]
fn a_rule_looks_at_its_own_windows() {
    // Trouble 15 to 25 minutes ago, calm since.
    let past = gateway((0..60).map(|m| (m, 100.0, if (15..25).contains(&m) { 50.0 } else { 0.0 })));
    let rule = |short_s, long_s| Rule {
        short_s,
        long_s,
        ..rule()
    };
    let fires = |rule| {
        let mut alerts = Alerts::new(vec![rule]);
        fired(&mut alerts, &Samples::default(), &past).len()
    };
    assert_eq!(fires(rule(300, 3600)), 0);
    assert_eq!(fires(rule(1200, 1800)), 1);
    assert_eq!(fires(rule(1200, 1200)), 1);
}

#[test]
fn what_fired_and_cleared_stays_in_the_history() {
    let mut alerts = Alerts::new(vec![rule()]);
    let none = Samples::default();
    fired(&mut alerts, &none, &gateway([(0, 100.0, 2.0)]));
    fired(&mut alerts, &none, &gateway([(0, 100.0, 8.0)]));
    assert_eq!(alerts.history[0].cleared_ms, None);
    fired(&mut alerts, &none, &gateway([(0, 100.0, 0.0)]));
    let past = alerts.history[0];
    assert_eq!((past.cleared_ms, past.worst), (Some(60_000), 8.0));
    assert_eq!((past.reading.value, past.reading.n), (2.0, 100));
}

#[test]
fn senseless_rules_are_named() {
    for good in default_rules() {
        assert_eq!(good.check(), Ok(()), "{good:?}");
    }
    let field = |rule: Rule| rule.check().unwrap_err().0;
    let good = rule();
    assert_eq!(
        field(Rule {
            above: f64::NAN,
            ..good.clone()
        }),
        "above"
    );
    assert_eq!(
        field(Rule {
            clear: 2.0,
            ..good.clone()
        }),
        "clear"
    );
    assert_eq!(
        field(Rule {
            short_s: 0,
            ..good.clone()
        }),
        "short_s"
    );
    assert_eq!(
        field(Rule {
            long_s: 60,
            ..good.clone()
        }),
        "long_s"
    );
    assert_eq!(
        field(Rule {
            long_s: 86_400,
            ..good
        }),
        "long_s"
    );
}

#[test]
fn silence_and_memory_have_rules_of_their_own() {
    let mut samples = Samples::default();
    let mut full = warm(1000, 180.0);
    full.max_memory_mb = 1000;
    samples.push(full);
    let outside = Outside {
        silent_since_ms: Some(1000),
        ..Outside::default()
    };
    let mut alerts = Alerts::default();
    let memory = alerts.step(&samples, &outside, 2000);
    assert_eq!(
        memory.iter().map(|(r, _)| r.signal).collect::<Vec<_>>(),
        [Signal::Memory]
    );
    let quiet = alerts.step(&samples, &outside, 2_000_000);
    assert_eq!(
        quiet.iter().map(|(r, _)| r.signal).collect::<Vec<_>>(),
        [Signal::NoEvents]
    );
    assert_eq!(alerts.firing().count(), 2);
}
