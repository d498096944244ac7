//! A schema from TOML: the file as written, the checks that make it a [`Schema`], errors that name file, line and key.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::Deserialize;
use toml::Spanned;

use super::{Band, Choice, Domain, Feature, Preset, Range, Rule, Scale, Schema, same};

/// A model file that cannot be used, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {key}{message}")]
pub struct SchemaError {
    /// The file, as the user named it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// The key followed by `": "`, or empty where the message names it.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Schema {
    /// The schema in this TOML text; `file` is the name that errors carry.
    pub fn parse(text: &str, file: &str) -> Result<Self, SchemaError> {
        let source = Source { text, file };
        let raw: RawSchema = toml::from_str(text).map_err(|error| {
            source.error(
                error.span().map_or(0, |span| span.start),
                "",
                error.message().trim_end(),
            )
        })?;
        source.schema(raw)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSchema {
    name: String,
    title: String,
    score: RawScale,
    bands: Spanned<Vec<Spanned<RawBand>>>,
    features: Spanned<Vec<Spanned<RawFeature>>>,
    #[serde(default)]
    rules: Vec<RawRule>,
    presets: Spanned<Vec<Spanned<RawPreset>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScale {
    label: String,
    min: f64,
    max: Spanned<f64>,
    fields: Spanned<Vec<String>>,
    band_field: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBand {
    name: String,
    below: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFeature {
    name: Spanned<String>,
    #[serde(default)]
    aliases: Vec<String>,
    label: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    optional: bool,
    default: Option<Spanned<f64>>,
    min: Option<Spanned<f64>>,
    p1: Option<Spanned<f64>>,
    p50: Option<Spanned<f64>>,
    p99: Option<Spanned<f64>>,
    max: Option<Spanned<f64>>,
    step: Option<Spanned<f64>>,
    choices: Option<Spanned<Vec<RawChoice>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawChoice {
    value: f64,
    label: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    at_most: Spanned<[String; 2]>,
    message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPreset {
    name: String,
    label: String,
    from: Option<Spanned<String>>,
    values: BTreeMap<Spanned<String>, Spanned<f64>>,
}

/// The text being read, for errors.
struct Source<'a> {
    text: &'a str,
    file: &'a str,
}

impl Source<'_> {
    fn error(&self, at: usize, key: &str, message: impl Display) -> SchemaError {
        let line = self
            .text
            .bytes()
            .take(at)
            .filter(|&byte| byte == b'\n')
            .count()
            + 1;
        let key = if key.is_empty() {
            String::new()
        } else {
            format!("{key}: ")
        };
        SchemaError {
            file: self.file.to_owned(),
            line,
            key,
            message: message.to_string(),
        }
    }

    fn schema(&self, raw: RawSchema) -> Result<Schema, SchemaError> {
        let score = self.scale(raw.score)?;
        let bands = self.bands(raw.bands)?;
        let features = self.features(raw.features)?;
        let rules = self.rules(raw.rules, &features)?;
        let presets = self.presets(raw.presets, &features)?;
        Ok(Schema {
            name: raw.name,
            title: raw.title,
            score,
            bands,
            features,
            rules,
            presets,
        })
    }

    fn scale(&self, raw: RawScale) -> Result<Scale, SchemaError> {
        if raw.min >= *raw.max.get_ref() {
            return Err(self.error(raw.max.span().start, "score.max", "must be above score.min"));
        }
        if raw.fields.get_ref().is_empty() {
            return Err(self.error(
                raw.fields.span().start,
                "score.fields",
                "name at least one field of the answer",
            ));
        }
        let (max, fields) = (raw.max.into_inner(), raw.fields.into_inner());
        Ok(Scale {
            label: raw.label,
            min: raw.min,
            max,
            fields,
            band_field: raw.band_field,
        })
    }

    fn bands(&self, raw: Spanned<Vec<Spanned<RawBand>>>) -> Result<Vec<Band>, SchemaError> {
        let start = raw.span().start;
        let mut bands: Vec<Band> = Vec::new();
        for band in raw.into_inner() {
            let here = band.span().start;
            let band = band.into_inner();
            let below = band
                .below
                .as_ref()
                .map_or(f64::INFINITY, |below| *below.get_ref());
            if bands.last().is_some_and(|before| before.below >= below) {
                let at = band.below.map_or(here, |below| below.span().start);
                return Err(self.error(
                    at,
                    "bands.below",
                    "bands go from the lowest up, each ending above the one before",
                ));
            }
            bands.push(Band {
                name: band.name,
                below,
            });
        }
        match bands.last() {
            Some(last) if last.below.is_infinite() => Ok(bands),
            _ => Err(self.error(start, "bands", "the last band must have no `below`")),
        }
    }

    fn features(
        &self,
        raw: Spanned<Vec<Spanned<RawFeature>>>,
    ) -> Result<Vec<Feature>, SchemaError> {
        let start = raw.span().start;
        let mut features: Vec<Feature> = Vec::new();
        for feature in raw.into_inner() {
            let at = feature.get_ref().name.span().start;
            let feature = self.feature(feature)?;
            if features.iter().any(|before| before.name == feature.name) {
                return Err(self.error(
                    at,
                    "features.name",
                    format!("`{}` is there twice", feature.name),
                ));
            }
            features.push(feature);
        }
        if features.is_empty() {
            return Err(self.error(start, "features", "a model needs at least one feature"));
        }
        Ok(features)
    }

    fn feature(&self, raw: Spanned<RawFeature>) -> Result<Feature, SchemaError> {
        let start = raw.get_ref().name.span().start;
        let raw = raw.into_inner();
        let default = match (raw.optional, &raw.default) {
            (true, Some(default)) => Some(*default.get_ref()),
            (false, None) => None,
            (true, None) => {
                return Err(self.error(
                    start,
                    "features.default",
                    "an optional feature says what its absence means",
                ));
            }
            (false, Some(default)) => {
                let at = default.span().start;
                return Err(self.error(
                    at,
                    "features.default",
                    "only a feature with `optional = true` has a default",
                ));
            }
        };
        let domain = self.domain(&raw, start)?;
        if let (Some(value), Domain::Choice(choices)) = (&raw.default, &domain)
            && !choices
                .iter()
                .any(|choice| same(choice.value, *value.get_ref()))
        {
            return Err(self.error(
                value.span().start,
                "features.default",
                "is not one of the choices",
            ));
        }
        Ok(Feature {
            name: raw.name.into_inner(),
            aliases: raw.aliases,
            label: raw.label,
            unit: raw.unit,
            default,
            domain,
        })
    }

    fn domain(&self, raw: &RawFeature, start: usize) -> Result<Domain, SchemaError> {
        let numbers = [
            ("min", &raw.min),
            ("p1", &raw.p1),
            ("p50", &raw.p50),
            ("p99", &raw.p99),
            ("max", &raw.max),
            ("step", &raw.step),
        ];
        if let Some(choices) = &raw.choices {
            if let Some((key, Some(value))) = numbers.iter().find(|(_, value)| value.is_some()) {
                let message = "a feature has either choices or a range, not both";
                return Err(self.error(value.span().start, &format!("features.{key}"), message));
            }
            let at = choices.span().start;
            let choices: Vec<Choice> = (choices.get_ref().iter())
                .map(|choice| Choice {
                    value: choice.value,
                    label: choice.label.clone(),
                })
                .collect();
            if choices.len() < 2 {
                return Err(self.error(
                    at,
                    "features.choices",
                    "a choice needs at least two values",
                ));
            }
            return Ok(Domain::Choice(choices));
        }
        let mut found = [0.0; 6];
        for (slot, (key, value)) in found.iter_mut().zip(numbers) {
            let Some(value) = value else {
                let message = format!("is missing for `{}`", raw.name.get_ref());
                return Err(self.error(start, &format!("features.{key}"), message));
            };
            *slot = *value.get_ref();
            if !slot.is_finite() {
                return Err(self.error(
                    value.span().start,
                    &format!("features.{key}"),
                    "must be a finite number",
                ));
            }
        }
        self.check_order(&found, &numbers)?;
        let [min, p1, p50, p99, max, step] = found;
        Ok(Domain::Number(Range {
            min,
            p1,
            p50,
            p99,
            max,
            step,
        }))
    }

    fn check_order(
        &self,
        found: &[f64; 6],
        keys: &[(&str, &Option<Spanned<f64>>); 6],
    ) -> Result<(), SchemaError> {
        let at = |i: usize| keys[i].1.as_ref().map_or(0, |value| value.span().start);
        for i in 1..5 {
            if found[i] < found[i - 1] {
                let message = format!("must not be below {} ({})", keys[i - 1].0, found[i - 1]);
                return Err(self.error(at(i), &format!("features.{}", keys[i].0), message));
            }
        }
        if found[5] <= 0.0 {
            return Err(self.error(at(5), "features.step", "must be above 0"));
        }
        Ok(())
    }

    fn rules(&self, raw: Vec<RawRule>, features: &[Feature]) -> Result<Vec<Rule>, SchemaError> {
        raw.into_iter()
            .map(|rule| {
                let at = rule.at_most.span().start;
                let [smaller, larger] = rule.at_most.into_inner();
                let find = |name: &str| self.find(features, name, at, "rules.at_most");
                Ok(Rule {
                    smaller: find(&smaller)?,
                    larger: find(&larger)?,
                    message: rule.message,
                })
            })
            .collect()
    }

    fn presets(
        &self,
        raw: Spanned<Vec<Spanned<RawPreset>>>,
        features: &[Feature],
    ) -> Result<Vec<Preset>, SchemaError> {
        let start = raw.span().start;
        let mut presets: Vec<Preset> = Vec::new();
        for preset in raw.into_inner() {
            let at = preset.span().start;
            let preset = preset.into_inner();
            let mut values: Vec<Option<f64>> =
                features.iter().map(|feature| feature.default).collect();
            if let Some(from) = &preset.from {
                let Some(base) = presets.iter().find(|before| before.name == *from.get_ref())
                else {
                    let message = format!("there is no earlier preset `{}`", from.get_ref());
                    return Err(self.error(from.span().start, "presets.from", message));
                };
                values = base.values.iter().copied().map(Some).collect();
            }
            for (name, value) in preset.values {
                let position = self.find(
                    features,
                    name.get_ref(),
                    name.span().start,
                    "presets.values",
                )?;
                values[position] = Some(value.into_inner());
            }
            if let Some(missing) = values.iter().position(Option::is_none) {
                let message = format!(
                    "`{}` has no value for `{}`",
                    preset.name, features[missing].name
                );
                return Err(self.error(at, "presets.values", message));
            }
            let values = values.into_iter().flatten().collect();
            presets.push(Preset {
                name: preset.name,
                label: preset.label,
                values,
            });
        }
        if presets.is_empty() {
            return Err(self.error(
                start,
                "presets",
                "the form opens with the first preset: give at least one",
            ));
        }
        Ok(presets)
    }

    fn find(
        &self,
        features: &[Feature],
        name: &str,
        at: usize,
        key: &str,
    ) -> Result<usize, SchemaError> {
        (features.iter().position(|feature| feature.name == name)).ok_or_else(|| {
            let known: Vec<&str> = features
                .iter()
                .map(|feature| feature.name.as_str())
                .collect();
            self.error(
                at,
                key,
                format!(
                    "there is no feature `{name}`; the features are {}",
                    known.join(", ")
                ),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::WINE_QUALITY;
    use super::*;

    /// The error for the shipped profile with one piece of text replaced, and the line of that piece.
    fn broken(find: &str, replace: &str) -> (String, usize) {
        let at = WINE_QUALITY
            .find(find)
            .expect("the piece is in the profile");
        let line = WINE_QUALITY[..at].lines().count().max(1);
        let text = WINE_QUALITY.replacen(find, replace, 1);
        (
            Schema::parse(&text, "m.toml").unwrap_err().to_string(),
            line,
        )
    }

    #[test]
    fn errors_name_file_line_and_key() {
        let cases = [
            (
                "p99 = 12.0",
                "p99 = 1.0",
                "features.p99: must not be below p50 (7)",
            ),
            ("step = 0.1", "step = 0", "features.step: must be above 0"),
            (
                "max = 15.9",
                "max = \"15.9\"",
                "invalid type: string \"15.9\", expected f64",
            ),
            ("max = 15.9", "maxi = 15.9", "unknown field `maxi`"),
            (
                "from = \"demo\"",
                "from = \"dmo\"",
                "presets.from: there is no earlier preset `dmo`",
            ),
            (
                "max = 10.0",
                "max = 0.0",
                "score.max: must be above score.min",
            ),
            (
                "below = 6.0",
                "below = 4.0",
                "bands.below: bands go from the lowest up",
            ),
            (
                "default = 0.0",
                "default = 7.0",
                "features.default: is not one of the choices",
            ),
            (
                "at_most = [\"free_",
                "at_most = [\"fre_",
                "rules.at_most: there is no feature `fre_sulfur_dioxide`",
            ),
        ];
        for (find, replace, expected) in cases {
            let (message, line) = broken(find, replace);
            assert!(message.contains(expected), "{message}");
            let place = format!("m.toml:{line}:");
            let next = format!("m.toml:{}:", line + 1);
            assert!(
                message.starts_with(&place) || message.starts_with(&next),
                "{message} (line {line})"
            );
        }
    }

    #[test]
    fn not_toml_is_an_error_with_a_line() {
        let error = Schema::parse("name = \"x\"\ntitle = = 3\n", "m.toml").unwrap_err();
        assert_eq!(error.line, 2);
    }

    #[test]
    fn a_feature_without_a_range_is_named() {
        let (message, _) = broken("p50 = 7.0\n", "");
        assert!(
            message.contains("features.p50: is missing for `fixed_acidity`"),
            "{message}"
        );
    }
}
