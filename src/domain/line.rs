//! One log event as CloudWatch hands it over, and what its text says: kind of line, level, request.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::request_id::RequestId;

mod json;
mod text;

/// One log event, from `FilterLogEvents`, Live Tail, a file or a recording. Serialises to the JSON object of
/// `vintner logs --json` and of recordings (`timestamp`, `ingestionTime`, `logStreamName`, `eventId`, `message`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEvent {
    /// When the event happened, milliseconds since the epoch; 0 when unknown, which is `null` in JSON.
    #[serde(with = "known_time")]
    pub timestamp: i64,
    /// When CloudWatch received it, milliseconds since the epoch (equal to `timestamp` when unknown).
    #[serde(default, with = "known_time")]
    pub ingestion_time: i64,
    /// Log group name.
    #[serde(
        rename = "logGroupName",
        with = "shared_text",
        default = "shared_text::empty"
    )]
    pub group: Arc<str>,
    /// Log stream name.
    #[serde(
        rename = "logStreamName",
        with = "shared_text",
        default = "shared_text::empty"
    )]
    pub stream: Arc<str>,
    /// CloudWatch's id; Live Tail events and plain files have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<Box<str>>,
    /// The text, possibly of several lines.
    pub message: String,
}

impl LogEvent {
    /// When it happened, as far as that can be: CloudWatch takes events up to two hours ahead of its own clock.
    pub fn settled_time(&self) -> i64 {
        match self.ingestion_time {
            0 => self.timestamp,
            received => self.timestamp.min(received),
        }
    }

    /// The order of the Logs tab: event time, then arrival at CloudWatch, then event id.
    pub fn order_key(&self) -> (i64, i64, Option<&str>) {
        (
            self.timestamp,
            self.ingestion_time,
            self.event_id.as_deref(),
        )
    }
}

/// serde for times: 0 is `null`.
mod known_time {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
    pub fn serialize<S: Serializer>(time: &i64, to: S) -> Result<S::Ok, S::Error> {
        (*time != 0).then_some(*time).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
        Ok(Option::deserialize(from)?.unwrap_or_default())
    }
}

/// serde for `Arc<str>` without serde's `rc` feature.
mod shared_text {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(text: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(text)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
        String::deserialize(from).map(Arc::from)
    }

    pub fn empty() -> Arc<str> {
        Arc::from("")
    }
}

/// Severity, ordered: `Level::Warn < Level::Error`. A line that names none is `Info`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum Level {
    /// Finest detail.
    Trace,
    /// For developers.
    Debug,
    /// Normal course, and every line without a level.
    #[default]
    Info,
    /// Suspicious, but the request went on.
    Warn,
    /// The request or a part of it failed.
    Error,
    /// The process cannot go on.
    Fatal,
}

impl Level {
    /// All levels, lowest first.
    pub const ALL: [Self; 6] = [
        Self::Trace,
        Self::Debug,
        Self::Info,
        Self::Warn,
        Self::Error,
        Self::Fatal,
    ];

    /// The upper-case word: `WARN`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }

    /// Reads the words in use across loggers (`warning`, `err`, `critical`, `notice`, …), in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::from_bytes(word.as_bytes())
    }

    /// [`Level::parse`] for bytes.
    pub fn from_bytes(word: &[u8]) -> Option<Self> {
        let is = |names: &[&str]| {
            names
                .iter()
                .any(|name| word.eq_ignore_ascii_case(name.as_bytes()))
        };
        match word.first()?.to_ascii_lowercase() {
            b'i' if is(&["info", "information"]) => Some(Self::Info),
            b'e' if is(&["error", "err"]) => Some(Self::Error),
            b'w' if is(&["warn", "warning"]) => Some(Self::Warn),
            b'd' if is(&["debug"]) => Some(Self::Debug),
            b't' if is(&["trace"]) => Some(Self::Trace),
            b'n' if is(&["notice"]) => Some(Self::Info),
            b'v' if is(&["verbose"]) => Some(Self::Debug),
            b's' if is(&["severe"]) => Some(Self::Error),
            b'f' if is(&["fatal"]) => Some(Self::Fatal),
            b'c' if is(&["critical", "crit"]) => Some(Self::Fatal),
            b'a' if is(&["alert"]) => Some(Self::Fatal),
            b'p' if is(&["panic"]) => Some(Self::Fatal),
            _ => None,
        }
    }
}

