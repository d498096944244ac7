//! Training runs: what was tried, how it went, and which ones died.
//!
//! A live run holds a lock on its own `run.lock`; the system frees it however the process ends, so a run that says
//! `running` and holds no lock has crashed. Process id and heartbeat are there for people.

mod search;

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::disk::{self, DiskError};
use super::{Registry, RegistryError, Version, names_in};
use crate::train::{Plan, Progress, Scores};

pub use search::{Resumed, SearchRecord};

const FILE: &str = "run.json";
const MAX_RUN: u64 = 1 << 20;

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its process lives.
    Running,
    /// It gave a model.
    Finished,
    /// It gave an error.
    Failed,
    /// The user stopped it.
    Cancelled,
    /// Its process died.
    Crashed,
}

impl State {
    /// The word in files and on screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Crashed => "crashed",
        }
    }
}

/// `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its ULID, which sorts by time.
    pub id: String,
    /// How it stands.
    pub state: State,
    /// What was to be trained.
    pub plan: Plan,
    /// The preset it began from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// The process.
    pub pid: u32,
    /// When it began.
    pub started: Timestamp,
    /// When it was last heard of.
    pub heartbeat: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Trees that were finished.
    #[serde(default)]
    pub trees: usize,
    /// Trials that were finished, when it is a search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trials: Option<usize>,
    /// What was searched, when it is a search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchRecord>,
    /// Its last scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<Scores>,
    /// The version it became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// How the version stood against the champion, or what went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A run in progress: writes what it learns, and is told crashed if it is dropped by the system.
#[derive(Debug)]
pub struct Run {
    dir: PathBuf,
    record: RunRecord,
    metrics: BufWriter<File>,
    /// Lines of trials that the disk did not take yet.
    unwritten: Vec<String>,
    _alive: File,
}

/// Heartbeats are this many seconds apart.
const BEAT: i64 = 2;

impl Run {
    /// Writes the record down and opens the file of its figures; `alive` is the lock that says it lives.
    fn open(dir: PathBuf, record: RunRecord, alive: File) -> Result<Self, RegistryError> {
        let path = dir.join("metrics.jsonl");
        let metrics = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(|error| DiskError::new("write", &path, error))?;
        write_record(&dir, &record)?;
        Ok(Self {
            dir,
            record,
            metrics: BufWriter::new(metrics),
            unwritten: Vec::new(),
            _alive: alive,
        })
    }

    /// Its ULID.
    pub fn id(&self) -> &str {
        &self.record.id
    }

    /// Notes a finished tree, and that the run lives. A full disk must not stop a training run, so what cannot be
    /// written is left out.
    pub fn progress(&mut self, progress: &Progress) {
        if progress.tree.is_some() {
            self.record.trees = progress.done;
        }
        if let (Some(tree), Some((_, scores))) = (progress.tree, progress.scores) {
            self.record.scores = Some(scores).filter(|scores| scores.r2.is_finite());
            let line = serde_json::json!({
                "tree": progress.done, "ms": tree.ms, "nodes": tree.nodes, "depth": tree.depth,
                "r2": scores.r2, "rmse": scores.rmse, "mae": scores.mae, "coverage": progress.coverage,
            });
            let _ = writeln!(self.metrics, "{line}");
        }
        self.beat();
    }

    /// Notes that the run lives, every two seconds.
    pub fn beat(&mut self) {
        let now = Timestamp::now();
        if now.as_second() - self.record.heartbeat.as_second() >= BEAT {
            self.record.heartbeat = now;
            let _ = self.metrics.flush();
            let _ = self.write();
        }
    }

