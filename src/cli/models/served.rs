//! `vintner models served`: which version answers behind the endpoint.

use std::io::Write;

use super::super::{Context, Exit, Failure, Run, print_json};
use super::failure;
use crate::client::fingerprint::{Served, Unrecognised, recognise};
use crate::client::predict::PredictClient;
use crate::client::wire::Limits;
use crate::registry::{Registry, RegistryError};

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
    let endpoint = link.endpoint().cloned().map_err(Failure::usage)?;
    let client = PredictClient::new(endpoint, Limits::default());
    let served = recognise(&client, &context.schema, registry, champion.version)
        .await
        .map_err(|error| match error {
            Unrecognised::Registry(error) => failure(error),
            Unrecognised::Wire(error) => Failure::unreachable(error),
            error @ Unrecognised::Refused { .. } => Failure::failed(error),
        })?;
    if json {
        print_json(out, &served)?;
    } else {
        say(&served, out)?;
    }
    Ok(if served.champion_is_served {
        Exit::Fine
    } else {
        Exit::Failed
    })
}

fn say(found: &Served, out: &mut impl Write) -> std::io::Result<()> {
    let names: Vec<String> = found.served.iter().map(ToString::to_string).collect();
    let (endpoint, champion, names) = (&found.endpoint, found.champion, names.join(" = "));
    if found.champion_is_served {
        return writeln!(out, "{endpoint} serves {names}, the champion");
    }
    if !names.is_empty() {
        return writeln!(
            out,
            "{endpoint} serves {names}, champion is {champion}: a warm function keeps the model it has loaded until it is redeployed"
        );
    }
    writeln!(
        out,
        "{endpoint} serves none of the {} versions; champion is {champion}",
        found.versions.len()
    )?;
    match found.versions.first() {
        Some(nearest) => writeln!(
            out,
            "nearest is {}: its answers are up to {:.3} off",
            nearest.version, nearest.largest_gap
        ),
        None => Ok(()),
    }
}
