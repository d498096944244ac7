//! What the palette holds: the tab's offers and those that work everywhere, tabs, targets, presets, themes, incidents.

use clap::ValueEnum;

use crate::app::App;
use crate::effects::Effect;
use crate::effects::predict::Event;
use crate::keys::{Action, Scope};
use crate::sandbox::Incident;
use crate::tabs::predict::Choice;
use crate::tabs::{Cx, Offer};
use crate::ui::text::clean;
use crate::ui::theme::ThemeName;

/// One line of the palette.
pub struct Command {
    /// What it is called.
    pub label: String,
    /// What it does.
    pub detail: String,
    /// The keys that do the same.
    pub keys: String,
    /// What choosing it means.
    pub does: Does,
    /// Why it cannot be done now.
    pub why_not: Option<String>,
}

/// What choosing a line means.
pub enum Does {
    /// As if the action's key had been pressed.
    Act(Action),
    /// Something outside.
    Ask(Effect),
    /// Another tab.
    Open(Scope),
    /// The form of the Predict tab filled with a preset.
    Fill(usize),
    /// Other colours.
    Wear(ThemeName),
}

impl Does {
    /// Asks for it; an action is the caller's.
    pub fn ask(&self, cx: &mut Cx) {
        match self {
            Self::Act(_) => {}
            Self::Ask(effect) => cx.effect(effect.clone()),
            Self::Open(scope) => cx.go_to(*scope),
            Self::Fill(preset) => {
                cx.tell(Event::Chosen(Choice::Preset(*preset)).into());
                cx.go_to(Scope::Predict);
            }
            Self::Wear(theme) => cx.wear(*theme),
        }
    }
}

impl Command {
    fn new(label: String, detail: impl Into<String>, does: Does) -> Self {
        Self {
            label,
            detail: detail.into(),
            keys: String::new(),
            does,
            why_not: None,
        }
    }

    /// Everything that a search may find.
    pub fn everything(&self) -> String {
        let name = match self.does {
            Does::Act(action) => action.name(),
            _ => "",
        };
        format!("{} {} {name}", self.label, self.detail)
    }
}

/// Everything that can be asked for now.
pub fn all(app: &App) -> Vec<Command> {
    let offers = app.offers();
    let mut commands: Vec<Command> = (offers
        .into_iter()
        .map(|(scope, offer)| act(app, scope, offer)))
    .collect();
    commands.extend(tabs(app));
    commands.extend(targets(app));
    commands.extend(presets(app));
    commands.extend(themes());
    commands.extend(incidents(app));
    commands
}

fn act(app: &App, scope: Scope, offer: Offer) -> Command {
    let about = offer.about;
    let detail = if about == offer.label { "" } else { about };
    Command {
        keys: app.keymap.keys(scope, offer.action).join(" "),
        why_not: offer.ready.err().map(|why| why.to_string()),
        ..Command::new(offer.label.into_owned(), detail, Does::Act(offer.action))
    }
}

fn tabs(app: &App) -> impl Iterator<Item = Command> {
    app.tabs.iter().enumerate().map(|(index, tab)| Command {
        keys: (index + 1).to_string(),
        ..Command::new(format!("tab {}", tab.title()), "", Does::Open(tab.scope()))
    })
}

fn targets(app: &App) -> impl Iterator<Item = Command> {
    let known = app.env.settings.targets.iter();
    known.map(|(name, target)| {
        let connect = Does::Ask(Effect::Connect(name.as_str().into()));
        Command::new(
            format!("target {}", clean(name)),
            clean(&target.summary()),
            connect,
        )
    })
}

fn presets(app: &App) -> impl Iterator<Item = Command> {
    let presets = app.env.schema.presets.iter().enumerate();
    presets.map(|(index, preset)| {
        let label = format!("preset {}", preset.label);
        Command::new(label, "fill the form of the Predict tab", Does::Fill(index))
    })
}

fn themes() -> impl Iterator<Item = Command> {
    ThemeName::value_variants().iter().map(|theme| {
        let label = format!("theme {}", format!("{theme:?}").to_lowercase());
        Command::new(label, theme.about(), Does::Wear(*theme))
    })
}

/// The sandbox's incidents, each switchable live.
fn incidents(app: &App) -> Vec<Command> {
    let sandbox = app
        .env
        .session
        .value()
        .is_some_and(|(session, _)| session.sandbox);
    if !sandbox {
        return Vec::new();
    }
    let off = app.env.incident.map(|incident| {
        let label = "incident off".to_owned();
        let detail = format!("the sandbox is healthy again, without {incident}");
        Command::new(label, detail, Does::Ask(Effect::Incident(None)))
    });
    let on = Incident::ALL.iter().map(|incident| {
        let does = Does::Ask(Effect::Incident(Some(*incident)));
        Command::new(format!("incident {incident}"), incident.description(), does)
    });
    off.into_iter().chain(on).collect()
}
