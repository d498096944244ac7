//! A search for better hyper-parameters in the background: what it is asked, and what it tells.

use std::time::{Duration, Instant};

use super::host::{Host, Meter};
use super::training::{Phase, Stopped, Tick};
use super::{Event, Outbox};
use crate::challenger::{self, Source};
use crate::registry::Registry;
use crate::train::tune::{Sampling, Search, SearchProgress, Trial};
use crate::train::{Flow, Plan, TrainError, split};

/// Least time between two messages to the screen.
const BEAT: Duration = Duration::from_millis(50);

/// A search to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Hunt {
    /// Marks its events.
    pub ticket: u64,
    /// Family, seed, and the parameters that are not varied.
    pub plan: Plan,
    /// Trials in all, the earlier ones included.
    pub trials: usize,
    /// How parameters are chosen.
    pub sampling: Sampling,
    /// Where the rows come from.
    pub source: Source,
    /// Drop exact duplicates first.
    pub dedup: bool,
    /// Trials of an earlier session, to go on from.
    pub earlier: Vec<Trial>,
}

/// How a search goes.
#[derive(Debug, Clone, PartialEq)]
pub struct TuningTick {
    /// The running fit, with the search's ticket.
    pub tick: Tick,
    /// The number of the running trial.
    pub trial: usize,
    /// Trials that finished since the last message.
    pub finished: Vec<Trial>,
}

/// Does a search on the training rows alone; the holdout is not looked at.
pub fn hunt(
    hunt: &Hunt,
    registry: &Registry,
    outbox: &Outbox,
    flow: &dyn Fn() -> Flow,
) -> Result<Vec<Trial>, Stopped> {
    let rows = hunt.source.read();
    let rows = rows.map_err(|error| Stopped::Failed(error.to_string()))?;
    let prepared = rows.prepare(hunt.dedup, split::SEED);
    let train = prepared.map_err(TrainError::from)?.train();
    let search = Search {
        plan: hunt.plan.clone(),
        trials: hunt.trials,
        sampling: hunt.sampling,
        seed: hunt.plan.params.seed,
    };
    let mut messenger = Messenger {
        ticket: hunt.ticket,
        told: hunt.earlier.len(),
        outbox,
        meter: Meter::start(),
        sent: None,
    };
    let earlier = hunt.earlier.clone();
    let mut listen = |progress: &SearchProgress<'_>| {
        messenger.hear(progress);
        flow()
    };
    let found = challenger::search(&search, &train, earlier, Some(registry), &mut listen)?;
    Ok(found)
}

/// Tells the screen of every finished trial at once, of the running one at most every [`BEAT`].
struct Messenger<'a> {
    ticket: u64,
    told: usize,
    outbox: &'a Outbox,
    meter: Meter,
    sent: Option<Instant>,
}

impl Messenger<'_> {
    fn hear(&mut self, progress: &SearchProgress<'_>) {
        let finished = progress.history.get(self.told..).unwrap_or_default();
        let due = self.sent.is_none_or(|sent| sent.elapsed() >= BEAT);
        if finished.is_empty() && !due {
            return;
        }
        self.told = progress.history.len();
        self.sent = Some(Instant::now());
        let host: Host = self.meter.read();
        self.outbox
            .send_blocking(Event::Tuning(Box::new(TuningTick {
                tick: Tick {
                    ticket: self.ticket,
                    phase: Phase::Fit,
                    progress: progress.fit.cloned(),
                    points: Vec::new(),
                    nodes: 0,
                    host,
                },
                trial: progress.trial,
                finished: finished.to_vec(),
            })));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::effects;
    use crate::train::Family;

    #[test]
    fn a_search_tells_every_trial_once_and_goes_on_where_it_stopped() {
        let mut plan = Plan::new(Family::RandomForest);
        plan.params.seed = 5;
        let order = |trials, earlier| Hunt {
            ticket: 3,
            plan: plan.clone(),
            trials,
            sampling: Sampling::Tpe,
            source: Source::Embedded,
            dedup: true,
            earlier,
        };
        let home = tempfile::tempdir().unwrap();
        let registry = Registry::at(home.path());
        let (sender, mut inbox) = tokio::sync::mpsc::channel(10_000);
        let outbox = Outbox::new(sender);
        let first = hunt(&order(1, Vec::new()), &registry, &outbox, &|| {
            Flow::Continue
        })
        .unwrap();
        let all = hunt(&order(2, first.clone()), &registry, &outbox, &|| {
            Flow::Continue
        })
        .unwrap();
        let mut told = Vec::new();
        while let Ok(event) = inbox.try_recv() {
            if let effects::Event::Retrain(Event::Tuning(tick)) = event {
                assert_eq!(tick.tick.ticket, 3);
                told.extend(tick.finished);
            }
        }
        assert_eq!((first.as_slice(), told), (&all[..1], all.clone()));
    }
}
