//! `FilterLogEvents` and `GetLogEvents`: pages, tokens, both directions.

use std::ops::Bound;

use rand::Rng;
use serde_json::{Value, json};

use super::super::reply::Fault;
use super::super::streams::{Event, Group, Key};
use super::super::world::{World, lock, now_ms};
use super::pattern::Pattern;
use super::{
    flag, group_name, limit, no_group, no_stream, number, read_token, required, scope, text, texts,
    token,
};

/// Most events a page holds, and most bytes.
const PAGE_EVENTS: i64 = 10_000;
const PAGE_BYTES: usize = 1 << 20;
/// Events a page looks at before it comes back, matches or not: a sparse pattern makes partial and empty pages.
const PAGE_SCAN: usize = 25_000;

/// Where a reading stands: the last key looked at, and the moment its first page was asked for.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
struct Place {
    after: Option<Key>,
    as_of: i64,
    /// Pages so far: no token comes twice, or boto3 gives up.
    page: u32,
}

pub(super) fn filter(world: &World, input: &Value) -> Result<Value, Fault> {
    let name = group_name(world, input)?;
    let pattern = Pattern::parse(text(input, "filterPattern")?.unwrap_or_default())?;
    let (streams, prefix) = (
        texts(input, "logStreamNames")?,
        text(input, "logStreamNamePrefix")?,
    );
    if !streams.is_empty() && prefix.is_some() {
        return Err(Fault::invalid(
            "Either logStreamNames or logStreamNamePrefix can be specified, not both",
        ));
    }
    if streams.len() > 100 {
        return Err(Fault::invalid(
            "1 validation error detected: Value at 'logStreamNames' failed to satisfy constraint: Member must have length less than or equal to 100",
        ));
    }
    let (limit, range) = (limit(input, PAGE_EVENTS)?, times(input)?);
    let ascending = flag(input, "startFromHead")?.unwrap_or(true);
    let place = match text(input, "nextToken")? {
        Some(next) => serde_json::from_value(read_token(scope(input), next)?)
            .map_err(|_| Fault::invalid("The specified nextToken is invalid."))?,
        None => Place {
            after: None,
            as_of: now_ms(),
            page: 0,
        },
    };
    let empty = {
        let chance = world.options.empty_pages.clamp(0.0, 0.9);
        lock(&world.dice).gen_bool(chance)
    };
    let logs = lock(&world.logs);
    let group = logs.groups.get(&name).ok_or_else(no_group)?;
    let wanted = |event: &Event| {
        (streams.is_empty() || streams.iter().any(|stream| **stream == *event.stream))
            && prefix.is_none_or(|prefix| event.stream.starts_with(prefix))
            && pattern.matches(&event.message)
    };
    let page = if empty {
        Page {
            events: Vec::new(),
            next: Some(Place {
                page: place.page + 1,
                ..place
            }),
        }
    } else {
        scan(group, place, range, ascending, limit, wanted)
    };
    let events: Vec<Value> = page
        .events
        .iter()
        .map(|(key, event)| {
            json!({
                "logStreamName": &*event.stream, "timestamp": key.timestamp, "message": &*event.message,
                "ingestionTime": key.ingestion, "eventId": key.event_id(),
            })
        })
        .collect();
    let mut output = json!({"events": events, "searchedLogStreams": []});
    if let Some(next) = page.next {
        output["nextToken"] = json!(token(scope(input), &json!(next)));
    }
    Ok(output)
}

