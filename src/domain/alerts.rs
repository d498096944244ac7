//! Alert rules: a threshold that must hold over a short and a long window before it fires, and a lower one before it clears.

pub mod alarm;
mod limits;
mod reading;
pub mod replay;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::domain::drift::FEWEST;
use crate::domain::latency::Samples;
use crate::domain::metrics::Recent;

pub use limits::Limits;
pub use reading::{Outside, Reading};

/// What a rule watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// Failed per valid request, percent: 5xx at the gateway, or failed calls in the log where that is worse.
    ErrorRate,
    /// p99 of warm invocations, milliseconds.
    P99Warm,
    /// p99 of all invocations, init included, milliseconds.
    P99All,
    /// The most drifted column's population stability index over the limit that its window has.
    Drift,
    /// Seconds since the last event.
    NoEvents,
    /// Max Memory Used per configured memory, percent.
    Memory,
}

impl Signal {
    /// All signals, in the order of the list on screen.
    pub const ALL: [Signal; 6] = [
        Signal::ErrorRate,
        Signal::P99All,
        Signal::P99Warm,
        Signal::Drift,
        Signal::NoEvents,
        Signal::Memory,
    ];

    /// The name in sentences.
    pub const fn title(self) -> &'static str {
        match self {
            Signal::ErrorRate => "error rate",
            Signal::P99Warm => "p99 of warm calls",
            Signal::P99All => "p99 of all calls",
            Signal::Drift => "drift / limit",
            Signal::NoEvents => "no events",
            Signal::Memory => "memory used",
        }
    }

    /// The name in the configuration.
    pub const fn key(self) -> &'static str {
        match self {
            Signal::ErrorRate => "error-rate",
            Signal::P99Warm => "p99-warm",
            Signal::P99All => "p99-all",
            Signal::Drift => "drift",
            Signal::NoEvents => "no-events",
            Signal::Memory => "memory",
        }
    }

    /// A value with its unit: `1.4 %`, `512 ms`.
    pub fn show(self, value: f64) -> String {
        match self {
            Signal::ErrorRate if value < 10.0 => format!("{value:.2} %"),
            Signal::ErrorRate => format!("{value:.1} %"),
            Signal::Memory => format!("{value:.0} %"),
            Signal::P99Warm | Signal::P99All => crate::domain::latency::millis(value),
            Signal::Drift => format!("{value:.2}"),
            Signal::NoEvents if value < 120.0 => format!("{value:.0} s"),
            Signal::NoEvents => format!("{:.0} min", value / 60.0),
        }
    }
}

/// One rule. Thresholds in the unit of its signal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What is watched.
    pub signal: Signal,
    /// Fires above this.
    pub above: f64,
    /// Clears at or below this; between the two nothing changes.
    pub clear: f64,
    /// The short window, seconds: proves that it is still so.
    pub short_s: i64,
    /// The long window, seconds: proves that it is not a blip.
    pub long_s: i64,
    /// Below this many values a window says nothing. A rate's short window needs a tenth of them: it only has to show that
    /// the trouble goes on, and a percentile of so few would be their maximum.
    pub min_n: u64,
}

const DRIFT_ROWS: u64 = FEWEST as u64;

/// The rules the owner asked for (error rate > 1 %, p99 > 500 ms warm and all, drift) and two that catch silence and memory.
pub fn default_rules() -> Vec<Rule> {
    let rule = |signal, above, clear, short_s, long_s, min_n| Rule {
        signal,
        above,
        clear,
        short_s,
        long_s,
        min_n,
    };
    vec![
        rule(Signal::ErrorRate, 1.0, 0.5, 300, 3600, 50),
        rule(Signal::P99All, 500.0, 450.0, 300, 3600, 100),
        rule(Signal::P99Warm, 500.0, 450.0, 300, 3600, 100),
        rule(Signal::Drift, 1.0, 0.5, 3600, 21_600, DRIFT_ROWS),
        rule(Signal::NoEvents, 900.0, 60.0, 900, 900, 0),
        rule(Signal::Memory, 90.0, 85.0, 300, 3600, 1),
    ]
}

