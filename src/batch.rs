//! A table scored row by row: a few at a time, each with its own status; each row is on disk before the next is
//! written, so that a stopped run can go on.

mod file;

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures::StreamExt;

use self::file::{NO_ANSWER, NOT_SENT, earlier, failed, replace, score_of, writer};
use crate::champion::Local;
use crate::client::predict::PredictClient;
use crate::client::ways;
use crate::domain::features::Features;
use crate::domain::schema::{Feature, Schema};

/// Why a table cannot be scored.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// A file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The scored rows cannot be written.
    #[error("cannot write {}: {cause}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// No table.
    #[error("the table is not CSV: {0}")]
    NotCsv(csv::Error),
    /// Features without a column.
    #[error("{} has no column for {missing}", path.display())]
    Columns {
        /// The file.
        path: PathBuf,
        /// The features.
        missing: String,
    },
    /// A feature with two columns.
    #[error("{}: columns {first} and {second} are both {name}; keep one", path.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// The feature, or the score.
        name: String,
        /// Position of the first, from 1.
        first: usize,
        /// Position of the second, from 1.
        second: usize,
    },
    /// What is there is not the beginning of this table's scores.
    #[error("{} is there already and was not made from this table: name another --out", _0.display())]
    Foreign(PathBuf),
}

fn unreadable(path: &Path, cause: io::Error) -> BatchError {
    BatchError::Unreadable {
        path: path.to_owned(),
        cause,
    }
}

fn unwritable(path: &Path, cause: impl Into<io::Error>) -> BatchError {
    BatchError::Unwritable {
        path: path.to_owned(),
        cause: cause.into(),
    }
}

/// Rows that are scored again stand in the middle of the file, which is written anew this often.
const SAVING: Duration = Duration::from_secs(5);

/// Who scores rows.
pub enum Model {
    /// The endpoint.
    Endpoint(Box<PredictClient>),
    /// The champion on this machine.
    Local(Local),
}

/// A table that fits the schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    header: csv::StringRecord,
    rows: Vec<csv::StringRecord>,
    /// The column of each feature; `None` for an optional one that the table lacks.
    columns: Vec<Option<usize>>,
    /// The column of the truth.
    truth: Option<usize>,
}

/// What came of all rows, this run's and those of earlier ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Rows of the table.
    pub rows: usize,
    /// Rows that are done, those of earlier runs among them.
    pub done: usize,
    /// Rows that an earlier run had done.
    pub resumed: usize,
    /// Sent in this run.
    pub sent: usize,
    /// Rows without a score.
    pub failed: usize,
    /// Prediction and truth, where the table has a column of the score's name.
    pub pairs: Vec<(f64, f64)>,
    /// How long this run has taken.
    pub took: Duration,
}

/// What came of a row.
struct Scored {
    row: csv::StringRecord,
    score: Option<f64>,
    status: String,
    error: String,
}

