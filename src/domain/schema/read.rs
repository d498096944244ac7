//! A schema from TOML: the file as written, and errors that name file, line and key.

mod checks;

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::Deserialize;
use toml::Spanned;

use super::Schema;

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
