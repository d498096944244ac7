//! A table of features with one target column, as the trainer wants it.

mod lines;
mod preflight;
mod read;

use std::collections::HashSet;
use std::io::Read;

use flate2::read::GzDecoder;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use sha2::{Digest, Sha256};

pub use preflight::{ColumnReport, Preflight};
use read::Target;
pub use read::{DataError, MAX_BYTES, MAX_ROWS};

/// The service's twelve features, in the order every model here expects them.
pub const FEATURES: [&str; 12] = [
    "fixed_acidity",
    "volatile_acidity",
    "citric_acid",
    "residual_sugar",
    "chlorides",
    "free_sulfur_dioxide",
    "total_sulfur_dioxide",
    "density",
    "pH",
    "sulphates",
    "alcohol",
    "wine_type_encoded",
];

/// The column that says which wine it is (red 0, white 1).
pub const WINE_TYPE: &str = "wine_type_encoded";

/// What records call the embedded data set ([`Dataset::wine_quality`]).
pub const EMBEDDED: &str = "UCI Wine Quality (embedded)";

/// The column that is learned.
pub const TARGET: &str = "quality";

const RED: &[u8] = include_bytes!("../../assets/data/winequality-red.csv.gz");
const WHITE: &[u8] = include_bytes!("../../assets/data/winequality-white.csv.gz");

/// Rows of finite features (rows × features) with their target.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// One row per wine, one column per name.
    pub features: Array2<f32>,
    /// The quality of each row.
    pub target: Array1<f32>,
    /// Feature names, in column order.
    pub names: Vec<String>,
    /// What the reader wants the user to know (ignored columns, assumed types).
    pub notes: Vec<String>,
}

impl Dataset {
    /// UCI Wine Quality, red then white, 6497 rows in file order (CC BY 4.0; see `assets/data/README.md`).
    pub fn wine_quality() -> Result<Self, DataError> {
        let red = read::csv(
            GzDecoder::new(RED),
            "winequality-red.csv",
            Some(0.0),
            Target::Needed,
        )?;
        let white = read::csv(
            GzDecoder::new(WHITE),
            "winequality-white.csv",
            Some(1.0),
            Target::Needed,
        )?;
        red.concat(&white)
    }

    /// Reads a CSV with the schema's columns (`;`, `,` or tab; spaces, underscores and case in names do not matter;
    /// the wine type as text or code). `name` is what errors call the file. At most [`MAX_ROWS`] rows are held.
    pub fn from_csv(bytes: impl Read, name: &str) -> Result<Self, DataError> {
        read::csv(bytes, name, None, Target::Needed)
    }

    /// Reads requests the same way; the target is NaN where the file has none, so they cannot be trained on.
    pub fn requests_from_csv(bytes: impl Read, name: &str) -> Result<Self, DataError> {
        read::csv(bytes, name, None, Target::Optional)
    }

    /// Rows of requests, each a value per name; the target is NaN, so they cannot be trained on.
    pub fn of_requests(names: Vec<String>, rows: &[Vec<f32>]) -> Result<Self, DataError> {
        let shape = |error: ndarray::ShapeError| DataError::Shape(error.to_string());
        let cells: Vec<f32> = rows.iter().flatten().copied().collect();
        Ok(Self {
            features: Array2::from_shape_vec((rows.len(), names.len()), cells).map_err(shape)?,
            target: Array1::from_elem(rows.len(), f32::NAN),
            names,
            notes: Vec::new(),
        })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.target.len()
    }

    /// True when there is no row.
    pub fn is_empty(&self) -> bool {
        self.target.is_empty()
    }