impl Table {
    /// Reads a file, or stdin for `-`; columns are found by name.
    pub fn read(from: &Path, schema: &Schema) -> Result<Self, BatchError> {
        let mut text = String::new();
        let read = if from == Path::new("-") {
            io::stdin().lock().read_to_string(&mut text)
        } else {
            File::open(from).and_then(|mut file| file.read_to_string(&mut text))
        };
        read.map_err(|cause| unreadable(from, cause))?;
        let mut table = csv::ReaderBuilder::new()
            .delimiter(delimiter(&text))
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(text.as_bytes());
        let header = table.headers().map_err(BatchError::NotCsv)?.clone();
        let columns = columns(schema, &header, from)?;
        let is_truth = |name: &str| name.eq_ignore_ascii_case(&schema.score.label);
        let truth = only(&header, &schema.score.label, from, is_truth)?;
        let rows = table.records().collect::<Result<_, _>>();
        Ok(Self {
            header,
            rows: rows.map_err(BatchError::NotCsv)?,
            columns,
            truth,
        })
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True without a row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Scores the rows that failed in an earlier run and those that `to` does not hold yet, `jobs` at a time; `progress`
    /// hears every row and may stop the run, which keeps what was written.
    pub async fn score(
        &self,
        to: &Path,
        model: &Model,
        schema: &Schema,
        jobs: usize,
        mut progress: impl FnMut(&Tally) -> ControlFlow<()>,
    ) -> Result<Tally, BatchError> {
        let mut earlier = earlier(to, &self.header, &self.rows)?;
        let began = Instant::now();
        let mut tally = Tally {
            rows: self.rows.len(),
            ..Tally::default()
        };
        let (again, kept): (Vec<usize>, Vec<usize>) =
            (0..earlier.len()).partition(|&n| failed(&earlier[n]));
        for &n in &kept {
            tally.add(&self.rows[n], score_of(&earlier[n]), self.truth);
        }
        (tally.done, tally.resumed) = (kept.len(), kept.len());
        let send = |row: csv::StringRecord| score(model, schema, &self.columns, row);
        let mut retried = 0;
        let mut saved = began;
        let rows: Vec<csv::StringRecord> = again.iter().map(|&n| self.rows[n].clone()).collect();
        let mut scored = futures::stream::iter(rows).map(send).buffered(jobs);
        while let Some(scored) = scored.next().await {
            let n = again[retried];
            retried += 1;
            tally.count(&scored, self.truth, began);
            earlier[n] = scored.record(schema);
            let stopped = progress(&tally).is_break();
            // Each time the whole file: a kill costs no more than this.
            if stopped || retried == again.len() || saved.elapsed() >= SAVING {
                replace(to, &self.header, &earlier)?;
                saved = Instant::now();
            }
            if stopped {
                tally.failed += again.len() - retried;
                return Ok(tally);
            }
        }
        let mut writer = writer(to, &self.header)?;
        let mut scored = futures::stream::iter(self.rows.iter().skip(earlier.len()).cloned())
            .map(send)
            .buffered(jobs);
        while let Some(scored) = scored.next().await {
            tally.count(&scored, self.truth, began);
            let written = writer.write_record(&scored.record(schema));
            written.map_err(|cause| unwritable(to, cause))?;
            writer.flush().map_err(|cause| unwritable(to, cause))?;
            if progress(&tally).is_break() {
                break;
            }
        }
        tally.took = began.elapsed();
        Ok(tally)
    }
}

impl Tally {
    /// A row of this run.
    fn count(&mut self, scored: &Scored, truth: Option<usize>, began: Instant) {
        self.sent += 1;
        self.done += 1;
        self.add(&scored.row, scored.score, truth);
        self.took = began.elapsed();
    }

    fn add(&mut self, row: &csv::StringRecord, score: Option<f64>, truth: Option<usize>) {
        self.failed += usize::from(score.is_none());
        let truth = truth
            .and_then(|column| row.get(column))
            .and_then(|text| text.parse::<f64>().ok());
        self.pairs.extend(score.zip(truth));
    }

    /// How long the rest will take at this run's pace; `None` before the first row.
    pub fn left(&self) -> Option<Duration> {
        let here = self.done - self.resumed;
        let rest = (self.rows - self.done) as f64;
        (here > 0).then(|| self.took.mul_f64(rest / here as f64))
    }
}

fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    [b';', b'\t']
        .into_iter()
        .find(|&delimiter| first.as_bytes().contains(&delimiter))
        .unwrap_or(b',')
}

/// The one column that is this; which of two is meant nobody can know.
fn only(
    header: &csv::StringRecord,
    name: &str,
    from: &Path,
    is_it: impl Fn(&str) -> bool,
) -> Result<Option<usize>, BatchError> {
    let mut places = (1..).zip(header).filter(|(_, name)| is_it(name));
    match (places.next(), places.next()) {
        (Some((first, _)), Some((second, _))) => Err(BatchError::Twice {
            path: from.to_owned(),
            name: name.to_owned(),
            first,
            second,
        }),
        (found, _) => Ok(found.map(|(place, _): (usize, _)| place - 1)),
    }
}

/// The column of each feature; `None` for an optional one that the table lacks.
fn columns(
    schema: &Schema,
    header: &csv::StringRecord,
    from: &Path,
) -> Result<Vec<Option<usize>>, BatchError> {
    let of = |(position, feature): (usize, &Feature)| {
        let is_it = |name: &str| schema.position(name) == Some(position);
        only(header, &feature.name, from, is_it)
    };
    let columns = schema.features.iter().enumerate().map(of);
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let missing: Vec<&str> = (schema.features.iter().zip(&columns))
        .filter(|(feature, column)| column.is_none() && feature.default.is_none())
        .map(|(feature, _)| feature.name.as_str())
        .collect();
    if missing.is_empty() {
        return Ok(columns);
    }
    Err(BatchError::Columns {
        path: from.to_owned(),
        missing: missing.join(", "),
    })
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
                status: NOT_SENT.to_owned(),
                error,
            };
        }
    };
    let way = match model {
        Model::Endpoint(client) => ways::gateway(client, schema, &features.to_json(schema)).await,
        Model::Local(local) => {
            // Whoever shares the thread gets a turn between rows.
            tokio::task::yield_now().await;
            ways::local(local, schema, &features)
        }
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
