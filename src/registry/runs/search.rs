//! Searches among the runs: what one needs so that it can be gone on with, and its trials on disk.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Run, RunRecord, State, disk};
use crate::registry::manifest::Data;
use crate::registry::{Registry, RegistryError};
use crate::train::Plan;
use crate::train::tune::history::History;
use crate::train::tune::{Basis, Sampling, Trial, history};

const FILE: &str = "trials.jsonl";
/// Some hundred thousand trials.
const MAX_TRIALS: u64 = 64 << 20;
/// Others hold a run's lock for the blink in which they look whether it lives.
const PATIENCE: Duration = Duration::from_millis(200);

/// What a search was after; with the run's plan, all that is needed to go on with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchRecord {
    /// Trials wanted in all.
    pub wanted: usize,
    /// Names of parameters the family's search would vary, which stay as the plan has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixed: Vec<String>,
    /// How parameters are chosen.
    pub sampling: Sampling,
    /// The rows it is judged on.
    pub data: Data,
}

/// A search taken up again.
#[derive(Debug)]
pub struct Resumed {
    /// Its run, which is alive again.
    pub run: Run,
    /// The trials already made.
    pub history: History,
}

impl RunRecord {
    /// What is searched when the run is gone on with to so many trials in all (at least those it wanted), or in a few
    /// words why it cannot be.
    pub fn resumable(&self, trials: usize) -> Result<SearchRecord, String> {
        let made = self.trials.ok_or("it is no search")?;
        let search = self
            .search
            .as_ref()
            .ok_or("an earlier vintner did not note what it searched")?;
        let wanted = search.wanted.max(trials);
        match self.state {
            State::Running => Err(format!("process {} is at it", self.pid)),
            _ if made >= wanted => Err(format!("all its {made} trials are made")),
            _ => Ok(SearchRecord {
                wanted,
                ..search.clone()
            }),
        }
    }
}

impl Run {
    /// Notes a finished trial of a search and what it rests on, as a line of `trials.jsonl`. What cannot be written waits for the next one.
    pub fn trial(&mut self, trial: &Trial, on: &Basis) {
        self.record.trials = Some(trial.number + 1);
        self.unwritten.push(history::line(trial, Some(on)));
        self.write_trials();
        let _ = self.write();
    }

    pub(super) fn write_trials(&mut self) {
        if self.unwritten.is_empty() {
            return;
        }
        let lines = self.unwritten.join("\n");
        match disk::append_line(&self.dir.join(FILE), &lines) {
            Ok(()) => self.unwritten.clear(),
            Err(error) => tracing::warn!("a trial waits to be written down: {error}"),
        }
    }
}

impl Registry {
    /// Begins a search: a run of trials that gives parameters, not a version.
    pub fn start_search(&self, plan: &Plan, search: SearchRecord) -> Result<Run, RegistryError> {
        let mut run = self.start_run(plan, None)?;
        run.record.trials = Some(0);
        run.record.search = Some(search);
        run.write()?;
        Ok(run)
    }

    /// Takes a search up again that its process left, to so many trials in all; its file holds whole trials only after
    /// that, which rest on this.
    pub fn resume_search(
        &self,
        id: &str,
        search: SearchRecord,
        on: &Basis,
    ) -> Result<Resumed, RegistryError> {
        let dir = self.runs_dir().join(id);
        let mut record = self.run(id)?;
        let busy = |record: &RunRecord| RegistryError::Searching {
            run: id.to_owned(),
            pid: record.pid,
        };
        let alive = disk::lock(&dir.join("run.lock"), PATIENCE).map_err(|error| match error {
            RegistryError::Busy { .. } => busy(&record),
            error => error,
        })?;
        let history = self.trials(id)?;
        if history.dropped > 0 {
            let lines: String = history
                .trials
                .iter()
                .map(|trial| history::line(trial, Some(on)) + "\n")
                .collect();
            disk::replace(&dir.join(FILE), lines.as_bytes(), &dir)?;
        }
        record.state = State::Running;
        record.pid = std::process::id();
        record.heartbeat = Timestamp::now();
        record.ended = None;
        record.note = None;
        record.trials = Some(history.trials.len());
        record.search = Some(search);
        let run = Run::open(dir, record, alive)?;
        Ok(Resumed { run, history })
    }

    /// The trials of a search so far.
    pub fn trials(&self, id: &str) -> Result<History, RegistryError> {
        let path = self.runs_dir().join(id).join(FILE);
        match disk::read_bounded(&path, MAX_TRIALS) {
            Ok(bytes) => Ok(History::read(&String::from_utf8_lossy(&bytes))),
            Err(error) if error.is_missing() => Ok(History::default()),
            Err(error) => Err(error.into()),
        }
    }
}