/// What sort of line it is. Everything that is not Lambda's own grammar is `App`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Kind {
    /// Written by the function.
    #[default]
    App,
    /// `INIT_START`, `platform.initStart`: a cold start begins.
    InitStart,
    /// `INIT_REPORT`, `platform.initReport`: how an unusual init ended.
    InitReport,
    /// `START`, `platform.start`.
    Start,
    /// `END`, `platform.runtimeDone`.
    End,
    /// `REPORT`, `platform.report`.
    Report,
    /// `RESTORE_START`, `RESTORE_REPORT`, `platform.restore…`.
    Restore,
    /// `Task timed out after …`.
    Timeout,
    /// `RequestId: … Error: …`: the runtime died.
    Crash,
    /// The runtime was killed: out of memory.
    OutOfMemory,
    /// Another `platform.…` or extension line.
    Platform,
}

impl Kind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::App,
        Self::InitStart,
        Self::InitReport,
        Self::Start,
        Self::End,
        Self::Report,
        Self::Restore,
        Self::Timeout,
        Self::Crash,
        Self::OutOfMemory,
        Self::Platform,
    ];

    /// Whether Lambda wrote the line, not the function.
    pub fn is_platform(self) -> bool {
        self != Self::App
    }
}

/// What the text of one event says, read without allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// Sort of line.
    pub kind: Kind,
    /// Severity.
    pub level: Level,
    /// The invocation the line itself names.
    pub request: Option<RequestId>,
    /// The time the line itself carries, milliseconds since the epoch.
    pub time: Option<i64>,
}

impl Facts {
    /// Reads any bytes: every form of Lambda's log grammar, the JSON and tab-separated lines of its runtimes, and the
    /// conventions of common loggers. Never fails; what it does not know is an `App` line at `Info`.
    pub fn read(message: &[u8]) -> Self {
        let message = message.trim_ascii_start();
        match message.first() {
            Some(b'{') => json::read(message),
            Some(b'S') if message.starts_with(b"START RequestId: ") => {
                Self::platform(Kind::Start, &message[17..])
            }
            Some(b'E') if message.starts_with(b"END RequestId: ") => {
                Self::platform(Kind::End, &message[15..])
            }
            Some(b'R') => text::read_r(message),
            Some(b'I') if message.starts_with(b"INIT_START") => {
                Self::of(Kind::InitStart, Level::Info)
            }
            Some(b'I') if message.starts_with(b"INIT_REPORT") => {
                Self::of(Kind::InitReport, failed_level(message))
            }
            _ => text::read(message),
        }
    }

    fn of(kind: Kind, level: Level) -> Self {
        Self {
            kind,
            level,
            ..Self::default()
        }
    }

    /// A START or END line; without an id it is only an app line.
    fn platform(kind: Kind, id: &[u8]) -> Self {
        match RequestId::at_start(id) {
            Some(id) => Self {
                request: Some(id),
                ..Self::of(kind, Level::Info)
            },
            None => Self::default(),
        }
    }
}

