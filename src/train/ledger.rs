//! The books of a running fit: trees in index order, out-of-bag and watched scores by running sums, the pace.

use std::collections::BTreeMap;

use super::boost::Boosted;
use super::dataset::Dataset;
use super::fit::{Crop, Ended, FEWEST_KEPT, Outcome, TrainError};
use super::model::{Member, Model};
use super::plan::{PLATEAU, Plan};
use super::progress::{Judged, Pace, Progress, Scores, Sums, TreeStats};
use super::tree::Tree;

/// What workers send.
pub(super) enum Message {
    /// A tree of the forest, with its index.
    Tree(usize, Arrival),
    /// A booster's next tree.
    Round(Round),
    /// A finished booster.
    Booster(usize, Boosted),
}

/// A tree of the forest with its answers for rows it did not see.
pub(super) struct Arrival {
    pub(super) ms: f64,
    pub(super) tree: Tree,
    pub(super) oob: Vec<(u32, f32)>,
    pub(super) watched: Vec<f32>,
}

/// A booster's tree, as far as the books need it.
pub(super) struct Round {
    pub(super) booster: usize,
    pub(super) base: f64,
    pub(super) ms: f64,
    pub(super) nodes: usize,
    pub(super) depth: usize,
    pub(super) watched: Vec<f32>,
}

pub(super) struct Ledger {
    crop: Crop,
    early_stop: Option<f64>,
    forest: Vec<Tree>,
    /// Trees that came before their turn.
    waiting: BTreeMap<usize, Arrival>,
    rounds: usize,
    round_stats: Option<TreeStats>,
    boosters: BTreeMap<usize, Boosted>,
    oob: OutOfBag,
    watched: Option<Watched>,
    curve: Vec<(usize, Scores)>,
    pace: Pace,
    keep: Option<bool>,
}

impl Ledger {
    pub(super) fn new(crop: Crop, plan: &Plan, data: &Dataset, watch: Option<&Dataset>) -> Self {
        Self {
            crop,
            early_stop: plan.early_stop,
            forest: Vec::with_capacity(crop.forest),
            waiting: BTreeMap::new(),
            rounds: 0,
            round_stats: None,
            boosters: BTreeMap::new(),
            oob: OutOfBag::new(data),
            watched: watch.map(|rows| Watched::new(rows, crop)),
            curve: Vec::new(),
            pace: Pace::start(),
            keep: None,
        }
    }

    pub(super) fn enter(&mut self, message: Message) {
        match message {
            Message::Tree(index, arrival) => {
                self.waiting.insert(index, arrival);
            }
            Message::Round(round) => {
                self.round_stats = Some(TreeStats {
                    index: self.rounds,
                    ms: round.ms,
                    nodes: round.nodes,
                    depth: round.depth,
                });
                self.rounds += 1;
                if let Some(watched) = &mut self.watched {
                    watched.add_round(&round);
                }
            }
            Message::Booster(index, boosted) => {
                self.boosters.insert(index, boosted);
            }
        }
    }

    /// Counts the next tree whose turn it is.
    pub(super) fn count_next(&mut self) -> Option<TreeStats> {
        let stats = match self.round_stats.take() {
            Some(stats) => stats,
            None => self.count_tree()?,
        };
        self.pace.tree();
        if let Some((_, scores)) = self.scores() {
            self.curve.push((self.done(), scores));
        }
        Some(stats)
    }

    fn count_tree(&mut self) -> Option<TreeStats> {
        let index = self.forest.len();
        let Arrival {
            ms,
            tree,
            oob,
            watched,
        } = self.waiting.remove(&index)?;
        // In a blend they would judge one half of it.
        if self.crop.boosters == 0 {
            self.oob.add(&oob);
        }
        if let Some(sums) = &mut self.watched {
            sums.add_tree(&watched);
        }
        let stats = TreeStats {
            index,
            ms,
            nodes: tree.nodes().len(),
            depth: tree.depth(),
        };
        self.forest.push(tree);
        Some(stats)
    }

    fn done(&self) -> usize {
        self.forest.len() + self.rounds
    }

    /// Out-of-bag scores where there are such, else the watched rows'.
    fn scores(&self) -> Option<(Judged, Scores)> {
        let oob = self.oob.scores().map(|scores| (Judged::OutOfBag, scores));
        oob.or_else(|| {
            self.watched
                .as_ref()?
                .scores()
                .map(|scores| (Judged::Watched, scores))
        })
    }

    pub(super) fn progress(&self, tree: Option<TreeStats>, paused: bool) -> Progress {
        Progress {
            done: self.done(),
            total: self.crop.trees(),
            tree,
            scores: self.scores(),
            coverage: self.oob.coverage(),
            elapsed: self.pace.elapsed(),
            eta: self.pace.eta(self.crop.trees() - self.done()),
            trees_per_second: self.pace.trees_per_second(),
            paused,
        }
    }

    pub(super) fn resume(&mut self) {
        self.pace.resume();
    }

    pub(super) fn stop(&mut self, keep: bool) {
        self.keep = Some(keep);
    }

    /// True when early stopping is on and the last trees brought too little.
    pub(super) fn is_flat(&self) -> bool {
        let Some(least) = self.early_stop else {
            return false;
        };
        let len = self.curve.len();
        len > PLATEAU && self.curve[len - 1].1.r2 - self.curve[len - 1 - PLATEAU].1.r2 < least
    }

