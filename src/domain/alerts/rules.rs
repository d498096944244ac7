//! A rule: when it fires and when it clears.

use serde::{Deserialize, Serialize};

use super::{Reading, Signal};
use crate::domain::drift::FEWEST;
use crate::domain::metrics::Recent;

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
    pub(super) fn short_n(&self) -> u64 {
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
