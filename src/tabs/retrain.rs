//! The Retrain tab: train a challenger, see how it compares, promote it or roll back.

mod board;
mod history;
mod plot;
mod promote;
mod setup;
mod side;
mod views;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use tokio::time::Instant;

use crate::app::Env;
use crate::challenger::{Service, Standing};
use crate::effects::retrain::{
    DataReport, Effect, Event, Order, Phase, Point, Report, Shelf, Stopped, Tick,
};
use crate::effects::{self};
use crate::keys::{Action, Scope};
use crate::overlay::confirm::Confirm;
use crate::registry::{Champion, Manifest, Move, Version};
use crate::remote::Remote;
use crate::tabs::{Cx, Look, Now, Offer, Tab};
use crate::train::retrain::keepable;
use crate::ui::theme::Tone;

use history::History;
use setup::Setup;
use views::View;

/// A run in progress.
#[derive(Debug)]
struct Running {
    order: Order,
    since: Timestamp,
    points: Vec<Point>,
    tick: Option<Box<Tick>>,
    paused: bool,
    stopping: bool,
}

impl Running {
    /// Whether the model is grown, and only being judged.
    fn is_fitted(&self) -> bool {
        self.tick
            .as_ref()
            .is_some_and(|tick| matches!(tick.phase, Phase::Judge | Phase::Fold { .. }))
    }
}

/// How the last run ended; stays on screen until the next one.
#[derive(Debug)]
enum Outcome {
    Report(Arc<Report>),
    Stopped(Order, Stopped, Vec<Point>),
}

/// The Retrain tab's state.
pub struct Retrain {
    setup: Setup,
    data: Remote<Box<DataReport>>,
    shelf: Remote<Box<Shelf>>,
    running: Option<Running>,
    outcome: Option<Outcome>,
    reproducing: Option<(Version, Timestamp)>,
    reproduced: Option<(Version, Result<bool, String>)>,
    view: View,
    history: History,
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
            reproducing: None,
            reproduced: None,
            view: View::Curve,
            history: History::default(),
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

