//! Everything that is true in the sandbox: names, clock, dice, what is broken, and the state behind each service.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Options;
use super::bucket::{self, Objects};
use super::function::Fleet;
use super::incident::Incident;
use super::job;
use super::ledger::Ledger;
use super::logs::insights::Queries;
use super::model::ServedModel;
use super::streams::LogStore;

/// The state shared by every connection. Each lock is held for a moment and never across an await.
#[derive(Debug)]
pub(super) struct World {
    pub options: Options,
    pub model: ServedModel,
    pub function: Mutex<Fleet>,
    pub logs: Mutex<LogStore>,
    pub ledger: Mutex<Ledger>,
    pub queries: Mutex<Queries>,
    pub objects: Mutex<Objects>,
    denied: Mutex<Vec<String>>,
    pub dice: Mutex<ChaCha8Rng>,
    pub stop: CancellationToken,
    pub started_ms: i64,
    address: SocketAddr,
    incident: watch::Sender<Option<(Incident, i64)>>,
    unplugged: watch::Sender<bool>,
    history_ready: watch::Sender<bool>,
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}

/// Lock a mutex; a panic elsewhere must not take the sandbox down.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One independent stream of the seed's dice.
pub(super) fn dice(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    dice.set_stream(stream);
    dice
}

impl World {
    pub fn new(options: Options, model: ServedModel, address: SocketAddr) -> Self {
        let started_ms = now_ms();
        let mut logs = LogStore::new(&options);
        for group in [
            format!("/aws/lambda/{}", options.function),
            job::log_group(),
        ] {
            logs.create_group(&group, started_ms - 86_400_000 * 58);
        }
        Self {
            function: Mutex::new(Fleet::new(dice(options.seed, 2))),
            logs: Mutex::new(logs),
            ledger: Mutex::new(Ledger::default()),
            queries: Mutex::new(Queries::new()),
            objects: Mutex::new(bucket::furnished(started_ms)),
            denied: Mutex::new(Vec::new()),
            dice: Mutex::new(dice(options.seed, 0)),
            stop: CancellationToken::new(),
            started_ms,
            address,
            incident: watch::Sender::new(options.incident.map(|incident| (incident, started_ms))),
            unplugged: watch::Sender::new(false),
            history_ready: watch::Sender::new(options.history.is_zero()),
            options,
            model,
        }
    }

    pub fn log_group(&self) -> String {
        format!("/aws/lambda/{}", self.options.function)
    }

    /// `http://127.0.0.1:PORT`
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn function_arn(&self) -> String {
        let Options {
            region,
            account,
            function,
            ..
        } = &self.options;
        format!("arn:aws:lambda:{region}:{account}:function:{function}")
    }

    pub fn incident(&self) -> Option<Incident> {
        self.incident.borrow().map(|(incident, _)| incident)
    }

    /// How long the present incident has lasted, in ms.
    pub fn incident_age_ms(&self) -> i64 {
        self.incident
            .borrow()
            .map_or(0, |(_, since)| now_ms() - since)
    }

    pub fn is(&self, incident: Incident) -> bool {
        self.incident() == Some(incident)
    }

    /// What is broken and since when (ms since 1970), and every change of it.
    pub fn incidents(&self) -> watch::Receiver<Option<(Incident, i64)>> {
        self.incident.subscribe()
    }

    pub fn set_incident(&self, incident: Option<Incident>) {
        self.incident
            .send_replace(incident.map(|incident| (incident, now_ms())));
    }

    /// From now on the caller lacks exactly these permissions (`service:Operation`).
    pub fn deny(&self, actions: Vec<String>) {
        *lock(&self.denied) = actions;
    }

    pub fn denies(&self, action: &str) -> bool {
        lock(&self.denied).iter().any(|denied| denied == action)
    }

    pub fn unplug(&self, out: bool) {
        self.unplugged.send_replace(out);
    }

    pub fn cable(&self) -> watch::Receiver<bool> {
        self.unplugged.subscribe()
    }

    /// Wait as long as the service would take `ms` milliseconds, at the sandbox's speed.
    pub async fn wait(&self, ms: f64) {
        let scaled = ms / self.options.speed.max(1e-3);
        if scaled > 0.0 {
            tokio::time::sleep(Duration::from_secs_f64(scaled / 1000.0)).await;
        }
    }

    pub fn history_done(&self) {
        self.history_ready.send_replace(true);
    }

    /// Wait until the traffic recorded before the start is in the logs and metrics.
    pub async fn history(&self) {
        let _ = self
            .history_ready
            .subscribe()
            .wait_for(|ready| *ready)
            .await;
    }
}
