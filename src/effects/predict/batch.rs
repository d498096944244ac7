//! A table scored row by row from the tab.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Event, LocalModel, blocking, endpoint};
use crate::batch::{Model, Table, Tally};
use crate::client::predict::PredictClient;
use crate::client::wire::Limits;
use crate::domain::schema::Schema;
use crate::effects::{Runner, Slot};

/// Rows under way at once, as on the command line.
const JOBS: usize = 4;

/// How often the screen hears of progress.
const EVERY: Duration = Duration::from_millis(100);

/// Counts the rows, so that somebody can be asked before they are sent.
pub(super) fn read(ticket: u64, from: PathBuf, schema: Arc<Schema>, runner: &Runner) {
    blocking(runner, move |outbox| {
        let read = Table::read(&from, &schema);
        let rows = read.map(|table| table.len()).map_err(|e| e.to_string());
        outbox.send_blocking(Event::TableRead { ticket, rows });
    });
}

/// Scores on the local model, or by the endpoint where there is none.
pub(super) fn run(
    ticket: u64,
    [from, to]: [PathBuf; 2],
    local: Option<LocalModel>,
    schema: Arc<Schema>,
    runner: &mut Runner,
) {
    let model = match local {
        Some(LocalModel(local)) => Ok(Model::Local(local)),
        None => endpoint(runner)
            .map(|url| Model::Endpoint(Box::new(PredictClient::new(url, Limits::default())))),
    };
    runner.spawn_in(
        Slot::Batch,
        "scoring a table",
        move |outbox, _| async move {
            let began = Event::BatchBegan {
                ticket,
                to: to.clone(),
            };
            outbox.send(began).await;
            let (told, mut tallies) = tokio::sync::mpsc::unbounded_channel();
            let mut last: Option<Instant> = None;
            let score = async {
                let table = Table::read(&from, &schema).map_err(|error| error.to_string())?;
                let heard = |tally: &Tally| {
                    let due = last.is_none_or(|at| at.elapsed() >= EVERY);
                    if due || tally.done == tally.rows {
                        last = Some(Instant::now());
                        if told.send(tally.clone()).is_err() {
                            return ControlFlow::Break(());
                        }
                    }
                    ControlFlow::Continue(())
                };
                let scored = table.score(&to, &model?, &schema, JOBS, heard).await;
                let tally = scored.map_err(|error| error.to_string())?;
                // A table that was done already had nothing to tell.
                let _ = told.send(tally);
                drop(told);
                Ok(())
            };
            let tell = async {
                while let Some(tally) = tallies.recv().await {
                    let tally = Box::new(tally);
                    outbox.send(Event::BatchScored { ticket, tally }).await;
                }
            };
            let (scored, ()) = tokio::join!(score, tell);
            let error: Option<String> = Result::<(), String>::err(scored);
            outbox.send(Event::BatchEnded { ticket, error }).await;
        },
    );
}
