//! `vintner models drift`: recent inputs against the training rows of a version.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::Context as _;

use super::super::{Exit, Failure, Run, print_json};
use super::{chosen, failure};
use crate::domain::drift::{Drift, DriftReport, FEWEST};
use crate::registry::drift::{Comparison, IN_SAMPLE, drift};
use crate::registry::{Registry, Version};
use crate::train::Dataset;
use crate::ui::text::clean;

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
    let Comparison {
        trained,
        report,
        in_sample,
    } = drift(registry, &loaded, &requests).map_err(failure)?;
    let mut notes = requests.notes;
    notes.extend(in_sample.then(|| format!("{version}: {IN_SAMPLE}")));
    if json {
        print_json(
            out,
            &serde_json::json!({ "version": version, "notes": notes, "report": report }),
        )?;
    } else {
        print(version, trained, &notes, &report, out)?;
    }
    Ok(if report.drift == Drift::Alert {
        Exit::Failed
    } else {
        Exit::Fine
    })
}

fn print(
    version: Version,
    trained: usize,
    notes: &[String],
    report: &DriftReport,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let verdict = match report.drift {
        Drift::Collecting => format!("collecting {}/{FEWEST}: no verdict yet", report.rows),
        Drift::Steady => "steady: nothing beyond chance".to_owned(),
        Drift::Warn => "WARN: inputs have moved".to_owned(),
        Drift::Alert => {
            "ALERT: inputs have moved far; retrain suggested (`vintner train --gate`)".to_owned()
        }
    };
    writeln!(out, "{verdict}")?;
    writeln!(
        out,
        "{} rows against the {trained} training rows of {version}\n",
        report.rows
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
