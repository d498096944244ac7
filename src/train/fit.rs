//! Fits a plan: tells every tree, can be paused and stopped, and gives the same model on any number of threads.

use std::sync::mpsc::Sender;

use super::boost::boost;
use super::control::{Control, Next, crew};
use super::cut::Thresholds;
use super::dataset::{DataError, Dataset};
use super::grow::{Grown, Soil};
use super::ledger::{Arrival, Ledger, Message, Round};
use super::linear::{least_squares, readable_tree};
use super::model::{Member, Model, ModelError};
use super::plan::{Family, ParamError, Params, Plan};
use super::progress::{Flow, Progress, Scores, Stopwatch, TreeStats, timed};
use super::table::Table;
use super::tree::{MAX_FEATURES, Tree};

/// Fewest trees a cancelled forest is kept with.
pub const FEWEST_KEPT: usize = 10;

/// What a fit gives.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The model.
    pub model: Model,
    /// Out-of-bag scores (bootstrapped forests only).
    pub oob: Option<Scores>,
    /// Scores on the watched rows, when there were any.
    pub watched: Option<Scores>,
    /// The curve: trees so far and scores (out-of-bag where there are such, else watched).
    pub curve: Vec<(usize, Scores)>,
    /// Wall time in seconds, pauses included.
    pub fit_seconds: f64,
    /// Trees in the model.
    pub trees: usize,
    /// How it came to its end.
    pub ended: Ended,
}