    fn champion_manifest(&self) -> Option<&Manifest> {
        self.shelf()?.manifest.as_deref()
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

    fn busy(&self) -> bool {
        self.running.is_some() || self.reproducing.is_some()
    }

    fn train(&mut self, cx: &mut Cx) {
        if let Err(error) = self.setup.plan.check() {
            self.setup.error = Some(error.to_string());
            return;
        }
        self.ticket += 1;
        let order = Order {
            ticket: self.ticket,
            plan: self.setup.plan.clone(),
            preset: Some(self.setup.preset.clone()),
            dedup: self.setup.dedup,
            service: Service::from(cx.env.schema.as_ref()),
        };
        cx.effect(Effect::Train(order.clone()));
        self.running = Some(Running {
            order,
            since: cx.now.wall,
            points: Vec::new(),
            tick: None,
            paused: false,
            stopping: false,
        });
        self.reproduced = None;
        self.mlflow = None;
        if self.view == View::History {
            self.view = View::Curve;
        }
    }

    fn pause(&mut self, cx: &mut Cx) {
        if let Some(running) = &mut self.running {
            running.paused = !running.paused;
            cx.effect(Effect::Pause(running.paused));
        }
    }

    /// Esc, one step: stop the run (asking about the trees when there are enough), or leave what is open.
    fn back(&mut self, cx: &mut Cx) {
        let Some(running) = &mut self.running else {
            self.history.unpin();
            return;
        };
        let done = running
            .tick
            .as_ref()
            .and_then(|tick| tick.progress.as_ref())
            .map_or(0, |progress| progress.done);
        running.stopping = true;
        if running.is_fitted() {
            // The model is there: only the cross-validation is left out.
            cx.effect(Effect::Stop { keep: true });
            return;
        }
        let keepable = keepable(&running.order.plan, done);
        if keepable && !running.paused {
            running.paused = true;
            running.stopping = false;
            cx.effect(Effect::Pause(true));
        }
        if keepable {
            cx.open(KeepTrees { done });
        } else {
            cx.effect(Effect::Stop { keep: false });
        }
    }

    /// Asks where the version stands before the champion of now; the question follows.
    fn promote(&mut self, cx: &mut Cx) {
        if let Some(version) = self.subject() {
            self.moving = true;
            let service = Service::from(cx.env.schema.as_ref());
            cx.effect(Effect::Consider { version, service });
        }
    }

    fn considered(&mut self, standing: &Result<Box<Standing>, String>, cx: &mut Cx) {
        self.moving = false;
        let serves = if is_sandbox(cx.env) {
            "; the sandbox serves it at once"
        } else {
            ""
        };
        match standing {
            Ok(standing) => promote::ask(standing, serves, cx),
            Err(error) => crate::app::report(cx, error.clone()),
        }
    }

    fn roll_back(&self, cx: &mut Cx) {
        let Some(champion) = self.champion() else {
            return;
        };
        let Some(previous) = champion.previous else {
            return;
        };
        let wish = Move::seen(Some(champion), "rolled back in the Retrain tab");
        let question = format!("Roll back from {} to {previous}?", champion.version);
        let detail = "It is verified before it reigns, and B returns.".to_owned();
        cx.open(Confirm::new(
            question,
            detail,
            vec![Effect::RollBack { wish }.into()],
        ));
    }

    fn export(&self, cx: &mut Cx) {
        let Some(version) = self.subject() else {
            return;
        };
        let path = PathBuf::from(format!("wine-quality-{version}.onnx"));
        let question = format!("Write {version} to {}?", path.display());
        let detail = "ONNX for any runtime; for scikit-learn or JSON: vintner models export.";
        cx.open(Confirm::new(
            question,
            detail,
            vec![Effect::Export { version, path }.into()],
        ));
    }

    fn on_retrain_event(&mut self, event: &Event, cx: &mut Cx) {
        let at = cx.now.wall;
        match event {
            Event::Checked(report) => self.data.resolve(report.clone(), at),
            Event::Shelf(shelf) => self.shelved(shelf, cx),
            Event::Progress(tick) => self.ticked(tick),
            Event::Judged { ticket, report } => self.judged(*ticket, report),
            Event::Trained { ticket, result } => self.trained(*ticket, result, cx),
            Event::Considered(standing) => self.considered(standing, cx),
            Event::Moved(moved) => self.moved(moved, cx),
            Event::Reproduced { version, result } => {
                self.reproducing = None;
                self.reproduced = Some((*version, result.clone()));
                let (tone, text) = board::reproduction(*version, result);
                cx.toast(tone, text);
            }
            Event::Resumed => {
                if let Some(running) = &mut self.running {
                    running.paused = false;
                }
            }
            // The app's header tells it.
            Event::Served(_) => {}
            Event::Logged { queued, error } => self.mlflow = Some((*queued, error.clone())),
            Event::Exported(Ok(path)) => cx.toast(Tone::Good, format!("wrote {}", path.display())),
            Event::Exported(Err(error)) => crate::app::report(cx, error.clone()),
        }
    }

    fn shelved(&mut self, shelf: &Result<Box<Shelf>, String>, cx: &mut Cx) {
        self.shelf.resolve(shelf.clone(), cx.now.wall);
        let champion = self.champion().map(|champion| champion.version.to_string());
        let shown = cx
            .env
            .session
            .value()
            .and_then(|(session, _)| session.champion.clone());
        if champion.is_some() && champion != shown {
            cx.tell(effects::Event::Champion(champion));
        }
    }

    fn ticked(&mut self, tick: &Tick) {
        let Some(running) = self
            .running
            .as_mut()
            .filter(|running| running.order.ticket == tick.ticket)
        else {
            return;
        };
        running.points.extend(&tick.points);
        running.tick = Some(Box::new(tick.clone()));
    }

    /// The verdict stands while the cross-validation runs.
    fn judged(&mut self, ticket: u64, report: &Arc<Report>) {
        if self
            .running
            .as_ref()
            .is_some_and(|running| running.order.ticket == ticket)
        {
            self.outcome = Some(Outcome::Report(Arc::clone(report)));
        }
    }

    fn trained(&mut self, ticket: u64, result: &Result<Arc<Report>, Stopped>, cx: &mut Cx) {
        let Some(running) = self
            .running
            .take_if(|running| running.order.ticket == ticket)
        else {
            return;
        };
        self.outcome = Some(match result {
            Ok(report) => {
                let (tone, text) = board::headline(report);
                cx.toast(tone, text);
                Outcome::Report(Arc::clone(report))
            }
            Err(stopped) => {
                if let Stopped::Failed(error) = stopped {
                    crate::app::report(cx, error.clone());
                }
                Outcome::Stopped(running.order, stopped.clone(), running.points)
            }
        });
    }

    fn moved(&mut self, moved: &Result<Box<Champion>, String>, cx: &mut Cx) {
        self.moving = false;
        match moved {
            Ok(champion) => {
                cx.toast(Tone::Good, format!("{} is the champion", champion.version));
                cx.tell(effects::Event::Champion(Some(champion.version.to_string())));
            }
            Err(error) => crate::app::report(cx, error.clone()),
        }
    }

    fn look(&mut self, establish: bool, cx: &mut Cx) {
        self.shelf.load(cx.now.wall);
        cx.effect(Effect::Look { establish });
    }

    fn check(&mut self, cx: &mut Cx) {
        self.data.load(cx.now.wall);
        cx.effect(Effect::Check {
            dedup: self.setup.dedup,
        });
    }

    /// A step in the focused row of the setup.
    fn step(&mut self, steps: i32, cx: &mut Cx) {
        let manifest = self.champion_manifest().cloned();
        let dedup = self.setup.dedup;
        self.setup.step(steps, manifest.as_ref());
        if self.setup.dedup != dedup {
            self.check(cx);
        }
    }

    fn up_or_down(&mut self, by: isize) {
        match self.view {
            View::History => {
                let count = self.shelf().map_or(0, history::count);
                self.history.move_by(by, count);
            }
            _ => self.setup.move_focus(by),
        }
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
        let idle = "a run is in progress";
        let mut offers = Vec::new();
        if let Some(running) = &self.running {
            offers.push(Offer::new(
                Action::Toggle,
                if running.paused { "go on" } else { "pause" },
            ));
            let stop = if running.is_fitted() {
                "skip cross-validation"
            } else {
                "stop"
            };
            offers.push(Offer::new(Action::Back, stop));
        }
        let subject = self.subject();
        let reigns = self.champion().map(|champion| champion.version);
        let promotable = subject.is_some() && subject != reigns;
        let why_not = if self.running.as_ref().is_some_and(Running::is_fitted) {
            "it is registered once it is cross-validated"
        } else if subject.is_none() {
            "train a challenger first"
        } else {
            "it is the champion already"
        };
        let previous = self.champion().and_then(|champion| champion.previous);
        let offer =
            |action, label: &'static str| Offer::new(action, label).only_if(!self.busy(), idle);
        offers.extend([
            offer(Action::Submit, "train"),
            Offer::new(Action::View, "view"),
            Offer::new(
                Action::Promote,
                subject.filter(|_| promotable).map_or_else(
                    || "promote".to_owned(),
                    |version| format!("promote {version}"),
                ),
            )
            .only_if(promotable && !self.moving, why_not),
            Offer::new(
                Action::Rollback,
                previous.map_or_else(
                    || "roll back".to_owned(),
                    |version| format!("back to {version}"),
                ),
            )
            .only_if(
                previous.is_some() && !self.moving,
                "there is no earlier champion",
            ),
            Offer::new(Action::Presets, "preset").only_if(!self.busy(), idle),
            Offer::new(Action::Edit, "edit value").only_if(
                matches!(self.setup.focused(), setup::Field::Param(_)),
                "choose a parameter with up and down first",
            ),
            offer(Action::Reproduce, "reproduce")
                .only_if(subject.is_some(), "there is no version to reproduce"),
            Offer::new(Action::Export, "export")
                .only_if(subject.is_some(), "there is no version to export"),
        ]);
        if self.view == View::History {
            offers.push(Offer::new(Action::Pin, "pin as baseline"));
            offers.push(Offer::new(Action::Diff, "only what differs"));
        }
        offers.extend([
            Offer::new(Action::NextField, "next view"),
            Offer::new(Action::PreviousField, "previous view"),
            Offer::new(Action::Up, "row up"),
            Offer::new(Action::Down, "row down"),
            Offer::new(Action::Left, "less"),
            Offer::new(Action::Right, "more"),
            Offer::new(Action::Copy, "copy the verdict")
                .only_if(self.report().is_some(), "nothing was trained yet"),
            Offer::new(
                Action::Refresh,
                "read the registry, ask what is served (16 calls)",
            ),
        ]);
        offers
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let panes = Panes::of(area, self.setup.fields().len() as u16);
        let cursor = side::setup(self, panes.setup, buf, look);
        side::data(self, panes.data, buf, look);
        side::champion(self, panes.champion, buf, look);
        views::render(self, panes.view, buf, look);
        board::progress(self, panes.progress, buf, look);
        board::verdict(self, panes.verdict, buf, look);
        cursor
    }

    fn on_open(&mut self, cx: &mut Cx) {
        if matches!(self.data, Remote::Idle) {
            self.check(cx);
        }
    }

    fn on_key(&mut self, key: KeyEvent, _cx: &mut Cx) -> bool {
        self.setup.editing.is_some() && self.setup.key(key)
    }

    fn on_action(&mut self, action: Action, cx: &mut Cx) {
        match action {
            Action::Submit => self.train(cx),
            Action::Toggle if self.running.is_some() => self.pause(cx),
            Action::Toggle => self.step(1, cx),
            Action::Back => self.back(cx),
            Action::View | Action::NextField => self.view = self.view.next(1),
            Action::PreviousField => self.view = self.view.next(-1),
            Action::Up => self.up_or_down(-1),
            Action::Down => self.up_or_down(1),
            Action::Top => self.up_or_down(isize::MIN / 2),
            Action::Bottom => self.up_or_down(isize::MAX / 2),
            Action::Left => self.step(-1, cx),
            Action::Right => self.step(1, cx),
            Action::Presets => {
                self.setup.focus = 0;
                self.step(1, cx);
            }
            Action::Edit => self.setup.edit(),
            Action::Promote => self.promote(cx),
            Action::Rollback => self.roll_back(cx),
            Action::Reproduce => {
                if let Some(version) = self.subject() {
                    self.reproducing = Some((version, cx.now.wall));
                    self.reproduced = None;
                    cx.effect(Effect::Reproduce(version));
                }
            }
            Action::Export => self.export(cx),
            Action::Pin => {
                let selected = self.shelf().and_then(|shelf| self.history.selected(shelf));
                self.history.pin(selected);
            }
            Action::Diff => self.history.only_differences = !self.history.only_differences,
            Action::Copy => {
                if let Some(report) = self.report() {
                    cx.copy(board::sentence(report), "the verdict");
                }
            }
            Action::Refresh => {
                self.look(is_sandbox(cx.env), cx);
                self.check(cx);
                let schema = Arc::clone(&cx.env.schema);
                cx.effect(Effect::Recognise { schema });
            }
            _ => {}
        }
    }

    fn on_event(&mut self, event: &effects::Event, cx: &mut Cx) {
        match event {
            effects::Event::Connected(link) => self.look(link.session.sandbox, cx),
            effects::Event::Retrain(event) => self.on_retrain_event(event, cx),
            effects::Event::Crashed { what: "training" } => {
                if let Some(running) = self.running.take() {
                    let why = Stopped::Failed("the trainer crashed; see the log file".to_owned());
                    self.outcome = Some(Outcome::Stopped(running.order, why, running.points));
                }
            }
            effects::Event::Crashed {
                what: "reproducing",
            } => self.reproducing = None,
            effects::Event::Crashed {
                what: "judging a version",
            } => self.moving = false,
            _ => {}
        }
    }

    fn on_click(&mut self, at: Position, cx: &mut Cx) {
        let panes = Panes::of(cx.body, self.setup.fields().len() as u16);
        if panes.setup.contains(at) && at.y > panes.setup.y {
            let row = usize::from(at.y - panes.setup.y - 1);
            if row < self.setup.fields().len() {
                self.setup.focus = row;
                self.setup.editing = None;
            }
        } else if panes.view.contains(at) {
            self.view = self.view.next(1);
        }
    }

    fn on_scroll(&mut self, at: Position, lines: i32, cx: &mut Cx) {
        let panes = Panes::of(cx.body, self.setup.fields().len() as u16);
        if panes.setup.contains(at) {
            self.setup.move_focus(lines.signum() as isize);
        } else if panes.view.contains(at) && self.view == View::History {
            self.up_or_down(lines as isize);
        }
    }

    fn badge(&self) -> Option<(String, Tone)> {
        let running = self.running.as_ref()?;
        let progress = running.tick.as_ref()?.progress.as_ref()?;
        Some((
            format!(
                "{:.0}%",
                100.0 * progress.done as f64 / progress.total.max(1) as f64
            ),
            Tone::Info,
        ))
    }

    fn wake_at(&self, now: Now) -> Option<Instant> {
        let spins = self.busy() || self.data.is_loading() || self.shelf.is_loading();
        spins.then(|| now.mono + Duration::from_millis(100))
    }
}

/// Where the panes are.
#[derive(Debug, Clone, Copy)]
struct Panes {
    setup: Rect,
    data: Rect,
    champion: Rect,
    view: Rect,
    progress: Rect,
    verdict: Rect,
}

impl Panes {
    fn of(area: Rect, fields: u16) -> Self {
        let side = (area.width * 3 / 10).clamp(30, 46);
        let [left, right] =
            Layout::horizontal([Constraint::Length(side), Constraint::Fill(1)]).areas(area);
        let tall = area.height >= 28;
        let setup = (fields + 2).min(area.height.saturating_sub(8));
        let data = if tall { 10 } else { 6 };
        let [setup, data, champion] = Layout::vertical([
            Constraint::Length(setup),
            Constraint::Length(data),
            Constraint::Fill(1),
        ])
        .areas(left);
        let verdict = if tall { 12 } else { 7 };
        let progress = if tall { 5 } else { 4 };
        let [view, progress, verdict] = Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length(progress),
            Constraint::Length(verdict),
        ])
        .areas(right);
        Self {
            setup,
            data,
            champion,
            view,
            progress,
            verdict,
        }
    }
}

