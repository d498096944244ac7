//! Lines of a log joined into samples: a text REPORT line does not say that its handler raised, the error line before it does.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::Sample;
use crate::domain::line::{Facts, Kind, Level, LogEvent};
use crate::domain::report::{InitReport, Outcome, Report};
use crate::domain::request_id::RequestId;

/// What one line tells about an invocation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Told {
    /// It ended: its REPORT line.
    Ended(Sample),
    /// It failed: an error that the function logged, or Lambda's words on a crash. With the request's folded id, if the
    /// line names one.
    Failed(Option<u64>),
    /// Its init ran into the limit.
    InitTimedOut,
}

/// A line that tells something about an invocation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CallLine {
    /// A hash of the stream's name: an environment, which serves one request at a time.
    pub stream: u64,
    /// Event time, milliseconds since the epoch.
    pub at_ms: i64,
    /// What it tells.
    pub told: Told,
}

impl CallLine {
    /// Reads a log event; `None` for a line that says nothing about how a call went.
    pub fn read(event: &LogEvent) -> Option<CallLine> {
        let mut hasher = DefaultHasher::new();
        event.stream.hash(&mut hasher);
        Some(CallLine {
            stream: hasher.finish(),
            at_ms: event.timestamp,
            told: told(event)?,
        })
    }
}

fn told(event: &LogEvent) -> Option<Told> {
    if let Some(report) = Report::parse(&event.message) {
        return Some(Told::Ended(Sample::from_report(&report, event.timestamp)));
    }
    if let Some(init) = InitReport::parse(&event.message) {
        return (init.status == Outcome::Timeout).then_some(Told::InitTimedOut);
    }
    let facts = Facts::read(event.message.as_bytes());
    let failure = matches!(
        facts.kind,
        Kind::App | Kind::Timeout | Kind::OutOfMemory | Kind::Crash
    );
    (failure && facts.level >= Level::Error)
        .then(|| Told::Failed(facts.request.map(RequestId::folded)))
}
