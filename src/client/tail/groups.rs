//! Which groups a tail follows: names as they are, globs by what they match.

use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::mpsc;

use super::trouble::Trouble;
use super::{Connect, LONGEST_SLEEP_MS, TailRequest, TailUpdate, sleep};
use crate::client::errors::AwsError;
use crate::client::logs::LogsClient;

/// The groups of a request. A glob that matches nothing, or cannot be looked up, is waited for as a missing group is.
pub async fn resolve(
    request: &TailRequest,
    client: &mut LogsClient,
    connect: &Connect,
    updates: &mpsc::Sender<TailUpdate>,
    seed: u64,
) -> Result<Vec<Arc<str>>, AwsError> {
    let mut names: Vec<Arc<str>> = Vec::new();
    for group in &request.groups {
        let found = if is_glob(group) {
            look_up(group, request, client, connect, updates, seed).await?
        } else {
            vec![Arc::clone(group)]
        };
        for name in found {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(names)
}

/// Whether a name stands for several groups.
fn is_glob(group: &str) -> bool {
    !group.starts_with("arn:") && group.contains(['*', '?'])
}

async fn look_up(
    glob: &Arc<str>,
    request: &TailRequest,
    client: &mut LogsClient,
    connect: &Connect,
    updates: &mpsc::Sender<TailUpdate>,
    seed: u64,
) -> Result<Vec<Arc<str>>, AwsError> {
    let mut trouble = Trouble::none(request.patience, request.span);
    let mut dice = StdRng::seed_from_u64(seed);
    loop {
        let error = match client.groups(glob).await {
            Ok(found) if !found.is_empty() => {
                return Ok(found.into_iter().map(|group| group.name.into()).collect());
            }
            Ok(_) => AwsError::NotFound {
                subject: format!("log group {glob}"),
                region: client.region().to_owned(),
            },
            Err(error) => error,
        };
        let now = client.now();
        trouble.failed(now, &error, glob, &mut dice);
        if trouble.fatal().is_some() {
            return Err(error);
        }
        if let Some(status) = trouble.status() {
            let status = status.clone().shifted(-client.skew());
            // Nobody listening is noticed by the tail itself.
            let _ = updates.send(TailUpdate::Status(status)).await;
        }
        if error.is_about_credentials() {
            *client = connect().await.unwrap_or_else(|_| client.clone());
        }
        sleep((trouble.blocked_until() - now).min(LONGEST_SLEEP_MS)).await;
    }
}
