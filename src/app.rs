//! The app: tabs, overlays, toasts. A message comes in, effects go out; drawing only reads.

mod heard;
mod input;

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event as TermEvent, KeyEventKind};
use ratatui::layout::Rect;
use tokio::time::Instant;

use crate::client::destination::Destination;
use crate::client::link::Session;
use crate::config::{SANDBOX, Settings};
use crate::domain::schema::Schema;
use crate::effects::{Effect, Event};
use crate::keys::{Action, Keymap, Scope};
use crate::overlay::Overlay;
use crate::remote::Remote;
use crate::sandbox::Incident;
use crate::tabs::{self, Asked, Cx, Look, Now, Offer, Tab};
use crate::ui;
use crate::ui::hyperlink::Hyperlink;
use crate::ui::theme::{Glyphs, Theme, Tone};

/// Everything that can happen: a terminal event, an outside event, a wake-up that the app asked for.
#[derive(Debug)]
pub enum Msg {
    /// Key, mouse, paste, resize.
    Term(TermEvent),
    /// From a task.
    Event(Event),
    /// It is the time that [`App::wake_at`] named.
    Tick,
}

/// What all tabs share and none of them changes.
#[derive(Debug, Clone)]
pub struct Env {
    /// Everything the user configured.
    pub settings: Arc<Settings>,
    /// The model's features, bands and presets.
    pub schema: Arc<Schema>,
    /// Who and where we are connected to.
    pub session: Remote<Session>,
    /// Where the connection leads, or the one under way.
    pub destination: Destination,
    /// The target that a connection is under way to.
    pub connecting: Option<String>,
    /// The sandbox's incident, if one is on.
    pub incident: Option<Incident>,
}

/// A sentence over the footer. It goes away by itself, but for bad news: that stays until Esc.
#[derive(Debug, Clone, PartialEq)]
pub struct Toast {
    /// Good news or bad.
    pub tone: Tone,
    /// The sentence.
    pub text: String,
    /// Where a click on it leads, in terminals that know links.
    pub link: Option<Hyperlink>,
    until: Option<Instant>,
}

/// Long enough to reach for the mouse.
const LINK_STAYS: Duration = Duration::from_secs(12);

impl Toast {
    /// A toast that stays for four seconds, bad news until it is put away.
    pub fn new(tone: Tone, text: impl Into<String>, now: Now) -> Self {
        Self {
            tone,
            text: text.into(),
            link: None,
            until: (tone != Tone::Bad).then(|| now.mono + Duration::from_secs(4)),
        }
    }

    /// The same sentence as a link, which stays longer.
    #[must_use]
    pub fn with_link(self, link: Option<Hyperlink>, now: Now) -> Self {
        let until = self.until.map(|until| match link {
            Some(_) => now.mono + LINK_STAYS,
            None => until,
        });
        Self {
            link,
            until,
            ..self
        }
    }

    /// Whether it waits for Esc.
    pub const fn stays(&self) -> bool {
        self.until.is_none()
    }
}

/// The whole program between two frames.
pub struct App {
    pub(crate) env: Arc<Env>,
    pub(crate) tabs: Vec<Box<dyn Tab>>,
    pub(crate) active: usize,
    pub(crate) overlays: Vec<Box<dyn Overlay>>,
    pub(crate) toasts: Vec<Toast>,
    pub(crate) keymap: Arc<Keymap>,
    pub(crate) theme: Theme,
    pub(crate) glyphs: Glyphs,
    pub(crate) size: Rect,
}

impl App {
    /// The app before its first message, on a terminal of `size`.
    pub fn new(settings: Arc<Settings>, schema: Arc<Schema>, keymap: Keymap, size: Rect) -> Self {
        let theme = Theme::named(settings.theme);
        let glyphs = if settings.ascii {
            Glyphs::ASCII
        } else {
            Glyphs::UTF8
        };
        let sandboxed = settings.target == SANDBOX;
        let incident = settings.sandbox.incident.filter(|_| sandboxed);
        let destination = Destination::from(settings.target.as_str());
        let env = Arc::new(Env {
            settings,
            schema,
            session: Remote::Idle,
            destination,
            connecting: None,
            incident,
        });
        let tabs = tabs::all(&env);
        let shows_file = env.settings.log_file.is_some();
        let logs = tabs.iter().position(|tab| tab.scope() == Scope::Logs);
        Self {
            active: logs.filter(|_| shows_file).unwrap_or(0),
            tabs: tabs.into(),
            overlays: Vec::new(),
            toasts: Vec::new(),
            keymap: Arc::new(keymap),
            theme,
            glyphs,
            size,
            env,
        }
    }

    /// The first effects: connect to the configured target.
    pub fn start(&mut self, now: Now) -> Vec<Effect> {
        let target = Destination::from(self.env.settings.target.as_str());
        self.with_cx(now, |app, cx| {
            cx.effect(Effect::Connect(target));
            app.tabs[app.active].on_open(cx);
        })
    }

