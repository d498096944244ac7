//! The calls to a tracking server.

use std::fmt;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::record::{KEY_TAG, Record};
use super::{MODEL, MlflowError};
use crate::client::predict::without_secrets;
use crate::client::signed::{is_loopback, root_cause};

/// Most metrics in one `log-batch`.
const BATCH: usize = 1000;

/// A tracking server.
#[derive(Clone)]
pub struct Server {
    /// As configured, a user and password before the host included: never shown.
    uri: String,
    http: reqwest::Client,
    token: Option<String>,
    user: Option<(String, Option<String>)>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.uri())
    }
}

impl Server {
    /// The server of MLflow's own variables (`MLFLOW_TRACKING_URI`, `…_TOKEN`, `…_USERNAME`, `…_PASSWORD`); `None`
    /// when the URI is unset or not HTTP (MLflow 3 refuses file stores).
    pub fn from_env(env: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let uri = env("MLFLOW_TRACKING_URI")
            .filter(|uri| uri.starts_with("http://") || uri.starts_with("https://"))?;
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(20))
            .connect_timeout(Duration::from_secs(3));
        // A proxy set for the world must not swallow a server on this machine.
        let http = if is_loopback(&uri) {
            http.no_proxy()
        } else {
            http
        };
        let http = http.build().ok()?;
        Some(Self {
            uri: uri.trim_end_matches('/').to_owned(),
            http,
            token: env("MLFLOW_TRACKING_TOKEN"),
            user: env("MLFLOW_TRACKING_USERNAME")
                .map(|user| (user, env("MLFLOW_TRACKING_PASSWORD"))),
        })
    }

    /// Where it is, without user and password.
    pub fn uri(&self) -> String {
        without_secrets(&self.uri)
    }

    /// The run with this key, if the server has one, and whether it is complete.
    pub(super) async fn find(
        &self,
        experiment: &str,
        key: &str,
    ) -> Result<Option<(String, bool)>, MlflowError> {
        let filter = format!("tags.`{KEY_TAG}` = '{key}'");
        let body = json!({ "experiment_ids": [experiment], "filter": filter, "max_results": 1 });
        let answer = self.post("runs/search", &body).await?;
        let complete =
            text(&answer, "/runs/0/info/status").is_some_and(|status| status != "RUNNING");
        Ok(text(&answer, "/runs/0/info/run_id").map(|run| (run, complete)))
    }

    pub(super) async fn create(
        &self,
        experiment: &str,
        record: &Record,
    ) -> Result<String, MlflowError> {
        let body = json!({ "experiment_id": experiment, "start_time": record.start_ms, "run_name": record.name, "tags": pairs(&record.tags) });
        let answer = self.post("runs/create", &body).await?;
        text(&answer, "/run/info/run_id").ok_or_else(|| self.odd("runs/create"))
    }

    /// The id of an experiment, made when there is none.
    pub(super) async fn experiment(&self, name: &str) -> Result<String, MlflowError> {
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
    pub(super) async fn fill(
        &self,
        experiment: &str,
        run_id: &str,
        record: &Record,
    ) -> Result<(), MlflowError> {
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
        if record.has_model() {
            self.inputs(run_id, record).await?;
            self.artefact(experiment, run_id, record).await?;
        }
        self.post(
            "runs/update",
            &json!({ "run_id": run_id, "status": record.status, "end_time": record.end_ms }),
        )
        .await?;
        Ok(())
    }

    async fn inputs(&self, run_id: &str, record: &Record) -> Result<(), MlflowError> {
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
        Ok(())
    }

    /// The manifest beside the run. A server without an artefact proxy refuses it; the run is complete without.
    async fn artefact(
        &self,
        experiment: &str,
        run_id: &str,
        record: &Record,
    ) -> Result<(), MlflowError> {
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

    /// The number of the model version that holds this run's model; registered when it was not.
    pub(super) async fn register(
        &self,
        run_id: &str,
        version: Option<&str>,
    ) -> Result<String, MlflowError> {
        match self
            .post("registered-models/create", &json!({ "name": MODEL }))
            .await
        {
            // It exists.
            Ok(_) | Err(MlflowError::Refused { status: 400, .. }) => {}
            Err(error) => return Err(error),
        }
        let filter = encoded(&format!("name='{MODEL}' and run_id='{run_id}'"));
        let found = self
            .call(
                Method::GET,
                &format!("model-versions/search?filter={filter}"),
                None,
            )
            .await?;
        if let Some(number) = text(&found, "/model_versions/0/version") {
            return Ok(number);
        }
        let tags = pairs(&[(
            "vintner.version".to_owned(),
            version.unwrap_or("").to_owned(),
        )]);
        let body = json!({ "name": MODEL, "source": format!("runs:/{run_id}/model"), "run_id": run_id, "tags": tags });
        let answer = self.post("model-versions/create", &body).await?;
        text(&answer, "/model_version/version").ok_or_else(|| self.odd("model-versions/create"))
    }

    /// Points the alias `champion` to a model version.
    pub(super) async fn crown(&self, number: &str) -> Result<(), MlflowError> {
        let body = json!({ "name": MODEL, "alias": "champion", "version": number });
        self.post("registered-models/alias", &body).await.map(drop)
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
            uri: self.uri(),
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
        MlflowError::Unreachable {
            uri: self.uri(),
            cause: root_cause(error),
        }
    }

    fn odd(&self, what: &str) -> MlflowError {
        MlflowError::Refused {
            uri: self.uri(),
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
