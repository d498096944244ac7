//! Latency figures that say how far they can be trusted: nearest-rank percentiles with their n, cold and warm kept apart.

pub mod calls;
pub mod cold;
pub mod histogram;
mod samples;
pub mod series;

use serde::{Deserialize, Serialize};

use crate::domain::report::{Outcome, Report};

pub use samples::Samples;

/// One invocation as its REPORT line tells it. Durations in milliseconds, memory in MB.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When the REPORT line was written, milliseconds since the epoch.
    pub at_ms: i64,
    /// A hash of the request id: two sources that saw the same line count it once.
    pub id: u64,
    /// Handler time alone, without init.
    pub duration_ms: f64,
    /// Init Duration, present only on a cold start.
    pub init_ms: Option<f64>,
    /// Billed Duration: already the ceiling of duration plus init.
    pub billed_ms: f64,
    /// Configured memory.
    pub memory_mb: u32,
    /// Max Memory Used.
    pub max_memory_mb: u32,
    /// The invocation failed: Lambda says so, or an error was logged while it ran.
    pub failed: bool,
    /// A cold start whose init time is lost (init itself timed out: `INIT_REPORT … Status: timeout`).
    pub init_timeout: bool,
}

impl Sample {
    /// A REPORT line with the time of its event. The id is the request id folded to 64 bits.
    pub fn from_report(report: &Report, at_ms: i64) -> Sample {
        Sample {
            at_ms,
            id: report.request_id.folded(),
            duration_ms: report.duration_ms,
            init_ms: report.init_ms.or(report.restore_ms),
            billed_ms: report.billed_ms as f64,
            memory_mb: report.memory_mb,
            max_memory_mb: report.max_memory_mb,
            failed: report.status != Outcome::Success,
            init_timeout: false,
        }
    }

    /// A cold start: an Init Duration in REPORT, or an init that timed out.
    pub fn is_cold(&self) -> bool {
        self.init_ms.is_some() || self.init_timeout
    }

    /// What the caller waited for inside Lambda: handler plus init.
    pub fn total_ms(&self) -> f64 {
        self.duration_ms + self.init_ms.unwrap_or(0.0)
    }
}

/// How far back a figure looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Window {
    /// One minute.
    #[serde(rename = "1m")]
    M1,
    /// Five minutes.
    #[serde(rename = "5m")]
    M5,
    /// A quarter of an hour.
    #[serde(rename = "15m")]
    M15,
    /// One hour.
    #[serde(rename = "1h")]
    H1,
    /// Six hours.
    #[serde(rename = "6h")]
    H6,
    /// One day.
    #[serde(rename = "24h")]
    H24,
    /// One week.
    #[serde(rename = "7d")]
    D7,
}

impl Window {
    /// All windows, shortest first.
    pub const ALL: [Window; 7] = [
        Window::M1,
        Window::M5,
        Window::M15,
        Window::H1,
        Window::H6,
        Window::H24,
        Window::D7,
    ];

    /// Length in seconds.
    pub const fn seconds(self) -> i64 {
        match self {
            Window::M1 => 60,
            Window::M5 => 300,
            Window::M15 => 900,
            Window::H1 => 3_600,
            Window::H6 => 21_600,
            Window::H24 => 86_400,
            Window::D7 => 604_800,
        }
    }

    /// The name on screen and on the command line: `15m`, `24h`.
    pub const fn label(self) -> &'static str {
        match self {
            Window::M1 => "1m",
            Window::M5 => "5m",
            Window::M15 => "15m",
            Window::H1 => "1h",
            Window::H6 => "6h",
            Window::H24 => "24h",
            Window::D7 => "7d",
        }
    }

    /// The next longer window, or the shortest after the longest.
    #[must_use]
    pub fn next(self) -> Window {
        let at = Window::ALL.iter().position(|w| *w == self).unwrap_or(0);
        Window::ALL[(at + 1) % Window::ALL.len()]
    }
}

