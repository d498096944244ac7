//! A search: how it is started, resumed from its run, followed, and what is done with its best trial.

use super::Retrain;
use super::panes::Pane;
use super::run::{Job, Running};
use super::trials::Trials;
use super::views::View;
use crate::challenger::{Source, Tuning};
use crate::effects::retrain::{Begun, Effect, Hunt, Quarry, Stopped, TuningTick};
use crate::keys::{Action, Scope};
use crate::registry::runs::{RunRecord, SearchRecord};
use crate::tabs::Cx;
use crate::train::split;
use crate::train::tune::{Trial, best};
use crate::ui::theme::Tone;

impl Retrain {
    /// Starts the search of the setup, or goes on with it.
    pub(super) fn tune(&mut self, cx: &mut Cx) {
        let tuning = Tuning {
            plan: self.setup.plan.clone(),
            fixed: Vec::new(),
            trials: self.setup.trials,
            sampling: self.setup.sampling,
            source: self.setup.source(),
            dedup: self.setup.dedup,
            split_seed: split::SEED,
        };
        let (mut earlier, mut run) = (Vec::new(), None);
        if self.trials.are_of(&tuning) {
            earlier.clone_from(&self.trials.history);
            run.clone_from(&self.trials.run);
        }
        let (done, trials) = (earlier.len(), tuning.trials);
        if done >= trials {
            let text =
                format!("all {done} trials are done: more of them in the row trials goes on");
            cx.toast(Tone::Warn, text);
            return;
        }
        let quarry = match run.clone() {
            Some(run) => Quarry::Left { run, trials },
            None => Quarry::New {
                tuning: tuning.clone(),
                earlier: earlier.clone(),
            },
        };
        self.hunt(Trials::of(tuning, run, earlier), quarry, cx);
    }

    /// Goes on with the search that was left, in its own run.
    pub(super) fn resume(&mut self, cx: &mut Cx) {
        let Ok((run, search)) = self.left_search() else {
            return;
        };
        let (id, trials) = (run.id.clone(), search.wanted);
        let tuning = Tuning {
            plan: run.plan.clone(),
            fixed: search.fixed.clone(),
            trials,
            sampling: search.sampling,
            source: Source::recorded(&search.data),
            dedup: search.data.deduplicated,
            split_seed: search.data.split_seed,
        };
        let quarry = Quarry::Left {
            run: id.clone(),
            trials,
        };
        let known = self.trials.run.as_ref() == Some(&id);
        let history = if known {
            std::mem::take(&mut self.trials.history)
        } else {
            Vec::new()
        };
        self.hunt(Trials::of(tuning, Some(id), history), quarry, cx);
    }

    /// The search that can be resumed: the selected one in the history, elsewhere the newest that is not done; or why
    /// there is none.
    pub(super) fn left_search(&self) -> Result<(&RunRecord, SearchRecord), String> {
        let shelf = self.shelf().ok_or("the registry is not read yet")?;
        let wanted = self.setup.trials_wanted();
        if self.view == View::History {
            let run = self.history.selected_run(shelf);
            let run = run.filter(|run| run.trials.is_some());
            let run = run.ok_or("select a search in the history")?;
            return Ok((run, run.resumable(wanted)?));
        }
        let left = shelf.runs.iter().filter(|run| run.trials.is_some());
        let newest = left.filter_map(|run| Some((run, run.resumable(0).ok()?)));
        Ok(newest
            .take(1)
            .next()
            .ok_or("no search was left half done")?)
    }

    fn hunt(&mut self, trials: Trials, quarry: Quarry, cx: &mut Cx) {
        self.ticket += 1;
        let Some(tuning) = &trials.tuning else { return };
        let job = Job::Tune {
            trials: tuning.trials,
        };
        let plan = tuning.plan.clone();
        self.running = Some(Running::new(job, self.ticket, plan, cx.now.wall));
        self.trials = trials;
        cx.effect(Effect::Tune(Hunt {
            ticket: self.ticket,
            quarry,
        }));
        self.show(View::Trials);
    }

    /// The trials made before stand on screen before the next one begins.
    pub(super) fn tuning_begun(&mut self, begun: &Begun, cx: &mut Cx) {
        if !self.is_running(begun.ticket) {
            return;
        }
        self.trials.run.clone_from(&begun.run);
        self.trials.rows = Some(begun.rows);
        self.trials.history.clone_from(&begun.earlier.trials);
        if let Some(loss) = begun.earlier.loss() {
            cx.toast(Tone::Warn, loss);
        }
    }

    pub(super) fn tuning(&mut self, tick: &TuningTick) {
        if self.is_running(tick.tick.ticket) {
            self.trials.history.extend(tick.finished.iter().cloned());
            self.ticked(&tick.tick);
        }
    }

    fn is_running(&self, ticket: u64) -> bool {
        let running = self.running.as_ref();
        running.is_some_and(|running| running.ticket == ticket)
    }

    pub(super) fn tuned(&mut self, ticket: u64, result: &Result<Vec<Trial>, Stopped>, cx: &mut Cx) {
        if self
            .running
            .take_if(|running| running.ticket == ticket)
            .is_none()
        {
            return;
        }
        match result {
            Ok(history) => {
                self.trials.history.clone_from(history);
                let text = best(history).map_or_else(
                    || "no trial was finished".to_owned(),
                    |best| {
                        let n = history.len();
                        format!(
                            "{n} trials: the best MSE {:.4} is trial {}",
                            best.mse, best.number
                        )
                    },
                );
                cx.toast(Tone::Good, text);
            }
            Err(stopped) => {
                self.trials.failed(stopped.clone());
                if let Stopped::Failed(error) = stopped {
                    crate::app::report(cx, error.clone());
                }
            }
        }
    }

    /// Whether Enter takes a trial over instead of starting something.
    pub(super) fn takes_trial(&self) -> bool {
        self.running.is_none()
            && self.focus == Pane::View
            && self.view == View::Trials
            && self.trials.has_selected()
    }

    /// Puts the selected trial's parameters into the setup; nothing is trained or written by that.
    pub(super) fn take_trial(&mut self, cx: &mut Cx) {
        let Some((number, plan)) = self.trials.selected_plan() else {
            return;
        };
        self.setup.take(plan);
        self.focus = Pane::Setup;
        let enter = cx.keymap.key(Scope::Retrain, Action::Submit);
        let text = format!("trial {number} is in the setup: {enter} trains it");
        cx.toast(Tone::Good, text);
    }
}
