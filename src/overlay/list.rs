//! A list in a frame over the tabs: where it lies, how it looks, and what keys, clicks and the wheel do to it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Clear, Widget};

use super::{Verdict, inside, middle};
use crate::keys::{Action, Scope};
use crate::tabs::Look;
use crate::ui::hints::hints;
use crate::ui::list::Rows;
use crate::ui::panel::panel;

/// The cursor of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct List {
    /// The row that Enter chooses.
    pub selected: usize,
}

/// Where a list lies now, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// With its border.
    pub frame: Rect,
    /// What the frame has for rows of one line each.
    pub room: Rect,
    /// How many rows there are.
    pub len: usize,
}

impl Place {
    /// A menu in the middle of the screen: a row each, and a line of hints below them.
    pub fn menu(width: u16, len: usize, area: Rect) -> Self {
        let frame = middle(width, (len as u16).saturating_add(3), area);
        let inner = inside(frame);
        let room = Rect {
            height: inner.height.saturating_sub(1),
            ..inner
        };
        Self { frame, room, len }
    }

    /// The frame and the hints of a menu; its rows are the list's to draw.
    pub fn draw_menu(
        &self,
        title: &str,
        keys: &[(&[Action], &str)],
        buf: &mut Buffer,
        look: &Look,
    ) {
        Clear.render(self.frame, buf);
        let inner = panel(title, true, self.frame, buf, look);
        let last = Rect {
            y: inner.bottom().saturating_sub(1),
            height: 1,
            ..inner
        };
        hints(Scope::Global, keys, look).render(last.intersection(inner), buf);
    }
}

/// What a click hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Click {
    /// A row, which is selected now.
    Row,
    /// Something else inside the frame.
    Frame,
    /// What lies beside the frame.
    Beside,
}

impl Click {
    /// What becomes of the overlay: a row is chosen, and beside the frame is out of it.
    pub fn verdict(self, choose: impl FnOnce() -> Verdict) -> Verdict {
        match self {
            Self::Row => choose(),
            Self::Frame => Verdict::Stay,
            Self::Beside => Verdict::Close,
        }
    }
}

impl List {
    /// The rows in view.
    pub fn rows(&self, place: Place) -> Rows {
        Rows::around(self.selected, place.len, place.room)
    }

    /// Draws the rows in view, each as `row` has it for its number and this many cells, and says how many are not.
    pub fn draw<'a>(
        &self,
        place: Place,
        buf: &mut Buffer,
        look: &Look,
        row: impl Fn(usize, u16) -> Line<'a>,
    ) {
        let rows = self.rows(place);
        rows.draw(self.selected, buf, look, row);
        rows.sign(place.frame, buf, look);
    }

    /// Moves by so many rows, as far as there are any.
    pub fn step(&mut self, by: isize, len: usize) {
        let last = len.saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Moves as an action says: true if it was one that moves.
    pub fn moves(&mut self, action: Option<Action>, place: Place) -> bool {
        let by = rows(action, place.room.height);
        self.step(by.unwrap_or(0), place.len);
        by.is_some()
    }

    /// Selects the row that was clicked.
    pub fn click(&mut self, at: Position, place: Place) -> Click {
        match self.rows(place).at(at) {
            Some(row) => {
                self.selected = row;
                Click::Row
            }
            None if place.frame.contains(at) => Click::Frame,
            None => Click::Beside,
        }
    }

    /// The wheel: row by row through a list that is all in view, by as many `lines` as it says through a longer one.
    pub fn scroll(&mut self, lines: i32, place: Place) {
        let long = place.len > usize::from(place.room.height);
        let by = if long { lines } else { lines.signum() };
        self.step(by as isize, place.len);
    }
}

/// How many rows an action moves by where a page has so many; `None` for one that does not move.
pub fn rows(action: Option<Action>, page: u16) -> Option<isize> {
    let page = isize::try_from(page).unwrap_or(1);
    match action? {
        Action::Down => Some(1),
        Action::Up => Some(-1),
        Action::PageDown => Some(page),
        Action::PageUp => Some(-page),
        Action::Top => Some(isize::MIN),
        Action::Bottom => Some(isize::MAX),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn place(len: usize) -> Place {
        Place {
            frame: Rect::new(2, 2, 12, 5),
            room: Rect::new(3, 3, 10, 3),
            len,
        }
    }

    #[test]
    fn it_moves_within_its_rows() {
        let mut list = List::default();
        assert!(list.moves(Some(Action::Down), place(9)));
        assert!(list.moves(Some(Action::PageDown), place(9)));
        assert_eq!(list.selected, 4);
        assert!(list.moves(Some(Action::Bottom), place(9)));
        assert_eq!(list.selected, 8);
        assert!(list.moves(Some(Action::PageUp), place(9)));
        assert!(list.moves(Some(Action::Up), place(9)));
        assert_eq!(list.selected, 4);
        assert!(!list.moves(Some(Action::Submit), place(9)));
        list.step(1, 0);
        assert_eq!(list.selected, 0);
    }

    #[test]
    fn a_click_selects_the_row_it_hits_though_the_list_is_scrolled() {
        let mut list = List { selected: 8 };
        assert_eq!(list.click(Position::new(4, 3), place(9)), Click::Row);
        assert_eq!(list.selected, 6);
        assert_eq!(list.click(Position::new(4, 2), place(9)), Click::Frame);
        assert_eq!(list.click(Position::new(4, 9), place(9)), Click::Beside);
        assert_eq!(list.selected, 6);
    }

    #[test]
    fn the_wheel_is_slower_where_all_is_in_view() {
        let mut list = List::default();
        list.scroll(3, place(9));
        assert_eq!(list.selected, 3);
        list.scroll(-3, place(3));
        assert_eq!(list.selected, 2);
    }
}
