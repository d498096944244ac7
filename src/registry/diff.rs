//! What two versions do not have in common.

use serde_json::Value;

use super::manifest::Manifest;

/// A field that differs, in the words of `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// Its path: `plan.params.max_depth`.
    pub field: String,
    /// In the first version; empty where it has none.
    pub left: String,
    /// In the second.
    pub right: String,
}

/// Parts that differ always, or that repeat another part.
const NOISE: [&str; 7] = [
    "version",
    "run",
    "created_at",
    "by",
    "canaries",
    "artefacts",
    "schema",
];

/// The fields that differ between two versions, in manifest order.
pub fn diff(left: &Manifest, right: &Manifest) -> Vec<Difference> {
    let (left, right) = (flat(left), flat(right));
    let mut fields: Vec<&String> = left.iter().chain(&right).map(|(field, _)| field).collect();
    let mut seen = std::collections::HashSet::new();
    fields.retain(|field| seen.insert(field.as_str()));
    let value = |side: &[(String, String)], field: &str| {
        side.iter()
            .find(|(name, _)| name == field)
            .map_or_else(String::new, |(_, value)| value.clone())
    };
    fields
        .into_iter()
        .map(|field| Difference {
            field: field.clone(),
            left: value(&left, field),
            right: value(&right, field),
        })
        .filter(|difference| difference.left != difference.right)
        .collect()
}

fn flat(manifest: &Manifest) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    if let Ok(Value::Object(parts)) = serde_json::to_value(manifest) {
        for (name, part) in parts
            .iter()
            .filter(|(name, _)| !NOISE.contains(&name.as_str()))
        {
            walk(name, part, &mut fields);
        }
    }
    fields
}

/// An item without the name it is listed under.
fn unnamed(item: &Value) -> Value {
    let mut item = item.clone();
    if let Value::Object(parts) = &mut item {
        parts.shift_remove("name");
    }
    item
}

fn walk(path: &str, value: &Value, fields: &mut Vec<(String, String)>) {
    match value {
        Value::Object(parts) => parts
            .iter()
            .for_each(|(name, part)| walk(&format!("{path}.{name}"), part, fields)),
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (index, item) in items.iter().enumerate() {
                let name = item
                    .get("name")
                    .and_then(Value::as_str)
                    .map_or_else(|| index.to_string(), ToOwned::to_owned);
                walk(&format!("{path}.{name}"), &unnamed(item), fields);
            }
        }
        Value::String(text) => fields.push((path.to_owned(), text.clone())),
        other => fields.push((path.to_owned(), other.to_string())),
    }
}