/// How a fit came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All trees were grown.
    Complete,
    /// More trees brought nothing: `Plan::early_stop`.
    Early,
    /// The listener stopped it and kept the trees.
    Kept,
}

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A hyper-parameter out of range.
    #[error(transparent)]
    Param(#[from] ParamError),
    /// Data that cannot be learned from.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The listener stopped the fit.
    #[error("cancelled after {done} of {total} trees")]
    Cancelled {
        /// Finished trees.
        done: usize,
        /// Trees wanted.
        total: usize,
    },
    /// A worker panicked; the program goes on.
    #[error("training failed, a worker panicked: {0}")]
    Panicked(String),
    /// linfa refused.
    #[error("linfa could not fit: {0}")]
    Linfa(String),
    /// linfa, through its traits.
    #[error(transparent)]
    Shape(#[from] linfa::Error),
    /// The parts do not make a model.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// Fits `plan` on all rows of `data`. `on_progress` hears every tree in index order, and at least every 20 ms gets a
/// chance to pause or stop (noticed by the workers at their next node).
pub fn fit(
    plan: &Plan,
    data: &Dataset,
    on_progress: &mut dyn FnMut(&Progress) -> Flow,
) -> Result<Outcome, TrainError> {
    fit_watched(plan, data, None, on_progress)
}

/// [`fit`] that also scores rows it does not learn from, after every tree: a curve for families without out-of-bag
/// rows.
pub fn fit_watched(
    plan: &Plan,
    data: &Dataset,
    watch: Option<&Dataset>,
    on_progress: &mut dyn FnMut(&Progress) -> Flow,
) -> Result<Outcome, TrainError> {
    plan.check()?;
    check(data)?;
    match plan.family {
        Family::Linear => at_once(plan, data, watch, || least_squares(data)),
        Family::DecisionTree => at_once(plan, data, watch, || readable_tree(data, &plan.params)),
        _ => Crop::of(plan).grow(plan, data, watch, on_progress),
    }
}

fn check(data: &Dataset) -> Result<(), DataError> {
    if data.len() < 2 {
        return Err(DataError::TooFewRows {
            rows: data.len(),
            dropped: 0,
            needed: 2,
        });
    }
    if data.names.len() != data.features.ncols() || data.features.nrows() != data.len() {
        return Err(DataError::Shape(
            "names, columns and target differ in length".to_owned(),
        ));
    }
    if data.names.is_empty() || data.names.len() > MAX_FEATURES {
        return Err(DataError::Shape(format!(
            "{} features (1 to {MAX_FEATURES} are possible)",
            data.names.len()
        )));
    }
    if data
        .features
        .iter()
        .chain(&data.target)
        .any(|value| !value.is_finite())
    {
        return Err(DataError::Shape("a value is NaN or infinite".to_owned()));
    }
    let first = data.target[0];
    if data.target.iter().all(|value| *value == first) {
        return Err(DataError::OneClass { value: first });
    }
    Ok(())
}

fn at_once(
    plan: &Plan,
    data: &Dataset,
    watch: Option<&Dataset>,
    member: impl FnOnce() -> Result<Member, TrainError>,
) -> Result<Outcome, TrainError> {
    let (ms, member) = timed(member);
    let model = Model::new(plan.family, data.names.clone(), vec![(1.0, member?)])?;
    let watched =
        watch.map(|rows| Scores::of(rows.target.iter().copied(), model.predict(rows.view())));
    let trees = model.trees().count();
    Ok(Outcome {
        model,
        oob: None,
        watched,
        curve: Vec::new(),
        fit_seconds: ms / 1e3,
        trees,
        ended: Ended::Complete,
    })
}

/// What a plan wants grown: one forest, some boosters, or both.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crop {
    /// Trees of the forest.
    pub(super) forest: usize,
    /// How the forest cuts.
    pub(super) thresholds: Thresholds,
    /// Boosters.
    pub(super) boosters: usize,
    /// Trees of each booster.
    pub(super) rounds: usize,
}

impl Crop {
    fn of(plan: &Plan) -> Self {
        let Params {
            n_estimators,
            boosting,
            ..
        } = &plan.params;
        let (forest, thresholds, boosters) = match plan.family {
            Family::ExtraTrees => (*n_estimators, Thresholds::Random, 0),
            Family::GradientBoosting => (0, Thresholds::Best, boosting.n_bags),
            Family::Blend => (*n_estimators, Thresholds::Random, boosting.n_bags),
            _ => (*n_estimators, Thresholds::Best, 0),
        };
        Self {
            forest,
            thresholds,
            boosters,
            rounds: boosting.max_iter,
        }
    }

    /// Trees of all kinds.
    pub(super) fn trees(self) -> usize {
        self.forest + self.boosters * self.rounds
    }

    fn grow(
        self,
        plan: &Plan,
        data: &Dataset,
        watch: Option<&Dataset>,
        on_progress: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<Outcome, TrainError> {
        let control = Control::default();
        let mut listener = Listener {
            ledger: Ledger::new(self, plan, data, watch),
            control: &control,
            on_progress,
            paused: false,
        };
        let table = Table::new(data.view());
        let target = data.target.to_vec();
        let field = Field {
            soil: Soil {
                table: &table,
                target: &target,
                params: &plan.params,
                thresholds: self.thresholds,
            },
            rows: flat(data),
            watched: watch.map(flat),
            control: &control,
        };
        let threads = plan
            .threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        // Boosters take longest, so they start first.
        let job = |job: usize, sender: &Sender<Message>| match job.checked_sub(self.boosters) {
            Some(index) => field.tree(index, sender),
            None => field.booster(job, sender),
        };
        let heard = crew(
            self.boosters + self.forest,
            threads,
            &control,
            job,
            |message| listener.hear(message),
        );
        heard.map_err(TrainError::Panicked)?;
        listener.ledger.close(plan, data)
    }
}

/// Rows one after the other.
fn flat(data: &Dataset) -> Vec<f32> {
    data.features.iter().copied().collect()
}

/// What the workers read, and what they do.
struct Field<'a> {
    soil: Soil<'a>,
    rows: Vec<f32>,
    watched: Option<Vec<f32>>,
    control: &'a Control,
}

impl Field<'_> {
    fn tree(&self, index: usize, sender: &Sender<Message>) {
        let (ms, grown) = timed(|| self.soil.grow(index, self.control));
        let Some(Grown { tree, draws }) = grown else {
            return;
        };
        let width = self.soil.table.columns.len();
        let unseen = draws
            .iter()
            .enumerate()
            .filter(|(_, draws)| **draws == 0)
            .map(|(row, _)| row);
        let answer = |row: usize| {
            (
                row as u32,
                tree.leaf(&self.rows[row * width..(row + 1) * width]).value,
            )
        };
        let oob = unseen.map(answer).collect();
        let watched = self.watch(&tree);
        // A closed channel means that nobody wants more.
        let _ = sender.send(Message::Tree(
            index,
            Arrival {
                ms,
                tree,
                oob,
                watched,
            },
        ));
    }

    fn booster(&self, booster: usize, sender: &Sender<Message>) {
        let params = self.soil.params;
        // Far from the streams of the forest's trees.
        let seed = params
            .seed
            .wrapping_add(BOOSTER_SEED.wrapping_mul(booster as u64 + 1));
        let mut stopwatch = Stopwatch::start();
        let each = |base: f64, tree: &Tree| {
            let (nodes, depth) = (tree.nodes().len(), tree.depth());
            let round = Round {
                booster,
                base,
                ms: stopwatch.lap(),
                nodes,
                depth,
                watched: self.watch(tree),
            };
            let _ = sender.send(Message::Round(round));
        };
        let boosted = boost(
            self.soil.table,
            self.soil.target,
            &params.boosting,
            seed,
            self.control,
            each,
        );
        if let Some(boosted) = boosted {
            let _ = sender.send(Message::Booster(booster, boosted));
        }
    }

    fn watch(&self, tree: &Tree) -> Vec<f32> {
        let rows = self
            .watched
            .iter()
            .flat_map(|rows| rows.chunks(self.soil.table.columns.len()));
        rows.map(|row| tree.leaf(row).value).collect()
    }
}

const BOOSTER_SEED: u64 = 0xB005_7E25_0000_0001;

/// Enters what arrives and asks the caller how to go on.
struct Listener<'a> {
    ledger: Ledger,
    control: &'a Control,
    on_progress: &'a mut dyn FnMut(&Progress) -> Flow,
    paused: bool,
}

impl Listener<'_> {
    fn hear(&mut self, message: Option<Message>) -> Next {
        let Some(message) = message else {
            return self.ask(None);
        };
        self.ledger.enter(message);
        while let Some(stats) = self.ledger.count_next() {
            if let Next::Enough = self.ask(Some(stats)) {
                return Next::Enough;
            }
            if self.ledger.is_flat() {
                return Next::Enough;
            }
        }
        Next::Go
    }

    fn ask(&mut self, tree: Option<TreeStats>) -> Next {
        let progress = self.ledger.progress(tree, self.paused);
        match (self.on_progress)(&progress) {
            Flow::Stop { keep } => {
                self.ledger.stop(keep);
                return Next::Enough;
            }
            Flow::Pause if !self.paused => self.control.pause(),
            Flow::Continue if self.paused => {
                self.ledger.resume();
                self.control.resume();
            }
            _ => return Next::Go,
        }
        self.paused = !self.paused;
        Next::Go
    }
}

#[cfg(test)]
mod tests;
