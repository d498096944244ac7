//! One run from data to verdict: check, fit with progress, judge on the holdout once, register.

use std::fs::File;
use std::time::{Duration, Instant};

use super::host::{Host, Meter};
use super::{Event, Order};
use crate::champion::{EMBEDDED, SPLIT_SEED};
use crate::effects::Outbox;
use crate::registry::manifest::Gate;
use crate::registry::runs::{Run, State};
use crate::registry::{Draft, Registry, Version};
use crate::train::dataset::{FEATURES, Preflight};
use crate::train::evaluate::{Evaluation, service_bands};
use crate::train::fit::{Ended, Outcome};
use crate::train::importance::{self, Importance};
use crate::train::progress::Judged;
use crate::train::split::Split;
use crate::train::verdict::{self, Candidate, Comparison};
use crate::train::{Dataset, Family, Flow, Plan, Progress, Scores, TrainError, fit, fit_watched};

/// The artefact with the curve, for families with out-of-bag rows and without.
pub const CURVE_FILE: &str = "oob_curve.csv";

/// The owner's threshold on the mean squared error.
pub const MAX_MSE: f64 = 5.0;

/// Least time between two messages to the screen.
const BEAT: Duration = Duration::from_millis(50);

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Fitting on four fifths of the training rows, scored on the rest: the curve of families without out-of-bag rows.
    Validate,
    /// Fitting on all training rows.
    Fit,
    /// Judging on the holdout.
    Judge,
}

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
    /// Nodes grown so far.
    pub nodes: usize,
    /// What it costs.
    pub host: Host,
}

/// What a finished run gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What was trained.
    pub plan: Plan,
    /// The preset it began from.
    pub preset: Option<String>,
    /// The curve: trees and R2.
    pub curve: Vec<(usize, f64)>,
    /// Trees in the model.
    pub trees: usize,
    /// Nodes in the model.
    pub nodes: usize,
    /// Wall time of the final fit.
    pub fit_seconds: f64,
    /// Whether the run was stopped and its trees kept.
    pub kept: bool,
    /// Out-of-bag scores, where there are such.
    pub oob: Option<Scores>,
    /// On the holdout.
    pub evaluation: Evaluation,
    /// The champion on the same rows.
    pub champion: Option<(Version, Evaluation)>,
    /// Challenger against champion.
    pub comparison: Option<Comparison>,
    /// What a promotion needs.
    pub gates: Vec<Gate>,
    /// The linear baseline on the holdout.
    pub linear: Scores,
    /// Weights of the features, and how they were measured.
    pub importance: (&'static str, Vec<Importance>),
    /// Its version, or why it could not be registered.
    pub version: Result<Version, String>,
    /// How often this holdout has been looked at, this time included.
    pub looks: usize,
}

