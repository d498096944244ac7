//! `vintner predict`: one prediction, or a file of them, through the gateway, straight to the function, or locally.

mod batch;
mod explain;
pub(super) mod input;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Context, Exit, Failure, Run, print_json};
use crate::champion::{self, Local};
use crate::client::link::Link;
use crate::client::predict::{Endpoint, PredictClient, Reply};
use crate::client::ways;
use crate::client::wire::{Limits, WireError};
use crate::domain::compare::{Comparison, Way};
use crate::domain::prediction::Outcome;
use crate::domain::schema::Schema;
use crate::ui::text::{clean, ms};

/// Arguments of `vintner predict`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  vintner predict alcohol=12 pH=3.2\n  vintner predict --preset median-white --via all\n  echo '{\"alcohol\": 12, …}' | vintner predict --json -\n  vintner predict --csv wines.csv --out scored.csv\n\nExit codes: 0 a prediction · 1 the answer is none · 2 usage · 3 could not reach"
)]
pub struct Args {
    /// Features to change, the others come from the preset: alcohol=12 pH=3.2
    #[arg(value_name = "FEATURE=VALUE")]
    pub pairs: Vec<String>,
    /// Preset that the other features come from, the first if not given; a wrong name lists them
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// Print JSON; with FILE (or - for stdin) also read the request from there
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub json: Option<Option<String>>,
    /// Which way the request goes
    #[arg(long, value_enum, default_value_t)]
    pub via: Route,
    /// Send the request exactly as given, valid or not
    #[arg(long)]
    pub raw: bool,
    /// Print the curl line and send nothing
    #[arg(long)]
    pub curl: bool,
    /// Take the local champion's score apart: what each feature adds to the mean prediction
    #[arg(long, conflicts_with_all = ["csv", "raw", "curl", "via"])]
    pub explain: bool,
    /// Predict every row of a CSV file (or - for stdin)
    #[arg(long, value_name = "FILE", requires = "out", conflicts_with_all = ["pairs", "preset", "raw", "curl"])]
    pub csv: Option<PathBuf>,
    /// Where the scored rows go; rows already there are not sent again
    #[arg(long, value_name = "FILE", requires = "csv")]
    pub out: Option<PathBuf>,
    /// Requests under way at once, with --csv
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=20))]
    pub jobs: u8,
}

/// Which way a request goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Route {
    /// Over HTTP to the endpoint
    #[default]
    Gateway,
    /// Straight to the function (lambda:InvokeFunction)
    Invoke,
    /// The champion on this machine
    Local,
    /// All three, side by side
    All,
}

/// Predicts, or prints the curl line.
pub async fn run(args: &Args, context: &Context, out: &mut impl Write) -> Run {
    if let (Some(from), Some(to)) = (&args.csv, &args.out) {
        return batch::run(from, to, args, context, out).await;
    }
    let request = input::read(args, &context.schema)?;
    if args.curl {
        let link = context.connect().await?;
        let line = endpoint(&link)?.curl(&request.body);
        writeln!(out, "{line}")?;
        if link.session.sandbox {
            tracing::warn!(
                "this sandbox ends with the command; `vintner sandbox` runs one that stays"
            );
        }
        return Ok(Exit::Fine);
    }
    if args.explain {
        return explain::run(&request, args, context, out).await;
    }
    match args.via {
        Route::Gateway => gateway(&request.body, args, context, out).await,
        via => side_by_side(&request, via, args, context, out).await,
    }
}

fn wants_json(args: &Args) -> bool {
    args.json.is_some()
}

fn endpoint(link: &Link) -> Result<Endpoint, Failure> {
    link.endpoint().cloned().map_err(Failure::usage)
}

async fn gateway(body: &str, args: &Args, context: &Context, out: &mut impl Write) -> Run {
    let link = context.connect().await?;
    let client = PredictClient::new(endpoint(&link)?, Limits::default());
    let reply = client
        .predict(&context.schema, body.to_owned(), false)
        .await
        .map_err(unreached)?;
    if wants_json(args) {
        print_json(out, &reply_json(&context.schema, body, &reply))?;
    } else {
        print_reply(out, &reply)?;
    }
    Ok(if reply.outcome.fault().is_none() {
        Exit::Fine
    } else {
        Exit::Failed
    })
}

