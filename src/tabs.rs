//! The tabs: one trait, one list. A tab is a view of what a headless command does.
//!
//! Adding a tab: a file in `tabs/` with a struct that implements [`Tab`], one line in [`all`],
//! a scope for its keys in [`Scope`](crate::keys::Scope). The tab bar, number keys, help,
//! footer and palette follow from the trait.

pub mod lambda;
pub mod logs;
pub mod predict;
pub mod retrain;

use std::borrow::Cow;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tokio::time::Instant;

use crate::app::{Env, Toast};
use crate::effects::{Effect, Event};
use crate::keys::{Action, Keymap, Scope};
use crate::overlay::Overlay;
use crate::ui::hyperlink::Hyperlink;
use crate::ui::theme::{Glyphs, Theme, ThemeName, Tone};

/// The tabs' scopes in screen order.
pub const ORDER: [Scope; COUNT] = [Scope::Predict, Scope::Logs, Scope::Lambda, Scope::Retrain];

/// How many tabs there are, and so how many figures open one.
pub const COUNT: usize = 4;

/// The figure that opens the tab of this scope; empty for none.
pub fn figure(scope: Scope) -> String {
    let at = ORDER.iter().position(|tab| *tab == scope);
    at.map_or_else(String::new, |at| (at + 1).to_string())
}

/// The tabs in screen order; keys `1`, `2`, … follow it.
pub fn all(env: &Env) -> [Box<dyn Tab>; COUNT] {
    [
        Box::new(predict::Predict::new(env)),
        Box::new(logs::Logs::new(env)),
        Box::new(lambda::Lambda::new(env)),
        Box::new(retrain::Retrain::new(env)),
    ]
}

/// One screen of the cockpit: hears events, answers keys with [effects](Effect), draws itself without changing.
pub trait Tab {
    /// The word in the tab bar.
    fn title(&self) -> &'static str;

    /// Whose key bindings hold here.
    fn scope(&self) -> Scope;

    /// What can be done now, most useful first; the only source of footer, help and palette.
    fn offers(&self) -> Vec<Offer>;

    /// Draws the tab; pure in (self, area, look). Returns where the text cursor belongs while a field is edited.
    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position>;

    /// A bound key was pressed, or a palette line chosen.
    fn on_action(&mut self, action: Action, cx: &mut Cx);

    /// The tab has come to the front.
    fn on_open(&mut self, _cx: &mut Cx) {}

    /// A raw key before the keymap sees it: true if an open text field took it.
    fn on_key(&mut self, _key: KeyEvent, _cx: &mut Cx) -> bool {
        false
    }

    /// Whether a text field is open that takes every letter, so that no letter is a command.
    fn is_typing(&self) -> bool {
        false
    }

    /// Pasted text (bracketed paste): true if the tab took it.
    fn on_paste(&mut self, _text: &str, _cx: &mut Cx) -> bool {
        false
    }

    /// The terminal has another size; the new body is in `cx`.
    fn on_resize(&mut self, _cx: &mut Cx) {}

    /// Something came from outside; every tab hears everything and ignores what is not its own.
    fn on_event(&mut self, _event: &Event, _cx: &mut Cx) {}

    /// A left click inside the body.
    fn on_click(&mut self, _at: Position, _cx: &mut Cx) {}

    /// The wheel over the body: lines down (positive) or up.
    fn on_scroll(&mut self, _at: Position, _lines: i32, _cx: &mut Cx) {}

    /// A short mark behind the title in the tab bar.
    fn badge(&self) -> Option<(String, Tone)> {
        None
    }

    /// When the tab wants to be drawn again though nothing happened (a spinner, an age); `None` lets the program sleep.
    fn wake_at(&self, _now: Now) -> Option<Instant> {
        None
    }
}

/// Something that can be done: an action, what it does here, and why not if not.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The action; its key comes from the keymap.
    pub action: Action,
    /// What it is called here, in one to three words.
    pub label: Cow<'static, str>,
    /// What it does here, in a few words.
    pub about: &'static str,
    /// `Err` says why it cannot be done now.
    pub ready: Result<(), Cow<'static, str>>,
}

impl Offer {
    /// Can be done now.
    pub fn new(action: Action, label: impl Into<Cow<'static, str>>) -> Self {
        Self {
            action,
            label: label.into(),
            about: action.about(),
            ready: Ok(()),
        }
    }

