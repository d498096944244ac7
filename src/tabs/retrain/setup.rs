//! What will be trained: preset, family and the parameters the family reads, each editable in its row.

mod steps;
mod typing;

use std::path::PathBuf;

use tui_input::Input;

use crate::challenger::Source;
use crate::registry::Manifest;
use crate::train::plan::{CHAMPION, CUSTOM, EARLY_STOP, MaxFeatures, PRESETS};
use crate::train::tune::{Sampling, space};
use crate::train::{Family, Plan};
use steps::stepped;

pub(super) use typing::path_of;

/// A row of the setup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Which preset.
    Preset,
    /// Which family.
    Family,
    /// A parameter, by scikit-learn's name.
    Param(&'static str),
    /// Whether a forest stops when more trees bring nothing.
    EarlyStop,
    /// Trials of a search before anything is trained; 0 is none.
    Trials,
    /// How the search chooses parameters.
    Sampler,
    /// Where the rows come from.
    Data,
    /// Duplicates dropped or not.
    Dedup,
}

/// The setup pane's state.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The plan as it stands.
    pub plan: Plan,
    /// The preset it is, or [`CUSTOM`].
    pub preset: String,
    /// Trials of a search; 0 is none.
    pub trials: usize,
    /// How the search chooses parameters.
    pub sampling: Sampling,
    /// A CSV to learn from instead of the embedded data.
    pub data: Option<PathBuf>,
    /// Drop exact duplicates.
    pub dedup: bool,
    /// The row in focus.
    pub focus: usize,
    /// Figures go into the focused row instead of switching tabs.
    pub typing: bool,
    /// The text being typed into the focused row.
    pub editing: Option<Input>,
    /// Why the last value was refused.
    pub error: Option<String>,
}

impl Setup {
    /// The preset that shows the most: better than the champion of a first start, in seconds.
    pub fn new() -> Self {
        let plan = Plan::preset("fast").unwrap_or_else(|| Plan::new(Family::RandomForest));
        Self {
            plan,
            preset: "fast".to_owned(),
            trials: 0,
            sampling: Sampling::Tpe,
            data: None,
            dedup: true,
            focus: 0,
            typing: false,
            editing: None,
            error: None,
        }
    }

    /// The rows, top to bottom.
    pub fn fields(&self) -> Vec<Field> {
        let params = params_of(self.plan.family)
            .iter()
            .copied()
            .map(Field::Param);
        [Field::Preset, Field::Family]
            .into_iter()
            .chain(params)
            .chain(self.plan.has_out_of_bag().then_some(Field::EarlyStop))
            .chain(self.tunable().then_some(Field::Trials))
            .chain((self.trials_wanted() > 0).then_some(Field::Sampler))
            .chain([Field::Data, Field::Dedup])
            .collect()
    }

    /// Whether there is anything to search for.
    fn tunable(&self) -> bool {
        !space(self.plan.family).is_empty()
    }

    /// Trials of the search that Enter starts; 0 where Enter trains.
    pub fn trials_wanted(&self) -> usize {
        if self.tunable() { self.trials } else { 0 }
    }

    /// Where the rows come from.
    pub fn source(&self) -> Source {
        Source::of(self.data.as_deref(), None)
    }

    /// The focused row as it can be typed; `None` where it can only be stepped.
    fn typed(&self) -> Option<String> {
        match self.focused() {
            Field::Param(name) => Some(self.value(name)),
            Field::Trials => Some(self.trials.to_string()),
            Field::Data => {
                let path = self.data.as_ref().map(|path| path.display().to_string());
                Some(path.unwrap_or_default())
            }
            Field::Preset | Field::Family | Field::EarlyStop | Field::Sampler | Field::Dedup => {
                None
            }
        }
    }

    /// Whether the focused row can be typed.
    pub fn can_edit(&self) -> bool {
        self.typed().is_some()
    }

    /// Takes over a search's parameters: what Enter trains next.
    pub fn take(&mut self, plan: Plan) {
        self.plan = plan;
        CUSTOM.clone_into(&mut self.preset);
        self.trials = 0;
        self.error = None;
        self.editing = None;
    }

    /// The row in focus.
    pub fn focused(&self) -> Field {
        self.fields()
            .get(self.focus)
            .copied()
            .unwrap_or(Field::Preset)
    }

    /// Moves the focus, staying inside.
    pub fn move_focus(&mut self, by: isize) {
        let last = self.fields().len() - 1;
        self.focus = self.focus.saturating_add_signed(by).min(last);
        self.error = None;
    }

