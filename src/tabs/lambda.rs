//! The Lambda tab: is it well, what does it cost, how long does it take, and why is it broken.

mod actions;
mod alerts;
mod charts;
mod config;
mod figures;
mod latency;
mod money;
mod panes;
mod strip;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tokio::time::Instant;

use crate::app::Env;
use crate::domain::alerts::Alerts;
use crate::domain::doctor::{Diagnosis, Fact};
use crate::domain::function::Overview;
use crate::domain::latency::Window;
use crate::domain::metrics::{Budget, Snapshot};
use crate::domain::reckoning::{Figures, Room, Work};
use crate::domain::vitals::{Light, Vitals};
use crate::effects::lambda::{Drifted, Effect, Other};
use crate::effects::{Event, logs, predict};
use crate::history::Entry;
use crate::keys::{Action, Scope};
use crate::overlay::doctor::DoctorOverlay;
use crate::remote::Remote;
use crate::tabs::{Cx, Look, Now, Offer, Tab};
use crate::ui::theme::Tone;

pub(crate) use alerts::{line as alert_line, past_line as alert_past};
pub use panes::Pane;

/// Our own calls that are remembered for the latency table.
const OWN_CALLS: usize = 1000;

/// A stretch of log that was read.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    /// How far back, milliseconds since the epoch.
    since_ms: i64,
    /// Only the newest lines of a window were read.
    cut: bool,
}

/// The Lambda tab's state.
pub struct Lambda {
    ticket: u64,
    watching: bool,
    window: Window,
    overview: Remote<Arc<Overview>>,
    /// CloudWatch's figures of the window, and the error budget, or why there are none.
    snapshot: Arc<Fact<Snapshot>>,
    budget: Arc<Fact<Budget>>,
    /// When CloudWatch last answered with figures, and why the last question brought none.
    measured_at: Option<Timestamp>,
    measure_trouble: Option<String>,
    /// What of the log was read for REPORT lines.
    read: Option<Stretch>,
    /// Why the last reading of REPORT lines brought none.
    reports_trouble: Option<String>,
    own_calls: VecDeque<(i64, f64)>,
    /// The newest figures that were worked out. Everything drawn from them is of their window and their time.
    figures: Option<Arc<Figures>>,
    /// The last question for figures, the last one that is another target's, and the room that the charts had then.
    asked: u64,
    foreign: u64,
    room: Room,
    alerts: Alerts,
    last_event_ms: Option<i64>,
    /// Recent requests beside the champion's training rows.
    drift: Option<Drifted>,
    diagnosis: Option<Diagnosis>,
    pane: Pane,
    /// The configuration's line under the cursor.
    cursor: usize,
    /// Environment variables shown in the open.
    revealed: BTreeSet<String>,
    /// The version or target compared with, and what is known of it.
    compared: Option<(Other, Overview)>,
    free_tier: bool,
}

impl Lambda {
    /// The tab as it starts.
    pub fn new(env: &Env) -> Self {
        Self {
            ticket: 0,
            watching: false,
            window: Window::H1,
            overview: Remote::Idle,
            snapshot: Arc::default(),
            budget: Arc::default(),
            measured_at: None,
            measure_trouble: None,
            read: None,
            reports_trouble: None,
            own_calls: VecDeque::new(),
            figures: None,
            asked: 0,
            foreign: 0,
            room: Room::default(),
            alerts: Alerts::new(env.settings.rules.clone()),
            last_event_ms: None,
            drift: None,
            diagnosis: None,
            pane: Pane::Latency,
            cursor: 0,
            revealed: BTreeSet::new(),
            compared: None,
            free_tier: false,
        }
    }

    /// Asks for everything anew; what is shown stays until the answers come.
    fn watch(&mut self, cx: &mut Cx) {
        self.ticket += 1;
        self.watching = true;
        self.overview.load(cx.now.wall);
        cx.effect(Effect::Watch {
            ticket: self.ticket,
            window: self.window,
        });
        Self::ask_drift(None, cx);
    }

    fn ask_drift(latest: Option<&Entry>, cx: &mut Cx) {
        cx.effect(Effect::Drift {
            schema: cx.env.schema.clone(),
            latest: latest.map(|entry| Box::new(entry.clone())),
        });
    }

    /// Another target: nothing of the last one stays but what the user chose.
    fn forget(&mut self, cx: &mut Cx) {
        cx.effect(Effect::Reckon(Work::Begin));
        *self = Self {
            ticket: self.ticket,
            asked: self.asked,
            foreign: self.asked,
            window: self.window,
            pane: self.pane,
            free_tier: self.free_tier,
            ..Self::new(cx.env)
        };
    }

    fn vitals(&self) -> Option<&Vitals> {
        self.figures.as_ref().map(|figures| &figures.vitals)
    }

    /// The window of the figures on screen; another one may be on its way.
    fn shown(&self) -> Window {
        let figures = self.figures.as_ref();
        figures.map_or(self.window, |figures| figures.window)
    }

