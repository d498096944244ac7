//! The Lines view: a viewport anchored to a line, rows that wrap, expand and show what was found.

use std::collections::{BTreeSet, HashSet};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::clock::Clock;
use super::row;
use super::sieve::{Search, Sieve};
use crate::store::Store;
use crate::tabs::Look;
use crate::ui::panel::notice;
use crate::ui::theme::Tone;

/// Where we are in the lines, and how they are shown.
#[derive(Debug)]
pub struct Lines {
    /// The line under the cursor; `None` before the first.
    pub cursor: Option<u32>,
    /// Screen row of the cursor in the list, so that what comes in above or below moves nothing.
    row: usize,
    /// The newest line stays in view.
    pub follow: bool,
    /// While not following: the newest line that has been reached.
    seen: Option<u32>,
    /// Long lines take several rows.
    pub wrap: bool,
    /// Cells scrolled to the right.
    pub shift: usize,
    /// How times are shown.
    pub clock: Clock,
    /// Members of JSON lines that stand before the text.
    pub columns: Vec<String>,
    /// Marked lines.
    pub marks: BTreeSet<u32>,
    expanded: HashSet<u32>,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            cursor: None,
            row: 0,
            follow: true,
            seen: None,
            wrap: false,
            shift: 0,
            clock: Clock::default(),
            columns: Vec::new(),
            marks: BTreeSet::new(),
            expanded: HashSet::new(),
        }
    }
}

/// A line on screen: its first row in the list area and its rows.
struct Placed {
    line: u32,
    top: isize,
    rows: Vec<Line<'static>>,
}

impl Lines {
    /// The index of the cursor.
    pub fn index(&self, sieve: &Sieve, store: &Store) -> usize {
        let last = sieve.len(store).saturating_sub(1);
        match self.cursor {
            Some(line) if !self.follow => sieve.index_of(line, store).min(last),
            _ => last,
        }
    }

    /// Moves the cursor; going up stops following, reaching the end follows again.
    pub fn step(&mut self, by: isize, height: usize, sieve: &Sieve, store: &Store) {
        let from = self.index(sieve, store);
        self.go(from.saturating_add_signed(by), height, sieve, store);
    }

    /// Puts the cursor on an index.
    pub fn go(&mut self, to: usize, height: usize, sieve: &Sieve, store: &Store) {
        let last = sieve.len(store).saturating_sub(1);
        let from = self.index(sieve, store);
        let to = to.min(last);
        let bottom = height.saturating_sub(1);
        if self.follow {
            self.row = bottom.min(last);
        }
        let moved = to as isize - from as isize;
        let far = moved.unsigned_abs() > height;
        self.row = if far {
            height / 2
        } else {
            self.row.saturating_add_signed(moved).min(bottom)
        };
        self.cursor = sieve.at(to, store);
        let follow = to == last && (self.follow || moved > 0);
        if !follow {
            self.see(if self.follow { last } else { to }, sieve, store);
        }
        self.follow = follow;
    }

    /// Puts the cursor on an index and stays there, even on the last line.
    pub fn visit(&mut self, to: usize, height: usize, sieve: &Sieve, store: &Store) {
        self.set_follow(false, height, sieve, store);
        self.go(to, height, sieve, store);
        if self.follow {
            self.set_follow(false, height, sieve, store);
        }
    }

    /// The line at an index has been reached.
    fn see(&mut self, index: usize, sieve: &Sieve, store: &Store) {
        let Some(line) = sieve.at(index, store) else {
            return;
        };
        let is_newer = |seen| store.position(line) > store.position(seen);
        if self.follow || self.seen.is_none_or(is_newer) {
            self.seen = Some(line);
        }
    }

    /// How many lines below the newest one that has been reached wait to be read.
    pub fn fresh(&self, sieve: &Sieve, store: &Store) -> usize {
        match self.seen {
            _ if self.follow => 0,
            Some(seen) => sieve.count_after(seen, store),
            None => sieve.len(store),
        }
    }

    /// Scrolls the text under a cursor that stays on its row.
    pub fn scroll(&mut self, by: isize, height: usize, sieve: &Sieve, store: &Store) {
        let row = if self.follow {
            height.saturating_sub(1)
        } else {
            self.row
        };
        self.step(by, height, sieve, store);
        if !self.follow {
            self.row = row.min(height.saturating_sub(1));
        }
    }

    /// Stops or resumes following.
    pub fn set_follow(&mut self, follow: bool, height: usize, sieve: &Sieve, store: &Store) {
        if self.follow && !follow {
            let last = sieve.len(store).saturating_sub(1);
            self.cursor = sieve.at(last, store);
            self.row = height.saturating_sub(1).min(last);
            self.seen = self.cursor;
        }
        self.follow = follow;
    }

    /// Opens or closes the line under the cursor.
    pub fn toggle_expanded(&mut self, sieve: &Sieve, store: &Store) {
        if let Some(line) = self.current(sieve, store)
            && !self.expanded.remove(&line)
        {
            self.expanded.insert(line);
        }
    }

    /// Whether a line is shown whole.
    pub fn is_expanded(&self, line: u32) -> bool {
        self.expanded.contains(&line)
    }

    /// The line under the cursor.
    pub fn current(&self, sieve: &Sieve, store: &Store) -> Option<u32> {
        sieve.at(self.index(sieve, store), store)
    }

    /// Marks or unmarks the line under the cursor.
    pub fn toggle_mark(&mut self, sieve: &Sieve, store: &Store) {
        if let Some(line) = self.current(sieve, store)
            && !self.marks.remove(&line)
        {
            self.marks.insert(line);
        }
    }

