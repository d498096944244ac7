//! How good a model is, and how sure that is: holdout with bootstrap intervals, cross-validation, bands, slices.

use serde::{Deserialize, Serialize};

use super::dataset::Dataset;
use super::fit::{TrainError, fit};
use super::model::Model;
use super::noise::seed_noise;
use super::plan::Plan;
use super::progress::{Flow, Progress, Scores};
use super::rng::TreeRng;
use super::split::Split;

/// Resamples behind every bootstrap interval here.
pub const RESAMPLES: usize = 2000;

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// 2.5 % quantile.
    pub low: f64,
    /// 97.5 % quantile.
    pub high: f64,
}

impl Interval {
    /// The middle 95 % of `values` (linear interpolation, numpy's default); NaN without values.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self {
            low: quantile(&values, 0.025),
            high: quantile(&values, 0.975),
        }
    }
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len().max(1) - 1) as f64;
    let below = sorted
        .get(place.floor() as usize)
        .copied()
        .unwrap_or(f64::NAN);
    let above = sorted
        .get(place.ceil() as usize)
        .copied()
        .unwrap_or(f64::NAN);
    below + (above - below) * place.fract()
}

/// Names for ranges of the score, ascending: name and exclusive upper end (the last is open).
pub type Bands = [(String, f64)];

/// The service's bands: Poor < 5, Average < 6, Good < 7, Excellent.
pub fn service_bands() -> Vec<(String, f64)> {
    [
        ("Poor", 5.0),
        ("Average", 6.0),
        ("Good", 7.0),
        ("Excellent", f64::INFINITY),
    ]
    .map(|(name, below)| (name.to_owned(), below))
    .to_vec()
}

fn band(bands: &Bands, score: f64) -> usize {
    bands
        .iter()
        .position(|(_, below)| score < *below)
        .unwrap_or(bands.len().saturating_sub(1))
}

/// A model judged on rows it has not seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// All rows.
    pub scores: Scores,
    /// Bootstrap interval of R2.
    pub r2: Interval,
    /// Bootstrap interval of the mean absolute error.
    pub mae: Interval,
    /// Bootstrap interval of the root mean squared error.
    pub rmse: Interval,
    /// Bootstrap interval of the mean squared error.
    pub mse: Interval,
    /// Standard deviation of the mean squared error over the seeds this recipe could have had.
    pub seed_noise: f64,
    /// What the rows are.
    pub actual: Vec<f32>,
    /// What the model says.
    pub predicted: Vec<f32>,
    /// Scores by wine type and by band of the truth; empty slices are left out.
    pub slices: Vec<Slice>,
    /// Rows by band: `confusion[truth][prediction]`.
    pub confusion: Vec<Vec<usize>>,
    /// Names of the bands.
    pub bands: Vec<String>,
}

/// Scores of some of the rows (R2 within a slice is rarely meaningful; compare errors).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slice {
    /// "red", "white", or a band.
    pub name: String,
    /// Its scores.
    pub scores: Scores,
}

impl Evaluation {
    /// Judges `model` on `rows`; intervals are drawn from `seed`.
    pub fn of(model: &Model, rows: &Dataset, bands: &Bands, seed: u64) -> Self {
        let predicted = model.predict(rows.view()).to_vec();
        let actual = rows.target.to_vec();
        let mut confusion = vec![vec![0; bands.len()]; bands.len()];
        for (y, p) in actual.iter().zip(&predicted) {
            confusion[band(bands, f64::from(*y))][band(bands, f64::from(*p))] += 1;
        }
        let draws = bootstrap(&actual, &predicted, seed);
        let interval = |of: fn(&Scores) -> f64| Interval::of(draws.iter().map(of).collect());
        Self {
            scores: Scores::of(actual.iter().copied(), predicted.iter().copied()),
            r2: interval(|s| s.r2),
            mae: interval(|s| s.mae),
            rmse: interval(|s| s.rmse),
            mse: interval(|s| s.mse),
            seed_noise: seed_noise(model, rows, &predicted),
            slices: slices(rows, &predicted, bands),
            confusion,
            bands: bands.iter().map(|(name, _)| name.clone()).collect(),
            actual,
            predicted,
        }
    }

