//! A search for better hyper-parameters in the background: what it is asked, and what it tells.

use std::time::{Duration, Instant};

use super::host::{Host, Meter};
use super::training::{Phase, Stopped, Tick};
use super::{Event, Outbox};
use crate::challenger::{self, ResumeError, SearchNews, Tuning};
use crate::registry::Registry;
use crate::train::Flow;
use crate::train::tune::history::History;
use crate::train::tune::{SearchProgress, Trial};

/// Least time between two messages to the screen.
const BEAT: Duration = Duration::from_millis(50);

/// A search to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Hunt {
    /// Marks its events.
    pub ticket: u64,
    /// What is searched.
    pub quarry: Quarry,
}

/// What is searched.
#[derive(Debug, Clone, PartialEq)]
pub enum Quarry {
    /// Something new, in a run of its own.
    New {
        /// What.
        tuning: Tuning,
        /// Trials of a search that was not written down, to go on from.
        earlier: Vec<Trial>,
    },
    /// What a run in the registry was after, to so many trials in all.
    Left {
        /// The run.
        run: String,
        /// Trials in all; no fewer than it wanted.
        trials: usize,
    },
}

/// A search has begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Begun {
    /// The search's ticket.
    pub ticket: u64,
    /// Its run, when it is written down.
    pub run: Option<String>,
    /// The trials made before.
    pub earlier: History,
    /// Training rows that every trial is judged on.
    pub rows: usize,
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
    let mut messenger = Messenger {
        ticket: hunt.ticket,
        told: 0,
        outbox,
        meter: Meter::start(),
        sent: None,
    };
    let mut listen = |news: SearchNews<'_>| {
        messenger.hear(&news);
        flow()
    };
    match &hunt.quarry {
        Quarry::New { tuning, earlier } => {
            let rows = tuning.source.read();
            let rows = rows.map_err(|error| Stopped::Failed(error.to_string()))?;
            let (earlier, registry) = (earlier.clone(), Some(registry));
            let found = challenger::search(tuning, &rows, earlier, registry, &mut listen)?;
            Ok(found)
        }
        Quarry::Left { run, trials } => challenger::resume(run, *trials, registry, &mut listen)
            .map_err(|error| match error {
                ResumeError::Train(error) => error.into(),
                error => Stopped::Failed(error.to_string()),
            }),
    }
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
    fn hear(&mut self, news: &SearchNews<'_>) {
        match news {
            SearchNews::Begun { run, earlier, rows } => {
                self.told = earlier.trials.len();
                self.outbox
                    .send_blocking(Event::TuningBegun(Box::new(Begun {
                        ticket: self.ticket,
                        run: run.map(ToOwned::to_owned),
                        earlier: (*earlier).clone(),
                        rows: *rows,
                    })));
            }
            SearchNews::Unwritable(why) => {
                tracing::warn!("the search is not written down: {why}");
            }
            SearchNews::Progress(progress) => self.progress(progress),
        }
    }

    fn progress(&mut self, progress: &SearchProgress<'_>) {
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
    use crate::challenger::Source;
    use crate::effects;
    use crate::train::tune::Sampling;
    use crate::train::{Family, Plan, split};

    #[test]
    fn a_search_tells_every_trial_once_and_goes_on_where_it_stopped() {
        let home = tempfile::tempdir().unwrap();
        let registry = Registry::at(home.path());
        let (sender, mut inbox) = tokio::sync::mpsc::channel(10_000);
        let outbox = Outbox::new(sender);
        let tuning = Tuning {
            plan: Plan::new(Family::DecisionTree),
            fixed: Vec::new(),
            trials: 3,
            sampling: Sampling::Tpe,
            source: Source::Embedded,
            dedup: true,
            split_seed: split::SEED,
        };
        let mut heard = || {
            let (mut begun, mut told) = (None, Vec::new());
            while let Ok(event) = inbox.try_recv() {
                match event {
                    effects::Event::Retrain(Event::TuningBegun(news)) => begun = Some(*news),
                    effects::Event::Retrain(Event::Tuning(tick)) => {
                        assert_eq!(tick.tick.ticket, 3);
                        told.extend(tick.finished);
                    }
                    _ => {}
                }
            }
            (begun.unwrap(), told)
        };
        let go = |quarry| {
            let order = Hunt { ticket: 3, quarry };
            hunt(&order, &registry, &outbox, &|| Flow::Continue)
        };
        let first = go(Quarry::New {
            tuning,
            earlier: Vec::new(),
        })
        .unwrap();
        let (begun, told) = heard();
        assert_eq!((begun.earlier.trials.len(), &told), (0, &first));
        let run = begun.run.unwrap();
        let left = |trials| Quarry::Left {
            run: run.clone(),
            trials,
        };
        let Err(Stopped::Failed(why)) = go(left(3)) else {
            panic!("a search that is done")
        };
        assert!(why.contains("all its 3 trials are made"), "{why}");
        let all = go(left(4)).unwrap();
        let (begun, told) = heard();
        assert_eq!((begun.run.as_deref(), begun.ticket), (Some(&*run), 3));
        assert_eq!((&begun.earlier.trials, &told[..]), (&first, &all[3..]));
    }
}
