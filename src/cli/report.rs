//! `vintner report`: the hand-over of a shift, as Markdown or JSON.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use jiff::Timestamp;

use super::{Context, Exit, Failure, Run, print_json};
use crate::client::collect::{self, Examination};
use crate::client::link::Link;
use crate::client::survey;
use crate::domain::cost::Prices;
use crate::domain::doctor::diagnose;
use crate::domain::handover::{Handover, Source};
use crate::domain::latency::Window;
use crate::domain::schema::Schema;

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
    let handover = compose(&link, &context.schema, args.window)
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

/// Everything the report says, read now.
pub async fn compose(link: &Link, schema: &Schema, window: Window) -> anyhow::Result<Handover> {
    let now = Timestamp::now();
    let now_ms = now.as_millisecond();
    let examination = Examination::of(link, schema, collect::sample_payload(schema), now_ms);
    let (gathered, facts, errors) = tokio::join!(
        survey::gather(link, window, now_ms),
        collect::facts(&examination),
        survey::errors(link, window, now_ms)
    );
    let gathered = gathered?;
    let session = &link.session;
    Ok(Handover {
        written: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        source: Source {
            target: session.target.clone(),
            account: session
                .account
                .clone()
                .or_else(|| facts.identity.known().map(|i| i.account.clone())),
            region: session.region.clone(),
            function: session.function.clone(),
            endpoint: session.endpoint.clone(),
            sandbox: session.sandbox,
        },
        config: gathered.overview.config.known().cloned(),
        series: gathered.series(now_ms),
        histogram: gathered.histogram(now_ms),
        note: gathered.reports_note(),
        vitals: gathered.vitals(&Prices::default(), now_ms),
        errors,
        diagnosis: diagnose(&facts),
    })
}

fn write(handover: &Handover, json: bool, out: &mut impl Write) -> std::io::Result<()> {
    if json {
        print_json(out, handover)
    } else {
        out.write_all(handover.markdown().as_bytes())
    }
}
