//! What `vintner train` says at the end, for people and for programs.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::super::counted;
use super::{Account, Promotion};
use crate::challenger::Report;
use crate::cli::print_json;
use crate::train::Scores;
use crate::train::evaluate::Interval;

pub fn print(account: &Account, as_json: bool, out: &mut impl Write) -> io::Result<()> {
    if as_json {
        print_json(out, &document(account))
    } else {
        people(account, out)
    }
}

fn document(account: &Account) -> Value {
    let report = &account.report;
    let evaluation = &report.evaluation;
    let mut holdout = scores(&evaluation.scores);
    holdout["r2_interval"] = interval(evaluation.r2);
    holdout["mse_interval"] = interval(evaluation.mse);
    let cv = report.cv.as_ref().map(|cv| {
        let folds: Vec<f64> = cv.folds.iter().map(|fold| fold.r2).collect();
        json!({"r2": cv.r2, "r2_half_width": cv.r2_half_width, "mae": cv.mae, "rmse": cv.rmse, "mse": cv.mse, "folds": folds})
    });
    let champion = report.champion.as_ref().zip(report.comparison);
    let comparison = champion.map(|((version, _), comparison)| {
        json!({
            "version": version.to_string(), "delta_mse": comparison.delta_mse,
            "interval": interval(comparison.interval), "p_better": comparison.p_better,
        })
    });
    let lost = report.version.as_ref().err();
    json!({
        "version": report.version.as_ref().ok().map(ToString::to_string),
        "not_registered": lost.filter(|_| account.registers),
        "promoted": account.promotion == Promotion::Done,
        "not_promoted": account.promotion.refusal(),
        "verdict": report.verdict(),
        "champion": comparison,
        "gates": report.gates,
        "looks": account.registers.then_some(report.looks),
        "plan": report.plan,
        "preset": report.preset,
        "fit_seconds": report.fit_seconds,
        "trees": report.trees,
        "nodes": report.nodes,
        "sha256": report.sha256,
        "metrics": {
            "holdout": holdout,
            "cv": cv,
            "linear": scores(&report.linear),
            "slices": evaluation.slices,
            "confusion": {"bands": evaluation.bands, "rows": evaluation.confusion},
        },
        "oob": report.oob.as_ref().map(scores),
        "validation": report.validation.as_ref().map(scores),
        "trials": account.trials,
        "data": {"source": report.source, "report": report.preflight},
        "notes": report.notes,
    })
}

fn scores(scores: &Scores) -> Value {
    json!({"n": scores.n, "r2": scores.r2, "mae": scores.mae, "rmse": scores.rmse, "mse": scores.mse})
}

fn interval(interval: Interval) -> Value {
    json!([interval.low, interval.high])
}

fn people(account: &Account, out: &mut impl Write) -> io::Result<()> {
    let report = &account.report;
    let data = &report.preflight;
    let duplicates = if data.deduplicated { "dropped" } else { "kept" };
    writeln!(
        out,
        "data      {}: {}, {} {duplicates}, {} to learn, {} held out",
        report.source,
        counted(data.rows, "row"),
        counted(data.duplicates, "duplicate"),
        data.train,
        data.holdout
    )?;
    for note in data.notes.iter().chain(&report.notes) {
        writeln!(out, "note      {note}")?;
    }
    if !account.trials.is_empty() {
        let text = serde_json::to_string(&report.plan.params).unwrap_or_default();
        writeln!(
            out,
            "tuned     {}: {text}",
            counted(account.trials.len(), "trial")
        )?;
    }
    writeln!(
        out,
        "model     {}, {} trees, {} nodes, fitted in {:.2} s",
        report.plan.family, report.trees, report.nodes, report.fit_seconds
    )?;
    figures(account, out)?;
    if let Some(((version, _), comparison)) = report.champion.as_ref().zip(report.comparison) {
        writeln!(
            out,
            "verdict   {} against {version}: MSE {:+.4} [{:+.4}, {:+.4}]",
            comparison.verdict,
            comparison.delta_mse,
            comparison.interval.low,
            comparison.interval.high
        )?;
    }
    for gate in &report.gates {
        let word = if gate.passed { "pass" } else { "FAIL" };
        writeln!(out, "gate      {word} {}: {}", gate.name, gate.reason)?;
    }
    ending(report, account, out)
}

fn figures(account: &Account, out: &mut impl Write) -> io::Result<()> {
    let report = &account.report;
    let evaluation = &report.evaluation;
    line(out, "holdout", &evaluation.scores)?;
    let looks = if account.registers {
        format!(", look {} at this holdout", report.looks)
    } else {
        String::new()
    };
    writeln!(
        out,
        "          R2 95 % [{:.3}, {:.3}], MSE [{:.3}, {:.3}]{looks}",
        evaluation.r2.low, evaluation.r2.high, evaluation.mse.low, evaluation.mse.high
    )?;
    if let Some(oob) = &report.oob {
        line(out, "oob", oob)?;
    }
    if let Some(validation) = &report.validation {
        line(out, "valid", validation)?;
    }
    if let Some(cv) = &report.cv {
        writeln!(
            out,
            "cv        R2 {:.3} ± {:.3}  MAE {:.3}  RMSE {:.3}  ({} folds)",
            cv.r2,
            cv.r2_half_width,
            cv.mae,
            cv.rmse,
            cv.folds.len()
        )?;
    }
    line(out, "linear", &report.linear)
}

/// What became of the model.
fn ending(report: &Report, account: &Account, out: &mut impl Write) -> io::Result<()> {
    match (&report.version, account.registers) {
        (Ok(version), _) if account.promotion == Promotion::Done => {
            writeln!(out, "version   {version}, champion now")?;
        }
        (Ok(version), _) => writeln!(
            out,
            "version   {version} (vintner models promote {version})"
        )?,
        (Err(why), true) => writeln!(out, "version   not registered: {why}")?,
        (Err(_), false) => writeln!(out, "version   not registered, as asked (--no-register)")?,
    }
    match account.promotion.refusal() {
        Some(why) => writeln!(out, "          not promoted: {why}"),
        None => Ok(()),
    }
}

fn line(out: &mut impl Write, name: &str, scores: &Scores) -> io::Result<()> {
    let Scores {
        n,
        r2,
        mae,
        rmse,
        mse,
    } = scores;
    writeln!(
        out,
        "{name:<9} R2 {r2:.3}  MAE {mae:.3}  RMSE {rmse:.3}  MSE {mse:.3}  (n {n})"
    )
}
