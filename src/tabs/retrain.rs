//! The Retrain tab: train a challenger, see how it compares, promote it or roll back.

mod bands;
mod champion_pane;
mod clouds;
mod curve;
mod data_pane;
mod heard;
mod history;
mod importance;
mod lines;
mod offers;
mod panes;
mod plot;
mod progress_pane;
mod promote;
mod run;
mod scale;
mod search;
mod setup;
mod setup_pane;
mod trials;
mod verdict_pane;
mod views;
mod ways_out;

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tokio::time::Instant;

use crate::app::Env;
use crate::effects;
use crate::effects::retrain::{DataReport, Point, Report, Shelf, Stopped};
use crate::keys::{Action, Scope};
use crate::registry::{Champion, Manifest, Version};
use crate::remote::Remote;
use crate::tabs::{Cx, Look, Now, Offer, Tab};
use crate::train::Plan;
use crate::ui::theme::Tone;

use history::History;
use panes::{Pane, Scrolls, inside};
use run::Running;
use setup::Setup;
use trials::Trials;
use views::View;

/// How the last run ended; stays on screen until the next one.
#[derive(Debug)]
enum Outcome {
    Report(Arc<Report>),
    Stopped(Plan, Stopped, Vec<Point>),
}

/// The Retrain tab's state.
pub struct Retrain {
    setup: Setup,
    data: Remote<Box<DataReport>>,
    shelf: Remote<Box<Shelf>>,
    running: Option<Running>,
    outcome: Option<Outcome>,
    reproduced: Option<(Version, Result<bool, String>)>,
    view: View,
    focus: Pane,
    scrolls: Scrolls,
    history: History,
    trials: Trials,
    ticket: u64,
    /// A promotion is being considered.
    moving: bool,
    /// Runs queued for MLflow, and what keeps them there.
    mlflow: Option<(usize, Option<String>)>,
}

impl Retrain {
    /// The tab as it starts.
    pub fn new(_env: &Env) -> Self {
        Self {
            setup: Setup::new(),
            data: Remote::Idle,
            shelf: Remote::Idle,
            running: None,
            outcome: None,
            reproduced: None,
            view: View::Curve,
            focus: Pane::default(),
            scrolls: Scrolls::default(),
            history: History::default(),
            trials: Trials::default(),
            ticket: 0,
            moving: false,
            mlflow: None,
        }
    }

    fn report(&self) -> Option<&Report> {
        match &self.outcome {
            Some(Outcome::Report(report)) => Some(report),
            _ => None,
        }
    }

    fn shelf(&self) -> Option<&Shelf> {
        self.shelf.value().map(|(shelf, _)| shelf.as_ref())
    }

    fn champion(&self) -> Option<&Champion> {
        self.shelf()?.champion.as_ref()
    }

    /// What the registry knows of a version.
    fn manifest(&self, version: Version) -> Option<&Manifest> {
        let entry = self
            .shelf()?
            .versions
            .iter()
            .find(|entry| entry.version == version)?;
        entry.manifest.as_deref().ok()
    }

    /// The version that promote, reproduce and export are about: the selected one in the history, else the last run's,
    /// else the champion.
    fn subject(&self) -> Option<Version> {
        if self.view == View::History
            && let Some(version) = self.shelf().and_then(|shelf| self.history.selected(shelf))
        {
            return Some(version);
        }
        match self.report() {
            Some(report) => report.version.as_ref().ok().copied(),
            None => self.champion().map(|champion| champion.version),
        }
    }

    const fn busy(&self) -> bool {
        self.running.is_some()
    }

    /// A step in the focused row of the setup.
    fn step(&mut self, steps: i32, cx: &mut Cx) {
        let manifest = self.shelf().and_then(|shelf| shelf.manifest.clone());
        let dedup = self.setup.dedup;
        self.focus = Pane::Setup;
        self.setup.typing = true;
        self.setup.step(steps, manifest.as_deref());
        if self.setup.dedup != dedup {
            self.check(cx);
        }
    }

    fn pin(&mut self) {
        let selected = self.shelf().and_then(|shelf| self.history.selected(shelf));
        self.history.pin(selected);
        self.scrolls.reset(Pane::View);
    }

    fn change_focus(&mut self, pane: Pane) {
        self.focus = pane;
        self.setup.typing = false;
    }
}

fn is_sandbox(env: &Env) -> bool {
    env.session
        .value()
        .is_some_and(|(session, _)| session.sandbox)
}

