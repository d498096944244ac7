//! What each feature is worth to the model, with its error, and the model in words.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::lines::{speak, wrapped};
use crate::challenger::Weights;
use crate::effects::retrain::Report;
use crate::tabs::Look;
use crate::train::importance::Importance;
use crate::train::surrogate::Surrogate;
use crate::ui::text::{clean, fit};

/// Cells of a feature's name.
const NAME: usize = 21;
/// Cells of its figure and error.
const FIGURE: usize = 17;
/// Cells of its share of the decrease in impurity.
const SHARE: usize = 9;
/// Cells of a pane that has room for that too.
const ROOMY: usize = 70;

/// A line for each feature, the weightiest first, under how it was measured.
pub(super) fn lines(report: &Report, area: Rect, look: &Look) -> Vec<Line<'static>> {
    let cells = usize::from(area.width);
    let weights = &report.importance;
    let shares = cells >= ROOMY && weights.impurity.iter().any(|weight| weight.mean > 0.0);
    let impurity = if shares {
        "; MDI: share of the fall in impurity, which favours features of many values"
    } else {
        ""
    };
    let caption = speak(
        format!("{}, {}{impurity}", weights.measure, weights.over),
        look,
    );
    let mut lines = indented(wrapped(&caption, cells.saturating_sub(1), look.theme.muted));
    lines.extend(bars(weights, shares, cells, look));
    if let Some(surrogate) = &report.surrogate {
        lines.push(Line::default());
        lines.extend(in_words(surrogate, cells, look));
    }
    lines
}

/// What shuffling each feature costs, with its error, beside its share of the decrease in impurity where there is room.
fn bars(weights: &Weights, shares: bool, cells: usize, look: &Look) -> Vec<Line<'static>> {
    let mut both: Vec<_> = weights.permutation.iter().zip(&weights.impurity).collect();
    both.sort_by(|(a, _), (b, _)| b.mean.total_cmp(&a.mean));
    let most = both.first().map_or(1.0, |(first, _)| first.mean).max(1e-12);
    let room = cells.saturating_sub(NAME + FIGURE + 2 + if shares { SHARE } else { 0 });
    let line = |(cost, decrease): (&Importance, &Importance)| {
        let bar = (cost.mean.max(0.0) / most * room as f64).round() as usize;
        let name = fit(&format!(" {}", cost.name), NAME, look.glyphs.ellipsis);
        let error = speak(format!(" ±{:<7.4} ", cost.error), look);
        let share = if shares {
            format!("{:<SHARE$}", format!("MDI {:.0}%", 100.0 * decrease.mean))
        } else {
            String::new()
        };
        Line::from(vec![
            Span::raw(name),
            Span::raw(format!("{:>7.4}", cost.mean)),
            Span::styled(error, look.theme.muted),
            Span::styled(share, look.theme.muted),
            Span::styled(look.glyphs.full.repeat(bar), look.theme.accent),
        ])
    };
    both.into_iter().map(line).collect()
}

fn indented(mut lines: Vec<Line<'static>>) -> Vec<Line<'static>> {
    for line in &mut lines {
        line.spans.insert(0, Span::raw(" "));
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
    indented(lines)
}
