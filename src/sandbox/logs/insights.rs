//! CloudWatch Logs Insights: queries that run for a moment, show progress, and can be stopped.

mod aggregate;
mod cell;
mod expression;
mod parse;
mod record;
mod run;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::reply::Fault;
use super::super::world::{World, lock, now_ms};
use super::{from_arn, no_group, number, required, text, texts};
use run::Row;

/// How long a query runs, in ms at speed 1, beside 0.2 ms for each kilobyte scanned.
const BASE_MS: f64 = 400.0;
/// Finished queries that are remembered.
const MOST_QUERIES: usize = 100;

/// Queries by id.
pub(in super::super) type Queries = BTreeMap<String, Query>;

/// A query that was started. Its result is known at once; it is shown when the service would have it.
#[derive(Debug)]
pub(in super::super) struct Query {
    started: i64,
    runs_ms: f64,
    stopped: bool,
    rows: Vec<Row>,
    matched: usize,
    scanned: usize,
    bytes: usize,
    groups: usize,
}

pub(super) fn start(world: &World, input: &Value) -> Result<Value, Fault> {
    let names = groups(world, input)?;
    let start =
        number(input, "startTime")?.ok_or_else(|| Fault::invalid("startTime must not be null"))?;
    let end =
        number(input, "endTime")?.ok_or_else(|| Fault::invalid("endTime must not be null"))?;
    if end < start {
        return Err(Fault::invalid("End time should not be before start time"));
    }
    let limit = super::limit(input, 10_000)?;
    let program = parse::query(required(input, "queryString")?).map_err(malformed)?;
    // Insights takes seconds, and older callers milliseconds.
    let ms = |time: i64| {
        if time > 100_000_000_000 {
            time
        } else {
            time * 1000
        }
    };
    let now = now_ms();
    let mut events = Vec::new();
    {
        let logs = lock(&world.logs);
        for name in &names {
            let group = logs.groups.get(name).ok_or_else(no_group)?;
            let log = format!("{}:{name}", world.options.account);
            events.extend(
                group
                    .between(ms(start), ms(end).saturating_add(999))
                    .filter(|(key, _)| key.ingestion <= now)
                    .map(|(key, event)| (key, event.clone(), log.clone())),
            );
        }
    }
    let bytes = events
        .iter()
        .map(|(_, event, _)| event.message.len())
        .sum::<usize>();
    let scanned = events.len();
    let outcome = run::execute(&program, events, limit);
    let id = lock(&world.function).request_id().to_string();
    let query = Query {
        started: now,
        runs_ms: (BASE_MS + 0.2 * bytes as f64 / 1024.0) / world.options.speed.max(1e-3),
        stopped: false,
        rows: outcome.rows,
        matched: outcome.matched,
        scanned,
        bytes,
        groups: names.len(),
    };
    let mut queries = lock(&world.queries);
    if queries.len() >= MOST_QUERIES
        && let Some(oldest) = queries
            .iter()
            .min_by_key(|(_, query)| query.started)
            .map(|(id, _)| id.clone())
    {
        queries.remove(&oldest);
    }
    queries.insert(id.clone(), query);
    Ok(json!({"queryId": id}))
}

pub(super) fn results(world: &World, input: &Value) -> Result<Value, Fault> {
    let queries = lock(&world.queries);
    let query = queries
        .get(required(input, "queryId")?)
        .ok_or_else(no_query)?;
    let share = query.progress();
    let (status, rows) = match (query.stopped, share >= 1.0) {
        (true, _) => ("Cancelled", &query.rows[..0]),
        (false, true) => ("Complete", &query.rows[..]),
        (false, false) => ("Running", &query.rows[..0]),
    };
    let results: Vec<Value> = rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|(field, value)| json!({"field": field, "value": value}))
                .collect()
        })
        .collect();
    let part = |count: usize| (count as f64 * share).floor();
    Ok(json!({
        "queryLanguage": "CWLI",
        "results": results,
        "statistics": {
            "recordsMatched": part(query.matched), "recordsScanned": part(query.scanned), "bytesScanned": part(query.bytes),
            "estimatedRecordsSkipped": 0.0, "estimatedBytesSkipped": 0.0, "logGroupsScanned": query.groups as f64,
        },
        "status": status,
    }))
}

pub(super) fn stop(world: &World, input: &Value) -> Result<Value, Fault> {
    let mut queries = lock(&world.queries);
    let query = queries
        .get_mut(required(input, "queryId")?)
        .ok_or_else(no_query)?;
    if query.stopped || query.progress() >= 1.0 {
        return Err(Fault::invalid(
            "The specified query has already ended. Status: Complete",
        ));
    }
    query.stopped = true;
    Ok(json!({"success": true}))
}

impl Query {
    fn progress(&self) -> f64 {
        ((now_ms() - self.started) as f64 / self.runs_ms.max(1e-9)).clamp(0.0, 1.0)
    }
}

/// The groups of a query: exactly one of the three members that may name them.
fn groups(world: &World, input: &Value) -> Result<Vec<String>, Fault> {
    let mut names = texts(input, "logGroupNames")?;
    for identifier in texts(input, "logGroupIdentifiers")? {
        names.push(from_arn(&identifier)?);
    }
    names.extend(text(input, "logGroupName")?.map(str::to_owned));
    if names.is_empty() {
        return Err(Fault::invalid("At least one log group must be specified"));
    }
    let known = lock(&world.logs);
    let there =
        |name: &String| known.groups.contains_key(name) && !world.is(super::Incident::WrongRegion);
    if names.iter().all(there) {
        Ok(names)
    } else {
        Err(no_group())
    }
}

fn no_query() -> Fault {
    Fault::new(
        400,
        "ResourceNotFoundException",
        "The specified query does not exist.",
    )
}

fn malformed(error: parse::SyntaxError) -> Fault {
    let parse::SyntaxError { at, message } = error;
    let detail =
        json!({"location": {"startCharOffset": at, "endCharOffset": at + 1}, "message": message});
    Fault {
        detail: Some(Box::new(("queryCompileError", detail))),
        ..Fault::new(
            400,
            "MalformedQueryException",
            format!("{message} at position {at}"),
        )
    }
}
