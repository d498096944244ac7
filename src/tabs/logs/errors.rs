//! The Errors view: error messages that differ only in numbers, ids and names, counted and drawn over time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::clock::Clock;
use crate::domain::template::{Template, histogram};
use crate::store::Store;
use crate::tabs::Look;
use crate::ui::list::{cut_last, mark};
use crate::ui::panel::notice;
use crate::ui::text::{clean, count, truncate};
use crate::ui::theme::Tone;

/// The newest lines are enough for a sparkline.
const MOST_DRAWN: usize = 50_000;
/// Cells of the sparkline.
const SPARK: usize = 16;

/// When the function was last deployed, as far as it tells what is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deploy {
    /// Nobody said when, or the lines are not the function's.
    Unknown,
    /// Before the first line that was read: an error may be older than what is here.
    BeforeTheLines,
    /// Among the lines, milliseconds since the epoch.
    At(i64),
}

/// Which templates are listed and where we are.
#[derive(Debug, Default)]
pub struct Errors {
    listed: Vec<usize>,
    /// The sparkline of each template, by its position.
    heights: Vec<Vec<u32>>,
    cursor: Option<usize>,
}

impl Errors {
    /// Lists anew: the most frequent first.
    pub fn refresh(&mut self, store: &Store) {
        let rows = store.templates().rows();
        self.listed = (0..rows.len()).collect();
        self.listed.sort_by_key(|at| {
            (
                std::cmp::Reverse(rows[*at].count),
                std::cmp::Reverse(rows[*at].last_seen),
            )
        });
        let from = rows.iter().map(|row| row.first_seen).min().unwrap_or(0);
        let to = rows.iter().map(|row| row.last_seen).max().unwrap_or(0) + 1;
        let heights = |row: &Template| {
            let newest = row.lines.iter().rev().take(MOST_DRAWN);
            histogram(newest.filter_map(|line| store.time(*line)), from, to, SPARK)
        };
        self.heights = rows.iter().map(heights).collect();
    }

    fn index(&self) -> usize {
        self.cursor
            .and_then(|cursor| self.listed.iter().position(|at| *at == cursor))
            .unwrap_or(0)
    }

    /// How many are listed.
    pub fn len(&self) -> usize {
        self.listed.len()
    }

    /// The template under the cursor.
    pub fn current(&self) -> Option<usize> {
        self.listed.get(self.index()).copied()
    }

    /// Moves the cursor.
    pub fn step(&mut self, by: isize) {
        let to = self
            .index()
            .saturating_add_signed(by)
            .min(self.listed.len().saturating_sub(1));
        self.cursor = self.listed.get(to).copied();
    }

    /// Puts the cursor on a clicked row.
    pub fn click(&mut self, area: Rect, y: u16) {
        let Some(row) = y.checked_sub(area.y + 1) else {
            return;
        };
        if let Some(at) = self.listed.get(self.first(area) + usize::from(row)) {
            self.cursor = Some(*at);
        }
    }

    fn first(&self, area: Rect) -> usize {
        let height = usize::from(area.height.saturating_sub(1)).max(1);
        self.index()
            .saturating_sub(height / 2)
            .min(self.listed.len().saturating_sub(height))
    }

    /// Draws the table.
    pub fn render(
        &self,
        area: Rect,
        buf: &mut Buffer,
        look: &Look,
        store: &Store,
        (clock, deploy): (Clock, Deploy),
    ) {
        if self.listed.is_empty() {
            return notice("no error so far", Tone::Good, area, buf, look);
        }
        let is_wide = area.width >= 100;
        let time = clock.width();
        let first = if is_wide {
            format!("{:>time$} ", "first seen")
        } else {
            String::new()
        };
        let news = match deploy {
            Deploy::Unknown => String::new(),
            Deploy::BeforeTheLines => " (deployed before the first line read)".to_owned(),
            Deploy::At(at) => format!(" (new: since the deploy at {})", clock.short(at)),
        };
        let title = format!(
            " {:>6} {first}{:>time$} {:<SPARK$} message{news}",
            "count", "last seen", "over time"
        );
        let title = truncate(&title, usize::from(area.width), look.glyphs.ellipsis);
        Line::styled(title, look.theme.muted).render(Rect { height: 1, ..area }, buf);
        let rows = store.templates().rows();
        let here = self.current();
        let height = usize::from(area.height.saturating_sub(1));
        for (n, at) in (1..).zip(self.listed.iter().skip(self.first(area)).take(height)) {
            let rect = Rect {
                y: area.y + n,
                height: 1,
                ..area
            };
            let (row, heights) = (&rows[*at], &self.heights[*at]);
            let cells = cells(row, heights, is_wide, (clock, deploy), look);
            cut_last(cells, rect, look).render(rect, buf);
            if Some(*at) == here {
                mark(rect, buf, look);
            }
        }
    }
}

fn cells(
    row: &Template,
    heights: &[u32],
    is_wide: bool,
    (clock, deploy): (Clock, Deploy),
    look: &Look,
) -> Vec<Span<'static>> {
    let theme = look.theme;
    let time = |millis| format!("{:>1$} ", clock.print(millis, look.now.wall), clock.width());
    let mut spans = vec![Span::styled(
        format!(" {:>6} ", count(row.count)),
        theme.text,
    )];
    if is_wide {
        spans.push(Span::styled(time(row.first_seen), theme.muted));
    }
    spans.push(Span::styled(time(row.last_seen), theme.muted));
    spans.push(Span::styled(
        format!("{} ", sparkline(heights, look)),
        theme.bad,
    ));
    if matches!(deploy, Deploy::At(at) if row.first_seen >= at) {
        spans.push(Span::styled("new ", theme.warn));
    }
    spans.push(Span::styled(clean(&row.text), theme.text));
    spans
}

/// Heights as bars; nothing at all is a blank.
pub fn sparkline(heights: &[u32], look: &Look) -> String {
    let most = heights.iter().copied().max().unwrap_or(0).max(1);
    let bars = look.glyphs.bars;
    let bar = |height: &u32| match height {
        0 => " ",
        height => {
            bars[(*height as usize * (bars.len() - 1))
                .div_ceil(most as usize)
                .min(bars.len() - 1)]
        }
    };
    heights.iter().map(bar).collect()
}
