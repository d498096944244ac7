//! `vintner predict --csv IN --out OUT`: every row of a table, a few at a time, each with its own status; resumable.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use futures::StreamExt;
use serde_json::json;

use super::{Args, Route, endpoint, wants_json};
use crate::champion::{self, Local};
use crate::cli::{Context, Exit, Failure, Run, print_json};
use crate::client::predict::PredictClient;
use crate::client::ways;
use crate::client::wire::Limits;
use crate::domain::features::Features;
use crate::domain::schema::Schema;

/// Columns appended to every row.
const ADDED: [&str; 4] = ["prediction", "rating", "status", "error"];

/// Where rows are sent.
enum Model {
    Endpoint(Box<PredictClient>),
    Local(Local),
}

/// What came of a row.
struct Scored {
    row: csv::StringRecord,
    score: Option<f64>,
    status: String,
    error: String,
}

/// What came of all rows.
#[derive(Default)]
struct Tally {
    sent: usize,
    failed: usize,
    /// Prediction and truth, where the table has a `quality` column.
    pairs: Vec<(f64, f64)>,
}

/// Scores a file.
pub async fn run(
    from: &Path,
    to: &Path,
    args: &Args,
    context: &Context,
    out: &mut impl Write,
) -> Run {
    let schema = &context.schema;
    let text = read(from)?;
    let mut table = csv::ReaderBuilder::new()
        .delimiter(delimiter(&text))
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    let header = table
        .headers()
        .context("the table has no header")
        .map_err(Failure::usage)?
        .clone();
    let columns = columns(schema, &header, from)?;
    let truth = header
        .iter()
        .position(|name| name.eq_ignore_ascii_case(&schema.score.label));
    let rows: Vec<csv::StringRecord> = table
        .records()
        .collect::<Result<_, _>>()
        .context("the table is not CSV")
        .map_err(Failure::usage)?;
    let done = done_rows(to, &header)?;
    let mut writer = writer(to, &header, done)?;
    let model = model(args, context).await?;
    let began = Instant::now();
    let mut tally = Tally::default();
    let mut scored = futures::stream::iter(rows.iter().skip(done).cloned())
        .map(|row| score(&model, schema, &columns, row))
        .buffered(usize::from(args.jobs));
    while let Some(scored) = scored.next().await {
        tally.add(&scored, truth);
        write_row(&mut writer, schema, &scored)?;
    }
    finish(&tally, done, rows.len(), began, to, args, out)
}

fn read(from: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if from == Path::new("-") {
        io::stdin().lock().read_to_string(&mut text)
    } else {
        File::open(from).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.with_context(|| format!("cannot read {}", from.display()))
        .map_err(Failure::usage)?;
    Ok(text)
}

fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    [b';', b'\t']
        .into_iter()
        .find(|&delimiter| first.as_bytes().contains(&delimiter))
        .unwrap_or(b',')
}

/// The column of each feature; `None` for an optional one that the table lacks.
fn columns(
    schema: &Schema,
    header: &csv::StringRecord,
    from: &Path,
) -> Result<Vec<Option<usize>>, Failure> {
    let of = |position: usize| {
        header
            .iter()
            .position(|name| schema.position(name) == Some(position))
    };
    let columns: Vec<Option<usize>> = (0..schema.features.len()).map(of).collect();
    let missing: Vec<&str> = (schema.features.iter().zip(&columns))
        .filter(|(feature, column)| column.is_none() && feature.default.is_none())
        .map(|(feature, _)| feature.name.as_str())
        .collect();
    if missing.is_empty() {
        return Ok(columns);
    }
    Err(Failure::usage(anyhow!(
        "{} has no column for {}",
        from.display(),
        missing.join(", ")
    )))
}

/// Rows that an earlier, interrupted run has written.
fn done_rows(to: &Path, header: &csv::StringRecord) -> Result<usize, Failure> {
    if !to.exists() || fs::metadata(to).is_ok_and(|meta| meta.len() == 0) {
        return Ok(0);
    }
    let mut reader = csv::Reader::from_path(to).map_err(Failure::usage)?;
    let there = reader.headers().map_err(Failure::usage)?;
    if !there.iter().eq(header.iter().chain(ADDED)) {
        return Err(Failure::usage(anyhow!(
            "{} is there already and was not made from this table: name another --out",
            to.display()
        )));
    }
    Ok(reader.records().flatten().count())
}

fn writer(
    to: &Path,
    header: &csv::StringRecord,
    done: usize,
) -> Result<csv::Writer<File>, Failure> {
    let file = OpenOptions::new().create(true).append(true).open(to);
    let file = file
        .with_context(|| format!("cannot write {}", to.display()))
        .map_err(Failure::usage)?;
    let empty = file.metadata().is_ok_and(|meta| meta.len() == 0);
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(file);
    if done == 0 && empty {
        writer
            .write_record(header.iter().chain(ADDED))
            .map_err(Failure::failed)?;
    }
    Ok(writer)
}

