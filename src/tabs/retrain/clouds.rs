//! Every holdout row as a dot: residuals, and predicted against actual.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::plot::{Level, Plot, Series, Stroke};
use crate::tabs::Look;
use crate::train::evaluate::Evaluation;
use crate::ui::panel::below;
use crate::ui::text::fitting;

fn extent(values: impl Iterator<Item = f32>) -> (f64, f64) {
    let (low, high) = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    (f64::from(low), f64::from(high))
}

/// What the points are, as long as the area allows.
fn caption(captions: &[String], area: Rect, buf: &mut Buffer, look: &Look) {
    let text = fitting(captions, usize::from(area.width));
    Line::styled(text, look.theme.muted).render(Rect { height: 1, ..area }, buf);
}

/// Draws actual minus predicted over predicted.
pub(super) fn residuals(evaluation: &Evaluation, area: Rect, buf: &mut Buffer, look: &Look) {
    let residuals = evaluation.residuals();
    let (low, high) = extent(residuals.iter().copied());
    let reach = low.abs().max(high.abs()).max(0.5).ceil();
    let (left, right) = extent(evaluation.predicted.iter().copied());
    let rows = residuals.len();
    let n = rows.max(1) as f64;
    let mean = residuals
        .iter()
        .map(|residual| f64::from(*residual))
        .sum::<f64>()
        / n;
    let beyond = residuals
        .iter()
        .filter(|residual| residual.abs() > 1.0)
        .count();
    let beyond = 100.0 * beyond as f64 / n;
    let captions = [
        format!(
            " actual minus predicted, n {rows} holdout rows: mean {mean:+.3}, {beyond:.0}% off by more than 1"
        ),
        format!(" n {rows} holdout rows: mean {mean:+.3}, {beyond:.0}% beyond 1"),
    ];
    caption(&captions, area, buf, look);
    let points = evaluation
        .predicted
        .iter()
        .zip(&residuals)
        .map(|(p, r)| (f64::from(*p), f64::from(*r)))
        .collect();
    let plot = Plot {
        x: (left.floor(), right.ceil()),
        y: (-reach, reach),
        series: vec![Series {
            points,
            style: look.theme.accent,
            stroke: Stroke::Cloud,
        }],
        levels: vec![Level {
            y: 0.0,
            glyph: ("┄", "-"),
            style: look.theme.muted,
        }],
        x_label: "predicted".to_owned(),
    };
    plot.render(below(1, area), buf, look);
}

/// Draws predicted over actual.
pub(super) fn scatter(evaluation: &Evaluation, area: Rect, buf: &mut Buffer, look: &Look) {
    let both = || {
        evaluation
            .actual
            .iter()
            .chain(&evaluation.predicted)
            .copied()
    };
    let (low, high) = extent(both());
    let range = (low.floor(), high.ceil());
    let rows = evaluation.actual.len();
    let captions = [
        format!(" each point one of n {rows} holdout rows; the line is a perfect answer"),
        format!(" n {rows} holdout rows; line: perfect answers"),
    ];
    caption(&captions, area, buf, look);
    // Grades are whole numbers: a spread by row number, not by chance, keeps the picture still.
    let spread = |row: usize| (row % 17) as f64 / 17.0 * 0.5 - 0.25;
    let cloud = evaluation
        .actual
        .iter()
        .zip(&evaluation.predicted)
        .enumerate();
    let points = cloud
        .map(|(row, (y, p))| (f64::from(*y) + spread(row), f64::from(*p)))
        .collect();
    let plot = Plot {
        x: range,
        y: range,
        series: vec![
            Series {
                points,
                style: look.theme.accent,
                stroke: Stroke::Cloud,
            },
            Series {
                points: vec![(range.0, range.0), (range.1, range.1)],
                style: look.theme.warn,
                stroke: Stroke::Dashed,
            },
        ],
        levels: Vec::new(),
        x_label: "actual".to_owned(),
    };
    plot.render(below(1, area), buf, look);
}
