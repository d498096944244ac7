//! A value on a line from p1 to p99, with the median marked.

use ratatui::style::Style;
use ratatui::text::Span;

use crate::domain::schema::Range;
use crate::tabs::Look;

/// The slider for `value` (`None`: the text is no number) in `cells` cells; the knob wears `style`.
pub fn slider<'a>(
    range: &Range,
    value: Option<f64>,
    cells: usize,
    style: Style,
    look: &Look,
) -> Vec<Span<'a>> {
    let glyphs = look.glyphs;
    let cell = |at: f64| (range.position(at) * (cells.saturating_sub(1)) as f64).round() as usize;
    let median = cell(range.p50);
    let knob = value.map(cell);
    (0..cells)
        .map(|i| match knob {
            Some(at) if at == i => Span::styled(glyphs.knob, style),
            _ if i == median => Span::styled(glyphs.median, look.theme.muted),
            Some(at) if i < at => Span::styled(glyphs.track, style),
            _ => Span::styled(glyphs.track, look.theme.track),
        })
        .collect()
}

/// The value under a cell of the slider, on the grid of steps.
pub fn value_at(range: &Range, cell: u16, cells: u16) -> f64 {
    let share = f64::from(cell) / f64::from(cells.saturating_sub(1).max(1));
    let value = range.p1 + (range.p99 - range.p1) * share.min(1.0);
    let scale = 10_f64.powi(range.decimals() as i32);
    (value * scale).round() / scale
}
