//! What the app asks for ([`Effect`], plain data) and what comes of it ([`Event`]); the [`Runner`] is the only spawner of tasks.

pub mod lambda;
pub mod logs;
pub mod predict;
pub mod retrain;
pub mod target;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::client::destination::Destination;
use crate::client::identity;
use crate::client::link::Link;
use crate::config::Settings;
use crate::domain::doctor::facts::Fact;
use crate::domain::schema::Schema;
use crate::sandbox::Incident;

/// Something to do outside: plain data, so that a test of an update is one `assert_eq!`.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Leave.
    Quit,
    /// Hand the terminal back until `fg`.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Put text on the clipboard (OSC 52).
    Copy(String),
    /// Ring the bell and notify (OSC 9) with this text.
    Notify(String),
    /// Connect to a target.
    Connect(Destination),
    /// Switch the sandbox to an incident, or back to health.
    Incident(Option<Incident>),
    /// The Predict tab's.
    Predict(predict::Effect),
    /// The Logs tab's.
    Logs(logs::Effect),
    /// The Lambda tab's.
    Lambda(lambda::Effect),
    /// The Retrain tab's.
    Retrain(retrain::Effect),
    /// The target overlay's.
    Target(target::Effect),
}

/// Something that came from outside, or that one tab tells the others.
#[derive(Debug)]
pub enum Event {
    /// Connected to a target; everything asked before is stale.
    Connected(Link),
    /// Could not connect: which target, and why.
    Unconnected {
        /// The target's name.
        target: String,
        /// What failed and what to do.
        error: String,
    },
    /// Whose credentials they are.
    Identified {
        /// The twelve-digit AWS account.
        account: String,
    },
    /// The sandbox switched to an incident, or back to health.
    IncidentSet(Option<Incident>),
    /// The registry's champion on this machine is known, or changed.
    Champion(Option<String>),
    /// A task panicked; the app lives on.
    Crashed {
        /// Which task.
        what: &'static str,
    },
    /// The Predict tab's.
    Predict(predict::Event),
    /// The Logs tab's.
    Logs(logs::Event),
    /// The Lambda tab's.
    Lambda(lambda::Event),
    /// The Retrain tab's.
    Retrain(retrain::Event),
    /// The target overlay's.
    Target(target::Event),
}

macro_rules! rooms {
    ($($room:ident $variant:ident),*) => {$(
        impl From<$room::Effect> for Effect {
            fn from(effect: $room::Effect) -> Self {
                Self::$variant(effect)
            }
        }
        impl From<$room::Event> for Event {
            fn from(event: $room::Event) -> Self {
                Self::$variant(event)
            }
        }
    )*};
}
rooms!(predict Predict, logs Logs, lambda Lambda, retrain Retrain, target Target);

/// How many events may wait for the app before tasks are slowed down.
pub const INBOX: usize = 256;

/// A place for at most one task: starting another in it cancels the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// Connecting to a target.
    Connect,
    /// The prediction on its way.
    Predict,
    /// One request's three ways.
    Compare,
    /// A latency bench.
    Bench,
    /// A what-if sweep.
    Sweep,
    /// A table scored row by row.
    Batch,
    /// The log tail.
    Tail,
    /// A log file being read, a recording being played.
    File,
    /// A filter or search over the store.
    Filter,
    /// Log lines on their way to a file.
    Export,
    /// A Logs Insights query.
    Insights,
    /// Reading the function's configuration.
    Describe,
    /// Reading metrics.
    Metrics,
    /// The Doctor.
    Doctor,
    /// Checking the data before training.
    Preflight,
    /// A training run.
    Train,
    /// Reading or changing the registry.
    Registry,
    /// Sending runs to MLflow.
    Mlflow,
    /// Noticing when another process moves the champion.
    Follow,
    /// Asking the endpoint which version it serves.
    Recognise,
    /// Reading the AWS profiles.
    Profiles,
    /// Listing functions to choose from.
    Functions,
}

