//! `vintner models reproduce`: a version trained again from its manifest.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::anyhow;
use serde_json::json;

use super::super::{Exit, Failure, Run, print_json, training};
use super::failure;
use crate::challenger;
use crate::registry::{Registry, Version};
use crate::train::Flow;

/// Trains on a thread of its own; Ctrl-C cancels. 1 when the model is another one.
pub(super) async fn run(
    registry: &Registry,
    version: Version,
    json: bool,
    out: &mut impl Write,
) -> Run {
    let recorded = registry.manifest(version).map_err(failure)?.model_sha256;
    let cancelled = Arc::new(AtomicBool::new(false));
    let (registry, stop) = (registry.clone(), Arc::clone(&cancelled));
    let identical = training(&cancelled, move || {
        let mut flow = |_, _: &_| {
            if stop.load(Ordering::Relaxed) {
                Flow::Stop { keep: false }
            } else {
                Flow::Continue
            }
        };
        challenger::reproduce(version, &registry, &mut flow)
    })
    .await?
    .map_err(|why| Failure::failed(anyhow!("{version} cannot be reproduced: {why}")))?;
    if json {
        print_json(
            out,
            &json!({ "version": version, "identical": identical, "model_sha256": recorded }),
        )?;
    } else if identical {
        writeln!(
            out,
            "{version} IDENTICAL: trained again, bit by bit the same model (sha256 {})",
            &recorded[..12.min(recorded.len())]
        )?;
    } else {
        writeln!(
            out,
            "{version} DIFFERENT: trained again, it is another model; another vintner may have made it (`vintner models show {version}`)"
        )?;
    }
    Ok(if identical { Exit::Fine } else { Exit::Failed })
}
