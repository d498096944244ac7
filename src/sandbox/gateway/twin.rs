//! The paths of the service's FastAPI twin: health, model info, and validation before `POST /predict`.

use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};

use super::super::reply;
use super::super::world::World;
use crate::domain::schema::Schema;

pub(super) fn health(world: &World) -> Response<Body> {
    let loaded = world.model.current().is_some();
    let status = if loaded { "healthy" } else { "unhealthy" };
    reply::json(200, &json!({"status": status, "model_loaded": loaded}))
}

pub(super) fn model_info(world: &World) -> Response<Body> {
    match world.model.current() {
        Some(model) => reply::json(
            200,
            &json!({
                "model_type": "RandomForestRegressor",
                "model_version": model.version,
                "features": world.options.schema.names().collect::<Vec<_>>(),
                "n_features": world.options.schema.features.len(),
            }),
        ),
        None => reply::json(503, &json!({"detail": "Model not loaded"})),
    }
}

/// Pydantic's complaints about a body, or `None` when it is valid.
pub(super) fn invalid(body: &[u8], schema: &Schema) -> Option<Value> {
    let value: Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(error) => {
            let detail = json!([{
                "type": "json_invalid", "loc": ["body", error.column()], "msg": "JSON decode error",
                "input": {}, "ctx": {"error": "Expecting value"},
            }]);
            return Some(detail);
        }
    };
    let Some(map) = value.as_object() else {
        let message = "Input should be a valid dictionary or object to extract fields from";
        return Some(
            json!([{"type": "model_attributes_type", "loc": ["body"], "msg": message, "input": value}]),
        );
    };
    let mut detail = Vec::new();
    for feature in &schema.features {
        let name = &feature.name;
        match map.get(name) {
            None if feature.default.is_some() => {}
            None => detail.push(json!({"type": "missing", "loc": ["body", name], "msg": "Field required", "input": value})),
            Some(Value::Number(_)) => {}
            Some(Value::String(text)) if text.trim().parse::<f64>().is_ok() => {}
            Some(text @ Value::String(_)) => detail.push(json!({
                "type": "float_parsing", "loc": ["body", name],
                "msg": "Input should be a valid number, unable to parse string as a number", "input": text,
            })),
            Some(other) => {
                detail.push(json!({"type": "float_type", "loc": ["body", name], "msg": "Input should be a valid number", "input": other}));
            }
        }
    }
    (!detail.is_empty()).then(|| Value::Array(detail))
}
