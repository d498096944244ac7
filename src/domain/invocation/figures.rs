//! Latency, errors and cold starts of a set of invocations.

use super::Invocation;
use crate::domain::latency::Ladder;

/// The figures over the Requests view: latency, errors and cold starts of the reported invocations in a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Invocations with a REPORT line in the window.
    pub n: usize,
    /// Of these: error, timeout or out of memory.
    pub errors: usize,
    /// Of these: cold starts.
    pub cold: usize,
    /// Handler time, ms; `None` when n is 0.
    pub duration: Option<Ladder>,
}

impl Figures {
    /// The figures of the invocations that ended at or after `since` (milliseconds since the epoch).
    pub fn since<'a>(rows: impl IntoIterator<Item = &'a Invocation>, since: i64) -> Self {
        let (mut errors, mut cold) = (0, 0);
        let mut durations = Vec::new();
        for row in rows {
            let (Some(duration), Some(ended)) = (row.duration_ms(), row.ended()) else {
                continue;
            };
            if ended >= since {
                durations.push(duration);
                errors += usize::from(row.status().is_failure());
                cold += usize::from(row.is_cold());
            }
        }
        Self {
            n: durations.len(),
            errors,
            cold,
            duration: Ladder::of(durations),
        }
    }

    /// Failed share, 0..1; `None` when n is 0.
    pub fn error_rate(&self) -> Option<f64> {
        (self.n > 0).then(|| self.errors as f64 / self.n as f64)
    }

    /// Cold share, 0..1; `None` when n is 0.
    pub fn cold_share(&self) -> Option<f64> {
        (self.n > 0).then(|| self.cold as f64 / self.n as f64)
    }
}