    /// Truth minus prediction, row by row.
    pub fn residuals(&self) -> Vec<f32> {
        self.actual
            .iter()
            .zip(&self.predicted)
            .map(|(y, p)| y - p)
            .collect()
    }
}

fn bootstrap(actual: &[f32], predicted: &[f32], seed: u64) -> Vec<Scores> {
    let mut rng = TreeRng::new(seed, 0xB007);
    let n = actual.len();
    (0..RESAMPLES)
        .map(|_| {
            let rows: Vec<usize> = (0..n).map(|_| rng.below(n)).collect();
            Scores::of(
                rows.iter().map(|&row| actual[row]),
                rows.iter().map(|&row| predicted[row]),
            )
        })
        .collect()
}

fn slices(rows: &Dataset, predicted: &[f32], bands: &Bands) -> Vec<Slice> {
    let mut members: Vec<(String, Vec<usize>)> = Vec::new();
    if let Some(column) = rows
        .names
        .iter()
        .position(|name| name == super::dataset::WINE_TYPE)
    {
        for (name, code) in [("red", 0.0), ("white", 1.0)] {
            let of_type = |row: &usize| rows.features[[*row, column]] == code;
            members.push((name.to_owned(), (0..rows.len()).filter(of_type).collect()));
        }
    }
    for (index, (name, _)) in bands.iter().enumerate() {
        let in_band = |row: &usize| band(bands, f64::from(rows.target[*row])) == index;
        members.push((name.clone(), (0..rows.len()).filter(in_band).collect()));
    }
    members.retain(|(_, rows)| !rows.is_empty());
    let slice = |(name, members): (String, Vec<usize>)| Slice {
        name,
        scores: Scores::of(
            members.iter().map(|&row| rows.target[row]),
            members.iter().map(|&row| predicted[row]),
        ),
    };
    members.into_iter().map(slice).collect()
}

/// Scores over folds, each the mean over the folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrossValidation {
    /// One per fold.
    pub folds: Vec<Scores>,
    /// Mean R2.
    pub r2: f64,
    /// Half width of the 95 % interval of the mean R2 after Nadeau and Bengio (2003), which corrects for training
    /// sets that overlap: t(k−1) · sqrt((1/k + `n_test/n_train`) · s²).
    pub r2_half_width: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Root of the mean of the folds' mean squared errors.
    pub rmse: f64,
    /// Mean of the folds' mean squared errors.
    pub mse: f64,
}

/// Fits `plan` once per fold (`StratifiedKFold` with `seed`) and scores what was left out. The listener's `fold`
/// counts from 0; stopping any fold cancels all.
pub fn cross_validate(
    plan: &Plan,
    data: &Dataset,
    folds: usize,
    seed: u64,
    on_progress: &mut dyn FnMut(usize, &Progress) -> Flow,
) -> Result<CrossValidation, TrainError> {
    let mut scores = Vec::new();
    for (index, fold) in Split::k_fold(&data.target, folds, seed).iter().enumerate() {
        let mut never_kept = |progress: &Progress| match on_progress(index, progress) {
            Flow::Stop { .. } => Flow::Stop { keep: false },
            flow => flow,
        };
        let model = fit(plan, &data.select(&fold.train), &mut never_kept)?.model;
        let rows = data.select(&fold.holdout);
        scores.push(Scores::of(
            rows.target.iter().copied(),
            model.predict(rows.view()),
        ));
    }
    Ok(CrossValidation::of(scores))
}

impl CrossValidation {
    fn of(folds: Vec<Scores>) -> Self {
        let k = folds.len() as f64;
        let mean = |of: fn(&Scores) -> f64| folds.iter().map(of).sum::<f64>() / k;
        let (r2, mae, mse) = (mean(|s| s.r2), mean(|s| s.mae), mean(|s| s.mse));
        let variance = folds.iter().map(|fold| (fold.r2 - r2).powi(2)).sum::<f64>() / (k - 1.0);
        // Equal folds: n_test / n_train = 1 / (k − 1).
        let r2_half_width =
            student_t(folds.len() - 1) * ((1.0 / k + 1.0 / (k - 1.0)) * variance).sqrt();
        Self {
            r2,
            r2_half_width,
            mae,
            rmse: mse.sqrt(),
            mse,
            folds,
        }
    }
}

