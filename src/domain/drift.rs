//! Have the inputs (or the scores) moved away from the training rows? PSI and Kolmogorov–Smirnov, with limits that
//! know how small the window is.

use serde::{Deserialize, Serialize};

/// Reference bins of the population stability index.
const BINS: usize = 10;

/// Smoothing added to every bin count.
const SMOOTHING: f64 = 0.5;

/// Name of the column of scores.
pub const PREDICTION: &str = "prediction";

/// Fewest rows of a window that is judged.
pub const FEWEST: usize = 50;

/// Values kept per column for the Kolmogorov–Smirnov distance: enough that the sketch costs less than 0.001.
const SKETCH: usize = 1024;

/// What the serving version was trained on, and what it answers for rows it has not seen, reduced to what a comparison
/// needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// Training rows.
    pub rows: usize,
    /// One per feature, and one for the scores; each knows its own number of rows.
    pub columns: Vec<ReferenceColumn>,
}

/// One column of the reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReferenceColumn {
    /// Feature name, or [`PREDICTION`].
    pub name: String,
    /// Inclusive upper ends of all bins but the last (distinct deciles).
    pub edges: Vec<f32>,
    /// Rows per bin.
    pub counts: Vec<u32>,
    /// Evenly spaced quantiles of the values, ascending.
    pub quantiles: Vec<f32>,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub deviation: f64,
}

/// What a window says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drift {
    /// Fewer than [`FEWEST`] rows.
    Collecting,
    /// Nothing beyond chance.
    Steady,
    /// Moved.
    Warn,
    /// Moved far: retraining suggested.
    Alert,
}

/// A window compared with the reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DriftReport {
    /// Rows in the window.
    pub rows: usize,
    /// The worst column's verdict.
    pub drift: Drift,
    /// One per reference column.
    pub columns: Vec<ColumnDrift>,
}

/// One column's figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnDrift {
    /// Feature name, or [`PREDICTION`].
    pub name: String,
    /// Population stability index.
    pub psi: f64,
    /// PSI at which this window size warns.
    pub warn_at: f64,
    /// PSI at which this window size alerts.
    pub alert_at: f64,
    /// Kolmogorov–Smirnov distance.
    pub ks: f64,
    /// Its p-value.
    pub ks_p: f64,
    /// The p-value below which it would count (0.05 over the number of columns).
    pub ks_limit: f64,
    /// Shift of the mean in training standard deviations (0 when the column was constant).
    pub shift: f64,
    /// The PSI's verdict.
    pub drift: Drift,
}

impl Reference {
    /// Rows behind the scores: others than the training rows.
    pub fn scored(&self) -> Option<usize> {
        let scores = (self.columns.iter()).find(|column| column.name == PREDICTION)?;
        Some(scores.counts.iter().map(|count| *count as usize).sum())
    }

    /// Reduces columns of finite values, the features first; empty columns are left out.
    pub fn of(columns: impl IntoIterator<Item = (String, Vec<f32>)>) -> Self {
        let columns: Vec<(String, Vec<f32>)> = columns
            .into_iter()
            .filter(|(_, values)| !values.is_empty())
            .collect();
        let rows = columns.first().map_or(0, |(_, values)| values.len());
        Self {
            rows,
            columns: columns
                .into_iter()
                .map(|(name, values)| ReferenceColumn::of(name, values))
                .collect(),
        }
    }

    /// Compares a window: one list of values per reference column, in its order. `None` when the number of columns
    /// or their lengths do not fit.
    pub fn compare(&self, window: &[Vec<f32>]) -> Option<DriftReport> {
        let rows = window.first()?.len();
        if window.len() != self.columns.len() || window.iter().any(|values| values.len() != rows) {
            return None;
        }
        let compare = |(column, values): (&ReferenceColumn, &Vec<f32>)| {
            column.compare(values, self.columns.len())
        };
        let columns: Vec<ColumnDrift> = self.columns.iter().zip(window).map(compare).collect();
        let drift = columns
            .iter()
            .map(|column| column.drift)
            .max()
            .unwrap_or(Drift::Collecting);
        Some(DriftReport {
            rows,
            drift,
            columns,
        })
    }
}

