//! What the Predict tab asks for and hears: one call to the endpoint, the history's file, a random row.

mod batch;
mod calls;
mod sweep;

pub use self::calls::remembered;

use std::path::PathBuf;
use std::sync::Arc;

use rand::Rng;

use self::calls::{compare, measure, send};
use super::{Outbox, Runner, Slot};
use crate::batch::Tally;
use crate::champion::{self, Local};
use crate::client::bench::{Plan, Timed};
use crate::client::link::Link;
use crate::client::predict::{Endpoint, PredictClient, Reply};
use crate::client::wire::Limits;
use crate::domain::compare::Comparison;
use crate::domain::features::Features;
use crate::domain::schema::Schema;
use crate::history::{Entry, History, HistoryFile};
use crate::tabs::predict::Choice;

/// What the Predict tab asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// POST this body to the target's endpoint, and remember the request.
    Send {
        /// Comes back with the answer; an older one is stale.
        ticket: u64,
        /// The bytes.
        body: String,
        /// What the answer is read against.
        schema: Arc<Schema>,
    },
    /// The same inputs through the gateway, straight to the function, and on the local model.
    Compare {
        /// Comes back with the answer; an older one is stale.
        ticket: u64,
        /// The inputs.
        features: Features,
        /// What the answers are read against.
        schema: Arc<Schema>,
        /// The local model, if it is there.
        local: Option<LocalModel>,
    },
    /// Measure latency at a steady rate.
    Bench {
        /// Comes back with every call; another run's are stale.
        ticket: u64,
        /// The bytes to send.
        body: String,
        /// What the answers are read against.
        schema: Arc<Schema>,
        /// How many, how fast.
        plan: Plan,
    },
    /// Stop measuring.
    StopBench,
    /// One feature swept over the endpoint.
    Sweep {
        /// Comes back with every answer; another sweep's are stale.
        ticket: u64,
        /// The inputs; the swept one takes every value in turn.
        features: Features,
        /// Position of the swept feature.
        field: usize,
        /// What the answers are read against.
        schema: Arc<Schema>,
    },
    /// Stop sweeping.
    StopSweep,
    /// Count the rows of a table.
    ReadTable {
        /// Comes back with the count.
        ticket: u64,
        /// The file.
        from: PathBuf,
        /// Whose columns it must have.
        schema: Arc<Schema>,
    },
    /// Score a table, row by row.
    Batch {
        /// Comes back with the progress; another run's is stale.
        ticket: u64,
        /// The file.
        from: PathBuf,
        /// Where the scored rows go; those already there are not sent again.
        to: PathBuf,
        /// Who scores; without one, the endpoint does.
        local: Option<LocalModel>,
        /// Whose columns it must have.
        schema: Arc<Schema>,
    },
    /// Stop scoring; what is written stays.
    StopBatch,
    /// The mean curve of the data's rows on the local model.
    Dependence {
        /// Position of the feature.
        field: usize,
        /// The model.
        local: LocalModel,
        /// Whose data it is.
        schema: Arc<Schema>,
    },
    /// Stop waiting for the answer.
    Cancel,
    /// Read the history's file.
    LoadHistory,
    /// Write a changed entry to the history's file.
    Keep(Box<Entry>),
    /// Pick a row of the data.
    RandomRow,
    /// Load the model on this machine, for what-if.
    LoadLocal,
}

/// What the Predict tab hears.
#[derive(Debug)]
pub enum Event {
    /// An answer, or why there is none.
    Answered {
        /// The request's.
        ticket: u64,
        /// For the history.
        entry: Box<Entry>,
        /// The answer.
        reply: Result<Box<Reply>, String>,
    },
    /// A comparison has begun; what the user declined never does.
    CompareBegan {
        /// The request's.
        ticket: u64,
    },
    /// What came back each way.
    Compared {
        /// The request's.
        ticket: u64,
        /// The answers.
        comparison: Box<Comparison>,
    },
    /// A bench has begun.
    BenchBegan {
        /// The run's.
        ticket: u64,
        /// How many, how fast.
        plan: Plan,
    },
    /// A call of a bench came back.
    BenchTimed {
        /// The run's.
        ticket: u64,
        /// The call.
        call: Timed,
    },
    /// A bench has ended.
    BenchEnded {
        /// The run's.
        ticket: u64,
        /// Why it could not run.
        error: Option<String>,
    },
    /// A sweep over the endpoint has begun.
    SweepBegan {
        /// The sweep's.
        ticket: u64,
        /// The inputs.
        features: Box<Features>,
        /// Position of the swept feature.
        field: usize,
        /// How many calls there will be.
        total: usize,
    },
    /// A call of a sweep came back.
    Swept {
        /// The sweep's.
        ticket: u64,
        /// What the swept feature was.
        value: f64,
        /// The score, or why there is none.
        score: Result<f64, String>,
    },
    /// A sweep has ended.
    SweepEnded {
        /// The sweep's.
        ticket: u64,
        /// Why it ended early.
        error: Option<String>,
    },
    /// How many rows a table has, or why it cannot be scored.
    TableRead {
        /// The question's.
        ticket: u64,
        /// Its rows.
        rows: Result<usize, String>,
    },
    /// The scoring of a table has begun.
    BatchBegan {
        /// The run's.
        ticket: u64,
        /// Where the scored rows go.
        to: PathBuf,
    },
    /// Some rows of a table were scored.
    BatchScored {
        /// The run's.
        ticket: u64,
        /// All of them so far.
        tally: Box<Tally>,
    },
    /// The scoring of a table has ended.
    BatchEnded {
        /// The run's.
        ticket: u64,
        /// Why it ended early.
        error: Option<String>,
    },
    /// The mean curve of the data's rows.
    Dependence {
        /// The model's version.
        version: String,
        /// Position of the feature.
        field: usize,
        /// Rows that were averaged; 0 where no data is about the inputs.
        n: usize,
        /// Value and mean score.
        points: Vec<(f64, f64)>,
    },
    /// The history's file was read.
    HistoryLoaded(History),
    /// The history cannot be kept; said once.
    HistoryLost(String),
    /// A row of the data: its values, and its number for people.
    RandomRow(Result<(usize, Vec<f64>), String>),
    /// The model on this machine is there, or why not.
    LocalReady(Result<Local, String>),
    /// Something was chosen in one of the tab's menus.
    Chosen(Choice),
}

