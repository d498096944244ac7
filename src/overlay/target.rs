//! `T`: switch target, profile, region and function live; what has to be read or listed is shown in place, with its age.

mod choices;
mod drawing;

use std::time::Duration;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Clear, Widget};
use tokio::time::Instant;

use self::choices::Choice;
use self::drawing::{frame, pane_rects};
use super::{Overlay, Verdict, inside};
use crate::app::Env;
use crate::client::destination::Destination;
use crate::client::profiles::Profile;
use crate::config::Settings;
use crate::effects::target::{Effect, Event};
use crate::effects::{Effect as AnyEffect, Event as AnyEvent};
use crate::keys::Action;
use crate::remote::Remote;
use crate::tabs::{Cx, Look, Now};
use crate::ui::panel::panel;
use crate::ui::text::width;
use crate::ui::theme::Tone;

/// What can be chosen, in the order of the panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pane {
    Target,
    Profile,
    Region,
    Function,
}

const PANES: [(Pane, &str); 4] = [
    (Pane::Target, "Target"),
    (Pane::Profile, "Profile"),
    (Pane::Region, "Region"),
    (Pane::Function, "Function"),
];

/// Four lists, one in view; Enter connects to what is chosen in all of them.
pub struct TargetPicker {
    pane: usize,
    wanted: Destination,
    /// The target that is connected.
    current: String,
    profiles: Remote<Vec<Profile>>,
    functions: Remote<Vec<String>>,
    /// Where the functions were asked for.
    place: Option<Destination>,
    nothing: Remote<Vec<String>>,
}

impl TargetPicker {
    /// Opened at what is connected, or on its way; reads the AWS files at once.
    pub fn open(env: &Env, cx: &mut Cx) {
        let current = env.session.value();
        let mut picker = Self {
            pane: 0,
            wanted: env.destination.clone(),
            current: current.map_or_else(String::new, |(session, _)| session.target.clone()),
            profiles: Remote::Idle,
            functions: Remote::Idle,
            place: None,
            nothing: Remote::Idle,
        };
        picker.profiles.load(cx.now.wall);
        cx.effect(Effect::Profiles);
        cx.open(picker);
    }

    fn pane(&self) -> Pane {
        PANES[self.pane].0
    }

    /// The functions of the place that is wanted, not of another.
    fn listed(&self) -> &Remote<Vec<String>> {
        if self.place.as_ref() == Some(&self.wanted.place()) {
            &self.functions
        } else {
            &self.nothing
        }
    }

    /// What was chosen instead of the configured value.
    fn wanted_in(&self, pane: Pane) -> Option<&String> {
        match pane {
            Pane::Target => Some(&self.wanted.target),
            Pane::Profile => self.wanted.profile.as_ref(),
            Pane::Region => self.wanted.region.as_ref(),
            Pane::Function => self.wanted.function.as_ref(),
        }
    }

    /// The row of what is wanted.
    fn selected(&self, choices: &[Choice]) -> usize {
        let wanted = self.wanted_in(self.pane());
        let at = choices
            .iter()
            .position(|choice| choice.value.as_ref() == wanted);
        at.unwrap_or(0)
    }

    fn choose(&mut self, choice: &Choice) {
        let value = choice.value.clone();
        match self.pane() {
            Pane::Target => self.wanted = Destination::from(value.unwrap_or_default()),
            Pane::Profile => self.wanted.profile = value,
            Pane::Region => self.wanted.region = value,
            Pane::Function => self.wanted.function = value,
        }
    }

    fn step(&mut self, by: isize, settings: &Settings) {
        let Ok(choices) = self.choices(self.pane(), settings) else {
            return;
        };
        let last = choices.len().saturating_sub(1);
        let at = self.selected(&choices).saturating_add_signed(by).min(last);
        if let Some(choice) = choices.get(at) {
            self.choose(choice);
        }
    }

    fn show(&mut self, pane: usize, cx: &mut Cx) {
        self.pane = pane;
        let known = self.listed().value().is_some() || self.listed().is_loading();
        if self.pane() == Pane::Function && !known {
            self.list(cx);
        }
    }

    /// Lists the functions of the place that is wanted.
    fn list(&mut self, cx: &mut Cx) {
        if self.choices(Pane::Function, &cx.env.settings).is_err() {
            return;
        }
        let place = self.wanted.place();
        if self.place.as_ref() != Some(&place) {
            self.functions = Remote::Idle;
        }
        self.functions.load(cx.now.wall);
        self.place = Some(place.clone());
        cx.effect(Effect::Functions(place));
    }

