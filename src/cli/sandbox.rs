//! `vintner sandbox`: the embedded AWS alone, for `aws`, `curl` and any SDK.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{Context, Exit, Failure, Run, print_json};
use crate::champion;
use crate::sandbox::{Incident, Options, Sandbox};

/// Arguments of `vintner sandbox`; seed, rate, speed and incident are global options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Port on 127.0.0.1 [default: a free one]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub port: u16,
    /// Hours of traffic recorded before the start
    #[arg(long, value_name = "HOURS", default_value_t = 24.0, value_parser = hours)]
    pub history: f64,
    /// List what can be broken, and stop
    #[arg(long)]
    pub incidents: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// At most a month, so that the history stays in memory.
fn hours(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(hours) if (0.0..=744.0).contains(&hours) => Ok(hours),
        _ => Err("expected hours between 0 and 744".into()),
    }
}

/// Serves until Ctrl-C or SIGTERM.
pub async fn run(args: &Args, context: &Context, out: &mut impl Write) -> Run {
    if args.incidents {
        return incidents(args.json, out);
    }
    let wanted = &context.settings.sandbox;
    let options = Options {
        port: args.port,
        seed: wanted.seed,
        rate: wanted.rate,
        speed: wanted.speed,
        incident: wanted.incident,
        history: Duration::from_secs_f64(args.history * 3600.0),
        schema: context.schema.clone(),
        ..Options::default()
    };
    // Before the address is printed, so that no signal finds us without a way to stop.
    let mut terminated = signal(SignalKind::terminate())
        .context("cannot wait for SIGTERM")
        .map_err(Failure::failed)?;
    let sandbox = Sandbox::start(
        options,
        champion::served(&context.settings, &context.schema),
    )
    .await
    .map_err(Failure::usage)?;
    announce(&sandbox, args.json, out)?;
    out.flush()?;
    let sandbox = Arc::new(sandbox);
    tokio::select! {
        () = champion::follow(champion::registry(&context.settings), Arc::clone(&sandbox)) => {}
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
    sandbox.shutdown().await;
    Ok(Exit::Fine)
}

/// What to type elsewhere. Everything but the exports is a comment, so that it can be pasted whole.
fn announce(sandbox: &Sandbox, as_json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let endpoint = sandbox.endpoint();
    let lines = sandbox.env_lines();
    if as_json {
        let env: serde_json::Map<_, _> = lines
            .iter()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        let facts = json!({
            "endpoint": endpoint.as_str(),
            "region": sandbox.region(),
            "account": sandbox.account(),
            "function": sandbox.function(),
            "log_group": sandbox.log_group(),
            "incident": sandbox.incident().map(Incident::name),
            "env": env,
        });
        print_json(out, &facts)?;
        return Ok(());
    }
    writeln!(out, "# the sandbox is at {endpoint} until Ctrl-C")?;
    if let Some(incident) = sandbox.incident() {
        writeln!(out, "# {incident}: {}", incident.description())?;
    }
    for line in lines {
        writeln!(out, "export {line}")?;
    }
    writeln!(out, "# curl -d '{{\"alcohol\":12.5}}' {endpoint}")?;
    writeln!(out, "# aws logs tail {} --follow", sandbox.log_group())?;
    writeln!(
        out,
        "# aws lambda get-function --function-name {}",
        sandbox.function()
    )?;
    Ok(())
}

fn incidents(as_json: bool, out: &mut impl Write) -> Run {
    if as_json {
        let list: Vec<_> = Incident::ALL
            .iter()
            .map(|incident| json!({"name": incident.name(), "description": incident.description()}))
            .collect();
        print_json(out, &list)?;
    } else {
        let width = Incident::ALL
            .iter()
            .map(|incident| incident.name().len())
            .max()
            .unwrap_or(0);
        for incident in Incident::ALL {
            writeln!(out, "{incident:width$}  {}", incident.description())?;
        }
    }
    Ok(Exit::Fine)
}
