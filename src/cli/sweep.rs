//! `vintner sweep`: the score as one feature changes and the others stay, on the local champion or over the endpoint.

use std::io::{IsTerminal, Write, stdin};

use anyhow::anyhow;
use serde_json::json;

use super::predict::{self, input};
use super::{Context, Failure, Run, print_json};
use crate::champion::Local;
use crate::client::link::Link;
use crate::client::predict::PredictClient;
use crate::client::signed::is_loopback;
use crate::client::ways;
use crate::client::wire::Limits;
use crate::domain::compare::Way;
use crate::domain::cost::{Prices, dollars};
use crate::domain::features::{Features, Level, check_field};
use crate::domain::schema::{Feature, Schema};
use crate::domain::what_if::{POINTS, values};
use crate::ui::text::clean;

/// Arguments of `vintner sweep`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  vintner sweep alcohol\n  vintner sweep pH --from 2.8 --to 3.8 --points 11 alcohol=12 --csv\n  vintner sweep alcohol --via gateway --yes\n\nExit codes: 0 a score at every value · 1 an answer is none · 2 usage · 3 could not reach"
)]
pub struct Args {
    /// The feature to sweep
    pub feature: String,
    /// Other features to change; the rest come from the preset: alcohol=12 pH=3.2
    #[arg(value_name = "FEATURE=VALUE")]
    pub pairs: Vec<String>,
    /// Preset that the other features come from, the first if not given; a wrong name lists them
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// First value [default: p1 of the training data]
    #[arg(long, value_name = "X")]
    pub from: Option<f64>,
    /// Last value [default: p99 of the training data]
    #[arg(long, value_name = "X")]
    pub to: Option<f64>,
    /// How many values
    #[arg(long, value_name = "N", default_value_t = POINTS as u16, value_parser = clap::value_parser!(u16).range(2..=1000))]
    pub points: u16,
    /// Who is asked
    #[arg(long, value_enum, default_value_t)]
    pub via: Via,
    /// Send the calls without asking
    #[arg(long)]
    pub yes: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print CSV
    #[arg(long)]
    pub csv: bool,
}

/// Who is asked for the scores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Via {
    /// The champion on this machine
    #[default]
    Local,
    /// The endpoint, over HTTP
    Gateway,
    /// The function itself (lambda:InvokeFunction)
    Invoke,
}

/// Somebody who answers.
enum Model {
    Local(Local),
    Endpoint(Box<PredictClient>),
    Function(Box<Link>),
}

/// The score at one value.
struct Point {
    value: f64,
    way: Way,
}

/// Sweeps and prints; stops at the first call that reaches nobody.
pub async fn run(args: &Args, context: &Context, out: &mut impl Write) -> Run {
    let schema = &context.schema;
    let field = input::position(schema, &args.feature)?;
    let feature = &schema.features[field];
    let features = input::over_preset(&args.pairs, args.preset.as_deref(), schema)?;
    let values = span(args, feature)?;
    let (model, _link) = model(args.via, context).await?;
    if !agreed(&model, values.len() + 1, args, &context.settings.prices)? {
        return Err(Failure::usage(anyhow!("nothing was sent")));
    }
    let here = point(&model, schema, &features, field, features.row()[field]).await;
    let mut points = Vec::with_capacity(values.len());
    let mut gone = here.way.result.is_err();
    for value in values {
        if gone {
            break;
        }
        let point = point(&model, schema, &features, field, value).await;
        gone = point.way.result.is_err();
        points.push(point);
    }
    let said = Said {
        feature,
        schema,
        via: args.via,
        here,
        points,
    };
    if args.json {
        print_json(out, &said.json())?;
    } else if args.csv {
        said.csv(out)?;
    } else {
        said.table(out)?;
    }
    let all: Vec<(&str, &Way)> = [&said.here]
        .into_iter()
        .chain(&said.points)
        .map(|point| ("", &point.way))
        .collect();
    Ok(predict::exit_of(&all))
}

/// The values to go through, checked as a request would be.
fn span(args: &Args, feature: &Feature) -> Result<Vec<f64>, Failure> {
    let n = usize::from(args.points);
    let Some(range) = feature.range() else {
        if args.from.is_some() || args.to.is_some() {
            return Err(Failure::usage(anyhow!(
                "{} is a choice: it has no --from and --to",
                feature.name
            )));
        }
        return Ok(values(feature, n));
    };
    let (from, to) = (args.from.unwrap_or(range.p1), args.to.unwrap_or(range.p99));
    for end in [from, to] {
        let check = check_field(feature, &end.to_string());
        if check.level == Level::Rejected {
            return Err(Failure::usage(anyhow!(
                "{}: {}",
                feature.name,
                check.message
            )));
        }
    }
    if from >= to {
        return Err(Failure::usage(anyhow!(
            "--from {from} must be below --to {to}"
        )));
    }
    let step = (to - from) / (n - 1) as f64;
    Ok((0..n).map(|i| from + step * i as f64).collect())
}

