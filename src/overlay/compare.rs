//! What the function is compared with: a version of it, or another target's function.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::list::{List, Place};
use super::{Overlay, Verdict};
use crate::effects::Event;
use crate::effects::lambda::{Event as LambdaEvent, Other};
use crate::keys::Action;
use crate::tabs::{Cx, Look};
use crate::ui::text::{clean, truncate};

/// The menu. Choosing tells the Lambda tab.
pub struct CompareMenu {
    /// `None` compares with nothing any more.
    choices: Vec<Option<Other>>,
    current: Option<Other>,
    list: List,
}

impl CompareMenu {
    /// A menu of these, the one that is compared with now marked.
    pub fn new(others: Vec<Other>, current: Option<Other>) -> Self {
        let mut choices: Vec<_> = others.into_iter().map(Some).collect();
        if current.is_some() || choices.is_empty() {
            choices.push(None);
        }
        Self {
            choices,
            current,
            list: List::default(),
        }
    }

    fn place(&self, area: Rect) -> Place {
        Place::menu(56, self.choices.len(), area)
    }

    fn choose(&self, cx: &mut Cx) -> Verdict {
        if let Some(choice) = self.choices.get(self.list.selected) {
            cx.tell(Event::Lambda(LambdaEvent::Chosen(choice.clone())));
        }
        Verdict::Close
    }
}

impl Overlay for CompareMenu {
    fn on_key(&mut self, _key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        match action {
            Some(Action::Submit) => return self.choose(cx),
            Some(Action::Back | Action::Diff | Action::Quit) => return Verdict::Close,
            action => {
                self.list.moves(action, self.place(cx.screen));
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
            (&[Action::Submit], "reads and compares"),
            (&[Action::Back], "leaves it"),
        ];
        place.draw_menu(" Compare with ", &keys, buf, look);
        self.list.draw(place, buf, look, |row, cells| {
            self.row(self.choices[row].as_ref(), cells, look)
        });
        None
    }
}

impl CompareMenu {
    fn row(&self, choice: Option<&Other>, width: u16, look: &Look) -> Line<'static> {
        let sign = if choice.is_some() && choice == self.current.as_ref() {
            look.glyphs.dot
        } else {
            " "
        };
        let name = choice.map_or("nothing".to_owned(), |other| clean(&other.to_string()));
        let text = truncate(
            &format!(" {sign} {name}"),
            usize::from(width),
            look.glyphs.ellipsis,
        );
        Line::styled(text, look.theme.text)
    }
}
