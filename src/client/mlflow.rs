//! MLflow over REST: runs wait in a spool on disk and are sent when the server is there, so that training never waits.
//!
//! A record is sent with its own timestamps; a resend after a lost answer changes nothing, because MLflow ignores a
//! metric point it has.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::registry::{Manifest, disk};
use crate::train::Scores;

/// The experiment, unless `MLFLOW_EXPERIMENT_NAME` says otherwise.
pub const EXPERIMENT: &str = "wine-quality";

/// Most metrics in one `log-batch`.
const BATCH: usize = 1000;

/// A run as MLflow wants it, complete in itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
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
    /// A JSON document stored as `model/manifest.json`.
    pub manifest: Value,
    /// The server's id of the run, once it has one.
    #[serde(default)]
    pub run_id: Option<String>,
}

impl Record {
    /// A finished version and the curve it grew along (trees, R2).
    pub fn of(manifest: &Manifest, curve: &[(usize, f64)], experiment: &str) -> Self {
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
        metrics.retain(|(_, value, _)| value.is_finite());
        let tag = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut tags = vec![
            tag("mlflow.user", &manifest.by),
            tag("mlflow.source.name", "vintner train"),
            tag("mlflow.source.type", "LOCAL"),
            tag("vintner.version", &manifest.version.to_string()),
            tag("vintner.dataset_sha256", &manifest.data.sha256),
            tag("vintner.model_sha256", &manifest.model_sha256),
        ];
        if let Some(verdict) = &manifest.verdict {
            tags.push(tag("vintner.verdict", verdict));
        }
        if let Some(sha) = &manifest.code.git_sha {
            tags.push(tag("mlflow.source.git.commit", sha));
        }
        Self {
            experiment: experiment.to_owned(),
            name: format!("{}-{}", manifest.plan.family, manifest.version),
            status: "FINISHED".to_owned(),
            start_ms,
            end_ms,
            params: params(manifest),
            metrics,
            tags,
            digest: manifest.data.sha256.chars().take(36).collect(),
            rows: manifest.data.train + manifest.data.holdout,
            manifest: serde_json::to_value(manifest).unwrap_or(Value::Null),
            run_id: None,
        }
    }
}

/// The plan's parameters, flat, as text.
fn params(manifest: &Manifest) -> Vec<(String, String)> {
    let mut params = vec![("family".to_owned(), manifest.plan.family.to_string())];
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), ToOwned::to_owned)
    };
    if let Ok(Value::Object(fields)) = serde_json::to_value(&manifest.plan.params) {
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

/// Why a record stays in the spool.
#[derive(Debug, thiserror::Error)]
pub enum MlflowError {
    /// The spool on disk.
    #[error("the MLflow spool: {0}")]
    Spool(#[from] disk::DiskError),
    /// The server cannot be reached.
    #[error(
        "the MLflow server {uri} cannot be reached: {cause}; runs stay queued and are sent later"
    )]
    Unreachable {
        /// Where.
        uri: String,
        /// Why.
        cause: String,
    },
    /// The server said no.
    #[error("the MLflow server {uri} refused {what} with {status}: {message}")]
    Refused {
        /// Where.
        uri: String,
        /// Which call.
        what: String,
        /// The HTTP status.
        status: u16,
        /// Its own words.
        message: String,
    },
}

/// Records that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spool {
    dir: PathBuf,
}

const MAX_RECORD: u64 = 64 << 20;

impl Spool {
    /// The spool in this directory.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Queues a record durably.
    pub fn add(&self, record: &Record) -> Result<PathBuf, MlflowError> {
        disk::make_dir(&self.dir)?;
        let path = self.dir.join(format!("{}.json", ulid::Ulid::new()));
        self.write(&path, record)?;
        Ok(path)
    }

