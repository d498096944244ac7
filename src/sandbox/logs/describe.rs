//! `DescribeLogGroups` and `DescribeLogStreams`.

use serde_json::{Value, json};

use super::super::incident::Incident;
use super::super::reply::Fault;
use super::super::world::{World, lock};
use super::{arn, flag, group_name, limit, no_group, read_token, scope, text, texts, token};

pub(super) fn groups(world: &World, input: &Value) -> Result<Value, Fault> {
    let (prefix, pattern) = (
        text(input, "logGroupNamePrefix")?,
        text(input, "logGroupNamePattern")?,
    );
    if prefix.is_some() && pattern.is_some() {
        return Err(Fault::invalid(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        ));
    }
    let identifiers = texts(input, "logGroupIdentifiers")?;
    let limit = limit(input, 50)?;
    let start = page_start(input)?;
    let wanted = |name: &str| {
        prefix.is_none_or(|prefix| name.starts_with(prefix))
            && pattern.is_none_or(|pattern| name.to_lowercase().contains(&pattern.to_lowercase()))
            && (identifiers.is_empty()
                || identifiers
                    .iter()
                    .any(|id| id == name || id.ends_with(&format!(":log-group:{name}"))))
            && !world.is(Incident::WrongRegion)
    };
    let logs = lock(&world.logs);
    let found: Vec<Value> = logs
        .groups
        .iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, group)| {
            let mut entry = json!({
                "logGroupName": name, "creationTime": group.created, "metricFilterCount": 0,
                "arn": format!("{}:*", arn(world, name)), "logGroupArn": arn(world, name),
                "storedBytes": group.stored_bytes, "logGroupClass": "STANDARD",
            });
            if let Some(days) = group.retention_days {
                entry["retentionInDays"] = json!(days);
            }
            entry
        })
        .collect();
    Ok(page(input, "logGroups", &found, start, limit))
}

pub(super) fn streams(world: &World, input: &Value) -> Result<Value, Fault> {
    let name = group_name(world, input)?;
    let prefix = text(input, "logStreamNamePrefix")?;
    let by_time = match text(input, "orderBy")? {
        None | Some("LogStreamName") => false,
        Some("LastEventTime") => true,
        Some(other) => {
            return Err(Fault::invalid(format!(
                "1 validation error detected: Value '{other}' at 'orderBy' failed to satisfy constraint: Member must satisfy enum value set: [LogStreamName, LastEventTime]"
            )));
        }
    };
    if by_time && prefix.is_some() {
        return Err(Fault::invalid(
            "Cannot order by LastEventTime with a logStreamNamePrefix.",
        ));
    }
    let limit = limit(input, 50)?;
    let start = page_start(input)?;
    let logs = lock(&world.logs);
    let group = logs.groups.get(&name).ok_or_else(no_group)?;
    let mut streams: Vec<_> = group
        .streams
        .values()
        .filter(|stream| prefix.is_none_or(|prefix| stream.name.starts_with(prefix)))
        .collect();
    if by_time {
        streams.sort_by_key(|stream| stream.last_event.unwrap_or(stream.created));
    }
    if flag(input, "descending")?.unwrap_or(false) {
        streams.reverse();
    }
    let found: Vec<Value> = streams
        .into_iter()
        .map(|stream| {
            let mut entry = json!({
                "logStreamName": &*stream.name, "creationTime": stream.created, "storedBytes": 0,
                "arn": format!("{}:log-stream:{}", arn(world, &name), stream.name),
                "uploadSequenceToken": "49039859627979000000000000000000000000000000000000000000",
            });
            let times = [
                ("firstEventTimestamp", stream.first_event),
                ("lastEventTimestamp", stream.last_event),
                ("lastIngestionTime", stream.last_ingestion),
            ];
            for (member, time) in times {
                if let Some(time) = time {
                    entry[member] = json!(time);
                }
            }
            entry
        })
        .collect();
    Ok(page(input, "logStreams", &found, start, limit))
}

fn page_start(input: &Value) -> Result<usize, Fault> {
    match text(input, "nextToken")? {
        Some(next) => Ok(read_token(scope(input), next)?.as_u64().unwrap_or(0) as usize),
        None => Ok(0),
    }
}

fn page(input: &Value, member: &str, found: &[Value], start: usize, limit: usize) -> Value {
    let end = (start + limit).min(found.len());
    let mut output = json!({});
    output[member] = json!(found.get(start..end).unwrap_or_default());
    if end < found.len() {
        output["nextToken"] = json!(token(scope(input), &json!(end)));
    }
    output
}
