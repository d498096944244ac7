//! `vintner models served`: which version answers behind the endpoint.

use std::io::Write;

use serde_json::json;

use super::super::{Context, Exit, Failure, Run, print_json};
use super::failure;
use crate::client::predict::{Endpoint, PredictClient};
use crate::client::wire::Limits;
use crate::domain::prediction::Outcome;
use crate::registry::fingerprint::{Suspect, suspects};
use crate::registry::{Registry, RegistryError, Version};

/// Sends the sixteen canaries and matches the answers against every version; 1 when the champion is not served.
pub(super) async fn run(
    registry: &Registry,
    context: &Context,
    json: bool,
    out: &mut impl Write,
) -> Run {
    let link = context.connect().await?;
    let champion = if link.session.sandbox {
        // The sandbox's own first champion may still be in training.
        let established = tokio::task::block_in_place(|| crate::champion::establish(registry));
        established.map_err(Failure::failed)?
    } else {
        let champion = registry.champion().map_err(failure)?;
        champion.ok_or(RegistryError::NoChampion).map_err(failure)?
    };
    let manifest = registry.manifest(champion.version).map_err(failure)?;
    let endpoint = link.endpoint().cloned().map_err(Failure::usage)?;
    let client = PredictClient::new(endpoint, Limits::default());
    let mut answers = Vec::new();
    for canary in &manifest.canaries {
        let names = manifest.features.names.iter().cloned();
        let body: serde_json::Map<_, _> = names
            .zip(canary.x.iter().map(|value| json!(value)))
            .collect();
        let body = serde_json::to_vec(&body).map_err(Failure::failed)?;
        let reply = client
            .predict(&context.schema, body, false)
            .await
            .map_err(Failure::unreachable)?;
        match reply.outcome {
            Outcome::Predicted(prediction) => answers.push(prediction.score),
            other => {
                let why = other.fault().unwrap_or_else(|| "no score".to_owned());
                return Err(Failure::failed(anyhow::anyhow!(
                    "the endpoint {} did not answer a canary: {why}",
                    client.endpoint()
                )));
            }
        }
    }
    let rows: Vec<Vec<f32>> = manifest
        .canaries
        .iter()
        .map(|canary| canary.x.clone())
        .collect();
    let suspects =
        suspects(registry, &manifest.features.names, &rows, &answers).map_err(failure)?;
    let served: Vec<Version> = suspects
        .iter()
        .filter(|suspect| suspect.matches)
        .map(|suspect| suspect.version)
        .collect();
    let expected = served.contains(&champion.version);
    if json {
        print_json(
            out,
            &json!({
                "endpoint": client.endpoint().to_string(), "champion": champion.version, "served": served,
                "champion_is_served": expected, "canaries": answers.len(), "versions": suspects,
            }),
        )?;
    } else {
        say(client.endpoint(), champion.version, &served, &suspects, out)?;
    }
    Ok(if expected { Exit::Fine } else { Exit::Failed })
}

fn say(
    endpoint: &Endpoint,
    champion: Version,
    served: &[Version],
    suspects: &[Suspect],
    out: &mut impl Write,
) -> std::io::Result<()> {
    let names: Vec<String> = served.iter().map(ToString::to_string).collect();
    match served {
        [] => {
            writeln!(
                out,
                "{endpoint} serves none of the {} versions; champion is {champion}",
                suspects.len()
            )?;
            if let Some(nearest) = suspects.first() {
                writeln!(
                    out,
                    "nearest is {}: its answers are up to {:.3} off",
                    nearest.version, nearest.largest_gap
                )?;
            }
            Ok(())
        }
        served if served.contains(&champion) => {
            writeln!(out, "{endpoint} serves {}, the champion", names.join(" = "))
        }
        _ => writeln!(
            out,
            "{endpoint} serves {}, champion is {champion}: a warm function keeps the model it has loaded until it is redeployed",
            names.join(" = ")
        ),
    }
}