impl Tab for Retrain {
    fn title(&self) -> &'static str {
        "Retrain"
    }

    fn scope(&self) -> Scope {
        Scope::Retrain
    }

    fn offers(&self) -> Vec<Offer> {
        self.all_offers()
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let panes = self.panes(area);
        let typed = setup_pane::render(self, panes.setup, buf, look);
        data_pane::render(self, panes.data, buf, look);
        champion_pane::render(self, panes.champion, buf, look);
        let filtered = views::render(self, panes.view, buf, look);
        progress_pane::render(self, panes.progress, buf, look);
        verdict_pane::render(self, panes.verdict, buf, look);
        setup_pane::refusal(&self.setup, panes.setup, area, buf, look);
        typed.or(filtered)
    }

    fn on_open(&mut self, cx: &mut Cx) {
        if matches!(self.data, Remote::Idle) {
            self.check(cx);
        }
    }

    fn on_key(&mut self, key: KeyEvent, cx: &mut Cx) -> bool {
        let source = self.setup.source();
        let taken = self.history.key(key)
            || self.setup.key(key)
            || (self.focus == Pane::Setup && self.setup.begin(key));
        if self.setup.source() != source {
            // The report of other rows must not stand in for one of these.
            self.data = Remote::Idle;
            self.check(cx);
        }
        taken
    }

    fn is_typing(&self) -> bool {
        self.history.is_typing() || self.setup.editing.is_some()
    }

    fn on_paste(&mut self, text: &str, _cx: &mut Cx) -> bool {
        self.focus == Pane::Setup && self.setup.paste(text)
    }

    fn on_action(&mut self, action: Action, cx: &mut Cx) {
        match action {
            Action::Submit if self.takes_trial() => self.take_trial(cx),
            Action::Submit => self.start(cx),
            Action::Toggle if self.running.is_some() => self.pause(cx),
            Action::Toggle | Action::Right => self.step(1, cx),
            Action::Left => self.step(-1, cx),
            Action::Back => self.back(cx),
            Action::View | Action::NextField => self.show(self.view.next(1)),
            Action::PreviousField => self.show(self.view.next(-1)),
            Action::Focus => self.change_focus(self.focus.next()),
            Action::Presets => {
                self.setup.focus = 0;
                self.step(1, cx);
            }
            Action::Edit => {
                self.focus = Pane::Setup;
                self.setup.edit();
            }
            Action::Promote => self.promote(cx),
            Action::Rollback => self.roll_back(cx),
            Action::Resume => self.resume(cx),
            Action::Reproduce => self.reproduce(cx),
            Action::Export => self.open_ways_out(cx),
            Action::Search if self.view == View::History => self.history.search(),
            Action::Pin if self.view == View::History => self.pin(),
            Action::Diff if self.view == View::History => {
                self.history.only_differences = !self.history.only_differences;
                self.scrolls.reset(Pane::View);
            }
            Action::Copy => {
                if let Some(report) = self.report() {
                    cx.copy(verdict_pane::sentence(report), "the verdict");
                }
            }
            Action::Refresh => self.refresh(cx),
            action => self.travel(action, cx),
        }
    }

    fn on_event(&mut self, event: &effects::Event, cx: &mut Cx) {
        match event {
            effects::Event::Connected(link) => self.look(link.session.sandbox, cx),
            effects::Event::Retrain(event) => self.hear(event, cx),
            effects::Event::Crashed {
                what: "training" | "tuning" | "reproducing",
            } => self.crashed(cx),
            effects::Event::Crashed {
                what: "judging a version",
            } => self.moving = false,
            _ => {}
        }
    }

    fn on_click(&mut self, at: Position, cx: &mut Cx) {
        let panes = self.panes(cx.body);
        if let Some(view) = View::at(panes.view, at) {
            return self.show(view);
        }
        let Some(pane) = panes.at(at) else { return };
        self.change_focus(pane);
        if pane == Pane::View {
            return self.click_list(at, cx);
        }
        let inner = inside(panes.setup);
        if pane == Pane::Setup && inner.contains(at) {
            let first = setup_pane::first(&self.setup, inner.height);
            let row = first + usize::from(at.y - inner.y);
            if row < self.setup.fields().len() {
                self.setup.focus = row;
                self.setup.typing = true;
                self.setup.editing = None;
            }
        }
    }

    fn on_scroll(&mut self, at: Position, lines: i32, cx: &mut Cx) {
        let Some(pane) = self.panes(cx.body).at(at) else {
            return;
        };
        let by = if pane == Pane::Setup {
            lines.signum()
        } else {
            lines
        };
        self.move_in(pane, by as isize, true, cx);
    }

    fn badge(&self) -> Option<(String, Tone)> {
        let running = self.running.as_ref()?;
        let share = match (&running.job, running.progress()) {
            (run::Job::Tune { trials }, _) => {
                self.trials.history.len() as f64 / (*trials).max(1) as f64
            }
            (_, progress) => {
                let progress = progress?;
                progress.done as f64 / progress.total.max(1) as f64
            }
        };
        Some((format!("{:.0}%", 100.0 * share), Tone::Info))
    }

    fn wake_at(&self, now: Now) -> Option<Instant> {
        let spins = self.busy() || self.data.is_loading() || self.shelf.is_loading();
        spins.then(|| now.mono + Duration::from_millis(100))
    }
}
