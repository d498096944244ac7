//! `vintner models verify` and `prune`: the registry in order.

use std::io::Write;

use serde_json::json;

use super::super::{Exit, Failure, Run, print_json};
use super::failure;
use crate::registry::{Registry, RegistryError, Version};
use crate::ui::text::clean;

/// Loads versions with every check; 1 when one is corrupt.
pub(super) fn verify(
    registry: &Registry,
    version: Option<Version>,
    json: bool,
    out: &mut impl Write,
) -> Run {
    let versions = match version {
        Some(version) => vec![version],
        None => registry.versions().map_err(failure)?,
    };
    let checked: Vec<(Version, Result<String, String>)> = versions
        .into_iter()
        .map(|version| match registry.load_verified(version) {
            Ok(loaded) => Ok((version, Ok(loaded.seal))),
            Err(error @ RegistryError::Unknown { .. }) => Err(failure(error)),
            Err(error) => Ok((version, Err(error.to_string()))),
        })
        .collect::<Result<_, Failure>>()?;
    if json {
        let value = |(version, result): &(Version, Result<String, String>)| match result {
            Ok(seal) => json!({ "version": version, "sound": true, "seal": seal }),
            Err(why) => json!({ "version": version, "sound": false, "error": why }),
        };
        print_json(out, &checked.iter().map(value).collect::<Vec<_>>())?;
    } else {
        for (version, result) in &checked {
            match result {
                Ok(_) => writeln!(
                    out,
                    "{version}  sound: checksums match, loads, canaries answer as recorded"
                )?,
                Err(why) => writeln!(out, "{version}  {}", clean(why))?,
            }
        }
    }
    Ok(if checked.iter().all(|(_, result)| result.is_ok()) {
        Exit::Fine
    } else {
        Exit::Failed
    })
}

/// Removes old versions, or says which would go.
pub(super) fn prune(
    registry: &Registry,
    keep: usize,
    dry_run: bool,
    json: bool,
    out: &mut impl Write,
) -> Run {
    let gone = if dry_run {
        registry.prunable(keep)
    } else {
        registry.prune(keep)
    }
    .map_err(failure)?;
    if json {
        print_json(out, &json!({ "removed": gone, "dry_run": dry_run }))?;
    } else {
        let word = if dry_run { "would remove" } else { "removed" };
        let names: Vec<String> = gone.iter().map(ToString::to_string).collect();
        writeln!(
            out,
            "{word} {}",
            if names.is_empty() {
                "nothing".to_owned()
            } else {
                names.join(", ")
            }
        )?;
    }
    Ok(Exit::Fine)
}
