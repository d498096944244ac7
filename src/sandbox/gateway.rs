//! API Gateway: routes, its own error bodies, and the integration with the function. Also the FastAPI twin's paths.

mod twin;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response};
use rand::Rng;
use serde_json::{Value, json};

use super::function::{self, Fate, Invocation, Running};
use super::incident::Incident;
use super::latency;
use super::ledger::GatewayCall;
use super::reply::{self, respond};
use super::server::Incoming;
use super::world::{World, lock, now_ms};

/// An HTTP API refuses larger payloads.
const MOST_BYTES: usize = 10 << 20;

/// Integration timeout in ms, as `GetIntegrations` states it.
pub(super) fn integration_timeout_ms(world: &World) -> u32 {
    integration_timeout(world.incident())
}

/// The same during this incident.
pub(super) fn integration_timeout(incident: Option<Incident>) -> u32 {
    if incident == Some(Incident::IntegrationTimeout) {
        2000
    } else {
        30_000
    }
}

/// The status of every call that this incident keeps from the function; `None` where the function runs.
pub(super) fn refused(incident: Option<Incident>) -> Option<u16> {
    match incident? {
        Incident::EndpointDisabled => Some(403),
        Incident::StageThrottle => Some(429),
        Incident::RouteMissing => Some(404),
        Incident::PermissionMissing
        | Incident::PermissionWrongSourceArn
        | Incident::WrongIntegration
        | Incident::ImageDeleted => Some(500),
        Incident::ThrottledConcurrency | Incident::ReservedZero => Some(503),
        _ => None,
    }
}

/// The status of a call that the function ended like this; `mistake` is a request the handler cannot read.
pub(super) fn status_of(fate: Fate, mistake: bool) -> u16 {
    match fate {
        Fate::Answers if mistake => 500,
        Fate::Answers | Fate::ReturnsAnErrorObject => 200,
        Fate::Crashes | Fate::TimesOut | Fate::RunsOutOfMemory | Fate::AnswersWithoutProxyShape => {
            500
        }
    }
}

/// Payload format version of the integration.
pub(super) fn payload_format(world: &World) -> &'static str {
    if world.is(Incident::MalformedProxyResponse) {
        "1.0"
    } else {
        "2.0"
    }
}

/// What the gateway answers a caller.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub status: u16,
    pub body: String,
    /// Headers the handler set, as a JSON object.
    headers: Value,
}

impl Answer {
    /// An answer of the gateway itself, byte for byte.
    fn own(status: u16, message: &str) -> Self {
        Self {
            status,
            body: json!({"message": message}).to_string(),
            headers: Value::Null,
        }
    }
}

/// Serve one HTTP request to the prediction endpoint.
pub(super) async fn answer(world: &Arc<World>, incoming: Incoming) -> Response<Body> {
    let (method, path) = (incoming.parts.method.clone(), incoming.path().to_owned());
    let routed = matches!((&method, path.as_str()), (&Method::POST, "/" | "/predict"));
    if routed
        && path == "/predict"
        && let Some(detail) = twin::invalid(&incoming.body, &world.options.schema)
    {
        return reply::json(422, &json!({"detail": detail}));
    }
    let mut response = match (&method, path.as_str()) {
        (&Method::GET, "/health") => return twin::health(world),
        (&Method::GET, "/model/info") => return twin::model_info(world),
        _ => {
            let answer = call(world, routed, method.as_str(), &path, &incoming.body).await;
            to_response(&answer)
        }
    };
    let id = apigw_request_id(world);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("apigw-requestid", id);
    }
    response
}

/// One call through the gateway, from HTTP or from the background traffic. It is counted in the metrics either way.
pub(super) async fn call(
    world: &Arc<World>,
    routed: bool,
    method: &str,
    path: &str,
    body: &[u8],
) -> Answer {
    let at = now_ms();
    let (own_ms, integration_ms) = {
        let mut dice = lock(&world.dice);
        (
            latency::gateway(&mut *dice),
            latency::integration(&mut *dice),
        )
    };
    world.wait(own_ms).await;
    let (answer, integration) = if let Some(answer) = refusal(world, routed, body.len()) {
        (answer, None)
    } else {
        let (answer, spent) = integrate(world, method, path, body, integration_ms).await;
        (answer, Some(spent))
    };
    lock(&world.ledger).gateway.push(GatewayCall {
        at,
        status: answer.status,
        own_ms,
        integration_ms: integration,
    });
    answer
}

