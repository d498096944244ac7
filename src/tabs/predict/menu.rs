//! A short list over the tab: presets, ways to copy. Choosing tells the tab.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use crate::effects::predict::Event;
use crate::keys::{Action, Scope};
use crate::overlay::list::{Click, List, Place};
use crate::overlay::{Overlay, Verdict, inside, middle};
use crate::tabs::{Cx, Look};
use crate::ui::hints::hints;
use crate::ui::list::mark;
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

    /// Above the line of hints.
    fn place(&self, area: Rect) -> Place {
        let len = self.items.len();
        let frame = middle(58, len as u16 + 3, area);
        let inner = inside(frame);
        let room = Rect {
            height: inner.height.saturating_sub(1),
            ..inner
        };
        Place { frame, room, len }
    }

    fn choose(&self, cx: &mut Cx) -> Verdict {
        match self.items[self.list.selected].choice {
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
        match self.list.click(at, self.place(cx.screen)) {
            Click::Row => self.choose(cx),
            Click::Frame => Verdict::Stay,
            Click::Beside => Verdict::Close,
        }
    }

    fn on_scroll(&mut self, lines: i32, cx: &mut Cx) {
        self.list.scroll(lines, self.place(cx.screen));
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let place = self.place(area);
        let frame = place.frame;
        Clear.render(frame, buf);
        let inner = panel(self.title, true, frame, buf, look);
        let rows = self.list.rows(place);
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
            if i == self.list.selected {
                mark(line, buf, look);
            }
        }
        rows.sign(frame, buf, look);
        let below = Rect {
            y: inner.bottom().saturating_sub(1),
            height: 1,
            ..inner
        };
        let keys: [(&[Action], &str); 2] = [
            (&[Action::Submit], "or its number chooses"),
            (&[Action::Back], "closes"),
        ];
        hints(Scope::Global, &keys, look).render(below.intersection(inner), buf);
        None
    }
}