impl Report {
    /// Whether every gate lets it pass.
    pub fn passed(&self) -> bool {
        self.gates.iter().all(|gate| gate.passed)
    }
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

/// Does an order: the run is written down whatever becomes of it.
pub fn train(
    order: &Order,
    registry: &Registry,
    outbox: &Outbox,
    flow: &dyn Fn() -> Flow,
) -> Result<Report, Stopped> {
    let run = registry.start_run(&order.plan, order.preset.as_deref());
    let mut telegraph = Telegraph::new(order.ticket, outbox, flow, run.ok());
    let result = work(order, registry, &mut telegraph);
    let (state, version, note) = match &result {
        Ok(report) => (
            State::Finished,
            report.version.as_ref().ok().copied(),
            report
                .comparison
                .map(|comparison| comparison.verdict.to_string()),
        ),
        Err(Stopped::Cancelled { .. }) => (State::Cancelled, None, None),
        Err(Stopped::Failed(why)) => (State::Failed, None, Some(why.clone())),
    };
    if let Some(Err(error)) = telegraph
        .run
        .take()
        .map(|run| run.end(state, version, note))
    {
        tracing::warn!("the run could not be written down: {error}");
    }
    result
}

fn work(order: &Order, registry: &Registry, telegraph: &mut Telegraph) -> Result<Report, Stopped> {
    let (preflight, data, split) = Preflight::of(
        &Dataset::wine_quality().map_err(TrainError::from)?,
        order.dedup,
        SPLIT_SEED,
    )
    .map_err(TrainError::from)?;
    let train = data.select(&split.train);
    let outcome = fit_with_curve(&order.plan, &train, telegraph)?;
    telegraph.phase = Phase::Judge;
    telegraph.send();
    let judged = Trial::of(&outcome, &data.select(&split.holdout), registry);
    let linear = linear(&train, &data.select(&split.holdout))?;
    let looks = 1 + looks(registry, &preflight.holdout_sha256);
    let draft = Draft::new(&order.plan, EMBEDDED, &preflight, &data, &split, &outcome);
    let draft = judged.inscribe(
        draft,
        order,
        linear,
        outcome.watched,
        telegraph.run.as_ref(),
    );
    let version = registry
        .commit(draft)
        .map(|manifest| manifest.version)
        .map_err(|error| error.to_string());
    Ok(Report {
        plan: order.plan.clone(),
        preset: order.preset.clone(),
        curve: outcome
            .curve
            .iter()
            .map(|(trees, scores)| (*trees, scores.r2))
            .collect(),
        trees: outcome.trees,
        nodes: outcome.model.nodes(),
        fit_seconds: outcome.fit_seconds,
        kept: outcome.ended == Ended::Kept,
        oob: outcome.oob,
        importance: weights(&outcome, &order.plan, &train, &data.select(&split.holdout)),
        evaluation: judged.evaluation,
        champion: judged.champion,
        comparison: judged.comparison,
        gates: judged.gates,
        linear,
        version,
        looks,
    })
}

/// Fits on all training rows. Families without out-of-bag rows get their curve from a first fit on four fifths of them.
fn fit_with_curve(
    plan: &Plan,
    train: &Dataset,
    telegraph: &mut Telegraph,
) -> Result<Outcome, Stopped> {
    let bagged = plan.family == Family::RandomForest && plan.params.bootstrap;
    let at_once = matches!(plan.family, Family::Linear | Family::DecisionTree);
    if bagged || at_once {
        return Ok(fit(plan, train, &mut |progress| telegraph.hear(progress))?);
    }
    telegraph.phase = Phase::Validate;
    let inner = Split::stratified(&train.target, 0.2, SPLIT_SEED);
    let (learn, watch) = (train.select(&inner.train), train.select(&inner.holdout));
    let validation = fit_watched(plan, &learn, Some(&watch), &mut |progress| {
        telegraph.hear(progress)
    })?;
    telegraph.phase = Phase::Fit;
    let outcome = fit(plan, train, &mut |progress| telegraph.hear(progress))?;
    Ok(Outcome {
        curve: validation.curve,
        watched: validation.watched,
        ..outcome
    })
}

fn linear(train: &Dataset, holdout: &Dataset) -> Result<Scores, TrainError> {
    let model = fit(&Plan::new(Family::Linear), train, &mut |_| Flow::Continue)?.model;
    Ok(Scores::of(
        holdout.target.iter().copied(),
        model.predict(holdout.view()),
    ))
}

/// Versions that were judged on this holdout before.
fn looks(registry: &Registry, holdout_sha256: &str) -> usize {
    let entries = registry.list().unwrap_or_default();
    entries
        .iter()
        .filter(|entry| {
            entry
                .manifest
                .as_ref()
                .is_ok_and(|manifest| manifest.data.holdout_sha256 == holdout_sha256)
        })
        .count()
}

fn weights(
    outcome: &Outcome,
    plan: &Plan,
    train: &Dataset,
    holdout: &Dataset,
) -> (&'static str, Vec<Importance>) {
    let plan = Plan {
        params: crate::train::Params {
            n_estimators: outcome.trees.max(1),
            ..plan.params.clone()
        },
        ..plan.clone()
    };
    match importance::out_of_bag(&outcome.model, &plan, train) {
        Some(weights) => ("rise of the out-of-bag MSE when shuffled", weights),
        None => (
            "loss of holdout R² when shuffled",
            importance::permutation(&outcome.model, holdout, 5, SPLIT_SEED),
        ),
    }
}

/// The challenger beside the champion on the same rows.
struct Trial {
    evaluation: Evaluation,
    champion: Option<(Version, Evaluation)>,
    comparison: Option<Comparison>,
    gates: Vec<Gate>,
}

impl Trial {
    fn of(outcome: &Outcome, holdout: &Dataset, registry: &Registry) -> Self {
        let bands = service_bands();
        let evaluation = Evaluation::of(&outcome.model, holdout, &bands, SPLIT_SEED);
        let champion = registry
            .load_champion()
            .ok()
            .filter(|(_, loaded)| loaded.model.names() == outcome.model.names());
        let champion = champion.map(|(champion, loaded)| {
            (
                champion.version,
                Evaluation::of(&loaded.model, holdout, &bands, SPLIT_SEED),
            )
        });
        let comparison = champion.as_ref().and_then(|(_, old)| {
            Comparison::paired(
                &evaluation.actual,
                &old.predicted,
                &evaluation.predicted,
                SPLIT_SEED,
            )
        });
        let served = FEATURES.map(str::to_owned);
        // What it answers after a journey through bytes, as the registry will load it.
        let again = crate::train::Model::from_bytes(&outcome.model.to_bytes());
        let canaries: Vec<(f32, f32)> = holdout
            .rows()
            .take(crate::registry::manifest::CANARIES)
            .map(|row| {
                let row = row.to_vec();
                (
                    outcome.model.predict_row(&row),
                    again
                        .as_ref()
                        .map_or(f32::NAN, |model| model.predict_row(&row)),
                )
            })
            .collect();
        let candidate = Candidate {
            challenger: &evaluation,
            champion: champion.as_ref().map(|(_, old)| old).zip(comparison),
            max_mse: MAX_MSE,
            canaries: &canaries,
            trained_features: outcome.model.names(),
            served_features: &served,
        };
        let gates = verdict::gates(&candidate)
            .into_iter()
            .map(|gate| Gate {
                name: gate.name.to_owned(),
                passed: gate.passed,
                reason: gate.reason,
            })
            .collect();
        Self {
            evaluation,
            champion,
            comparison,
            gates,
        }
    }