/// Where a task leaves its events. Sending waits while the app is behind, and ends quietly when it has left.
#[derive(Debug, Clone)]
pub struct Outbox(mpsc::Sender<Event>);

impl Outbox {
    /// Wraps the sending half of the app's inbox.
    pub const fn new(sender: mpsc::Sender<Event>) -> Self {
        Self(sender)
    }

    /// Sends from async code. False when the app has left.
    pub async fn send(&self, event: impl Into<Event>) -> bool {
        self.0.send(event.into()).await.is_ok()
    }

    /// Sends from a blocking task. False when the app has left.
    pub fn send_blocking(&self, event: impl Into<Event>) -> bool {
        self.0.blocking_send(event.into()).is_ok()
    }
}

/// Turns effects into tasks and keeps the means to stop them.
pub struct Runner {
    /// Everything the user configured.
    pub settings: Arc<Settings>,
    /// The model's features, bands and presets.
    pub schema: Arc<Schema>,
    /// The connected target, once there is one.
    pub link: Option<Link>,
    /// What the Predict room keeps between effects.
    pub predict: predict::Room,
    /// What the Logs room keeps between effects.
    pub logs: logs::Room,
    /// What the Lambda room keeps between effects.
    pub lambda: lambda::Room,
    /// Brake and stop button of the training run.
    pub training: retrain::Control,
    outbox: Outbox,
    tracker: TaskTracker,
    quit: CancellationToken,
    slots: HashMap<Slot, CancellationToken>,
}

impl Runner {
    /// A runner whose tasks send to `outbox` and stop when `quit` is cancelled.
    pub fn new(
        settings: Arc<Settings>,
        schema: Arc<Schema>,
        outbox: Outbox,
        quit: CancellationToken,
    ) -> Self {
        Self {
            settings,
            schema,
            link: None,
            predict: predict::Room::default(),
            logs: logs::Room::default(),
            lambda: lambda::Room::default(),
            training: retrain::Control::default(),
            outbox,
            tracker: TaskTracker::new(),
            quit,
            slots: HashMap::new(),
        }
    }

    /// Starts what the effect asks for. Effects on the terminal are the runtime's and do nothing here.
    pub fn run(&mut self, effect: Effect) {
        match effect {
            Effect::Connect(destination) => self.connect(destination),
            Effect::Incident(incident) => self.set_incident(incident),
            Effect::Predict(effect) => predict::run(effect, self),
            Effect::Logs(effect) => logs::run(effect, self),
            Effect::Lambda(effect) => lambda::run(effect, self),
            Effect::Retrain(effect) => retrain::run(effect, self),
            Effect::Target(effect) => target::run(effect, self),
            Effect::Quit
            | Effect::Suspend
            | Effect::Redraw
            | Effect::Copy(_)
            | Effect::Notify(_) => {}
        }
    }

    /// Takes over a fresh connection: what ran on the old one stops.
    pub fn attach(&mut self, link: Link) {
        for slot in [
            Slot::Predict,
            Slot::Compare,
            Slot::Bench,
            Slot::Sweep,
            Slot::Batch,
            Slot::Tail,
            Slot::Insights,
            Slot::Describe,
            Slot::Metrics,
            Slot::Doctor,
            Slot::Recognise,
        ] {
            self.stop(slot);
        }
        self.link = Some(link);
        retrain::follow(self);
    }

