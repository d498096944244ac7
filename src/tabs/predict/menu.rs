//! A short list over the tab: presets, ways to copy. Choosing tells the tab.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use crate::effects::predict::Event;
use crate::keys::Action;
use crate::overlay::{Overlay, Verdict, inside, middle};
use crate::tabs::{Cx, Look};
use crate::ui::list::{Rows, mark};
use crate::ui::panel::panel;
use crate::ui::text::fit;

/// What a menu of this tab can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The schema's preset at this position.
    Preset(usize),
    /// A row of the data.
    RandomRow,
    /// The latest request that failed.
    LastFailed,
    /// Copy as a `curl` line.
    CopyCurl,
    /// Copy the body.
    CopyJson,
    /// Copy as a `vintner predict` line.
    CopyVintner,
}

/// One line of a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub label: String,
    /// More about it, perhaps nothing.
    pub detail: String,
    /// What choosing it means; `Err` says why it cannot be chosen.
    pub choice: Result<Choice, &'static str>,
}

/// A menu.
pub struct Menu {
    title: &'static str,
    items: Vec<Item>,
    selected: usize,
}

impl Menu {
    /// A menu over these items.
    pub const fn new(title: &'static str, items: Vec<Item>) -> Self {
        Self {
            title,
            items,
            selected: 0,
        }
    }

    fn frame(&self, area: Rect) -> Rect {
        middle(58, self.items.len() as u16 + 3, area)
    }

    fn rows(&self, area: Rect) -> Rows {
        let inner = inside(self.frame(area));
        let rows = Rect {
            height: inner.height.saturating_sub(1),
            ..inner
        };
        Rows::around(self.selected, self.items.len(), rows)
    }

    fn choose(&self, cx: &mut Cx) -> Verdict {
        match self.items[self.selected].choice {
            Ok(choice) => {
                cx.tell(Event::Chosen(choice).into());
                Verdict::Close
            }
            Err(why) => {
                cx.toast(crate::ui::theme::Tone::Warn, why);
                Verdict::Stay
            }
        }
    }
}

impl Overlay for Menu {
    fn on_key(&mut self, key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        let last = self.items.len() - 1;
        if let KeyCode::Char(c @ '1'..='9') = key.code {
            self.selected = (c as usize - '1' as usize).min(last);
            return self.choose(cx);
        }
        match action {
            Some(Action::Back | Action::Quit) => return Verdict::Close,
            Some(Action::Down | Action::NextField) => self.selected = (self.selected + 1).min(last),
            Some(Action::Up | Action::PreviousField) => {
                self.selected = self.selected.saturating_sub(1);
            }
            Some(Action::Top) => self.selected = 0,
            Some(Action::Bottom) => self.selected = last,
            // The key that opened a menu takes its first line.
            Some(Action::Submit | Action::Copy | Action::Presets) => return self.choose(cx),
            _ => {}
        }
        Verdict::Stay
    }

    fn on_click(&mut self, at: Position, cx: &mut Cx) -> Verdict {
        if let Some(row) = self.rows(cx.screen).at(at) {
            self.selected = row;
            return self.choose(cx);
        }
        if self.frame(cx.screen).contains(at) {
            Verdict::Stay
        } else {
            Verdict::Close
        }
    }

    fn on_scroll(&mut self, lines: i32, _cx: &mut Cx) {
        let step = lines.signum() as isize;
        self.selected = self
            .selected
            .saturating_add_signed(step)
            .min(self.items.len() - 1);
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let frame = self.frame(area);
        Clear.render(frame, buf);
        let inner = panel(self.title, true, frame, buf, look);
        let rows = self.rows(area);
        for (i, line) in rows.shown() {
            let item = &self.items[i];
            let style = if item.choice.is_ok() {
                look.theme.text
            } else {
                look.theme.muted
            };
            Line::from(vec![
                Span::styled(format!(" {} ", i + 1), look.theme.key),
                Span::styled(fit(&item.label, 22, look.glyphs.ellipsis), style),
                Span::styled(item.detail.clone(), look.theme.muted),
            ])
            .render(line, buf);
            if i == self.selected {
                mark(line, buf, look);
            }
        }
        rows.sign(frame, buf, look);
        let hint = Rect {
            y: inner.bottom().saturating_sub(1),
            height: 1,
            ..inner
        };
        Line::styled(" Enter or its number chooses, Esc closes", look.theme.muted)
            .render(hint.intersection(inner), buf);
        None
    }
}
