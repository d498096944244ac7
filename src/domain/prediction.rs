//! What an endpoint's answer means: a prediction that keeps its contract, a 200 that does not, or a classified error.

mod failure;

use serde_json::{Map, Value};

pub use failure::{Failure, Next, Origin};

use super::schema::Schema;
use super::text::one_line;

/// Scores under two names are the same score if they differ by less.
const AGREEMENT: f64 = 1e-6;
/// Fields of an answer that the service is known to send besides the score and the band.
const KNOWN_FIELDS: [&str; 2] = ["model_version", "message"];
/// Longest piece of remote text that is shown in a sentence.
const SHOWN: usize = 160;

/// An HTTP answer, as far as its meaning depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Status code.
    pub status: u16,
    /// Body, perhaps cut at the client's limit.
    pub body: &'a [u8],
    /// Whether the body was longer than the client reads.
    pub cut: bool,
    /// `Location`, for a redirect.
    pub location: Option<&'a str>,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A prediction that keeps the contract.
    Predicted(Prediction),
    /// Status 200, but the body breaks the contract: a failure, whatever the status says.
    Broken(Contract),
    /// Any other status.
    Failed(Failure),
}

/// A score and what came with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The score, on the schema's scale.
    pub score: f64,
    /// The band the score falls into.
    pub band: String,
    /// The model version, where the service says it.
    pub model_version: Option<String>,
    /// What was checked.
    pub contract: Contract,
}

/// The checks of a 200's body against the schema, in order, and what was noticed besides.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contract {
    /// Each check and, where it failed, why.
    pub checks: Vec<ContractCheck>,
    /// What is worth saying but breaks nothing: unknown fields.
    pub notes: Vec<String>,
}

/// One check of the contract.
#[derive(Debug, Clone, PartialEq)]
pub struct ContractCheck {
    /// What was checked, in a word: "JSON", "score", "range".
    pub name: &'static str,
    /// Why it failed; `None` if it held.
    pub fault: Option<String>,
}

impl Outcome {
    /// What this answer means under this schema.
    pub fn read(schema: &Schema, answer: &Answer) -> Self {
        if answer.status == 200 {
            read_ok(schema, answer)
        } else {
            Self::Failed(Failure::classify(answer))
        }
    }

    /// The score, if there is one to trust.
    pub fn score(&self) -> Option<f64> {
        match self {
            Self::Predicted(prediction) => Some(prediction.score),
            Self::Broken(_) | Self::Failed(_) => None,
        }
    }

    /// The model version, where the service said it.
    pub fn model_version(&self) -> Option<&str> {
        match self {
            Self::Predicted(prediction) => prediction.model_version.as_deref(),
            Self::Broken(_) | Self::Failed(_) => None,
        }
    }

    /// Why this is not a prediction, in one sentence; `None` if it is one.
    pub fn fault(&self) -> Option<String> {
        match self {
            Self::Predicted(_) => None,
            Self::Broken(contract) => Some(format!(
                "200 but not a prediction: {}",
                contract.faults().join("; ")
            )),
            Self::Failed(failure) => Some(failure.to_string()),
        }
    }

    /// What to do next about a failure.
    pub fn next(&self) -> Option<Next> {
        match self {
            Self::Predicted(_) => None,
            Self::Broken(_) => Some(Next::Doctor),
            Self::Failed(failure) => Some(failure.next),
        }
    }
}

impl Contract {
    /// Whether every check held.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.fault.is_none())
    }

    /// Why the checks that failed did.
    pub fn faults(&self) -> Vec<&str> {
        self.checks
            .iter()
            .filter_map(|check| check.fault.as_deref())
            .collect()
    }

    fn check(&mut self, name: &'static str, result: Result<(), String>) {
        self.checks.push(ContractCheck {
            name,
            fault: result.err(),
        });
    }
}

