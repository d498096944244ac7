//! What the tab sends and takes back: a request, a comparison, a bench, an entry of the history.

use std::path::Path;

use super::answer::Shown;
use super::batch::{Batch, BatchForm};
use super::bench::Bench;
use super::bench_form::{Asked, BenchForm};
use super::charts::Served;
use super::compare::Comparing;
use super::heard::Waiting;
use super::{Focus, Predict, View, endpoint};

use jiff::Timestamp;

use crate::client::bench::Plan;
use crate::client::predict::Reply;
use crate::domain::awaited::Awaited;
use crate::domain::cost::{Prices, dollars};
use crate::domain::features::Features;
use crate::domain::paste::Pasted;
use crate::domain::schema::Schema;
use crate::domain::what_if::{POINTS, values};
use crate::effects::predict::{Effect, LocalModel};
use crate::history::Entry;
use crate::keys::{Action, Scope};
use crate::overlay::confirm::Confirm;
use crate::tabs::Cx;
use crate::ui::text::clean;
use crate::ui::theme::Tone;

/// What so many calls cost, through the gateway or straight to the function, in words.
pub(super) fn charge(n: usize, gateway: bool, prices: &Prices) -> String {
    let charge = dollars(prices.requests(n, gateway));
    format!("{charge} at list price plus compute")
}

impl Predict {
    /// Sends the form, or goes to the first field that cannot be sent.
    pub(super) fn submit(&mut self, cx: &mut Cx) {
        self.form.close_edit();
        match self.form.parse(&cx.env.schema) {
            Ok(features) => self.send(features.to_json(&cx.env.schema), cx),
            Err(errors) => {
                if let Some(field) = self.form.first_rejected() {
                    self.form.select(field);
                }
                let more = if errors.len() > 1 {
                    format!(" (and {} more)", errors.len() - 1)
                } else {
                    String::new()
                };
                let key = cx.keymap.key(Scope::Predict, Action::SendRaw);
                let text = format!("{}{more}; {key} sends it anyway", errors[0]);
                cx.toast(Tone::Warn, text);
            }
        }
    }

    pub(super) fn send(&mut self, body: String, cx: &mut Cx) {
        self.tickets += 1;
        self.typing = false;
        self.view = View::Answer;
        self.waiting = Some((self.tickets, cx.now.wall));
        cx.effect(Effect::Send {
            ticket: self.tickets,
            body,
            schema: cx.env.schema.clone(),
        });
    }

    pub(super) fn answered(
        &mut self,
        ticket: u64,
        entry: &Entry,
        reply: &Result<Box<Reply>, String>,
    ) {
        let previous = self
            .past
            .history
            .entries()
            .iter()
            .find_map(|entry| entry.score);
        self.past.history.push(entry.clone());
        if self.focus == Focus::Past && self.past.filter.is_empty() {
            // The selected entry moved down by one.
            self.past.select_by(isize::from(self.past.selected > 0));
        }
        if self.waiting.is_some_and(|(latest, _)| latest == ticket) {
            self.waiting = None;
            self.awaited.shown = entry.request_id.as_deref().map(Awaited::new);
            self.shown = Some(Shown {
                entry: entry.clone(),
                reply: reply.clone(),
                previous,
                report: None,
            });
        }
    }

    /// The body as it would be sent now, for copying.
    pub(super) fn body(&self, schema: &Schema) -> String {
        self.form.parse(schema).map_or_else(
            |_| self.form.raw(schema),
            |features| features.to_json(schema),
        )
    }

    /// Asks first: a bench sends many calls, and somebody pays for them.
    pub(super) fn measure(&mut self, cx: &mut Cx) {
        let Ok(features) = self.form.parse(&cx.env.schema) else {
            return self.submit(cx);
        };
        let Some(endpoint) = endpoint(cx.env) else {
            return cx.toast(Tone::Warn, "the target has no endpoint to measure");
        };
        self.tickets += 1;
        let function = cx.env.session.value().map(|(session, _)| &session.function);
        let asked = Asked {
            ticket: self.tickets,
            body: features.to_json(&cx.env.schema),
            schema: cx.env.schema.clone(),
            endpoint: endpoint.authority(),
            function: function
                .filter(|name| !name.is_empty())
                .map(|name| clean(name)),
        };
        cx.open(BenchForm::new(asked));
    }

    /// Asks first: a sweep over the endpoint sends a call for each of its points.
    pub(super) fn sweep_endpoint(&mut self, cx: &mut Cx) {
        let Ok(features) = self.form.parse(&cx.env.schema) else {
            return self.submit(cx);
        };
        let Some(endpoint) = endpoint(cx.env) else {
            return cx.toast(Tone::Warn, "the target has no endpoint to sweep");
        };
        self.tickets += 1;
        let field = self.form.selected;
        let feature = &cx.env.schema.features[field];
        let n = values(feature, POINTS).len();
        let effect = Effect::Sweep {
            ticket: self.tickets,
            features,
            field,
            schema: cx.env.schema.clone(),
        };
        let question = format!(
            "Sweep {} with {n} predictions by {}?",
            feature.label,
            endpoint.authority()
        );
        let detail = format!(
            "one after the other, {}",
            charge(n, true, &cx.env.settings.prices)
        );
        cx.open(Confirm::new(question, detail, vec![effect.into()]));
    }

    /// The question was answered with yes: the chart shows what comes.
    pub(super) fn sweep_began(
        &mut self,
        ticket: u64,
        features: &Features,
        field: usize,
        total: usize,
    ) {
        self.charts.served = Some(Served::begin(ticket, features.clone(), field, total));
        self.view = View::WhatIf;
    }

