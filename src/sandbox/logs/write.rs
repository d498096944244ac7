//! `CreateLogGroup`, `CreateLogStream` and `PutLogEvents`.

use serde_json::{Value, json};

use super::super::reply::Fault;
use super::super::world::{World, lock, now_ms};
use super::{no_group, no_stream, number, required};

const DAY_MS: i64 = 86_400_000;

pub(super) fn group(world: &World, input: &Value) -> Result<Value, Fault> {
    let name = required(input, "logGroupName")?;
    check_name(name, "logGroupName", |c| {
        c.is_ascii_alphanumeric() || ".-_/#".contains(c)
    })?;
    if lock(&world.logs).create_group(name, now_ms()) {
        Ok(json!({}))
    } else {
        Err(Fault::new(
            400,
            "ResourceAlreadyExistsException",
            "The specified log group already exists",
        ))
    }
}

pub(super) fn stream(world: &World, input: &Value) -> Result<Value, Fault> {
    let (group, name) = (
        required(input, "logGroupName")?,
        required(input, "logStreamName")?,
    );
    check_name(name, "logStreamName", |c| !":*".contains(c))?;
    match lock(&world.logs).create_stream(group, name, now_ms()) {
        None => Err(no_group()),
        Some(true) => Ok(json!({})),
        Some(false) => Err(Fault::new(
            400,
            "ResourceAlreadyExistsException",
            "The specified log stream already exists",
        )),
    }
}

fn check_name(name: &str, member: &str, allowed: impl Fn(char) -> bool) -> Result<(), Fault> {
    if name.is_empty() || name.len() > 512 || !name.chars().all(allowed) {
        return Err(Fault::invalid(format!(
            "1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: Member must satisfy regular expression pattern"
        )));
    }
    Ok(())
}

/// Events are visible at once: this is a test's own hand, not Lambda's agent.
pub(super) fn events(world: &World, input: &Value) -> Result<Value, Fault> {
    let (group, stream) = (
        required(input, "logGroupName")?,
        required(input, "logStreamName")?,
    );
    let batch = input["logEvents"]
        .as_array()
        .ok_or_else(|| Fault::invalid("logEvents must be a list"))?;
    if batch.is_empty() || batch.len() > 10_000 {
        return Err(Fault::invalid(
            "1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member must have length between 1 and 10000",
        ));
    }
    let events = batch
        .iter()
        .map(|event| {
            let timestamp = number(event, "timestamp")?
                .ok_or_else(|| Fault::invalid("timestamp must not be null"))?;
            Ok((timestamp, required(event, "message")?))
        })
        .collect::<Result<Vec<_>, Fault>>()?;
    if events.windows(2).any(|pair| pair[0].0 > pair[1].0) {
        return Err(Fault::invalid(
            "Log events in a single PutLogEvents request must be in chronological order.",
        ));
    }
    if events
        .iter()
        .map(|(_, message)| message.len() + 26)
        .sum::<usize>()
        > 1_048_576
    {
        return Err(Fault::invalid("Upload too large: exceeds limit of 1048576"));
    }
    let now = now_ms();
    let (oldest, newest) = (now - 14 * DAY_MS, now + 2 * 3_600_000);
    let mut logs = lock(&world.logs);
    let exists = logs
        .groups
        .get(group)
        .ok_or_else(no_group)?
        .streams
        .contains_key(stream);
    if !exists {
        return Err(no_stream());
    }
    for (timestamp, message) in &events {
        if (oldest..=newest).contains(timestamp) {
            logs.put(group, stream, *timestamp, now, message);
        }
    }
    let mut output =
        json!({"nextSequenceToken": "49039859627979000000000000000000000000000000000000000000"});
    let too_old = events
        .iter()
        .filter(|(timestamp, _)| *timestamp < oldest)
        .count();
    let first_too_new = events.iter().position(|(timestamp, _)| *timestamp > newest);
    if too_old > 0 {
        output["rejectedLogEventsInfo"]["tooOldLogEventEndIndex"] = json!(too_old);
    }
    if let Some(index) = first_too_new {
        output["rejectedLogEventsInfo"]["tooNewLogEventStartIndex"] = json!(index);
    }
    Ok(output)
}
