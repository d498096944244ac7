//! The Errors view: error messages that differ only in numbers, ids and names, counted and drawn over time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::clock::Clock;
use super::listed::Listed;
use crate::domain::template::{Template, histogram};
use crate::store::Store;
use crate::tabs::Look;
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
    /// Templates by their position.
    listed: Listed<usize>,
    /// The sparkline of each template, by its position.
    heights: Vec<Vec<u32>>,
}

impl Errors {
    /// Lists anew: the most frequent first.
    pub fn refresh(&mut self, store: &Store) {
        let rows = store.templates().rows();
        self.listed.rows = (0..rows.len()).collect();
        self.listed.rows.sort_by_key(|at| {
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

    /// How many are listed.
    pub fn len(&self) -> usize {
        self.listed.rows.len()
    }

    /// The template under the cursor.
    pub fn current(&self) -> Option<usize> {
        self.listed.current()
    }

    /// Moves the cursor.
    pub fn step(&mut self, by: isize) {
        self.listed.step(by);
    }

    /// Puts the cursor on a clicked row.
    pub fn click(&mut self, area: Rect, y: u16) {
        self.listed.click(area, y);
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
        if self.listed.rows.is_empty() {
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
        self.listed.draw(area, buf, look, |at| {
            cells(&rows[at], &self.heights[at], is_wide, (clock, deploy), look)
        });
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