/// Whom to ask, and the connection, which keeps an embedded sandbox alive.
async fn model(via: Via, context: &Context) -> Result<(Model, Option<Link>), Failure> {
    if via == Via::Local {
        return Ok((Model::Local(predict::champion(context).await?), None));
    }
    let link = context.connect().await?;
    let model = if via == Via::Gateway {
        let endpoint = link.endpoint().map_err(Failure::usage)?.clone();
        Model::Endpoint(Box::new(PredictClient::new(endpoint, Limits::default())))
    } else {
        Model::Function(Box::new(link.clone()))
    };
    Ok((model, Some(link)))
}

/// Asks on the terminal before calls that somebody pays for; without one, `--yes` is needed.
fn agreed(model: &Model, calls: usize, args: &Args, prices: &Prices) -> Result<bool, Failure> {
    let (whom, gateway) = match model {
        Model::Local(_) => return Ok(true),
        Model::Endpoint(client) => {
            let endpoint = client.endpoint();
            if is_loopback(&endpoint.to_string()) {
                return Ok(true);
            }
            (endpoint.authority(), true)
        }
        Model::Function(link) if link.session.sandbox => return Ok(true),
        Model::Function(link) => (clean(&link.session.function), false),
    };
    if args.yes {
        return Ok(true);
    }
    let charge = dollars(prices.requests(calls, gateway));
    let sentence = format!("{calls} calls to {whom}, {charge} at list price plus compute");
    if !stdin().is_terminal() {
        return Err(Failure::usage(anyhow!(
            "{sentence}: say --yes where nobody can be asked"
        )));
    }
    let mut screen = std::io::stderr();
    write!(screen, "{sentence}. Send them? [y/N] ")?;
    screen.flush()?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

async fn point(
    model: &Model,
    schema: &Schema,
    features: &Features,
    field: usize,
    value: f64,
) -> Point {
    let features = features.with(field, value);
    let way = match model {
        Model::Local(local) => ways::local(local, schema, &features),
        Model::Endpoint(client) => ways::gateway(client, schema, &features.to_json(schema)).await,
        Model::Function(link) => ways::invoke(link, schema, &features.to_json(schema)).await,
    };
    Point { value, way }
}

/// Everything that is printed.
struct Said<'a> {
    feature: &'a Feature,
    schema: &'a Schema,
    via: Via,
    /// The sample itself.
    here: Point,
    points: Vec<Point>,
}

impl Said<'_> {
    fn version(&self) -> Option<String> {
        let way = &self.here.way;
        let served = way
            .result
            .as_ref()
            .ok()
            .and_then(|outcome| outcome.model_version());
        way.version.clone().or_else(|| served.map(clean))
    }

    fn band(&self, point: &Point) -> Option<&str> {
        let score = point.way.score()?;
        Some(self.schema.band(score).name.as_str())
    }

    fn table(&self, out: &mut impl Write) -> std::io::Result<()> {
        let via = match self.via {
            Via::Local => "local champion",
            Via::Gateway => "endpoint",
            Via::Invoke => "function",
        };
        let version = self
            .version()
            .map_or_else(String::new, |version| format!(" {version}"));
        writeln!(
            out,
            "{} on the {via}{version}, the other features as in the sample",
            self.feature.name
        )?;
        self.line(out, &self.here, "  the sample itself")?;
        for point in &self.points {
            self.line(out, point, "")?;
        }
        Ok(())
    }

    fn line(&self, out: &mut impl Write, point: &Point, remark: &str) -> std::io::Result<()> {
        let value = self.feature.display((point.value * 1e6).round() / 1e6);
        if let Some(score) = point.way.score() {
            let band = self.band(point).unwrap_or_default();
            writeln!(out, "{value:>10}  {score:>6.3}  {band:<10}{remark}")
        } else {
            let fault = clean(&point.way.fault().unwrap_or_default());
            writeln!(out, "{value:>10}  {fault}{remark}")
        }
    }

    fn json(&self) -> serde_json::Value {
        let point = |point: &Point| {
            json!({
                "value": point.value,
                "prediction": point.way.score(),
                self.schema.score.band_field.as_str(): self.band(point),
                "error": point.way.fault(),
            })
        };
        json!({
            "feature": self.feature.name,
            "model_version": self.version(),
            "here": point(&self.here),
            "points": self.points.iter().map(point).collect::<Vec<_>>(),
        })
    }

    fn csv(&self, out: &mut impl Write) -> Result<(), Failure> {
        let mut writer = csv::Writer::from_writer(out);
        let rating = self.schema.score.band_field.as_str();
        writer
            .write_record([self.feature.name.as_str(), "prediction", rating, "error"])
            .map_err(Failure::failed)?;
        for point in &self.points {
            let score = point.way.score();
            writer
                .write_record([
                    point.value.to_string(),
                    score.map(|score| score.to_string()).unwrap_or_default(),
                    self.band(point).unwrap_or_default().to_owned(),
                    point.way.fault().unwrap_or_default(),
                ])
                .map_err(Failure::failed)?;
        }
        writer.flush()?;
        Ok(())
    }
}
