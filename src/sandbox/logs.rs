//! CloudWatch Logs over awsJson 1.1.

mod describe;
pub(super) mod insights;
mod live;
mod pattern;
mod read;
mod write;

use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};

use super::incident::Incident;
use super::reply::{self, Fault};
use super::server::{Incoming, admit};
use super::world::World;

/// Reads that share CloudWatch's tight quotas.
const READS: [&str; 5] = [
    "FilterLogEvents",
    "GetLogEvents",
    "DescribeLogStreams",
    "DescribeLogGroups",
    "StartLiveTail",
];
/// In [`Incident::Throttling`], reads are refused this long …
const THROTTLED_MS: i64 = 12_000;
/// … and let through this long.
const RELIEF_MS: i64 = 6_000;

/// Serve one request.
pub(super) async fn serve(
    world: &Arc<World>,
    incoming: &Incoming,
) -> Result<Response<Body>, Fault> {
    let operation = incoming.target().unwrap_or_default().to_owned();
    let resource = format!(
        "arn:aws:logs:{}:{}:log-group:{}:log-stream:",
        world.options.region,
        world.options.account,
        world.log_group()
    );
    admit(world, incoming, &format!("logs:{operation}"), &resource)?;
    if READS.contains(&operation.as_str()) && throttled(world) {
        return Err(Fault::new(400, "ThrottlingException", "Rate exceeded"));
    }
    let input = parse(&incoming.body)?;
    world.history().await;
    let output = match operation.as_str() {
        "DescribeLogGroups" => describe::groups(world, &input)?,
        "DescribeLogStreams" => describe::streams(world, &input)?,
        "FilterLogEvents" => read::filter(world, &input)?,
        "GetLogEvents" => read::get(world, &input)?,
        "PutLogEvents" => write::events(world, &input)?,
        "CreateLogGroup" => write::group(world, &input)?,
        "CreateLogStream" => write::stream(world, &input)?,
        "StartQuery" => {
            // A day of lines takes a while, and must not hold up the other connections.
            let world = Arc::clone(world);
            tokio::task::spawn_blocking(move || insights::start(&world, &input))
                .await
                .map_err(|_| {
                    Fault::new(
                        500,
                        "ServiceUnavailableException",
                        "The query was interrupted",
                    )
                })??
        }
        "GetQueryResults" => insights::results(world, &input)?,
        "StopQuery" => insights::stop(world, &input)?,
        "StartLiveTail" => return live::start(world, &input),
        _ => return Err(Fault::new(400, "UnknownOperationException", "")),
    };
    Ok(reply::aws_json(&output))
}

fn throttled(world: &World) -> bool {
    let cycle = ((THROTTLED_MS + RELIEF_MS) as f64 / world.options.speed.max(1.0)) as i64;
    let refused = (THROTTLED_MS as f64 / world.options.speed.max(1.0)) as i64;
    world.is(Incident::Throttling) && world.incident_age_ms() % cycle.max(1) < refused
}

fn parse(body: &[u8]) -> Result<Value, Fault> {
    let input: Value =
        serde_json::from_slice(body).map_err(|error| Fault::serialization(error.to_string()))?;
    if input.is_object() {
        Ok(input)
    } else {
        Err(Fault::serialization(
            "Start of structure or map found where not expected.",
        ))
    }
}

/// A string member, or the service's complaint about another type.
fn text<'a>(input: &'a Value, name: &str) -> Result<Option<&'a str>, Fault> {
    match &input[name] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(Fault::serialization(format!(
            "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to a String ({name})"
        ))),
    }
}

fn required<'a>(input: &'a Value, name: &str) -> Result<&'a str, Fault> {
    text(input, name)?.ok_or_else(|| {
        Fault::invalid(format!("1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"))
    })
}

/// An integer member. Fractions are refused, as AWS's Java side does.
fn number(input: &Value, name: &str) -> Result<Option<i64>, Fault> {
    match &input[name] {
        Value::Null => Ok(None),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Ok(Some(whole)),
            (None, Some(float)) => Ok(Some(float as i64)),
            _ => Err(Fault::serialization(format!("{name} is out of range"))),
        },
        _ => Err(Fault::serialization(format!(
            "STRING_VALUE can not be converted to a Long ({name})"
        ))),
    }
}