/// What the gateway refuses without asking its integration.
fn refusal(world: &World, routed: bool, bytes: usize) -> Option<Answer> {
    match world.incident() {
        Some(Incident::EndpointDisabled) => Some(Answer::own(403, "Forbidden")),
        Some(Incident::StageThrottle) => Some(Answer::own(429, "Too Many Requests")),
        Some(Incident::RouteMissing) => Some(Answer::own(404, "Not Found")),
        _ if !routed => Some(Answer::own(404, "Not Found")),
        _ if bytes > MOST_BYTES => Some(Answer::own(413, "Request Entity Too Large")),
        _ => None,
    }
}

/// Call the function. Returns the answer and the milliseconds the integration took.
async fn integrate(
    world: &Arc<World>,
    method: &str,
    path: &str,
    body: &[u8],
    overhead_ms: f64,
) -> (Answer, f64) {
    world.wait(overhead_ms).await;
    let broken = Answer::own(500, "Internal Server Error");
    if matches!(
        world.incident(),
        Some(
            Incident::PermissionMissing
                | Incident::PermissionWrongSourceArn
                | Incident::WrongIntegration
        )
    ) {
        return (broken, overhead_ms);
    }
    let event = proxy_event(world, method, path, body);
    let Ok(running) = function::begin(world, event).await else {
        let refused = if world.is(Incident::ImageDeleted) {
            broken
        } else {
            Answer::own(503, "Service Unavailable")
        };
        return (refused, overhead_ms);
    };
    let limit = f64::from(integration_timeout_ms(world));
    let total = running.total_ms();
    if total >= limit {
        // The function goes on; nobody waits for it any more.
        tokio::spawn(running.finish());
        world.wait(limit).await;
        return (Answer::own(503, "Service Unavailable"), limit);
    }
    match finish(running).await {
        Some(invocation) => (map_response(world, &invocation), overhead_ms + total),
        None => (broken, overhead_ms + total),
    }
}

/// Run to the end even when the caller hangs up, as Lambda does.
async fn finish(running: Running) -> Option<Invocation> {
    tokio::spawn(running.finish()).await.ok()
}

/// Map the function's result to HTTP by the rules of the payload format.
fn map_response(world: &World, invocation: &Invocation) -> Answer {
    let broken = Answer::own(500, "Internal Server Error");
    if invocation.unhandled {
        return broken;
    }
    let payload = &invocation.payload;
    match payload.get("statusCode").and_then(Value::as_u64) {
        Some(status) => {
            let body = match payload.get("body") {
                Some(Value::String(text)) => text.clone(),
                None | Some(Value::Null) => String::new(),
                Some(_) => return broken,
            };
            Answer {
                status: status as u16,
                body,
                headers: payload["headers"].clone(),
            }
        }
        None if payload_format(world) == "1.0" => broken,
        // Format 2.0 takes any other JSON for the body of a 200.
        None => Answer {
            status: 200,
            body: payload.to_string(),
            headers: json!({"Content-Type": "application/json"}),
        },
    }
}

fn to_response(answer: &Answer) -> Response<Body> {
    let mut response = respond(answer.status, "application/json", answer.body.clone());
    for (name, value) in answer.headers.as_object().into_iter().flatten() {
        if let (Ok(name), Some(Ok(value))) = (
            axum::http::HeaderName::from_bytes(name.as_bytes()),
            value.as_str().map(HeaderValue::from_str),
        ) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The event an HTTP API hands to a function, payload format 2.0.
fn proxy_event(world: &World, method: &str, path: &str, body: &[u8]) -> Value {
    let api = &world.options.api_id;
    let domain = format!("{api}.execute-api.{}.amazonaws.com", world.options.region);
    json!({
        "version": "2.0",
        "routeKey": format!("{method} {path}"),
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": domain},
        "requestContext": {
            "accountId": world.options.account,
            "apiId": api,
            "domainName": domain,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
            "routeKey": format!("{method} {path}"),
            "stage": "$default",
            "timeEpoch": now_ms(),
        },
        "body": String::from_utf8_lossy(body),
        "isBase64Encoded": false,
    })
}

/// Sixteen characters that end in `=`, such as `f8Wd7hbEiYcEMJQ=`.
fn apigw_request_id(world: &World) -> String {
    use base64::Engine as _;
    let bytes: [u8; 11] = lock(&world.dice).r#gen();
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
