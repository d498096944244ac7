//! Runs that wait for the tracking server: a file each, and who is champion.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::MlflowError;
use super::record::Record;
use super::server::Server;
use crate::registry::disk;

/// Records that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spool {
    dir: PathBuf,
}

/// What a drain did.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Sent {
    /// Runs that were sent.
    pub runs: usize,
    /// Runs the server had already.
    pub known: usize,
    /// Model version the alias `champion` points to now, if it was moved.
    pub champion: Option<String>,
    /// Runs the server will not have, each with its reason; they were set aside.
    pub refused: Vec<String>,
}

const MAX_RECORD: u64 = 64 << 20;

/// The record of the champion, kept until the alias is moved; not a run that waits.
const CHAMPION: &str = "champion.alias";

impl Spool {
    /// The spool in this directory.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Queues a record durably. A record that waits already is left as it is: it may have begun its journey.
    pub fn add(&self, record: &Record) -> Result<(), MlflowError> {
        disk::make_dir(&self.dir)?;
        let path = self.dir.join(format!("{}.json", record.key));
        if read(&path).is_some_and(|waiting| waiting.experiment == record.experiment) {
            return Ok(());
        }
        self.write(&path, record)
    }

    /// Queues the champion: its record, and the wish that the alias points to it.
    pub fn crown(&self, record: &Record) -> Result<(), MlflowError> {
        self.add(record)?;
        self.write(&self.dir.join(CHAMPION), record)
    }

    /// The queued files, oldest version first.
    pub fn pending(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.dir)
            .into_iter()
            .flatten()
            .filter_map(Result::ok);
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
            .collect();
        paths.sort();
        paths
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.pending().is_empty() && !self.dir.join(CHAMPION).exists()
    }

    /// Sends what is queued until all is sent or the server fails. Of two processes one sends.
    pub async fn drain(&self, server: &Server) -> Result<Sent, MlflowError> {
        let mut sent = Sent::default();
        if self.is_empty() {
            return Ok(sent);
        }
        let Ok(_turn) = disk::lock(&self.dir.join("drain.lock"), Duration::ZERO) else {
            return Ok(sent);
        };
        for path in self.pending() {
            let Some(record) = read(&path) else {
                sent.refused
                    .push(set_aside(&path, "it is not a spooled run"));
                continue;
            };
            match self.send(server, &path, record).await {
                Ok(true) => sent.runs += 1,
                Ok(false) => sent.known += 1,
                Err(error) if error.is_for_ever() => {
                    sent.refused.push(set_aside(&path, &error.to_string()));
                    continue;
                }
                Err(error) => return Err(error),
            }
            disk::remove(&path)?;
        }
        sent.champion = self.move_alias(server).await?;
        Ok(sent)
    }

    /// Sends one record. False when the server has the whole run already.
    async fn send(
        &self,
        server: &Server,
        path: &Path,
        mut record: Record,
    ) -> Result<bool, MlflowError> {
        let experiment = server.experiment(&record.experiment).await?;
        // A run whose creation was not heard of is found by its key, and so is one sent before.
        let found = match &record.run_id {
            Some(run) => Some((run.clone(), false)),
            None if record.key.is_empty() => None,
            None => server.find(&experiment, &record.key).await?,
        };
        let (run, complete) = match found {
            Some(found) => found,
            None => (server.create(&experiment, &record).await?, false),
        };
        if !complete {
            record.run_id = Some(run.clone());
            self.write(path, &record)?;
            server.fill(&experiment, &run, &record).await?;
        }
        if record.has_model() {
            register(server, &run, &record).await?;
        }
        Ok(!complete)
    }

    /// Points the alias to the last champion queued.
    async fn move_alias(&self, server: &Server) -> Result<Option<String>, MlflowError> {
        let path = self.dir.join(CHAMPION);
        let Some(record) = read(&path) else {
            return Ok(None);
        };
        let experiment = server.experiment(&record.experiment).await?;
        let run = server.find(&experiment, &record.key).await?;
        let number = match &run {
            Some((run, _)) => register(server, run, &record).await?,
            None => None,
        };
        if let Some(number) = &number {
            server.crown(number).await?;
        }
        // Somebody may have been crowned meanwhile; that wish waits for the next drain.
        if read(&path).is_some_and(|now| now.key == record.key) {
            disk::remove(&path)?;
        }
        Ok(number)
    }

    fn write(&self, path: &Path, record: &Record) -> Result<(), MlflowError> {
        // Finite numbers and strings always serialize.
        let json = serde_json::to_vec(record).unwrap_or_default();
        Ok(disk::replace(path, &json, &self.dir)?)
    }
}

/// The run's model version. A server without a model registry refuses it; the run is complete without.
async fn register(
    server: &Server,
    run: &str,
    record: &Record,
) -> Result<Option<String>, MlflowError> {
    let version = record.manifest["version"].as_str();
    match server.register(run, version).await {
        Ok(number) => Ok(Some(number)),
        Err(error) if error.is_for_ever() || error.is_unknown_call() => {
            tracing::warn!("MLflow took the run but registered no model: {error}");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn read(path: &Path) -> Option<Record> {
    let bytes = disk::read_bounded(path, MAX_RECORD).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Keeps a file that will never be taken, out of the queue's way.
fn set_aside(path: &Path, why: &str) -> String {
    let text = format!("{}: {why}", path.display());
    tracing::warn!("set aside {text}");
    let _ = fs::rename(path, path.with_extension("refused"));
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::registry::Registry;
    use crate::registry::runs::State;
    use crate::train::{Family, Plan};

    #[test]
    fn a_record_waits_once_and_keeps_what_it_knows_of_its_journey() {
        let home = tempfile::tempdir().unwrap();
        let run = Registry::at(home.path()).start_run(&Plan::new(Family::Linear), None);
        let run = run.unwrap().end(State::Cancelled, None, None).unwrap();
        let spool = Spool::at(home.path().join("spool"));
        assert!(spool.is_empty());
        let record = Record::of_run(&run, "e");
        spool.add(&record).unwrap();
        let begun = Record {
            run_id: Some("r".to_owned()),
            ..record.clone()
        };
        spool.write(&spool.pending()[0], &begun).unwrap();
        spool.add(&record).unwrap();
        assert_eq!(spool.pending().len(), 1);
        assert_eq!(read(&spool.pending()[0]), Some(begun));
    }
}
