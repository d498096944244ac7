//! Which version answers behind an endpoint: the champion's sixteen canaries, asked and matched against the registry.

use serde::Serialize;
use serde_json::json;

use super::predict::PredictClient;
use super::wire::WireError;
use crate::domain::prediction::Outcome;
use crate::domain::schema::Schema;
use crate::registry::fingerprint::{Suspect, matching, suspects};
use crate::registry::{Registry, RegistryError, Version};

/// What an endpoint serves.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Served {
    /// Where it was asked.
    pub endpoint: String,
    /// The registry's champion when it was asked.
    pub champion: Version,
    /// Versions that answer as it does; equal models share their answers.
    pub served: Vec<Version>,
    /// Whether the champion is among them.
    pub champion_is_served: bool,
    /// Questions asked.
    pub canaries: usize,
    /// Every version, nearest first.
    pub versions: Vec<Suspect>,
}

/// Why it is not known what is served.
#[derive(Debug, thiserror::Error)]
pub enum Unrecognised {
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// No answer.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// An answer that is no prediction.
    #[error("the endpoint {endpoint} did not answer a canary: {why}")]
    Refused {
        /// Where.
        endpoint: String,
        /// What it said.
        why: String,
    },
}

/// Asks the endpoint the champion's canaries, one after the other: sixteen calls.
pub async fn recognise(
    client: &PredictClient,
    schema: &Schema,
    registry: &Registry,
    champion: Version,
) -> Result<Served, Unrecognised> {
    let manifest = registry.manifest(champion)?;
    let names = &manifest.features.names;
    let mut answers = Vec::new();
    for canary in &manifest.canaries {
        let values = canary.x.iter().map(|value| json!(value));
        let body: serde_json::Map<_, _> = names.iter().cloned().zip(values).collect();
        // Finite numbers always serialize.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        match client.predict(schema, body, false).await?.outcome {
            Outcome::Predicted(prediction) => answers.push(prediction.score),
            other => {
                return Err(Unrecognised::Refused {
                    endpoint: client.endpoint().to_string(),
                    why: other.fault().unwrap_or_else(|| "no score".to_owned()),
                });
            }
        }
    }
    let rows = manifest.canary_rows();
    let versions = suspects(registry, names, &rows, &answers)?;
    let served = matching(&versions);
    Ok(Served {
        endpoint: client.endpoint().to_string(),
        champion,
        champion_is_served: served.contains(&champion),
        served,
        canaries: answers.len(),
        versions,
    })
}
