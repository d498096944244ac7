//! `best_params.json`, the Python project's cache of tuned parameters: read it, and write it back so that Python sees
//! nothing but the new values.

use serde::Serialize;
use serde_json::{Map, Value};

use super::plan::{Family, ParamError, Params, Plan};

const FOREST: &str = "randomforest";
const UPDATED: &str = "last_updated";

/// The parameters both sides know.
const SHARED: [&str; 3] = ["n_estimators", "max_depth", "min_samples_split"];

/// Parameters that may be a share, of the features or of the rows.
const SHARES: [&str; 3] = ["max_features", "min_samples_split", "min_samples_leaf"];

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BestParamsError {
    /// Not JSON.
    #[error("best_params.json is not JSON: {0}")]
    Json(String),
    /// JSON, but not this file.
    #[error("best_params.json: {0} must be an object")]
    NotAnObject(&'static str),
    /// A parameter that cannot be.
    #[error("best_params.json: {0}")]
    Param(ParamError),
}

// The message tells the cause; as a source it would be told twice.
impl From<serde_json::Error> for BestParamsError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error.to_string())
    }
}

impl From<ParamError> for BestParamsError {
    fn from(error: ParamError) -> Self {
        Self::Param(error)
    }
}

/// The random forest the file describes: scikit-learn's defaults, overlaid with its `randomforest` (where `{}` or
/// nothing is the defaults). Parameters only Python knows are returned by name.
pub fn read(text: &str) -> Result<(Plan, Vec<String>), BestParamsError> {
    let document: Value = serde_json::from_str(text)?;
    let document = document
        .as_object()
        .ok_or(BestParamsError::NotAnObject("the file"))?;
    let mut plan = Plan::new(Family::RandomForest);
    let mut unknown = Vec::new();
    let empty = Value::Object(Map::new());
    let forest = document.get(FOREST).unwrap_or(&empty);
    for (name, value) in forest
        .as_object()
        .ok_or(BestParamsError::NotAnObject(FOREST))?
    {
        match plan.set(name, &counted(name, value).to_string()) {
            Err(ParamError::Unknown(name)) => unknown.push(name),
            other => other?,
        }
    }
    Ok((plan, unknown))
}

/// 138.0 is 138: some writers turn integers into floats. Where scikit-learn takes shares, 1.0 is all.
fn counted(name: &str, value: &Value) -> Value {
    let all = SHARES.contains(&name) && value.as_f64() == Some(1.0);
    match value.as_f64() {
        Some(number) if !value.is_u64() && !all && number.fract() == 0.0 && number.abs() < 1e15 => {
            (number as i64).into()
        }
        _ => value.clone(),
    }
}

/// The file with `params` as its `randomforest`: other families, unknown keys, key order and indentation stay;
/// integers stay integers. `max_features` is written only where Python should read it, because it passes every key on.
/// `now` is an ISO 8601 time; a trailing `Z` is dropped, which Python before 3.11 cannot read.
pub fn write(
    text: &str,
    params: &Params,
    max_features: bool,
    now: &str,
) -> Result<String, BestParamsError> {
    let mut document: Value = if text.trim().is_empty() {
        serde_json::json!({FOREST: {}, "lightgbm": {}, "xgboost": {}})
    } else {
        serde_json::from_str(text)?
    };
    let file = document
        .as_object_mut()
        .ok_or(BestParamsError::NotAnObject("the file"))?;
    let table = serde_json::to_value(params)?;
    let forest = file
        .entry(FOREST)
        .or_insert_with(|| Value::Object(Map::new()));
    let forest = forest
        .as_object_mut()
        .ok_or(BestParamsError::NotAnObject(FOREST))?;
    for name in SHARED
        .into_iter()
        .chain(max_features.then_some("max_features"))
    {
        forest.insert(name.to_owned(), table[name].clone());
    }
    file.insert(UPDATED.to_owned(), now.trim_end_matches(['Z', 'z']).into());
    Ok(print(&document, indent(text))?)
}