fn unreached(error: WireError) -> Failure {
    Failure::unreachable(error)
}

/// The answer as JSON: `prediction`, `quality_rating`, `status`, `timing` and what else is known.
fn reply_json(schema: &Schema, body: &str, reply: &Reply) -> Value {
    let exchange = &reply.exchange;
    let mut json = outcome_json(schema, &reply.outcome);
    json.insert("status".into(), exchange.status.into());
    json.insert("timing".into(), json!(exchange.phases));
    json.insert("request_id".into(), exchange.request_id().map(clean).into());
    let connection = &exchange.connection;
    json.insert(
        "connection".into(),
        json!({
            "fresh": connection.fresh,
            "remote": connection.remote.to_string(),
            "http": exchange.version,
            "certificate_days": connection.certificate_days,
        }),
    );
    json.insert(
        "request".into(),
        serde_json::from_str(body).unwrap_or_else(|_| Value::from(body)),
    );
    Value::Object(json)
}

fn outcome_json(schema: &Schema, outcome: &Outcome) -> Map<String, Value> {
    let score = outcome.score();
    let mut json = Map::new();
    json.insert("prediction".into(), score.into());
    json.insert(
        schema.score.band_field.clone(),
        score.map(|score| schema.band(score).name.clone()).into(),
    );
    json.insert("model_version".into(), outcome.model_version().into());
    if let Outcome::Predicted(prediction) = outcome {
        json.insert("notes".into(), prediction.contract.notes.clone().into());
    }
    json.insert("error".into(), outcome.fault().into());
    json.insert(
        "next".into(),
        outcome
            .next()
            .map(crate::domain::prediction::Next::advice)
            .into(),
    );
    json
}

fn print_reply(out: &mut impl Write, reply: &Reply) -> std::io::Result<()> {
    let exchange = &reply.exchange;
    match &reply.outcome {
        Outcome::Predicted(prediction) => {
            let version = prediction
                .model_version
                .as_deref()
                .map_or_else(String::new, |version| format!("  model {version}"));
            writeln!(out, "{:.3}  {}{version}", prediction.score, prediction.band)?;
            for note in &prediction.contract.notes {
                writeln!(out, "note: {note}")?;
            }
        }
        failed => {
            let next = failed
                .next()
                .map_or_else(String::new, |next| format!("\nnext: {}", next.advice()));
            writeln!(out, "{}{next}", failed.fault().unwrap_or_default())?;
        }
    }
    let phases = exchange
        .phases
        .named()
        .map(|(name, phase)| format!("{name} {}", phase.map_or_else(|| "–".to_owned(), ms)));
    writeln!(
        out,
        "{}  total {}",
        phases.join("  "),
        ms(exchange.phases.total)
    )?;
    let fresh = if exchange.connection.fresh {
        "fresh"
    } else {
        "reused"
    };
    let certificate = exchange
        .connection
        .certificate_days
        .map_or_else(String::new, |days| format!("  certificate {days} d"));
    let id = exchange
        .request_id()
        .map_or_else(String::new, |id| format!("  request {}", clean(id)));
    writeln!(
        out,
        "{} {}  {fresh} connection to {}{certificate}{id}",
        exchange.status, exchange.version, exchange.connection.remote
    )
}

/// The same request one of the other ways, or all.
async fn side_by_side(
    request: &input::Request,
    via: Route,
    args: &Args,
    context: &Context,
    out: &mut impl Write,
) -> Run {
    let comparison = compare(request, via, context).await?;
    let ways = [
        ("gateway", &comparison.gateway),
        ("invoke", &comparison.invoke),
        ("local", &comparison.local),
    ];
    let taken: Vec<(&str, &Way)> = ways
        .into_iter()
        .filter_map(|(name, way)| Some((name, way.as_ref()?)))
        .collect();
    if wants_json(args) {
        print_json(out, &comparison_json(&context.schema, &taken, &comparison))?;
    } else {
        for (name, way) in &taken {
            writeln!(out, "{}", way_line(name, way))?;
        }
        if let Some(verdict) = comparison.verdict() {
            writeln!(out, "{verdict}")?;
        }
    }
    Ok(exit_of(&taken))
}

