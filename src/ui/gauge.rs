//! A score on its scale, the bands in their colours and their borders in figures.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::domain::schema::Schema;
use crate::tabs::Look;
use crate::ui::text::width;

/// The style of the band a score falls into: the lowest is bad, the highest good news.
pub fn band_style(schema: &Schema, score: f64, look: &Look) -> Style {
    let band = schema
        .bands
        .iter()
        .position(|band| score < band.below)
        .unwrap_or(schema.bands.len() - 1);
    let theme = look.theme;
    let styles = [theme.bad, theme.warn, theme.good, theme.info];
    let last = schema.bands.len().saturating_sub(1).max(1);
    styles[(band * (styles.len() - 1))
        .div_ceil(last)
        .min(styles.len() - 1)]
}

/// Two lines: the scale filled up to `score` in its band's colour, and the figures at the bands' borders.
pub fn gauge(schema: &Schema, score: Option<f64>, area: Rect, buf: &mut Buffer, look: &Look) {
    if area.is_empty() {
        return;
    }
    let scale = &schema.score;
    let cells = usize::from(area.width);
    let score_of = |cell: f64| scale.min + (scale.max - scale.min) * cell / cells as f64;
    let cell_of = |score: f64| {
        ((score - scale.min) / (scale.max - scale.min) * cells as f64).round() as usize
    };
    let filled = score.map_or(0, |score| cell_of(score).clamp(1, cells));
    let reached = score.map_or(look.theme.text, |score| band_style(schema, score, look));
    let bar: Vec<Span> = (0..cells)
        .map(|i| {
            let style = band_style(schema, score_of(i as f64 + 0.5), look);
            if i < filled {
                Span::styled(look.glyphs.full, reached)
            } else {
                Span::styled(look.glyphs.track, style.add_modifier(Modifier::DIM))
            }
        })
        .collect();
    Line::from(bar).render(Rect { height: 1, ..area }, buf);
    if area.height > 1 {
        let borders = schema
            .bands
            .iter()
            .map(|band| band.below)
            .filter(|below| below.is_finite());
        for value in [scale.min].into_iter().chain(borders).chain([scale.max]) {
            let text = value.to_string();
            let x = cell_of(value).min(cells.saturating_sub(width(&text))) as u16;
            Line::styled(text, look.theme.muted).render(
                Rect {
                    x: area.x + x,
                    y: area.y + 1,
                    width: area.width - x,
                    height: 1,
                },
                buf,
            );
        }
    }
}
