//! `:`: everything that can be asked for, found by what it is called or by what it does; what cannot be done now says why.

mod commands;

use crossterm::event::{Event as TermEvent, KeyEvent};
use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::list::{List, Place};
use super::{Overlay, Verdict, inside, middle};
use crate::app::App;
use crate::keys::{Action, while_typing};
use crate::tabs::{Cx, Look};
use crate::ui::panel::{below, panel};
use crate::ui::text::{fit, width};
use crate::ui::theme::Tone;

use commands::{Command, Does};

/// A list of commands with a text field above it.
pub struct Palette {
    input: Input,
    commands: Vec<Command>,
    /// Indices into `commands`, best match first.
    matches: Vec<usize>,
    list: List,
}

impl Palette {
    /// Everything that can be asked for now.
    pub fn new(app: &App) -> Self {
        let commands = commands::all(app);
        let matches = (0..commands.len()).collect();
        Self {
            input: Input::default(),
            commands,
            matches,
            list: List::default(),
        }
    }

    fn search(&mut self) {
        self.matches = ranked(&self.commands, self.input.value());
        self.list = List::default();
    }

    fn choose(&self, cx: &mut Cx) -> Verdict {
        let Some(command) = self
            .matches
            .get(self.list.selected)
            .map(|i| &self.commands[*i])
        else {
            return Verdict::Stay;
        };
        if let Some(why) = &command.why_not {
            cx.toast(Tone::Warn, why.clone());
            return Verdict::Stay;
        }
        if let Does::Act(action) = command.does {
            return Verdict::CloseAnd(action);
        }
        command.does.ask(cx);
        Verdict::Close
    }

    fn frame(&self, area: Rect) -> Rect {
        let height = (self.commands.len() as u16 + 3)
            .min(area.height.saturating_sub(4))
            .max(5);
        middle(96.min(area.width.saturating_sub(4)), height, area)
    }

    /// Below the text field.
    fn place(&self, area: Rect) -> Place {
        let frame = self.frame(area);
        let room = below(1, inside(frame));
        let len = self.matches.len();
        Place { frame, room, len }
    }
}

/// Indices of the commands that match, best first: by name rather than by description, and none that is far worse than the best.
fn ranked(commands: &[Command], text: &str) -> Vec<usize> {
    let mut matcher = Matcher::new(Config::DEFAULT);
    let of_kind = |kind| Pattern::new(text, CaseMatching::Ignore, Normalization::Smart, kind);
    // Letters scattered over a name may be meant, over a sentence hardly.
    let (name, words) = (of_kind(AtomKind::Fuzzy), of_kind(AtomKind::Substring));
    let mut buffer = Vec::new();
    let mut score = |pattern: &Pattern, text: &str| {
        pattern.score(Utf32Str::new(text, &mut buffer), &mut matcher)
    };
    let mut scored: Vec<(u32, usize)> = commands
        .iter()
        .enumerate()
        .filter_map(|(i, command)| {
            let by_name = score(&name, &command.label).map(|score| score * 3 / 2);
            let by_all = score(&words, &command.everything());
            Some((by_name.max(by_all)?, i))
        })
        .collect();
    let best = scored.iter().map(|(score, _)| *score).max().unwrap_or(0);
    scored.retain(|(score, _)| score * 2 >= best);
    scored.sort_by_key(|(score, i)| (std::cmp::Reverse(*score), *i));
    scored.into_iter().map(|(_, i)| i).collect()
}

impl Overlay for Palette {
    fn on_key(&mut self, key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        use Action::{Back, Down, PageDown, PageUp, Submit, Suspend, Up};
        match while_typing(key, action) {
            Some(Back) => return Verdict::Close,
            Some(Submit) => return self.choose(cx),
            Some(Suspend) => return Verdict::CloseAnd(Suspend),
            action @ Some(Up | Down | PageUp | PageDown) => {
                self.list.moves(action, self.place(cx.screen));
            }
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

    fn on_click(&mut self, at: Position, cx: &mut Cx) -> Verdict {
        let click = self.list.click(at, self.place(cx.screen));
        click.verdict(|| self.choose(cx))
    }

    fn on_scroll(&mut self, lines: i32, cx: &mut Cx) {
        self.list.scroll(lines, self.place(cx.screen));
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let frame = self.frame(area);
        Clear.render(frame, buf);
        let inner = panel(" Commands ", true, frame, buf, look);
        if inner.height < 2 {
            return None;
        }
        let mut line = vec![
            Span::styled(" > ", look.theme.key),
            Span::raw(self.input.value()),
        ];
        if self.matches.is_empty() {
            line.push(Span::styled("   nothing is called so", look.theme.muted));
        }
        Line::from(line).render(inner, buf);
        self.list.draw(self.place(area), buf, look, |row, cells| {
            self.line(row, cells, look)
        });
        let column = inner.x + 3 + self.input.visual_cursor() as u16;
        Some(Position::new(
            column.min(inner.right().saturating_sub(1)),
            inner.y,
        ))
    }
}

impl Palette {
    fn line(&self, row: usize, cells: u16, look: &Look) -> Line<'_> {
        let command = &self.commands[self.matches[row]];
        let ellipsis = look.glyphs.ellipsis;
        let column = self.commands.iter().map(|command| width(&command.label));
        let column = column.max().unwrap_or(0).min(usize::from(cells) * 2 / 5);
        let rest = usize::from(cells).saturating_sub(column + width(&command.keys) + 7);
        let (style, detail) = match &command.why_not {
            Some(why) => (look.theme.muted, why),
            None => (look.theme.text, &command.detail),
        };
        Line::from(vec![
            Span::styled(
                format!("   {}", fit(&command.label, column, ellipsis)),
                style,
            ),
            Span::styled(
                format!("  {} ", fit(detail, rest, ellipsis)),
                look.theme.muted,
            ),
            Span::styled(command.keys.as_str(), look.theme.key),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(label: &str, detail: &str) -> Command {
        Command {
            label: label.into(),
            detail: detail.into(),
            keys: String::new(),
            does: Does::Act(Action::Help),
            why_not: None,
        }
    }

    #[test]
    fn a_name_beats_a_description_and_stray_letters_are_no_match() {
        let commands = [
            command(
                "incident slow-dependency",
                "what the handler waits for is slow",
            ),
            command("theme dark", "for dark backgrounds"),
            command(
                "incident out-of-memory",
                "the handler needs more than it has",
            ),
            command("handler", ""),
        ];
        let found = |text| ranked(&commands, text);
        assert_eq!(found("handler"), [3, 0, 2]);
        assert_eq!(found("backgrounds"), [1]);
        assert_eq!(found("memory"), [2]);
        assert_eq!(found(""), [0, 1, 2, 3]);
        assert!(found("zzz").is_empty());
    }
}
