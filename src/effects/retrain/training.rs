//! A training run as the screen follows it: what the [`challenger`] tells becomes events.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::host::{Host, Meter};
use super::{Event, Order};
use crate::challenger::{self, Job, News};
use crate::effects::Outbox;
use crate::registry::{Registry, Version};
use crate::train::progress::Judged;
use crate::train::{Flow, Progress, TrainError};

pub use crate::challenger::Report;
pub use crate::train::retrain::Phase;

/// Least time between two messages to the screen.
const BEAT: Duration = Duration::from_millis(50);

/// One point of the curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Trees so far.
    pub trees: usize,
    /// R2 so far.
    pub r2: f64,
    /// Whether nearly every row has a prediction yet.
    pub covered: bool,
}

/// How a run goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// The order's.
    pub ticket: u64,
    /// What it is doing.
    pub phase: Phase,
    /// The last progress.
    pub progress: Option<Progress>,
    /// Points since the last tick.
    pub points: Vec<Point>,
    /// Nodes grown so far in this phase.
    pub nodes: usize,
    /// What it costs.
    pub host: Host,
}

/// Why a run gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// The user stopped it.
    Cancelled {
        /// Trees that were finished.
        done: usize,
        /// Trees wanted.
        total: usize,
    },
    /// Something went wrong.
    Failed(String),
}

impl From<TrainError> for Stopped {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Cancelled { done, total } => Self::Cancelled { done, total },
            error => Self::Failed(error.to_string()),
        }
    }
}

/// Does an order and follows it on the screen.
pub fn train(
    order: &Order,
    registry: &Registry,
    outbox: &Outbox,
    flow: &dyn Fn() -> Flow,
) -> Result<Report, Stopped> {
    let job = Job {
        preset: order.preset.clone(),
        source: order.source.clone(),
        dedup: order.dedup,
        ..Job::new(order.plan.clone(), order.service.clone())
    };
    let rows = job
        .source
        .read()
        .map_err(|error| Stopped::Failed(error.to_string()))?;
    let mut telegraph = Telegraph::new(order.ticket, outbox, flow);
    let mut listen = |news: News<'_>| telegraph.hear(news);
    Ok(challenger::train(&job, &rows, Some(registry), &mut listen)?.report)
}

/// Trains a version again from its manifest. `Ok(true)`: bit by bit the same model.
pub fn reproduce(
    version: Version,
    registry: &Registry,
    outbox: &Outbox,
    flow: &dyn Fn() -> Flow,
) -> Result<bool, String> {
    let mut telegraph = Telegraph::new(0, outbox, flow);
    challenger::reproduce(version, registry, &mut |phase, progress| {
        telegraph.hear(News::Progress(phase, progress))
    })
}

/// Tells the screen, at most every [`BEAT`].
struct Telegraph<'a> {
    outbox: &'a Outbox,
    flow: &'a dyn Fn() -> Flow,
    tick: Tick,
    meter: Meter,
    sent: Instant,
}

impl<'a> Telegraph<'a> {
    fn new(ticket: u64, outbox: &'a Outbox, flow: &'a dyn Fn() -> Flow) -> Self {
        let tick = Tick {
            ticket,
            phase: Phase::Fit,
            progress: None,
            points: Vec::new(),
            nodes: 0,
            host: Host::default(),
        };
        Self {
            outbox,
            flow,
            tick,
            meter: Meter::start(),
            sent: Instant::now(),
        }
    }

    fn hear(&mut self, news: News<'_>) -> Flow {
        match news {
            News::Progress(phase, progress) => self.progress(phase, progress),
            News::Judging => {
                self.tick.phase = Phase::Judge;
                self.send();
            }
            News::Judged(report) => {
                let (ticket, report) = (self.tick.ticket, Arc::new(report.clone()));
                self.outbox.send_blocking(Event::Judged { ticket, report });
            }
            News::Unwritable(why) => tracing::warn!("the run is not written down: {why}"),
        }
        (self.flow)()
    }

    fn progress(&mut self, phase: Phase, progress: &Progress) {
        let other = self.tick.progress.is_none() || self.tick.phase != phase;
        if other {
            (self.tick.phase, self.tick.nodes) = (phase, 0);
        }
        if let Some(tree) = progress.tree {
            self.tick.nodes += tree.nodes;
            self.tick.points.extend(point(phase, progress));
        }
        let last = self.tick.progress.as_ref();
        let paused = last.is_some_and(|last| last.paused != progress.paused);
        self.tick.progress = Some(progress.clone());
        if other || paused || self.sent.elapsed() >= BEAT {
            self.send();
        }
    }

    fn send(&mut self) {
        self.tick.host = self.meter.read();
        self.sent = Instant::now();
        let points = std::mem::take(&mut self.tick.points);
        self.outbox.send_blocking(Event::Progress(Box::new(Tick {
            points,
            ..self.tick.clone()
        })));
    }
}

/// A point of the curve; folds draw none.
fn point(phase: Phase, progress: &Progress) -> Option<Point> {
    let (judged, scores) = progress.scores?;
    matches!(phase, Phase::Validate | Phase::Fit).then(|| Point {
        trees: progress.done,
        r2: scores.r2,
        covered: judged == Judged::Watched || progress.coverage >= 0.99,
    })
}