    /// Makes the model, or says why there is none.
    pub(super) fn close(self, plan: &Plan, data: &Dataset) -> Result<Outcome, TrainError> {
        let (done, total) = (self.done(), self.crop.trees());
        let whole = done == total && self.boosters.len() == self.crop.boosters;
        let ended = match self.keep {
            _ if whole => Ended::Complete,
            None => Ended::Early,
            Some(true) if self.crop.boosters == 0 && done >= FEWEST_KEPT => Ended::Kept,
            Some(_) => return Err(TrainError::Cancelled { done, total }),
        };
        let (oob, watched) = (
            self.oob.scores(),
            self.watched.as_ref().and_then(Watched::scores),
        );
        let (fit_seconds, curve) = (self.pace.elapsed().as_secs_f64(), self.curve);
        let model = Model::new(
            plan.family,
            data.names.clone(),
            members(self.forest, self.boosters),
        )?;
        let trees = model.trees().count();
        Ok(Outcome {
            model,
            oob,
            watched,
            curve,
            fit_seconds,
            trees,
            ended,
        })
    }
}

/// A blend is half its forest and half the mean of its boosters.
fn members(forest: Vec<Tree>, boosters: BTreeMap<usize, Boosted>) -> Vec<(f64, Member)> {
    let (of_forest, of_booster) = weights(!forest.is_empty(), boosters.len());
    let scale = 1.0 / forest.len() as f64;
    let forest = (!forest.is_empty()).then_some((
        of_forest,
        Member::Trees {
            base: 0.0,
            scale,
            trees: forest,
        },
    ));
    let booster = |Boosted { base, trees }| {
        (
            of_booster,
            Member::Trees {
                base,
                scale: 1.0,
                trees,
            },
        )
    };
    forest
        .into_iter()
        .chain(boosters.into_values().map(booster))
        .collect()
}

/// Weights of the forest and of each booster.
fn weights(forest: bool, boosters: usize) -> (f64, f64) {
    match (forest, boosters) {
        (_, 0) => (1.0, 0.0),
        (false, boosters) => (0.0, 1.0 / boosters as f64),
        (true, boosters) => (0.5, 0.5 / boosters as f64),
    }
}

/// Each training row's mean over the trees that did not see it.
struct OutOfBag {
    target: Vec<f64>,
    answers: Vec<(f64, u32)>,
    sums: Sums,
    covered: usize,
}

impl OutOfBag {
    fn new(data: &Dataset) -> Self {
        let target = data.target.iter().map(|y| f64::from(*y)).collect();
        Self {
            target,
            answers: vec![(0.0, 0); data.len()],
            sums: Sums::default(),
            covered: 0,
        }
    }

    fn add(&mut self, answers: &[(u32, f32)]) {
        for &(row, answer) in answers {
            let y = self.target[row as usize];
            let (sum, count) = &mut self.answers[row as usize];
            let before = *sum / f64::from(*count);
            *sum += f64::from(answer);
            *count += 1;
            let now = *sum / f64::from(*count);
            if *count == 1 {
                self.sums.add(y, now);
                self.covered += 1;
            } else {
                self.sums.replace(y, before, now);
            }
        }
    }

    fn coverage(&self) -> f64 {
        self.covered as f64 / self.target.len() as f64
    }

    fn scores(&self) -> Option<Scores> {
        (self.covered > 1).then(|| self.sums.scores())
    }
}

/// The model so far on rows it does not learn from: the parts' mean, each weighing as much as is grown of it. The first
/// tree of a forest must not count as much as the finished boosters beside it.
struct Watched {
    crop: Crop,
    target: Vec<f32>,
    forest: Vec<f64>,
    trees: usize,
    boosters: Vec<WatchedBooster>,
}

/// A booster's base and sum per row, and its rounds; empty before the first.
#[derive(Clone, Default)]
struct WatchedBooster {
    sums: Vec<f64>,
    rounds: usize,
}

impl Watched {
    fn new(rows: &Dataset, crop: Crop) -> Self {
        Self {
            crop,
            target: rows.target.to_vec(),
            forest: vec![0.0; rows.len()],
            trees: 0,
            boosters: vec![WatchedBooster::default(); crop.boosters],
        }
    }

    fn add_tree(&mut self, answers: &[f32]) {
        self.trees += 1;
        for (sum, answer) in self.forest.iter_mut().zip(answers) {
            *sum += f64::from(*answer);
        }
    }

    fn add_round(&mut self, round: &Round) {
        let rows = self.target.len();
        let booster = &mut self.boosters[round.booster];
        if booster.rounds == 0 {
            booster.sums = vec![round.base; rows];
        }
        booster.rounds += 1;
        for (sum, answer) in booster.sums.iter_mut().zip(&round.watched) {
            *sum += f64::from(*answer);
        }
    }

    fn scores(&self) -> Option<Scores> {
        let (of_forest, of_booster) = weights(self.crop.forest > 0, self.crop.boosters);
        let grown = |done: usize, wanted: usize| done as f64 / wanted.max(1) as f64;
        let forest = of_forest * grown(self.trees, self.crop.forest);
        let per_tree = forest / self.trees.max(1) as f64;
        let boosters: Vec<(f64, &[f64])> = self
            .boosters
            .iter()
            .filter(|booster| booster.rounds > 0)
            .map(|booster| {
                let weight = of_booster * grown(booster.rounds, self.crop.rounds);
                (weight, booster.sums.as_slice())
            })
            .collect();
        let whole = forest + boosters.iter().map(|(weight, _)| weight).sum::<f64>();
        if whole <= 0.0 {
            return None;
        }
        let answer = |row: usize| {
            let boosted = boosters.iter().map(|(weight, sums)| weight * sums[row]);
            ((per_tree * self.forest[row] + boosted.sum::<f64>()) / whole) as f32
        };
        Some(Scores::of(
            self.target.iter().copied(),
            (0..self.target.len()).map(answer),
        ))
    }
}