    /// The rows named by `rows`, in that order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            features: self.features.select(Axis(0), rows),
            target: self.target.select(Axis(0), rows),
            names: self.names.clone(),
            notes: Vec::new(),
        }
    }

    /// The rows to work on: exact duplicates dropped when `dedup` says so, the first of each kept in its place
    /// (pandas' `drop_duplicates`). A duplicate equals another row in every feature and the target.
    #[must_use]
    pub fn canonical(&self, dedup: bool) -> Self {
        if !dedup {
            return self.clone();
        }
        let mut seen = HashSet::new();
        let first: Vec<usize> = (0..self.len())
            .filter(|row| seen.insert(self.bits(*row)))
            .collect();
        Self {
            notes: self.notes.clone(),
            ..self.select(&first)
        }
    }

    /// The rows that are not among the others.
    #[must_use]
    pub fn without(&self, others: &Self) -> Self {
        let others: HashSet<_> = (0..others.len()).map(|row| others.bits(row)).collect();
        let rest: Vec<usize> = (0..self.len())
            .filter(|row| !others.contains(&self.bits(*row)))
            .collect();
        Self {
            notes: self.notes.clone(),
            ..self.select(&rest)
        }
    }

    /// SHA-256 of the canonical rows (distinct, sorted, each value its shortest decimal, features then target):
    /// the same for any file order, quoting or number style.
    pub fn sha256(&self) -> String {
        let distinct = self.canonical(true);
        let mut order: Vec<usize> = (0..distinct.len()).collect();
        order.sort_by(|&a, &b| distinct.compare(a, b));
        let canonical = distinct.select(&order);
        let mut hash = Sha256::new();
        hash.update(canonical.names.join(","));
        for (row, target) in canonical.rows().zip(&canonical.target) {
            hash.update(b"\n");
            hash.update(row_text(row, *target));
        }
        format!("{:x}", hash.finalize())
    }

    /// How many rows equal an earlier one.
    pub fn duplicates(&self) -> usize {
        let distinct: HashSet<Vec<u32>> = (0..self.len()).map(|row| self.bits(row)).collect();
        self.len() - distinct.len()
    }

    /// The feature rows.
    pub fn rows(&self) -> impl Iterator<Item = ArrayView1<'_, f32>> {
        self.features.rows().into_iter()
    }

    /// All features as a view.
    pub fn view(&self) -> ArrayView2<'_, f32> {
        self.features.view()
    }

    /// The data set as linfa has it.
    pub fn to_linfa(&self) -> linfa::Dataset<f32, f32, ndarray::Ix1> {
        linfa::Dataset::new(self.features.clone(), self.target.clone())
            .with_feature_names(self.names.clone())
    }

    /// Rows as CSV text with a header, for people and for other tools.
    pub fn to_csv(&self) -> String {
        let mut text = format!("{},{TARGET}\n", self.names.join(","));
        for (row, target) in self.rows().zip(&self.target) {
            text.push_str(&row_text(row, *target));
            text.push('\n');
        }
        text
    }

    fn concat(&self, other: &Self) -> Result<Self, DataError> {
        let shape = |error: ndarray::ShapeError| DataError::Shape(error.to_string());
        Ok(Self {
            features: ndarray::concatenate(Axis(0), &[self.features.view(), other.features.view()])
                .map_err(shape)?,
            target: ndarray::concatenate(Axis(0), &[self.target.view(), other.target.view()])
                .map_err(shape)?,
            names: self.names.clone(),
            notes: [self.notes.as_slice(), other.notes.as_slice()].concat(),
        })
    }

    fn compare(&self, a: usize, b: usize) -> std::cmp::Ordering {
        let (left, right) = (self.features.row(a), self.features.row(b));
        left.iter()
            .zip(right)
            .map(|(x, y)| x.total_cmp(y))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| self.target[a].total_cmp(&self.target[b]))
    }

    fn bits(&self, row: usize) -> Vec<u32> {
        let target = std::iter::once(self.target[row].to_bits());
        self.features
            .row(row)
            .iter()
            .map(|value| value.to_bits())
            .chain(target)
            .collect()
    }
}

fn row_text(row: ArrayView1<'_, f32>, target: f32) -> String {
    let mut text = String::new();
    for value in row {
        text.push_str(&value.to_string());
        text.push(',');
    }
    text.push_str(&target.to_string());
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_embedded_data_is_the_published_one() {
        let wine = Dataset::wine_quality().unwrap();
        assert_eq!((wine.len(), wine.features.ncols()), (6497, 12));
        assert_eq!(wine.duplicates(), 1177);
        assert_eq!(wine.canonical(true).len(), 5320);
        assert_eq!(wine.canonical(false).len(), 6497);
        let first: Vec<f32> = wine.features.row(0).to_vec();
        assert_eq!(
            first,
            [
                7.4, 0.7, 0.0, 1.9, 0.076, 11.0, 34.0, 0.9978, 3.51, 0.56, 9.4, 0.0
            ]
        );
    }

    #[test]
    fn the_hash_ignores_file_order_and_repeats() {
        let wine = Dataset::wine_quality().unwrap();
        let backwards: Vec<usize> = (0..wine.len()).rev().chain(0..50).collect();
        assert_eq!(wine.sha256(), wine.select(&backwards).sha256());
        let mut other = wine.clone();
        other.target[0] += 1.0;
        assert_ne!(wine.sha256(), other.sha256());
    }

    #[test]
    fn csv_text_reads_back_equal() {
        let wine = Dataset::wine_quality().unwrap().canonical(true);
        let again = Dataset::from_csv(wine.to_csv().as_bytes(), "again.csv").unwrap();
        assert_eq!(again.features, wine.features);
        assert_eq!(again.target, wine.target);
    }
}
