//! A table's rows, which change places while they are read, and a cursor that stays with its own.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use crate::tabs::Look;
use crate::ui::list::{cut_last, mark};

/// Rows in order, each known by what it is, below one line of titles.
#[derive(Debug, Default)]
pub struct Listed<T> {
    /// What is listed.
    pub rows: Vec<T>,
    /// The row under the cursor; `None`: the first one, whatever it is.
    cursor: Option<T>,
}

impl<T: Copy + PartialEq> Listed<T> {
    /// The place of the row under the cursor.
    pub fn index(&self) -> usize {
        let listed = self
            .cursor
            .and_then(|cursor| self.rows.iter().position(|row| *row == cursor));
        listed.unwrap_or(0)
    }

    /// The row under the cursor.
    pub fn current(&self) -> Option<T> {
        self.rows.get(self.index()).copied()
    }

    /// Moves the cursor.
    pub fn step(&mut self, by: isize) {
        let last = self.rows.len().saturating_sub(1);
        let to = self.index().saturating_add_signed(by).min(last);
        self.cursor = self.rows.get(to).copied();
    }

    /// Puts the cursor on whatever is first.
    pub fn release(&mut self) {
        self.cursor = None;
    }

    /// Puts the cursor on a clicked row.
    pub fn click(&mut self, area: Rect, y: u16) {
        let row = y.checked_sub(area.y + 1);
        let clicked = row.and_then(|row| self.rows.get(self.first(area) + usize::from(row)));
        self.cursor = clicked.copied().or(self.cursor);
    }

    /// Draws the rows in view, each of these cells.
    pub fn draw(
        &self,
        area: Rect,
        buf: &mut Buffer,
        look: &Look,
        cells: impl Fn(T) -> Vec<Span<'static>>,
    ) {
        let here = self.current();
        let shown = self.rows.iter().skip(self.first(area));
        for (y, row) in (area.y + 1..area.bottom()).zip(shown) {
            let rect = Rect {
                y,
                height: 1,
                ..area
            };
            cut_last(cells(*row), rect, look).render(rect, buf);
            if Some(*row) == here {
                mark(rect, buf, look);
            }
        }
    }

    /// The first row in view: the cursor's stands in the middle.
    fn first(&self, area: Rect) -> usize {
        let height = usize::from(area.height.saturating_sub(1)).max(1);
        let most = self.rows.len().saturating_sub(height);
        self.index().saturating_sub(height / 2).min(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_with_its_row_until_it_is_released() {
        let mut listed = Listed {
            rows: vec!['c', 'b', 'a'],
            cursor: None,
        };
        assert_eq!(listed.current(), Some('c'));
        listed.step(1);
        listed.rows.insert(0, 'd');
        assert_eq!((listed.index(), listed.current()), (2, Some('b')));
        listed.step(9);
        assert_eq!(listed.current(), Some('a'));
        listed.release();
        assert_eq!(listed.current(), Some('d'));
    }

    #[test]
    fn a_click_hits_the_row_in_view_and_one_beside_them_none() {
        let mut listed = Listed {
            rows: (0..9).collect(),
            cursor: Some(8),
        };
        let area = Rect::new(0, 4, 10, 4);
        listed.click(area, 5);
        assert_eq!(listed.current(), Some(6));
        listed.click(area, 4);
        assert_eq!(listed.current(), Some(6));
    }
}