/// Spaces before the first key; `None` for a file on one line.
fn indent(text: &str) -> Option<usize> {
    let second = text.trim_start().lines().nth(1)?;
    Some(second.len() - second.trim_start().len())
}

fn print(document: &Value, indent: Option<usize>) -> Result<String, serde_json::Error> {
    let Some(width) = indent else {
        return serde_json::to_string(document);
    };
    let spaces = vec![b' '; width];
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(&spaces);
    document.serialize(&mut serde_json::Serializer::with_formatter(
        &mut bytes, formatter,
    ))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::train::plan::{MaxFeatures, Samples};

    const OWNERS: &str = r#"{"randomforest":{"n_estimators":138,"max_depth":8,"min_samples_split":3},"lightgbm":{},"xgboost":{},"last_updated":"2025-12-23T17:21:13.379947"}"#;

    #[test]
    fn the_owners_file_is_the_owners_preset() {
        let (plan, unknown) = read(OWNERS).unwrap();
        assert_eq!((plan, unknown), (Plan::preset("owner").unwrap(), vec![]));
    }

    #[test]
    fn writing_the_same_changes_only_the_time() {
        let (plan, _) = read(OWNERS).unwrap();
        let written = write(OWNERS, &plan.params, false, "2026-11-23T13:38:48.123456Z").unwrap();
        assert_eq!(
            written,
            OWNERS.replace("2025-12-23T17:21:13.379947", "2026-11-23T13:38:48.123456")
        );
    }

    #[test]
    fn unknown_keys_order_and_indentation_stay() {
        let text = "{\n    \"note\": [1.5, null],\n    \"randomforest\": {\n        \"criterion\": \"squared_error\",\n        \"max_depth\": 8.0\n    },\n    \"last_updated\": \"x\"\n}";
        let (plan, unknown) = read(text).unwrap();
        assert_eq!(
            (plan.params.max_depth, unknown),
            (Some(8), vec!["criterion".to_owned()])
        );
        let mut params = plan.params;
        params.max_depth = None;
        let written = write(text, &params, true, "2026-01-01T00:00:00").unwrap();
        assert!(written.starts_with("{\n    \"note\": ["), "{written}");
        assert!(
            written.contains("\"criterion\": \"squared_error\",\n        \"max_depth\": null,"),
            "{written}"
        );
        assert!(
            written.contains("\"n_estimators\": 100,") && written.contains("\"max_features\": 1.0"),
            "{written}"
        );
    }

    #[test]
    fn whole_floats_are_counts_but_a_share_of_one_is_all() {
        let text = r#"{"randomforest":{"n_estimators":138.0,"min_samples_split":0.01,"min_samples_leaf":2.0,"max_features":1.0}}"#;
        let (plan, _) = read(text).unwrap();
        let Params {
            n_estimators,
            min_samples_split,
            min_samples_leaf,
            max_features,
            ..
        } = plan.params;
        assert_eq!((n_estimators, max_features), (138, MaxFeatures::All));
        assert_eq!(
            (min_samples_split, min_samples_leaf),
            (Samples::Share(0.01), Samples::Count(2))
        );
    }

    #[test]
    fn other_files_are_refused_with_a_reason() {
        assert!(
            read("[]")
                .unwrap_err()
                .to_string()
                .contains("must be an object")
        );
        assert!(
            read("{\n\"randomforest\": {,}}")
                .unwrap_err()
                .to_string()
                .contains("line 2")
        );
        let zero = r#"{"randomforest":{"n_estimators":0}}"#;
        assert!(
            read(zero)
                .unwrap_err()
                .to_string()
                .contains("'n_estimators' parameter must be an int")
        );
        assert_eq!(read("{}").unwrap().0, Plan::new(Family::RandomForest));
        let fresh = write("", &Params::default(), false, "t").unwrap();
        assert!(fresh.starts_with(r#"{"randomforest":{"n_estimators":100,"max_depth":null,"min_samples_split":2},"lightgbm""#));
    }
}
