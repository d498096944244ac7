//! A histogram on a logarithmic axis, cold and warm counted apart: 180 ms and 1.6 s both get room.

use serde::Serialize;

use super::Sample;

/// One bin: `low_ms` inclusive to `high_ms` exclusive (the last bin includes it).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// Lower edge, milliseconds.
    pub low_ms: f64,
    /// Upper edge, milliseconds.
    pub high_ms: f64,
    /// Warm invocations.
    pub warm: usize,
    /// Cold invocations.
    pub cold: usize,
}

impl Bin {
    /// Warm and cold together.
    pub fn count(&self) -> usize {
        self.warm + self.cold
    }
}

/// Bins of equal width in the logarithm, from the least to the greatest of some values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    low: f64,
    step: f64,
    bins: usize,
}

impl Axis {
    /// An axis of so many bins that holds all the values, milliseconds; `None` without values or bins.
    pub fn of(values: impl IntoIterator<Item = f64>, bins: usize) -> Option<Self> {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let bounds = finite.fold(None, |seen: Option<(f64, f64)>, value| {
            let value = at_least(value);
            Some(seen.map_or((value, value), |(low, high)| {
                (low.min(value), high.max(value))
            }))
        });
        let (low, high) = bounds.filter(|_| bins > 0)?;
        // One value alone still deserves an axis around it.
        let (low, high) = if high / low < 1.05 {
            (low / 1.1, high * 1.1)
        } else {
            (low, high)
        };
        let step = (high / low).ln() / bins as f64;
        Some(Self { low, step, bins })
    }

    /// Lower edge of a bin, milliseconds.
    pub fn edge(&self, bin: usize) -> f64 {
        self.low * (self.step * bin as f64).exp()
    }

    /// The bin of a value.
    pub fn bin(&self, value: f64) -> usize {
        let steps = (at_least(value) / self.low).ln() / self.step;
        (steps.floor().max(0.0) as usize).min(self.bins - 1)
    }
}

/// A logarithm needs something above zero.
fn at_least(value: f64) -> f64 {
    value.max(0.01)
}

/// Bins of equal width in log(duration + init), from the fastest to the slowest sample. Empty for no samples.
pub fn histogram<'a>(samples: impl IntoIterator<Item = &'a Sample>, bins: usize) -> Vec<Bin> {
    let values: Vec<(f64, bool)> = samples
        .into_iter()
        .map(|s| (s.total_ms(), s.is_cold()))
        .filter(|(v, _)| v.is_finite())
        .collect();
    let Some(axis) = Axis::of(values.iter().map(|(value, _)| *value), bins) else {
        return Vec::new();
    };
    let mut out: Vec<Bin> = (0..bins)
        .map(|i| Bin {
            low_ms: axis.edge(i),
            high_ms: axis.edge(i + 1),
            warm: 0,
            cold: 0,
        })
        .collect();
    for (value, cold) in values {
        let at = axis.bin(value);
        if cold {
            out[at].cold += 1;
        } else {
            out[at].warm += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tests::{cold, warm};
    use super::*;

    #[test]
    fn every_sample_lands_in_one_bin_and_cold_stays_apart() {
        let mut samples: Vec<Sample> = (0..100).map(|i| warm(i, 150.0 + i as f64)).collect();
        samples.push(cold(500, 180.0, 1400.0));
        let bins = histogram(&samples, 20);
        assert_eq!(bins.len(), 20);
        assert_eq!(bins.iter().map(|b| b.warm).sum::<usize>(), 100);
        assert_eq!(bins.last().unwrap().cold, 1);
        let ratio = bins[0].high_ms / bins[0].low_ms;
        assert!(
            bins.iter()
                .all(|b| (b.high_ms / b.low_ms - ratio).abs() < 1e-9)
        );
    }

    #[test]
    fn nothing_and_one_value_are_fine() {
        assert!(histogram([], 10).is_empty());
        let one = warm(0, 180.0);
        let bins = histogram([&one], 5);
        assert_eq!(bins.iter().map(Bin::count).sum::<usize>(), 1);
        assert!(bins[0].low_ms < 180.0 && bins[4].high_ms > 180.0);
    }
}