    /// Writes the trial's result into the version to be.
    fn inscribe(
        &self,
        draft: Draft,
        order: &Order,
        linear: Scores,
        watched: Option<Scores>,
        run: Option<&Run>,
    ) -> Draft {
        let verdict = self
            .comparison
            .map(|comparison| comparison.verdict.to_string());
        let champion = self.champion.as_ref().map(|(version, _)| *version);
        let draft = draft
            .preset(order.preset.as_deref())
            .judged(champion, verdict, self.gates.clone())
            .measured(|metrics| {
                metrics.linear = Some(linear);
                if let Some(watched) = watched {
                    metrics
                        .more
                        .insert("validation".to_owned(), serde_json::json!(watched));
                }
            });
        match run {
            Some(run) => draft.run(run.id()),
            None => draft,
        }
    }
}

/// Trains a version again from its manifest. `Ok(true)`: bit by bit the same model.
pub fn reproduce(
    version: Version,
    registry: &Registry,
    outbox: &Outbox,
    flow: &dyn Fn() -> Flow,
) -> Result<bool, String> {
    let manifest = registry
        .manifest(version)
        .map_err(|error| error.to_string())?;
    let raw = if manifest.data.source == EMBEDDED {
        Dataset::wine_quality()
    } else {
        let source = &manifest.data.source;
        let file = File::open(source).map_err(|error| {
            format!("cannot read the data {version} was trained on, {source}: {error}")
        })?;
        Dataset::from_csv(file, source)
    };
    let raw = raw.map_err(|error| error.to_string())?;
    if raw.sha256() != manifest.data.sha256 {
        return Err(format!(
            "the data is not that of {version}: {} has changed",
            manifest.data.source
        ));
    }
    let (_, data, split) =
        Preflight::of(&raw, manifest.data.deduplicated, manifest.data.split_seed)
            .map_err(|error| error.to_string())?;
    let mut plan = manifest.plan.clone();
    if manifest.fit.ended != "complete" {
        // A stopped forest is its first trees.
        plan.params.n_estimators = manifest.fit.trees;
        plan.early_stop = None;
    }
    let mut telegraph = Telegraph::new(0, outbox, flow, None);
    let outcome = fit(&plan, &data.select(&split.train), &mut |progress| {
        telegraph.hear(progress)
    })
    .map_err(|error| error.to_string())?;
    Ok(outcome.model.sha256() == manifest.model_sha256)
}

/// Tells the screen, at most every [`BEAT`], and the run's own record about every tree.
struct Telegraph<'a> {
    outbox: &'a Outbox,
    flow: &'a dyn Fn() -> Flow,
    run: Option<Run>,
    phase: Phase,
    tick: Tick,
    meter: Meter,
    sent: Instant,
}

impl<'a> Telegraph<'a> {
    fn new(ticket: u64, outbox: &'a Outbox, flow: &'a dyn Fn() -> Flow, run: Option<Run>) -> Self {
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
            run,
            phase: Phase::Fit,
            tick,
            meter: Meter::start(),
            sent: Instant::now(),
        }
    }

    fn hear(&mut self, progress: &Progress) -> Flow {
        if let Some(run) = &mut self.run {
            run.progress(progress);
        }
        if let Some(tree) = progress.tree {
            self.tick.nodes += tree.nodes;
            if let Some((judged, scores)) = progress.scores {
                let covered = judged == Judged::Watched || progress.coverage >= 0.99;
                self.tick.points.push(Point {
                    trees: progress.done,
                    r2: scores.r2,
                    covered,
                });
            }
        }
        let paused = self
            .tick
            .progress
            .as_ref()
            .is_some_and(|last| last.paused != progress.paused);
        let first = self.tick.progress.is_none();
        self.tick.progress = Some(progress.clone());
        if first || paused || self.sent.elapsed() >= BEAT {
            self.send();
        }
        (self.flow)()
    }

    fn send(&mut self) {
        self.tick.phase = self.phase;
        self.tick.host = self.meter.read();
        self.sent = Instant::now();
        let points = std::mem::take(&mut self.tick.points);
        self.outbox.send_blocking(Event::Progress(Box::new(Tick {
            points,
            ..self.tick.clone()
        })));
    }
}
