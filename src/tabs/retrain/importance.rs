//! What each feature is worth to the model, with its error.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::lines::speak;
use crate::effects::retrain::Report;
use crate::tabs::Look;
use crate::ui::text::fit;

/// A line for each feature, the weightiest first, under how it was measured.
pub(super) fn lines(report: &Report, area: Rect, look: &Look) -> Vec<Line<'static>> {
    let (measure, weights) = &report.importance;
    let mut weights: Vec<_> = weights.iter().collect();
    weights.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    let most = weights.first().map_or(1.0, |weight| weight.mean).max(1e-12);
    let names = 21;
    let room = usize::from(area.width).saturating_sub(names + 19);
    let caption = speak(format!(" {measure}"), look);
    let caption = fit(&caption, usize::from(area.width), look.glyphs.ellipsis);
    let mut lines = vec![Line::styled(caption, look.theme.muted)];
    for weight in weights {
        let cells = (weight.mean.max(0.0) / most * room as f64).round() as usize;
        let error = speak(format!(" ±{:<7.4} ", weight.error), look);
        lines.push(Line::from(vec![
            Span::raw(fit(
                &format!(" {}", weight.name),
                names,
                look.glyphs.ellipsis,
            )),
            Span::raw(format!("{:>7.4}", weight.mean)),
            Span::styled(error, look.theme.muted),
            Span::styled(look.glyphs.full.repeat(cells), look.theme.accent),
        ]));
    }
    lines
}