impl DriftReport {
    /// The worst verdict over the inputs.
    pub fn inputs(&self) -> Drift {
        self.of(|column| column.name != PREDICTION)
    }

    /// The verdict on the scores; that of an empty window where they are not compared.
    pub fn scores(&self) -> Drift {
        self.of(|column| column.name == PREDICTION)
    }

    fn of(&self, which: impl Fn(&ColumnDrift) -> bool) -> Drift {
        let columns = self.columns.iter().filter(|column| which(column));
        let worst = columns.map(|column| column.drift).max();
        worst.unwrap_or(Drift::Collecting)
    }

    /// What has moved, and how far: "inputs have moved far, predictions have moved"; `None` when nothing has.
    pub fn moved(&self) -> Option<String> {
        let moved = |what: &str, drift: Drift| match drift {
            Drift::Warn => Some(format!("{what} have moved")),
            Drift::Alert => Some(format!("{what} have moved far")),
            Drift::Collecting | Drift::Steady => None,
        };
        let parts = [
            moved("inputs", self.inputs()),
            moved("predictions", self.scores()),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        match parts.as_slice() {
            [] => None,
            [one] if self.inputs() <= Drift::Steady => Some(format!("{one}, inputs have not")),
            parts => Some(parts.join(", ")),
        }
    }

    /// The column nearest to its limit, or farthest beyond it.
    pub fn worst(&self) -> Option<&ColumnDrift> {
        let by_limit = |a: &&ColumnDrift, b: &&ColumnDrift| a.of_limit().total_cmp(&b.of_limit());
        self.columns.iter().max_by(by_limit)
    }
}

impl ColumnDrift {
    /// The index over the one that alerts: 1 is the limit.
    pub fn of_limit(&self) -> f64 {
        self.psi / self.alert_at
    }
}

impl ReferenceColumn {
    fn of(name: String, mut values: Vec<f32>) -> Self {
        values.sort_by(f32::total_cmp);
        let n = values.len();
        let at = |share: f64| values[((share * n as f64) as usize).min(n - 1)];
        let mut edges: Vec<f32> = (1..BINS)
            .map(|decile| at(decile as f64 / BINS as f64))
            .collect();
        edges.dedup();
        edges.retain(|edge| *edge < values[n - 1]);
        let quantiles = (0..SKETCH.min(n))
            .map(|place| at((place as f64 + 0.5) / SKETCH.min(n) as f64))
            .collect();
        let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / n as f64;
        let variance = values
            .iter()
            .map(|value| (f64::from(*value) - mean).powi(2))
            .sum::<f64>()
            / n as f64;
        Self {
            name,
            counts: count(&edges, &values),
            edges,
            quantiles,
            mean,
            deviation: variance.sqrt(),
        }
    }

    /// `family`: columns compared at once, over which the chance of a false alarm is shared out.
    fn compare(&self, values: &[f32], family: usize) -> ColumnDrift {
        let (n, m) = (self.rows(), values.len() as f64);
        let psi = self.psi(values);
        // Without drift PSI is about (1/N + 1/M) · χ² with B − 1 degrees (Yurdakul 2018), shared out over k columns.
        let by_chance = |alpha: f64| {
            let share = alpha / family as f64;
            (1.0 / n + 1.0 / m) * chi2_quantile(1.0 - share, self.edges.len())
        };
        let (warn_at, alert_at) = (by_chance(0.05).max(0.10), by_chance(0.01).max(0.25));
        let ks = self.distance(values);
        let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / m;
        let drift = match values.len() {
            ..FEWEST => Drift::Collecting,
            _ if psi >= alert_at => Drift::Alert,
            _ if psi >= warn_at => Drift::Warn,
            _ => Drift::Steady,
        };
        ColumnDrift {
            name: self.name.clone(),
            psi,
            warn_at,
            alert_at,
            ks,
            ks_p: ks_p(ks, n, m),
            ks_limit: 0.05 / family as f64,
            shift: if self.deviation > 0.0 {
                (mean - self.mean) / self.deviation
            } else {
                0.0
            },
            drift,
        }
    }

