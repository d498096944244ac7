//! `StartLiveTail`: an event stream with one update a second, sampled above 500 events.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use axum::body::{Body, Bytes};
use axum::http::Response;
use serde_json::{Value, json};
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::super::incident::Incident;
use super::super::reply::{Fault, respond};
use super::super::world::{World, lock, now_ms};
use super::pattern::Pattern;
use super::{from_arn, no_group, text, texts};

/// Most events in one update; above it the session is sampled.
const MOST_EVENTS: usize = 500;
/// The same in [`Incident::LiveTailSampled`].
const FEW_EVENTS: usize = 2;
/// How long a session lasts in [`Incident::LiveTailEnds`], at speed 1.
const SHORT_SESSION: Duration = Duration::from_secs(5);
/// How far back an update looks for events that were stored a moment after their ingestion time.
const LOOK_BACK_MS: i64 = 2_000;

struct Session {
    world: Arc<World>,
    groups: Vec<String>,
    streams: Vec<String>,
    prefixes: Vec<String>,
    pattern: Pattern,
    since: i64,
    seen: BTreeSet<(i64, u64)>,
    tick: Interval,
    opened: Instant,
    greeting: Option<Bytes>,
    over: bool,
}

pub(super) fn start(world: &Arc<World>, input: &Value) -> Result<Response<Body>, Fault> {
    let identifiers = texts(input, "logGroupIdentifiers")?;
    if identifiers.is_empty() || identifiers.len() > 10 {
        return Err(Fault::invalid(
            "1 validation error detected: Value at 'logGroupIdentifiers' failed to satisfy constraint: Member must have length between 1 and 10",
        ));
    }
    let (streams, prefixes) = (
        texts(input, "logStreamNames")?,
        texts(input, "logStreamNamePrefixes")?,
    );
    if identifiers.len() > 1 && !(streams.is_empty() && prefixes.is_empty()) {
        return Err(Fault::invalid(
            "Log streams can be specified only for a single log group.",
        ));
    }
    let filter = text(input, "logEventFilterPattern")?.unwrap_or_default();
    let pattern = Pattern::parse(filter)?;
    let groups = identifiers
        .iter()
        .map(|arn| from_arn(arn))
        .collect::<Result<Vec<_>, _>>()?;
    {
        let logs = lock(&world.logs);
        if !groups.iter().all(|group| logs.groups.contains_key(group))
            || world.is(Incident::WrongRegion)
        {
            return Err(no_group());
        }
    }
    let session = lock(&world.function).request_id().to_string();
    let opened = json!({
        "requestId": session, "sessionId": session, "logGroupIdentifiers": identifiers,
        "logStreamNames": streams, "logStreamNamePrefixes": prefixes, "logEventFilterPattern": filter,
    });
    let mut greeting = frame("event", "initial-response", &json!({}));
    greeting.extend(frame("event", "sessionStart", &opened));
    let speed = world.options.speed.max(1e-3);
    let mut tick = tokio::time::interval(Duration::from_secs_f64((1.0 / speed).max(0.01)));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let session = Session {
        world: Arc::clone(world),
        groups,
        streams,
        prefixes,
        pattern,
        // The look-back must not reach before the session.
        since: now_ms() + LOOK_BACK_MS,
        seen: BTreeSet::new(),
        tick,
        opened: Instant::now(),
        greeting: Some(greeting.into()),
        over: false,
    };
    let frames = futures::stream::unfold(session, |mut session| async move {
        let frame = session.next().await?;
        Some((Ok::<_, Infallible>(frame), session))
    });
    Ok(respond(
        200,
        "application/vnd.amazon.eventstream",
        Body::from_stream(frames),
    ))
}

impl Session {
    /// The next bytes of the session, or its end.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(greeting) = self.greeting.take() {
            return Some(greeting);
        }
        if self.over {
            return None;
        }
        let stop = self.world.stop.clone();
        let ends = self.opened + self.lasts();
        tokio::select! {
            () = stop.cancelled() => None,
            () = tokio::time::sleep_until(ends) => {
                self.over = true;
                Some(frame("exception", "SessionTimeoutException", &json!({"message": "The session has reached its maximum duration of 3 hours."})).into())
            }
            _ = self.tick.tick() => Some(self.update().into()),
        }
    }

    fn lasts(&self) -> Duration {
        let options = &self.world.options;
        let at_speed_one = if self.world.is(Incident::LiveTailEnds) {
            SHORT_SESSION.min(options.live_tail_session)
        } else {
            options.live_tail_session
        };
        at_speed_one.div_f64(options.speed.max(1e-3))
    }

    fn update(&mut self) -> Vec<u8> {
        let now = now_ms();
        let from = self.since - LOOK_BACK_MS;
        let mut results = Vec::new();
        {
            let logs = lock(&self.world.logs);
            for name in &self.groups {
                let Some(group) = logs.groups.get(name) else {
                    continue;
                };
                for (key, event) in group.arrived(from, now) {
                    if self.seen.insert((key.ingestion, key.sequence))
                        && self.wants(&event.stream, &event.message)
                    {
                        results.push(json!({
                            "logStreamName": &*event.stream,
                            "logGroupIdentifier": format!("{}:{name}", self.world.options.account),
                            "message": &*event.message, "timestamp": key.timestamp, "ingestionTime": key.ingestion,
                        }));
                    }
                }
            }
        }
        self.since = self.since.max(now);
        self.seen
            .retain(|(ingestion, _)| *ingestion >= now - 2 * LOOK_BACK_MS);
        let most = if self.world.is(Incident::LiveTailSampled) {
            FEW_EVENTS
        } else {
            MOST_EVENTS
        };
        let sampled = results.len() > most;
        if sampled {
            let stride = results.len() as f64 / most as f64;
            let kept = (0..most).map(|index| results[(index as f64 * stride) as usize].take());
            results = kept.collect();
        }
        frame(
            "event",
            "sessionUpdate",
            &json!({"sessionMetadata": {"sampled": sampled}, "sessionResults": results}),
        )
    }

    fn wants(&self, stream: &str, message: &str) -> bool {
        let named = self.streams.is_empty() && self.prefixes.is_empty()
            || self.streams.iter().any(|name| name == stream)
            || self
                .prefixes
                .iter()
                .any(|prefix| stream.starts_with(prefix.as_str()));
        named && self.pattern.matches(message)
    }
}

/// One frame of `application/vnd.amazon.eventstream`.
fn frame(kind: &'static str, name: &'static str, payload: &Value) -> Vec<u8> {
    let header = |name: &'static str, value: &'static str| {
        Header::new(name, HeaderValue::String(value.into()))
    };
    let type_header = if kind == "exception" {
        ":exception-type"
    } else {
        ":event-type"
    };
    let message = Message::new(payload.to_string())
        .add_header(header(":message-type", kind))
        .add_header(header(type_header, name))
        .add_header(header(":content-type", "application/json"));
    let mut bytes = Vec::new();
    // Only a payload beyond 4 GiB can fail, and then the frame is left out.
    if write_message_to(&message, &mut bytes).is_err() {
        bytes.clear();
    }
    bytes
}
