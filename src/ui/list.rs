//! Rows of which only some are in view: which ones, which one a click hits, the cursor's look, and the sign for the rest.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::tabs::Look;
use crate::ui::text::{truncate, width};

/// The cells of a row as a line; what the last of them has too much is cut off, with the sign for it.
pub fn cut_last(mut cells: Vec<Span<'static>>, area: Rect, look: &Look) -> Line<'static> {
    if let Some(last) = cells.pop() {
        let taken: usize = cells.iter().map(Span::width).sum();
        let room = usize::from(area.width).saturating_sub(taken);
        let text = truncate(&last.content, room, look.glyphs.ellipsis);
        cells.push(Span::styled(text, last.style));
    }
    Line::from(cells)
}

/// `len` rows of one line each in an area that may be too low for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows {
    /// Where the rows are drawn.
    pub area: Rect,
    /// The first row in view.
    pub top: usize,
    /// How many rows there are.
    pub len: usize,
}

impl Rows {
    /// The rows in view when row `selected` must be.
    pub fn around(selected: usize, len: usize, area: Rect) -> Self {
        let top = (selected + 1).saturating_sub(usize::from(area.height));
        Self { area, top, len }
    }

    /// Each row in view with its line on the screen.
    pub fn shown(&self) -> impl Iterator<Item = (usize, Rect)> + use<> {
        let area = self.area;
        (self.top..self.len)
            .zip(area.y..area.bottom())
            .map(move |(row, y)| {
                (
                    row,
                    Rect {
                        y,
                        height: 1,
                        ..area
                    },
                )
            })
    }

    /// The row at a place on the screen.
    pub fn at(&self, at: Position) -> Option<usize> {
        self.shown()
            .find(|(_, line)| line.contains(at))
            .map(|(row, _)| row)
    }

    /// Draws each row in view as `row` has it for its number and this many cells, and marks the selected one.
    pub fn draw<'a>(
        &self,
        selected: usize,
        buf: &mut Buffer,
        look: &Look,
        row: impl Fn(usize, u16) -> Line<'a>,
    ) {
        for (at, line) in self.shown() {
            row(at, line.width).render(line, buf);
            if at == selected {
                mark(line, buf, look);
            }
        }
    }

    /// Says on the lower edge of the frame around the rows how many are out of view.
    pub fn sign(&self, frame: Rect, buf: &mut Buffer, look: &Look) {
        let below = self
            .len
            .saturating_sub(self.top + usize::from(self.area.height));
        hidden(self.top, below, frame, buf, look);
    }
}

/// The one look of a row under the cursor, whatever its parts wear: several colours reversed are hard to read.
pub fn mark(line: Rect, buf: &mut Buffer, look: &Look) {
    buf.set_style(line, look.theme.cursor());
}

/// `▲ 2  ▼ 5 more` on the lower edge of a frame.
pub fn hidden(above: usize, below: usize, frame: Rect, buf: &mut Buffer, look: &Look) {
    let (up, down) = (look.glyphs.up, look.glyphs.down);
    let text = match (above, below) {
        (0, 0) => return,
        (0, below) => format!(" {down} {below} more "),
        (above, 0) => format!(" {up} {above} more "),
        (above, below) => format!(" {up} {above}  {down} {below} more "),
    };
    let cells = width(&text) as u16;
    if frame.height > 1 && frame.width > cells + 2 {
        let x = frame.right() - cells - 2;
        buf.set_string(x, frame.bottom() - 1, text, look.theme.accent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_in_view_and_a_click_finds_its_row() {
        let area = Rect::new(2, 5, 10, 3);
        let rows = Rows::around(4, 9, area);
        assert_eq!(rows.top, 2);
        assert_eq!(rows.at(Position::new(3, 5)), Some(2));
        assert_eq!(rows.at(Position::new(3, 7)), Some(4));
        assert_eq!(rows.at(Position::new(3, 8)), None);
        assert_eq!(rows.at(Position::new(1, 5)), None);
        assert_eq!(Rows::around(0, 1, area).at(Position::new(3, 6)), None);
    }
}
