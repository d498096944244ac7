//! Champion against challenger: one word from a paired bootstrap over rows and seeds, and the gates before a promotion.

use serde::{Deserialize, Serialize};

use super::evaluate::{Evaluation, Interval, RESAMPLES};
use super::rng::TreeRng;

/// The owner's threshold on the mean squared error, unless another is asked for.
pub const MAX_MSE: f64 = 5.0;

/// A mean squared error worse by less than this is negligible.
pub const MARGIN: f64 = 0.005;

/// A tie is let through while its interval rules out that the challenger is worse by more than this share of the
/// champion's mean squared error, the luck of the seed set aside ([`tie_tolerance`]): a holdout too small to tell a bad
/// model from a good one (everything ties on it) is not enough.
pub const TIE_TOLERANCE: f64 = 0.05;

/// Half width of a 95 % interval, in standard deviations.
const SIGMAS: f64 = 1.96;

/// A slice may be this much worse (share of its mean squared error).
pub const SLICE_TOLERANCE: f64 = 0.10;

/// Fewest rows of a slice that is judged.
pub const SLICE_ROWS: usize = 30;

/// Two answers to one canary may differ by this much.
pub const CANARY_TOLERANCE: f32 = 1e-6;

/// What a comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// The whole interval is below 0.
    Better,
    /// The interval holds 0: nothing was shown.
    Tie,
    /// Worse, but surely by less than [`MARGIN`].
    NoWorse,
    /// Worse, and perhaps by more than [`MARGIN`].
    Blocked,
}

impl Verdict {
    /// The word in capitals.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Better => "BETTER",
            Self::Tie => "TIE",
            Self::NoWorse => "NO WORSE",
            Self::Blocked => "BLOCKED",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

/// The difference of two models on the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Comparison {
    /// Challenger's minus champion's mean squared error: below 0 is better.
    pub delta_mse: f64,
    /// Its interval over the rows there could have been and the seeds there could have been.
    pub interval: Interval,
    /// Share of the resamples in which the challenger is better.
    pub p_better: f64,
    /// The word.
    pub verdict: Verdict,
}

impl Comparison {
    /// Compares two models judged on the same rows: d = (challenger − y)² − (champion − y)², its mean over 2000
    /// resamples of the rows drawn from `seed`, each moved by what other seeds of the two recipes would have moved it.
    /// `None` when the rows differ or there are none.
    pub fn paired(champion: &Evaluation, challenger: &Evaluation, seed: u64) -> Option<Self> {
        if champion.actual.is_empty() || champion.actual != challenger.actual {
            return None;
        }
        let square = |p: &f32, y: &f32| (f64::from(*p) - f64::from(*y)).powi(2);
        let pairs = champion.predicted.iter().zip(&challenger.predicted);
        let d: Vec<f64> = pairs
            .zip(&champion.actual)
            .map(|((old, new), y)| square(new, y) - square(old, y))
            .collect();
        let delta_mse = d.iter().sum::<f64>() / d.len() as f64;
        let luck = champion.seed_noise.hypot(challenger.seed_noise);
        let mut rng = TreeRng::new(seed, 0xC0DE);
        let mut mean_of_resample = || {
            let sum: f64 = (0..d.len()).map(|_| d[rng.below(d.len())]).sum();
            sum / d.len() as f64 + luck * rng.normal()
        };
        let means: Vec<f64> = (0..RESAMPLES).map(|_| mean_of_resample()).collect();
        let p_better = means.iter().filter(|mean| **mean < 0.0).count() as f64 / RESAMPLES as f64;
        let interval = Interval::of(means);
        Some(Self {
            delta_mse,
            interval,
            p_better,
            verdict: word(interval),
        })
    }
}

fn word(interval: Interval) -> Verdict {
    match interval {
        Interval { high, .. } if high < 0.0 => Verdict::Better,
        Interval { low, .. } if low <= 0.0 => Verdict::Tie,
        Interval { high, .. } if high < MARGIN => Verdict::NoWorse,
        _ => Verdict::Blocked,
    }
}

/// One condition of a promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// Its name.
    pub name: &'static str,
    /// Whether it holds.
    pub passed: bool,
    /// The figures behind it.
    pub reason: String,
}

/// What the gates judge.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The new model on the holdout.
    pub challenger: &'a Evaluation,
    /// The present one on the same rows, with the comparison; `None` for the first model.
    pub champion: Option<(&'a Evaluation, Comparison)>,
    /// The owner's threshold on the mean squared error (his default: 5.0).
    pub max_mse: f64,
    /// Canary answers when trained and now, row by row.
    pub canaries: &'a [(f32, f32)],
    /// Feature names the model was trained with.
    pub trained_features: &'a [String],
    /// Feature names the service sends.
    pub served_features: &'a [String],
}