/// Asks what becomes of the finished trees.
struct KeepTrees {
    done: usize,
}

impl crate::overlay::Overlay for KeepTrees {
    fn on_key(
        &mut self,
        key: KeyEvent,
        action: Option<Action>,
        cx: &mut Cx,
    ) -> crate::overlay::Verdict {
        use crossterm::event::KeyCode::{Char, Enter};
        let effect = match key.code {
            Char('k' | 'y') | Enter => Effect::Stop { keep: true },
            Char('d' | 'n') => Effect::Stop { keep: false },
            Char(' ') => Effect::Pause(false),
            _ if action == Some(Action::Back) => Effect::Pause(false),
            _ => return crate::overlay::Verdict::Stay,
        };
        // Whatever the answer, the pause is over; kept trees may still have to be grown on all rows.
        cx.tell(effects::Event::Retrain(Event::Resumed));
        cx.effect(effect);
        crate::overlay::Verdict::Close
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        use ratatui::text::{Line, Span};
        use ratatui::widgets::Widget;
        let strip = crate::overlay::strip(4, area, buf);
        let inner = crate::ui::panel::panel(" Stop training ", true, strip, buf, look);
        let key = |key: &'static str| Span::styled(key, look.theme.key);
        let question = format!("{} trees are finished. Keep them as a model?", self.done);
        Line::styled(question, look.theme.warn).render(inner, buf);
        let answers = Line::from(vec![
            key("k"),
            Span::raw(" keep and judge them   "),
            key("d"),
            Span::raw(" drop them   "),
            key("Esc"),
            Span::raw(" go on training"),
        ]);
        let below = Rect {
            y: inner.y + 1,
            height: inner.height.saturating_sub(1),
            ..inner
        };
        answers.render(below, buf);
        None
    }
}

#[cfg(test)]
mod tests;
