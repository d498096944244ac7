//! Requests, errors, query results and timings as text for people and JSON for programs.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::store::recording::write_json;

use super::super::{Exit, Failure, Run, counted};
use super::Args;
use super::output::note;
use crate::client::logs::QueryResults;
use crate::domain::headline;
use crate::domain::invocation::{Figures, Invocation};
use crate::domain::latency::Estimate;
use crate::domain::text::visible;
use crate::domain::timestamp;
use crate::store::{Store, stats as measure};
use crate::ui::text::percent;

/// Looked for by `--stats` unless `--grep` names something.
const STATS_LITERAL: &str = "ERROR";
const STATS_REGEX: &str = r"Duration: \d{4,}\.\d+ ms";

/// All requests by start time, and their figures on stderr.
pub fn requests(store: &Store, json: bool, out: &mut impl Write) -> io::Result<()> {
    let rows = store.invocations().rows();
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    order.sort_by_key(|&position| rows[position as usize].started);
    for position in order {
        request(store, position, json, out)?;
    }
    note(&figures(&store.figures(0, None), rows.len()));
    Ok(())
}

/// One request.
pub fn request(store: &Store, position: u32, json: bool, out: &mut impl Write) -> io::Result<()> {
    let Some(row) = store.invocations().rows().get(position as usize) else {
        return Ok(());
    };
    let error = row.error_line().map(|line| store.text(line));
    let error = error.as_deref().map(headline::of);
    if json {
        let (group, stream) = store.stream(row.first_line);
        let value = json!({
            "timestamp": known_time(row.started), "requestId": row.id.to_string(), "status": row.status().word(),
            "durationMs": row.duration_ms(), "billedMs": known(row.billed_ms), "initMs": row.init_ms(), "cold": row.is_cold(),
            "memoryMB": known(row.memory_mb()), "maxMemoryMB": known(row.max_memory_mb()), "lines": row.lines,
            "logGroupName": &**group, "logStreamName": &**stream, "error": error,
        });
        return write_json(out, &value);
    }
    writeln!(out, "{}", request_text(row, error.as_deref()))
}

fn request_text(row: &Invocation, error: Option<&str>) -> String {
    let milliseconds =
        |ms: Option<f64>| ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1} ms"));
    let init = row
        .init_ms()
        .map_or_else(String::new, |ms| format!("init {ms:.0} ms"));
    let memory = match row.max_memory_mb() {
        0 => "-".to_owned(),
        used => format!("{used}/{} MB", row.memory_mb()),
    };
    let mut text = format!(
        "{} {} {:<9} {:>12} {:>13} {:>11} {:>3} {}",
        time(row.started),
        row.id,
        row.status().word(),
        milliseconds(row.duration_ms()),
        init,
        memory,
        row.lines,
        if row.lines == 1 { "line " } else { "lines" },
    );
    if let Some(error) = error {
        text.push_str("  ");
        visible(error, &mut text);
    }
    text
}

/// 0 is unknown.
fn known_time(time: i64) -> Option<i64> {
    (time != 0).then_some(time)
}

/// A time, or as many blanks.
fn time(time: i64) -> String {
    let text = known_time(time).map(timestamp::format);
    format!("{:<24}", text.unwrap_or_default())
}

fn known(value: u32) -> Option<u32> {
    (value > 0).then_some(value)
}

fn figures(figures: &Figures, requests: usize) -> String {
    let Some(duration) = &figures.duration else {
        return format!("{}, none with a REPORT line", counted(requests, "request"));
    };
    let percent = |share: Option<f64>| percent(share.unwrap_or_default());
    format!(
        "{}, {} reported: {} failed ({}), {} cold ({}), duration p50 {} p95 {} p99 {} max {:.1} ms",
        counted(requests, "request"),
        figures.n,
        figures.errors,
        percent(figures.error_rate()),
        figures.cold,
        percent(figures.cold_share()),
        estimate(duration.p50),
        estimate(duration.p95),
        estimate(duration.p99),
        duration.max,
    )
}

fn estimate(value: Estimate) -> String {
    match value {
        Estimate::TooFew => "(too few)".to_owned(),
        Estimate::AtLeast(ms) => format!("≥{ms:.1} ms"),
        Estimate::Measured(ms) => format!("{ms:.1} ms"),
    }
}