    fn refresh(&mut self, cx: &mut Cx) {
        if self.pane() == Pane::Function {
            self.list(cx);
        } else {
            self.profiles.load(cx.now.wall);
            cx.effect(Effect::Profiles);
        }
    }

    /// The failure in view.
    fn error(&self) -> Option<&str> {
        match self.pane() {
            Pane::Profile => self.profiles.error(),
            Pane::Function => self.listed().error(),
            Pane::Target | Pane::Region => None,
        }
    }

    /// The command that a failure names as its remedy.
    fn remedy(&self) -> Option<&str> {
        let (_, rest) = self.error()?.split_once('`')?;
        rest.split_once('`').map(|(command, _)| command)
    }
}

impl Overlay for TargetPicker {
    fn on_key(&mut self, _key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        let settings = cx.env.settings.clone();
        let page = isize::try_from(self.rows_area(cx.screen).height).unwrap_or(1);
        match action {
            Some(Action::Up) => self.step(-1, &settings),
            Some(Action::Down) => self.step(1, &settings),
            Some(Action::PageUp) => self.step(-page, &settings),
            Some(Action::PageDown) => self.step(page, &settings),
            Some(Action::Top) => self.step(isize::MIN, &settings),
            Some(Action::Bottom) => self.step(isize::MAX, &settings),
            Some(Action::NextField | Action::Right) => self.show((self.pane + 1) % PANES.len(), cx),
            Some(Action::PreviousField | Action::Left) => {
                self.show((self.pane + PANES.len() - 1) % PANES.len(), cx);
            }
            Some(Action::Refresh) => self.refresh(cx),
            Some(Action::Copy) => match self.remedy() {
                Some(command) => cx.copy(command.to_owned(), "the command"),
                None => cx.toast(Tone::Muted, "there is no command to copy"),
            },
            Some(Action::Submit) => {
                cx.effect(AnyEffect::Connect(self.wanted.clone()));
                return Verdict::Close;
            }
            Some(Action::Back | Action::Target | Action::Quit) => return Verdict::Close,
            _ => {}
        }
        Verdict::Stay
    }

    fn on_click(&mut self, at: Position, cx: &mut Cx) -> Verdict {
        let frame = frame(cx.screen);
        if !frame.contains(at) {
            return Verdict::Close;
        }
        if let Some(pane) = pane_rects(inside(frame))
            .iter()
            .position(|rect| rect.contains(at))
        {
            self.show(pane, cx);
            return Verdict::Stay;
        }
        let settings = cx.env.settings.clone();
        let Ok(choices) = self.choices(self.pane(), &settings) else {
            return Verdict::Stay;
        };
        let selected = self.selected(&choices);
        match self.rows(&choices, cx.screen).at(at) {
            Some(row) if row == selected => {
                cx.effect(AnyEffect::Connect(self.wanted.clone()));
                return Verdict::Close;
            }
            Some(row) => self.choose(&choices[row]),
            None => {}
        }
        Verdict::Stay
    }

    fn on_scroll(&mut self, lines: i32, cx: &mut Cx) {
        self.step(lines.signum() as isize, &cx.env.settings.clone());
    }

    fn on_event(&mut self, event: &AnyEvent, cx: &mut Cx) {
        match event {
            AnyEvent::Target(Event::Profiles(found)) => {
                self.profiles.resolve(found.clone(), cx.now.wall);
            }
            AnyEvent::Target(Event::Functions { place, names })
                if self.place.as_ref() == Some(place) =>
            {
                self.functions.resolve(names.clone(), cx.now.wall);
            }
            _ => {}
        }
    }

    fn wake_at(&self, now: Now) -> Option<Instant> {
        let loading = self.profiles.is_loading() || self.functions.is_loading();
        let pace = if loading { 100 } else { 1000 };
        Some(now.mono + Duration::from_millis(pace))
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let frame = frame(area);
        Clear.render(frame, buf);
        let inner = panel(" Target ", true, frame, buf, look);
        for (pane, rect) in pane_rects(inner).into_iter().enumerate() {
            let style = if pane == self.pane {
                look.theme.selected.patch(look.theme.accent)
            } else {
                look.theme.text
            };
            Line::styled(format!(" {} ", PANES[pane].1), style)
                .render(rect.intersection(inner), buf);
        }
        let state = self.state(look);
        let cells = (width(&state) as u16).min(inner.width);
        let right = Rect {
            x: inner.right() - cells,
            width: cells,
            height: 1,
            ..inner
        };
        Line::styled(state, look.theme.muted).render(right.intersection(inner), buf);
        self.list_pane(area, buf, look);
        self.foot(inner, buf, look);
        None
    }
}
