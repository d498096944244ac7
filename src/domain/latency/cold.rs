//! Cold starts: how often, how long, after how long a pause, and what part of the tail they are.

use serde::Serialize;

use super::{Ladder, Sample, nearest_rank};

/// What the cold starts of one window look like. Milliseconds unless said otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColdStarts {
    /// Invocations in the window.
    pub n: usize,
    /// Cold ones among them.
    pub cold: usize,
    /// Init Duration of the cold ones that carry it.
    pub init: Option<Ladder>,
    /// Inits that ran into the 10 s limit (`INIT_REPORT … Status: timeout`): their init time is unknown.
    pub init_timeouts: usize,
    /// The longest pause before a cold start, seconds.
    pub longest_idle_s: Option<f64>,
    /// Of the invocations at or above p99 of duration plus init, the share that is cold (0 to 1).
    pub share_of_p99: Option<f64>,
}

impl ColdStarts {
    /// Looks at invocations in order of time.
    pub fn of<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> ColdStarts {
        let samples: Vec<&Sample> = samples.into_iter().collect();
        let cold = samples.iter().filter(|s| s.is_cold()).count();
        ColdStarts {
            n: samples.len(),
            cold,
            init: Ladder::of(samples.iter().filter_map(|s| s.init_ms)),
            init_timeouts: samples.iter().filter(|s| s.init_timeout).count(),
            longest_idle_s: longest_idle(&samples),
            share_of_p99: share_of_tail(&samples),
        }
    }

    /// Cold invocations per invocation, 0 to 1; `None` without invocations.
    pub fn rate(&self) -> Option<f64> {
        (self.n > 0).then(|| self.cold as f64 / self.n as f64)
    }
}

fn longest_idle(samples: &[&Sample]) -> Option<f64> {
    samples
        .windows(2)
        .filter(|pair| pair[1].is_cold())
        .map(|pair| (pair[1].at_ms - pair[0].at_ms) as f64 / 1000.0)
        .max_by(f64::total_cmp)
}

fn share_of_tail(samples: &[&Sample]) -> Option<f64> {
    let mut totals: Vec<f64> = samples.iter().map(|s| s.total_ms()).collect();
    totals.sort_unstable_by(f64::total_cmp);
    let p99 = nearest_rank(&totals, 0.99)?;
    let tail: Vec<_> = samples.iter().filter(|s| s.total_ms() >= p99).collect();
    Some(tail.iter().filter(|s| s.is_cold()).count() as f64 / tail.len() as f64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]
    use super::super::tests::{cold, warm};
    use super::*;

    #[test]
    fn cold_starts_explain_the_tail() {
        let mut samples: Vec<Sample> = (0..198).map(|i| warm(i * 1000, 180.0)).collect();
        samples.push(cold(900_000, 180.0, 1400.0));
        samples.push(cold(901_000, 180.0, 1500.0));
        let found = ColdStarts::of(&samples);
        assert_eq!((found.n, found.cold), (200, 2));
        assert_eq!(found.rate(), Some(0.01));
        assert_eq!(found.init.unwrap().max, 1500.0);
        assert_eq!(found.longest_idle_s, Some(703.0));
        // Rank 198 of 200 is still warm: every warm one ties with it.
        assert_eq!(found.share_of_p99, Some(0.01));
        samples.push(cold(902_000, 180.0, 1450.0));
        assert_eq!(ColdStarts::of(&samples).share_of_p99, Some(1.0));
    }

    #[test]
    fn an_init_that_timed_out_is_cold_without_an_init_time() {
        let sample = Sample {
            init_timeout: true,
            ..warm(0, 12_079.53)
        };
        let found = ColdStarts::of([&sample]);
        assert_eq!((found.cold, found.init_timeouts, found.init), (1, 1, None));
        assert_eq!(ColdStarts::of([]).rate(), None);
    }
}
