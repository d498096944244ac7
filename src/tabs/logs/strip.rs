//! The strip: volume and errors over time, with the cursor's place marked.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::clock::Clock;
use crate::store::Store;
use crate::tabs::Look;

/// Slices of the histogram, whatever the width of the screen.
const SLICES: usize = 240;

/// Volume and errors of the whole store in equal slices of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strip {
    slices: Vec<(u32, u32)>,
    from: i64,
    to: i64,
}

impl Strip {
    /// Counts the store anew.
    pub fn of(store: &Store) -> Self {
        let first = store.at(0).and_then(|line| store.time(line)).unwrap_or(0);
        let (from, to) = (first, store.newest_time().unwrap_or(0) + 1);
        Self {
            slices: store.histogram(from, to, SLICES),
            from,
            to,
        }
    }

    /// How much time one bar stands for, milliseconds.
    pub fn bar_ms(&self, area: Rect) -> i64 {
        let (_, cells) = bars_of(area);
        ((self.to - self.from) / i64::from(cells).max(1)).max(1)
    }

    /// The time under a column of the strip.
    pub fn time_at(&self, area: Rect, x: u16) -> Option<i64> {
        let (start, cells) = bars_of(area);
        let at = i64::from(x.checked_sub(start)?.min(cells.saturating_sub(1)));
        (cells > 0 && self.to > self.from)
            .then(|| self.from + (self.to - self.from) * at / i64::from(cells))
    }

    /// Draws the bars between their first and last time, with the cursor's place marked.
    pub fn render(
        &self,
        here: Option<i64>,
        clock: Clock,
        area: Rect,
        buf: &mut Buffer,
        look: &Look,
    ) {
        if area.is_empty() || self.slices.iter().all(|slice| slice.0 == 0) {
            return;
        }
        let theme = look.theme;
        let last = Rect {
            y: area.bottom() - 1,
            height: 1,
            ..area
        };
        Line::styled(format!(" {}", clock.short(self.from)), theme.muted).render(last, buf);
        Line::styled(format!("{} ", clock.short(self.to)), theme.muted)
            .right_aligned()
            .render(last, buf);
        let (start, cells) = bars_of(area);
        let bars = self.squeeze(usize::from(cells));
        let most = bars.iter().map(|bar| bar.0).max().unwrap_or(1).max(1);
        let levels = usize::from(area.height) * 8;
        let span = (self.to - self.from).max(1);
        let mark = here.map(|time| {
            ((time - self.from).max(0) * i64::from(cells) / span).min(i64::from(cells) - 1)
        });
        for (n, (lines, errors)) in bars.into_iter().enumerate() {
            let height = (lines as usize * levels).div_ceil(most as usize);
            let mut style = if errors > 0 { theme.bad } else { theme.key };
            if mark == Some(n as i64) {
                style = theme.warn;
            }
            for row in 0..area.height {
                let below = usize::from(area.height - 1 - row) * 8;
                let part = height.saturating_sub(below).min(8);
                let is_mark = mark == Some(n as i64) && row + 1 == area.height;
                if part > 0 || is_mark {
                    let cell = &mut buf[(start + n as u16, area.y + row)];
                    cell.set_symbol(if part == 0 {
                        look.glyphs.pointer
                    } else {
                        look.glyphs.bars[part - 1]
                    });
                    cell.set_style(style);
                }
            }
        }
    }

    /// The slices as so many bars.
    fn squeeze(&self, bars: usize) -> Vec<(u32, u32)> {
        let len = self.slices.len();
        let slices = |bar: usize| {
            let from = bar * len / bars;
            from..((bar + 1) * len / bars).max(from + 1).min(len)
        };
        let sum = |bar| {
            self.slices[slices(bar)]
                .iter()
                .fold((0, 0), |sum, slice| (sum.0 + slice.0, sum.1 + slice.1))
        };
        (0..bars).map(sum).collect()
    }
}

/// First column and number of bars between the two times.
fn bars_of(area: Rect) -> (u16, u16) {
    (area.x + 7, area.width.saturating_sub(14))
}
