//! `vintner models drift`: recent inputs against the training rows of a version, and its scores against those of unseen rows.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::Context as _;

use super::super::{Exit, Failure, Run, counted, print_json};
use super::{chosen, failure};
use crate::domain::drift::{Drift, FEWEST};
use crate::registry::drift::{Comparison, IN_SAMPLE, drift};
use crate::registry::{Registry, Version};
use crate::train::Dataset;
use crate::ui::text::clean;

/// What may have moved the predictions besides the world.
const LEARNED: &str = "rows that the version has learned from come out nearer their targets than others: a window \
                       of them moves the predictions alone";

/// Compares a CSV of recent requests with the training rows; 1 on an alert.
pub(super) fn run(
    registry: &Registry,
    data: &Path,
    version: Option<Version>,
    json: bool,
    out: &mut impl Write,
) -> Run {
    let version = chosen(registry, version)?;
    let loaded = registry.load(version).map_err(failure)?;
    let name = data.display().to_string();
    let file = File::open(data)
        .with_context(|| format!("cannot read {name}"))
        .map_err(Failure::usage)?;
    let requests = Dataset::requests_from_csv(file, &name).map_err(Failure::usage)?;
    let compared = drift(registry, &loaded, &requests).map_err(failure)?;
    let report = &compared.report;
    let mut notes = requests.notes;
    notes.extend((compared.in_sample).then(|| format!("{version}: {IN_SAMPLE}")));
    notes.extend((report.scores() > Drift::Steady).then(|| LEARNED.to_owned()));
    if json {
        print_json(
            out,
            &serde_json::json!({
                "version": version, "notes": notes, "training_rows": compared.trained, "unseen_rows": compared.unseen,
                "inputs": report.inputs(), "predictions": compared.unseen.map(|_| report.scores()), "report": report,
            }),
        )?;
    } else {
        print(version, &compared, &notes, out)?;
    }
    Ok(if report.drift == Drift::Alert {
        Exit::Failed
    } else {
        Exit::Fine
    })
}

fn print(
    version: Version,
    compared: &Comparison,
    notes: &[String],
    out: &mut impl Write,
) -> std::io::Result<()> {
    let report = &compared.report;
    let moved = report.moved().unwrap_or_default();
    let verdict = match report.drift {
        Drift::Collecting => format!("collecting {}/{FEWEST}: no verdict yet", report.rows),
        Drift::Steady => "steady: nothing beyond chance".to_owned(),
        Drift::Warn => format!("WARN: {moved}"),
        Drift::Alert => {
            format!("ALERT: {moved}; retrain suggested (`vintner train --gate`)")
        }
    };
    writeln!(out, "{verdict}")?;
    let scores = compared.unseen.map_or_else(String::new, |rows| {
        format!(
            ", predictions against its answers for {} it had not learned",
            counted(rows, "row")
        )
    });
    writeln!(
        out,
        "{}: inputs against the {} of {version}{scores}\n",
        counted(report.rows, "row"),
        counted(compared.trained, "training row"),
    )?;
    for note in notes {
        writeln!(out, "note: {}", clean(note))?;
    }
    writeln!(
        out,
        "{:<22} {:>6} {:>6} {:>6} {:>6} {:>8} {:>7}",
        "column", "PSI", "warn", "alert", "KS", "p", "shift"
    )?;
    for column in &report.columns {
        let word = match column.drift {
            Drift::Warn => "  WARN",
            Drift::Alert => "  ALERT",
            _ => "",
        };
        writeln!(
            out,
            "{:<22} {:>6.3} {:>6.3} {:>6.3} {:>6.3} {:>8.1e} {:>+7.2}{word}",
            clean(&column.name),
            column.psi,
            column.warn_at,
            column.alert_at,
            column.ks,
            column.ks_p,
            column.shift
        )?;
    }
    Ok(())
}
