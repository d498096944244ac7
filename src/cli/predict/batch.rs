//! `vintner predict --csv IN --out OUT`: every row of a table, a few at a time, each with its own status; resumable.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use futures::StreamExt;
use serde_json::json;

use super::{Args, Route, champion, endpoint, wants_json};
use crate::champion::Local;
use crate::cli::{Context, Exit, Failure, Run, print_json};
use crate::client::predict::PredictClient;
use crate::client::ways;
use crate::client::wire::Limits;
use crate::domain::features::Features;
use crate::domain::schema::Schema;

/// Columns appended to every row.
const ADDED: [&str; 4] = ["prediction", "rating", "status", "error"];

/// The status of a row that got through to nobody.
const NO_ANSWER: &str = "no answer";

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

/// What came of all rows, this run's and those of earlier ones.
#[derive(Default)]
struct Tally {
    /// Of this run.
    sent: usize,
    /// Rows without a score.
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
    let mut earlier = earlier(to, &header, &rows)?;
    let done = earlier.len();
    let model = model(args, context).await?;
    let began = Instant::now();
    let mut tally = Tally::default();
    let send = |row: csv::StringRecord| score(&model, schema, &columns, row);
    let jobs = usize::from(args.jobs);
    let unanswered: Vec<usize> = (0..done).filter(|&n| unanswered(&earlier[n])).collect();
    if !unanswered.is_empty() {
        let again = unanswered.iter().map(|&n| rows[n].clone());
        let scored: Vec<Scored> = futures::stream::iter(again)
            .map(send)
            .buffered(jobs)
            .collect()
            .await;
        for (&n, scored) in unanswered.iter().zip(&scored) {
            earlier[n] = scored.record(schema);
        }
        tally.sent = scored.len();
        replace(to, &header, &earlier)?;
    }
    for (row, record) in rows.iter().zip(&earlier) {
        tally.add(row, score_of(record), truth);
    }
    let mut writer = writer(to, &header)?;
    let mut scored = futures::stream::iter(rows.iter().skip(done).cloned())
        .map(send)
        .buffered(jobs);
    while let Some(scored) = scored.next().await {
        tally.sent += 1;
        tally.add(&scored.row, scored.score, truth);
        // Each row is on disk before the next is written, so that a stopped run can go on.
        writer
            .write_record(&scored.record(schema))
            .map_err(Failure::failed)?;
        writer.flush()?;
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

/// The rows that an earlier, interrupted run has written, in the table's order; a torn last one is cut off.
fn earlier(
    to: &Path,
    header: &csv::StringRecord,
    rows: &[csv::StringRecord],
) -> Result<Vec<csv::StringRecord>, Failure> {
    let bytes = match fs::read(to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read
            .with_context(|| format!("cannot read {}", to.display()))
            .map_err(Failure::usage)?,
    };
    let foreign = || {
        Failure::usage(anyhow!(
            "{} is there already and was not made from this table: name another --out",
            to.display()
        ))
    };
    // Only a torn end can be invalid UTF-8, and it is cut off.
    let text = String::from_utf8_lossy(&bytes);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let there = reader.headers().map_err(Failure::usage)?;
    let same = there.iter().eq(header.iter().chain(ADDED));
    if !text.contains('\n') && (same || torn_header(&text, header)) {
        cut(to, 0)?;
        return Ok(Vec::new());
    }
    if !same {
        return Err(foreign());
    }
    let found = reader
        .records()
        .collect::<Result<Vec<_>, _>>()
        .map_err(Failure::usage)?;
    let mut sound = Vec::new();
    for (n, record) in found.iter().enumerate() {
        let last = n + 1 == found.len();
        let fits = rows.get(n).is_some_and(|row| made_from(record, row));
        if fits && (!last || text.ends_with('\n')) {
            sound.push(record.clone());
        } else if last && rows.len() > n {
            cut(to, record.position().map_or(0, csv::Position::byte))?;
        } else {
            return Err(foreign());
        }
    }
    Ok(sound)
}

/// Whether the text is the beginning of the header line that a run writes first.
fn torn_header(text: &str, header: &csv::StringRecord) -> bool {
    let mut line = csv::Writer::from_writer(Vec::new());
    line.write_record(header.iter().chain(ADDED)).is_ok()
        && line
            .into_inner()
            .is_ok_and(|line| line.starts_with(text.as_bytes()))
}

fn made_from(record: &csv::StringRecord, row: &csv::StringRecord) -> bool {
    record.len() == row.len() + ADDED.len() && row.iter().eq(record.iter().take(row.len()))
}

fn cut(file: &Path, length: u64) -> Result<(), Failure> {
    OpenOptions::new()
        .write(true)
        .open(file)
        .and_then(|file| file.set_len(length))
        .with_context(|| format!("cannot write {}", file.display()))
        .map_err(Failure::usage)
}

/// Rows that never got through are sent again; those that were answered, or cannot be sent, are done.
fn unanswered(record: &csv::StringRecord) -> bool {
    record.get(record.len() - 2) == Some(NO_ANSWER)
}

fn score_of(record: &csv::StringRecord) -> Option<f64> {
    record.get(record.len() - ADDED.len())?.parse().ok()
}

/// Writes the whole file anew, through a temporary one: a crash leaves either the old or the new.
fn replace(
    to: &Path,
    header: &csv::StringRecord,
    records: &[csv::StringRecord],
) -> Result<(), Failure> {
    let mut name = to.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let temporary = std::path::PathBuf::from(name);
    let written = writer(&temporary, header).and_then(|mut writer| {
        for record in records {
            writer.write_record(record).map_err(Failure::failed)?;
        }
        writer.flush()?;
        Ok(fs::rename(&temporary, to)?)
    });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Appends to the file; a new one begins with the header.
fn writer(to: &Path, header: &csv::StringRecord) -> Result<csv::Writer<File>, Failure> {
    let file = OpenOptions::new().create(true).append(true).open(to);
    let file = file
        .with_context(|| format!("cannot write {}", to.display()))
        .map_err(Failure::usage)?;
    let empty = file.metadata().is_ok_and(|meta| meta.len() == 0);
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(file);
    if empty {
        writer
            .write_record(header.iter().chain(ADDED))
            .map_err(Failure::failed)?;
        writer.flush()?;
    }
    Ok(writer)
}

async fn model(args: &Args, context: &Context) -> Result<Model, Failure> {
    match args.via {
        Route::Gateway => Ok(Model::Endpoint(Box::new(PredictClient::new(
            endpoint(&context.connect().await?)?,
            Limits::default(),
        )))),
        Route::Local => Ok(Model::Local(champion(context).await?)),
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
        .map_or_else(|| NO_ANSWER.to_owned(), |status| status.to_string());
    Scored {
        row,
        score: way.score(),
        status,
        error: way.fault().unwrap_or_default(),
    }
}

impl Scored {
    /// The row as the file keeps it.
    fn record(&self, schema: &Schema) -> csv::StringRecord {
        let text = |score: f64| score.to_string();
        let rating = |score| schema.band(score).name.clone();
        let added = [
            self.score.map(text).unwrap_or_default(),
            self.score.map(rating).unwrap_or_default(),
            self.status.clone(),
            // A line break here could not be told from a torn row.
            self.error.replace(['\n', '\r'], " "),
        ];
        let row = self.row.iter().map(str::to_owned);
        row.chain(added).collect()
    }
}

impl Tally {
    fn add(&mut self, row: &csv::StringRecord, score: Option<f64>, truth: Option<usize>) {
        self.failed += usize::from(score.is_none());
        let truth = truth
            .and_then(|column| row.get(column))
            .and_then(|text| text.parse::<f64>().ok());
        self.pairs.extend(score.zip(truth));
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
