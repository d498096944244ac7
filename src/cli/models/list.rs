//! `vintner models list`: every version on a line.

use std::io::Write;

use serde_json::{Value, json};

use super::super::{Exit, Run, print_json};
use super::failure;
use crate::registry::{Entry, Manifest, Registry};
use crate::ui::text::{age, clean};

/// Prints every version, newest first.
pub(super) fn run(registry: &Registry, json: bool, out: &mut impl Write) -> Run {
    let champion = registry.champion().map_err(failure)?;
    let entries = registry.list().map_err(failure)?;
    if json {
        print_json(
            out,
            &json!({
                "registry": registry.root(),
                "champion": champion,
                "versions": entries.iter().map(entry_json).collect::<Vec<_>>(),
            }),
        )?;
        return Ok(Exit::Fine);
    }
    if entries.is_empty() {
        writeln!(
            out,
            "no versions in {} yet: `vintner train` makes one",
            registry.root().display()
        )?;
        return Ok(Exit::Fine);
    }
    writeln!(
        out,
        "   version  R2      oob     MSE     verdict   made          plan"
    )?;
    for entry in &entries {
        let reigns = champion
            .as_ref()
            .is_some_and(|champion| champion.version == entry.version);
        let mark = if reigns { "*" } else { " " };
        match &entry.manifest {
            Err(why) => writeln!(out, " {mark} {}    {}", entry.version, clean(why))?,
            Ok(manifest) => writeln!(out, " {mark} {}    {}", entry.version, line(manifest))?,
        }
    }
    match champion {
        Some(champion) => writeln!(
            out,
            "\n* champion since {} by {}: {}",
            champion.since,
            clean(&champion.by),
            clean(&champion.reason)
        )?,
        None => writeln!(out, "\nno champion: `vintner models promote VERSION`")?,
    }
    Ok(Exit::Fine)
}

fn entry_json(entry: &Entry) -> Value {
    match &entry.manifest {
        Err(why) => json!({ "version": entry.version, "error": why }),
        Ok(manifest) => json!({
            "version": manifest.version, "created_at": manifest.created_at, "plan": manifest.plan, "preset": manifest.preset,
            "metrics": manifest.metrics, "verdict": manifest.verdict, "gates": manifest.gates, "model_sha256": manifest.model_sha256,
        }),
    }
}

fn line(manifest: &Manifest) -> String {
    let number =
        |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
    let holdout = manifest.metrics.holdout.as_ref();
    let (r2, mse) = (
        number(holdout.map(|scores| scores.r2)),
        number(holdout.map(|scores| scores.mse)),
    );
    let oob = number(manifest.metrics.oob.as_ref().map(|scores| scores.r2));
    let verdict = manifest.verdict.as_deref().unwrap_or("-");
    let made = age(manifest.created_at, jiff::Timestamp::now());
    let preset = manifest
        .preset
        .as_deref()
        .map(|preset| format!(" ({})", clean(preset)))
        .unwrap_or_default();
    format!(
        "{r2:<7} {oob:<7} {mse:<7} {verdict:<9} {made:<13} {}{preset}",
        manifest.summary()
    )
}
