//! Latency, volume and errors over time, in buckets of equal length.

use serde::Serialize;

use super::{Sample, nearest_rank};

/// One bucket of the time axis.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bucket {
    /// Start, milliseconds since the epoch.
    pub start_ms: i64,
    /// Invocations.
    pub n: usize,
    /// Failed ones.
    pub failed: usize,
    /// Cold ones.
    pub cold: usize,
    /// Median of duration plus init; `None` in an empty bucket.
    pub p50: Option<f64>,
    /// Nearest-rank p99 of this bucket alone (its maximum below n = 100). Never averaged over buckets.
    pub p99: Option<f64>,
}

/// Splits the `seconds` before `now_ms` into `buckets` and describes each. Samples outside are left out.
pub fn series<'a>(
    samples: impl IntoIterator<Item = &'a Sample>,
    seconds: i64,
    now_ms: i64,
    buckets: usize,
) -> Vec<Bucket> {
    let span = seconds.max(1).saturating_mul(1000);
    let start = now_ms.saturating_sub(span);
    let mut groups: Vec<Vec<&Sample>> = vec![Vec::new(); buckets];
    for sample in samples {
        let offset = sample.at_ms.saturating_sub(start);
        if (0..=span).contains(&offset) && buckets > 0 {
            let at = (i128::from(offset) * buckets as i128 / i128::from(span)) as usize;
            groups[at.min(buckets - 1)].push(sample);
        }
    }
    let starts = (0..buckets).map(|i| start + (span as f64 * i as f64 / buckets as f64) as i64);
    starts
        .zip(&groups)
        .map(|(start_ms, group)| describe(start_ms, group))
        .collect()
}

fn describe(start_ms: i64, group: &[&Sample]) -> Bucket {
    let mut totals: Vec<f64> = group.iter().map(|s| s.total_ms()).collect();
    totals.sort_unstable_by(f64::total_cmp);
    Bucket {
        start_ms,
        n: group.len(),
        failed: group.iter().filter(|s| s.failed).count(),
        cold: group.iter().filter(|s| s.is_cold()).count(),
        p50: nearest_rank(&totals, 0.50),
        p99: nearest_rank(&totals, 0.99),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{cold, warm};
    use super::*;

    #[test]
    fn samples_fall_into_their_bucket() {
        let mut failed = warm(59_000, 20.0);
        failed.failed = true;
        let samples = [
            warm(1_000, 10.0),
            warm(2_000, 30.0),
            cold(31_000, 100.0, 400.0),
            failed,
            warm(-5, 1.0),
        ];
        let found = series(&samples, 60, 60_000, 2);
        assert_eq!(found.iter().map(|b| b.n).collect::<Vec<_>>(), [2, 2]);
        assert_eq!((found[0].p50, found[0].p99), (Some(10.0), Some(30.0)));
        assert_eq!(
            (found[1].failed, found[1].cold, found[1].p99),
            (1, 1, Some(500.0))
        );
        assert_eq!(found[1].start_ms, 30_000);
    }

    #[test]
    fn an_empty_bucket_has_no_latency() {
        let found = series([], 60, 60_000, 3);
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|b| b.n == 0 && b.p50.is_none()));
        assert!(series([], 60, 60_000, 0).is_empty());
    }
}