    /// Says something over the footer.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>, now: Now) {
        self.toasts.push(Toast::new(tone, text, now));
    }

    /// Takes one message in and says what to do outside.
    pub fn update(&mut self, msg: Msg, now: Now) -> Vec<Effect> {
        self.toasts
            .retain(|toast| toast.until.is_none_or(|until| until > now.mono));
        match msg {
            Msg::Term(TermEvent::Key(key)) if key.kind != KeyEventKind::Release => {
                self.on_key(key, now)
            }
            Msg::Term(TermEvent::Paste(text)) => self.on_paste(&text, now),
            Msg::Term(TermEvent::Mouse(mouse)) => self.on_mouse(mouse, now),
            Msg::Term(TermEvent::Resize(width, height)) => {
                self.size = Rect::new(0, 0, width, height);
                self.with_cx(now, |app, cx| {
                    for tab in &mut app.tabs {
                        tab.on_resize(cx);
                    }
                })
            }
            Msg::Event(event) => self.on_event(event, now),
            Msg::Term(_) | Msg::Tick => Vec::new(),
        }
    }

    /// When to be woken though nothing happens: a spinner, an age, a toast's end.
    pub fn wake_at(&self, now: Now) -> Option<Instant> {
        let toast = self.toasts.iter().filter_map(|toast| toast.until).min();
        let spinner = self
            .env
            .session
            .is_loading()
            .then(|| now.mono + Duration::from_millis(100));
        let overlay = self
            .overlays
            .last()
            .and_then(|overlay| overlay.wake_at(now));
        [toast, spinner, overlay, self.tabs[self.active].wake_at(now)]
            .into_iter()
            .flatten()
            .min()
    }

    /// What can be done on the active tab and everywhere, most useful first.
    pub fn offers(&self) -> Vec<(Scope, Offer)> {
        let scope = self.tabs[self.active].scope();
        let own = self.tabs[self.active]
            .offers()
            .into_iter()
            .map(|offer| (scope, offer));
        own.chain(
            global_offers()
                .into_iter()
                .map(|offer| (Scope::Global, offer)),
        )
        .collect()
    }

    /// What drawing may read.
    pub fn look(&self, now: Now) -> Look<'_> {
        Look {
            theme: &self.theme,
            glyphs: &self.glyphs,
            keymap: &self.keymap,
            now,
            env: &self.env,
        }
    }

    /// Runs an update that may ask for effects, toasts, overlays and a change of tab, and applies what it asked for.
    fn with_cx(&mut self, now: Now, update: impl FnOnce(&mut Self, &mut Cx)) -> Vec<Effect> {
        let mut asked = Asked::default();
        self.in_cx(now, &mut asked, update);
        while !asked.told.is_empty() {
            let event = asked.told.remove(0);
            self.in_cx(now, &mut asked, |app, cx| {
                app.note(&event, cx);
                app.spread(&event, cx);
            });
        }
        if let Some(index) = asked
            .goto
            .take()
            .and_then(|scope| self.tabs.iter().position(|tab| tab.scope() == scope))
        {
            self.in_cx(now, &mut asked, |app, cx| app.open_tab(index, cx));
        }
        if let Some(theme) = asked.theme {
            self.theme = Theme::named(theme);
        }
        self.overlays.extend(asked.opened);
        for toast in asked.toasts {
            self.toasts.retain(|old| old.text != toast.text);
            self.toasts.push(toast);
        }
        let surplus = self.toasts.len().saturating_sub(4);
        self.toasts.drain(..surplus);
        self.expect_connection(&asked.effects, now);
        asked.effects
    }

    /// Lends what an update needs: the environment is shared, so that tabs may read it while they change.
    fn in_cx(&mut self, now: Now, asked: &mut Asked, update: impl FnOnce(&mut Self, &mut Cx)) {
        let (env, keymap) = (Arc::clone(&self.env), Arc::clone(&self.keymap));
        let body = ui::areas(self.size).body;
        let mut cx = Cx {
            now,
            body,
            screen: self.size,
            keymap: &keymap,
            env: &env,
            asked,
        };
        update(self, &mut cx);
    }

    /// Whoever asked for a connection, the header says where it goes until it is there.
    fn expect_connection(&mut self, effects: &[Effect], now: Now) {
        let wanted = effects.iter().rev().find_map(|effect| match effect {
            Effect::Connect(target) => Some(target),
            _ => None,
        });
        if let Some(target) = wanted {
            let env = Arc::make_mut(&mut self.env);
            env.session.load(now.wall);
            env.connecting = Some(target.target.clone());
            env.destination = target.clone();
        }
    }
}

/// What works on every tab.
pub fn global_offers() -> Vec<Offer> {
    vec![
        Offer::new(Action::Help, "help"),
        Offer::new(Action::Palette, "commands"),
        Offer::new(Action::Doctor, "doctor"),
        Offer::new(Action::Alerts, "alerts"),
        Offer::new(Action::Target, "target"),
        Offer::new(Action::NextTab, "next tab"),
        Offer::new(Action::PreviousTab, "previous tab"),
        Offer::new(Action::Redraw, "redraw"),
        Offer::new(Action::Suspend, "suspend"),
        Offer::new(Action::Quit, "quit"),
    ]
}

/// One failure, one path: on the screen and in the log file.
pub fn report(cx: &mut Cx, error: String) {
    tracing::warn!("{error}");
    cx.toast(Tone::Bad, error);
}
