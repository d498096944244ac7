//! What a model takes and answers, as data: features with units and ranges, rules between them, score bands, presets.

mod read;

use std::sync::LazyLock;

pub use read::SchemaError;

/// The shipped profile, `assets/models/wine-quality.toml`.
const WINE_QUALITY: &str = include_str!("../../assets/models/wine-quality.toml");

/// A model's inputs in order, the scale of its answer, and samples to start from.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// Short name, as in a file name: `wine-quality`.
    pub name: String,
    /// Name for people: "Wine quality".
    pub title: String,
    /// The scale of the answer.
    pub score: Scale,
    /// Bands from the lowest up; the last has no upper end. Never empty.
    pub bands: Vec<Band>,
    /// The inputs, in the order in which the model wants them. Never empty.
    pub features: Vec<Feature>,
    /// Rules between two features.
    pub rules: Vec<Rule>,
    /// Samples; the first is what a form opens with. Never empty.
    pub presets: Vec<Preset>,
}

/// The range of a score, and what it measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// What the score measures: "quality".
    pub label: String,
    /// Lowest score the model may answer.
    pub min: f64,
    /// Highest score the model may answer.
    pub max: f64,
    /// Where the answer carries the score; any of them will do. Never empty.
    pub fields: Vec<String>,
    /// Where the answer carries the band's word.
    pub band_field: String,
}

/// A named part of the scale: scores below `below` and not in an earlier band.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// The word the service uses: "Average".
    pub name: String,
    /// Exclusive upper end; infinite for the last band.
    pub below: f64,
}

/// One input of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// The key in the request: `fixed_acidity`.
    pub name: String,
    /// Other names for it in files that people have: `type`.
    pub aliases: Vec<String>,
    /// For people: "Fixed acidity".
    pub label: String,
    /// Unit, perhaps empty: "g/dm³".
    pub unit: String,
    /// The value the service assumes when the key is missing; `None` when the key is required.
    pub default: Option<f64>,
    /// Which values it takes.
    pub domain: Domain,
}

/// The values that a feature takes.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// A measured number.
    Number(Range),
    /// One of a few numbers that stand for words.
    Choice(Vec<Choice>),
}

/// Where a measured number lies in the training data, and how finely it is moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Lowest value in the training data.
    pub min: f64,
    /// First percentile: sliders start here.
    pub p1: f64,
    /// Median.
    pub p50: f64,
    /// 99th percentile: sliders end here.
    pub p99: f64,
    /// Highest value in the training data.
    pub max: f64,
    /// One press of an arrow key.
    pub step: f64,
}

/// A number and the word it stands for: `1` is "white".
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// What is sent.
    pub value: f64,
    /// What is shown.
    pub label: String,
}

/// `smaller <= larger`, by position in [`Schema::features`].
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Position of the feature that must not exceed the other.
    pub smaller: usize,
    /// Position of the other.
    pub larger: usize,
    /// Why, for people.
    pub message: String,
}

/// A sample to start from: one value per feature, in the schema's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Short name for a command line: `median-red`.
    pub name: String,
    /// For people: "Median red".
    pub label: String,
    /// One value per feature.
    pub values: Vec<f64>,
}

impl Schema {
    /// The wine-quality model, the profile vintner ships.
    pub fn wine_quality() -> &'static Self {
        static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
            match Schema::parse(WINE_QUALITY, "assets/models/wine-quality.toml") {
                Ok(schema) => schema,
                Err(error) => unreachable!("the shipped profile is tested: {error}"),
            }
        });
        &SCHEMA
    }

    /// Position of the feature with this name or alias, whatever case and separators the caller used.
    pub fn position(&self, name: &str) -> Option<usize> {
        let folded = fold(name);
        let called = |other: &String| fold(other) == folded;
        (self.features.iter())
            .position(|feature| feature.name == name)
            .or_else(|| {
                (self.features.iter())
                    .position(|feature| called(&feature.name) || feature.aliases.iter().any(called))
            })
    }

    /// The band a score falls into.
    pub fn band(&self, score: f64) -> &Band {
        &self.bands[self.band_at(score)]
    }

    /// Position of the band a score falls into.
    pub fn band_at(&self, score: f64) -> usize {
        let found = self.bands.iter().position(|band| score < band.below);
        found.unwrap_or(self.bands.len() - 1)
    }

    /// The preset with this name.
    pub fn preset(&self, name: &str) -> Option<&Preset> {
        self.presets.iter().find(|preset| preset.name == name)
    }

    /// The names of the features, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.features.iter().map(|feature| feature.name.as_str())
    }
}

impl Feature {
    /// Where the training data lies; `None` for a choice.
    pub fn range(&self) -> Option<&Range> {
        match &self.domain {
            Domain::Number(range) => Some(range),
            Domain::Choice(_) => None,
        }
    }

    /// The choices; empty for a measured number.
    pub fn choices(&self) -> &[Choice] {
        match &self.domain {
            Domain::Number(_) => &[],
            Domain::Choice(choices) => choices,
        }
    }

    /// The value moved by so many steps: along the grid of steps for a number (never past min..max from inside
    /// it), to the neighbouring choice for a choice.
    pub fn stepped(&self, value: f64, steps: i32) -> f64 {
        match &self.domain {
            Domain::Number(range) => range.stepped(value, steps),
            Domain::Choice(choices) => {
                let here = choices
                    .iter()
                    .position(|choice| same(choice.value, value))
                    .unwrap_or(0);
                let there = (here as i64 + i64::from(steps)).rem_euclid(choices.len() as i64);
                choices[there as usize].value
            }
        }
    }