/// Where a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Standing {
    /// Too few values to say.
    #[default]
    NoData,
    /// Below the threshold.
    Ok {
        /// The long window's reading.
        reading: Reading,
    },
    /// Above the threshold in both windows.
    Firing {
        /// When it began, milliseconds since the epoch.
        since_ms: i64,
        /// The short window's latest reading.
        reading: Reading,
    },
}

impl Standing {
    /// True while firing.
    pub fn is_firing(&self) -> bool {
        matches!(self, Standing::Firing { .. })
    }
}

/// A change worth telling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The rule began to fire.
    Fired(Reading),
    /// The rule stopped firing.
    Cleared,
}

impl Rule {
    /// What is wrong with the rule, if anything: thresholds and windows must make sense together.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let reach = Recent::REACH_S;
        match self {
            r if !r.above.is_finite() || r.above < 0.0 => {
                Err(("above", "must be 0 or more".into()))
            }
            r if !r.clear.is_finite() || r.clear > r.above => Err((
                "clear",
                format!("must not be more than above = {}", r.above),
            )),
            // CloudWatch counts by the minute, and an alarm's period is whole minutes.
            r if r.short_s < 60 || r.short_s % 60 != 0 => {
                Err(("short_s", "must be whole minutes, in seconds".into()))
            }
            r if r.long_s < r.short_s => Err((
                "long_s",
                format!("must not be less than short_s = {}", r.short_s),
            )),
            r if r.long_s % 60 != 0 => Err(("long_s", "must be whole minutes, in seconds".into())),
            r if r.long_s > reach => Err(("long_s", format!("must be at most {reach} seconds"))),
            _ => Ok(()),
        }
    }

    /// How many values the short window needs.
    fn short_n(&self) -> u64 {
        match self.signal {
            Signal::ErrorRate => self.min_n.div_ceil(10),
            _ => self.min_n,
        }
    }

    /// The next standing from the readings of both windows, and the change if there is one.
    /// Pure, so that a recorded session replays to the same alerts.
    pub fn step(
        &self,
        standing: Standing,
        short: Option<Reading>,
        long: Option<Reading>,
        now_ms: i64,
    ) -> (Standing, Option<Change>) {
        let enough = |r: Option<Reading>, n| r.filter(|r| r.n >= n && r.value.is_finite());
        let (short, long) = (enough(short, self.short_n()), enough(long, self.min_n));
        match (standing, short, long) {
            (Standing::Firing { since_ms, reading }, short, _) => match short {
                // Silence does not clear an alert: the trouble may be why nothing comes.
                None => (Standing::Firing { since_ms, reading }, None),
                Some(r) if r.value > self.clear => (
                    Standing::Firing {
                        since_ms,
                        reading: r,
                    },
                    None,
                ),
                Some(reading) => (Standing::Ok { reading }, Some(Change::Cleared)),
            },
            (_, Some(s), Some(l)) if s.value > self.above && l.value > self.above => (
                Standing::Firing {
                    since_ms: now_ms,
                    reading: s,
                },
                Some(Change::Fired(s)),
            ),
            (_, _, Some(reading)) => (Standing::Ok { reading }, None),
            (_, _, None) => (Standing::NoData, None),
        }
    }

    /// When it fires and clears: `fires above 1.00 % in 5 and in 60 min (n from 5 and 50), clears at 0.50 %`.
    pub fn terms(&self) -> String {
        let (above, clear) = (self.signal.show(self.above), self.signal.show(self.clear));
        let (short, long) = (self.short_s / 60, self.long_s / 60);
        match self.signal {
            Signal::NoEvents => format!("fires above {above}, clears at {clear}"),
            Signal::Drift => format!(
                "fires above {above}, n from {}, clears at {clear}",
                self.min_n
            ),
            _ => format!(
                "fires above {above} in {short} and in {long} min (n from {} and {}), clears at {clear}",
                self.short_n(),
                self.min_n
            ),
        }
    }

    /// `error rate 1.44 % > 1.00 % (n = 120 in 5 min, gateway 5xx)`.
    pub fn sentence(&self, reading: &Reading) -> String {
        let (title, signal) = (self.signal.title(), self.signal);
        let (value, above) = (signal.show(reading.value), signal.show(self.above));
        match signal {
            Signal::NoEvents => format!("{title} for {value} (limit {above})"),
            Signal::Drift => format!("{title} {value} > {above} (n = {})", reading.n),
            _ => format!(
                "{title} {value} > {above} (n = {} in {} min, {})",
                reading.n,
                self.short_s / 60,
                reading.source
            ),
        }
    }
}

