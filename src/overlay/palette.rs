//! `:`: every command by name, fuzzy, with its key; what cannot be done now says why.

use crossterm::event::{Event as TermEvent, KeyEvent};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::{Overlay, Verdict, centred};
use crate::app::App;
use crate::effects::Effect;
use crate::keys::Action;
use crate::sandbox::Incident;
use crate::tabs::{Cx, Look};
use crate::ui::panel::panel;
use crate::ui::text::{fit, width};
use crate::ui::theme::Tone;

/// A list of commands with a text field above it.
pub struct Palette {
    input: Input,
    commands: Vec<Command>,
    /// Indices into `commands`, best match first.
    matches: Vec<usize>,
    selected: usize,
}

struct Command {
    label: String,
    keys: String,
    does: Does,
    why_not: Option<String>,
}

enum Does {
    Act(Action),
    Ask(Effect),
}

impl Palette {
    /// Everything that can be asked for now: the tab's offers, those that work everywhere, and the sandbox's incidents.
    pub fn new(app: &App) -> Self {
        let mut commands: Vec<Command> = app
            .offers()
            .into_iter()
            .map(|(scope, offer)| Command {
                label: format!("{} ({})", offer.label, offer.action),
                keys: app.keymap.keys(scope, offer.action).join(" "),
                does: Does::Act(offer.action),
                why_not: offer.ready.err().map(|why| why.to_string()),
            })
            .collect();
        commands.extend(incidents(app));
        let matches = (0..commands.len()).collect();
        Self {
            input: Input::default(),
            commands,
            matches,
            selected: 0,
        }
    }

    fn search(&mut self) {
        let mut matcher = Matcher::new(Config::DEFAULT);
        let pattern = Pattern::parse(
            self.input.value(),
            CaseMatching::Ignore,
            Normalization::Smart,
        );
        let mut buffer = Vec::new();
        let mut scored: Vec<(u32, usize)> = self
            .commands
            .iter()
            .enumerate()
            .filter_map(|(i, command)| {
                Some((
                    pattern.score(Utf32Str::new(&command.label, &mut buffer), &mut matcher)?,
                    i,
                ))
            })
            .collect();
        scored.sort_by_key(|(score, i)| (std::cmp::Reverse(*score), *i));
        self.matches = scored.into_iter().map(|(_, i)| i).collect();
        self.selected = 0;
    }

    fn choose(&self, cx: &mut Cx) -> Verdict {
        let Some(command) = self.matches.get(self.selected).map(|i| &self.commands[*i]) else {
            return Verdict::Stay;
        };
        if let Some(why) = &command.why_not {
            cx.toast(Tone::Warn, why.clone());
            return Verdict::Stay;
        }
        match &command.does {
            Does::Act(action) => Verdict::CloseAnd(*action),
            Does::Ask(effect) => {
                cx.effect(effect.clone());
                Verdict::Close
            }
        }
    }
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
    let off = app
        .env
        .incident
        .map(|_| command("sandbox: healthy again", None));
    let on = Incident::ALL.iter().map(|incident| {
        command(
            &format!("sandbox incident: {incident} – {}", incident.description()),
            Some(*incident),
        )
    });
    off.into_iter().chain(on).collect()
}

fn command(label: &str, incident: Option<Incident>) -> Command {
    Command {
        label: label.to_owned(),
        keys: String::new(),
        does: Does::Ask(Effect::Incident(incident)),
        why_not: None,
    }
}

impl Overlay for Palette {
    fn on_key(&mut self, key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        use crossterm::event::KeyCode::{Down, Enter, Esc, Up};
        let last = self.matches.len().saturating_sub(1);
        match key.code {
            Esc => return Verdict::Close,
            Enter => return self.choose(cx),
            Up => self.selected = self.selected.saturating_sub(1),
            Down => self.selected = (self.selected + 1).min(last),
            _ if action == Some(Action::Suspend) => return Verdict::CloseAnd(Action::Suspend),
            _ => {
                let before = self.input.value().to_owned();
                self.input.handle_event(&TermEvent::Key(key));
                if self.input.value() != before {
                    self.search();
                }
            }
        }
        Verdict::Stay
    }

    fn on_paste(&mut self, text: &str) -> bool {
        let line: String = text.chars().filter(|c| !c.is_control()).collect();
        self.input = Input::new(format!("{}{line}", self.input.value()));
        self.search();
        true
    }

    fn on_scroll(&mut self, lines: i32) {
        self.selected = self
            .selected
            .saturating_add_signed(lines as isize)
            .min(self.matches.len().saturating_sub(1));
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let height = (self.commands.len() as u16 + 3)
            .min(area.height.saturating_sub(4))
            .max(5);
        let rect = centred(76, height, area, buf);
        let inner = panel(" Commands ", true, rect, buf, look);
        if inner.height < 2 {
            return None;
        }
        let line = Line::from(vec![
            Span::styled("> ", look.theme.key),
            Span::raw(self.input.value()),
        ]);
        line.render(inner, buf);
        let rows = Rect {
            y: inner.y + 1,
            height: inner.height - 1,
            ..inner
        };
        let shown = usize::from(rows.height);
        let top = (self.selected + 1).saturating_sub(shown);
        let room = usize::from(rows.width);
        let lines: Vec<Line> = (top..self.matches.len())
            .take(shown)
            .map(|i| self.line(i, room, look))
            .collect();
        Paragraph::new(lines).render(rows, buf);
        let column = inner.x + 2 + self.input.visual_cursor() as u16;
        Some(Position::new(
            column.min(inner.right().saturating_sub(1)),
            inner.y,
        ))
    }
}

impl Palette {
    fn line(&self, i: usize, room: usize, look: &Look) -> Line<'_> {
        let command = &self.commands[self.matches[i]];
        let text = match &command.why_not {
            Some(why) => format!("  {} – {why}", command.label),
            None => format!("  {}", command.label),
        };
        let label = fit(
            &text,
            room.saturating_sub(width(&command.keys) + 1),
            look.glyphs.ellipsis,
        );
        let style = if command.why_not.is_some() {
            look.theme.muted
        } else {
            look.theme.text
        };
        let line = Line::from(vec![
            Span::styled(label, style),
            Span::styled(command.keys.as_str(), look.theme.key),
            Span::raw(" "),
        ]);
        if i == self.selected {
            line.patch_style(look.theme.selected)
        } else {
            line
        }
    }
}
