//! Live figures over the last minutes: latency, errors, cold starts; each leads to the requests behind it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::domain::invocation::Figures;
use crate::tabs::Look;
use crate::ui::text::{count, percent, width};

/// Windows of the live figures, minutes.
pub const WINDOWS: [i64; 3] = [1, 5, 15];

/// Which figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// How many requests were reported.
    N,
    /// Median handler time.
    P50,
    /// 95th percentile.
    P95,
    /// 99th percentile.
    P99,
    /// Failed share.
    Errors,
    /// Cold share.
    Cold,
}

/// A figure: its window (a place in [`WINDOWS`]) and which one.
pub type Place = (usize, Kind);

const FULL: &[Kind] = &[
    Kind::N,
    Kind::P50,
    Kind::P95,
    Kind::P99,
    Kind::Errors,
    Kind::Cold,
];
const MOST: &[Kind] = &[Kind::N, Kind::P50, Kind::P95, Kind::P99, Kind::Errors];
const SHORT: &[Kind] = &[Kind::N, Kind::P99, Kind::Errors];
const NONE: &[Kind] = &[];

/// What each window shows, the best that fits; the five minutes matter most.
const PLANS: [[&[Kind]; 3]; 6] = [
    [FULL, FULL, FULL],
    [SHORT, FULL, SHORT],
    [SHORT, MOST, SHORT],
    [NONE, FULL, NONE],
    [NONE, MOST, NONE],
    [NONE, SHORT, NONE],
];

/// Blanks between two figures, and what stands between two windows.
const GAP: usize = 2;
const BETWEEN: &str = " │ ";

/// One piece of the row, at its column.
struct Piece {
    x: usize,
    /// It begins another window than the piece before it.
    begins: bool,
    name: String,
    value: String,
    place: Option<Place>,
}

/// Divides the row; pure, so that drawing, focus and clicks agree.
fn pieces(windows: &[Figures; 3], is_filtered: bool, cells: usize) -> Vec<Piece> {
    let mut fitting = PLANS.iter().map(|plan| of_plan(plan, windows, is_filtered));
    let fits = |pieces: &Vec<Piece>| pieces.last().is_none_or(|last| last.end() <= cells);
    fitting.find(fits).unwrap_or_else(|| {
        let least = PLANS[PLANS.len() - 1];
        of_plan(&least, windows, is_filtered)
    })
}

fn of_plan(plan: &[&[Kind]; 3], windows: &[Figures; 3], is_filtered: bool) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut add = |name: String, value: String, place, begins: bool| {
        let x = pieces.last().map_or(1, |last| {
            let gap = match last.place {
                _ if begins => width(BETWEEN),
                None => 1,
                Some(_) => GAP,
            };
            last.end() + gap
        });
        pieces.push(Piece {
            x,
            begins: begins && x > 1,
            name,
            value,
            place,
        });
    };
    if is_filtered {
        add(
            "of what passes the pattern".to_owned(),
            String::new(),
            None,
            false,
        );
    }
    for (window, kinds) in plan
        .iter()
        .enumerate()
        .filter(|(_, kinds)| !kinds.is_empty())
    {
        let figures = &windows[window];
        add(String::new(), format!("{}m", WINDOWS[window]), None, true);
        if figures.n == 0 {
            add("no request".to_owned(), String::new(), None, false);
            continue;
        }
        for kind in *kinds {
            let (name, value) = kind.text(figures);
            add(name.to_owned(), value, Some((window, *kind)), false);
        }
    }
    pieces
}

impl Piece {
    /// The column behind it.
    fn end(&self) -> usize {
        let blank = usize::from(!self.name.is_empty() && !self.value.is_empty());
        self.x + width(&self.name) + blank + width(&self.value)
    }
}

impl Kind {
    fn text(self, figures: &Figures) -> (&'static str, String) {
        let ladder = |of: fn(&crate::domain::latency::Ladder) -> String| {
            figures.duration.as_ref().map(of).unwrap_or_default()
        };
        match self {
            Self::N => ("n", count(figures.n)),
            Self::P50 => ("p50", ladder(|ladder| ladder.p50.text())),
            Self::P95 => ("p95", ladder(|ladder| ladder.p95.text())),
            Self::P99 => ("p99", ladder(|ladder| ladder.p99.text())),
            Self::Errors => ("err", percent(figures.error_rate().unwrap_or(0.0))),
            Self::Cold => ("cold", percent(figures.cold_share().unwrap_or(0.0))),
        }
    }

    fn style(self, figures: &Figures, look: &Look) -> Style {
        match self {
            Self::Errors => match figures.error_rate().unwrap_or(0.0) {
                rate if rate > 0.01 => look.theme.bad,
                rate if rate > 0.0 => look.theme.warn,
                _ => look.theme.good,
            },
            Self::Cold => look.theme.cold,
            _ => look.theme.text,
        }
    }
}

/// The figures on screen, left to right.
pub fn places(windows: &[Figures; 3], is_filtered: bool, area: Rect) -> Vec<Place> {
    let pieces = pieces(windows, is_filtered, usize::from(area.width));
    pieces.into_iter().filter_map(|piece| piece.place).collect()
}

/// The figure under a column.
pub fn place_at(windows: &[Figures; 3], is_filtered: bool, area: Rect, x: u16) -> Option<Place> {
    let column = usize::from(x.checked_sub(area.x)?);
    let pieces = pieces(windows, is_filtered, usize::from(area.width));
    let mut hit = pieces
        .iter()
        .filter(|piece| (piece.x..piece.end()).contains(&column));
    hit.next()?.place
}

/// Draws the row. With a pattern at CloudWatch the figures are only about what passes it, and say so.
pub fn render(
    windows: &[Figures; 3],
    is_filtered: bool,
    focus: Option<Place>,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let theme = look.theme;
    let mut spans: Vec<Span> = Vec::new();
    let mut end = 0;
    for piece in pieces(windows, is_filtered, usize::from(area.width)) {
        let mark = |style: Style| {
            if piece.place.is_some() && piece.place == focus {
                theme.cursor()
            } else {
                style
            }
        };
        spans.push(if piece.begins {
            Span::styled(BETWEEN, theme.muted)
        } else {
            Span::raw(" ".repeat(piece.x - end))
        });
        end = piece.end();
        let has_both = !piece.name.is_empty() && !piece.value.is_empty();
        spans.push(Span::styled(piece.name, mark(theme.muted)));
        if has_both {
            spans.push(Span::styled(" ", mark(theme.muted)));
        }
        let style = match piece.place {
            Some((window, kind)) => kind.style(&windows[window], look),
            None => theme.accent,
        };
        spans.push(Span::styled(piece.value, mark(style)));
    }
    Line::from(spans).render(area, buf);
}