    /// Ends the run.
    pub fn end(
        mut self,
        state: State,
        version: Option<Version>,
        note: Option<String>,
    ) -> Result<RunRecord, RegistryError> {
        self.write_trials();
        let now = Timestamp::now();
        self.record.state = state;
        self.record.version = version;
        self.record.note = note;
        self.record.heartbeat = now;
        self.record.ended = Some(now);
        let flushed = self.metrics.flush();
        self.write()?;
        flushed.map_err(|error| DiskError::new("write", &self.dir.join("metrics.jsonl"), error))?;
        Ok(self.record)
    }

    fn write(&self) -> Result<(), DiskError> {
        write_record(&self.dir, &self.record)
    }
}

fn write_record(dir: &Path, record: &RunRecord) -> Result<(), DiskError> {
    // Finite numbers and strings always serialize; a score that is not finite becomes null.
    let json = serde_json::to_vec_pretty(record).unwrap_or_default();
    disk::replace(&dir.join(FILE), &json, dir)
}

impl Registry {
    pub(super) fn runs_dir(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Begins a run.
    pub fn start_run(&self, plan: &Plan, preset: Option<&str>) -> Result<Run, RegistryError> {
        self.prepare()?;
        let id = ulid::Ulid::new().to_string();
        let dir = self.runs_dir().join(&id);
        disk::make_dir(&dir)?;
        let alive = disk::lock(&dir.join("run.lock"), std::time::Duration::ZERO)?;
        let now = Timestamp::now();
        let record = RunRecord {
            id,
            state: State::Running,
            plan: plan.clone(),
            preset: preset.map(ToOwned::to_owned),
            pid: std::process::id(),
            started: now,
            heartbeat: now,
            ended: None,
            trees: 0,
            trials: None,
            search: None,
            scores: None,
            version: None,
            note: None,
        };
        Run::open(dir, record, alive)
    }

    /// All runs, newest first; a dead one is shown as crashed, not running.
    pub fn runs(&self) -> Result<Vec<RunRecord>, RegistryError> {
        let mut ids = names_in(&self.runs_dir())?;
        ids.sort_unstable();
        ids.reverse();
        Ok(ids.iter().filter_map(|id| self.run(id).ok()).collect())
    }

    /// A run as it stands; a dead one is shown as crashed, with the trials that it has written down.
    pub fn run(&self, id: &str) -> Result<RunRecord, RegistryError> {
        let dir = self.runs_dir().join(id);
        let mut record = self.recorded_run(id)?;
        if record.state == State::Running && !is_alive(&dir) {
            record.state = State::Crashed;
            if record.trials.is_some() {
                record.trials = Some(self.trials(id)?.trials.len());
            }
        }
        Ok(record)
    }

    fn recorded_run(&self, id: &str) -> Result<RunRecord, RegistryError> {
        let path = self.runs_dir().join(id).join(FILE);
        let bytes = disk::read_bounded(&path, MAX_RUN)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| DiskError::new("read", &path, error.into()).into())
    }

    /// Writes down which runs have died; call it under the lock. Returns a sentence for each.
    pub(super) fn mark_crashed_runs(&self) -> Result<Vec<String>, RegistryError> {
        let mut dead = Vec::new();
        for id in names_in(&self.runs_dir())? {
            let (Ok(recorded), Ok(mut record)) = (self.recorded_run(&id), self.run(&id)) else {
                continue;
            };
            if record.state != State::Crashed || recorded.state == State::Crashed {
                continue;
            }
            record.ended = Some(record.heartbeat);
            write_record(&self.runs_dir().join(&id), &record)?;
            let done = match record.trials {
                Some(trials) => format!("{trials} trials"),
                None => format!("{} trees", record.trees),
            };
            dead.push(format!(
                "run {id} of process {} died after {done}",
                record.pid
            ));
        }
        Ok(dead)
    }
}

/// Whether somebody holds the run's lock.
fn is_alive(dir: &Path) -> bool {
    let lock = File::open(dir.join("run.lock"));
    lock.is_ok_and(|lock| {
        matches!(
            lock.try_lock_shared(),
            Err(std::fs::TryLockError::WouldBlock)
        )
    })
}
