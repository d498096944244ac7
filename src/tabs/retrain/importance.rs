//! What each feature is worth to the model, with its error, and the model in words.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::lines::{speak, wrapped};
use crate::effects::retrain::Report;
use crate::tabs::Look;
use crate::train::surrogate::Surrogate;
use crate::ui::text::{clean, fit};

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
    if let Some(surrogate) = &report.surrogate {
        lines.push(Line::default());
        lines.extend(in_words(surrogate, usize::from(area.width), look));
    }
    lines
}

/// The rules of the tree that follows the model, and how far it does.
fn in_words(surrogate: &Surrogate, cells: usize, look: &Look) -> Vec<Line<'static>> {
    let head = format!(
        "In words: a tree of depth 3 follows the model to R² {:.2} on the {} holdout rows",
        surrogate.fidelity, surrogate.rows
    );
    let room = cells.saturating_sub(1);
    let mut lines = wrapped(&speak(head, look), room, look.theme.muted);
    for rule in &surrogate.rules {
        let score = format!("{:>5.2}  ", rule.score);
        let indent = " ".repeat(score.len());
        let texts = wrapped(
            &clean(&rule.when()),
            room.saturating_sub(score.len()),
            look.theme.text,
        );
        lines.extend(texts.into_iter().enumerate().map(|(number, line)| {
            let lead = if number == 0 {
                Span::styled(score.clone(), look.theme.accent)
            } else {
                Span::raw(indent.clone())
            };
            Line::from(vec![lead, Span::raw(line.to_string())])
        }));
    }
    for line in &mut lines {
        line.spans.insert(0, Span::raw(" "));
    }
    lines
}