async fn model(args: &Args, context: &Context) -> Result<Model, Failure> {
    match args.via {
        Route::Gateway => Ok(Model::Endpoint(Box::new(PredictClient::new(
            endpoint(&context.connect().await?)?,
            Limits::default(),
        )))),
        Route::Local => {
            let settings = Arc::clone(&context.settings);
            let loaded = tokio::task::spawn_blocking(move || champion::local(&settings))
                .await
                .map_err(Failure::failed)?;
            let local = loaded.map_err(Failure::failed)?;
            Ok(Model::Local(local))
        }
        Route::Invoke | Route::All => Err(Failure::usage(anyhow!(
            "a table goes --via gateway or --via local"
        ))),
    }
}

async fn score(
    model: &Model,
    schema: &Schema,
    columns: &[Option<usize>],
    row: csv::StringRecord,
) -> Scored {
    let fields: Vec<&str> = columns
        .iter()
        .map(|column| {
            column
                .and_then(|column| row.get(column))
                .unwrap_or_default()
        })
        .collect();
    let features = match Features::parse(schema, &fields) {
        Ok(features) => features,
        Err(errors) => {
            let error = errors
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; ");
            return Scored {
                row,
                score: None,
                status: "not sent".to_owned(),
                error,
            };
        }
    };
    let way = match model {
        Model::Endpoint(client) => ways::gateway(client, schema, &features.to_json(schema)).await,
        Model::Local(local) => ways::local(local, schema, &features),
    };
    let status = way
        .status()
        .map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    Scored {
        row,
        score: way.score(),
        status,
        error: way.fault().unwrap_or_default(),
    }
}

/// Each row is on disk before the next is written, so that a stopped run can go on.
fn write_row(
    writer: &mut csv::Writer<File>,
    schema: &Schema,
    scored: &Scored,
) -> Result<(), Failure> {
    let prediction = scored
        .score
        .map(|score| score.to_string())
        .unwrap_or_default();
    let rating = scored
        .score
        .map(|score| schema.band(score).name.clone())
        .unwrap_or_default();
    let added = [
        prediction.as_str(),
        rating.as_str(),
        scored.status.as_str(),
        scored.error.as_str(),
    ];
    writer
        .write_record(scored.row.iter().chain(added))
        .map_err(Failure::failed)?;
    writer.flush()?;
    Ok(())
}

impl Tally {
    fn add(&mut self, scored: &Scored, truth: Option<usize>) {
        self.sent += 1;
        self.failed += usize::from(scored.score.is_none());
        let truth = truth
            .and_then(|column| scored.row.get(column))
            .and_then(|text| text.parse::<f64>().ok());
        self.pairs.extend(scored.score.zip(truth));
    }

    /// Mean absolute error, root mean squared error and R², if there is a truth.
    fn errors(&self) -> Option<(f64, f64, f64)> {
        let n = self.pairs.len() as f64;
        if self.pairs.len() < 2 {
            return None;
        }
        let mean = self.pairs.iter().map(|(_, truth)| truth).sum::<f64>() / n;
        let absolute = self
            .pairs
            .iter()
            .map(|(said, truth)| (said - truth).abs())
            .sum::<f64>()
            / n;
        let squared = self
            .pairs
            .iter()
            .map(|(said, truth)| (said - truth).powi(2))
            .sum::<f64>();
        let total = self
            .pairs
            .iter()
            .map(|(_, truth)| (truth - mean).powi(2))
            .sum::<f64>();
        Some((absolute, (squared / n).sqrt(), 1.0 - squared / total))
    }
}

fn finish(
    tally: &Tally,
    done: usize,
    rows: usize,
    began: Instant,
    to: &Path,
    args: &Args,
    out: &mut impl Write,
) -> Run {
    let seconds = began.elapsed().as_secs_f64();
    let errors = tally.errors();
    if wants_json(args) {
        let (mae, rmse, r2) = errors.map_or((None, None, None), |(mae, rmse, r2)| {
            (Some(mae), Some(rmse), Some(r2))
        });
        print_json(
            out,
            &json!({ "rows": rows, "resumed_after": done, "sent": tally.sent, "failed": tally.failed, "seconds": seconds, "mae": mae, "rmse": rmse, "r2": r2, "n": tally.pairs.len() }),
        )?;
    } else {
        let resumed = if done > 0 {
            format!(" ({done} were there already)")
        } else {
            String::new()
        };
        writeln!(
            out,
            "{} rows to {} in {seconds:.1} s, {} failed{resumed}",
            tally.sent,
            to.display(),
            tally.failed
        )?;
        if let Some((mae, rmse, r2)) = errors {
            writeln!(
                out,
                "against the table's own scores (n = {}): MAE {mae:.3}  RMSE {rmse:.3}  R² {r2:.3}",
                tally.pairs.len()
            )?;
        }
    }
    Ok(if tally.failed == 0 {
        Exit::Fine
    } else {
        Exit::Failed
    })
}
