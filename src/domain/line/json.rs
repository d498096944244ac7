//! JSON lines: Lambda's `platform.…` events and the objects that loggers write.

use super::{Facts, Kind, Level, text};
use crate::domain::fields::{self, members, plain_str};
use crate::domain::request_id::RequestId;
use crate::domain::timestamp;

/// Reads a message that starts with `{`. Stops at the third fact, for long objects tend to carry them in front.
pub fn read(message: &[u8]) -> Facts {
    let mut facts = Facts::default();
    let mut level = None;
    let mut words = None;
    for (key, value) in members(message) {
        match key {
            b"timestamp" | b"time" | b"@timestamp" | b"ts" => {
                facts.time = facts.time.or_else(|| time(value));
            }
            b"level" | b"severity" | b"levelname" | b"log_level" | b"lvl" => {
                level = level.or_else(|| level_of(value));
            }
            b"requestId"
            | b"request_id"
            | b"aws_request_id"
            | b"awsRequestId"
            | b"AWSRequestId"
            | b"function_request_id" => {
                facts.request = facts.request.or_else(|| request(value));
            }
            b"type" if value.starts_with(b"\"platform.") => {
                return platform(message, &value[10..value.len() - 1], facts.time);
            }
            b"message" | b"msg" => words = plain_str(value),
            b"errorType" | b"errorMessage" => level = level.or(Some(Level::Error)),
            _ => {}
        }
        if facts.time.is_some() && level.is_some() && facts.request.is_some() {
            break;
        }
    }
    facts.level = level
        .or_else(|| words.map(|words| text::read(words).level))
        .unwrap_or_default();
    facts
}

/// RFC 3339, or a number of seconds or milliseconds since the epoch.
fn time(value: &[u8]) -> Option<i64> {
    if let Some(text) = plain_str(value) {
        return timestamp::parse(text);
    }
    let number: f64 = std::str::from_utf8(value).ok()?.parse().ok()?;
    // A number below 10^11 is seconds until the year 5138.
    let millis = if number < 1e11 {
        number * 1000.0
    } else {
        number
    };
    number.is_finite().then_some(millis as i64)
}

/// A word, or the numbers of pino and bunyan (10 trace … 60 fatal).
fn level_of(value: &[u8]) -> Option<Level> {
    match value {
        b"10" => Some(Level::Trace),
        b"20" => Some(Level::Debug),
        b"30" => Some(Level::Info),
        b"40" => Some(Level::Warn),
        b"50" => Some(Level::Error),
        b"60" => Some(Level::Fatal),
        _ => Level::from_bytes(plain_str(value)?),
    }
}

fn request(value: &[u8]) -> Option<RequestId> {
    RequestId::exact(plain_str(value)?)
}

fn platform(message: &[u8], kind: &[u8], time_seen: Option<i64>) -> Facts {
    let record = fields::member(message, b"record").unwrap_or_default();
    let mut facts = Facts {
        kind: Kind::Platform,
        time: time_seen.or_else(|| time(fields::member(message, b"time")?)),
        ..Facts::default()
    };
    let mut failed = false;
    for (key, value) in members(record) {
        match key {
            b"requestId" => facts.request = request(value),
            b"status" => failed = value != b"\"success\"",
            _ => {}
        }
    }
    facts.kind = match kind {
        b"initStart" => Kind::InitStart,
        b"start" => Kind::Start,
        b"runtimeDone" => Kind::End,
        b"report" => Kind::Report,
        b"initReport" => Kind::InitReport,
        b"restoreStart" | b"restoreRuntimeDone" | b"restoreReport" => Kind::Restore,
        _ => Kind::Platform,
    };
    if failed {
        facts.level = Level::Error;
    }
    facts
}