fn flag(input: &Value, name: &str) -> Result<Option<bool>, Fault> {
    match &input[name] {
        Value::Null => Ok(None),
        Value::Bool(flag) => Ok(Some(*flag)),
        _ => Err(Fault::serialization(format!(
            "{name} can not be converted to a Boolean"
        ))),
    }
}

fn texts(input: &Value, name: &str) -> Result<Vec<String>, Fault> {
    match &input[name] {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items
            .iter()
            .map(|item| {
                item.as_str()
                    .map(str::to_owned)
                    .ok_or_else(|| Fault::serialization(format!("{name} must hold strings")))
            })
            .collect(),
        _ => Err(Fault::serialization(format!(
            "Expected list or null ({name})"
        ))),
    }
}

/// A page size between 1 and `most`.
fn limit(input: &Value, most: i64) -> Result<usize, Fault> {
    match number(input, "limit")? {
        None => Ok(most as usize),
        Some(limit) if (1..=most).contains(&limit) => Ok(limit as usize),
        Some(limit) => Err(Fault::invalid(format!(
            "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must have value {}",
            if limit < 1 {
                "greater than or equal to 1".into()
            } else {
                format!("less than or equal to {most}")
            }
        ))),
    }
}

/// The group a request names, by name or by ARN.
fn group_name(world: &World, input: &Value) -> Result<String, Fault> {
    let (name, identifier) = (
        text(input, "logGroupName")?,
        text(input, "logGroupIdentifier")?,
    );
    let name = match (name, identifier) {
        (Some(_), Some(_)) => {
            return Err(Fault::invalid(
                "LogGroup name and LogGroup identifier can not both be specified",
            ));
        }
        (Some(name), None) => name.to_owned(),
        (None, Some(identifier)) => from_arn(identifier)?,
        (None, None) => {
            return Err(Fault::invalid(
                "Either LogGroup name or LogGroup identifier must be specified",
            ));
        }
    };
    if world.is(Incident::WrongRegion) {
        Err(no_group())
    } else {
        Ok(name)
    }
}

/// `arn:aws:logs:region:account:log-group:NAME`, or a plain name. A trailing `:*` is not accepted.
fn from_arn(identifier: &str) -> Result<String, Fault> {
    let Some(rest) = identifier.strip_prefix("arn:") else {
        return Ok(identifier.to_owned());
    };
    let name = rest.splitn(6, ':').nth(5).unwrap_or_default();
    if name.ends_with(":*") {
        return Err(Fault::invalid(
            "Invalid identifier: an ARN of a log group must not end with ':*'",
        ));
    }
    Ok(name.to_owned())
}

fn no_group() -> Fault {
    Fault::new(
        400,
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )
}

fn no_stream() -> Fault {
    Fault::new(
        400,
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    )
}

fn arn(world: &World, group: &str) -> String {
    format!(
        "arn:aws:logs:{}:{}:log-group:{group}",
        world.options.region, world.options.account
    )
}

/// An opaque page token. It belongs to one query: `scope` must be the same again.
fn token(scope: u64, state: &Value) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json!([scope, state]).to_string())
}

fn read_token(scope: u64, token: &str) -> Result<Value, Fault> {
    use base64::Engine as _;
    let invalid = || Fault::invalid("The specified nextToken is invalid.");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(token)
        .map_err(|_| invalid())?;
    let (found, state): (u64, Value) = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    if found == scope {
        Ok(state)
    } else {
        Err(invalid())
    }
}

/// A number for the parameters that a page token is bound to.
fn scope(input: &Value) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hasher = std::hash::DefaultHasher::new();
    let mut members: Vec<_> = input
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| {
            !matches!(
                name.as_str(),
                "nextToken" | "limit" | "startTime" | "endTime"
            )
        })
        .map(|(name, value)| (name, value.to_string()))
        .collect();
    members.sort();
    members.hash(&mut hasher);
    hasher.finish()
}