/// The level of a REPORT or `INIT_REPORT` text line: an error when it has a status.
fn failed_level(message: &[u8]) -> Level {
    if memchr::memmem::find(message, b"Status: ")
        .is_some_and(|at| !message[at + 8..].starts_with(b"success"))
    {
        Level::Error
    } else {
        Level::Info
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "79b5e81f-1c2d-4e3f-8a9b-0c1d2e3f4a5b";

    /// (message, kind, level, names the request, carries the time 2026-10-08T07:30:29.470Z)
    #[rustfmt::skip]
    const GRAMMAR: &[(&str, Kind, Level, bool, bool)] = &[
        ("INIT_START Runtime Version: python:3.12.v30\tRuntime Version ARN: arn:aws:lambda:us-east-2::runtime:abc", Kind::InitStart, Level::Info, false, false),
        ("START RequestId: {ID} Version: $LATEST", Kind::Start, Level::Info, true, false),
        ("END RequestId: {ID}\n", Kind::End, Level::Info, true, false),
        ("REPORT RequestId: {ID}\tDuration: 41.75 ms\tBilled Duration: 42 ms\tMemory Size: 1024 MB\tMax Memory Used: 237 MB\t\n", Kind::Report, Level::Info, true, false),
        ("REPORT RequestId: {ID}\tDuration: 30000.00 ms\tBilled Duration: 30000 ms\tMemory Size: 1024 MB\tMax Memory Used: 237 MB\tStatus: timeout", Kind::Report, Level::Error, true, false),
        ("INIT_REPORT Init Duration: 9999.72 ms\tPhase: init\tStatus: timeout", Kind::InitReport, Level::Error, false, false),
        ("RESTORE_START Runtime Version: java:21.v30\tRuntime Version ARN: arn", Kind::Restore, Level::Info, false, false),
        ("RESTORE_REPORT Restore Duration: 789.64 ms", Kind::Restore, Level::Info, false, false),
        ("2026-10-08T07:30:29.470Z {ID} Task timed out after 30.03 seconds\n\n", Kind::Timeout, Level::Error, true, true),
        ("RequestId: {ID} Error: Runtime exited with error: signal: killed\nRuntime.ExitError", Kind::OutOfMemory, Level::Fatal, true, false),
        ("RequestId: {ID} Error: Runtime exited with error: exit status 1\nRuntime.ExitError", Kind::Crash, Level::Fatal, true, false),
        ("RequestId: {ID} Error: Runtime exited without providing a reason\nRuntime.ExitError", Kind::Crash, Level::Fatal, true, false),
        ("[ERROR] ValueError: could not convert string to float: 'x'\rTraceback (most recent call last):\r  File \"app.py\"", Kind::App, Level::Error, false, false),
        ("[WARNING]\t2026-10-08T07:30:29.470Z\t{ID}\tslow", Kind::App, Level::Warn, true, true),
        ("[INFO]\t2026-10-08T07:30:29.470Z\t\tat init", Kind::App, Level::Info, false, true),
        ("2026-10-08T07:30:29.470Z\t{ID}\tERROR\tInvoke Error \t{\"errorType\":\"Error\"}", Kind::App, Level::Error, true, true),
        ("2026-10-08T07:30:29.470Z\tundefined\tWARN\tat init", Kind::App, Level::Warn, false, true),
        ("EXTENSION\tName: otel\tState: Ready\tEvents: [INVOKE, SHUTDOWN]", Kind::Platform, Level::Info, false, false),
        ("❌ Error: could not convert string to float", Kind::App, Level::Error, false, false),
        ("✅ Model loaded successfully", Kind::App, Level::Info, false, false),
        ("WARNING:root:low memory", Kind::App, Level::Warn, false, false),
        ("Error handling is fine here", Kind::App, Level::Info, false, false),
        ("level=error msg=\"no route\"", Kind::App, Level::Error, false, false),
        ("ValueError: bad", Kind::App, Level::Error, false, false),
        (r#"{"time":"2026-10-08T07:30:29.470Z","type":"platform.initStart","record":{"phase":"init","runtimeVersion":"python:3.12.v30"}}"#, Kind::InitStart, Level::Info, false, true),
        (r#"{"time":"2026-10-08T07:30:29.470Z","type":"platform.start","record":{"requestId":"{ID}","version":"$LATEST"}}"#, Kind::Start, Level::Info, true, true),
        (r#"{"time":"2026-10-08T07:30:29.470Z","type":"platform.runtimeDone","record":{"requestId":"{ID}","status":"success"}}"#, Kind::End, Level::Info, true, true),
        (r#"{"time":"2026-10-08T07:30:29.470Z","type":"platform.report","record":{"requestId":"{ID}","metrics":{"durationMs":1.5},"status":"error","errorType":"Runtime.OutOfMemory"}}"#, Kind::Report, Level::Error, true, true),
        (r#"{"time":"2026-10-08T07:30:29.470Z","type":"platform.initReport","record":{"status":"timeout","metrics":{"durationMs":9999.7}}}"#, Kind::InitReport, Level::Error, false, true),
        (r#"{"time":"2026-10-08T07:30:29.470Z","type":"platform.telemetrySubscription","record":{}}"#, Kind::Platform, Level::Info, false, true),
        (r#"{"timestamp": "2026-10-08T07:30:29.470Z", "level": "ERROR", "message": "x \"level\":\"INFO\"", "logger": "root", "requestId": "{ID}"}"#, Kind::App, Level::Error, true, true),
        (r#"{"time":1791444629470,"level":40,"msg":"pino"}"#, Kind::App, Level::Warn, false, true),
        (r#"{"errorMessage":"boom","errorType":"ValueError","stackTrace":[]}"#, Kind::App, Level::Error, false, false),
        (r#"{"message":"❌ Error: no model"}"#, Kind::App, Level::Error, false, false),
        ("", Kind::App, Level::Info, false, false),
        ("START RequestId: nonsense", Kind::App, Level::Info, false, false),
    ];

    #[test]
    fn reads_every_form_of_the_grammar() {
        for (message, kind, level, has_request, has_time) in GRAMMAR {
            let facts = Facts::read(message.replace("{ID}", ID).as_bytes());
            let want = Facts {
                kind: *kind,
                level: *level,
                request: has_request.then(|| ID.parse().unwrap()),
                time: has_time.then_some(1_791_444_629_470),
            };
            assert_eq!(facts, want, "{message}");
        }
    }

    #[test]
    fn an_event_travels_as_one_json_object() {
        let line = r#"{"timestamp":1,"ingestionTime":2,"logGroupName":"g","logStreamName":"s","eventId":"7","message":"a\nb"}"#;
        let event: LogEvent = serde_json::from_str(line).unwrap();
        assert_eq!(event.message, "a\nb");
        assert_eq!(serde_json::to_string(&event).unwrap(), line);
        let sparse: LogEvent = serde_json::from_str(r#"{"timestamp":1,"message":"x"}"#).unwrap();
        assert_eq!((sparse.event_id, &*sparse.stream), (None, ""));
        let timeless = r#"{"timestamp":null,"ingestionTime":null,"logGroupName":"","logStreamName":"","message":"x"}"#;
        let event: LogEvent = serde_json::from_str(timeless).unwrap();
        assert_eq!(event.timestamp, 0);
        assert_eq!(serde_json::to_string(&event).unwrap(), timeless);
    }

    proptest! {
        #[test]
        fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Facts::read(&bytes);
        }

        #[test]
        fn any_cut_of_the_grammar_is_safe(form in 0..GRAMMAR.len(), cut in 0_usize..200, tail in "\\PC{0,10}") {
            let mut bytes = GRAMMAR[form].0.replace("{ID}", ID).into_bytes();
            bytes.truncate(cut);
            bytes.extend_from_slice(tail.as_bytes());
            let _ = Facts::read(&bytes);
        }

        #[test]
        fn every_level_word_reads_back(level in prop_oneof![Just(Level::Trace), Just(Level::Debug), Just(Level::Info), Just(Level::Warn), Just(Level::Error), Just(Level::Fatal)]) {
            prop_assert_eq!(Level::parse(level.word()), Some(level));
            prop_assert_eq!(Facts::read(format!("{} it happened", level.word()).as_bytes()).level, level);
        }
    }
}