pub(super) fn get(world: &World, input: &Value) -> Result<Value, Fault> {
    let name = group_name(world, input)?;
    let stream = required(input, "logStreamName")?;
    let (limit, range) = (limit(input, PAGE_EVENTS)?, times(input)?);
    // A token knows its own direction; without one, the newest page is the default.
    let (ascending, place) = match text(input, "nextToken")? {
        Some(next) => {
            let invalid = || Fault::invalid("The specified nextToken is invalid.");
            let (side, digits) = next.split_once('/').ok_or_else(invalid)?;
            let place: Option<Key> =
                serde_json::from_value(read_token(stream_scope(&name, stream), digits)?)
                    .map_err(|_| invalid())?;
            (side == "f", place)
        }
        None => (flag(input, "startFromHead")?.unwrap_or(false), None),
    };
    let logs = lock(&world.logs);
    let group = logs.groups.get(&name).ok_or_else(no_group)?;
    if !group.streams.contains_key(stream) {
        return Err(no_stream());
    }
    let place = Place {
        after: place,
        as_of: now_ms(),
        page: 0,
    };
    let mut page = scan(group, place, range, ascending, limit, |event| {
        &*event.stream == stream
    })
    .events;
    if !ascending {
        page.reverse();
    }
    let events: Vec<Value> = page
        .iter()
        .map(|(key, event)| json!({"timestamp": key.timestamp, "message": &*event.message, "ingestionTime": key.ingestion}))
        .collect();
    // At the end of the data the same token comes back; it is never null.
    let (first, last) = (
        page.first().map(|(key, _)| *key).or(place.after),
        page.last().map(|(key, _)| *key).or(place.after),
    );
    let scope = stream_scope(&name, stream);
    Ok(json!({
        "events": events,
        "nextForwardToken": format!("f/{}", token(scope, &json!(last))),
        "nextBackwardToken": format!("b/{}", token(scope, &json!(first))),
    }))
}

fn stream_scope(group: &str, stream: &str) -> u64 {
    scope(&json!({"group": group, "stream": stream}))
}

/// `startTime..=endTime`, both optional.
fn times(input: &Value) -> Result<(i64, i64), Fault> {
    let start = number(input, "startTime")?.unwrap_or(0);
    let end = number(input, "endTime")?.unwrap_or(i64::MAX - 1);
    if start < 0 || end < 0 {
        return Err(Fault::invalid(
            "1 validation error detected: Value at 'startTime' failed to satisfy constraint: Member must have value greater than or equal to 0",
        ));
    }
    if start > end {
        return Err(Fault::invalid(
            "startTime must be less than or equal to endTime",
        ));
    }
    Ok((start, end))
}

struct Page<'a> {
    events: Vec<(Key, &'a Event)>,
    next: Option<Place>,
}

/// One page of what was visible at `place.as_of`, going on after `place.after`.
fn scan<'a>(
    group: &'a Group,
    place: Place,
    (start, end): (i64, i64),
    ascending: bool,
    limit: usize,
    wanted: impl Fn(&Event) -> bool,
) -> Page<'a> {
    let (low, high) = (Key::at(start), Key::at(end.saturating_add(1)));
    let range = match (place.after, ascending) {
        (Some(after), true) => (
            Bound::Excluded(after.max(low)),
            Bound::Excluded(high.max(after)),
        ),
        (Some(after), false) => (
            Bound::Included(low.min(after)),
            Bound::Excluded(high.min(after).max(low)),
        ),
        (None, _) => (Bound::Included(low), Bound::Excluded(high)),
    };
    let empty = Page {
        events: Vec::new(),
        next: None,
    };
    if matches!(range, (Bound::Excluded(a), Bound::Excluded(b)) if a >= b) {
        return empty;
    }
    let found = group.events.range(range);
    let mut ordered: Box<dyn Iterator<Item = (&'a Key, &'a Event)> + 'a> = if ascending {
        Box::new(found)
    } else {
        Box::new(found.rev())
    };
    let mut page = empty;
    let (mut bytes, mut looked_at) = (0, 0);
    let mut last = None;
    for (key, event) in ordered.by_ref() {
        last = Some(*key);
        looked_at += 1;
        if key.ingestion <= place.as_of && wanted(event) {
            bytes += event.message.len() + 120;
            page.events.push((*key, event));
        }
        if page.events.len() >= limit || bytes >= PAGE_BYTES || looked_at >= PAGE_SCAN {
            break;
        }
    }
    if ordered.next().is_some() {
        page.next = Some(Place {
            after: last,
            as_of: place.as_of,
            page: place.page + 1,
        });
    }
    page
}