    /// The queued files, oldest first.
    pub fn pending(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.dir)
            .into_iter()
            .flatten()
            .filter_map(Result::ok);
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
            .collect();
        paths.sort();
        paths
    }

    /// Sends what is queued, oldest first, until all is sent or the server fails. Returns how many were sent. Of two
    /// processes one sends.
    pub async fn drain(&self, server: &Server) -> Result<usize, MlflowError> {
        if self.pending().is_empty() {
            return Ok(0);
        }
        let Ok(_turn) = disk::lock(&self.dir.join("drain.lock"), Duration::ZERO) else {
            return Ok(0);
        };
        let mut sent = 0;
        for path in self.pending() {
            let record = disk::read_bounded(&path, MAX_RECORD)
                .ok()
                .and_then(|bytes| serde_json::from_slice::<Record>(&bytes).ok());
            let Some(mut record) = record else {
                tracing::warn!("{} is not a spooled run; set aside", path.display());
                let _ = fs::rename(&path, path.with_extension("unreadable"));
                continue;
            };
            if record.run_id.is_none() {
                record.run_id = Some(server.create(&record).await?);
                // From here on a resend continues this run instead of making another.
                self.write(&path, &record)?;
            }
            server.fill(&record).await?;
            disk::remove(&path)?;
            sent += 1;
        }
        Ok(sent)
    }

    fn write(&self, path: &Path, record: &Record) -> Result<(), MlflowError> {
        // Finite numbers and strings always serialize.
        let json = serde_json::to_vec(record).unwrap_or_default();
        Ok(disk::replace(path, &json, &self.dir)?)
    }
}

/// A tracking server.
#[derive(Debug, Clone)]
pub struct Server {
    uri: String,
    http: reqwest::Client,
    token: Option<String>,
    user: Option<(String, Option<String>)>,
}