/// 97.5 % quantile of Student's t (scipy.stats.t.ppf(.975, df)); 1.96 beyond the table.
fn student_t(degrees: usize) -> f64 {
    const TABLE: [f64; 19] = [
        12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281, 2.2010,
        2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930,
    ];
    degrees
        .checked_sub(1)
        .map_or(f64::NAN, |at| TABLE.get(at).copied().unwrap_or(1.96))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::train::{Family, dataset::Preflight};

    #[test]
    fn intervals_bands_and_slices_fit_the_scores() {
        let (_, data, split) = Preflight::of(&Dataset::wine_quality().unwrap(), true, 42).unwrap();
        let mut go = |_: &Progress| Flow::Continue;
        let model = fit(
            &Plan::new(Family::Linear),
            &data.select(&split.train),
            &mut go,
        )
        .unwrap()
        .model;
        let evaluation = Evaluation::of(&model, &data.select(&split.holdout), &service_bands(), 1);
        // scikit-learn 1.9.1 LinearRegression on the same split: R2 .313, MAE .566, RMSE .729.
        let Scores { r2, mae, rmse, .. } = evaluation.scores;
        assert!(
            (r2 - 0.313).abs() < 5e-4 && (mae - 0.566).abs() < 5e-4 && (rmse - 0.729).abs() < 5e-4
        );
        assert!(evaluation.r2.low < r2 && r2 < evaluation.r2.high);
        assert!(
            evaluation.mse.high - evaluation.mse.low > 0.05
                && evaluation.mse.high - evaluation.mse.low < 0.2
        );
        assert_eq!(evaluation.confusion.iter().flatten().sum::<usize>(), 1064);
        let names: Vec<&str> = evaluation
            .slices
            .iter()
            .map(|slice| slice.name.as_str())
            .collect();
        assert_eq!(
            names,
            ["red", "white", "Poor", "Average", "Good", "Excellent"]
        );
        assert_eq!(evaluation.slices[2].scores.n, 47);
        assert_eq!(evaluation.residuals().len(), 1064);
    }

    #[test]
    fn cross_validation_has_scikit_learns_figures() {
        let data = Dataset::wine_quality().unwrap().canonical(true);
        let cv = cross_validate(&Plan::new(Family::Linear), &data, 5, 42, &mut |_, _| {
            Flow::Continue
        })
        .unwrap();
        // scikit-learn 1.9.1: cross_val_score(LinearRegression(), X, y, cv=StratifiedKFold(5, shuffle, 42)) = .307.
        assert!((cv.r2 - 0.307).abs() < 5e-4, "{}", cv.r2);
        let fold = |r2| Scores {
            n: 1,
            r2,
            mae: 0.0,
            rmse: 0.0,
            mse: 0.0,
        };
        let known = CrossValidation::of([0.35, 0.37, 0.36, 0.38, 0.34].map(fold).to_vec());
        // s = .0158114, t = 2.7764, sqrt(1/5 + 1/4) = .67082
        assert!(
            (known.r2_half_width - 0.029_448).abs() < 1e-5,
            "{}",
            known.r2_half_width
        );
    }

    /// `cargo test --lib cross_validated_floors -- --ignored --nocapture` (minutes).
    #[test]
    #[ignore = "fifteen fits of full size"]
    fn cross_validated_floors_hold() {
        let data = Dataset::wine_quality().unwrap().canonical(true);
        let preset = |name| Plan::preset(name).unwrap();
        for (plan, floor) in [
            (preset("fast"), 0.400),
            (Plan::new(Family::GradientBoosting), 0.393),
            (preset("best"), 0.410),
        ] {
            let cv = cross_validate(&plan, &data, 5, 42, &mut |_, _| Flow::Continue).unwrap();
            eprintln!("{}: {:.4} ± {:.4}", plan.family, cv.r2, cv.r2_half_width);
            assert!(cv.r2 >= floor, "{}: {}", plan.family, cv.r2);
        }
    }

    #[test]
    fn quantiles_are_numpys() {
        // numpy.quantile([1, 2, 3, 4, 10], [.025, .975])
        let interval = Interval::of(vec![10.0, 4.0, 3.0, 2.0, 1.0]);
        assert!((interval.low - 1.1).abs() < 1e-12 && (interval.high - 9.4).abs() < 1e-12);
    }
}
