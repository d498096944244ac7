//! What a running fit tells, and what its listener may answer.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// The listener's answer to a [`Progress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on (or go on again after a pause).
    Continue,
    /// Hold the workers where they are; the listener is asked again every few milliseconds.
    Pause,
    /// End now. With `keep`, a forest of at least ten finished trees becomes the model; otherwise the fit fails with
    /// `TrainError::Cancelled`.
    Stop {
        /// Keep the finished trees.
        keep: bool,
    },
}

/// Regression scores over `n` rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Rows judged.
    pub n: usize,
    /// Coefficient of determination, 1 − SSE / SST.
    pub r2: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Mean squared error.
    pub mse: f64,
}

impl Scores {
    /// Compares predictions with the truth; `NaN` where there are no rows or the truth is constant.
    pub fn of(
        truth: impl IntoIterator<Item = f32>,
        predicted: impl IntoIterator<Item = f32>,
    ) -> Self {
        let mut sums = Sums::default();
        for (y, p) in truth.into_iter().zip(predicted) {
            sums.add(f64::from(y), f64::from(p));
        }
        sums.scores()
    }
}

/// Running sums behind [`Scores`].
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    n: usize,
    y: f64,
    yy: f64,
    sse: f64,
    sae: f64,
}

impl Sums {
    pub(super) fn add(&mut self, y: f64, predicted: f64) {
        self.n += 1;
        self.y += y;
        self.yy += y * y;
        self.sse += (y - predicted).powi(2);
        self.sae += (y - predicted).abs();
    }

    /// Exchanges one row's earlier prediction for a new one.
    pub(super) fn replace(&mut self, y: f64, old: f64, new: f64) {
        self.sse += (y - new).powi(2) - (y - old).powi(2);
        self.sae += (y - new).abs() - (y - old).abs();
    }

    pub(super) fn scores(&self) -> Scores {
        let n = self.n as f64;
        let mse = self.sse / n;
        Scores {
            n: self.n,
            r2: 1.0 - self.sse / (self.yy - self.y * self.y / n),
            mae: self.sae / n,
            rmse: mse.sqrt(),
            mse,
        }
    }
}

/// Which rows a curve is measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judged {
    /// Out-of-bag: each row only by the trees that did not see it.
    OutOfBag,
    /// Rows given to `fit_watched`.
    Watched,
}

/// The state of a fit after a tree, or again while nothing new has finished.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Trees finished: a forest's in index order, boosters' rounds as they come.
    pub done: usize,
    /// Trees wanted.
    pub total: usize,
    /// The tree that was just counted; `None` when this is only a chance to pause or stop.
    pub tree: Option<TreeStats>,
    /// Scores so far and what they are measured on; `None` for families without such rows.
    pub scores: Option<(Judged, Scores)>,
    /// Share of the training rows that have an out-of-bag prediction, 0..1.
    pub coverage: f64,
    /// Since the start of the fit, pauses included.
    pub elapsed: Duration,
    /// Time left, from the third tree on.
    pub eta: Option<Duration>,
    /// Trees per second, from the third tree on.
    pub trees_per_second: Option<f64>,
    /// The workers are held.
    pub paused: bool,
}

/// One finished tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TreeStats {
    /// Its index, from 0.
    pub index: usize,
    /// Its growing time in milliseconds.
    pub ms: f64,
    /// Its nodes, leaves included.
    pub nodes: usize,
    /// Its depth (a lone root has 0).
    pub depth: usize,
}

/// Smoothed pace of arriving trees. The only clock in the trainer; it never touches a result.
#[derive(Debug)]
pub(super) struct Pace {
    start: Instant,
    last: Instant,
    seconds_per_tree: Option<f64>,
    seen: usize,
}

impl Pace {
    pub(super) fn start() -> Self {
        let now = Instant::now();
        Self {
            start: now,
            last: now,
            seconds_per_tree: None,
            seen: 0,
        }
    }

    /// Notes one more tree. Exponentially weighted, α = 0.1 after a plain mean of the first ten.
    pub(super) fn tree(&mut self) {
        let now = Instant::now();
        let took = now.duration_since(self.last).as_secs_f64();
        self.last = now;
        self.seen += 1;
        let weight = (1.0 / self.seen as f64).max(0.1);
        let before = self.seconds_per_tree.unwrap_or(took);
        self.seconds_per_tree = Some(before + weight * (took - before));
    }

    /// A pause must not count as slow trees.
    pub(super) fn resume(&mut self) {
        self.last = Instant::now();
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(super) fn eta(&self, left: usize) -> Option<Duration> {
        let each = self.seconds_per_tree.filter(|_| self.seen >= 3)?;
        Duration::try_from_secs_f64(each * left as f64).ok()
    }

    pub(super) fn trees_per_second(&self) -> Option<f64> {
        self.seconds_per_tree
            .filter(|each| self.seen >= 3 && *each > 0.0)
            .map(|each| 1.0 / each)
    }
}

/// Laps in milliseconds.
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn lap(&mut self) -> f64 {
        let now = Instant::now();
        let ms = now.duration_since(self.0).as_secs_f64() * 1e3;
        self.0 = now;
        ms
    }
}

/// Milliseconds that `work` took, with its answer.
pub(super) fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let answer = work();
    (start.elapsed().as_secs_f64() * 1e3, answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_scikit_learns() {
        // sklearn 1.9.1: r2_score, mean_absolute_error, mean_squared_error of these lists.
        let scores = Scores::of([3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0]);
        assert!((scores.r2 - 0.948_608_137_045).abs() < 1e-9);
        assert!((scores.mae - 0.5).abs() < 1e-12);
        assert!((scores.mse - 0.375).abs() < 1e-12);
    }

    #[test]
    fn replaced_predictions_score_like_fresh_ones() {
        let mut sums = Sums::default();
        for (y, p) in [(3.0, 1.0), (4.0, 9.0), (5.0, 5.5)] {
            sums.add(y, p);
        }
        sums.replace(4.0, 9.0, 4.25);
        let fresh = Scores::of([3.0, 4.0, 5.0], [1.0, 4.25, 5.5]);
        assert!((sums.scores().r2 - fresh.r2).abs() < 1e-12);
        assert!((sums.scores().mae - fresh.mae).abs() < 1e-12);
    }
}