impl Server {
    /// The server of MLflow's own variables (`MLFLOW_TRACKING_URI`, `…_TOKEN`, `…_USERNAME`, `…_PASSWORD`); `None`
    /// when the URI is unset or not HTTP (MLflow 3 refuses file stores).
    pub fn from_env(env: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let uri = env("MLFLOW_TRACKING_URI")
            .filter(|uri| uri.starts_with("http://") || uri.starts_with("https://"))?;
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(20))
            .connect_timeout(Duration::from_secs(3))
            .build()
            .ok()?;
        Some(Self {
            uri: uri.trim_end_matches('/').to_owned(),
            http,
            token: env("MLFLOW_TRACKING_TOKEN"),
            user: env("MLFLOW_TRACKING_USERNAME")
                .map(|user| (user, env("MLFLOW_TRACKING_PASSWORD"))),
        })
    }

    /// Where it is.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    async fn create(&self, record: &Record) -> Result<String, MlflowError> {
        let experiment = self.experiment(&record.experiment).await?;
        let body = json!({ "experiment_id": experiment, "start_time": record.start_ms, "run_name": record.name, "tags": pairs(&record.tags) });
        let answer = self.post("runs/create", &body).await?;
        text(&answer, "/run/info/run_id").ok_or_else(|| self.odd("runs/create"))
    }

    async fn experiment(&self, name: &str) -> Result<String, MlflowError> {
        for _ in 0..2 {
            let found = self
                .call(
                    Method::GET,
                    &format!("experiments/get-by-name?experiment_name={}", encoded(name)),
                    None,
                )
                .await;
            match found {
                Ok(answer) => {
                    return text(&answer, "/experiment/experiment_id")
                        .ok_or_else(|| self.odd("experiments/get-by-name"));
                }
                Err(MlflowError::Refused { status: 404, .. }) => {}
                Err(error) => return Err(error),
            }
            let tags =
                json!([{ "key": "mlflow.experimentKind", "value": "custom_model_development" }]);
            match self
                .post("experiments/create", &json!({ "name": name, "tags": tags }))
                .await
            {
                Ok(answer) => {
                    return text(&answer, "/experiment_id")
                        .ok_or_else(|| self.odd("experiments/create"));
                }
                // Somebody else made it meanwhile: look again.
                Err(MlflowError::Refused { status: 400, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(self.odd("experiments/create"))
    }

    /// Everything after the run's creation; may be repeated.
    async fn fill(&self, record: &Record) -> Result<(), MlflowError> {
        let run_id = record.run_id.clone().unwrap_or_default();
        let metric = |(key, value, step): &(String, f64, i64)| json!({ "key": key, "value": value, "timestamp": record.end_ms, "step": step });
        let metrics: Vec<Value> = record.metrics.iter().map(metric).collect();
        self.post("runs/log-batch", &json!({ "run_id": run_id, "params": pairs(&record.params), "tags": pairs(&record.tags) })).await?;
        for batch in metrics.chunks(BATCH) {
            self.post(
                "runs/log-batch",
                &json!({ "run_id": run_id, "metrics": batch }),
            )
            .await?;
        }
        let dataset = json!({
            "name": "wine-quality", "digest": record.digest, "source_type": "local", "source": "{}",
            "profile": json!({ "num_rows": record.rows }).to_string(),
        });
        let tags = json!([{ "key": "mlflow.data.context", "value": "training" }]);
        self.post(
            "runs/log-inputs",
            &json!({ "run_id": run_id, "datasets": [{ "tags": tags, "dataset": dataset }] }),
        )
        .await?;
        self.artefact(record, &run_id).await?;
        self.post(
            "runs/update",
            &json!({ "run_id": run_id, "status": record.status, "end_time": record.end_ms }),
        )
        .await?;
        Ok(())
    }

    /// The manifest beside the run. A server without an artefact proxy refuses it; the run is complete without.
    async fn artefact(&self, record: &Record, run_id: &str) -> Result<(), MlflowError> {
        let experiment = self.experiment(&record.experiment).await?;
        let url = format!(
            "{}/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run_id}/artifacts/model/manifest.json",
            self.uri
        );
        let body = serde_json::to_vec(&record.manifest).unwrap_or_default();
        let sent = self
            .authorised(self.http.put(url))
            .body(body)
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        if !sent.status().is_success() {
            tracing::warn!(
                "MLflow took the run but not its manifest: {}",
                sent.status()
            );
        }
        Ok(())
    }

    async fn post(&self, what: &str, body: &Value) -> Result<Value, MlflowError> {
        self.call(Method::POST, what, Some(body)).await
    }

    async fn call(
        &self,
        method: Method,
        what: &str,
        body: Option<&Value>,
    ) -> Result<Value, MlflowError> {
        let url = format!("{}/api/2.0/mlflow/{what}", self.uri);
        let request = self.authorised(self.http.request(method, url));
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = request
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(body);
        }
        let message = body["message"]
            .as_str()
            .unwrap_or_else(|| hint(status))
            .chars()
            .filter(|c| !c.is_control())
            .take(300)
            .collect();
        let what = what.split('?').next().unwrap_or(what).to_owned();
        Err(MlflowError::Refused {
            uri: self.uri.clone(),
            what,
            status: status.as_u16(),
            message,
        })
    }

    fn authorised(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match (&self.token, &self.user) {
            (Some(token), _) => request.bearer_auth(token),
            (None, Some((user, password))) => request.basic_auth(user, password.as_ref()),
            (None, None) => request,
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> MlflowError {
        let cause =
            std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
        MlflowError::Unreachable {
            uri: self.uri.clone(),
            cause,
        }
    }

    fn odd(&self, what: &str) -> MlflowError {
        MlflowError::Refused {
            uri: self.uri.clone(),
            what: what.to_owned(),
            status: 200,
            message: "its answer has no id; is it an MLflow server?".to_owned(),
        }
    }
}

fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        }
        StatusCode::NOT_FOUND => "no such thing; is MLFLOW_TRACKING_URI an MLflow server?",
        _ => "no message",
    }
}

fn pairs(pairs: &[(String, String)]) -> Vec<Value> {
    pairs
        .iter()
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect()
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer)?.as_str().map(ToOwned::to_owned)
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