    /// Starts a task; any number may run side by side.
    pub fn spawn<F>(&self, what: &'static str, task: impl FnOnce(Outbox) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let future = self.quit.clone().run_until_cancelled_owned(guarded(
            what,
            self.outbox.clone(),
            task(self.outbox.clone()),
        ));
        self.tracker.spawn(future);
    }

    /// Starts a task in a slot; the one before it is cancelled at its next await.
    pub fn spawn_in<F>(
        &mut self,
        slot: Slot,
        what: &'static str,
        task: impl FnOnce(Outbox, CancellationToken) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let token = self.renew(slot);
        let future = guarded(
            what,
            self.outbox.clone(),
            task(self.outbox.clone(), token.clone()),
        );
        self.tracker.spawn(token.run_until_cancelled_owned(future));
    }

    /// Starts CPU work in a slot on a thread of its own; it must look at the token now and then.
    pub fn spawn_blocking_in(
        &mut self,
        slot: Slot,
        what: &'static str,
        work: impl FnOnce(Outbox, CancellationToken) + Send + 'static,
    ) {
        let token = self.renew(slot);
        let outbox = self.outbox.clone();
        self.tracker.spawn_blocking(move || {
            guarded_blocking(what, &outbox, || work(outbox.clone(), token));
        });
    }

    /// Starts work that goes on until nobody brings it any more, on one thread from first to last: on a pool's threads
    /// each would keep the memory that one turn of it took.
    pub fn spawn_thread(&self, what: &'static str, work: impl FnOnce(Outbox) + Send + 'static) {
        let outbox = self.outbox.clone();
        let thread = move || guarded_blocking(what, &outbox, || work(outbox.clone()));
        if let Err(error) = std::thread::Builder::new().spawn(thread) {
            tracing::error!("no thread for {what}: {error}");
        }
    }

    /// Cancels what runs in a slot.
    pub fn stop(&mut self, slot: Slot) {
        if let Some(token) = self.slots.remove(&slot) {
            token.cancel();
        }
    }

    /// Waits until every task has ended, at most `limit`. Call after `quit` was cancelled and the inbox closed.
    pub async fn wind_down(self, limit: Duration) {
        self.tracker.close();
        if tokio::time::timeout(limit, self.tracker.wait())
            .await
            .is_err()
        {
            tracing::warn!("left {} tasks behind after {limit:?}", self.tracker.len());
        }
    }

    fn renew(&mut self, slot: Slot) -> CancellationToken {
        self.stop(slot);
        let token = self.quit.child_token();
        self.slots.insert(slot, token.clone());
        token
    }

    fn connect(&mut self, destination: Destination) {
        let (settings, schema) = (Arc::clone(&self.settings), Arc::clone(&self.schema));
        self.spawn_in(Slot::Connect, "connecting", |outbox, _| async move {
            let target = destination.target.clone();
            match Link::connect(&settings, &schema, destination).await {
                Ok(link) => {
                    let connected = link.clone();
                    outbox.send(Event::Connected(connected)).await;
                    identify(&link, &outbox).await;
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    outbox.send(Event::Unconnected { target, error }).await;
                }
            }
        });
    }

    fn set_incident(&mut self, incident: Option<Incident>) {
        let Some(sandbox) = self.link.as_ref().and_then(|link| link.sandbox.clone()) else {
            return;
        };
        sandbox.set_incident(incident);
        self.spawn("incident", |outbox| async move {
            outbox.send(Event::IncidentSet(incident)).await;
        });
    }
}

/// Asks whose credentials they are, where the target does not say so itself.
async fn identify(link: &Link, outbox: &Outbox) {
    let Some(aws) = link.aws.as_ref().filter(|_| link.session.account.is_none()) else {
        return;
    };
    if let Fact::Known(identity) = identity::caller(&aws.config, Some(&aws.profile)).await {
        let account = identity.account;
        outbox.send(Event::Identified { account }).await;
    }
}

/// Runs a task to its end; a panic becomes [`Event::Crashed`].
async fn guarded(what: &'static str, outbox: Outbox, task: impl Future<Output = ()>) {
    if AssertUnwindSafe(task).catch_unwind().await.is_err() {
        outbox.send(Event::Crashed { what }).await;
    }
}

/// The same on a thread that may wait.
fn guarded_blocking(what: &'static str, outbox: &Outbox, work: impl FnOnce()) {
    if std::panic::catch_unwind(AssertUnwindSafe(work)).is_err() {
        outbox.send_blocking(Event::Crashed { what });
    }
}