    fn move_by(&mut self, lines: isize) {
        if self.pane == Pane::Config {
            let last = config::rows(self).len().saturating_sub(1);
            self.cursor = self.cursor.saturating_add_signed(lines).min(last);
        }
    }

    fn show(&mut self, pane: Pane) {
        self.pane = pane;
    }
}

impl Tab for Lambda {
    fn title(&self) -> &'static str {
        "Lambda"
    }

    fn scope(&self) -> Scope {
        Scope::Lambda
    }

    fn offers(&self) -> Vec<Offer> {
        let read = self
            .overview
            .value()
            .is_some_and(|(o, _)| o.config.known().is_some());
        let has_variables = self
            .overview
            .value()
            .is_some_and(|(o, _)| o.config.known().is_some_and(|c| !c.environment.is_empty()));
        vec![
            Offer::new(Action::Window, format!("window {}", self.window.label())),
            Offer::new(Action::View, "next pane"),
            Offer::new(Action::Refresh, "refresh"),
            Offer::new(Action::Submit, self.pane.behind()),
            Offer::new(Action::Report, "report").only_if(read, "the function is not read yet"),
            Offer::new(Action::Reveal, "reveal")
                .only_if(has_variables, "no environment variable to show"),
            Offer::new(Action::Diff, "compare").only_if(read, "the function is not read yet"),
            Offer::new(
                Action::Toggle,
                if self.free_tier {
                    "list price"
                } else {
                    "free tier"
                },
            ),
            Offer::new(Action::OpenConsole, "console link")
                .only_if(read, "the function is not read yet"),
        ]
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        panes::render(self, area, buf, look);
        None
    }

    fn on_action(&mut self, action: Action, cx: &mut Cx) {
        match action {
            Action::Window => {
                self.window = self.window.next();
                // The old window's figures are none of the new one's.
                self.snapshot = Arc::default();
                self.watch(cx);
                self.reckon(cx);
            }
            Action::Refresh => self.watch(cx),
            Action::Submit => {
                cx.tell(Event::Logs(logs::Event::Point(self.behind(cx.now))));
                cx.go_to(Scope::Logs);
            }
            Action::View | Action::NextField => self.show(self.pane.next()),
            Action::PreviousField => self.show(self.pane.previous()),
            Action::Reveal => self.reveal(cx),
            Action::Diff => self.compare(cx),
            Action::Toggle => self.free_tier = !self.free_tier,
            Action::Report => self.report(cx),
            Action::OpenConsole => self.console_link(cx),
            Action::Up => self.move_by(-1),
            Action::Down => self.move_by(1),
            Action::PageUp => self.move_by(-10),
            Action::PageDown => self.move_by(10),
            Action::Top => self.move_by(isize::MIN / 2),
            Action::Bottom => self.move_by(isize::MAX / 2),
            Action::Doctor => {
                cx.effect(Effect::Doctor {
                    schema: cx.env.schema.clone(),
                });
                cx.open(DoctorOverlay::new(cx.now.wall, self.diagnosis.clone()));
            }
            Action::Alerts => {
                let list = self.alert_list(cx);
                cx.open(list);
            }
            _ => {}
        }
    }

    fn on_open(&mut self, cx: &mut Cx) {
        if !self.watching && cx.env.session.value().is_some() {
            self.watch(cx);
        }
    }

    fn on_resize(&mut self, cx: &mut Cx) {
        if self.figures.is_some() && panes::room(self, cx.body) != self.room {
            self.reckon(cx);
        }
    }

    fn on_event(&mut self, event: &Event, cx: &mut Cx) {
        match event {
            Event::Connected(_) => {
                self.forget(cx);
                self.watch(cx);
            }
            Event::IncidentSet(_) if self.watching => self.watch(cx),
            Event::Lambda(event) => self.on_lambda(event, cx),
            Event::Logs(logs::Event::Tail(_, update)) => self.hear(update, cx),
            Event::Predict(predict::Event::Answered {
                reply: Ok(reply),
                entry,
                ..
            }) => {
                Self::ask_drift(Some(entry), cx);
                self.remember_call(reply.exchange.phases.total, cx);
            }
            _ => {}
        }
    }

    fn on_click(&mut self, at: Position, cx: &mut Cx) {
        if let Some(pane) = panes::layout(self, cx.body, self.pane).pane_at(at) {
            self.show(pane);
        }
    }

    fn on_scroll(&mut self, _at: Position, lines: i32, _cx: &mut Cx) {
        self.move_by(lines as isize);
    }

    fn badge(&self) -> Option<(String, Tone)> {
        let firing = self.alerts.firing().count();
        if firing > 0 {
            return Some((format!("{firing}"), Tone::Bad));
        }
        match self.vitals()?.worst() {
            Light::Red => Some(("!".to_owned(), Tone::Bad)),
            _ => None,
        }
    }

    /// Ages are shown in seconds at first, so the tab is drawn again once a second while it shows remote data.
    fn wake_at(&self, now: Now) -> Option<Instant> {
        if self.overview.is_loading() {
            return Some(now.mono + Duration::from_millis(100));
        }
        self.overview
            .value()
            .map(|_| now.mono + Duration::from_secs(5))
    }
}
