//! `vintner models mlflow`: a version as a run in MLflow, queued on disk when the server is away.

use std::io::{Write, stderr};
use std::time::Duration;

use anyhow::anyhow;
use serde_json::json;

use super::super::{Context, Exit, Failure, Run, print_json};
use super::{chosen, failure};
use crate::client::mlflow::{MlflowError, Sent, Tracking};
use crate::registry::{Registry, Version};
use crate::ui::text::clean;

/// How long a command that has done its work may wait for the tracking server.
const PATIENCE: Duration = Duration::from_secs(2);

/// Queues a version, the champion if none is given, or nothing, and sends the queue; 3 when the server is away (the queue
/// stays), 1 when it refuses a run.
pub(super) async fn run(
    registry: &Registry,
    context: &Context,
    (version, drain): (Option<Version>, bool),
    json: bool,
    out: &mut impl Write,
) -> Run {
    let tracking = Tracking::here(&context.settings).ok_or_else(|| Failure::usage(anyhow!("set MLFLOW_TRACKING_URI to the tracking server, http://host:5000 (MLflow 3 takes no file stores)")))?;
    if !drain {
        let version = chosen(registry, version)?;
        tracking
            .queue_version(registry, version)
            .and_then(|()| tracking.queue_champion(registry))
            .map_err(unlogged)?;
    }
    let sent = tracking.send().await.map_err(unlogged)?;
    let queued = tracking.queued();
    if json {
        print_json(
            out,
            &json!({
                "server": tracking.uri(), "experiment": tracking.experiment(), "sent": sent.runs, "known": sent.known,
                "champion": sent.champion, "refused": sent.refused, "queued": queued,
            }),
        )?;
    } else {
        say(&tracking, &sent, queued, out)?;
    }
    Ok(if sent.refused.is_empty() {
        Exit::Fine
    } else {
        Exit::Failed
    })
}

fn say(
    tracking: &Tracking,
    sent: &Sent,
    queued: usize,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let (uri, experiment) = (clean(&tracking.uri()), clean(tracking.experiment()));
    let known = match sent.known {
        0 => String::new(),
        known => format!(", {known} it had already"),
    };
    writeln!(
        out,
        "sent {} run(s) to {uri} (experiment {experiment}){known}, {queued} queued",
        sent.runs
    )?;
    if let Some(number) = &sent.champion {
        writeln!(
            out,
            "the alias champion points to model version {}",
            clean(number)
        )?;
    }
    for why in &sent.refused {
        writeln!(out, "refused and set aside: {}", clean(why))?;
    }
    Ok(())
}

fn unlogged(error: MlflowError) -> Failure {
    match error {
        MlflowError::Unreachable { .. } => Failure::unreachable(error),
        MlflowError::Registry(error) => failure(error),
        error => Failure::failed(error),
    }
}

/// Tells MLflow what a command has just done, where `MLFLOW_TRACKING_URI` names a server. The command is done already,
/// so what cannot be sent soon stays queued and is said on stderr.
pub(in crate::cli) async fn note(
    context: &Context,
    queue: impl FnOnce(&Tracking) -> Result<(), MlflowError>,
) {
    let Some(tracking) = Tracking::here(&context.settings) else {
        return;
    };
    let queued = queue(&tracking);
    let sent = match queued {
        Ok(()) => tokio::time::timeout(PATIENCE, tracking.send()).await,
        Err(error) => Ok(Err(error)),
    };
    let why = match sent {
        Ok(Ok(_)) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("{} does not answer", tracking.uri()),
    };
    let _ = writeln!(
        stderr(),
        "vintner: MLflow: {} queued: {}",
        tracking.queued(),
        clean(&why)
    );
}