impl std::str::FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Window::ALL
            .into_iter()
            .find(|w| w.label() == text)
            .ok_or_else(|| {
                let known: Vec<_> = Window::ALL.iter().map(|w| w.label()).collect();
                format!("`{text}` is no window: use one of {}", known.join(", "))
            })
    }
}

/// A percentile as far as its n allows to state it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", content = "ms", rename_all = "snake_case")]
pub enum Estimate {
    /// Fewer samples than 1/(1−q): the rank would be the maximum and nothing else.
    TooFew,
    /// The true value is at least this: too few samples for an upper bound at 95 % confidence.
    AtLeast(f64),
    /// The nearest-rank value.
    Measured(f64),
}

impl Estimate {
    /// The number behind the estimate, if there is one.
    pub fn value(self) -> Option<f64> {
        match self {
            Estimate::TooFew => None,
            Estimate::AtLeast(v) | Estimate::Measured(v) => Some(v),
        }
    }

    /// As printed: `186 ms`, `≥ 512 ms`, `–`.
    pub fn text(self) -> String {
        match self {
            Estimate::TooFew => "–".to_owned(),
            Estimate::AtLeast(v) => format!("≥ {}", millis(v)),
            Estimate::Measured(v) => millis(v),
        }
    }
}

/// Percentiles of one set of values, each as honest as n allows. Milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ladder {
    /// How many values.
    pub n: usize,
    /// Smallest value.
    pub min: f64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Median.
    pub p50: Estimate,
    /// 90th percentile.
    pub p90: Estimate,
    /// 95th percentile.
    pub p95: Estimate,
    /// 99th percentile: nothing below n = 100, "≥" below n = 299.
    pub p99: Estimate,
    /// Largest value.
    pub max: f64,
}

impl Ladder {
    /// The ladder of `values` (any order; non-finite ones are left out), or `None` when nothing is left.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Ladder> {
        let mut sorted: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        Some(Ladder {
            n: sorted.len(),
            min,
            mean: sorted.iter().sum::<f64>() / sorted.len() as f64,
            p50: estimate(&sorted, 0.50),
            p90: estimate(&sorted, 0.90),
            p95: estimate(&sorted, 0.95),
            p99: estimate(&sorted, 0.99),
            max,
        })
    }
}

/// Nearest rank: `sorted[ceil(q·n) − 1]`; `None` for an empty slice. `sorted` is ascending, 0 < q ≤ 1.
pub fn nearest_rank(sorted: &[f64], q: f64) -> Option<f64> {
    // 0.07 * 100 is 7.000000000000001: the rank must not jump by one for that.
    let rank = (q * sorted.len() as f64 - 1e-9).ceil().max(1.0) as usize;
    sorted.get(rank.min(sorted.len()).checked_sub(1)?).copied()
}

/// Smallest n whose maximum exceeds the true q-quantile with 95 % confidence: 299 for p99, 29 for p90, 5 for p50.
pub fn trustworthy_n(q: f64) -> usize {
    (0.05_f64.ln() / q.ln()).ceil() as usize
}

/// The nearest-rank q-quantile, qualified by n.
pub fn estimate(sorted: &[f64], q: f64) -> Estimate {
    let shown_from = (1.0 / (1.0 - q)).round() as usize;
    match nearest_rank(sorted, q) {
        Some(v) if q <= 0.5 || sorted.len() >= trustworthy_n(q) => Estimate::Measured(v),
        Some(v) if sorted.len() >= shown_from => Estimate::AtLeast(v),
        _ => Estimate::TooFew,
    }
}

