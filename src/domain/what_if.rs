//! What if: the score as one feature changes and the others stay (an ICE curve of one sample), how that compares with
//! the rows of the data (partial dependence), and how far each feature alone can move the score (a tornado).

use super::features::Features;
use super::schema::{Feature, Schema};

/// Values of a sweep.
pub const POINTS: usize = 21;

/// A model: a row in the schema's order to a score.
pub type Model<'a> = &'a dyn Fn(&[f32]) -> f32;

/// One feature swept, the others fixed.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// Position of the feature.
    pub field: usize,
    /// Value and score.
    pub points: Vec<(f64, f64)>,
    /// The sample's own value and score.
    pub here: (f64, f64),
}

/// How far one feature alone can move the score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reach {
    /// Position of the feature.
    pub field: usize,
    /// Lowest and highest score over its sweep.
    pub low: f64,
    /// See `low`.
    pub high: f64,
}

/// The score of these inputs.
pub fn score(model: Model, features: &Features) -> f64 {
    let row: Vec<f32> = features.row().iter().map(|&value| value as f32).collect();
    f64::from(model(&row))
}

/// The values that a sweep goes through: `points` from p1 to p99, or all choices.
pub fn values(feature: &Feature, points: usize) -> Vec<f64> {
    match feature.range() {
        Some(range) => range.sweep(points),
        None => (feature.choices().iter())
            .map(|choice| choice.value)
            .collect(),
    }
}

/// Sweeps one feature over [`values`].
pub fn sweep(model: Model, schema: &Schema, features: &Features, field: usize) -> Sweep {
    let values = values(&schema.features[field], POINTS);
    sweep_over(model, features, field, &values)
}

/// Sweeps one feature over these values.
pub fn sweep_over(model: Model, features: &Features, field: usize, values: &[f64]) -> Sweep {
    let points = (values.iter())
        .map(|&value| (value, score(model, &features.with(field, value))))
        .collect();
    Sweep {
        field,
        points,
        here: (features.row()[field], score(model, features)),
    }
}

/// Every feature's reach, the widest first.
pub fn tornado(model: Model, schema: &Schema, features: &Features) -> Vec<Reach> {
    let mut reaches: Vec<Reach> = (0..schema.features.len())
        .map(|field| {
            let (low, high) = sweep(model, schema, features, field).bounds();
            Reach { field, low, high }
        })
        .collect();
    reaches.sort_by(|a, b| (b.high - b.low).total_cmp(&(a.high - a.low)));
    reaches
}

/// Partial dependence: the mean score of these rows, were their feature at `field` each of the values. Rows are in the
/// schema's order; no rows give no points.
pub fn dependence(
    model: Model,
    rows: &[Vec<f32>],
    field: usize,
    values: &[f64],
) -> Vec<(f64, f64)> {
    if rows.is_empty() {
        return Vec::new();
    }
    let mut rows = rows.to_vec();
    let mean = |value: f64, rows: &mut [Vec<f32>]| {
        let scores = rows.iter_mut().map(|row| {
            row[field] = value as f32;
            f64::from(model(row))
        });
        scores.sum::<f64>() / rows.len() as f64
    };
    (values.iter())
        .map(|&value| (value, mean(value, &mut rows)))
        .collect()
}

impl Sweep {
    /// The lowest and the highest score, the sample's own among them.
    pub fn bounds(&self) -> (f64, f64) {
        let scores = (self.points.iter().map(|(_, score)| *score)).chain([self.here.1]);
        scores.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), score| {
            (low.min(score), high.max(score))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Depends on alcohol twice as much as on pH, and on nothing else.
    fn model(row: &[f32]) -> f32 {
        0.2 * row[10] + 0.1 * row[8]
    }

    #[test]
    fn a_sweep_changes_one_feature_and_a_tornado_is_sorted_by_reach() {
        let schema = Schema::wine_quality();
        let features = Features::from_values(schema, &schema.presets[0].values).unwrap();
        let swept = sweep(&model, schema, &features, 10);
        assert_eq!(swept.points.len(), POINTS);
        assert!((swept.points[0].0 - 8.7).abs() < 1e-9);
        assert!((swept.points[20].1 - (0.2 * 13.4 + 0.351)).abs() < 1e-5);
        assert!((swept.here.0 - 9.4).abs() < 1e-9);
        let reaches = tornado(&model, schema, &features);
        assert_eq!((reaches[0].field, reaches[1].field), (10, 8));
        assert!((reaches[0].high - reaches[0].low - 0.2 * 4.7).abs() < 1e-5);
        assert!(reaches[2].high - reaches[2].low < 1e-9);
        assert_eq!(sweep(&model, schema, &features, 11).points.len(), 2);
    }

    #[test]
    fn partial_dependence_is_the_mean_of_the_rows_curves() {
        let mut low = vec![0.0; 12];
        low[8] = 3.0;
        let mut high = low.clone();
        high[8] = 5.0;
        let points = dependence(&model, &[low, high], 10, &[10.0, 20.0]);
        assert!((points[0].1 - (2.0 + 0.4)).abs() < 1e-6, "{points:?}");
        assert!((points[1].1 - (4.0 + 0.4)).abs() < 1e-6, "{points:?}");
        assert!(dependence(&model, &[], 10, &[10.0]).is_empty());
    }
}
