//! What a user should know about the data before training on it.

use serde::Serialize;

use super::{DataError, Dataset, TARGET, WINE_TYPE};
use crate::train::split::Split;

/// Fewest rows that are split and learned from.
pub const MIN_ROWS: usize = 20;

/// The report that stands on screen before, while and after a fit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preflight {
    /// Rows in the file.
    pub rows: usize,
    /// Rows that equal an earlier one.
    pub duplicates: usize,
    /// Whether the duplicates were dropped.
    pub deduplicated: bool,
    /// Rows after that.
    pub used: usize,
    /// Empty cells; reading refuses them, so this is 0 and says so.
    pub nulls: usize,
    /// One entry per feature.
    pub columns: Vec<ColumnReport>,
    /// Target value and rows with it, ascending (values rounded to whole numbers).
    pub classes: Vec<(i64, usize)>,
    /// Rows to learn from.
    pub train: usize,
    /// Rows kept back.
    pub holdout: usize,
    /// Seed of the split.
    pub split_seed: u64,
    /// Which rows were kept back.
    pub holdout_sha256: String,
    /// Hash of the canonical rows.
    pub sha256: String,
    /// What the user should read: leaks, assumptions, ignored columns.
    pub notes: Vec<String>,
}

/// One feature's range.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnReport {
    /// Feature name.
    pub name: String,
    /// Smallest value.
    pub min: f32,
    /// Largest value.
    pub max: f32,
    /// Rows outside the range of the published data set (`None` when the feature has no known range).
    pub out_of_range: Option<usize>,
    /// All rows have the same value: the model cannot use it.
    pub constant: bool,
}

/// Ranges of the published data (`SERVICE.md`'s table), for the columns that have one.
const RANGES: [(&str, f32, f32); 12] = [
    ("fixed_acidity", 3.8, 15.9),
    ("volatile_acidity", 0.08, 1.58),
    ("citric_acid", 0.0, 1.66),
    ("residual_sugar", 0.6, 65.8),
    ("chlorides", 0.009, 0.611),
    ("free_sulfur_dioxide", 1.0, 289.0),
    ("total_sulfur_dioxide", 6.0, 440.0),
    ("density", 0.987_11, 1.038_98),
    ("pH", 2.72, 4.01),
    ("sulphates", 0.22, 2.0),
    ("alcohol", 8.0, 14.9),
    (WINE_TYPE, 0.0, 1.0),
];

impl Preflight {
    /// Checks `raw`, and gives the report with the rows to work on and their stratified 80/20 split.
    pub fn of(
        raw: &Dataset,
        dedup: bool,
        split_seed: u64,
    ) -> Result<(Self, Dataset, Split), DataError> {
        let data = raw.canonical(dedup);
        let split = Split::stratified(&data.target, 0.2, split_seed);
        Self::report(raw, data, split, dedup, split_seed)
    }

    /// The same for a split that was made elsewhere: `holdout` is kept back, all of `train` is learned from, except (when
    /// duplicates are dropped) what the holdout holds too.
    pub fn with_holdout(
        train: &Dataset,
        holdout: &Dataset,
        dedup: bool,
    ) -> Result<(Self, Dataset, Split), DataError> {
        let raw = train.concat(holdout)?;
        let holdout = holdout.canonical(dedup);
        let train = if dedup {
            train.canonical(true).without(&holdout)
        } else {
            train.clone()
        };
        let data = train.concat(&holdout)?;
        let split = Split {
            train: (0..train.len()).collect(),
            holdout: (train.len()..data.len()).collect(),
        };
        Self::report(&raw, data, split, dedup, 0)
    }

    fn report(
        raw: &Dataset,
        data: Dataset,
        split: Split,
        dedup: bool,
        split_seed: u64,
    ) -> Result<(Self, Dataset, Split), DataError> {
        if data.len() < MIN_ROWS || split.train.is_empty() || split.holdout.is_empty() {
            let one_sided = split.train.is_empty() || split.holdout.is_empty();
            return Err(DataError::TooFewRows {
                rows: if one_sided { 0 } else { data.len() },
                dropped: raw.len() - data.len(),
                needed: MIN_ROWS,
            });
        }
        let first = data.target[0];
        if data.target.iter().all(|value| *value == first) {
            return Err(DataError::OneClass { value: first });
        }
        let mut report = Self {
            rows: raw.len(),
            duplicates: raw.duplicates(),
            deduplicated: dedup,
            used: data.len(),
            nulls: 0,
            columns: (0..data.names.len())
                .map(|feature| column(&data, feature))
                .collect(),
            classes: classes(&data),
            train: split.train.len(),
            holdout: split.holdout.len(),
            split_seed,
            holdout_sha256: split.holdout_sha256(),
            sha256: raw.sha256(),
            notes: raw.notes.clone(),
        };
        report.notes.extend(report.warnings());
        Ok((report, data, split))
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.duplicates > 0 && !self.deduplicated {
            warnings.push(format!(
                "{} duplicate rows cross the split: R2 is inflated",
                self.duplicates
            ));
        }
        for column in &self.columns {
            if column.constant {
                warnings.push(format!(
                    "{} is {} in every row: the model cannot use it",
                    column.name, column.min
                ));
            }
            if let Some(rows @ 1..) = column.out_of_range {
                warnings.push(format!(
                    "{}: {rows} rows outside the known range",
                    column.name
                ));
            }
        }
        for (class, rows) in self.classes.iter().filter(|(_, rows)| *rows < 5) {
            warnings.push(format!(
                "only {rows} rows with {TARGET} {class}: no fold can judge it"
            ));
        }
        warnings
    }
}