/// Milliseconds for people: `0.8 ms`, `186 ms`, `1.40 s`.
pub fn millis(ms: f64) -> String {
    if ms >= 10_000.0 {
        format!("{:.1} s", ms / 1000.0)
    } else if ms >= 1_000.0 {
        format!("{:.2} s", ms / 1000.0)
    } else if ms >= 10.0 {
        format!("{ms:.0} ms")
    } else {
        format!("{ms:.1} ms")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn warm(at_ms: i64, duration_ms: f64) -> Sample {
        Sample {
            at_ms,
            id: at_ms as u64,
            duration_ms,
            init_ms: None,
            billed_ms: duration_ms.ceil(),
            memory_mb: 1024,
            max_memory_mb: 237,
            failed: false,
            init_timeout: false,
        }
    }

    pub(crate) fn cold(at_ms: i64, duration_ms: f64, init_ms: f64) -> Sample {
        Sample {
            init_ms: Some(init_ms),
            billed_ms: (duration_ms + init_ms).ceil(),
            ..warm(at_ms, duration_ms)
        }
    }

    #[test]
    fn nearest_rank_is_exact_at_multiples() {
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(nearest_rank(&ten, 0.5), Some(5.0));
        assert_eq!(nearest_rank(&ten, 0.9), Some(9.0));
        assert_eq!(nearest_rank(&ten, 0.91), Some(10.0));
        assert_eq!(nearest_rank(&[], 0.5), None);
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(nearest_rank(&hundred, 0.99), Some(99.0));
        assert_eq!(nearest_rank(&hundred, 0.07), Some(7.0));
    }

    #[test]
    fn p99_is_hidden_then_bounded_then_stated() {
        let of = |n: usize| Ladder::of((1..=n).map(|v| v as f64)).unwrap().p99;
        assert_eq!(of(99), Estimate::TooFew);
        assert_eq!(of(100), Estimate::AtLeast(99.0));
        assert_eq!(of(298), Estimate::AtLeast(296.0));
        assert_eq!(of(299), Estimate::Measured(297.0));
        assert_eq!((trustworthy_n(0.99), trustworthy_n(0.90)), (299, 29));
        assert_eq!(Estimate::AtLeast(512.0).text(), "≥ 512 ms");
    }

    #[test]
    fn five_curls_of_the_owner() {
        let ladder = Ladder::of([247.0, 175.0, 168.0, 179.0, 159.0]).unwrap();
        assert_eq!(
            (ladder.n, ladder.p50, ladder.max),
            (5, Estimate::Measured(175.0), 247.0)
        );
        assert!((ladder.mean - 185.6).abs() < 1e-9);
        assert_eq!(ladder.p90, Estimate::TooFew);
    }

    #[test]
    fn the_same_line_seen_twice_counts_once_and_memory_is_bounded() {
        let mut samples = Samples::with_capacity(3);
        assert!(samples.push(warm(1, 10.0)));
        assert!(!samples.push(warm(1, 10.0)));
        for at in 2..6 {
            samples.push(warm(at, 10.0));
        }
        assert_eq!((samples.len(), samples.dropped()), (3, 2));
        assert_eq!(samples.iter().next().unwrap().at_ms, 3);
    }

    #[test]
    fn windows_cut_by_time_and_parse_by_name() {
        let mut samples = Samples::default();
        samples.push(warm(0, 1.0));
        samples.push(warm(50_000, 1.0));
        assert_eq!(samples.within(Window::M1, 60_001).count(), 1);
        assert_eq!("6h".parse::<Window>().unwrap(), Window::H6);
        assert!("2h".parse::<Window>().unwrap_err().contains("15m"));
        assert_eq!(Window::D7.next(), Window::M1);
    }

    proptest! {
        #[test]
        fn a_percentile_is_one_of_the_values_and_the_ladder_climbs(values in proptest::collection::vec(0.0f64..60_000.0, 1..400)) {
            let ladder = Ladder::of(values.clone()).unwrap();
            let mut last = ladder.min;
            for rung in [ladder.p50, ladder.p90, ladder.p95, ladder.p99].into_iter().filter_map(Estimate::value) {
                prop_assert!(values.contains(&rung));
                prop_assert!(rung >= last && rung <= ladder.max);
                last = rung;
            }
            let mut sorted = values.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            for q in [0.5, 0.9, 0.99] {
                let v = nearest_rank(&sorted, q).unwrap();
                let at_or_below = values.iter().filter(|x| **x <= v).count() as f64;
                prop_assert!(at_or_below + 1e-6 >= q * values.len() as f64);
            }
        }
    }
}