/// A rule with where it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// The rule.
    pub rule: Rule,
    /// Its standing.
    pub standing: Standing,
}

/// One time that a rule fired.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Past {
    /// Which rule.
    pub signal: Signal,
    /// When it began, milliseconds since the epoch.
    pub fired_ms: i64,
    /// When it ended; `None` while it fires.
    pub cleared_ms: Option<i64>,
    /// What it fired on.
    pub reading: Reading,
    /// The highest value while it fired.
    pub worst: f64,
}

/// So many past alerts are remembered.
const MEMORY: usize = 100;

/// All rules, stepped together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alerts {
    /// One per rule, in the rules' order.
    pub list: Vec<Alert>,
    /// What fired so far, newest first.
    pub history: VecDeque<Past>,
}

impl Default for Alerts {
    fn default() -> Self {
        Alerts::new(default_rules())
    }
}

impl Alerts {
    /// Rules that have seen nothing yet.
    pub fn new(rules: Vec<Rule>) -> Self {
        let unseen = |rule| Alert {
            rule,
            standing: Standing::NoData,
        };
        Alerts {
            list: rules.into_iter().map(unseen).collect(),
            history: VecDeque::new(),
        }
    }

    /// Steps every rule; the changes come with their rule.
    pub fn step(
        &mut self,
        samples: &Samples,
        outside: &Outside<'_>,
        now_ms: i64,
    ) -> Vec<(Rule, Change)> {
        let mut changes = Vec::new();
        for alert in &mut self.list {
            let (short, long) = outside.readings(&alert.rule, samples, now_ms);
            let (standing, change) = alert.rule.step(alert.standing, short, long, now_ms);
            alert.standing = standing;
            note(&mut self.history, alert, change, now_ms);
            changes.extend(change.map(|c| (alert.rule.clone(), c)));
        }
        changes
    }

    /// Those that fire.
    pub fn firing(&self) -> impl Iterator<Item = &Alert> {
        self.list.iter().filter(|a| a.standing.is_firing())
    }
}

/// Writes down what a rule's step brought.
fn note(history: &mut VecDeque<Past>, alert: &Alert, change: Option<Change>, now_ms: i64) {
    let signal = alert.rule.signal;
    if let Some(Change::Fired(reading)) = change {
        history.push_front(Past {
            signal,
            fired_ms: now_ms,
            cleared_ms: None,
            reading,
            worst: reading.value,
        });
        history.truncate(MEMORY);
    }
    let open = |past: &&mut Past| past.signal == signal && past.cleared_ms.is_none();
    let Some(past) = history.iter_mut().find(open) else {
        return;
    };
    match alert.standing {
        Standing::Firing { reading, .. } => past.worst = past.worst.max(reading.value),
        _ => past.cleared_ms = Some(now_ms),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::unnecessary_wraps, clippy::float_cmp)]
    use super::*;
    use crate::domain::latency::Sample;
    use crate::domain::latency::tests::warm;
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
        let past =
            gateway((0..60).map(|m| (m, 100.0, if (15..25).contains(&m) { 50.0 } else { 0.0 })));
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
}
