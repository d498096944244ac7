//! A short list over the tab: presets, ways to copy. Choosing tells the tab.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use crate::effects::predict::Event;
use crate::keys::Action;
use crate::overlay::list::{List, Place};
use crate::overlay::{Overlay, Verdict};
use crate::tabs::{Cx, Look};
use crate::ui::text::fit;
use crate::ui::theme::Tone;

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
    list: List,
}

impl Menu {
    /// A menu over these items.
    pub fn new(title: &'static str, items: Vec<Item>) -> Self {
        Self {
            title,
            items,
            list: List::default(),
        }
    }

    fn place(&self, area: Rect) -> Place {
        Place::menu(58, self.items.len(), area)
    }

    fn choose(&self, cx: &mut Cx) -> Verdict {
        match self.items[self.list.selected].choice {
            Ok(choice) => {
                cx.tell(Event::Chosen(choice).into());
                Verdict::Close
            }
            Err(why) => {
                cx.toast(Tone::Warn, why);
                Verdict::Stay
            }
        }
    }
}

impl Overlay for Menu {
    fn on_key(&mut self, key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        let place = self.place(cx.screen);
        if let KeyCode::Char(c @ '1'..='9') = key.code {
            self.list.selected = (c as usize - '1' as usize).min(place.len - 1);
            return self.choose(cx);
        }
        match action {
            Some(Action::Back | Action::Quit) => return Verdict::Close,
            Some(Action::NextField) => self.list.step(1, place.len),
            Some(Action::PreviousField) => self.list.step(-1, place.len),
            // The key that opened a menu takes its first line.
            Some(Action::Submit | Action::Copy | Action::Presets) => return self.choose(cx),
            action => {
                self.list.moves(action, place);
            }
        }
        Verdict::Stay
    }

    fn on_click(&mut self, at: Position, cx: &mut Cx) -> Verdict {
        let click = self.list.click(at, self.place(cx.screen));
        click.verdict(|| self.choose(cx))
    }

    fn on_scroll(&mut self, lines: i32, cx: &mut Cx) {
        self.list.scroll(lines, self.place(cx.screen));
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let place = self.place(area);
        let keys: [(&[Action], &str); 2] = [
            (&[Action::Submit], "or its number chooses"),
            (&[Action::Back], "closes"),
        ];
        place.draw_menu(self.title, &keys, buf, look);
        self.list
            .draw(place, buf, look, |row, _| self.items[row].line(row, look));
        None
    }
}

impl Item {
    fn line(&self, row: usize, look: &Look) -> Line<'_> {
        let style = if self.choice.is_ok() {
            look.theme.text
        } else {
            look.theme.muted
        };
        Line::from(vec![
            Span::styled(format!(" {} ", row + 1), look.theme.key),
            Span::styled(fit(&self.label, 22, look.glyphs.ellipsis), style),
            Span::styled(self.detail.as_str(), look.theme.muted),
        ])
    }
}
