//! What a line says, in one line.

use std::fmt::Write;

use crate::domain::compose;
use crate::domain::headline;
use crate::domain::line::{Facts, Kind};
use crate::domain::report::{Outcome, Report};
use crate::store::Row;
use crate::ui::text::{clean, ms, whole_ms};

/// What a line says, the chosen columns first.
pub fn said(row: &Row, text: &str, columns: &[String]) -> String {
    let said = one_line(row, text);
    let cells = (!columns.is_empty())
        .then(|| compose::columns(text, columns))
        .flatten();
    cells.map_or(said.clone(), |cells| clean(&cells) + &said)
}

/// What a line says, in one line: Lambda's own lines shortened, JSON and columns unpacked, control characters disarmed.
pub fn one_line(row: &Row, text: &str) -> String {
    let short = match row.kind() {
        Kind::Start => short_id(text, "START"),
        Kind::End => short_id(text, "END"),
        Kind::Report => Report::parse(text).map(|report| report_line(&report)),
        _ => None,
    };
    clean(&short.unwrap_or_else(|| headline::of(text).into_owned()))
}

fn short_id(text: &str, word: &str) -> Option<String> {
    let facts = Facts::read(text.as_bytes());
    let id = facts.request?.to_string();
    let version = text
        .split_once("Version: ")
        .map(|(_, version)| format!("  version {}", version.trim()));
    Some(format!(
        "{word:<6} {}{}",
        &id[..8],
        version.unwrap_or_default()
    ))
}

fn report_line(report: &Report) -> String {
    let id = report.request_id.to_string();
    let mut line = format!(
        "REPORT {}  {}  billed {}  {} of {} MB",
        &id[..8],
        ms(report.duration_ms),
        whole_ms(report.billed_ms),
        report.max_memory_mb,
        report.memory_mb
    );
    if let Some(init) = report.init_ms {
        let _ = write!(line, "  init {}", ms(init));
    }
    if let Some(restore) = report.restore_ms {
        let _ = write!(line, "  restore {}", ms(restore));
    }
    if report.status != Outcome::Success {
        let _ = write!(line, "  {}", report.status.word());
    }
    if let Some(kind) = &report.error_type {
        let _ = write!(line, "  {kind}");
    }
    line
}
