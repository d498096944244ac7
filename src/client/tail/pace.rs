//! How fast a tail asks: the lag it must look back over, full-jitter backoff, and the request budget all groups share.

use std::collections::VecDeque;

use rand::Rng;
use rand::rngs::StdRng;

/// Lags remembered.
const LAGS: usize = 4_000;
/// Overlap before any lag is known, and its bounds, milliseconds.
const FIRST_OVERLAP_MS: i64 = 15_000;
const OVERLAP_MS: std::ops::RangeInclusive<i64> = 2_000..=30_000;
/// Above this rate the overlap is capped and the sweeps catch the rest: re-reading 15 s would be many pages each second.
const BUSY_PER_SECOND: f64 = 800.0;
const BUSY_OVERLAP_MS: i64 = 5_000;
/// Backoff: the first and the longest ceiling, milliseconds.
const FIRST_BACKOFF_MS: i64 = 250;
const LONGEST_BACKOFF_MS: i64 = 8_000;

/// What has been observed of (first seen − timestamp), and the overlap that follows from it.
#[derive(Debug, Default)]
pub struct Lags {
    recent: VecDeque<i64>,
    per_second: f64,
    overlap: Option<i64>,
}

impl Lags {
    /// Notes the lag of one event, milliseconds.
    pub fn note(&mut self, lag: i64) {
        if self.recent.len() == LAGS {
            self.recent.pop_front();
        }
        self.recent.push_back(lag.max(0));
    }

    /// Ends a poll that brought `events` over `elapsed` milliseconds: the overlap is worked out again.
    pub fn end_poll(&mut self, events: usize, elapsed: i64) {
        let rate = events as f64 * 1000.0 / elapsed.max(1_000) as f64;
        self.per_second = 0.7 * self.per_second + 0.3 * rate;
        if self.recent.len() < 20 {
            return;
        }
        let mut lags: Vec<i64> = self.recent.iter().copied().collect();
        let rank = lags.len() * 99 / 100;
        let (_, p99, _) = lags.select_nth_unstable(rank);
        self.overlap = Some((*p99 * 3 / 2).clamp(*OVERLAP_MS.start(), *OVERLAP_MS.end()));
    }

    /// How far back a poll looks, milliseconds: 1.5 × the 99th percentile of the lag within 2..30 s, 15 s at first.
    pub fn overlap(&self) -> i64 {
        let overlap = self.overlap.unwrap_or(FIRST_OVERLAP_MS);
        if self.per_second > BUSY_PER_SECOND {
            overlap.min(BUSY_OVERLAP_MS)
        } else {
            overlap
        }
    }
}

/// Exponential backoff with full jitter; it never gives up.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// After a failure: how long to wait, milliseconds.
    pub fn next(&mut self, dice: &mut StdRng) -> i64 {
        let ceiling = (FIRST_BACKOFF_MS << self.failures.min(10)).min(LONGEST_BACKOFF_MS);
        self.failures += 1;
        dice.gen_range(50..=ceiling)
    }

    /// After a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// A token bucket shared by all groups. Its rate halves when AWS throttles and grows back slowly: the quota (5 to 25 requests
/// a second, by region) is shared with everybody else in the account and cannot be asked for.
#[derive(Debug)]
pub struct Bucket {
    rate: f64,
    tokens: f64,
    at: i64,
}

impl Bucket {
    const FASTEST: f64 = 10.0;
    const SLOWEST: f64 = 0.5;
    const BURST: f64 = 20.0;
    /// Requests a second regained per second without throttling.
    const RECOVERY: f64 = 0.1;

    /// A full bucket at `now` (milliseconds).
    pub fn new(now: i64) -> Self {
        Self {
            rate: Self::FASTEST,
            tokens: Self::BURST,
            at: now,
        }
    }

    /// Takes a token: 0, or the milliseconds until one is there (nothing is taken then).
    pub fn take(&mut self, now: i64) -> i64 {
        let seconds = (now - self.at).max(0) as f64 / 1000.0;
        self.at = now;
        self.rate = (self.rate + Self::RECOVERY * seconds).min(Self::FASTEST);
        self.tokens = (self.tokens + self.rate * seconds).min(Self::BURST);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return 0;
        }
        ((1.0 - self.tokens) / self.rate * 1000.0).ceil() as i64
    }

    /// AWS said it was too much.
    pub fn throttled(&mut self) {
        self.rate = (self.rate / 2.0).max(Self::SLOWEST);
        self.tokens = self.tokens.min(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn overlap_follows_the_observed_lag_within_its_bounds() {
        let mut lags = Lags::default();
        assert_eq!(lags.overlap(), 15_000);
        for lag in 0..1_000 {
            lags.note(lag * 6);
        }
        lags.end_poll(10, 1_000);
        assert_eq!(lags.overlap(), 990 * 6 * 3 / 2);
        for _ in 0..LAGS {
            lags.note(1);
        }
        lags.end_poll(10, 1_000);
        assert_eq!(lags.overlap(), 2_000);
        for _ in 0..LAGS {
            lags.note(3_600_000);
        }
        lags.end_poll(10, 1_000);
        assert_eq!(lags.overlap(), 30_000);
        for _ in 0..10 {
            lags.end_poll(1_500, 1_000);
        }
        assert_eq!(lags.overlap(), 5_000);
    }

    #[test]
    fn backoff_grows_jittered_and_stays_bounded() {
        let (mut backoff, mut dice) = (Backoff::default(), StdRng::seed_from_u64(1));
        let waits: Vec<i64> = (0..40).map(|_| backoff.next(&mut dice)).collect();
        assert!(waits[0] <= 250 && waits.iter().all(|wait| (50..=8_000).contains(wait)));
        assert!(waits.iter().any(|wait| *wait > 4_000));
    }

    #[test]
    fn the_bucket_bounds_the_rate_and_slows_down_when_throttled() {
        let mut bucket = Bucket::new(0);
        let burst = (0..100).filter(|_| bucket.take(0) == 0).count();
        assert_eq!(burst, 20);
        let steady = (1..=1_000).filter(|now| bucket.take(*now) == 0).count();
        assert!((9..=10).contains(&steady), "{steady}");
        bucket.throttled();
        bucket.throttled();
        let slow = (1_001..=5_000).filter(|now| bucket.take(*now) == 0).count();
        assert!((9..=12).contains(&slow), "{slow}");
    }
}
