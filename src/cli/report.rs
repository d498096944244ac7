//! `vintner report`: the hand-over of a shift, as Markdown or JSON.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use jiff::Timestamp;

use super::{Context, Exit, Failure, Run, print_json};
use crate::client::collect::{self, Examination};
use crate::client::survey;
use crate::domain::cost::Prices;
use crate::domain::doctor::diagnose;
use crate::domain::handover::{Handover, Source};
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
    let now = Timestamp::now();
    let now_ms = now.as_millisecond();
    let gathered = survey::gather(&link, args.window, now_ms)
        .await
        .map_err(Failure::usage)?;
    let payload = collect::sample_payload(&context.schema);
    let examination = Examination::of(&link, &context.schema, payload, now_ms);
    let diagnosis = diagnose(&collect::facts(&examination).await);
    let errors = survey::errors(&link, args.window, now_ms).await;
    let vitals = gathered.vitals(&Prices::default(), now_ms);
    let healthy = diagnosis.is_healthy();
    let handover = Handover {
        written: now.to_string(),
        source: Source {
            target: link.session.target.clone(),
            account: link.session.account.clone(),
            region: link.session.region.clone(),
            function: link.session.function.clone(),
            endpoint: link.session.endpoint.clone(),
            sandbox: link.session.sandbox,
        },
        config: gathered.overview.config.known().cloned(),
        series: gathered.series(now_ms),
        histogram: gathered.histogram(now_ms),
        note: gathered.reports_note(),
        vitals,
        errors,
        diagnosis,
    };
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
    Ok(if healthy { Exit::Fine } else { Exit::Failed })
}

fn write(handover: &Handover, json: bool, out: &mut impl Write) -> std::io::Result<()> {
    if json {
        print_json(out, handover)
    } else {
        out.write_all(handover.markdown().as_bytes())
    }
}
