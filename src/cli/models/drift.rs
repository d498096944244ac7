//! `vintner models drift`: recent inputs against the training rows of a version.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, anyhow};

use super::super::{Exit, Failure, Run, print_json};
use super::{chosen, failure};
use crate::domain::drift::{Drift, DriftReport, FEWEST, Reference};
use crate::registry::draft::REFERENCE_FILE;
use crate::registry::{Loaded, Registry, Version};
use crate::ui::text::clean;

/// Most rows of a window.
const MAX_ROWS: usize = 1_000_000;

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
    let bytes = registry
        .artefact(version, REFERENCE_FILE)
        .map_err(failure)?;
    let reference: Reference = serde_json::from_slice(&bytes)
        .context("the version's reference cannot be read")
        .map_err(Failure::failed)?;
    let window = window(data, &loaded, &reference).map_err(Failure::usage)?;
    let report = reference.compare(&window).ok_or_else(|| {
        Failure::failed(anyhow!(
            "{} and {version} have different columns",
            data.display()
        ))
    })?;
    if json {
        print_json(
            out,
            &serde_json::json!({ "version": version, "report": report }),
        )?;
    } else {
        print(version, &reference, &report, out)?;
    }
    Ok(if report.drift == Drift::Alert {
        Exit::Failed
    } else {
        Exit::Fine
    })
}

/// One list of values per reference column; the prediction is the version's own.
fn window(path: &Path, loaded: &Loaded, reference: &Reference) -> anyhow::Result<Vec<Vec<f32>>> {
    let name = path.display();
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .with_context(|| format!("cannot read {name}"))?;
    let header = reader
        .headers()
        .with_context(|| format!("{name} has no header"))?
        .clone();
    let features = &loaded.manifest.features.names;
    let places: Vec<usize> = features
        .iter()
        .map(|feature| {
            header
                .iter()
                .position(|column| column == feature)
                .ok_or_else(|| anyhow!("{name}, line 1: there is no column {feature}"))
        })
        .collect::<Result<_, _>>()?;
    let mut columns: HashMap<&str, Vec<f32>> = HashMap::new();
    for (number, record) in reader.records().enumerate() {
        let record = record.with_context(|| format!("{name}, line {}", number + 2))?;
        if number >= MAX_ROWS {
            return Err(anyhow!(
                "{name}: more than {MAX_ROWS} rows; give a recent window"
            ));
        }
        let row: Vec<f32> = places
            .iter()
            .zip(features)
            .map(|(place, feature)| {
                cell(&record[*place], feature, number).with_context(|| name.to_string())
            })
            .collect::<Result<_, _>>()?;
        for (feature, value) in features.iter().zip(&row) {
            columns.entry(feature).or_default().push(*value);
        }
        columns
            .entry("prediction")
            .or_default()
            .push(loaded.model.predict_row(&row));
    }
    Ok(reference
        .columns
        .iter()
        .map(|column| columns.remove(column.name.as_str()).unwrap_or_default())
        .collect())
}

fn cell(text: &str, feature: &str, number: usize) -> anyhow::Result<f32> {
    let value = text.parse::<f32>().ok().filter(|value| value.is_finite());
    value.ok_or_else(|| {
        anyhow!(
            "line {}, column {feature}: {:?} is not a finite number",
            number + 2,
            text.chars().take(40).collect::<String>()
        )
    })
}

fn print(
    version: Version,
    reference: &Reference,
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
        "{} rows against the {} training rows of {version}\n",
        report.rows, reference.rows
    )?;
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