    /// The index of the next visible mark, going round.
    pub fn next_mark(&self, sieve: &Sieve, store: &Store) -> Option<usize> {
        let here = self.index(sieve, store);
        let visible = |line: &&u32| sieve.at(sieve.index_of(**line, store), store) == Some(**line);
        let mut marks: Vec<usize> = self
            .marks
            .iter()
            .filter(visible)
            .map(|line| sieve.index_of(*line, store))
            .collect();
        marks.sort_unstable();
        marks
            .iter()
            .copied()
            .find(|index| *index > here)
            .or_else(|| marks.first().copied())
    }

    /// Forgets every line: the store was emptied.
    pub fn clear(&mut self) {
        (self.cursor, self.row, self.seen, self.follow) = (None, 0, None, true);
        self.marks.clear();
        self.expanded.clear();
    }

    /// What stands where. Pure in (state, area): drawing and clicks agree.
    fn place(&self, area: Rect, sieve: &Sieve, store: &Store, look: Option<&Look>) -> Vec<Placed> {
        let height = usize::from(area.height) as isize;
        let len = sieve.len(store);
        let here = self.index(sieve, store);
        let rows = |index: usize| {
            let line = sieve.at(index, store)?;
            Some((
                line,
                row::rows(
                    self,
                    line,
                    area.width,
                    self.expanded.contains(&line),
                    sieve,
                    store,
                    look,
                ),
            ))
        };
        let mut placed = Vec::new();
        let Some((line, own)) = rows(here) else {
            return placed;
        };
        let size = own.len() as isize;
        let mut top = if self.follow {
            height - size
        } else {
            (self.row as isize).min(height - size.min(height))
        };
        let first_top = top;
        placed.push(Placed {
            line,
            top,
            rows: own,
        });
        for index in (0..here).rev() {
            if top <= 0 {
                break;
            }
            let Some((line, rows)) = rows(index) else {
                break;
            };
            top -= rows.len() as isize;
            placed.push(Placed { line, top, rows });
        }
        // Nothing stands above the first line.
        let gap = top.max(0);
        for placed in &mut placed {
            placed.top -= gap;
        }
        placed.reverse();
        let mut bottom = first_top - gap + size;
        for index in here + 1..len {
            if bottom >= height {
                break;
            }
            let Some((line, rows)) = rows(index) else {
                break;
            };
            let top = bottom;
            bottom += rows.len() as isize;
            placed.push(Placed { line, top, rows });
        }
        placed
    }

    /// How many cells of the longest line on screen have no room.
    pub fn overhang(&self, area: Rect, sieve: &Sieve, store: &Store) -> usize {
        let placed = self.place(area, sieve, store, None);
        let overhangs = placed
            .iter()
            .map(|placed| row::overhang(self, placed.line, area.width, store));
        overhangs.max().unwrap_or(0)
    }

    /// The line at a screen row of the list.
    pub fn line_at(&self, area: Rect, y: u16, sieve: &Sieve, store: &Store) -> Option<u32> {
        let wanted = isize::try_from(y.checked_sub(area.y)?).ok()?;
        let placed = self.place(area, sieve, store, None);
        placed
            .iter()
            .rev()
            .find(|p| p.top <= wanted)
            .filter(|p| wanted < p.top + p.rows.len() as isize)
            .map(|p| p.line)
    }

    /// Puts the cursor on a clicked line.
    pub fn click(&mut self, area: Rect, y: u16, sieve: &Sieve, store: &Store) {
        if let Some(line) = self.line_at(area, y, sieve, store) {
            self.set_follow(false, usize::from(area.height), sieve, store);
            self.cursor = Some(line);
            self.row = usize::from(y - area.y);
        }
    }

    /// Draws the list.
    pub fn render(
        &self,
        area: Rect,
        buf: &mut Buffer,
        look: &Look,
        sieve: &Sieve,
        store: &Store,
        empty: &str,
    ) {
        if sieve.len(store) == 0 {
            return notice(empty, Tone::Muted, area, buf, look);
        }
        let here = self.current(sieve, store);
        for placed in self.place(area, sieve, store, Some(look)) {
            for (n, line) in (0..).zip(placed.rows) {
                let y = placed.top + n;
                if !(0..area.height as isize).contains(&y) {
                    continue;
                }
                let rect = Rect {
                    y: area.y + y as u16,
                    height: 1,
                    ..area
                };
                line.render(rect, buf);
                if Some(placed.line) == here && n == 0 && !self.follow {
                    select(rect, buf, look);
                }
            }
        }
    }
}

/// Marks the row under the cursor; what was looked for still stands out in it.
fn select(row: Rect, buf: &mut Buffer, look: &Look) {
    let found = row::found_style(look.theme);
    for position in row.positions() {
        if let Some(cell) = buf.cell_mut(position)
            && (Some(cell.fg) != found.fg || !cell.modifier.contains(found.add_modifier))
        {
            cell.set_style(look.theme.cursor());
        }
    }
}

/// Spans in which what was looked for stands out.
pub fn highlighted(
    text: &str,
    search: Option<&Search>,
    style: Style,
    found: Style,
) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    let mut done = 0;
    for range in search.map(|search| search.ranges(text)).unwrap_or_default() {
        spans.push(Span::styled(text[done..range.start].to_owned(), style));
        spans.push(Span::styled(text[range.clone()].to_owned(), found));
        done = range.end;
    }
    spans.push(Span::styled(text[done..].to_owned(), style));
    spans
}
