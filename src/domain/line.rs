//! One log event as CloudWatch hands it over, and what its text says: kind of line, level, request.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One log event, from FilterLogEvents, Live Tail, a file or a recording. Serialises to the JSON object of
/// `vintner logs --json` and of recordings (`timestamp`, `ingestionTime`, `logStreamName`, `eventId`, `message`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEvent {
    /// When the event happened, milliseconds since the epoch.
    pub timestamp: i64,
    /// When CloudWatch received it, milliseconds since the epoch (equal to `timestamp` when unknown).
    #[serde(default)]
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
    /// The order of the Logs tab: event time, then arrival at CloudWatch, then event id.
    pub fn order_key(&self) -> (i64, i64, Option<&str>) {
        (
            self.timestamp,
            self.ingestion_time,
            self.event_id.as_deref(),
        )
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
