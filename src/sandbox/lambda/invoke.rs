//! Invoke: synchronous, as an event, or as a dry run.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Response};
use base64::Engine as _;
use serde_json::Value;

use super::super::function::{self, Invocation, Refusal};
use super::super::latency;
use super::super::reply::{Fault, respond};
use super::super::server::Incoming;
use super::super::world::{World, lock};
use super::facts;

/// Lambda's limit on a synchronous payload.
const MOST_BYTES: usize = 6 << 20;
/// `LogType=Tail` returns this much of the log.
const TAIL_BYTES: usize = 4096;

pub(super) async fn serve(
    world: &Arc<World>,
    incoming: &Incoming,
    qualifier: Option<&str>,
) -> Result<Response<Body>, Fault> {
    if incoming.body.len() > MOST_BYTES {
        return Err(Fault::new(
            413,
            "RequestTooLargeException",
            format!(
                "Request must be smaller than {MOST_BYTES} bytes for the InvokeFunction operation"
            ),
        ));
    }
    let event = if incoming.body.is_empty() {
        Value::Object(serde_json::Map::new())
    } else {
        serde_json::from_slice(&incoming.body).map_err(|error| {
            Fault::new(
                400,
                "InvalidRequestContentException",
                format!("Could not parse request body into json: {error}"),
            )
        })?
    };
    let kind = incoming
        .header("x-amz-invocation-type")
        .unwrap_or("RequestResponse");
    match kind {
        "DryRun" => return Ok(respond(204, "application/json", "")),
        "RequestResponse" | "Event" => {}
        other => {
            return Err(Fault::new(
                400,
                "InvalidParameterValueException",
                format!(
                    "1 validation error detected: Value '{other}' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]"
                ),
            ));
        }
    }
    let overhead = latency::integration(&mut *lock(&world.dice));
    world.wait(overhead).await;
    let running = function::begin(world, event).await.map_err(refused)?;
    let request_id = running.request_id.to_string();
    let task = tokio::spawn(running.finish());
    let mut response = if kind == "Event" {
        respond(202, "application/json", "")
    } else {
        let invocation = task
            .await
            .map_err(|_| Fault::new(500, "ServiceException", "The invocation was interrupted"))?;
        synchronous(
            &invocation,
            incoming.header("x-amz-log-type") == Some("Tail"),
            qualifier,
        )
    };
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    Ok(response)
}

fn synchronous(invocation: &Invocation, tail: bool, qualifier: Option<&str>) -> Response<Body> {
    let mut response = respond(200, "application/json", invocation.payload.to_string());
    let headers = response.headers_mut();
    headers.insert(
        "x-amz-executed-version",
        HeaderValue::from_static(facts::executed_version(qualifier)),
    );
    if invocation.unhandled {
        headers.insert(
            "x-amz-function-error",
            HeaderValue::from_static("Unhandled"),
        );
    }
    if tail {
        let mut start = invocation.log.len().saturating_sub(TAIL_BYTES);
        while !invocation.log.is_char_boundary(start) {
            start += 1;
        }
        let encoded = base64::engine::general_purpose::STANDARD.encode(&invocation.log[start..]);
        if let Ok(value) = HeaderValue::from_str(&encoded) {
            headers.insert("x-amz-log-result", value);
        }
    }
    response
}

fn refused(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::Throttled(reason) => Fault {
            detail: Some(Box::new(("Reason", reason.into()))),
            ..Fault::new(429, "TooManyRequestsException", "Rate Exceeded.")
        },
        Refusal::Failed => Fault::new(
            409,
            "ResourceConflictException",
            "The operation cannot be performed at this time. The function is currently in the following state: Failed",
        ),
    }
}
