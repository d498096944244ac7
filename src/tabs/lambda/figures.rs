//! What the tab hears, and the figures that are made of it apart from the screen: lamps, tables, charts, alerts.

use std::sync::Arc;

use super::{Lambda, OWN_CALLS, Pane, Stretch, panes};
use crate::client::survey::Reports;
use crate::client::tail::TailUpdate;
use crate::domain::alerts::{Change, Reading, Signal};
use crate::domain::doctor::Fact;
use crate::domain::latency::calls::{CallLine, Told};
use crate::domain::metrics::{Budget, Snapshot};
use crate::domain::reckoning::{Figures, Question, Work};
use crate::effects::lambda::{Effect, Event as LambdaEvent};
use crate::effects::{Effect as AnyEffect, Event};
use crate::tabs::Cx;
use crate::ui::text::clean;
use crate::ui::theme::Tone;

impl Lambda {
    /// Asks for the figures anew: they are worked out elsewhere, and the rules look at the same lines there.
    pub(super) fn reckon(&mut self, cx: &mut Cx) {
        self.asked += 1;
        self.room = panes::room(self, cx.body);
        let settings = &cx.env.settings;
        let drift = self.drift.as_ref().and_then(|drifted| {
            let worst = drifted.report.worst()?.of_limit();
            Some(Reading::new(
                worst,
                drifted.report.rows as u64,
                "our requests",
            ))
        });
        let question = Question {
            id: self.asked,
            overview: self.overview.value().map(|(o, _)| Arc::clone(o)),
            snapshot: Arc::clone(&self.snapshot),
            budget: Arc::clone(&self.budget),
            reports: self.reports_trouble.clone(),
            own_calls: self.own_calls.iter().copied().collect(),
            window: self.window,
            now_ms: cx.now.wall.as_millisecond(),
            prices: settings.prices.clone(),
            rules: settings.rules.clone(),
            drift,
            // A silence that began before the oldest line looked for has lasted since then at least.
            silent_since_ms: self.last_event_ms.or(self.read.map(|r| r.since_ms)),
            room: self.room,
        };
        cx.effect(Effect::Reckon(Work::Ask(Box::new(question))));
    }

    /// Takes figures in; those of another target, or older than what is shown, are not wanted any more.
    fn take(&mut self, figures: &Arc<Figures>, cx: &mut Cx) {
        let shown = self.figures.as_ref().map_or(0, |shown| shown.id);
        if figures.id <= self.foreign.max(shown) {
            return;
        }
        self.figures = Some(Arc::clone(figures));
        self.alerts = figures.alerts.clone();
        for (rule, change) in &figures.changes {
            match change {
                Change::Fired(reading) => {
                    let mut text = rule.sentence(reading);
                    if rule.signal == Signal::Drift {
                        text = format!("{text}: retrain suggested");
                    }
                    cx.effect(AnyEffect::Notify(format!("vintner: {text}")));
                    cx.toast(Tone::Bad, text);
                }
                Change::Cleared => cx.toast(Tone::Good, format!("{}: over", rule.signal.title())),
            }
        }
        cx.tell(Event::Lambda(LambdaEvent::Watched(Box::new(
            self.alerts.clone(),
        ))));
    }

    pub(super) fn on_lambda(&mut self, event: &LambdaEvent, cx: &mut Cx) {
        let at = cx.now.wall;
        match event {
            LambdaEvent::Described { ticket, overview } if *ticket == self.ticket => {
                let overview = overview.clone().map(|o| Arc::new(*o));
                self.overview.resolve(overview, at);
                self.reckon(cx);
            }
            LambdaEvent::Measured {
                ticket,
                snapshot,
                budget,
            } if *ticket == self.ticket => {
                self.take_figures(snapshot, budget, cx);
                self.reckon(cx);
            }
            LambdaEvent::Reports { ticket, reports } if *ticket == self.ticket => {
                self.take_reports(reports, cx);
                self.reckon(cx);
            }
            LambdaEvent::Reckoned(figures) => self.take(figures, cx),
            LambdaEvent::Chosen(None) => self.compared = None,
            LambdaEvent::Chosen(Some(with)) => {
                cx.toast(
                    Tone::Info,
                    format!("reading {} …", clean(&with.to_string())),
                );
                cx.effect(Effect::Compare {
                    ticket: self.ticket,
                    with: with.clone(),
                });
            }
            LambdaEvent::Compared {
                ticket,
                with,
                overview,
            } if *ticket == self.ticket => match overview {
                Ok(overview) => {
                    self.compared = Some((with.clone(), (**overview).clone()));
                    self.pane = Pane::Config;
                    self.cursor = 0;
                }
                Err(why) => cx.toast(Tone::Bad, clean(&format!("{with}: {why}"))),
            },
            LambdaEvent::Drifted(drifted) => {
                self.drift = drifted.as_ref().ok().map(|drifted| (**drifted).clone());
                self.reckon(cx);
            }
            LambdaEvent::Diagnosed(Ok(diagnosis)) => self.diagnosis = Some((**diagnosis).clone()),
            LambdaEvent::Reported(Ok(path)) => {
                let name = path.file_name().unwrap_or_default().display();
                let folder = path.parent().unwrap_or(path).display();
                cx.toast(Tone::Good, format!("wrote {name} in {folder}"));
            }
            LambdaEvent::Reported(Err(why)) => cx.toast(Tone::Bad, clean(why)),
            _ => {}
        }
    }

