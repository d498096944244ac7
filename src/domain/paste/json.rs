//! Inputs out of JSON: an object, an event around one, a list of values.

use serde_json::{Map, Value};

use super::{PasteError, Pasted, Shape};
use crate::domain::schema::Schema;

/// An object by its names, or an array in the schema's order; Python's quotes will do.
pub fn inputs(schema: &Schema, text: &str) -> Result<Pasted, PasteError> {
    let value: Value = serde_json::from_str(text)
        .or_else(|error| serde_json::from_str(&text.replace('\'', "\"")).map_err(|_| error))
        .map_err(|error| PasteError::Json(error.to_string()))?;
    match value {
        Value::Object(object) => from_object(schema, &object).or_unknown(),
        Value::Array(items) => {
            if let Some(Value::Object(object)) = items.first() {
                return from_object(schema, object).or_unknown();
            }
            let row: Vec<String> = items.iter().map(literal).collect();
            Pasted::from_row(schema, &row, Shape::Json)
        }
        _ => Err(PasteError::Unknown),
    }
}

fn from_object(schema: &Schema, object: &Map<String, Value>) -> Pasted {
    // A gateway event or an Invoke payload carries the request as a string or an object under `body`.
    let inner = match object.get("body") {
        Some(Value::String(body)) => serde_json::from_str::<Map<String, Value>>(body).ok(),
        Some(Value::Object(body)) => Some(body.clone()),
        _ => None,
    };
    let mut pasted = Pasted::new(schema, Shape::Json);
    for (name, value) in inner.as_ref().unwrap_or(object) {
        pasted.put(schema, name, &literal(value));
    }
    pasted
}

/// A JSON value as a field's text: a string's content, anything else as written.
fn literal(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
