//! The Lambda tab: is it well, what does it cost, how long does it take, and why is it broken.

mod alerts;
mod charts;
mod config;
mod latency;
mod money;
mod panes;
mod strip;

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tokio::time::Instant;

use crate::app::Env;
use crate::client::survey::Reports;
use crate::client::tail::TailUpdate;
use crate::domain::alerts::{Alerts, Change, Outside, Reading, Signal};
use crate::domain::cost::Prices;
use crate::domain::doctor::{Diagnosis, Fact};
use crate::domain::function::{FunctionConfig, Overview};
use crate::domain::latency::{Sample, Samples, Window};
use crate::domain::metrics::{Budget, Snapshot};
use crate::domain::report::Report;
use crate::domain::slo::Slo;
use crate::domain::vitals::{Light, Readings, Vitals};
use crate::effects::lambda::{Drifted, Effect, Event as LambdaEvent};
use crate::effects::{Effect as AnyEffect, Event, logs, predict};
use crate::history::Entry;
use crate::keys::{Action, Scope};
use crate::overlay::alerts::AlertList;
use crate::overlay::doctor::DoctorOverlay;
use crate::remote::Remote;
use crate::tabs::{Cx, Look, Now, Offer, Tab};
use crate::ui::text::clean;
use crate::ui::theme::Tone;

pub(crate) use alerts::line as alert_line;
pub use panes::Pane;

/// Our own calls that are remembered for the latency table.
const OWN_CALLS: usize = 1000;

/// The Lambda tab's state.
pub struct Lambda {
    ticket: u64,
    watching: bool,
    window: Window,
    overview: Remote<Overview>,
    snapshot: Remote<Snapshot>,
    budget: Option<Budget>,
    samples: Samples,
    /// Why there are no REPORT lines, or that there are more than were read.
    reports_note: Option<String>,
    own_calls: VecDeque<(i64, f64)>,
    prices: Prices,
    vitals: Option<Vitals>,
    alerts: Alerts,
    last_event_ms: Option<i64>,
    /// Recent requests beside the champion's training rows.
    drift: Option<Drifted>,
    diagnosis: Option<Diagnosis>,
    pane: Pane,
    scroll: usize,
    /// The environment variable under the cursor, and those shown in the open.
    variable: usize,
    revealed: BTreeSet<String>,
    /// The version compared with, and its configuration.
    compared: Option<(String, FunctionConfig)>,
    free_tier: bool,
}

