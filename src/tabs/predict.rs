//! The Predict tab: fill in the features, send them, see the score and where its time went.

pub mod answer;
pub mod batch;
pub mod bench;
mod bench_form;
pub mod charts;
pub mod compare;
pub mod explain;
pub mod fields;
mod following;
pub mod form;
mod heard;
pub mod layout;
pub mod menu;
mod menus;
mod moves;
mod offers;
pub mod past;
mod requests;
pub mod tornado;
mod typing;
pub mod what_if;

pub use self::menu::Choice;

use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tokio::time::Instant;

use self::answer::Shown;
use self::batch::Batch;
use self::bench::Bench;
use self::charts::Charts;
use self::compare::Comparing;
use self::fields::Hit;
use self::form::Form;
use self::heard::Waiting;
use self::layout::{Panes, panes};
use self::menus::menu_of_copies;
use self::offers::offers;
use self::past::Past;
use crate::app::Env;
use crate::champion::Local;
use crate::client::predict::Endpoint;
use crate::client::tail::TailUpdate;
use crate::domain::cost::Architecture;
use crate::domain::paste::Pasted;
use crate::effects;
use crate::effects::predict::Effect;
use crate::effects::{lambda, logs};
use crate::history::Entry;
use crate::keys::{Action, Scope};
use crate::tabs::{Cx, Look, Now, Offer, Tab};
use crate::ui::theme::Tone;

/// The Predict tab's state.
pub struct Predict {
    form: Form,
    focus: Focus,
    /// Whether figures go into the selected field instead of switching tabs.
    typing: bool,
    shown: Option<Shown>,
    /// The request on its way and when it left.
    waiting: Option<(u64, Timestamp)>,
    tickets: u64,
    past: Past,
    view: View,
    /// The model on this machine, or why there is none.
    local: Result<Local, String>,
    charts: Charts,
    comparing: Option<Comparing>,
    /// What the function runs on, once the function was read.
    architecture: Option<Architecture>,
    awaited: Waiting,
    bench: Option<Bench>,
    batch: Option<Batch>,
    opened: bool,
    /// Said once.
    history_lost: bool,
}

/// Which pane hears the arrows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    Form,
    Past,
}

/// What is shown besides form and history.
#[derive(Debug, Clone, PartialEq)]
enum View {
    Answer,
    WhatIf,
    Tornado,
    Explain,
    Compare,
    Bench,
    Batch,
    /// Two entries, the older first.
    Diff(Box<(Entry, Entry)>),
}

impl Predict {
    /// The tab as it starts: the schema's first preset in the form.
    pub fn new(env: &Env) -> Self {
        Self {
            form: Form::new(&env.schema),
            focus: Focus::Form,
            typing: false,
            shown: None,
            waiting: None,
            tickets: 0,
            past: Past::new(env.schema.clone()),
            view: View::Answer,
            local: Err("the local model is still being loaded".to_owned()),
            charts: Charts::default(),
            comparing: None,
            architecture: None,
            awaited: Waiting::default(),
            bench: None,
            batch: None,
            opened: false,
            history_lost: false,
        }
    }

    fn panes(&self, area: Rect) -> Panes {
        let opened = matches!(self.view, View::WhatIf | View::Tornado | View::Explain);
        panes(area, self.form.fields.len() as u16, opened)
    }

    /// The pane that shows the history: its own, or the answer's while it is in front.
    fn past_pane(&self, panes: &Panes) -> Option<Rect> {
        let in_front = (self.focus == Focus::Past).then_some(panes.answer);
        panes.past.or(in_front)
    }
}

fn endpoint(env: &Env) -> Option<Endpoint> {
    let (session, _) = env.session.value()?;
    Endpoint::parse(&session.endpoint).ok()
}

