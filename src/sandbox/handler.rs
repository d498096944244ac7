//! The Python handler of the prediction service, quirks included.

use serde_json::{Map, Value, json};

use super::model::Served;
use crate::domain::schema::Schema;

/// What the handler returned and what it printed.
#[derive(Debug)]
pub(super) struct Handled {
    pub status: u16,
    pub body: Value,
    pub printed: Option<String>,
}

/// Run the handler on an event: a gateway event with a string or an object as `body`, or the bare features.
pub(super) fn handle(event: &Value, model: &Served, schema: &Schema) -> Handled {
    match predict(event, model, schema) {
        Ok(body) => Handled {
            status: 200,
            body,
            printed: None,
        },
        Err(error) => Handled {
            status: 500,
            body: json!({"error": error, "message": "Prediction failed"}),
            printed: Some(format!("❌ Error: {error}\n")),
        },
    }
}

/// The proxy response the handler returns to Lambda.
pub(super) fn proxy_response(handled: &Handled) -> Value {
    json!({
        "statusCode": handled.status,
        "headers": {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"},
        "body": handled.body.to_string(),
    })
}

fn predict(event: &Value, model: &Served, schema: &Schema) -> Result<Value, String> {
    let features = features(event)?;
    let row = schema
        .features
        .iter()
        .map(
            |feature| match (features.get(&feature.name), feature.default) {
                (None, Some(default)) => Ok(default as f32),
                (value, _) => to_float(value.unwrap_or(&Value::Null)),
            },
        )
        .collect::<Result<Vec<f32>, _>>()?;
    let score = f64::from((model.predictor)(&row));
    if !score.is_finite() {
        return Err("Out of range float values are not JSON compliant".into());
    }
    let score = score.clamp(schema.score.min, schema.score.max);
    let mut answer: Map<String, Value> = (schema.score.fields.iter())
        .map(|field| (field.clone(), json!(score)))
        .collect();
    let band = &schema.band(score).name;
    answer.insert(schema.score.band_field.clone(), json!(band));
    answer.insert("model_version".into(), json!(model.version));
    answer.insert("message".into(), json!("Prediction successful"));
    Ok(Value::Object(answer))
}

/// `json.loads(event["body"])` where it is a string, the object itself where it is one, the event without a body.
fn features(event: &Value) -> Result<Map<String, Value>, String> {
    let features = match event.get("body") {
        Some(Value::String(text)) => parse(text, event["isBase64Encoded"] == true)?,
        Some(other) => other.clone(),
        None => event.clone(),
    };
    match features {
        Value::Object(map) => Ok(map),
        other => Err(format!(
            "'{}' object has no attribute 'get'",
            python_type(&other)
        )),
    }
}

fn parse(text: &str, base64: bool) -> Result<Value, String> {
    use base64::Engine as _;
    let decoded;
    let text = if base64 {
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(text)
            .map_err(|_| "Incorrect padding".to_owned())?;
        decoded = String::from_utf8_lossy(&bytes).into_owned();
        decoded.as_str()
    } else {
        text
    };
    // Python's json.loads takes NaN and Infinity, which serde_json rightly refuses; both end in an error message here.
    serde_json::from_str(text).map_err(|error| {
        let offset = text
            .lines()
            .take(error.line().saturating_sub(1))
            .map(|line| line.len() + 1)
            .sum::<usize>()
            + error.column().saturating_sub(1);
        format!(
            "Expecting value: line {} column {} (char {offset})",
            error.line().max(1),
            error.column().max(1)
        )
    })
}

/// What numpy makes of a Python value in a row of floats.
fn to_float(value: &Value) -> Result<f32, String> {
    match value {
        Value::Null => Ok(f32::NAN),
        Value::Bool(flag) => Ok(f32::from(u8::from(*flag))),
        Value::Number(number) => Ok(number.as_f64().unwrap_or(f64::NAN) as f32),
        Value::String(text) => text.trim().parse::<f32>().map_err(|_| {
            format!(
                "could not convert string to float: '{}'",
                text.replace('\'', "\\'")
            )
        }),
        Value::Array(_) => Err("setting an array element with a sequence.".into()),
        Value::Object(_) => {
            Err("float() argument must be a string or a real number, not 'dict'".into())
        }
    }
}

fn python_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use super::*;

    fn model() -> Served {
        // The sum shows that every feature arrived in its place.
        Served {
            version: "v1.0".into(),
            predictor: Arc::new(|row| {
                if row[10].is_nan() {
                    3.5
                } else {
                    row[10] / 2.0 + row[11]
                }
            }),
        }
    }

    #[test]
    fn a_string_body_and_an_object_body_and_bare_features_are_the_same() {
        let features = json!({"alcohol": 10.0, "wine_type_encoded": 1});
        for event in [
            json!({"body": features.to_string()}),
            json!({"body": features}),
            features.clone(),
        ] {
            let handled = handle(&event, &model(), Schema::wine_quality());
            assert_eq!(
                (handled.status, handled.body["prediction"].as_f64()),
                (200, Some(6.0))
            );
            assert_eq!(handled.body["quality_rating"], "Good");
        }
    }

    #[test]
    fn a_missing_feature_reaches_the_model_as_not_a_number() {
        assert_eq!(
            handle(&json!({"body": "{}"}), &model(), Schema::wine_quality()).body["prediction"],
            3.5
        );
    }

    #[test]
    fn a_word_fails_as_numpy_fails() {
        let handled = handle(
            &json!({"body": "{\"alcohol\":\"much\"}"}),
            &model(),
            Schema::wine_quality(),
        );
        assert_eq!(
            handled.body,
            json!({"error": "could not convert string to float: 'much'", "message": "Prediction failed"})
        );
        assert_eq!(
            handled.printed.unwrap(),
            "❌ Error: could not convert string to float: 'much'\n"
        );
    }

    #[test]
    fn no_json_fails_as_python_fails() {
        assert_eq!(
            handle(&json!({"body": ""}), &model(), Schema::wine_quality()).body["error"],
            "Expecting value: line 1 column 1 (char 0)"
        );
    }
}
