//! `vintner bench`: the endpoint's latency at a steady rate, as text, JSON, Markdown or CSV.

use std::fmt::Write as _;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::predict::input;
use super::{Context, Exit, Failure, Run, counted, print_json};
use crate::challenger::params_file;
use crate::client::bench::{self, Measured, POLITE, Plan, Server, Via};
use crate::client::link::Link;
use crate::client::predict::PredictClient;
use crate::client::ways;
use crate::client::wire::Limits;
use crate::domain::latency::Ladder;
use crate::domain::schema::Schema;
use crate::ui::text::{clean, ms};

/// Calls that count, at most.
const MOST: i64 = 100_000;

/// Arguments of `vintner bench`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  vintner bench -n 300\n  vintner bench --duration 1m --per-second 10 --via invoke\n  vintner bench --markdown latency.md --csv calls.csv\n\nExit codes: 0 every call brought a prediction · 1 one did not · 2 usage · 3 could not reach"
)]
pub struct Args {
    /// Calls that count
    #[arg(short, long = "calls", value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=MOST))]
    pub n: u32,
    /// Measure for so long instead of so many calls: 30s, 5m
    #[arg(long, value_name = "TIME", conflicts_with = "n")]
    pub duration: Option<SignedDuration>,
    /// Which way the calls go
    #[arg(long, value_enum, default_value_t)]
    pub via: Via,
    /// Calls a second
    #[arg(long = "per-second", value_name = "R", default_value_t = 5.0)]
    pub per_second: f64,
    /// Calls beforehand that do not count
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub warm_up: u32,
    /// Allow more than 20 calls a second
    #[arg(long)]
    pub i_own_this: bool,
    /// Features to change, the others come from the preset: alcohol=12 pH=3.2
    #[arg(value_name = "FEATURE=VALUE")]
    pub pairs: Vec<String>,
    /// Preset that the other features come from, the first if not given; a wrong name lists them
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// Write a Markdown report
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Write every call as CSV
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Measures and prints; exit 1 if a call failed.
pub async fn run(args: &Args, context: &Context, out: &mut impl Write) -> Run {
    let rate = polite(args)?;
    check_places(args)?;
    let schema = &context.schema;
    let features = input::over_preset(&args.pairs, args.preset.as_deref(), schema)?;
    let link = context.connect().await?;
    let body = features.to_json(schema);
    let (server, endpoint) = server(args.via, &link, schema, &body).await?;
    let plan = Plan {
        n: calls(args, rate)?,
        rate,
        warm_up: args.warm_up as usize,
        via: args.via,
    };
    let measured = bench::run(&server, schema, &body, plan, |_| ControlFlow::Continue(())).await;
    // What was measured is told even where a file cannot be written.
    let written = write_files(args, &endpoint, rate, &measured);
    if args.json {
        print_json(
            out,
            &json!({ "endpoint": endpoint, "via": args.via, "per_second": rate, "warm_up": args.warm_up, "measured": measured }),
        )?;
    } else {
        write!(out, "{}", text(&endpoint, rate, &measured))?;
    }
    written?;
    Ok(if measured.failed == 0 {
        Exit::Fine
    } else {
        Exit::Failed
    })
}

/// Who is called, and the name of it. Whether anything answers at all is said at once, not after the whole schedule.
async fn server(
    via: Via,
    link: &Link,
    schema: &Schema,
    body: &str,
) -> Result<(Server, String), Failure> {
    match via {
        Via::Gateway => {
            let endpoint = link.endpoint().map_err(Failure::usage)?.clone();
            let client = PredictClient::new(endpoint.clone(), Limits::default());
            let answer = client.predict(schema, body.to_owned(), false).await;
            answer.map_err(Failure::unreachable)?;
            Ok((Server::Gateway(Box::new(client)), endpoint.to_string()))
        }
        Via::Invoke => {
            let answer = ways::invoke(link, schema, body).await;
            answer
                .result
                .map_err(|error| Failure::unreachable(anyhow!(error)))?;
            let name = format!("function {}", clean(&link.session.function));
            Ok((Server::Function(Box::new(link.clone())), name))
        }
    }
}

/// Calls that count: as many as were asked for, or as fit into the time.
fn calls(args: &Args, rate: f64) -> Result<usize, Failure> {
    let Some(duration) = args.duration else {
        return Ok(args.n as usize);
    };
    let n = (duration.as_secs_f64() * rate).ceil();
    if !(1.0..=MOST as f64).contains(&n) {
        return Err(Failure::usage(anyhow!(
            "--duration {duration:#} at {rate} a second makes {n} calls: it must be 1 to {MOST}"
        )));
    }
    Ok(n as usize)
}

fn polite(args: &Args) -> Result<f64, Failure> {
    let rate = args.per_second;
    if !rate.is_finite() || rate <= 0.0 {
        return Err(Failure::usage(anyhow!(
            "--per-second {rate} must be above 0"
        )));
    }
    if rate > POLITE && !args.i_own_this {
        return Err(Failure::usage(anyhow!(
            "{rate} calls a second are more than {POLITE}: say --i-own-this if the endpoint is yours and its bill too"
        )));
    }
    Ok(rate)
}

fn text(endpoint: &str, rate: f64, measured: &Measured) -> String {
    let mut said = format!(
        "{endpoint}\n{} at {rate}/s in {:.1} s, {} failed\n",
        counted(measured.n, "call"),
        measured.seconds,
        measured.failed
    );
    let _ = writeln!(
        said,
        "{:<10}{:>6}{:>11}{:>11}{:>11}{:>11}{:>11}{:>11}{:>11}",
        "", "n", "min", "mean", "p50", "p90", "p95", "p99", "max"
    );
    for (name, ladder) in rows(measured) {
        let _ = writeln!(
            said,
            "{name:<10}{:>6}{}",
            ladder.n,
            cells(ladder).map(|cell| format!("{cell:>11}")).concat()
        );
    }
    if let Some(half) = measured.mean_plus_minus {
        let _ = writeln!(
            said,
            "mean service time ± {} (95 %); response counts from the schedule, so a stall is not hidden",
            ms(half)
        );
    }
    let _ = writeln!(said, "{}", cold_starts(measured));
    said
}

fn cold_starts(measured: &Measured) -> String {
    match measured.cold_starts {
        Some(cold) => format!("{cold} of {} calls were cold starts", measured.n),
        None => "cold or warm: the gateway does not tell; --via invoke does".to_owned(),
    }
}

fn rows(measured: &Measured) -> Vec<(&'static str, &Ladder)> {
    let all = [
        ("service", &measured.service),
        ("response", &measured.response),
        ("cold", &measured.cold),
        ("failures", &measured.failures),
    ];
    all.into_iter()
        .filter_map(|(name, ladder)| Some((name, ladder.as_ref()?)))
        .collect()
}

fn cells(ladder: &Ladder) -> [String; 7] {
    [
        ms(ladder.min),
        ms(ladder.mean),
        ladder.p50.text(),
        ladder.p90.text(),
        ladder.p95.text(),
        ladder.p99.text(),
        ms(ladder.max),
    ]
}

/// Whether the files have a place, before a call is made for them.
fn check_places(args: &Args) -> Result<(), Failure> {
    let wanted = [("--markdown", &args.markdown), ("--csv", &args.csv)];
    for (flag, path) in wanted {
        let Some(path) = path else { continue };
        params_file::check_place(path)
            .map_err(|error| Failure::usage(anyhow!("{flag}: {error}")))?;
        if path.is_dir() {
            let path = path.display();
            let why = anyhow!("{flag}: cannot write {path}: it is a directory");
            return Err(Failure::usage(why));
        }
    }
    Ok(())
}

fn write_files(args: &Args, endpoint: &str, rate: f64, measured: &Measured) -> Result<(), Failure> {
    if let Some(path) = &args.markdown {
        let written = std::fs::write(path, markdown(endpoint, rate, measured));
        written
            .with_context(|| format!("cannot write {}", path.display()))
            .map_err(Failure::failed)?;
    }
    if let Some(path) = &args.csv {
        let mut writer = csv::Writer::from_path(path)
            .with_context(|| format!("cannot write {}", path.display()))
            .map_err(Failure::failed)?;
        let rows = (measured.calls.iter()).try_for_each(|call| writer.serialize(call));
        rows.and_then(|()| Ok(writer.flush()?))
            .with_context(|| format!("cannot write {}", path.display()))
            .map_err(Failure::failed)?;
    }
    Ok(())
}

/// The shape of the owner's `API_TEST_RESULTS.md`.
fn markdown(endpoint: &str, rate: f64, measured: &Measured) -> String {
    let now = Timestamp::now().strftime("%Y-%m-%d %H:%M UTC");
    let ok = measured.n - measured.failed;
    let mut said = format!(
        "# API test results\n\n`{endpoint}`, {now}\n\n## Functional\n\n{ok} of {} calls answered with a prediction that keeps the contract.\n",
        measured.n
    );
    said += "\n## Error handling\n\n";
    said += &if measured.failed == 0 {
        "No call failed.\n".to_owned()
    } else {
        statuses(measured)
    };
    let _ = write!(
        said,
        "\n## Performance\n\n{} calls at {rate} a second over {:.1} s, open loop.\n\n| | n | min | mean | p50 | p90 | p95 | p99 | max |\n|---|---|---|---|---|---|---|---|---|\n",
        measured.n, measured.seconds
    );
    for (name, ladder) in rows(measured) {
        let _ = writeln!(
            said,
            "| {name} | {} | {} |",
            ladder.n,
            cells(ladder).join(" | ")
        );
    }
    let _ = writeln!(said, "\n{}.", cold_starts(measured));
    let _ = write!(
        said,
        "\n## Uptime\n\n{:.1} % of {} calls over {:.1} s succeeded. That says nothing about longer times.\n",
        100.0 * ok as f64 / measured.n.max(1) as f64,
        measured.n,
        measured.seconds
    );
    said
}

fn statuses(measured: &Measured) -> String {
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for call in measured.calls.iter().filter(|call| !call.ok) {
        *counts
            .entry(
                call.status
                    .map_or_else(|| "no answer".to_owned(), |status| status.to_string()),
            )
            .or_default() += 1;
    }
    let lines: Vec<String> = (counts.iter())
        .map(|(status, n)| format!("- {status}: {n}\n"))
        .collect();
    lines.concat()
}
