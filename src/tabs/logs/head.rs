//! Above the lines: the pill that tells the truth about the tail, live figures, the histogram strip, the filter chips.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::clock::Clock;
use super::sieve::Sieve;
use crate::client::tail::Status;
use crate::domain::invocation::Figures;
use crate::store::Store;
use crate::tabs::Look;
use crate::ui::text::{clean, count, percent, truncate, width};
use crate::ui::theme::Tone;

/// Slices of the histogram, whatever the width of the screen.
pub const SLICES: usize = 240;
/// Windows of the live figures, minutes.
pub const WINDOWS: [i64; 3] = [1, 5, 15];

/// Where things are, top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// The tail's state and the views.
    pub pill: Rect,
    /// Live figures.
    pub figures: Rect,
    /// Volume and errors over time; empty on small screens.
    pub strip: Rect,
    /// Filters and counts, or what is being typed.
    pub chips: Rect,
    /// The rest.
    pub list: Rect,
}

/// Divides the body; pure, so that drawing, page sizes and clicks agree.
pub fn areas(body: Rect) -> Areas {
    let strip_height = if body.height >= 14 {
        if body.height >= 40 { 3 } else { 1 }
    } else {
        0
    };
    let mut y = body.y;
    let mut take = |height: u16| {
        let height = height.min(body.bottom().saturating_sub(y));
        let rect = Rect { y, height, ..body };
        y += height;
        rect
    };
    Areas {
        pill: take(1),
        figures: take(1),
        strip: take(strip_height),
        chips: take(1),
        list: take(u16::MAX),
    }
}

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

/// What the pill line says.
pub struct Pill<'a> {
    /// The tail's own state.
    pub status: &'a Status,
    /// Why there is no tail.
    pub ended: Option<&'a str>,
    /// Not following, and so many lines came meanwhile.
    pub paused: Option<usize>,
    /// The views, and which one is open.
    pub views: (&'static [&'static str], usize),
}

impl Pill<'_> {
    /// Draws the state on the left, the views on the right.
    pub fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) {
        let mut right = Vec::new();
        for (n, name) in self.views.0.iter().enumerate() {
            let style = if n == self.views.1 {
                look.theme.accent.patch(look.theme.selected)
            } else {
                look.theme.muted
            };
            right.push(Span::styled(format!(" {name} "), style));
        }
        let right = Line::from(right);
        let room = usize::from(area.width).saturating_sub(right.width() + 2);
        right.right_aligned().render(area, buf);
        let (text, tone) = self.text(look);
        let dot = if look.glyphs.ascii { "*" } else { "●" };
        let text = truncate(
            &clean(&format!(" {dot} {text}")),
            room,
            look.glyphs.ellipsis,
        );
        Line::styled(text, look.theme.tone(tone)).render(
            Rect {
                width: room as u16,
                ..area
            },
            buf,
        );
    }

    fn text(&self, look: &Look) -> (String, Tone) {
        if let Some(why) = self.ended {
            return (format!("STOPPED: {why}"), Tone::Bad);
        }
        let state = self.status.pill(look.now.wall.as_millisecond());
        if self.status.is_trouble() {
            let tone = if matches!(
                self.status,
                Status::WaitingForGroup { .. } | Status::Throttled { .. }
            ) {
                Tone::Warn
            } else {
                Tone::Bad
            };
            return (state, tone);
        }
        match (self.paused, self.status) {
            (Some(fresh), _) => (
                format!("PAUSED {} {} new", look.glyphs.down, count(fresh)),
                Tone::Warn,
            ),
            (None, Status::Live(_)) => (state, Tone::Good),
            _ => (state, Tone::Muted),
        }
    }
}

