//! `vintner predict --explain`: the local champion's score taken apart, feature by feature.

use std::io::Write;
use std::sync::Arc;

use anyhow::anyhow;
use serde_json::json;

use super::input::Request;
use super::{Args, wants_json};
use crate::champion;
use crate::cli::{Context, Exit, Failure, Run, print_json};
use crate::ui::text::clean;

/// Prints the mean prediction over the training rows and what each feature adds to it; together they are the score,
/// before it is clipped to the scale.
pub async fn run(request: &Request, args: &Args, context: &Context, out: &mut impl Write) -> Run {
    let features = request.features.as_ref().ok_or_else(|| {
        Failure::usage(anyhow!(
            "only valid features can be explained; leave out --raw"
        ))
    })?;
    let (settings, schema) = (Arc::clone(&context.settings), Arc::clone(&context.schema));
    let local = tokio::task::spawn_blocking(move || champion::local(&settings, &schema))
        .await
        .map_err(Failure::failed)?
        .map_err(Failure::failed)?;
    let explanation = local.explain(features).ok_or_else(|| {
        Failure::failed(anyhow!(
            "{} takes other features than the schema has",
            local.version
        ))
    })?;
    let (base, score) = (explanation.base, explanation.score());
    let names = local.model.names();
    let parts = explanation.ranked().into_iter();
    let parts = parts.map(|(at, part)| (names[at].as_str(), features.row()[at], part));
    if wants_json(args) {
        let parts: Vec<_> = parts
            .map(|(name, value, part)| json!({"feature": name, "value": value, "contribution": part}))
            .collect();
        print_json(
            out,
            &json!({"model_version": local.version, "prediction": score, "base": base, "contributions": parts}),
        )?;
        return Ok(Exit::Fine);
    }
    writeln!(
        out,
        "{base:>+8.3}  mean over the training rows of {}",
        local.version
    )?;
    for (name, value, part) in parts {
        writeln!(out, "{part:>+8.3}  {} = {value}", clean(name))?;
    }
    writeln!(out, "{score:>+8.3}  score")?;
    Ok(Exit::Fine)
}
