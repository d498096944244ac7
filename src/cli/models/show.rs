//! `vintner models show`: one version, where it comes from and how good it is.

use std::io::Write;

use anyhow::anyhow;
use serde_json::{Value, json};

use super::super::{Exit, Failure, Run, print_json};
use super::{chosen, failure};
use crate::challenger::explain;
use crate::registry::{Manifest, Registry, Version};
use crate::train::surrogate::Surrogate;
use crate::ui::text::{bytes, clean, count};

/// Prints a version; 1 when its checksums do not match.
pub(super) fn run(
    registry: &Registry,
    version: Option<Version>,
    in_words: bool,
    json: bool,
    out: &mut impl Write,
) -> Run {
    let version = chosen(registry, version)?;
    let manifest = registry.manifest(version).map_err(failure)?;
    let sound = registry.verify(version);
    let words = in_words
        .then(|| explain(version, registry).map_err(|why| Failure::failed(anyhow!(why))))
        .transpose()?;
    if json {
        let mut value = serde_json::to_value(&manifest).map_err(Failure::failed)?;
        value["sound"] = json!(sound.is_ok());
        if let Some(words) = &words {
            value["surrogate"] = json!(words);
        }
        print_json(out, &value)?;
        return Ok(if sound.is_ok() {
            Exit::Fine
        } else {
            Exit::Failed
        });
    }
    describe(&manifest, out)?;
    if let Some(words) = &words {
        tell(words, out)?;
    }
    match sound {
        Ok(seal) => {
            writeln!(out, "checksums   all match (seal {})", &seal[..12])?;
            Ok(Exit::Fine)
        }
        Err(error) => {
            writeln!(out, "checksums   {error}")?;
            Ok(Exit::Failed)
        }
    }
}

/// The model in words, and how much of it they tell.
fn tell(words: &Surrogate, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(
        out,
        "in words    a tree of depth 3 follows it to R2 {:.2} on the {} holdout rows:",
        words.fidelity, words.rows
    )?;
    for rule in &words.rules {
        writeln!(
            out,
            "            {:.2} where {}",
            rule.score,
            clean(&rule.when())
        )?;
    }
    Ok(())
}

/// The hyper-parameters under scikit-learn's names.
fn params(manifest: &Manifest) -> String {
    let mut fields: Vec<String> = Vec::new();
    if let Ok(Value::Object(params)) = serde_json::to_value(&manifest.plan.params) {
        for (name, value) in params.iter().filter(|(_, value)| !value.is_object()) {
            let value = match value {
                Value::Null => "none".to_owned(),
                Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            fields.push(format!("{name}={value}"));
        }
    }
    fields.join(" ")
}

fn describe(manifest: &Manifest, out: &mut impl Write) -> std::io::Result<()> {
    let data = &manifest.data;
    writeln!(out, "{}     {}", manifest.version, manifest.summary())?;
    writeln!(
        out,
        "made        {} by {} with vintner {} on {}",
        manifest.created_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        clean(&manifest.by),
        clean(&manifest.code.vintner),
        clean(&manifest.code.target)
    )?;
    writeln!(
        out,
        "fit         {} trees, {} nodes, {:.2} s, {}",
        manifest.fit.trees,
        count(manifest.fit.nodes),
        manifest.fit.seconds,
        clean(&manifest.fit.ended)
    )?;
    writeln!(out, "params      {}", clean(&params(manifest)))?;
    let dedup = if data.deduplicated { "dropped" } else { "KEPT" };
    writeln!(
        out,
        "data        {}: {} rows, {} duplicates {dedup}, {} train, {} holdout, sha256 {}",
        clean(&data.source),
        data.rows,
        data.duplicates,
        data.train,
        data.holdout,
        clean(&data.sha256.chars().take(12).collect::<String>())
    )?;
    let scores = [
        ("holdout", &manifest.metrics.holdout),
        ("oob", &manifest.metrics.oob),
        ("linear", &manifest.metrics.linear),
    ];
    for (name, scores) in scores
        .into_iter()
        .filter_map(|(name, scores)| Some((name, scores.as_ref()?)))
    {
        writeln!(
            out,
            "{name:<11} R2 {:.4}  MAE {:.4}  RMSE {:.4}  MSE {:.4}  n {}",
            scores.r2, scores.mae, scores.rmse, scores.mse, scores.n
        )?;
    }
    if let Some(cv) = &manifest.metrics.cv {
        writeln!(
            out,
            "{:<11} R2 {:.4} +- {:.4} over {} folds",
            "cv", cv.r2, cv.r2_half_width, cv.folds
        )?;
    }
    if let Some(verdict) = &manifest.verdict {
        let against = manifest
            .champion_at_train
            .map_or_else(String::new, |version| format!(" against {version}"));
        writeln!(out, "verdict     {}{against}", clean(verdict))?;
    }
    for gate in &manifest.gates {
        let word = if gate.passed { "pass" } else { "FAIL" };
        writeln!(
            out,
            "gate        {word} {:<11} {}",
            clean(&gate.name),
            clean(&gate.reason)
        )?;
    }
    for (name, artefact) in &manifest.artefacts {
        writeln!(
            out,
            "file        {:<16} {:>10}",
            clean(name),
            bytes(artefact.bytes)
        )?;
    }
    Ok(())
}
