//! One line for a person: what a log event says, without its frame of JSON, columns and ids.

use std::borrow::Cow;

use crate::domain::fields::{self, members};
use crate::domain::request_id::{RequestId, TEXT_LEN};
use crate::domain::timestamp;

/// The members that carry an event's words, best first.
const WORDS: [&[u8]; 6] = [
    b"message",
    b"msg",
    b"errorMessage",
    b"event",
    b"error",
    b"log",
];
/// Members that are columns of their own on screen.
const FRAME: [&[u8]; 15] = [
    b"timestamp",
    b"time",
    b"@timestamp",
    b"ts",
    b"level",
    b"severity",
    b"levelname",
    b"lvl",
    b"log_level",
    b"requestId",
    b"request_id",
    b"aws_request_id",
    b"awsRequestId",
    b"AWSRequestId",
    b"function_request_id",
];

/// The event in one line: a JSON object becomes its words followed by the other members as `key=value`; the runtimes'
/// tab-separated columns (level, time, request id) are dropped; only the first line of several is kept.
pub fn of(message: &str) -> Cow<'_, str> {
    let message = message.trim();
    if message.starts_with('{') {
        of_json(message)
    } else {
        Cow::Borrowed(first_line(without_columns(message)))
    }
}

/// Only the words of an event, for its template and for a request's error column: no other members.
pub fn words(message: &str) -> Cow<'_, str> {
    let message = message.trim();
    if !message.starts_with('{') {
        return Cow::Borrowed(first_line(without_columns(message)));
    }
    let kind = fields::member(message.as_bytes(), b"errorType").map(fields::text);
    let words = find_words(message).map(|(_, raw)| fields::text(raw));
    match (kind, words) {
        (Some(kind), Some(words)) if !words.starts_with(&kind) => {
            Cow::Owned(format!("{kind}: {}", first_line(&words)))
        }
        (_, Some(words)) => Cow::Owned(first_line(words.trim()).to_owned()),
        (Some(kind), None) => Cow::Owned(kind),
        (None, None) => of_json(message),
    }
}

/// The key that carries the words, and its raw value.
fn find_words(message: &str) -> Option<(&'static [u8], &[u8])> {
    WORDS
        .iter()
        .find_map(|key| Some((*key, fields::member(message.as_bytes(), key)?)))
}

fn of_json(message: &str) -> Cow<'_, str> {
    if let Some(platform) = platform(message) {
        return Cow::Owned(platform);
    }
    let words = find_words(message);
    let mut line = words.map(|(_, raw)| fields::text(raw)).unwrap_or_default();
    line.truncate(first_line(&line).len());
    for (key, raw) in members(message.as_bytes()) {
        if FRAME.contains(&key) || words.is_some_and(|(used, _)| used == key) {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&String::from_utf8_lossy(key));
        line.push('=');
        line.push_str(first_line(&fields::text(raw)));
    }
    if line.is_empty() {
        Cow::Borrowed(first_line(message))
    } else {
        Cow::Owned(line)
    }
}

/// `platform.report` and friends: the type's last word and the record's plain members.
fn platform(message: &str) -> Option<String> {
    let kind = fields::text(fields::member(message.as_bytes(), b"type")?);
    let mut line = kind.strip_prefix("platform.")?.to_owned();
    let record = fields::member(message.as_bytes(), b"record")?;
    let metrics = fields::member(record, b"metrics").unwrap_or_default();
    for (key, raw) in members(record).chain(members(metrics)) {
        if key != b"requestId" && !matches!(raw.first(), Some(b'{' | b'[')) {
            line.push(' ');
            line.push_str(&String::from_utf8_lossy(key));
            line.push('=');
            line.push_str(&fields::text(raw));
        }
    }
    Some(line)
}

/// The text behind `[LEVEL]`, time, request id and level columns.
fn without_columns(message: &str) -> &str {
    let mut rest = message;
    if let Some((level, after)) = rest
        .strip_prefix('[')
        .and_then(|inner| inner.split_once(']'))
        && crate::domain::line::Level::parse(level.trim()).is_some()
    {
        rest = after.trim_start();
    }
    let Some((_, len)) = timestamp::parse_prefix(rest.as_bytes()) else {
        return without_request(rest);
    };
    rest = without_request(rest[len..].trim_start());
    match rest.split_once('\t') {
        Some((level, after)) if crate::domain::line::Level::parse(level).is_some() => after,
        _ => rest,
    }
}

fn without_request(rest: &str) -> &str {
    let bare = rest.strip_prefix("RequestId: ").unwrap_or(rest);
    let bare = bare.strip_prefix("undefined\t").unwrap_or(bare);
    if RequestId::at_start(bare.as_bytes()).is_some() {
        bare[TEXT_LEN..].trim_start()
    } else {
        bare
    }
}

fn first_line(text: &str) -> &str {
    text.split(['\n', '\r'])
        .next()
        .unwrap_or_default()
        .trim_end()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn drops_the_frame() {
        let id = "79b5e81f-1c2d-4e3f-8a9b-0c1d2e3f4a5b";
        for (message, line, words) in [
            (r#"{"timestamp":"2026-10-08T07:30:29Z","level":"INFO","message":"scored","score":5.1}"#.to_owned(), "scored score=5.1", "scored"),
            (r#"{"errorType":"ValueError","errorMessage":"bad\nx"}"#.to_owned(), "bad errorType=ValueError", "ValueError: bad"),
            (format!("2026-10-08T07:30:29.470Z\t{id}\tERROR\tInvoke Error"), "Invoke Error", "Invoke Error"),
            (format!("[INFO]\t2026-10-08T07:30:29.470Z\t{id}\tscored"), "scored", "scored"),
            (format!("2026-10-08T07:30:29.470Z {id} Task timed out after 30.03 seconds\n\n"), "Task timed out after 30.03 seconds", "Task timed out after 30.03 seconds"),
            (format!("RequestId: {id} Error: Runtime exited with error: signal: killed\nRuntime.ExitError"), "Error: Runtime exited with error: signal: killed", "Error: Runtime exited with error: signal: killed"),
            ("[ERROR] KeyError: 'x'\rTraceback".to_owned(), "KeyError: 'x'", "KeyError: 'x'"),
            ("✅ Model loaded".to_owned(), "✅ Model loaded", "✅ Model loaded"),
            (r#"{"time":"2026-10-08T07:30:29Z","type":"platform.report","record":{"requestId":"x","metrics":{"durationMs":1.5},"status":"success"}}"#.to_owned(), "report status=success durationMs=1.5", "report status=success durationMs=1.5"),
        ] {
            assert_eq!(of(&message), line);
            assert_eq!(super::words(&message), words);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_safe(text in "\\PC{0,60}", json in "[{}\\[\\]\":,a\\\\ 1]{0,40}") {
            let _ = (of(&text), words(&text));
            let json = format!("{{\"message\":{json}");
            let _ = (of(&json), words(&json));
        }
    }
}
