//! A training run in MLflow's words.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::registry::Manifest;
use crate::registry::events::actor;
use crate::registry::runs::{RunRecord, State};
use crate::train::{Plan, Scores};

/// The tag that holds a record's key, so that a run can be found again.
pub const KEY_TAG: &str = "vintner.key";

/// Longest value of a tag MLflow stores.
const MAX_TAG: usize = 8000;

/// A run as MLflow wants it, complete in itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Names the content: of a version its number and seal, of a run without one its ULID. A key is one run in MLflow.
    #[serde(default)]
    pub key: String,
    /// The experiment's name.
    pub experiment: String,
    /// The run's name.
    pub name: String,
    /// `FINISHED`, `FAILED` or `KILLED`.
    pub status: String,
    /// Milliseconds since 1970.
    pub start_ms: i64,
    /// Milliseconds since 1970.
    pub end_ms: i64,
    /// Hyper-parameters; values must be text, MLflow stores a number as nothing.
    pub params: Vec<(String, String)>,
    /// Key, value, step.
    pub metrics: Vec<(String, f64, i64)>,
    /// Tags.
    pub tags: Vec<(String, String)>,
    /// Hash of the data set, at most 36 characters.
    pub digest: String,
    /// Rows of the data set.
    pub rows: usize,
    /// A JSON document stored as `model/manifest.json`; null without a model.
    pub manifest: Value,
    /// The server's id of the run, once it has one.
    #[serde(default)]
    pub run_id: Option<String>,
}

impl Record {
    /// A version with its seal and the curve it grew along (trees, R2).
    pub fn of_version(
        manifest: &Manifest,
        seal: &str,
        curve: &[(usize, f64)],
        experiment: &str,
    ) -> Self {
        let end_ms = manifest.created_at.as_millisecond();
        let start_ms = end_ms - (manifest.fit.seconds * 1e3) as i64;
        let mut metrics: Vec<(String, f64, i64)> = curve
            .iter()
            .map(|(trees, r2)| ("curve_r2".to_owned(), *r2, *trees as i64))
            .collect();
        for (name, scores) in [
            ("holdout", &manifest.metrics.holdout),
            ("oob", &manifest.metrics.oob),
            ("linear", &manifest.metrics.linear),
        ] {
            if let Some(Scores {
                r2, mae, rmse, mse, ..
            }) = scores
            {
                metrics.extend(
                    [("r2", r2), ("mae", mae), ("rmse", rmse), ("mse", mse)]
                        .map(|(score, value)| (format!("{name}_{score}"), *value, 0)),
                );
            }
        }
        if let Some(cv) = &manifest.metrics.cv {
            metrics.extend(
                [("cv_r2", cv.r2), ("cv_r2_half_width", cv.r2_half_width)]
                    .map(|(name, value)| (name.to_owned(), value, 0)),
            );
        }
        metrics.push(("fit_seconds".to_owned(), manifest.fit.seconds, 0));
        metrics.retain(|(_, value, _)| value.is_finite());
        let key = format!("{}-{}", manifest.version, &seal[..12.min(seal.len())]);
        let mut tags = origin(&manifest.by, &key);
        tags.extend([
            tag("vintner.version", &manifest.version.to_string()),
            tag("vintner.dataset_sha256", &manifest.data.sha256),
            tag("vintner.model_sha256", &manifest.model_sha256),
            tag("vintner.ended", &manifest.fit.ended),
        ]);
        if let Some(verdict) = &manifest.verdict {
            tags.push(tag("vintner.verdict", verdict));
        }
        if let Some(sha) = &manifest.code.git_sha {
            tags.push(tag("mlflow.source.git.commit", sha));
        }
        Self {
            key,
            experiment: experiment.to_owned(),
            name: format!("{}-{}", manifest.plan.family, manifest.version),
            status: "FINISHED".to_owned(),
            start_ms,
            end_ms,
            params: params(&manifest.plan),
            metrics,
            tags,
            digest: manifest.data.sha256.chars().take(36).collect(),
            rows: manifest.data.train + manifest.data.holdout,
            manifest: as_written(manifest),
            run_id: None,
        }
    }

    /// A run that gave no model: stopped by the user or by the death of its process, or failed.
    pub fn of_run(run: &RunRecord, experiment: &str) -> Self {
        let ended = run.ended.unwrap_or(run.heartbeat);
        let score = run
            .scores
            .map(|scores| ("curve_r2".to_owned(), scores.r2, run.trees as i64));
        let mut tags = origin(&actor(), &run.id);
        tags.extend(run.note.as_deref().map(|note| tag("vintner.note", note)));
        Self {
            key: run.id.clone(),
            experiment: experiment.to_owned(),
            name: format!("{}-{}", run.plan.family, run.state.name()),
            status: status(run.state).to_owned(),
            start_ms: run.started.as_millisecond(),
            end_ms: ended.as_millisecond(),
            params: params(&run.plan),
            metrics: score
                .into_iter()
                .filter(|(_, value, _)| value.is_finite())
                .collect(),
            tags,
            digest: String::new(),
            rows: 0,
            manifest: Value::Null,
            run_id: None,
        }
    }

    /// Whether there is a model to register.
    pub fn has_model(&self) -> bool {
        !self.manifest.is_null()
    }
}

/// MLflow's word for how a run ended.
const fn status(state: State) -> &'static str {
    match state {
        State::Finished => "FINISHED",
        State::Failed => "FAILED",
        State::Cancelled | State::Crashed => "KILLED",
        State::Running => "RUNNING",
    }
}

fn tag(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.chars().take(MAX_TAG).collect())
}

fn origin(by: &str, key: &str) -> Vec<(String, String)> {
    vec![
        tag("mlflow.user", by),
        tag("mlflow.source.name", "vintner train"),
        tag("mlflow.source.type", "LOCAL"),
        tag(KEY_TAG, key),
    ]
}

/// The plan's parameters, flat, as text.
fn params(plan: &Plan) -> Vec<(String, String)> {
    let mut params = vec![("family".to_owned(), plan.family.to_string())];
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), ToOwned::to_owned)
    };
    if let Ok(Value::Object(fields)) = serde_json::to_value(&plan.params) {
        for (name, value) in &fields {
            match value {
                Value::Object(inner) => params.extend(
                    inner
                        .iter()
                        .map(|(field, value)| (format!("{name}.{field}"), text(value))),
                ),
                value => params.push((name.clone(), text(value))),
            }
        }
    }
    params
}

/// The manifest as its file has it: by way of text, for `to_value` would give single-precision numbers digits of noise.
fn as_written(manifest: &Manifest) -> Value {
    let text = serde_json::to_string(manifest).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::registry::Registry;
    use crate::train::Family;

    #[test]
    fn a_run_without_a_model_says_how_it_ended() {
        let home = tempfile::tempdir().unwrap();
        let registry = Registry::at(home.path());
        let plan = Plan::new(Family::RandomForest);
        for (state, status) in [
            (State::Cancelled, "KILLED"),
            (State::Crashed, "KILLED"),
            (State::Failed, "FAILED"),
        ] {
            let run = registry.start_run(&plan, None).unwrap();
            let run = run.end(state, None, Some("why".to_owned())).unwrap();
            let record = Record::of_run(&run, "e");
            assert_eq!(record.status, status);
            assert!(!record.has_model() && record.key == run.id);
            assert!(
                record
                    .params
                    .contains(&("n_estimators".to_owned(), "100".to_owned()))
            );
            assert!(record.tags.contains(&tag("vintner.note", "why")));
        }
    }
}
