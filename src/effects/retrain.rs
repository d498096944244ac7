//! What the Retrain tab asks for and hears: training runs, the registry's shelf, moves of the champion.

pub mod host;
pub mod shelf;
pub mod training;
pub mod tuning;
pub mod ways_out;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio_util::sync::CancellationToken;

use super::{Outbox, Runner, Slot};
use crate::challenger::{self, Service, Source, Standing, params_file};
use crate::champion;
use crate::client::fingerprint::{self, Served};
use crate::client::link::Link;
use crate::client::mlflow::{MlflowError, Sent, Tracking};
use crate::client::predict::PredictClient;
use crate::client::wire::Limits;
use crate::domain::schema::Schema;
use crate::registry::{Champion, Move, Registry, RegistryError, Version};
use crate::train::tune::Trial;
use crate::train::{Flow, Params, Plan};

pub use crate::registry::export::Form;
pub use host::Host;
pub use shelf::{DataReport, Shelf};
pub use training::{Phase, Point, Report, Stopped, Tick};
pub use tuning::{Begun, Hunt, Quarry, TuningTick};

/// What the Retrain tab asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Check the data, duplicates dropped or not.
    Check {
        /// Where it is.
        source: Source,
        /// Drop exact duplicates.
        dedup: bool,
    },
    /// Read the registry; `establish` trains a first champion where there is none.
    Look {
        /// Make a champion when there is none (the sandbox needs one).
        establish: bool,
    },
    /// Ask the endpoint which version it serves: sixteen predictions.
    Recognise {
        /// How to read the answers.
        schema: Arc<Schema>,
    },
    /// Send the runs that wait for MLflow, where a server is named.
    SendQueued,
    /// Train, judge and register a challenger.
    Train(Order),
    /// Search for better parameters.
    Tune(Hunt),
    /// Hold the run, or let it go on.
    Pause(bool),
    /// End the run, keeping the finished trees or not.
    Stop {
        /// Make a model of the finished trees.
        keep: bool,
    },
    /// Say where a version stands before the champion of now, judging it again if need be.
    Consider {
        /// The version.
        version: Version,
        /// What the service sends.
        service: Service,
    },
    /// Make a version the champion.
    Promote {
        /// The version.
        version: Version,
        /// On which grounds.
        wish: Move,
    },
    /// Back to the previous champion.
    RollBack {
        /// On which grounds.
        wish: Move,
    },
    /// Train a version again from its manifest and compare.
    Reproduce(Version),
    /// Write a version's model to a file.
    Export {
        /// The version.
        version: Version,
        /// For whom.
        form: Form,
        /// Into this directory.
        dir: PathBuf,
    },
    /// Write a forest's parameters into `best_params.json` for the Python project.
    WriteParams {
        /// The parameters.
        params: Params,
        /// In this directory.
        dir: PathBuf,
    },
}

/// A training run to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Marks its events.
    pub ticket: u64,
    /// What to train.
    pub plan: Plan,
    /// The preset it began from.
    pub preset: Option<String>,
    /// Where its rows come from.
    pub source: Source,
    /// Drop exact duplicates first.
    pub dedup: bool,
    /// What the service sends.
    pub service: Service,
}

/// What the Retrain tab hears.
#[derive(Debug)]
pub enum Event {
    /// What the data is like, or why it cannot be used.
    Checked(Result<Box<DataReport>, String>),
    /// What the registry holds, or why it cannot be read.
    Shelf(Result<Box<Shelf>, String>),
    /// How a run goes, at most every 50 ms.
    Progress(Box<Tick>),
    /// The user chose to go on after all.
    Resumed,
    /// The verdict is in; cross-validation and registry come after it.
    Judged {
        /// The order's.
        ticket: u64,
        /// What is known so far.
        report: Arc<Report>,
    },
    /// The user chose to end the run.
    Stopping,
    /// A run has ended.
    Trained {
        /// The order's.
        ticket: u64,
        /// What it gave.
        result: Result<Arc<Report>, Stopped>,
    },
    /// What a promotion would rest on, or why that cannot be said.
    Considered(Result<Box<Standing>, String>),
    /// The champion changed, or did not and why.
    Moved(Result<Box<Champion>, String>),
    /// A version was trained again: the same model or not, or why it could not be.
    Reproduced {
        /// The version.
        version: Version,
        /// `Ok(true)`: bit by bit the same.
        result: Result<bool, String>,
    },
    /// Runs were queued for MLflow, or sent: how many wait, and why they do.
    Logged {
        /// Runs in the queue.
        queued: usize,
        /// What keeps them there.
        error: Option<String>,
    },
    /// Which version the endpoint serves, or why that is not known.
    Served(Result<Box<Served>, String>),
    /// A search has begun, with these trials made before.
    TuningBegun(Box<Begun>),
    /// How a search goes.
    Tuning(Box<TuningTick>),
    /// A search has ended: every finished trial, or why there are none.
    Tuned {
        /// The search's.
        ticket: u64,
        /// All trials, the earlier ones included.
        result: Result<Vec<Trial>, Stopped>,
    },
    /// Files were written (their full paths), or why not.
    Exported(Result<Vec<PathBuf>, String>),
    /// Parameters were written: what was done, and what Python will not see; or why not.
    ParamsWritten(Result<Vec<String>, String>),
}

