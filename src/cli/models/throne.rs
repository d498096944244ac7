//! `vintner models promote` and `rollback`: who reigns.

use std::io::Write;

use anyhow::anyhow;

use super::super::{Exit, Failure, Run, print_json};
use super::failure;
use crate::challenger::{self, Service, Standing};
use crate::registry::{Champion, Move, Registry, Version};
use crate::ui::text::clean;

/// Makes a version the champion unless a gate stops it.
pub(super) fn promote(
    registry: &Registry,
    version: Version,
    (reason, over, expect): (&str, bool, Option<u64>),
    service: &Service,
    json: bool,
    out: &mut impl Write,
) -> Run {
    if over && reason.trim().is_empty() {
        return Err(Failure::usage(anyhow!(
            "--override needs a reason: --reason \"…\"; it goes into the audit log"
        )));
    }
    let standing = challenger::standing(registry, version, service).map_err(failure)?;
    let reigns = standing
        .champion
        .as_ref()
        .is_some_and(|champion| champion.version == version);
    if !(over || reigns || standing.failed().is_empty()) {
        return Err(Failure::failed(stopped(&standing)));
    }
    let reason = if reason.is_empty() {
        "promoted on the command line"
    } else {
        reason
    };
    let wish = standing.wish(reason);
    let wish = Move {
        expected: expect.or(wish.expected),
        ..wish
    };
    crowned(
        &registry.promote(version, wish).map_err(failure)?,
        json,
        out,
    )
}

/// Back to the previous champion, or to an earlier version.
pub(super) fn roll_back(
    registry: &Registry,
    version: Option<Version>,
    reason: &str,
    json: bool,
    out: &mut impl Write,
) -> Run {
    let reason = if reason.is_empty() {
        "rolled back on the command line"
    } else {
        reason
    };
    let wish = Move {
        reason: reason.to_owned(),
        expected: None,
        overridden: Vec::new(),
    };
    let champion = registry.roll_back(version, wish).map_err(failure)?;
    crowned(&champion, json, out)
}

fn stopped(standing: &Standing) -> anyhow::Error {
    let version = standing.version;
    let failed = standing.failed();
    let reasons: Vec<String> = failed
        .iter()
        .map(|gate| format!("  {}: {}", gate.name, clean(&gate.reason)))
        .collect();
    let again = match &standing.champion {
        Some(champion) if standing.fresh => format!(", judged again against {}", champion.version),
        _ => String::new(),
    };
    anyhow!(
        "{version} is stopped by {} gate(s){again}:\n{}\nto promote it all the same: vintner models promote {version} --override --reason \"…\"",
        failed.len(),
        reasons.join("\n")
    )
}

fn crowned(champion: &Champion, json: bool, out: &mut impl Write) -> Run {
    if json {
        print_json(out, champion)?;
    } else {
        let before = champion
            .previous
            .map_or_else(String::new, |version| format!("; before it {version}"));
        writeln!(
            out,
            "{} is the champion (generation {}){before}",
            champion.version, champion.generation
        )?;
    }
    Ok(Exit::Fine)
}
