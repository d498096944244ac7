//! The hand-over of a shift: everything that was measured and found, as Markdown. Every figure with its n and source.

mod markdown;

use serde::Serialize;

use crate::domain::doctor::Diagnosis;
use crate::domain::drift::DriftReport;
use crate::domain::function::FunctionConfig;
use crate::domain::latency::histogram::Bin;
use crate::domain::latency::series::Bucket;
use crate::domain::vitals::Vitals;

/// What the report is about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Source {
    /// Target.
    pub target: String,
    /// Account.
    pub account: Option<String>,
    /// Region.
    pub region: String,
    /// Function.
    pub function: String,
    /// Endpoint.
    pub endpoint: String,
    /// Whether this is the embedded sandbox and not AWS.
    pub sandbox: bool,
}

/// Error lines that say the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorGroup {
    /// The line with its variable parts masked.
    pub template: String,
    /// How many.
    pub count: usize,
    /// A request to look at, if the lines name one.
    pub request_id: Option<String>,
    /// When it was last seen, milliseconds since the epoch.
    pub last_ms: i64,
}

/// The error lines of the window, or why nobody could look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Errors {
    /// The most frequent first.
    Groups(Vec<ErrorGroup>),
    /// They could not be read; why, in a sentence.
    Unread(String),
}

/// Recent requests beside the rows that a model was trained on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DriftLine {
    /// The model's version.
    pub against: String,
    /// The comparison.
    pub report: DriftReport,
}

/// How far recent requests are from the training rows, or why that cannot be said.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Drifting {
    /// The comparison.
    Compared(DriftLine),
    /// There is none; why, in a sentence.
    Unread(String),
}

/// Everything the report says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Handover {
    /// When, RFC 3339.
    pub written: String,
    /// About what.
    pub source: Source,
    /// The function.
    pub config: Option<FunctionConfig>,
    /// What surrounds it, in words: aliases, versions, concurrency, …
    pub surroundings: Vec<(&'static str, String)>,
    /// The figures.
    pub vitals: Vitals,
    /// Over time.
    pub series: Vec<Bucket>,
    /// How latencies are spread.
    pub histogram: Vec<Bin>,
    /// What the REPORT figures rest on.
    pub note: String,
    /// What the log calls errors.
    pub errors: Errors,
    /// How far recent requests are from the training rows, or why that cannot be said.
    pub drift: Drifting,
    /// What Doctor found.
    pub diagnosis: Diagnosis,
}

#[cfg(test)]
mod tests;
