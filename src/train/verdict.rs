//! Champion against challenger: one word from a paired bootstrap, and the gates before a promotion.

use serde::{Deserialize, Serialize};

use super::evaluate::{Evaluation, Interval, RESAMPLES};
use super::rng::TreeRng;

/// The owner's threshold on the mean squared error, unless another is asked for.
pub const MAX_MSE: f64 = 5.0;

/// A mean squared error worse by less than this is negligible.
pub const MARGIN: f64 = 0.005;

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
    /// Its bootstrap interval over rows.
    pub interval: Interval,
    /// Share of the resamples in which the challenger is better.
    pub p_better: f64,
    /// The word.
    pub verdict: Verdict,
}

impl Comparison {
    /// Compares predictions for the same rows: d = (challenger − y)² − (champion − y)², its mean over 2000 resamples
    /// of the rows drawn from `seed`. `None` when the lengths differ or there are no rows.
    pub fn paired(actual: &[f32], champion: &[f32], challenger: &[f32], seed: u64) -> Option<Self> {
        if actual.is_empty() || actual.len() != champion.len() || actual.len() != challenger.len() {
            return None;
        }
        let square = |p: &f32, y: &f32| (f64::from(*p) - f64::from(*y)).powi(2);
        let pairs = champion.iter().zip(challenger).zip(actual);
        let d: Vec<f64> = pairs
            .map(|((old, new), y)| square(new, y) - square(old, y))
            .collect();
        let delta_mse = d.iter().sum::<f64>() / d.len() as f64;
        let mut rng = TreeRng::new(seed, 0xC0DE);
        let mut mean_of_resample =
            || (0..d.len()).map(|_| d[rng.below(d.len())]).sum::<f64>() / d.len() as f64;
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
        gates.push(comparison_gate(comparison));
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
    Gate {
        name: "canaries",
        passed,
        reason: format!(
            "{} rows, largest difference {worst:e}",
            candidate.canaries.len()
        ),
    }
}

fn comparison_gate(comparison: &Comparison) -> Gate {
    let Comparison {
        delta_mse,
        interval,
        verdict,
        ..
    } = comparison;
    Gate {
        name: "champion",
        passed: interval.high < MARGIN,
        reason: format!(
            "{verdict}: MSE {delta_mse:+.4} [{:+.4}, {:+.4}], at most {MARGIN:+}",
            interval.low, interval.high
        ),
    }
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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::train::evaluate::service_bands;
    use crate::train::{Dataset, Family, Flow, Plan, Progress, dataset::Preflight, fit};

    fn interval(low: f64, high: f64) -> Verdict {
        word(Interval { low, high })
    }

    #[test]
    fn the_word_follows_the_interval() {
        assert_eq!(interval(-0.034, -0.010), Verdict::Better);
        assert_eq!(interval(-0.0073, 0.0013), Verdict::Tie);
        assert_eq!(interval(-0.01, 0.02), Verdict::Tie);
        assert_eq!(interval(0.0005, 0.004), Verdict::NoWorse);
        assert_eq!(interval(0.0008, 0.0127), Verdict::Blocked);
    }

    #[test]
    fn refits_tie_better_ones_win_and_worse_ones_are_blocked() {
        let (_, data, split) = Preflight::of(&Dataset::wine_quality().unwrap(), true, 42).unwrap();
        let (train, holdout) = (data.select(&split.train), data.select(&split.holdout));
        let judge = |preset: &str, seed, depth| {
            let mut plan = Plan::preset(preset).unwrap();
            plan.params.seed = seed;
            plan.params.max_depth = depth;
            let model = fit(&plan, &train, &mut |_: &Progress| Flow::Continue)
                .unwrap()
                .model;
            Evaluation::of(&model, &holdout, &service_bands(), 1)
        };
        let champion = judge("owner", 42, Some(8));
        let against = |challenger: &Evaluation| {
            Comparison::paired(
                &champion.actual,
                &champion.predicted,
                &challenger.predicted,
                7,
            )
            .unwrap()
        };
        assert_eq!(against(&champion).delta_mse, 0.0);
        assert_eq!(against(&judge("owner", 1, Some(8))).verdict, Verdict::Tie);
        let fast = judge("fast", 42, None);
        assert_eq!(against(&fast).verdict, Verdict::Better);
        let shallow = judge("owner", 42, Some(4));
        assert_eq!(against(&shallow).verdict, Verdict::Blocked);

        let names = &data.names;
        let candidate = |challenger, canaries| Candidate {
            challenger,
            champion: Some((&champion, against(challenger))),
            max_mse: MAX_MSE,
            canaries,
            trained_features: names,
            served_features: names,
        };
        let failed = |gates: Vec<Gate>| {
            gates
                .into_iter()
                .filter(|g| !g.passed)
                .map(|g| g.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            failed(gates(&candidate(&fast, &[(5.0, 5.0)]))),
            Vec::<&str>::new()
        );
        assert!(failed(gates(&candidate(&shallow, &[]))).contains(&"champion"));
        let strict = Candidate {
            max_mse: 0.1,
            served_features: &names[1..],
            ..candidate(&fast, &[(5.0, f32::NAN)])
        };
        assert_eq!(
            failed(gates(&strict)),
            ["threshold", "features", "canaries"]
        );
    }

    #[test]
    fn unequal_lists_cannot_be_compared() {
        assert!(Comparison::paired(&[5.0], &[5.0, 6.0], &[5.0], 1).is_none());
        assert_eq!(Plan::new(Family::Linear).family, Family::Linear);
    }
}
