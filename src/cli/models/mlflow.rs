//! `vintner models mlflow`: a version as a run in MLflow, queued on disk when the server is away.

use std::io::Write;

use anyhow::anyhow;
use serde_json::json;

use super::super::{Context, Exit, Failure, Run, print_json};
use super::{chosen, failure};
use crate::client::mlflow::{EXPERIMENT, MlflowError, Record, Server, Spool};
use crate::registry::{Registry, Version};

/// Queues a version and sends the queue; 3 when the server is away (the queue stays).
pub(super) async fn run(
    registry: &Registry,
    context: &Context,
    version: Option<Version>,
    json: bool,
    out: &mut impl Write,
) -> Run {
    let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let server = Server::from_env(&env).ok_or_else(|| Failure::usage(anyhow!("set MLFLOW_TRACKING_URI to the tracking server, http://host:5000 (MLflow 3 takes no file stores)")))?;
    let spool = Spool::at(context.settings.dirs.state.join("mlflow"));
    let version = chosen(registry, version)?;
    let manifest = registry.manifest(version).map_err(failure)?;
    let experiment = env("MLFLOW_EXPERIMENT_NAME").unwrap_or_else(|| EXPERIMENT.to_owned());
    let curve = crate::effects::retrain::shelf::curve(registry, version);
    spool
        .add(&Record::of(&manifest, &curve, &experiment))
        .map_err(Failure::failed)?;
    let sent = spool.drain(&server).await.map_err(|error| match error {
        MlflowError::Unreachable { .. } => Failure::unreachable(error),
        error => Failure::failed(error),
    })?;
    let queued = spool.pending().len();
    if json {
        print_json(
            out,
            &json!({ "server": server.uri(), "experiment": experiment, "sent": sent, "queued": queued }),
        )?;
    } else {
        writeln!(
            out,
            "sent {sent} run(s) to {} (experiment {experiment}), {queued} queued",
            server.uri()
        )?;
    }
    Ok(Exit::Fine)
}
