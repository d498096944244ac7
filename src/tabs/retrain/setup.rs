//! What will be trained: preset, family and the parameters the family reads, each editable in its row.

use crossterm::event::{Event as TermEvent, KeyCode, KeyEvent};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use crate::registry::Manifest;
use crate::train::plan::{CHAMPION, CUSTOM, MaxFeatures, PRESETS};
use crate::train::tune::space;
use crate::train::{Family, Plan};

/// A row of the setup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Which preset.
    Preset,
    /// Which family.
    Family,
    /// A parameter, by scikit-learn's name.
    Param(&'static str),
    /// Trials of a search before anything is trained; 0 is none.
    Trials,
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
            .chain(self.tunable().then_some(Field::Trials))
            .chain([Field::Dedup])
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

    /// The focused row as it can be typed; `None` where it can only be stepped.
    fn typed(&self) -> Option<String> {
        match self.focused() {
            Field::Param(name) => Some(self.value(name)),
            Field::Trials => Some(self.trials.to_string()),
            Field::Preset | Field::Family | Field::Dedup => None,
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
            Field::Dedup => self.dedup = !self.dedup,
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

    /// Sets the focused row from text; what it cannot be is said in [`Self::error`].
    fn set_focused(&mut self, text: &str) -> bool {
        match (self.focused(), text.parse()) {
            (Field::Param(name), _) => self.set(name, text),
            (Field::Trials, Ok(trials)) => {
                self.trials = trials;
                self.error = None;
                true
            }
            (Field::Trials, Err(_)) => {
                let problem = format!("The trials must be a whole number, 0 for none. Got {text}.");
                self.error = Some(problem);
                false
            }
            _ => true,
        }
    }

    /// Opens the focused row for typing.
    pub fn edit(&mut self) {
        if let Some(value) = self.typed() {
            self.editing = Some(Input::new(value));
            self.error = None;
        }
    }

    /// The first key of a new value in the focused row: true if it began one.
    pub fn begin(&mut self, key: KeyEvent) -> bool {
        let text = match key.code {
            KeyCode::Char(c @ ('0'..='9' | '.')) if key.modifiers.is_empty() => c.to_string(),
            KeyCode::Backspace | KeyCode::Delete => String::new(),
            _ => return false,
        };
        let begins = self.typing && self.can_edit();
        if begins {
            self.editing = Some(Input::new(text));
            self.error = None;
        }
        begins
    }

    /// A key while a row is open: true if it was taken.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let Some(input) = &mut self.editing else {
            return false;
        };
        match key.code {
            KeyCode::Esc => {
                self.editing = None;
                self.error = None;
            }
            KeyCode::Enter | KeyCode::Tab | KeyCode::Up | KeyCode::Down => {
                let text = input.value().trim().to_owned();
                if self.set_focused(&text) {
                    self.editing = None;
                    self.move_focus(match key.code {
                        KeyCode::Tab | KeyCode::Down => 1,
                        KeyCode::Up => -1,
                        _ => 0,
                    });
                }
            }
            _ => {
                input.handle_event(&TermEvent::Key(key));
            }
        }
        true
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

/// A value some steps away: whole numbers by one (many trees by ten), shares by a tenth of themselves.
fn stepped(name: &str, value: &str, steps: i32) -> String {
    let stride = if matches!(name, "n_estimators" | "max_iter") {
        10
    } else {
        1
    };
    let least = i64::from(!matches!(name, "seed"))
        + i64::from(matches!(name, "min_samples_split" | "max_leaf_nodes"));
    match (name, value, value.parse::<i64>()) {
        ("max_depth", "none", _) => {
            if steps > 0 {
                "none".to_owned()
            } else {
                "20".to_owned()
            }
        }
        ("max_depth", "20", _) if steps > 0 => "none".to_owned(),
        ("max_features", "all", _) => {
            if steps > 0 {
                "all".to_owned()
            } else {
                "11".to_owned()
            }
        }
        ("max_features", "11", _) if steps > 0 => "all".to_owned(),
        (_, _, Ok(number)) => number
            .saturating_add(i64::from(steps) * stride)
            .max(least)
            .to_string(),
        (_, text, Err(_)) => text.parse::<f64>().map_or_else(
            |_| "4".to_owned(),
            |share| {
                let changed = share * (1.0 + 0.1 * f64::from(steps));
                let most = if name == "learning_rate" {
                    f64::MAX
                } else {
                    1.0
                };
                format!("{:.4}", changed.min(most))
            },
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn on(setup: &mut Setup, field: Field) {
        setup.focus = setup
            .fields()
            .iter()
            .position(|other| *other == field)
            .unwrap();
    }

    #[test]
    fn every_parameter_of_every_family_can_be_seen_and_stepped() {
        for family in Family::ALL {
            let mut setup = Setup::new();
            setup.plan = Plan::new(family);
            for name in params_of(family) {
                on(&mut setup, Field::Param(name));
                for steps in [1, -1, -1] {
                    setup.step(steps, None);
                    assert_eq!(setup.error, None, "{family} {name} {}", setup.value(name));
                    assert!(!setup.value(name).is_empty(), "{family} {name}");
                }
            }
            setup.plan.check().unwrap();
        }
    }

    #[test]
    fn a_value_that_cannot_be_is_refused_in_scikit_learns_words() {
        let mut setup = Setup::new();
        on(&mut setup, Field::Param("max_depth"));
        setup.edit();
        setup.editing = Some(Input::new("0".to_owned()));
        assert!(setup.key(KeyEvent::from(KeyCode::Enter)));
        assert!(
            setup
                .error
                .as_deref()
                .unwrap()
                .contains("'max_depth' parameter must be"),
            "{:?}",
            setup.error
        );
        assert_eq!(setup.plan.params.max_depth, None);
        setup.editing = Some(Input::new("12".to_owned()));
        assert!(setup.key(KeyEvent::from(KeyCode::Enter)));
        assert_eq!(
            (setup.plan.params.max_depth, setup.preset.as_str()),
            (Some(12), CUSTOM)
        );
    }

    #[test]
    fn figures_begin_a_value_once_the_setup_is_touched() {
        let mut setup = Setup::new();
        on(&mut setup, Field::Param("n_estimators"));
        let five = KeyEvent::from(KeyCode::Char('5'));
        assert!(!setup.begin(five), "figures still switch tabs");
        setup.typing = true;
        assert!(setup.begin(five) && setup.key(five));
        assert!(setup.key(KeyEvent::from(KeyCode::Enter)));
        assert_eq!(setup.plan.params.n_estimators, 55);
        on(&mut setup, Field::Preset);
        assert!(!setup.begin(five), "a preset is chosen, not typed");
    }

    #[test]
    fn trials_are_a_row_where_there_is_something_to_search() {
        let mut setup = Setup::new();
        on(&mut setup, Field::Trials);
        setup.step(3, None);
        assert_eq!(setup.trials_wanted(), 30);
        setup.edit();
        setup.editing = Some(Input::new("many".to_owned()));
        assert!(setup.key(KeyEvent::from(KeyCode::Enter)));
        assert!(setup.error.as_deref().unwrap().contains("whole number"));
        setup.plan = Plan::new(Family::Linear);
        assert!(!setup.fields().contains(&Field::Trials));
        assert_eq!(setup.trials_wanted(), 0);
    }

    #[test]
    fn presets_go_round() {
        let mut setup = Setup::new();
        let names: Vec<String> = (0..4)
            .map(|_| {
                setup.step(1, None);
                setup.preset.clone()
            })
            .collect();
        assert_eq!(names, ["best", "owner", "fast", "best"]);
    }
}