    pub(super) fn swept(&mut self, ticket: u64, value: f64, score: &Result<f64, String>) {
        if let Some(served) = self.charts.served_by(ticket) {
            match score {
                Ok(score) => served.points.push((value, *score)),
                Err(_) => served.failed += 1,
            }
        }
    }

    pub(super) fn sweep_ended(&mut self, ticket: u64, error: Option<&String>, cx: &mut Cx) {
        if let Some(served) = self.charts.served_by(ticket) {
            served.running = false;
            if let Some(error) = error {
                cx.toast(Tone::Bad, format!("the sweep ended early: {error}"));
            }
        }
    }

    /// The question was answered with yes, or needed none: from now on the pane shows what comes.
    pub(super) fn bench_began(&mut self, ticket: u64, plan: Plan) {
        self.bench = Some(Bench::begin(ticket, plan));
        self.view = View::Bench;
    }

    /// Asks for a file of requests.
    pub(super) fn ask_for_table(&mut self, cx: &mut Cx) {
        self.tickets += 1;
        let local = self.local.clone().ok().map(LocalModel);
        let endpoint = endpoint(cx.env).map(|endpoint| endpoint.authority());
        if local.is_none() && endpoint.is_none() {
            return cx.toast(
                Tone::Warn,
                "neither an endpoint nor a local model to score with",
            );
        }
        let schema = cx.env.schema.clone();
        cx.open(BatchForm::new(self.tickets, schema, endpoint, local));
    }

    pub(super) fn batch_began(&mut self, ticket: u64, to: &Path) {
        self.batch = Some(Batch {
            ticket,
            to: to.to_owned(),
            tally: None,
            running: true,
        });
        self.view = View::Batch;
    }

    pub(super) fn batched(&mut self, ticket: u64, take: impl FnOnce(&mut Batch)) {
        if let Some(batch) = self.batch.as_mut().filter(|batch| batch.ticket == ticket) {
            take(batch);
        }
    }

    pub(super) fn compare_began(&mut self, ticket: u64, since: Timestamp) {
        self.comparing = Some(Comparing {
            ticket,
            since,
            result: None,
        });
        self.view = View::Compare;
    }

    /// Another connection: what was under way on the old one brings nothing any more.
    pub(super) fn disconnected(&mut self) {
        self.waiting = None;
        self.charts.served = None;
        self.architecture = None;
        self.awaited = Waiting::default();
        if let Some(batch) = &mut self.batch {
            batch.running = false;
        }
        if let Some(bench) = &mut self.bench {
            bench.running = false;
        }
        let pending = |comparing: &Comparing| comparing.result.is_none();
        if self
            .comparing
            .take_if(|comparing| pending(comparing))
            .is_some()
            && self.view == View::Compare
        {
            self.view = View::Answer;
        }
    }

    pub(super) fn benched(&mut self, ticket: u64, take: impl FnOnce(&mut Bench)) {
        if let Some(bench) = self.bench.as_mut().filter(|bench| bench.ticket == ticket) {
            take(bench);
        }
    }

    /// Asks gateway, function and local model; outside the sandbox a direct invocation is asked about first.
    pub(super) fn compare(&mut self, cx: &mut Cx) {
        let Ok(features) = self.form.parse(&cx.env.schema) else {
            return self.submit(cx);
        };
        self.tickets += 1;
        let local = self.local.clone().ok().map(LocalModel);
        let effect = Effect::Compare {
            ticket: self.tickets,
            features,
            schema: cx.env.schema.clone(),
            local,
        };
        match cx.env.session.value() {
            Some((session, _)) if session.sandbox => cx.effect(effect),
            Some((session, _)) => {
                let question = format!(
                    "Invoke {} directly as well as through its gateway?",
                    crate::ui::text::clean(&session.function)
                );
                cx.open(Confirm::new(
                    question,
                    "one prediction each way, billed as usual",
                    vec![effect.into()],
                ));
            }
            None => cx.toast(Tone::Warn, "not connected yet: try again in a moment"),
        }
    }

    pub(super) fn diff(&mut self, cx: &mut Cx) {
        let entries = self.past.history.entries();
        let Some(selected) = self.past.entry() else {
            return;
        };
        // The latest request is compared with the one before it, any other with the latest.
        let other = if entries[0].id == selected.id {
            entries.get(1)
        } else {
            entries.first()
        };
        match other {
            Some(other) => {
                let (old, new) = if other.id < selected.id {
                    (other, selected)
                } else {
                    (selected, other)
                };
                self.view = View::Diff(Box::new((old.clone(), new.clone())));
            }
            None => cx.toast(Tone::Warn, "a difference needs two requests"),
        }
    }

    pub(super) fn pin(&mut self, cx: &mut Cx) {
        let Some(id) = self.past.entry().map(|entry| entry.id.clone()) else {
            return;
        };
        self.past.history.toggle_pin(&id);
        if let Some(entry) = self
            .past
            .history
            .entries()
            .iter()
            .find(|entry| entry.id == id)
        {
            cx.effect(Effect::Keep(Box::new(entry.clone())));
        }
    }

    /// Fills the form from a remembered request.
    pub(super) fn load(&mut self, entry: &Entry, cx: &mut Cx) {
        match Pasted::parse(&cx.env.schema, &entry.body) {
            Ok(pasted) => {
                self.form.paste(&cx.env.schema, &pasted);
                // A time, not an age: the label stays as it is while the clock goes on.
                self.form.base_label = format!("request of {} UTC", entry.at.strftime("%H:%M:%S"));
                self.focus = Focus::Form;
                self.view = View::Answer;
            }
            Err(error) => {
                let key = cx.keymap.key(Scope::Predict, Action::Replay);
                let text = format!("cannot be loaded: {error}; {key} sends it as it was");
                cx.toast(Tone::Warn, text);
            }
        }
    }
}
