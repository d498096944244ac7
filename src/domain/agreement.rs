//! How predictions agree with what is known to be true: errors, and a confusion of the bands.

use serde::Serialize;

use super::schema::Schema;

/// Predictions held against truths, on the schema's scale.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// Pairs.
    pub n: usize,
    /// Mean absolute error.
    pub mae: f64,
    /// Root mean squared error.
    pub rmse: f64,
    /// 1 minus the squared error's share of the truths' variance; meaningless where they do not vary.
    pub r2: Option<f64>,
    /// Names of the bands, ascending.
    pub bands: Vec<String>,
    /// Pairs by band: `confusion[truth][prediction]`.
    pub confusion: Vec<Vec<usize>>,
}

impl Agreement {
    /// Of (prediction, truth) pairs; `None` without any.
    pub fn of(pairs: &[(f64, f64)], schema: &Schema) -> Option<Self> {
        if pairs.is_empty() {
            return None;
        }
        let n = pairs.len() as f64;
        let mean = pairs.iter().map(|(_, truth)| truth).sum::<f64>() / n;
        let sum = |of: &dyn Fn(f64, f64) -> f64| {
            pairs
                .iter()
                .map(|&(said, truth)| of(said, truth))
                .sum::<f64>()
        };
        let squared = sum(&|said, truth| (said - truth).powi(2));
        let spread = sum(&|_, truth| (truth - mean).powi(2));
        let mut confusion = vec![vec![0; schema.bands.len()]; schema.bands.len()];
        for &(said, truth) in pairs {
            confusion[schema.band_at(truth)][schema.band_at(said)] += 1;
        }
        Some(Self {
            n: pairs.len(),
            mae: sum(&|said, truth| (said - truth).abs()) / n,
            rmse: (squared / n).sqrt(),
            r2: (spread > 0.0).then(|| 1.0 - squared / spread),
            bands: schema.bands.iter().map(|band| band.name.clone()).collect(),
            confusion,
        })
    }

    /// Pairs whose bands agree.
    pub fn same_band(&self) -> usize {
        (self.confusion.iter().enumerate())
            .map(|(band, row)| row[band])
            .sum()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn errors_and_bands_are_counted() {
        let schema = Schema::wine_quality();
        let pairs = [(5.5, 5.0), (4.5, 5.0), (6.5, 7.0), (6.0, 6.0)];
        let agreement = Agreement::of(&pairs, schema).unwrap();
        // By hand: errors 0.5, -0.5, -0.5, 0; the truths vary by 2.75 around 5.75.
        assert!((agreement.mae - 0.375).abs() < 1e-12);
        assert!((agreement.rmse - 0.433_012_701_892).abs() < 1e-9);
        assert!((agreement.r2.unwrap() - 0.727_272_727_272).abs() < 1e-9);
        // Truths: two Average, one Good, one Excellent.
        assert_eq!(
            agreement.confusion,
            [[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0]]
        );
        assert_eq!((agreement.n, agreement.same_band()), (4, 2));
    }

    #[test]
    fn nothing_and_truths_that_do_not_vary() {
        let schema = Schema::wine_quality();
        assert_eq!(Agreement::of(&[], schema), None);
        assert_eq!(Agreement::of(&[(5.5, 5.0)], schema).unwrap().r2, None);
    }
}
