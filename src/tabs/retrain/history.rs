//! Every version and every run that gave none, newest first; one may be pinned as the baseline of a comparison.

mod differences;
mod table;

use crossterm::event::{Event as TermEvent, KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::Retrain;
use super::lines::scrolled;
use super::panes::Pane;
use crate::effects::retrain::Shelf;
use crate::keys::{Action, Scope};
use crate::registry::Version;
use crate::registry::runs::RunRecord;
use crate::tabs::Look;
use crate::ui::hints::hint;
use crate::ui::panel::notice;
use crate::ui::text::clean;
use crate::ui::theme::Tone;
use differences::{baseline, difference_head};
use table::{Row, all_rows, draw_table};

pub(super) use differences::difference_lines;

/// Selection, baseline and filter of the history.
#[derive(Debug, Default)]
pub(super) struct History {
    row: usize,
    pinned: Option<Version>,
    /// Show the fields that differ from the baseline.
    pub(super) only_differences: bool,
    /// Rows must hold every word of it.
    filter: String,
    /// The filter being typed.
    typing: Option<Input>,
}

impl History {
    /// The rows that the filter lets through, newest first.
    fn rows<'a>(&self, shelf: &'a Shelf) -> Vec<Row<'a>> {
        let filter = self.filter.to_lowercase();
        let mut rows = all_rows(shelf);
        rows.retain(|row| {
            let words = row.words();
            filter.split_whitespace().all(|word| words.contains(word))
        });
        rows
    }

    /// How many rows there are.
    pub(super) fn count(&self, shelf: &Shelf) -> usize {
        self.rows(shelf).len()
    }

    /// The selected version, if the selected line is one.
    pub(super) fn selected(&self, shelf: &Shelf) -> Option<Version> {
        match self.rows(shelf).get(self.row)? {
            Row::Version(entry) => Some(entry.version),
            Row::Run(_) => None,
        }
    }

    /// The selected run, if the selected line is one that gave no version.
    pub(super) fn selected_run<'a>(&self, shelf: &'a Shelf) -> Option<&'a RunRecord> {
        match self.rows(shelf).get(self.row)? {
            Row::Version(_) => None,
            Row::Run(run) => Some(run),
        }
    }

    /// Moves the selection, staying inside.
    pub(super) fn move_by(&mut self, by: isize, count: usize) {
        self.row = self
            .row
            .saturating_add_signed(by)
            .min(count.saturating_sub(1));
    }

    /// Selects the row whose line of the table is clicked.
    pub(super) fn click(&mut self, table: Rect, at: Position, count: usize) {
        let first = self.first(table);
        if table.contains(at) && at.y > table.y {
            let row = first + usize::from(at.y - table.y - 1);
            self.row = if row < count { row } else { self.row };
        }
    }

    /// The first row in sight, under the heading.
    fn first(&self, table: Rect) -> usize {
        (self.row + 1).saturating_sub(usize::from(table.height.saturating_sub(1)))
    }

    /// Makes a version the baseline, or takes the baseline away.
    pub(super) fn pin(&mut self, version: Option<Version>) {
        self.pinned = version.filter(|version| self.pinned != Some(*version));
        self.only_differences = self.pinned.is_some();
    }

    /// Opens the filter for typing.
    pub(super) fn search(&mut self) {
        self.typing = Some(self.filter.clone().into());
    }

    /// A key for the open filter: true if it was taken.
    pub(super) fn key(&mut self, key: KeyEvent) -> bool {
        let Some(input) = &mut self.typing else {
            return false;
        };
        match key.code {
            KeyCode::Enter => self.typing = None,
            KeyCode::Esc => {
                self.typing = None;
                self.filter.clear();
            }
            _ => {
                input.handle_event(&TermEvent::Key(key));
                input.value().clone_into(&mut self.filter);
            }
        }
        self.row = 0;
        true
    }

    /// Whether the filter is being typed.
    pub(super) const fn is_typing(&self) -> bool {
        self.typing.is_some()
    }

    /// One step out: the differences, then the filter. False when there is nothing to leave.
    pub(super) fn leave(&mut self) -> bool {
        if self.only_differences || self.pinned.is_some() {
            self.pinned = None;
            self.only_differences = false;
        } else if !self.filter.is_empty() {
            self.filter.clear();
            self.row = 0;
        } else {
            return false;
        }
        true
    }
}

/// The rooms of the table, of the differences below it (under a line for their heading), and of the filter.
pub(super) fn areas(tab: &Retrain, inner: Rect, look: &Look) -> (Rect, Rect, Rect) {
    let history = &tab.history;
    let filter = u16::from(history.typing.is_some() || !history.filter.is_empty());
    let below = difference_lines(tab, inner, look).map_or(0, |lines| {
        (lines.len() as u16 + 1).min(inner.height.saturating_sub(filter) * 2 / 3)
    });
    let [table, filter, _head, below] = Layout::vertical([
        Constraint::Fill(1),
        Constraint::Length(filter),
        Constraint::Length(below.min(1)),
        Constraint::Length(below.saturating_sub(1)),
    ])
    .areas(inner);
    (table, below, filter)
}

/// Draws the table, and below it what differs from the baseline; gives the cursor of an open filter.
pub(super) fn render(
    tab: &Retrain,
    area: Rect,
    frame: Rect,
    buf: &mut Buffer,
    look: &Look,
) -> Option<Position> {
    let history = &tab.history;
    let Some(shelf) = tab.shelf() else {
        let text = "the registry is read once the target is connected";
        notice(text, Tone::Muted, area, buf, look);
        return None;
    };
    let rows = history.rows(shelf);
    let (table, below, filter) = areas(tab, area, look);
    if rows.is_empty() {
        let text = if history.filter.is_empty() {
            let trains = hint(Scope::Retrain, Action::Submit, "trains the first", look);
            format!("no version and no run yet: {trains}")
        } else {
            format!("nothing in the history holds {:?}", history.filter)
        };
        notice(&text, Tone::Muted, table, buf, look);
    } else {
        draw_table(&rows, shelf, tab, table, frame, buf, look);
    }
    if let Some(lines) = difference_lines(tab, below, look) {
        let head = Rect {
            y: below.y.saturating_sub(1),
            height: 1.min(below.height),
            ..below
        };
        let selected = history.selected(shelf);
        difference_head(
            baseline(history, shelf),
            selected,
            lines.len(),
            head,
            buf,
            look,
        );
        scrolled(lines, tab.scrolls.of(Pane::View), below, frame, buf, look);
    }
    draw_filter(history, filter, buf, look)
}

fn draw_filter(history: &History, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
    let prompt = " / ";
    Line::from(vec![
        Span::styled(prompt, look.theme.key),
        Span::raw(clean(&history.filter)),
    ])
    .render(area, buf);
    let input = history.typing.as_ref()?;
    let x = area.x + (prompt.len() + input.visual_cursor()) as u16;
    Some(Position::new(x.min(area.right().saturating_sub(1)), area.y))
}