fn read_ok(schema: &Schema, answer: &Answer) -> Outcome {
    let mut contract = Contract::default();
    let body = match object(answer) {
        Ok(body) => body,
        Err(fault) => {
            contract.check("JSON", Err(fault));
            return Outcome::Broken(contract);
        }
    };
    contract.check("JSON", Ok(()));
    if let Some(fault) = error_object(&body) {
        contract.check("score", Err(fault));
        return Outcome::Broken(contract);
    }
    let score = match score(schema, &body) {
        Ok(score) => score,
        Err(fault) => {
            contract.check("score", Err(fault));
            return Outcome::Broken(contract);
        }
    };
    contract.check("score", Ok(()));
    contract.check("range", in_range(schema, score));
    let band = &schema.band(score).name;
    contract.check("band", band_word(schema, &body, band));
    note_unknown(schema, &body, &mut contract.notes);
    if !contract.holds() {
        return Outcome::Broken(contract);
    }
    let model_version = body
        .get("model_version")
        .and_then(Value::as_str)
        .map(printable);
    Outcome::Predicted(Prediction {
        score,
        band: band.clone(),
        model_version,
        contract,
    })
}

fn object(answer: &Answer) -> Result<Map<String, Value>, String> {
    if answer.cut {
        return Err(format!(
            "the body is larger than the {} bytes that are read",
            answer.body.len()
        ));
    }
    if answer.body.is_empty() {
        return Err("the body is empty".to_owned());
    }
    match serde_json::from_slice(answer.body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(other) => Err(format!("the body is {}, not a JSON object", kind(&other))),
        Err(_) if failure::is_page(answer.body) => {
            Err("the body is an HTML page, not JSON".to_owned())
        }
        Err(error) => {
            let shown = printable(&String::from_utf8_lossy(answer.body));
            let python = if has_python_float(answer.body) {
                ": Python wrote NaN or Infinity, which JSON has not"
            } else {
                ""
            };
            Err(format!(
                "the body is not JSON (column {}){python}: {shown}",
                error.column()
            ))
        }
    }
}

/// A Lambda error object or the handler's own error, sent with status 200.
fn error_object(body: &Map<String, Value>) -> Option<String> {
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(printable);
    if let (Some(message), Some(kind)) = (text("errorMessage"), text("errorType")) {
        return Some(format!(
            "the function's error object came back as a 200 (payload format 2.0): {kind}: {message}"
        ));
    }
    text("error").map(|error| format!("the handler answered an error with status 200: {error}"))
}

fn score(schema: &Schema, body: &Map<String, Value>) -> Result<f64, String> {
    let mut found: Option<(&str, f64)> = None;
    for name in &schema.score.fields {
        let Some(value) = body.get(name) else {
            continue;
        };
        let Some(value) = value.as_f64().filter(|value| value.is_finite()) else {
            return Err(format!("`{name}` is {}, not a number", kind(value)));
        };
        match found {
            Some((first, score)) if (score - value).abs() > AGREEMENT => {
                return Err(format!("`{first}` is {score} but `{name}` is {value}"));
            }
            Some(_) => {}
            None => found = Some((name, value)),
        }
    }
    found
        .map(|(_, score)| score)
        .ok_or_else(|| format!("there is no `{}`", schema.score.fields.join("` or `")))
}

fn in_range(schema: &Schema, score: f64) -> Result<(), String> {
    let scale = &schema.score;
    if (scale.min..=scale.max).contains(&score) {
        Ok(())
    } else {
        Err(format!(
            "the score {score} is outside {}..{}",
            scale.min, scale.max
        ))
    }
}

fn band_word(schema: &Schema, body: &Map<String, Value>, band: &str) -> Result<(), String> {
    let field = &schema.score.band_field;
    match body.get(field) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(word)) if word.eq_ignore_ascii_case(band) => Ok(()),
        Some(Value::String(word)) => Err(format!(
            "`{field}` says {}, the score is {band}",
            printable(word)
        )),
        Some(other) => Err(format!("`{field}` is {}, not a word", kind(other))),
    }
}

