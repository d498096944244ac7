//! `vintner report`: the hand-over of a shift, as Markdown or JSON.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;

use super::{Context, Exit, Failure, Run, print_json};
use crate::client::report::compose;
use crate::domain::handover::Handover;
use crate::domain::latency::Window;

/// Arguments of `vintner report`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How far back: 1m 5m 15m 1h 6h 24h 7d
    #[arg(long, default_value = "24h")]
    pub window: Window,
    /// Write to this file instead of the terminal
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// JSON instead of Markdown
    #[arg(long)]
    pub json: bool,
}

/// Gathers, examines and writes. 1 when Doctor found something wrong.
pub async fn run(args: &Args, context: &Context, out: &mut impl Write) -> Run {
    let link = context.connect().await?;
    let handover = compose(&link, &context.schema, &context.settings, args.window)
        .await
        .map_err(Failure::usage)?;
    match &args.output {
        Some(path) => {
            let mut bytes = Vec::new();
            write(&handover, args.json, &mut bytes)?;
            std::fs::write(path, bytes)
                .with_context(|| format!("cannot write {}", path.display()))
                .map_err(Failure::failed)?;
            writeln!(out, "wrote {}", path.display())?;
        }
        None => write(&handover, args.json, out)?,
    }
    Ok(if handover.diagnosis.is_healthy() {
        Exit::Fine
    } else {
        Exit::Failed
    })
}

fn write(handover: &Handover, json: bool, out: &mut impl Write) -> std::io::Result<()> {
    if json {
        print_json(out, handover)
    } else {
        out.write_all(handover.markdown().as_bytes())
    }
}