    /// The value as people read it: the choice's word, or the number as it would be sent.
    pub fn display(&self, value: f64) -> String {
        self.choices()
            .iter()
            .find(|choice| same(choice.value, value))
            .map_or_else(|| value.to_string(), |choice| choice.label.clone())
    }
}

impl Range {
    /// Decimals that a step needs: 0.0001 needs 4.
    pub fn decimals(&self) -> usize {
        self.step
            .to_string()
            .split_once('.')
            .map_or(0, |(_, fraction)| fraction.len())
    }

    /// Where a value lies on the slider: 0 at p1, 1 at p99, clamped.
    pub fn position(&self, value: f64) -> f64 {
        if self.p99 > self.p1 {
            ((value - self.p1) / (self.p99 - self.p1)).clamp(0.0, 1.0)
        } else {
            0.5
        }
    }

    /// `n` values evenly from p1 to p99, for a sweep.
    pub fn sweep(&self, n: usize) -> Vec<f64> {
        let last = n.saturating_sub(1).max(1) as f64;
        (0..n)
            .map(|i| self.p1 + (self.p99 - self.p1) * i as f64 / last)
            .collect()
    }

    fn stepped(&self, value: f64, steps: i32) -> f64 {
        let moved = value + self.step * f64::from(steps);
        let scale = 10_f64.powi(self.decimals() as i32);
        // A value typed finer than the step keeps its digits (0.99489 + 0.0001); float noise goes.
        let finer = scale * 1000.0;
        let tidy = (moved * finer).round() / finer;
        let (low, high) = (self.min.min(value), self.max.max(value));
        tidy.clamp(low, high)
    }
}

/// Names that differ only in case, spaces, dashes or underscores are the same column.
pub(super) fn fold(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Equal as a choice: `1` and `1.0` are.
pub(super) fn same(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_shipped_profile_reads() {
        let schema = Schema::wine_quality();
        assert_eq!(schema.features.len(), 12);
        assert_eq!(schema.names().last(), Some("wine_type_encoded"));
        assert_eq!(schema.features[11].default, Some(0.0));
        assert_eq!(schema.features[0].default, None);
        assert_eq!(schema.presets[0].name, "demo");
        assert_eq!(schema.rules[0].smaller, 5);
        assert_eq!(schema.rules[0].larger, 6);
    }

    #[test]
    fn a_preset_may_start_from_another() {
        let low = Schema::wine_quality().preset("low").unwrap();
        let values = [
            10.0, 0.9, 0.0, 1.9, 0.076, 11.0, 34.0, 0.9978, 3.51, 0.56, 8.5, 0.0,
        ];
        assert_eq!(low.values, values);
    }

    #[test]
    fn bands_are_half_open() {
        let schema = Schema::wine_quality();
        let names = [0.0, 4.999, 5.0, 5.99, 6.0, 6.99, 7.0, 10.0]
            .map(|score| schema.band(score).name.as_str());
        assert_eq!(
            names,
            [
                "Poor",
                "Poor",
                "Average",
                "Average",
                "Good",
                "Good",
                "Excellent",
                "Excellent"
            ]
        );
    }

    #[test]
    fn a_feature_is_found_however_its_name_is_written() {
        let schema = Schema::wine_quality();
        for name in [
            "free_sulfur_dioxide",
            "free sulfur dioxide",
            "Free-Sulfur-Dioxide",
        ] {
            assert_eq!(schema.position(name), Some(5), "{name}");
        }
        assert_eq!(schema.position("ph"), Some(8));
        assert_eq!(schema.position("Type"), Some(11));
        assert_eq!(schema.position("pHx"), None);
    }

    #[test]
    fn steps_carry_no_float_noise_and_stop_at_the_ends() {
        let schema = Schema::wine_quality();
        let alcohol = &schema.features[10];
        let mut value = 9.4;
        for _ in 0..7 {
            value = alcohol.stepped(value, 1);
        }
        assert_eq!(value.to_string(), "10.1");
        assert_eq!(alcohol.stepped(14.8, 10).to_string(), "14.9");
        assert_eq!(
            alcohol.stepped(20.0, -1).to_string(),
            "19.9",
            "from outside, towards the range"
        );
        assert_eq!(
            alcohol.stepped(20.0, 1).to_string(),
            "20",
            "but not further away"
        );
        assert_eq!(
            schema.features[7].stepped(0.99489, 1).to_string(),
            "0.99499"
        );
        let kind = &schema.features[11];
        assert_eq!(
            [
                kind.stepped(0.0, 1),
                kind.stepped(1.0, 1),
                kind.stepped(0.0, -1)
            ],
            [1.0, 0.0, 1.0]
        );
    }

    #[test]
    fn a_sweep_runs_from_p1_to_p99() {
        let sweep = Schema::wine_quality().features[8]
            .range()
            .unwrap()
            .sweep(21);
        assert_eq!(sweep.len(), 21);
        assert!((sweep[0] - 2.89).abs() < 1e-12 && (sweep[20] - 3.64).abs() < 1e-12);
    }
}