/// The brake and the stop button of the run in progress.
#[derive(Debug, Clone, Default)]
pub struct Control(Arc<AtomicU8>);

const GO: u8 = 0;
const HOLD: u8 = 1;
const STOP: u8 = 2;
const STOP_AND_KEEP: u8 = 3;

impl Control {
    fn set(&self, wish: u8) {
        self.0.store(wish, Ordering::Relaxed);
    }

    /// What the trainer should do; a cancelled token means that the program ends.
    fn flow(&self, token: &CancellationToken) -> Flow {
        if token.is_cancelled() {
            return Flow::Stop { keep: false };
        }
        match self.0.load(Ordering::Relaxed) {
            HOLD => Flow::Pause,
            STOP => Flow::Stop { keep: false },
            STOP_AND_KEEP => Flow::Stop { keep: true },
            _ => Flow::Continue,
        }
    }
}

/// Starts what the effect asks for.
pub fn run(effect: Effect, runner: &mut Runner) {
    let registry = champion::registry(&runner.settings);
    match effect {
        Effect::Check { source, dedup } => {
            runner.spawn_blocking_in(Slot::Preflight, "checking the data", move |outbox, _| {
                let report = shelf::check(&source, dedup).map(Box::new);
                outbox.send_blocking(Event::Checked(report));
            });
        }
        Effect::SendQueued => {
            let tracking = Tracking::here(&runner.settings);
            runner.spawn_blocking_in(
                Slot::Mlflow,
                "sending runs to MLflow",
                move |outbox, token| {
                    log_to_mlflow(tracking.as_ref(), (&outbox, &token), |_| Ok(()));
                },
            );
        }
        Effect::Recognise { schema } => recognise(schema, registry, runner),
        Effect::Look { establish } => {
            runner.spawn_blocking_in(Slot::Registry, "reading the registry", move |outbox, _| {
                look(&registry, establish, &outbox);
            });
        }
        Effect::Train(order) => {
            let brake = renewed(runner);
            let tracking = Tracking::here(&runner.settings);
            runner.spawn_blocking_in(Slot::Train, "training", move |outbox, token| {
                let flow = || brake.flow(&token);
                let ticket = order.ticket;
                let result = training::train(&order, &registry, &outbox, &flow).map(Arc::new);
                outbox.send_blocking(Event::Trained { ticket, result });
                look(&registry, false, &outbox);
                log_to_mlflow(tracking.as_ref(), (&outbox, &token), |tracking| {
                    tracking.queue_last_run(&registry)
                });
            });
        }
        Effect::Tune(order) => {
            let brake = renewed(runner);
            runner.spawn_blocking_in(Slot::Train, "tuning", move |outbox, token| {
                let ticket = order.ticket;
                let flow = || brake.flow(&token);
                let result = tuning::hunt(&order, &registry, &outbox, &flow);
                outbox.send_blocking(Event::Tuned { ticket, result });
                look(&registry, false, &outbox);
            });
        }
        Effect::Pause(hold) => runner.training.set(if hold { HOLD } else { GO }),
        Effect::Stop { keep } => runner.training.set(if keep { STOP_AND_KEEP } else { STOP }),
        Effect::Consider { version, service } => {
            runner.spawn_blocking_in(Slot::Registry, "judging a version", move |outbox, _| {
                let standing = challenger::standing(&registry, version, &service);
                let standing = standing.map(Box::new).map_err(|error| error.to_string());
                outbox.send_blocking(Event::Considered(standing));
            });
        }
        Effect::Promote { version, wish } => move_champion(runner, registry, move |registry| {
            registry.promote(version, wish)
        }),
        Effect::RollBack { wish } => move_champion(runner, registry, move |registry| {
            registry.roll_back(None, wish)
        }),
        Effect::Reproduce(version) => {
            let brake = renewed(runner);
            runner.spawn_blocking_in(Slot::Train, "reproducing", move |outbox, token| {
                let flow = || brake.flow(&token);
                let result = training::reproduce(version, &registry, &outbox, &flow);
                outbox.send_blocking(Event::Reproduced { version, result });
            });
        }
        Effect::Export { version, form, dir } => {
            runner.spawn_blocking_in(Slot::Registry, "exporting", move |outbox, _| {
                let written = ways_out::export(&dir, &registry, version, form);
                outbox.send_blocking(Event::Exported(written));
            });
        }
        Effect::WriteParams { params, dir } => {
            runner.spawn_blocking_in(Slot::Registry, "writing parameters", move |outbox, _| {
                let path = dir.join(params_file::NAME);
                let written = params_file::write(&path, &params, jiff::Timestamp::now());
                let written = written.map_err(|error| error.to_string());
                outbox.send_blocking(Event::ParamsWritten(written));
            });
        }
    }
}

