//! CloudWatch metrics, over rpc-v2-cbor (the Rust SDK) and awsJson 1.0 (boto3, the AWS CLI).

pub(super) mod cbor;
mod data;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Response};
use serde_json::{Value, json};

use super::reply::{Fault, respond};
use super::server::{Incoming, admit};
use super::world::World;

/// Serve one request.
pub(super) async fn serve(
    world: &Arc<World>,
    incoming: &Incoming,
) -> Result<Response<Body>, Fault> {
    let cbor = incoming.path().starts_with("/service/");
    let operation = match incoming.path().rsplit_once("/operation/") {
        Some((_, operation)) if cbor => operation,
        _ => incoming.target().unwrap_or_default(),
    };
    admit(world, incoming, &format!("cloudwatch:{operation}"), "*")?;
    let input = if cbor {
        cbor::decode(&incoming.body)
            .ok_or_else(|| Fault::serialization("The request body is not valid CBOR"))?
    } else {
        serde_json::from_slice(&incoming.body)
            .map_err(|error| Fault::serialization(error.to_string()))?
    };
    world.history().await;
    let output = match operation {
        "GetMetricData" => data::get(world, &input)?,
        "DescribeAlarms" => json!({"MetricAlarms": [], "CompositeAlarms": []}),
        "DescribeAlarmsForMetric" => json!({"MetricAlarms": []}),
        "ListMetrics" => data::list(world, &input),
        _ => return Err(Fault::new(404, "UnknownOperationException", "")),
    };
    if !cbor {
        return Ok(respond(
            200,
            "application/x-amz-json-1.0",
            output.to_string(),
        ));
    }
    let mut response = respond(200, "application/cbor", cbor::encode(&output));
    response
        .headers_mut()
        .insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    Ok(response)
}

/// The dimensions of a metric, as `(name, value)` pairs in order.
fn dimensions(metric: &Value) -> Vec<(&str, &str)> {
    let mut dimensions: Vec<_> = metric["Dimensions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|dimension| Some((dimension["Name"].as_str()?, dimension["Value"].as_str()?)))
        .collect();
    dimensions.sort_unstable();
    dimensions
}
