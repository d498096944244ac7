//! What runs: a training, a search or a reproduction; how it is started, held and stopped, and what comes of it.

use std::sync::Arc;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::panes::Pane;
use super::views::View;
use super::{Outcome, Retrain, verdict_pane};
use crate::challenger::Service;
use crate::effects;
use crate::effects::retrain::{Effect, Event, Order, Phase, Point, Report, Stopped, Tick};
use crate::keys::{Action, Scope};
use crate::overlay::{Overlay, Verdict, strip};
use crate::registry::Version;
use crate::tabs::{Cx, Look};
use crate::train::retrain::keepable;
use crate::train::{Plan, Progress};
use crate::ui::hints::hints;
use crate::ui::panel::{below, panel};
use crate::ui::theme::Tone;

/// What is being done.
#[derive(Debug)]
pub(super) enum Job {
    Train,
    /// A search of this many trials in all; its trials are kept in [`Retrain::trials`].
    Tune {
        trials: usize,
    },
    Reproduce(Version),
}

/// A run in progress.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) job: Job,
    pub(super) ticket: u64,
    pub(super) plan: Plan,
    pub(super) since: Timestamp,
    pub(super) points: Vec<Point>,
    pub(super) tick: Option<Box<Tick>>,
    pub(super) paused: bool,
    pub(super) stopping: bool,
}

/// The ticket of a reproduction's messages; orders count from 1.
const REPRODUCTION: u64 = 0;

impl Running {
    pub(super) const fn new(job: Job, ticket: u64, plan: Plan, since: Timestamp) -> Self {
        Self {
            job,
            ticket,
            plan,
            since,
            points: Vec::new(),
            tick: None,
            paused: false,
            stopping: false,
        }
    }

    pub(super) fn progress(&self) -> Option<&Progress> {
        self.tick.as_ref()?.progress.as_ref()
    }

    /// The finished trees, when stopping it now leaves a model of them.
    fn keepable(&self) -> Option<usize> {
        let done = self.progress().map_or(0, |progress| progress.done);
        (matches!(self.job, Job::Train) && keepable(&self.plan, done)).then_some(done)
    }

    /// Whether the model is grown, and only being judged.
    pub(super) fn is_fitted(&self) -> bool {
        let phase = self.tick.as_ref().map(|tick| tick.phase);
        let judging = matches!(phase, Some(Phase::Judge | Phase::Fold { .. }));
        judging && matches!(self.job, Job::Train)
    }
}

impl Retrain {
    /// Enter: trains what stands in the setup, or searches for something better when trials are set.
    pub(super) fn start(&mut self, cx: &mut Cx) {
        if let Err(error) = self.setup.plan.check() {
            self.setup.error = Some(error.to_string());
            return;
        }
        if self.setup.trials_wanted() > 0 {
            return self.tune(cx);
        }
        self.ticket += 1;
        let order = Order {
            ticket: self.ticket,
            plan: self.setup.plan.clone(),
            preset: Some(self.setup.preset.clone()),
            source: self.setup.source(),
            dedup: self.setup.dedup,
            service: Service::from(cx.env.schema.as_ref()),
        };
        let plan = order.plan.clone();
        cx.effect(Effect::Train(order));
        self.running = Some(Running::new(Job::Train, self.ticket, plan, cx.now.wall));
        self.reproduced = None;
        // What still waits is said until it is sent.
        self.mlflow.take_if(|(queued, _)| *queued == 0);
        if matches!(self.view, View::History | View::Trials) {
            self.show(View::Curve);
        }
    }

    pub(super) fn reproduce(&mut self, cx: &mut Cx) {
        let Some(version) = self.subject() else {
            return;
        };
        let plan = self
            .manifest(version)
            .map_or_else(|| self.setup.plan.clone(), |manifest| manifest.plan.clone());
        let job = Job::Reproduce(version);
        self.running = Some(Running::new(job, REPRODUCTION, plan, cx.now.wall));
        self.reproduced = None;
        self.scrolls.reset(Pane::Verdict);
        cx.effect(Effect::Reproduce(version));
    }

    pub(super) fn pause(&mut self, cx: &mut Cx) {
        if let Some(running) = &mut self.running {
            running.paused = !running.paused;
            cx.effect(Effect::Pause(running.paused));
        }
    }

    /// Esc, one step: stop the run (asking about the trees when there are enough), or leave what is open.
    pub(super) fn back(&mut self, cx: &mut Cx) {
        self.setup.typing = false;
        let Some(running) = &mut self.running else {
            if !self.history.leave() {
                self.focus = Pane::Setup;
            }
            return;
        };
        if running.is_fitted() {
            // The model is there: only the cross-validation is left out.
            running.stopping = true;
            cx.effect(Effect::Stop { keep: true });
            return;
        }
        let Some(done) = running.keepable() else {
            running.stopping = true;
            // A search keeps its finished trials: they cost nothing and can be gone on from.
            let keep = matches!(running.job, Job::Tune { .. });
            cx.effect(Effect::Stop { keep });
            return;
        };
        if !running.paused {
            running.paused = true;
            cx.effect(Effect::Pause(true));
        }
        cx.open(KeepTrees {
            done,
            ticket: running.ticket,
        });
    }