fn renewed(runner: &mut Runner) -> Control {
    runner.training = Control::default();
    runner.training.clone()
}

fn look(registry: &Registry, establish: bool, outbox: &Outbox) {
    let shelf = Shelf::look(registry, establish).map(Box::new);
    outbox.send_blocking(Event::Shelf(shelf.map_err(|error| error.to_string())));
}

/// Queues for MLflow, where `MLFLOW_TRACKING_URI` names a server, and sends what is queued. The verdict is on screen
/// already.
fn log_to_mlflow(
    tracking: Option<&Tracking>,
    (outbox, token): (&Outbox, &CancellationToken),
    queue: impl FnOnce(&Tracking) -> Result<(), MlflowError>,
) {
    let Some(tracking) = tracking else {
        return;
    };
    let queued = queue(tracking);
    if tracking.is_idle() && queued.is_ok() {
        return;
    }
    outbox.send_blocking(Event::Logged {
        queued: tracking.queued(),
        error: None,
    });
    let sent = queued.and_then(|()| {
        let sending = token.run_until_cancelled(tracking.send());
        let sent = tokio::runtime::Handle::current().block_on(sending);
        sent.unwrap_or_else(|| Ok(Sent::default()))
    });
    let error = match sent {
        Ok(sent) => sent.refused.into_iter().next(),
        Err(error) => Some(error.to_string()),
    };
    outbox.send_blocking(Event::Logged {
        queued: tracking.queued(),
        error,
    });
}

/// Moves the pointer, lets the sandbox serve the new champion, and reads the shelf again.
fn move_champion(
    runner: &mut Runner,
    registry: Registry,
    step: impl FnOnce(&Registry) -> Result<Champion, RegistryError> + Send + 'static,
) {
    let link = runner.link.clone();
    let tracking = Tracking::here(&runner.settings);
    runner.spawn_blocking_in(
        Slot::Registry,
        "moving the champion",
        move |outbox, token| {
            let moved = step(&registry).map_err(|error| error.to_string());
            if moved.is_ok() {
                serve(&registry, link.as_ref());
            }
            let done = moved.is_ok();
            outbox.send_blocking(Event::Moved(moved.map(Box::new)));
            look(&registry, false, &outbox);
            if done {
                log_to_mlflow(tracking.as_ref(), (&outbox, &token), |tracking| {
                    tracking.queue_champion(&registry)
                });
            }
        },
    );
}

fn serve(registry: &Registry, link: Option<&Link>) {
    if let Some(sandbox) = link.and_then(|link| link.sandbox.as_ref()) {
        champion::renew(registry, sandbox);
    }
}

/// Serves and shows a champion that another process has crowned.
pub(super) fn follow(runner: &mut Runner) {
    let registry = champion::registry(&runner.settings);
    let link = runner.link.clone();
    runner.spawn_in(
        Slot::Follow,
        "following the champion",
        |outbox, _| async move {
            let mut watch = registry.watch();
            loop {
                watch.moved().await;
                let (registry, link, outbox) = (registry.clone(), link.clone(), outbox.clone());
                let seen = tokio::task::spawn_blocking(move || {
                    serve(&registry, link.as_ref());
                    look(&registry, false, &outbox);
                });
                if let Err(error) = seen.await {
                    tracing::error!("the new champion could not be read: {error}");
                }
            }
        },
    );
}

/// Asks the endpoint the champion's canaries, where there are both.
fn recognise(schema: Arc<Schema>, registry: Registry, runner: &mut Runner) {
    let endpoint = runner.link.as_ref().and_then(|link| link.endpoint.clone());
    let (Some(endpoint), Ok(Some(champion))) = (endpoint, registry.champion()) else {
        return;
    };
    let client = PredictClient::new(endpoint, Limits::default());
    runner.spawn_in(
        Slot::Recognise,
        "asking what is served",
        |outbox, _| async move {
            let served =
                fingerprint::recognise(&client, &schema, &registry, champion.version).await;
            let served = served.map(Box::new).map_err(|error| error.to_string());
            outbox.send(Event::Served(served)).await;
        },
    );
}