impl Tab for Predict {
    fn title(&self) -> &'static str {
        "Predict"
    }

    fn scope(&self) -> Scope {
        Scope::Predict
    }

    fn offers(&self) -> Vec<Offer> {
        offers(self)
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let panes = self.panes(area);
        let schema = &look.env.schema;
        let in_form = self.focus == Focus::Form;
        let mut cursor = fields::render(
            &self.form,
            schema,
            in_form,
            self.typing,
            panes.form,
            buf,
            look,
        );
        let waiting = self.waiting.map(|(_, since)| since);
        match &self.view {
            _ if panes.past.is_none() && !in_form => {
                cursor = past::render(&self.past, true, panes.answer, buf, look);
            }
            View::Diff(pair) => {
                past::render_diff(schema, &pair.0, &pair.1, panes.answer, buf, look);
            }
            View::Bench => bench::render(self.bench.as_ref(), panes.answer, buf, look),
            View::Batch => batch::render(self.batch.as_ref(), panes.answer, buf, look),
            View::Compare => compare::render(
                self.comparing.as_ref(),
                self.architecture,
                panes.answer,
                buf,
                look,
            ),
            view @ (View::WhatIf | View::Tornado | View::Explain) if panes.chart.is_none() => {
                self.chart(view, true, panes.answer, buf, look);
            }
            _ => answer::render(self.shown.as_ref(), waiting, panes.answer, buf, look),
        }
        if let Some(rect) = panes.what_if {
            self.chart(&View::WhatIf, false, rect, buf, look);
        }
        if let Some(rect) = panes.tornado {
            self.chart(&View::Tornado, false, rect, buf, look);
        }
        if let Some(rect) = panes.chart {
            self.chart(&self.view, true, rect, buf, look);
        }
        if let Some(rect) = panes.past {
            cursor = past::render(&self.past, !in_form, rect, buf, look).or(cursor);
        }
        cursor
    }

    fn on_open(&mut self, cx: &mut Cx) {
        if !std::mem::replace(&mut self.opened, true) {
            cx.effect(Effect::LoadHistory);
            cx.effect(Effect::LoadLocal);
        }
    }

    fn on_action(&mut self, action: Action, cx: &mut Cx) {
        let schema = cx.env.schema.clone();
        match action {
            Action::SendRaw => self.send(self.form.raw(&schema), cx),
            Action::Presets => cx.open(self.menu_of_presets(&schema)),
            Action::Copy => cx.open(menu_of_copies()),
            Action::CopyMore => cx.copy(self.body(&schema), "the body"),
            Action::Undo => drop(self.form.undo(&schema)),
            Action::Compare => self.compare(cx),
            Action::Bench => self.measure(cx),
            Action::WhatIf => self.toggle_view(View::WhatIf),
            Action::Tornado => self.toggle_view(View::Tornado),
            Action::Explain => self.toggle_view(View::Explain),
            Action::Sweep => self.sweep_endpoint(cx),
            Action::Batch => self.ask_for_table(cx),
            Action::NextField | Action::PreviousField => {
                self.focus = if self.focus == Focus::Form {
                    Focus::Past
                } else {
                    Focus::Form
                };
                self.typing = false;
            }
            Action::Back => self.back(cx),
            Action::Replay | Action::Refresh => {
                let entry = if self.focus == Focus::Past {
                    self.past.entry()
                } else {
                    self.past.history.entries().first()
                };
                if let Some(body) = entry.map(|entry| entry.body.clone()) {
                    self.send(body, cx);
                }
            }
            Action::Diff => self.diff(cx),
            Action::Pin if self.focus == Focus::Past => self.pin(cx),
            action if self.focus == Focus::Past => self.past_action(action, cx),
            Action::Submit => self.submit(cx),
            action => self.form_action(action, &schema, cx),
        }
        self.follow(cx);
    }

    fn on_key(&mut self, key: KeyEvent, cx: &mut Cx) -> bool {
        let schema = cx.env.schema.clone();
        if self.past.typing.is_some() {
            self.filter_key(key, cx);
            return true;
        }
        let taken = match (self.focus, &self.form.editing) {
            (Focus::Form, Some(_)) => self.field_key(key, cx),
            (Focus::Form, None) => self.begin_field(key, &schema),
            _ => false,
        };
        if taken {
            self.follow(cx);
        }
        taken
    }

    fn is_typing(&self) -> bool {
        self.past.typing.is_some() || self.is_in_field()
    }

    fn on_paste(&mut self, text: &str, cx: &mut Cx) -> bool {
        let schema = cx.env.schema.clone();
        if self.paste_value(text, &schema) {
            self.follow(cx);
            return true;
        }
        match Pasted::parse(&schema, text) {
            Ok(pasted) => {
                self.form.paste(&schema, &pasted);
                self.focus = Focus::Form;
                cx.toast(Tone::Good, pasted.summary(&schema));
            }
            Err(error) => cx.toast(Tone::Warn, error.to_string()),
        }
        self.follow(cx);
        true
    }

    fn on_event(&mut self, event: &effects::Event, cx: &mut Cx) {
        match event {
            effects::Event::Connected(_) => self.disconnected(),
            effects::Event::Champion(Some(version)) => self.follow_champion(version, cx),
            effects::Event::Predict(event) => self.heard(event, cx),
            effects::Event::Logs(logs::Event::Tail(_, TailUpdate::Events(batch))) => {
                return self.overheard(&batch.events);
            }
            effects::Event::Lambda(lambda::Event::Described {
                overview: Ok(overview),
                ..
            }) => {
                let config = overview.config.known();
                self.architecture = config.map(|c| Architecture::from_aws(&c.architecture));
            }
            _ => return,
        }
        self.follow(cx);
    }

    fn on_click(&mut self, at: Position, cx: &mut Cx) {
        let schema = cx.env.schema.clone();
        let panes = self.panes(cx.body);
        if let Some(hit) = fields::hit(&self.form, &schema, panes.form, at) {
            self.focus = Focus::Form;
            self.typing = true;
            match hit {
                Hit::Field(field) => self.form.select(field),
                Hit::Value(field, value) => {
                    self.form.select(field);
                    self.form.put(&schema, value);
                }
            }
        } else if let Some(pane) = self.past_pane(&panes).filter(|pane| pane.contains(at)) {
            self.focus = Focus::Past;
            self.form.close_edit();
            self.typing = false;
            if let Some(entry) = past::hit(&self.past, pane, at) {
                self.past.selected = entry;
            }
        }
        self.follow(cx);
    }

    fn on_scroll(&mut self, at: Position, lines: i32, cx: &mut Cx) {
        let panes = self.panes(cx.body);
        if self.past_pane(&panes).is_some_and(|pane| pane.contains(at)) {
            self.past.select_by(lines as isize);
        } else if panes.form.contains(at) {
            self.form.select_by(lines.signum() as isize);
            self.follow(cx);
        }
    }

    fn wake_at(&self, now: Now) -> Option<Instant> {
        let asking = self
            .comparing
            .as_ref()
            .is_some_and(|comparing| comparing.result.is_none())
            && self.view == View::Compare;
        if self.waiting.is_some() || asking {
            return Some(now.mono + Duration::from_millis(100));
        }
        let newest = self.past.history.entries().first()?.at;
        let seconds = now.wall.as_second() - newest.as_second();
        // Ages change every second at first, every minute later.
        Some(now.mono + Duration::from_secs(if seconds < 120 { 1 } else { 60 }))
    }
}
