//! What the tab hears, and the figures it makes of it: lamps, tables, alerts.

use std::time::Duration;

use super::{Lambda, OWN_CALLS, Pane, Stretch};
use crate::client::survey::Reports;
use crate::client::tail::TailUpdate;
use crate::domain::alerts::{Change, Outside, Reading, Signal};
use crate::domain::doctor::Fact;
use crate::domain::latency::calls::{CallLine, Told};
use crate::domain::metrics::{Budget, Snapshot};
use crate::domain::slo::Slo;
use crate::domain::vitals::{Limits, Readings, Vitals};
use crate::effects::lambda::{Effect, Event as LambdaEvent};
use crate::effects::{Effect as AnyEffect, Event};
use crate::tabs::Cx;
use crate::ui::text::clean;
use crate::ui::theme::Tone;

/// From so many samples on, a busy log must not have all figures worked out with every batch of lines.
const MANY_SAMPLES: usize = 5_000;
const RECKON_EVERY: Duration = Duration::from_secs(2);
/// The more there are, the longer it takes and the less often it is done: a second more for so many.
const SAMPLES_A_SECOND: u64 = 10_000;

impl Lambda {
    /// Works the figures out anew and lets the alert rules look at them.
    pub(super) fn reckon(&mut self, cx: &mut Cx) {
        (self.unreckoned, self.reckoned_at) = (0, Some(cx.now.mono));
        let now_ms = cx.now.wall.as_millisecond();
        let own_calls: Vec<(i64, f64)> = self.own_calls.iter().copied().collect();
        let asked = |asked: bool| asked.then_some(());
        self.vitals = Some(Vitals::of(&Readings {
            overview: self.overview.value().map(|(o, _)| o),
            snapshot: asked(self.snapshot != Fact::NotAsked).map(|()| &self.snapshot),
            budget: asked(self.budget != Fact::NotAsked).map(|()| &self.budget),
            samples: &self.samples,
            reports: self.reports_trouble.as_deref(),
            own_calls: &own_calls,
            window: self.window,
            now_ms,
            prices: &self.prices,
            slo: Slo::default(),
            limits: Limits::of(&cx.env.settings.rules),
        }));
        let outside = Outside {
            gateway: self.budget.known().map(|b| &b.recent),
            drift: self.drift.as_ref().and_then(|drifted| {
                let worst = drifted.report.worst()?.of_limit();
                let n = drifted.report.rows as u64;
                Some(Reading::new(worst, n, "our requests"))
            }),
            // A silence that began before the oldest line looked for has lasted since then at least.
            silent_since_ms: self.last_event_ms.or(self.read.map(|r| r.since_ms)),
        };
        let changes = self.alerts.step(&self.samples, &outside, now_ms);
        for (rule, change) in &changes {
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
                self.overview.resolve(overview.clone().map(|o| *o), at);
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
                self.take_reports(reports);
                self.reckon(cx);
            }
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
        self.snapshot = snapshot.clone();
        self.budget = budget.clone();
        if snapshot.known().is_some() {
            self.measured_at = Some(cx.now.wall);
        }
    }

    fn take_reports(&mut self, reports: &Fact<Reports>) {
        let found = match reports {
            Fact::Known(found) => found,
            absent => {
                self.reports_trouble = absent.absence();
                return;
            }
        };
        self.reports_trouble = None;
        for line in &found.lines {
            self.last_event_ms = self.last_event_ms.max(Some(line.at_ms));
            self.samples.take(line);
        }
        let oldest = found.lines.iter().map(|line| line.at_ms).min();
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
            let n = self.samples.len();
            format!("only the newest {n} REPORT lines were read, since {reach}")
        } else {
            format!("REPORT lines since {reach} so far")
        })
    }

    /// The tail saw something: REPORT lines become samples, errors mark them as failed.
    pub(super) fn hear(&mut self, update: &TailUpdate, cx: &mut Cx) {
        let TailUpdate::Events(batch) = update else {
            return self.reckon_in_time(cx);
        };
        let mut new = false;
        for event in &batch.events {
            self.last_event_ms = self.last_event_ms.max(Some(event.timestamp));
            if let Some(line) = CallLine::read(event) {
                let ended = matches!(line.told, Told::Ended(_));
                new |= self.samples.take(&line) && ended;
            }
        }
        self.unreckoned += usize::from(new);
        self.reckon_in_time(cx);
    }

    /// Works the figures out anew if lines have come, but not more often than many samples allow.
    fn reckon_in_time(&mut self, cx: &mut Cx) {
        let pause = if self.samples.len() < MANY_SAMPLES {
            Duration::ZERO
        } else {
            RECKON_EVERY + Duration::from_secs(self.samples.len() as u64 / SAMPLES_A_SECOND)
        };
        let is_due = self.reckoned_at.is_none_or(|at| cx.now.mono >= at + pause);
        if self.unreckoned > 0 && is_due {
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