/// All gates, passed or not, each with its reason. A promotion needs all of them or an override with a reason.
pub fn gates(candidate: &Candidate<'_>) -> Vec<Gate> {
    let mut gates = vec![
        threshold(candidate),
        features(candidate),
        canaries(candidate),
    ];
    if let Some((champion, comparison)) = &candidate.champion {
        gates.push(comparison_gate(champion, comparison));
        gates.push(slices(champion, candidate.challenger));
    }
    gates
}

fn threshold(candidate: &Candidate<'_>) -> Gate {
    let Evaluation { scores, mse, .. } = candidate.challenger;
    Gate {
        name: "threshold",
        passed: scores.mse <= candidate.max_mse,
        reason: format!(
            "MSE {:.3} [{:.3}, {:.3}], at most {}",
            scores.mse, mse.low, mse.high, candidate.max_mse
        ),
    }
}

fn features(candidate: &Candidate<'_>) -> Gate {
    let pairs = candidate
        .trained_features
        .iter()
        .zip(candidate.served_features);
    let different = pairs.clone().find(|(trained, served)| trained != served);
    let (trained, served) = (
        candidate.trained_features.len(),
        candidate.served_features.len(),
    );
    let reason = match different {
        Some((trained, served)) => format!("trained on {trained} where the service sends {served}"),
        None if trained != served => {
            format!("trained on {trained} features, the service sends {served}")
        }
        None => format!("the same {trained} in the same order"),
    };
    Gate {
        name: "features",
        passed: different.is_none() && trained == served,
        reason,
    }
}

fn canaries(candidate: &Candidate<'_>) -> Gate {
    let gaps = candidate
        .canaries
        .iter()
        .map(|(then, now)| (then - now).abs());
    // max() would hide a NaN, and a NaN is the worst answer of all.
    let worst = gaps.fold(0.0f32, |worst, gap| {
        if gap.is_nan() || gap > worst {
            gap
        } else {
            worst
        }
    });
    let passed = worst <= CANARY_TOLERANCE;
    let rows = candidate.canaries.len();
    let reason = if worst == 0.0 {
        format!("{rows} rows, the same answers")
    } else {
        format!("{rows} rows, largest difference {worst:.1e}, at most {CANARY_TOLERANCE:.0e}")
    };
    Gate {
        name: "canaries",
        passed,
        reason,
    }
}

/// BETTER and NO WORSE pass, BLOCKED does not; a TIE passes unless the interval is too wide to mean anything.
fn comparison_gate(champion: &Evaluation, comparison: &Comparison) -> Gate {
    let Comparison {
        delta_mse,
        interval,
        verdict,
        ..
    } = comparison;
    let most = match verdict {
        Verdict::Tie => tie_tolerance(champion),
        _ => MARGIN,
    };
    Gate {
        name: "champion",
        passed: interval.high < most,
        reason: format!(
            "{verdict}: MSE {delta_mse:+.4} [{:+.4}, {:+.4}], at most {most:+.3}",
            interval.low, interval.high
        ),
    }
}

/// Largest upper end of the interval that a tie may have.
///
/// Two fits of one recipe differ by the luck of both seeds, so the upper end of a refit's tie may lie twice the half
/// width of that luck above 0: the difference itself, and the interval around it. How much luck there is the champion
/// alone says: a challenger must not get more room by being erratic.
fn tie_tolerance(champion: &Evaluation) -> f64 {
    let luck = champion.seed_noise * std::f64::consts::SQRT_2;
    MARGIN.max(TIE_TOLERANCE * champion.scores.mse) + 2.0 * SIGMAS * luck
}

fn slices(champion: &Evaluation, challenger: &Evaluation) -> Gate {
    let pairs = champion.slices.iter().filter_map(|old| {
        let new = challenger.slices.iter().find(|new| new.name == old.name)?;
        (old.scores.n >= SLICE_ROWS)
            .then(|| (old.name.as_str(), new.scores.mse / old.scores.mse - 1.0))
    });
    let changes: Vec<(&str, f64)> = pairs.collect();
    let text = |(name, change): &(&str, f64)| format!("{name} {:+.1} %", change * 100.0);
    Gate {
        name: "slices",
        passed: changes.iter().all(|(_, change)| *change <= SLICE_TOLERANCE),
        reason: format!(
            "{} (at most +10 %)",
            changes.iter().map(text).collect::<Vec<_>>().join(", ")
        ),
    }
}

#[cfg(test)]
mod tests;