    /// A parameter as text.
    pub fn value(&self, name: &str) -> String {
        let params = &self.plan.params;
        let boosting = &params.boosting;
        match name {
            "n_estimators" => params.n_estimators.to_string(),
            "max_depth" => params
                .max_depth
                .map_or_else(|| "none".to_owned(), |depth| depth.to_string()),
            "min_samples_split" => params.min_samples_split.to_string(),
            "min_samples_leaf" if self.plan.family == Family::GradientBoosting => {
                boosting.min_samples_leaf.to_string()
            }
            "min_samples_leaf" => params.min_samples_leaf.to_string(),
            "max_features" => match params.max_features {
                MaxFeatures::All => "all".to_owned(),
                MaxFeatures::Sqrt => "sqrt".to_owned(),
                MaxFeatures::Log2 => "log2".to_owned(),
                MaxFeatures::Count(count) => count.to_string(),
                MaxFeatures::Fraction(share) => share.to_string(),
            },
            "seed" => params.seed.to_string(),
            "max_iter" => boosting.max_iter.to_string(),
            "learning_rate" => boosting.learning_rate.to_string(),
            "max_leaf_nodes" => boosting.max_leaf_nodes.to_string(),
            "subsample" => boosting.subsample.to_string(),
            "colsample" => boosting.colsample.to_string(),
            "n_bags" => boosting.n_bags.to_string(),
            _ => String::new(),
        }
    }

    /// Changes the focused row by `steps`: the next preset or family, a number up or down.
    pub fn step(&mut self, steps: i32, champion: Option<&Manifest>) {
        self.error = None;
        match self.focused() {
            Field::Preset => self.next_preset(steps, champion),
            Field::Family => {
                let at = Family::ALL
                    .iter()
                    .position(|family| *family == self.plan.family)
                    .unwrap_or(0);
                let next = (at as i32 + steps).rem_euclid(Family::ALL.len() as i32) as usize;
                self.plan.turn_to(Family::ALL[next]);
                CUSTOM.clone_into(&mut self.preset);
            }
            Field::EarlyStop => {
                let stops = self.plan.early_stop.is_some();
                self.plan.early_stop = (!stops).then_some(EARLY_STOP);
                CUSTOM.clone_into(&mut self.preset);
            }
            Field::Dedup => self.dedup = !self.dedup,
            Field::Data => self.edit(),
            Field::Sampler => {
                self.sampling = match self.sampling {
                    Sampling::Tpe => Sampling::Random,
                    Sampling::Random => Sampling::Tpe,
                }
            }
            Field::Trials => {
                self.trials = self.trials.saturating_add_signed(steps as isize * 10);
            }
            Field::Param(name) => {
                let text = stepped(name, &self.value(name), steps);
                self.set(name, &text);
            }
        }
    }

    fn next_preset(&mut self, steps: i32, champion: Option<&Manifest>) {
        let mut names: Vec<&str> = PRESETS.to_vec();
        if champion.is_some() {
            names.insert(0, CHAMPION);
        }
        let at = names.iter().position(|name| *name == self.preset);
        let next = at.map_or(0, |at| {
            (at as i32 + steps).rem_euclid(names.len() as i32) as usize
        });
        self.choose(names[next], champion);
    }

    /// Takes a preset over.
    pub fn choose(&mut self, name: &str, champion: Option<&Manifest>) {
        let plan = match (name, champion) {
            (CHAMPION, Some(manifest)) => {
                let mut plan = manifest.plan.clone();
                plan.params.seed = plan.params.seed.wrapping_add(1);
                Some(plan)
            }
            _ => Plan::preset(name),
        };
        if let Some(plan) = plan {
            self.plan = plan;
            name.clone_into(&mut self.preset);
        }
    }

    /// Sets a parameter from text; what it cannot be is said in [`Self::error`].
    fn set(&mut self, name: &str, text: &str) -> bool {
        // Every family but boosting alone keeps the boosters' parameters in their own table.
        let boosters = [
            "max_iter",
            "learning_rate",
            "max_leaf_nodes",
            "subsample",
            "colsample",
            "n_bags",
        ];
        let place = if boosters.contains(&name) {
            format!("boosting.{name}")
        } else {
            name.to_owned()
        };
        let text = if name == "max_features" && text == "all" {
            "none"
        } else {
            text
        };
        match self.plan.set(&place, text) {
            Ok(()) => {
                CUSTOM.clone_into(&mut self.preset);
                self.error = None;
                true
            }
            Err(error) => {
                self.error = Some(error.to_string());
                false
            }
        }
    }
}

/// The parameters a family reads, most telling first.
pub const fn params_of(family: Family) -> &'static [&'static str] {
    match family {
        Family::RandomForest | Family::ExtraTrees => &[
            "n_estimators",
            "max_depth",
            "max_features",
            "min_samples_split",
            "min_samples_leaf",
            "seed",
        ],
        Family::GradientBoosting => &[
            "max_iter",
            "learning_rate",
            "max_leaf_nodes",
            "subsample",
            "colsample",
            "n_bags",
            "seed",
        ],
        Family::Blend => &[
            "n_estimators",
            "max_features",
            "min_samples_split",
            "max_iter",
            "learning_rate",
            "n_bags",
            "seed",
        ],
        Family::Linear => &[],
        Family::DecisionTree => &["max_depth", "min_samples_split", "min_samples_leaf"],
    }
}

#[cfg(test)]
mod tests;
