//! `vintner models log` and `runs`: what happened.

use std::io::Write;

use super::super::{Exit, Failure, Run, print_json};
use super::failure;
use crate::registry::Registry;
use crate::ui::text::clean;

/// Prints the audit log, oldest first.
pub(super) fn log(registry: &Registry, json: bool, out: &mut impl Write) -> Run {
    let events = registry.events().map_err(failure)?;
    if json {
        for event in &events {
            writeln!(
                out,
                "{}",
                serde_json::to_string(event).map_err(Failure::failed)?
            )?;
        }
        return Ok(Exit::Fine);
    }
    for event in &events {
        let what = serde_json::to_value(event.what)
            .ok()
            .and_then(|value| value.as_str().map(ToOwned::to_owned))
            .unwrap_or_default();
        let version = event
            .version
            .map_or_else(String::new, |version| version.to_string());
        let over = if event.overridden.is_empty() {
            String::new()
        } else {
            format!(" over {}", event.overridden.join(", "))
        };
        writeln!(
            out,
            "{}  {what:<11} {version:<7} {}  {}{}",
            event.at,
            clean(&event.by),
            clean(&event.reason),
            clean(&over)
        )?;
    }
    Ok(Exit::Fine)
}

/// Prints every training run, newest first.
pub(super) fn runs(registry: &Registry, json: bool, out: &mut impl Write) -> Run {
    let runs = registry.runs().map_err(failure)?;
    if json {
        print_json(out, &runs)?;
        return Ok(Exit::Fine);
    }
    for run in &runs {
        let version = run
            .version
            .map_or_else(|| "-".to_owned(), |version| version.to_string());
        let note = run.note.as_deref().map(clean).unwrap_or_default();
        let wanted = run.search.as_ref().map(|search| search.wanted);
        let (done, what) = match (run.trials, wanted) {
            (Some(made), Some(wanted)) => (made, format!("of {wanted} trials")),
            (Some(made), None) => (made, "trials".to_owned()),
            (None, _) => (run.trees, "trees ".to_owned()),
        };
        writeln!(
            out,
            "{}  {:<9} {version:<7} {:<17} {done:>5} {what} {note}",
            run.started,
            run.state.name(),
            run.plan.family,
        )?;
    }
    Ok(Exit::Fine)
}