/// Kinds of errors, the most frequent first.
pub fn errors(store: &Store, json: bool, out: &mut impl Write) -> io::Result<()> {
    let mut rows: Vec<_> = store.templates().rows().iter().collect();
    rows.sort_by_key(|row| (std::cmp::Reverse(row.count), row.first_seen));
    for row in rows {
        if json {
            let value = json!({
                "count": row.count, "firstSeen": known_time(row.first_seen), "lastSeen": known_time(row.last_seen),
                "template": row.text,
            });
            write_json(out, &value)?;
            continue;
        }
        let mut text = format!(
            "{:>7}  {}  {}  ",
            row.count,
            time(row.first_seen),
            time(row.last_seen)
        );
        visible(&row.text, &mut text);
        writeln!(out, "{text}")?;
    }
    Ok(())
}

/// The rows of an Insights query: JSON objects, or columns.
pub fn results(found: &QueryResults, json: bool, out: &mut impl Write) -> io::Result<()> {
    if json {
        for row in &found.rows {
            let object: Map<String, Value> = row
                .iter()
                .map(|(field, value)| (field.clone(), Value::from(value.as_str())))
                .collect();
            write_json(out, &object)?;
        }
        return Ok(());
    }
    let fields = found.fields();
    if fields.is_empty() {
        return Ok(());
    }
    let mut lines = vec![fields.iter().map(ToString::to_string).collect::<Vec<_>>()];
    for row in &found.rows {
        let cell = |wanted: &&str| {
            let value = row.iter().find(|(field, _)| field == wanted);
            let mut text = String::new();
            visible(value.map_or("", |(_, value)| value.trim_end()), &mut text);
            text.replace('\n', " ")
        };
        lines.push(fields.iter().map(cell).collect());
    }
    columns(&lines, out)
}

fn columns(lines: &[Vec<String>], out: &mut impl Write) -> io::Result<()> {
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..lines.iter().map(Vec::len).max().unwrap_or(0))
        .map(width)
        .collect();
    for line in lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

/// How long each stage takes on a file.
pub fn stats(file: &Path, args: &Args, out: &mut impl Write) -> Run {
    let regex = args.grep.as_deref().unwrap_or(STATS_REGEX);
    let stats = measure(file, STATS_LITERAL, regex).map_err(Failure::usage)?;
    if args.json {
        let stages = stats.stages.iter().map(|stage| {
            json!({"stage": stage.name, "seconds": stage.took.as_secs_f64(), "found": stage.found})
        });
        let [in_flight, ok, error, timeout, oom] = stats.statuses;
        let value = json!({
            "bytes": stats.bytes, "lines": stats.lines, "requests": stats.requests,
            "statuses": {"inFlight": in_flight, "ok": ok, "error": error, "timeout": timeout, "OOM": oom},
            "anonymousBytes": stats.anonymous_bytes, "stages": stages.collect::<Vec<_>>(),
        });
        write_json(out, &value)?;
        return Ok(Exit::Fine);
    }
    let megabytes = stats.bytes as f64 / 1e6;
    writeln!(
        out,
        "{megabytes:.1} MB, {}, {}",
        counted(stats.lines, "line"),
        counted(stats.requests, "request")
    )?;
    let [in_flight, ok, error, timeout, oom] = stats.statuses;
    writeln!(
        out,
        "{ok} ok, {error} error, {timeout} timeout, {oom} OOM, {in_flight} in flight"
    )?;
    for stage in &stats.stages {
        let took = stage.took.as_secs_f64();
        writeln!(
            out,
            "{:<20} {took:>8.3} s  {:>9} found",
            stage.name, stage.found
        )?;
    }
    if let Some(bytes) = stats.anonymous_bytes {
        writeln!(
            out,
            "{:<20} {:>8.1} MiB",
            "memory",
            bytes as f64 / f64::from(1 << 20)
        )?;
    }
    writeln!(out, "{}", figures(&stats.figures, stats.requests))?;
    Ok(Exit::Fine)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_missing_field_leaves_its_own_column_empty() {
        let row = |fields: &[(&str, &str)]| {
            let owned = fields
                .iter()
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
            owned.collect::<Vec<_>>()
        };
        let found = QueryResults {
            rows: vec![
                row(&[("a", "1"), ("c", "3")]),
                row(&[("a", "4"), ("b", "5"), ("c", "6")]),
                row(&[("b", "8")]),
            ],
            ..QueryResults::default()
        };
        let mut out = Vec::new();
        results(&found, false, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "a  b  c\n1     3\n4  5  6\n   8\n");
    }
}