async fn compare(
    request: &input::Request,
    via: Route,
    context: &Context,
) -> Result<Comparison, Failure> {
    let mut comparison = Comparison::default();
    if via != Route::Local {
        let link = context.connect().await?;
        if via == Route::All {
            let client = PredictClient::new(endpoint(&link)?, Limits::default());
            comparison.gateway = Some(ways::gateway(&client, &context.schema, &request.body).await);
        }
        comparison.invoke = Some(ways::invoke(&link, &context.schema, &request.body).await);
    }
    if via != Route::Invoke {
        let features = request.features.as_ref().ok_or_else(|| {
            Failure::usage(anyhow::anyhow!(
                "the local model takes valid features only; leave out --raw"
            ))
        })?;
        let local = champion(context).await?;
        comparison.local = Some(ways::local(&local, &context.schema, features));
    }
    Ok(comparison)
}

/// The model on this machine, for the schema in use.
pub(super) async fn champion(context: &Context) -> Result<Local, Failure> {
    let (settings, schema) = (Arc::clone(&context.settings), Arc::clone(&context.schema));
    let loaded = tokio::task::spawn_blocking(move || champion::local(&settings, &schema))
        .await
        .map_err(Failure::failed)?;
    loaded.map_err(Failure::failed)
}

pub(super) fn exit_of(taken: &[(&str, &Way)]) -> Exit {
    if taken.iter().all(|(_, way)| way.score().is_some()) {
        Exit::Fine
    } else if taken
        .iter()
        .any(|(_, way)| way.status().is_some() && way.score().is_none())
    {
        Exit::Failed
    } else {
        Exit::Unreachable
    }
}

fn way_line(name: &str, way: &Way) -> String {
    let what = match (way.score(), way.fault()) {
        (Some(score), _) => format!("{score:.3}"),
        (None, fault) => clean(&fault.unwrap_or_default()),
    };
    let version = match (&way.version, &way.result) {
        (Some(version), _) => format!("  {version}"),
        (None, Ok(outcome)) => outcome
            .model_version()
            .map_or_else(String::new, |version| format!("  {version}")),
        (None, Err(_)) => String::new(),
    };
    let report = way.report.as_ref().map_or_else(String::new, |report| {
        let init = report
            .init_ms
            .map_or_else(String::new, |init| format!(", init {}", ms(init)));
        format!(
            "  duration {}{init}, billed {} ms, memory {} of {} MB",
            ms(report.duration_ms),
            report.billed_ms,
            report.max_memory_mb,
            report.memory_mb
        )
    });
    format!("{name:<8} {what}{version}  {}{report}", ms(way.total_ms))
}

fn comparison_json(schema: &Schema, taken: &[(&str, &Way)], comparison: &Comparison) -> Value {
    let way_json = |way: &Way| {
        let mut json = match &way.result {
            Ok(outcome) => outcome_json(schema, outcome),
            Err(error) => Map::from_iter([
                ("prediction".to_owned(), Value::Null),
                ("error".to_owned(), error.clone().into()),
            ]),
        };
        if let Some(version) = &way.version {
            json.insert("model_version".into(), version.clone().into());
        }
        json.insert("status".into(), way.status().into());
        json.insert("timing".into(), json!({ "total_ms": way.total_ms }));
        if let Some(report) = &way.report {
            json.insert(
                "report".into(),
                json!({
                    "duration_ms": report.duration_ms,
                    "init_ms": report.init_ms,
                    "billed_ms": report.billed_ms,
                    "max_memory_mb": report.max_memory_mb,
                    "memory_mb": report.memory_mb,
                }),
            );
        }
        Value::Object(json)
    };
    if let [(_, only)] = taken {
        return way_json(only);
    }
    let mut all: Map<String, Value> = taken
        .iter()
        .map(|(name, way)| ((*name).to_owned(), way_json(way)))
        .collect();
    all.insert("verdict".into(), comparison.verdict().into());
    Value::Object(all)
}