    /// Does here what `about` says, which is more than the action's own words.
    #[must_use]
    pub const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// Can be done only if `ready` is; otherwise its error is shown.
    #[must_use]
    pub fn ready_if(mut self, ready: Result<(), String>) -> Self {
        self.ready = ready.map_err(Cow::Owned);
        self
    }

    /// Can be done only if `condition` holds; otherwise `why_not` is shown.
    #[must_use]
    pub fn only_if(mut self, condition: bool, why_not: impl Into<Cow<'static, str>>) -> Self {
        if !condition {
            self.ready = Err(why_not.into());
        }
        self
    }
}

/// Both clocks, read once per turn of the loop: monotonic for pacing, wall for ages and timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// For intervals and wake-ups.
    pub mono: Instant,
    /// For what people read.
    pub wall: Timestamp,
}

/// What drawing may read: colours, glyphs, keys, the time, the environment. Nothing in it changes while drawing.
pub struct Look<'a> {
    /// Styles by role.
    pub theme: &'a Theme,
    /// Glyphs by capability.
    pub glyphs: &'a Glyphs,
    /// For printing keys.
    pub keymap: &'a Keymap,
    /// The time of this frame.
    pub now: Now,
    /// Target, schema and what else all tabs share.
    pub env: &'a Env,
}

impl Look<'_> {
    /// The spinner's frame for work that began at `since`; empty for the first 150 ms.
    pub fn spinner(&self, since: Timestamp) -> &'static str {
        let elapsed = self.now.wall.as_millisecond() - since.as_millisecond();
        if elapsed < 150 {
            return "";
        }
        let frames = self.glyphs.spinner;
        frames[(elapsed / 100) as usize % frames.len()]
    }
}

/// What an update may do besides changing its own state: ask for effects, say something, open an overlay, tell other tabs.
pub struct Cx<'a> {
    /// The time of this turn.
    pub now: Now,
    /// The body's area of the last layout: for hits and page sizes.
    pub body: Rect,
    /// The whole screen: for overlays.
    pub screen: Rect,
    /// For keys in open texts, and for printing them.
    pub keymap: &'a Keymap,
    /// Target, schema and what else all tabs share.
    pub env: &'a Env,
    pub(crate) asked: &'a mut Asked,
}

/// What an update asked for besides changing its own state.
#[derive(Default)]
pub(crate) struct Asked {
    pub effects: Vec<Effect>,
    pub toasts: Vec<Toast>,
    pub opened: Vec<Box<dyn Overlay>>,
    pub told: Vec<Event>,
    pub goto: Option<Scope>,
    pub theme: Option<ThemeName>,
}

impl Cx<'_> {
    /// Asks for something to be done outside.
    pub fn effect(&mut self, effect: impl Into<Effect>) {
        self.asked.effects.push(effect.into());
    }

    /// Says something in the corner for a few seconds.
    pub fn toast(&mut self, tone: Tone, text: impl Into<String>) {
        self.asked.toasts.push(Toast::new(tone, text, self.now));
    }

    /// Copies text to the clipboard (OSC 52) and says what was copied.
    pub fn copy(&mut self, text: impl Into<String>, what: &str) {
        self.asked.effects.push(Effect::Copy(text.into()));
        self.toast(Tone::Good, format!("copied {what}"));
    }

    /// Copies a web address and says so; in terminals that know links (OSC 8) that sentence is one.
    pub fn copy_link(&mut self, address: String, what: &str) {
        let toast = Toast::new(Tone::Good, format!("copied {what}"), self.now)
            .with_link(Hyperlink::new(&address), self.now);
        self.asked.effects.push(Effect::Copy(address));
        self.asked.toasts.push(toast);
    }

    /// Opens an overlay on top.
    pub fn open(&mut self, overlay: impl Overlay + 'static) {
        self.asked.opened.push(Box::new(overlay));
    }

    /// Tells every tab something, in this same turn.
    pub fn tell(&mut self, event: Event) {
        self.asked.told.push(event);
    }

    /// Brings the tab with this scope to the front.
    pub fn go_to(&mut self, scope: Scope) {
        self.asked.goto = Some(scope);
    }

    /// Changes the colours from the next frame on.
    pub fn wear(&mut self, theme: ThemeName) {
        self.asked.theme = Some(theme);
    }
}