/// The figures of as many windows as fit, the five minutes first of all.
pub fn figures(windows: &[Figures; 3], area: Rect, buf: &mut Buffer, look: &Look) {
    let lines: Vec<Line> = WINDOWS
        .iter()
        .zip(windows)
        .map(|(minutes, figures)| Line::from(window(*minutes, figures, look)))
        .collect();
    let mut room = usize::from(area.width);
    let mut shown = [false; 3];
    for at in [1, 2, 0] {
        if lines[at].width() > room {
            break;
        }
        room -= lines[at].width();
        shown[at] = true;
    }
    shown[1] = true;
    let spans = lines
        .into_iter()
        .zip(shown)
        .filter(|(_, shown)| *shown)
        .flat_map(|(line, _)| line.spans);
    spans.collect::<Line>().render(area, buf);
}

fn window(minutes: i64, figures: &Figures, look: &Look) -> Vec<Span<'static>> {
    let theme = look.theme;
    let mut spans = vec![Span::styled(format!(" {minutes:>2} min  "), theme.accent)];
    let Some(ladder) = figures.duration else {
        spans.push(Span::styled("no request finished  ", theme.muted));
        return spans;
    };
    let mut figure = |name: &str, value: String, style| {
        spans.push(Span::styled(format!("{name} "), theme.muted));
        spans.push(Span::styled(format!("{value}  "), style));
    };
    figure("n", count(figures.n), theme.text);
    figure("p50", ladder.p50.text(), theme.text);
    figure("p95", ladder.p95.text(), theme.text);
    figure("p99", ladder.p99.text(), theme.text);
    let rate = figures.error_rate().unwrap_or(0.0);
    let tone = if rate > 0.01 {
        theme.bad
    } else if rate > 0.0 {
        theme.warn
    } else {
        theme.good
    };
    figure("err", percent(rate), tone);
    figure(
        "cold",
        percent(figures.cold_share().unwrap_or(0.0)),
        theme.cold,
    );
    spans
}

/// The chips of level, filters and search on the left; counts on the right.
///
/// Without any, `idle` says what is being watched.
pub fn chips(
    sieve: &Sieve,
    index: usize,
    store: &Store,
    (note, idle): (&str, &str),
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let theme = look.theme;
    buf.set_style(area, theme.muted);
    let counts = if sieve.is_filtering() {
        format!(
            "{} of {} lines{note} ",
            count(sieve.len(store)),
            count(store.len())
        )
    } else {
        format!("{} lines{note} ", count(store.len()))
    };
    let room = usize::from(area.width).saturating_sub(width(&counts) + 1);
    Line::styled(counts, theme.muted)
        .right_aligned()
        .render(area, buf);
    let mut spans = Vec::new();
    let mut chip = |mark: &str, text: &str, style| {
        spans.push(Span::raw(" "));
        spans.push(Span::styled(format!(" {mark}{} ", clean(text)), style));
    };
    if let Some(level) = sieve.level() {
        chip("level >= ", level.word(), theme.warn.patch(theme.selected));
    }
    for entry in sieve.entries() {
        let (mark, style) = if entry.layer.exclude {
            ("- ", theme.bad)
        } else {
            ("& ", theme.good)
        };
        chip(mark, &entry.label, style.patch(theme.selected));
    }
    if let Some(search) = sieve.search() {
        chip("/ ", &search.text, theme.accent.patch(theme.selected));
        let found = match sieve.found_count(index, store) {
            None => "searching".to_owned(),
            Some((_, 0)) => "no match".to_owned(),
            Some((0, all)) => format!("{} matches", count(all)),
            Some((at, all)) => format!("{} of {}", count(at), count(all)),
        };
        spans.push(Span::styled(format!(" {found}"), theme.muted));
    }
    if sieve.context > 0 {
        spans.push(Span::styled(
            format!("  {} lines around", sieve.context),
            theme.muted,
        ));
    }
    if spans.is_empty() {
        let idle = truncate(&clean(&format!(" {idle}")), room, look.glyphs.ellipsis);
        spans.push(Span::styled(idle, theme.muted));
    }
    Line::from(spans).render(
        Rect {
            width: room as u16,
            ..area
        },
        buf,
    );
}