    pub(super) fn ticked(&mut self, tick: &Tick) {
        let Some(running) = self
            .running
            .as_mut()
            .filter(|running| running.ticket == tick.ticket)
        else {
            return;
        };
        running.points.extend(&tick.points);
        running.tick = Some(Box::new(tick.clone()));
    }

    /// The verdict stands while the cross-validation runs.
    pub(super) fn judged(&mut self, ticket: u64, report: &Arc<Report>) {
        let current = |running: &Running| running.ticket == ticket;
        if self.running.as_ref().is_some_and(current) {
            self.outcome = Some(Outcome::Report(Arc::clone(report)));
            self.scrolls.reset(Pane::Verdict);
            self.scrolls.reset(Pane::View);
        }
    }

    pub(super) fn trained(
        &mut self,
        ticket: u64,
        result: &Result<Arc<Report>, Stopped>,
        cx: &mut Cx,
    ) {
        let Some(running) = self.running.take_if(|running| running.ticket == ticket) else {
            return;
        };
        self.scrolls.reset(Pane::Verdict);
        self.scrolls.reset(Pane::View);
        self.outcome = Some(match result {
            Ok(report) => {
                let (tone, text) = verdict_pane::headline(report);
                cx.toast(tone, text);
                Outcome::Report(Arc::clone(report))
            }
            Err(stopped) => {
                if let Stopped::Failed(error) = stopped {
                    crate::app::report(cx, error.clone());
                }
                Outcome::Stopped(running.plan, stopped.clone(), running.points)
            }
        });
    }

    pub(super) fn reproduction_ended(
        &mut self,
        version: Version,
        result: &Result<bool, String>,
        cx: &mut Cx,
    ) {
        let running = self.running.take_if(|running| {
            matches!(running.job, Job::Reproduce(_)) && running.ticket == REPRODUCTION
        });
        if running.is_some_and(|running| running.stopping) && result.is_err() {
            cx.toast(Tone::Muted, format!("stopped reproducing {version}"));
            return;
        }
        self.reproduced = Some((version, result.clone()));
        let (tone, text) = verdict_pane::reproduction(version, result);
        cx.toast(tone, text);
    }

    /// The task behind the run panicked.
    pub(super) fn crashed(&mut self, cx: &mut Cx) {
        let Some(running) = self.running.take() else {
            return;
        };
        let why = Stopped::Failed("the trainer crashed; see the log file".to_owned());
        match running.job {
            Job::Train => {
                self.outcome = Some(Outcome::Stopped(running.plan, why, running.points));
            }
            Job::Tune { .. } => self.trials.failed(why),
            Job::Reproduce(_) => {}
        }
        // Its run is one of the crashed ones now.
        self.look(false, cx);
    }
}

/// Asks what becomes of the finished trees.
struct KeepTrees {
    done: usize,
    ticket: u64,
}

impl Overlay for KeepTrees {
    fn on_key(&mut self, key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        use crossterm::event::KeyCode::{Char, Enter};
        let effect = match key.code {
            Char('k' | 'y') | Enter => Effect::Stop { keep: true },
            Char('d' | 'n') => Effect::Stop { keep: false },
            Char(' ') => Effect::Pause(false),
            _ if action == Some(Action::Back) => Effect::Pause(false),
            _ => return Verdict::Stay,
        };
        let event = if effect == Effect::Pause(false) {
            Event::Resumed
        } else {
            Event::Stopping
        };
        cx.tell(effects::Event::Retrain(event));
        cx.effect(effect);
        Verdict::Close
    }

    /// Trees that were under way when the question was asked may still come in.
    fn on_event(&mut self, event: &effects::Event, _cx: &mut Cx) {
        if let effects::Event::Retrain(Event::Progress(tick)) = event
            && tick.ticket == self.ticket
            && let Some(progress) = &tick.progress
        {
            self.done = progress.done;
        }
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let strip = strip(4, area, buf);
        let inner = panel(" Stop training ", true, strip, buf, look);
        let key = |key: &'static str| Span::styled(key, look.theme.key);
        let question = format!("{} trees are finished. Keep them as a model?", self.done);
        Line::styled(question, look.theme.warn).render(inner, buf);
        let mut answers = Line::from(vec![
            key("k"),
            Span::raw(" keep and judge them   "),
            key("d"),
            Span::raw(" drop them  "),
        ]);
        answers.extend(hints(
            Scope::Global,
            &[(&[Action::Back], "go on training")],
            look,
        ));
        answers.render(below(1, inner), buf);
        None
    }
}