fn classes(data: &Dataset) -> Vec<(i64, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for value in &data.target {
        *counts.entry(value.round() as i64).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

fn column(data: &Dataset, feature: usize) -> ColumnReport {
    let values = data.features.column(feature);
    let min = values.iter().copied().fold(f32::INFINITY, f32::min);
    let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let name = data.names[feature].clone();
    let range = RANGES.iter().find(|(known, ..)| *known == name);
    let outside = |&(_, low, high): &(&str, f32, f32)| {
        values.iter().filter(|v| **v < low || **v > high).count()
    };
    ColumnReport {
        out_of_range: range.map(outside),
        constant: min == max,
        name,
        min,
        max,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A holdout of its own must not hold what is learned from: a deep forest knows those rows by heart.
    #[test]
    fn what_the_holdout_holds_is_not_learned_from() {
        let wine = Dataset::wine_quality().unwrap();
        let rows = |from: usize, to: usize| wine.select(&(from..to).collect::<Vec<_>>());
        let (learn, judge) = (rows(0, 400), rows(300, 500));
        let (report, data, split) = Preflight::with_holdout(&learn, &judge, true).unwrap();
        let (train, holdout) = (data.select(&split.train), data.select(&split.holdout));
        assert_eq!(train.concat(&holdout).unwrap().duplicates(), 0);
        assert_eq!(
            holdout.len(),
            judge.canonical(true).len(),
            "it stays as it is"
        );
        assert_eq!(report.used + report.duplicates, report.rows);

        let why = Preflight::with_holdout(&learn, &learn, true).unwrap_err();
        assert!(why.to_string().starts_with("0 rows left"), "{why}");
        let (report, ..) = Preflight::with_holdout(&learn, &learn, false).unwrap();
        assert!(
            report
                .notes
                .iter()
                .any(|note| note.contains("cross the split"))
        );
    }

    #[test]
    fn the_wine_report_has_the_known_figures() {
        let wine = Dataset::wine_quality().unwrap();
        let (report, data, split) = Preflight::of(&wine, true, 42).unwrap();
        assert_eq!(
            (report.rows, report.duplicates, report.used),
            (6497, 1177, 5320)
        );
        assert_eq!((report.train, report.holdout), (4256, 1064));
        assert_eq!(
            report.classes,
            [
                (3, 30),
                (4, 206),
                (5, 1752),
                (6, 2323),
                (7, 856),
                (8, 148),
                (9, 5)
            ]
        );
        assert!(
            report
                .columns
                .iter()
                .all(|column| column.out_of_range == Some(0) && !column.constant)
        );
        assert_eq!((data.len(), split.holdout.len()), (5320, 1064));
        assert!(report.notes.is_empty());
        let (leaky, ..) = Preflight::of(&wine, false, 42).unwrap();
        assert_eq!(leaky.used, 6497);
        assert_eq!(
            leaky.notes,
            ["1177 duplicate rows cross the split: R2 is inflated"]
        );
        assert_eq!(leaky.sha256, report.sha256);
    }

    #[test]
    fn constant_and_strange_columns_are_named_and_hopeless_data_refused() {
        let mut wine = Dataset::wine_quality().unwrap();
        wine.features.column_mut(11).fill(0.0);
        wine.features[[3, 10]] = 40.0;
        let (report, ..) = Preflight::of(&wine, true, 42).unwrap();
        assert!(
            report.notes.contains(
                &"wine_type_encoded is 0 in every row: the model cannot use it".to_owned()
            )
        );
        assert!(
            report
                .notes
                .contains(&"alcohol: 1 rows outside the known range".to_owned())
        );
        wine.target.fill(5.0);
        assert!(
            Preflight::of(&wine, true, 42)
                .unwrap_err()
                .to_string()
                .starts_with("every row has quality 5")
        );
        let few = wine.select(&[0, 1, 2]);
        assert_eq!(
            Preflight::of(&few, true, 42).unwrap_err().to_string(),
            "3 rows are too few; at least 20 are needed"
        );
        let again = wine.select(&[0, 1, 0, 1, 0, 1]);
        assert_eq!(
            Preflight::of(&again, true, 42).unwrap_err().to_string(),
            "2 rows left after dropping 4 duplicates are too few; at least 20 are needed"
        );
    }
}
