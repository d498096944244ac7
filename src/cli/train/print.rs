//! What `vintner train` says at the end, for people and for programs.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Report;
use crate::cli::print_json;
use crate::train::Scores;
use crate::train::evaluate::Interval;

pub fn print(report: &Report, as_json: bool, out: &mut impl Write) -> io::Result<()> {
    if as_json {
        print_json(out, &document(report))
    } else {
        people(report, out)
    }
}

fn document(report: &Report) -> Value {
    let Report {
        plan,
        source,
        retrained,
        trials,
        throne,
    } = report;
    let evaluation = &retrained.evaluation;
    let mut holdout = scores(&evaluation.scores);
    holdout["r2_interval"] = interval(evaluation.r2);
    holdout["mse_interval"] = interval(evaluation.mse);
    let cv = retrained.cv.as_ref().map(|cv| {
        let folds: Vec<f64> = cv.folds.iter().map(|fold| fold.r2).collect();
        json!({"r2": cv.r2, "r2_half_width": cv.r2_half_width, "mae": cv.mae, "rmse": cv.rmse, "mse": cv.mse, "folds": folds})
    });
    let comparison = throne.champion.as_ref().map(|(version, _, comparison)| {
        json!({
            "version": version.to_string(), "delta_mse": comparison.delta_mse,
            "interval": interval(comparison.interval), "p_better": comparison.p_better,
        })
    });
    json!({
        "version": throne.version.map(|version| version.to_string()),
        "promoted": throne.promoted,
        "verdict": throne.verdict(),
        "champion": comparison,
        "gates": throne.gates,
        "plan": plan,
        "fit_seconds": retrained.outcome.fit_seconds,
        "trees": retrained.outcome.trees,
        "nodes": retrained.outcome.model.nodes(),
        "sha256": retrained.outcome.model.sha256(),
        "metrics": {
            "holdout": holdout,
            "cv": cv,
            "linear": scores(&retrained.linear),
            "slices": evaluation.slices,
            "confusion": {"bands": evaluation.bands, "rows": evaluation.confusion},
        },
        "oob": retrained.outcome.oob.as_ref().map(scores),
        "trials": trials,
        "data": {"source": source, "report": retrained.preflight},
        "notes": throne.notes,
    })
}

fn scores(scores: &Scores) -> Value {
    json!({"n": scores.n, "r2": scores.r2, "mae": scores.mae, "rmse": scores.rmse, "mse": scores.mse})
}

fn interval(interval: Interval) -> Value {
    json!([interval.low, interval.high])
}

fn people(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let Report {
        plan,
        source,
        retrained,
        trials,
        throne,
    } = report;
    let (data, evaluation, outcome) = (
        &retrained.preflight,
        &retrained.evaluation,
        &retrained.outcome,
    );
    let duplicates = if data.deduplicated { "dropped" } else { "kept" };
    writeln!(
        out,
        "data      {source}: {} rows, {} duplicates {duplicates}, {} to learn, {} held out",
        data.rows, data.duplicates, data.train, data.holdout
    )?;
    for note in data.notes.iter().chain(&throne.notes) {
        writeln!(out, "note      {note}")?;
    }
    if !trials.is_empty() {
        let text = serde_json::to_string(&plan.params).unwrap_or_default();
        writeln!(out, "tuned     {} trials: {text}", trials.len())?;
    }
    writeln!(
        out,
        "model     {}, {} trees, {} nodes, fitted in {:.2} s",
        plan.family,
        outcome.trees,
        outcome.model.nodes(),
        outcome.fit_seconds
    )?;
    line(out, "holdout", &evaluation.scores)?;
    writeln!(
        out,
        "          R2 95 % [{:.3}, {:.3}], MSE [{:.3}, {:.3}]",
        evaluation.r2.low, evaluation.r2.high, evaluation.mse.low, evaluation.mse.high
    )?;
    if let Some(oob) = &outcome.oob {
        line(out, "oob", oob)?;
    }
    if let Some(cv) = &retrained.cv {
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
    line(out, "linear", &retrained.linear)?;
    if let Some((version, _, comparison)) = &throne.champion {
        writeln!(
            out,
            "verdict   {} against {version}: MSE {:+.4} [{:+.4}, {:+.4}]",
            comparison.verdict,
            comparison.delta_mse,
            comparison.interval.low,
            comparison.interval.high
        )?;
    }
    for gate in &throne.gates {
        writeln!(
            out,
            "gate      {} {}: {}",
            if gate.passed { "pass" } else { "FAIL" },
            gate.name,
            gate.reason
        )?;
    }
    match (throne.version, throne.promoted) {
        (Some(version), true) => writeln!(out, "version   {version}, champion now"),
        (Some(version), false) => writeln!(
            out,
            "version   {version} (vintner models promote {version})"
        ),
        (None, _) => writeln!(out, "version   not registered"),
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