    /// CloudWatch's answer. One that fails for the moment leaves the last figures, with their age, on screen.
    fn take_figures(&mut self, snapshot: &Fact<Snapshot>, budget: &Fact<Budget>, cx: &Cx) {
        let passing = |answer: &Fact<Snapshot>| matches!(answer, Fact::Failed(_));
        self.measure_trouble = snapshot.absence();
        if passing(snapshot) && self.snapshot.known().is_some() {
            return;
        }
        self.snapshot = Arc::new(snapshot.clone());
        self.budget = Arc::new(budget.clone());
        if snapshot.known().is_some() {
            self.measured_at = Some(cx.now.wall);
        }
    }

    fn take_reports(&mut self, reports: &Fact<Reports>, cx: &mut Cx) {
        let found = match reports {
            Fact::Known(found) => found,
            absent => {
                self.reports_trouble = absent.absence();
                return;
            }
        };
        self.reports_trouble = None;
        let times = || found.lines.iter().map(|line| line.at_ms);
        self.last_event_ms = self.last_event_ms.max(times().max());
        cx.effect(Effect::Reckon(Work::Lines(found.lines.clone())));
        let oldest = times().min();
        let since = if found.cut { oldest } else { None }.unwrap_or(found.since_ms);
        // A later, shorter reading does not fill what the first left out.
        let read = self.read.map_or(
            Stretch {
                since_ms: since,
                cut: found.cut,
            },
            |before| Stretch {
                since_ms: before.since_ms.min(since),
                cut: before.cut || found.cut,
            },
        );
        self.read = Some(read);
    }

    /// What is wrong with the REPORT lines at hand, if anything.
    pub(super) fn reports_note(&self, now_ms: i64) -> Option<String> {
        if let Some(why) = &self.reports_trouble {
            let what = if self.read.is_some() {
                "log not read anew"
            } else {
                "no REPORT lines"
            };
            return Some(format!("{what}: {why}"));
        }
        let Stretch {
            since_ms: since,
            cut,
        } = self.read?;
        let missing_s = (since - now_ms) / 1000 + self.window.seconds();
        if missing_s <= 120 {
            return None;
        }
        let reach = crate::ui::text::age(
            jiff::Timestamp::from_millisecond(since).unwrap_or_default(),
            jiff::Timestamp::from_millisecond(now_ms).unwrap_or_default(),
        );
        Some(if cut {
            let n = self.figures.as_ref().map_or(0, |figures| figures.held);
            format!("only the newest {n} REPORT lines were read, since {reach}")
        } else {
            format!("REPORT lines since {reach} so far")
        })
    }

    /// The tail saw something: REPORT lines become samples, errors mark them as failed.
    pub(super) fn hear(&mut self, update: &TailUpdate, cx: &mut Cx) {
        let TailUpdate::Events(batch) = update else {
            return;
        };
        let newest = batch.events.iter().map(|event| event.timestamp).max();
        self.last_event_ms = self.last_event_ms.max(newest);
        let lines: Vec<CallLine> = batch.events.iter().filter_map(CallLine::read).collect();
        let ended = |line: &CallLine| matches!(line.told, Told::Ended(_));
        let news = lines.iter().any(ended);
        if !lines.is_empty() {
            cx.effect(Effect::Reckon(Work::Lines(lines)));
        }
        if news {
            self.reckon(cx);
        }
    }

    /// A prediction of ours came back through the gateway.
    pub(super) fn remember_call(&mut self, total_ms: f64, cx: &mut Cx) {
        if self.own_calls.len() == OWN_CALLS {
            self.own_calls.pop_front();
        }
        self.own_calls
            .push_back((cx.now.wall.as_millisecond(), total_ms));
        self.reckon(cx);
    }
}
