//! MLflow over REST: runs wait in a spool on disk and are sent when the server is there, so that training never waits.
//!
//! A run is queued once for each content (version and seal), found again on the server by that key, and sent with its
//! own timestamps: a resend after a lost answer changes nothing, because MLflow ignores a metric point it has.

mod record;
mod server;
mod spool;

use crate::config::Settings;
use crate::registry::runs::{RunRecord, State};
use crate::registry::{Registry, RegistryError, Version, disk};

pub use record::Record;
pub use server::Server;
pub use spool::{Sent, Spool};

/// The experiment, unless `MLFLOW_EXPERIMENT_NAME` says otherwise.
pub const EXPERIMENT: &str = "wine-quality";

/// The registered model that every version becomes a version of.
pub const MODEL: &str = "wine-quality";

/// The tracking server of the environment with the queue of this machine.
#[derive(Debug, Clone)]
pub struct Tracking {
    server: Server,
    spool: Spool,
    experiment: String,
}

impl Tracking {
    /// What MLflow's own variables name; `None` without a server in them.
    pub fn from_env(settings: &Settings, env: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let env = |name: &str| env(name).filter(|value| !value.is_empty());
        Some(Self {
            server: Server::from_env(&env)?,
            spool: Spool::at(settings.dirs.state.join("mlflow")),
            experiment: env("MLFLOW_EXPERIMENT_NAME").unwrap_or_else(|| EXPERIMENT.to_owned()),
        })
    }

    /// What the variables of this process name.
    pub fn here(settings: &Settings) -> Option<Self> {
        Self::from_env(settings, &|name| std::env::var(name).ok())
    }

    /// Where the server is, without user and password.
    pub fn uri(&self) -> String {
        self.server.uri()
    }

    /// The experiment runs go to.
    pub fn experiment(&self) -> &str {
        &self.experiment
    }

    /// Runs that wait.
    pub fn queued(&self) -> usize {
        self.spool.pending().len()
    }

    /// Whether there is nothing to send.
    pub fn is_idle(&self) -> bool {
        self.spool.is_empty()
    }

    /// Queues a version; once, however often it is asked for.
    pub fn queue_version(&self, registry: &Registry, version: Version) -> Result<(), MlflowError> {
        self.spool.add(&self.record(registry, version)?)
    }

    /// Queues the champion, and that the alias `champion` shall point to it.
    pub fn queue_champion(&self, registry: &Registry) -> Result<(), MlflowError> {
        match registry.champion()? {
            Some(champion) => self.spool.crown(&self.record(registry, champion.version)?),
            None => Ok(()),
        }
    }

    /// Queues what the newest run of this process came to: its version, or that it was stopped or failed.
    pub fn queue_last_run(&self, registry: &Registry) -> Result<(), MlflowError> {
        let ours = |run: &RunRecord| run.pid == std::process::id();
        match registry.runs()?.into_iter().find(ours) {
            Some(run) => match run.version {
                Some(version) => self.queue_version(registry, version),
                None if run.state == State::Running => Ok(()),
                None => self.spool.add(&Record::of_run(&run, &self.experiment)),
            },
            None => Ok(()),
        }
    }

    /// Sends what is queued, until all is sent or the server fails.
    pub async fn send(&self) -> Result<Sent, MlflowError> {
        self.spool.drain(&self.server).await
    }

    fn record(&self, registry: &Registry, version: Version) -> Result<Record, MlflowError> {
        let seal = registry.verify(version)?;
        let manifest = registry.manifest(version)?;
        let curve = registry.curve(version);
        Ok(Record::of_version(
            &manifest,
            &seal,
            &curve,
            &self.experiment,
        ))
    }
}

/// Why a record stays in the spool.
#[derive(Debug, thiserror::Error)]
pub enum MlflowError {
    /// The spool on disk.
    #[error("the MLflow spool: {0}")]
    Spool(#[from] disk::DiskError),
    /// The registry, which a run is read from.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The server cannot be reached.
    #[error(
        "the MLflow server {uri} cannot be reached: {cause}; runs stay queued and are sent later"
    )]
    Unreachable {
        /// Where.
        uri: String,
        /// Why.
        cause: String,
    },
    /// The server said no.
    #[error("the MLflow server {uri} refused {what} with {status}: {message}")]
    Refused {
        /// Where.
        uri: String,
        /// Which call.
        what: String,
        /// The HTTP status.
        status: u16,
        /// Its own words.
        message: String,
    },
}

impl MlflowError {
    /// Whether the server will say no to the same words for ever: no outage, no wrong address, no missing permission.
    const fn is_for_ever(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                status: 400 | 413 | 422,
                ..
            }
        )
    }

    /// Whether the server has no such thing as a model registry.
    const fn is_unknown_call(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                status: 404 | 405 | 501,
                ..
            }
        )
    }
}