/// A local model inside an effect: equal if it is the same version.
#[derive(Debug, Clone)]
pub struct LocalModel(pub Local);

impl PartialEq for LocalModel {
    fn eq(&self, other: &Self) -> bool {
        self.0.version == other.0.version
    }
}

/// What the room keeps between effects: the connection, so that it is reused.
#[derive(Debug, Default)]
pub struct Room {
    client: Option<Arc<PredictClient>>,
}

impl Room {
    /// The client of this endpoint: the one before, if it was the same endpoint.
    fn client(&mut self, endpoint: &Endpoint) -> Arc<PredictClient> {
        match &self.client {
            Some(client) if client.endpoint() == endpoint => Arc::clone(client),
            _ => {
                let client = Arc::new(PredictClient::new(endpoint.clone(), Limits::default()));
                self.client = Some(Arc::clone(&client));
                client
            }
        }
    }
}

/// Starts what the effect asks for.
pub fn run(effect: Effect, runner: &mut Runner) {
    let file = HistoryFile::in_dir(&runner.settings.dirs.state);
    match effect {
        Effect::Send {
            ticket,
            body,
            schema,
        } => send(ticket, body, schema, file, runner),
        Effect::Compare {
            ticket,
            features,
            schema,
            local,
        } => compare(ticket, features, schema, local, runner),
        Effect::Bench {
            ticket,
            body,
            schema,
            plan,
        } => measure(ticket, body, schema, plan, runner),
        Effect::StopBench => runner.stop(Slot::Bench),
        Effect::Sweep {
            ticket,
            features,
            field,
            schema,
        } => sweep::run(ticket, features, field, schema, runner),
        Effect::StopSweep => runner.stop(Slot::Sweep),
        Effect::ReadTable {
            ticket,
            from,
            schema,
        } => batch::read(ticket, from, schema, runner),
        Effect::Batch {
            ticket,
            from,
            to,
            local,
            schema,
        } => batch::run(ticket, [from, to], local, schema, runner),
        Effect::StopBatch => runner.stop(Slot::Batch),
        Effect::Dependence {
            field,
            local,
            schema,
        } => sweep::dependence(field, local, schema, runner),
        Effect::Cancel => runner.stop(Slot::Predict),
        Effect::LoadHistory => {
            let schema = Arc::clone(&runner.schema);
            blocking(runner, move |outbox| {
                let event = match file.load() {
                    Ok(history) => Event::HistoryLoaded(history.of(&schema.name)),
                    Err(error) => Event::HistoryLost(error.to_string()),
                };
                outbox.send_blocking(event);
            });
        }
        Effect::Keep(entry) => blocking(runner, move |outbox| {
            tell_lost(file.rewrite(std::slice::from_ref(&entry)).err(), &outbox);
        }),
        Effect::RandomRow => blocking(runner, |outbox| {
            outbox.send_blocking(Event::RandomRow(random_row()));
        }),
        Effect::LoadLocal => {
            let (settings, schema) = (Arc::clone(&runner.settings), Arc::clone(&runner.schema));
            blocking(runner, move |outbox| {
                let local = champion::local(&settings, &schema);
                outbox.send_blocking(Event::LocalReady(local.map_err(|error| error.to_string())));
            });
        }
    }
}

/// The connected target, or the sentence that says why there is none.
fn link(runner: &Runner) -> Result<&Link, String> {
    let link = runner.link.as_ref();
    link.ok_or_else(|| "not connected yet: try again in a moment".to_owned())
}

/// Where predictions go, or the sentence that says why nowhere.
fn endpoint(runner: &Runner) -> Result<Endpoint, String> {
    let endpoint = link(runner)?.endpoint().cloned();
    endpoint.map_err(|error| error.to_string())
}

/// Short file work beside the loop; it is waited for when quitting.
fn blocking(runner: &Runner, work: impl FnOnce(Outbox) + Send + 'static) {
    runner.spawn("history", |outbox| async move {
        let _ = tokio::task::spawn_blocking(move || work(outbox)).await;
    });
}

fn tell_lost(error: Option<crate::history::HistoryError>, outbox: &Outbox) {
    if let Some(error) = error {
        outbox.send_blocking(Event::HistoryLost(error.to_string()));
    }
}

/// A row of the data that ships, picked evenly.
fn random_row() -> Result<(usize, Vec<f64>), String> {
    let data = crate::train::Dataset::wine_quality().map_err(|error| error.to_string())?;
    let n = rand::thread_rng().gen_range(0..data.len());
    let row = data.rows().nth(n).ok_or("the data has no rows")?;
    // The file's decimals, not the noise that f32 adds to them.
    Ok((
        n + 1,
        row.iter()
            .map(|value| value.to_string().parse().unwrap_or(f64::from(*value)))
            .collect(),
    ))
}