fn note_unknown(schema: &Schema, body: &Map<String, Value>, notes: &mut Vec<String>) {
    let known = |key: &str| {
        schema.score.fields.iter().any(|name| name == key)
            || schema.score.band_field == key
            || KNOWN_FIELDS.contains(&key)
    };
    let unknown: Vec<String> = body
        .keys()
        .filter(|key| !known(key))
        .map(|key| printable(key))
        .collect();
    if !unknown.is_empty() {
        notes.push(format!(
            "unknown field{}: {}",
            if unknown.len() > 1 { "s" } else { "" },
            unknown.join(", ")
        ));
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(text) => format!("the text \"{}\"", printable(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

fn has_python_float(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    text.contains("NaN") || text.contains("Infinity")
}

/// Remote text made safe for a sentence.
pub(super) fn printable(text: &str) -> String {
    one_line(text, SHOWN)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::testing::outcome as read;

    fn fault(body: &str) -> String {
        read(200, body).fault().expect("a failure")
    }

    #[test]
    fn the_services_own_answer_is_a_prediction() {
        let body = r#"{"prediction":5.175872006658752,"wine_quality_score":5.175872006658752,"quality_rating":"Average","model_version":"v1.0","message":"Prediction successful"}"#;
        let Outcome::Predicted(prediction) = read(200, body) else {
            panic!("not a prediction")
        };
        assert_eq!(prediction.score.to_string(), "5.175872006658752");
        assert_eq!(
            (
                prediction.band.as_str(),
                prediction.model_version.as_deref()
            ),
            ("Average", Some("v1.0"))
        );
        assert!(prediction.contract.holds() && prediction.contract.notes.is_empty());
        let names: Vec<&str> = prediction
            .contract
            .checks
            .iter()
            .map(|check| check.name)
            .collect();
        assert_eq!(names, ["JSON", "score", "range", "band"]);
    }

    #[test]
    fn optional_fields_may_be_missing_and_unknown_ones_are_noted() {
        assert_eq!(read(200, r#"{"wine_quality_score":6}"#).score(), Some(6.0));
        let Outcome::Predicted(prediction) =
            read(200, r#"{"prediction":6,"took":3,"by\u001b[2J":1}"#)
        else {
            panic!()
        };
        assert_eq!(prediction.contract.notes, ["unknown fields: took, by [2J"]);
    }

    #[test]
    fn a_200_that_is_not_a_prediction_is_a_failure() {
        let cases = [
            ("", "200 but not a prediction: the body is empty"),
            (
                "<!DOCTYPE html><html>",
                "the body is an HTML page, not JSON",
            ),
            ("[1]", "the body is a list, not a JSON object"),
            (r#"{"prediction":NaN}"#, "Python wrote NaN or Infinity"),
            (
                r#"{"prediction":"5.1"}"#,
                "`prediction` is the text \"5.1\", not a number",
            ),
            (
                r#"{"message":"ok"}"#,
                "there is no `prediction` or `wine_quality_score`",
            ),
            (
                r#"{"prediction":5.1,"wine_quality_score":5.2}"#,
                "`prediction` is 5.1 but `wine_quality_score` is 5.2",
            ),
            (r#"{"prediction":11}"#, "the score 11 is outside 0..10"),
            (
                r#"{"prediction":5.1,"quality_rating":"Good"}"#,
                "`quality_rating` says Good, the score is Average",
            ),
            (
                r#"{"errorMessage":"boom","errorType":"KeyError"}"#,
                "payload format 2.0): KeyError: boom",
            ),
            (
                r#"{"error":"no model","message":"Prediction failed"}"#,
                "an error with status 200: no model",
            ),
        ];
        for (body, expected) in cases {
            let fault = fault(body);
            assert!(fault.contains(expected), "{body}: {fault}");
            assert_eq!(read(200, body).next(), Some(Next::Doctor));
        }
    }

    #[test]
    fn a_body_cut_at_the_limit_is_not_read_as_json() {
        let answer = Answer {
            status: 200,
            body: br#"{"prediction":5}"#,
            cut: true,
            location: None,
        };
        let outcome = Outcome::read(Schema::wine_quality(), &answer);
        assert!(
            outcome
                .fault()
                .unwrap()
                .contains("larger than the 16 bytes")
        );
    }

    proptest! {
        #[test]
        fn no_answer_panics_or_shows_control_characters(status in 100..600_u16, body in prop::collection::vec(any::<u8>(), 0..400), cut: bool) {
            let outcome = Outcome::read(Schema::wine_quality(), &Answer { status, body: &body, cut, location: None });
            prop_assert!(outcome.fault().is_none_or(|fault| !fault.chars().any(char::is_control)));
        }

        #[test]
        fn every_score_on_the_scale_with_its_word_is_a_prediction(score in 0.0..=10.0_f64) {
            let word = &Schema::wine_quality().band(score).name;
            let body = format!(r#"{{"prediction":{score},"quality_rating":"{word}"}}"#);
            prop_assert_eq!(read(200, &body).score(), Some(score));
        }
    }
}