impl Lambda {
    /// The tab as it starts.
    pub fn new(_env: &Env) -> Self {
        Self {
            ticket: 0,
            watching: false,
            window: Window::H1,
            overview: Remote::Idle,
            snapshot: Remote::Idle,
            budget: None,
            samples: Samples::default(),
            reports_note: None,
            own_calls: VecDeque::new(),
            prices: Prices::default(),
            vitals: None,
            alerts: Alerts::default(),
            last_event_ms: None,
            drift: None,
            diagnosis: None,
            pane: Pane::Latency,
            scroll: 0,
            variable: 0,
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
        self.snapshot.load(cx.now.wall);
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

    fn forget(&mut self) {
        let (ticket, window, pane) = (self.ticket, self.window, self.pane);
        self.overview = Remote::Idle;
        self.snapshot = Remote::Idle;
        self.budget = None;
        self.samples = Samples::default();
        self.reports_note = None;
        self.own_calls.clear();
        self.alerts = Alerts::default();
        self.last_event_ms = None;
        self.drift = None;
        self.diagnosis = None;
        self.revealed.clear();
        self.compared = None;
        self.vitals = None;
        (self.ticket, self.window, self.pane) = (ticket, window, pane);
    }

    /// Works the figures out anew and lets the alert rules look at them.
    fn reckon(&mut self, cx: &mut Cx) {
        let now_ms = cx.now.wall.as_millisecond();
        let own_calls: Vec<(i64, f64)> = self.own_calls.iter().copied().collect();
        let snapshot = self.snapshot.value().map(|(s, _)| Fact::Known(s.clone()));
        let budget = self.budget.map(Fact::Known);
        self.vitals = Some(Vitals::of(&Readings {
            overview: self.overview.value().map(|(o, _)| o),
            snapshot: snapshot.as_ref(),
            budget: budget.as_ref(),
            samples: &self.samples,
            own_calls: &own_calls,
            window: self.window,
            now_ms,
            prices: &self.prices,
            slo: Slo::default(),
        }));
        let outside = Outside {
            gateway: self.budget.map(|b| (b.five_minutes, b.hour)),
            drift: self.drift.as_ref().and_then(|drifted| {
                Some(Reading {
                    value: drifted.report.worst()?.of_limit(),
                    n: drifted.report.rows as u64,
                })
            }),
            last_event_ms: self.last_event_ms,
        };
        for (rule, change) in self.alerts.step(&self.samples, &outside, now_ms) {
            match change {
                Change::Fired(reading) => {
                    let mut text = rule.sentence(&reading);
                    if rule.signal == Signal::Drift {
                        text = format!("{text}: retrain suggested");
                    }
                    cx.effect(AnyEffect::Notify(format!("vintner: {text}")));
                    cx.toast(Tone::Bad, text);
                }
                Change::Cleared => cx.toast(Tone::Good, format!("{}: over", rule.signal.title())),
            }
        }
    }

    fn on_lambda(&mut self, event: &LambdaEvent, cx: &mut Cx) {
        let at = cx.now.wall;
        match event {
            LambdaEvent::Described { ticket, overview } if *ticket == self.ticket => {
                self.overview.resolve(overview.clone().map(|o| *o), at);
                self.reckon(cx);
            }
            LambdaEvent::Measured {
                ticket,
                snapshot,
                budget,
            } if *ticket == self.ticket => {
                self.snapshot.resolve(answer(snapshot), at);
                self.budget = budget.known().copied().or(self.budget);
                self.reckon(cx);
            }
            LambdaEvent::Reports { ticket, reports } if *ticket == self.ticket => {
                self.take_reports(reports);
                self.reckon(cx);
            }
            LambdaEvent::Version {
                ticket,
                version,
                config,
            } if *ticket == self.ticket => match answer(config) {
                Ok(config) => {
                    self.compared = Some((version.clone(), config));
                    self.pane = Pane::Config;
                }
                Err(why) => cx.toast(Tone::Bad, format!("version {version}: {why}")),
            },
            LambdaEvent::Drifted(drifted) => {
                self.drift = drifted.as_ref().ok().map(|drifted| (**drifted).clone());
                self.reckon(cx);
            }
            LambdaEvent::Diagnosed(Ok(diagnosis)) => self.diagnosis = Some((**diagnosis).clone()),
            LambdaEvent::Reported(Ok(path)) => {
                cx.toast(Tone::Good, format!("wrote {}", path.display()));
            }
            LambdaEvent::Reported(Err(why)) => cx.toast(Tone::Bad, clean(why)),
            _ => {}
        }
    }

    fn take_reports(&mut self, reports: &Fact<Reports>) {
        match answer(reports) {
            Ok(found) => {
                for sample in found.samples {
                    self.last_event_ms = self.last_event_ms.max(Some(sample.at_ms));
                    self.samples.push(sample);
                }
                // A later, shorter reading does not fill what the first left out.
                if found.cut {
                    self.reports_note = Some(format!(
                        "only the newest {} REPORT lines were read",
                        self.samples.len()
                    ));
                }
            }
            Err(why) => self.reports_note = Some(format!("no REPORT lines: {why}")),
        }
    }

    /// The tail saw something: REPORT lines become samples.
    fn hear(&mut self, update: &TailUpdate, cx: &mut Cx) {
        let TailUpdate::Events(batch) = update else {
            return;
        };
        let mut new = false;
        for event in &batch.events {
            self.last_event_ms = self.last_event_ms.max(Some(event.timestamp));
            if let Some(report) = Report::parse(&event.message) {
                new |= self
                    .samples
                    .push(Sample::from_report(&report, event.timestamp));
            }
        }
        if new {
            self.reckon(cx);
        }
    }

    /// A prediction of ours came back through the gateway.
    fn remember_call(&mut self, total_ms: f64, cx: &mut Cx) {
        if self.own_calls.len() == OWN_CALLS {
            self.own_calls.pop_front();
        }
        self.own_calls
            .push_back((cx.now.wall.as_millisecond(), total_ms));
        self.reckon(cx);
    }

    fn next_version(&self) -> Option<String> {
        let versions = self.overview.value()?.0.versions.known()?;
        let numbered: Vec<&str> = versions
            .iter()
            .map(|v| v.version.as_str())
            .filter(|v| *v != "$LATEST")
            .collect();
        let at = self
            .compared
            .as_ref()
            .and_then(|(v, _)| numbered.iter().position(|n| n == v));
        match at {
            // After the oldest comes no comparison.
            Some(0) => None,
            Some(at) => numbered.get(at - 1).map(|v| (*v).to_owned()),
            None => numbered.last().map(|v| (*v).to_owned()),
        }
    }

    fn compare(&mut self, cx: &mut Cx) {
        match self.next_version() {
            Some(version) => cx.effect(Effect::Version {
                ticket: self.ticket,
                version,
            }),
            None => self.compared = None,
        }
    }

    fn reveal(&mut self) {
        let Some((overview, _)) = self.overview.value() else {
            return;
        };
        let Some((name, _)) = overview
            .config
            .known()
            .and_then(|c| c.environment.get(self.variable))
        else {
            return;
        };
        if !self.revealed.remove(name) {
            self.revealed.insert(name.clone());
        }
    }

    fn move_by(&mut self, lines: isize) {
        let variables = self
            .overview
            .value()
            .and_then(|(o, _)| Some(o.config.known()?.environment.len()))
            .unwrap_or(0);
        if self.pane == Pane::Config && variables > 0 {
            self.variable = self
                .variable
                .saturating_add_signed(lines)
                .min(variables - 1);
        }
        self.scroll = self
            .scroll
            .saturating_add_signed(lines)
            .min(self.scroll_end());
    }

    fn scroll_end(&self) -> usize {
        match self.pane {
            Pane::Config => 40,
            _ => 0,
        }
    }

    fn show(&mut self, pane: Pane) {
        self.pane = pane;
        self.scroll = 0;
    }

    fn report(&self, cx: &mut Cx) {
        let name = format!(
            "vintner-report-{}.md",
            cx.now.wall.strftime("%Y%m%d-%H%M%S")
        );
        cx.toast(Tone::Info, format!("writing {name} …"));
        cx.effect(Effect::Report {
            schema: cx.env.schema.clone(),
            window: self.window,
            path: PathBuf::from(name),
        });
    }

    fn console_link(&self, cx: &mut Cx) {
        let Some(config) = self.overview.value().and_then(|(o, _)| o.config.known()) else {
            return;
        };
        let region = config.arn.split(':').nth(3).unwrap_or_default();
        let link = format!(
            "https://{region}.console.aws.amazon.com/lambda/home?region={region}#/functions/{}",
            config.name
        );
        cx.copy(link, "the console's address");
    }

    fn alert_list(&self, cx: &Cx) -> AlertList {
        let config = self.overview.value().and_then(|(o, _)| o.config.known());
        let region = config
            .and_then(|c| c.arn.split(':').nth(3))
            .unwrap_or_default()
            .to_owned();
        let api_id = self
            .overview
            .value()
            .and_then(|(o, _)| o.api_id.known().cloned());
        let function = cx
            .env
            .session
            .value()
            .map(|(s, _)| s.function.clone())
            .unwrap_or_default();
        AlertList::new(self.alerts.clone(), function, api_id, region)
    }
}

/// What is known, or why it is not, in a sentence.
fn answer<T: Clone>(fact: &Fact<T>) -> Result<T, String> {
    let absent = || fact.absence().unwrap_or_default();
    fact.known().cloned().ok_or_else(absent)
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
            Offer::new(Action::Report, "report").only_if(read, "the function is not read yet"),
            Offer::new(Action::Reveal, "reveal")
                .only_if(has_variables, "no environment variable to show"),
            Offer::new(Action::Diff, "compare version").only_if(
                self.next_version().is_some() || self.compared.is_some(),
                "there is no published version",
            ),
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
                self.watch(cx);
            }
            Action::Refresh => self.watch(cx),
            Action::View | Action::NextField => self.show(self.pane.next()),
            Action::PreviousField => self.show(self.pane.previous()),
            Action::Reveal => self.reveal(),
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

    fn on_event(&mut self, event: &Event, cx: &mut Cx) {
        match event {
            Event::Connected(_) => {
                self.forget();
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
        if let Some(pane) = panes::layout(cx.body, self.pane).pane_at(at) {
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
        match self.vitals.as_ref()?.worst() {
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