    /// Rows behind the column: scores come from other rows than the features.
    fn rows(&self) -> f64 {
        f64::from(self.counts.iter().sum::<u32>())
    }

    /// Σ (q − p) · ln(q / p) over the bins, both sides smoothed.
    fn psi(&self, values: &[f32]) -> f64 {
        let current = count(&self.edges, values);
        let total = |counts: &[u32]| {
            f64::from(counts.iter().sum::<u32>()) + SMOOTHING * counts.len() as f64
        };
        let (n, m) = (total(&self.counts), total(&current));
        let term = |(reference, current): (&u32, &u32)| {
            let p = (f64::from(*reference) + SMOOTHING) / n;
            let q = (f64::from(*current) + SMOOTHING) / m;
            (q - p) * (q / p).ln()
        };
        self.counts.iter().zip(&current).map(term).sum()
    }

    /// Largest gap between the two distribution functions.
    fn distance(&self, values: &[f32]) -> f64 {
        let mut values = values.to_vec();
        values.sort_by(f32::total_cmp);
        let share = |sorted: &[f32], x: f32| {
            sorted.partition_point(|y| *y <= x) as f64 / sorted.len().max(1) as f64
        };
        let gap = |x: &f32| (share(&self.quantiles, *x) - share(&values, *x)).abs();
        self.quantiles
            .iter()
            .chain(&values)
            .map(gap)
            .fold(0.0, f64::max)
    }
}

fn count(edges: &[f32], values: &[f32]) -> Vec<u32> {
    let mut counts = vec![0; edges.len() + 1];
    for value in values {
        counts[edges.partition_point(|edge| edge < value)] += 1;
    }
    counts
}

/// Asymptotic p-value of a Kolmogorov–Smirnov distance (Numerical Recipes 14.3.9).
fn ks_p(distance: f64, n: f64, m: f64) -> f64 {
    let root = (n * m / (n + m)).sqrt();
    let lambda = (root + 0.12 + 0.11 / root) * distance;
    if lambda < 0.2 {
        return 1.0;
    }
    let term = |j: i32| {
        (if j % 2 == 1 { 2.0 } else { -2.0 }) * (-2.0 * f64::from(j * j) * lambda * lambda).exp()
    };
    (1..=100).map(term).sum::<f64>().clamp(0.0, 1.0)
}

/// Quantile of the χ² distribution by bisection; 0 for no degrees of freedom.
fn chi2_quantile(probability: f64, degrees: usize) -> f64 {
    if degrees == 0 {
        return 0.0;
    }
    let half = degrees as f64 / 2.0;
    let (mut low, mut high) = (0.0, 10.0 * degrees as f64 + 100.0);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if lower_gamma(half, middle / 2.0) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Regularised lower incomplete gamma function P(a, x), by its series (enough for a ≤ 20, x ≤ 200).
fn lower_gamma(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let mut term = 1.0 / a;
    let mut sum = term;
    for n in 1..2000 {
        term *= x / (a + f64::from(n));
        sum += term;
        if term < sum * 1e-16 {
            break;
        }
    }
    (a * x.ln() - x - ln_gamma_of_half(a) + sum.ln())
        .exp()
        .min(1.0)
}

/// ln Γ(a) for a whole or half number, by Γ(a) = (a − 1) Γ(a − 1).
fn ln_gamma_of_half(a: f64) -> f64 {
    let whole = a.fract() == 0.0;
    let (mut at, mut sum) = if whole {
        (1.0, 0.0)
    } else {
        (0.5, std::f64::consts::PI.sqrt().ln())
    };
    while at < a {
        sum += f64::ln(at);
        at += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests;
