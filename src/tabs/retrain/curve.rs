//! The curve of the run: R2 over trees, beside the champion's and the linear model's.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::lines::{ascii_line, flowed};
use super::plot::{Level, Plot, Series, Stroke};
use super::run::Job;
use super::{Outcome, Retrain};
use crate::effects::retrain::Point;
use crate::tabs::Look;
use crate::train::{Family, Plan};
use crate::ui::panel::notice;
use crate::ui::theme::Tone;

/// Trees and R2 of the run on screen, those before full coverage apart.
struct Drawn {
    early: Vec<(f64, f64)>,
    points: Vec<(f64, f64)>,
    total: f64,
}

impl Drawn {
    fn of(tab: &Retrain) -> Option<Self> {
        let split = |points: &[Point], total: f64| {
            let at = points
                .iter()
                .position(|point| point.covered)
                .unwrap_or(points.len());
            let plain = |points: &[Point]| {
                points
                    .iter()
                    .map(|point| (point.trees as f64, point.r2))
                    .collect()
            };
            // Both parts share a point, so that the line is whole.
            Self {
                early: plain(&points[..(at + 1).min(points.len())]),
                points: plain(&points[at.min(points.len())..]),
                total,
            }
        };
        match (&tab.running, &tab.outcome) {
            (Some(running), _) if !matches!(running.job, Job::Tune { .. }) => {
                let total = running
                    .points
                    .last()
                    .map_or(1, |point| point.trees)
                    .max(wanted(&running.plan));
                Some(split(&running.points, total as f64))
            }
            (_, Some(Outcome::Report(report))) => {
                let points: Vec<(f64, f64)> = report
                    .curve
                    .iter()
                    .map(|(trees, r2)| (*trees as f64, *r2))
                    .filter(|(_, r2)| r2.is_finite())
                    .collect();
                let total = points.last().map_or(1.0, |(trees, _)| *trees);
                Some(Self {
                    early: Vec::new(),
                    points,
                    total,
                })
            }
            (_, Some(Outcome::Stopped(_, _, points))) => {
                let total = points.last().map_or(1, |point| point.trees);
                Some(split(points, total as f64))
            }
            (_, None) => None,
        }
    }
}

/// Which rows a plan's curve is measured on. The kinds are not the same measure: each line says its own.
fn measure(plan: &Plan) -> &'static str {
    match plan.family {
        _ if plan.has_out_of_bag() => "oob R²",
        Family::Linear | Family::DecisionTree => "R²",
        _ => "validation R²",
    }
}

/// Trees that a plan will grow.
fn wanted(plan: &Plan) -> usize {
    let boosted = plan.params.boosting.max_iter * plan.params.boosting.n_bags;
    match plan.family {
        Family::GradientBoosting => boosted,
        Family::Blend => plan.params.n_estimators + boosted,
        Family::Linear | Family::DecisionTree => 1,
        _ => plan.params.n_estimators,
    }
}

/// Draws the curves under their legend.
pub(super) fn render(tab: &Retrain, area: Rect, buf: &mut Buffer, look: &Look) {
    let theme = look.theme;
    let reigning = tab.shelf().map_or(&[][..], |shelf| shelf.curve.as_slice());
    let mut champion: Vec<(f64, f64)> = reigning
        .iter()
        .map(|(trees, r2)| (*trees as f64, *r2))
        .collect();
    let nothing = || Drawn {
        early: Vec::new(),
        points: Vec::new(),
        total: champion.last().map_or(100.0, |last| last.0),
    };
    let drawn = Drawn::of(tab).unwrap_or_else(nothing);
    let linear = tab.data.value().map(|(report, _)| report.linear);
    if linear.is_none() && champion.is_empty() && drawn.points.is_empty() && drawn.early.is_empty()
    {
        let text = "the curve of the run appears here: R2 on rows that the trees have not seen";
        return notice(text, Tone::Muted, area, buf, look);
    }
    let mut legend = legend(tab, &drawn, linear, usize::from(area.width), look);
    // Two lines of legend are enough; a plot needs at least six.
    legend.truncate(usize::from(area.height.saturating_sub(6)).clamp(1, 3));
    let rows = legend.len() as u16;
    Paragraph::new(legend).render(area, buf);
    let level = |r2| Level {
        y: r2,
        glyph: ("┈", "."),
        style: theme.muted,
    };
    let levels: Vec<Level> = linear.map(level).into_iter().collect();
    let y = curve_range(&drawn, &levels, &champion);
    // A shorter champion stays at its last value, so that both can be compared at every tree.
    if let Some((trees, r2)) = champion.last().copied()
        && trees < drawn.total
    {
        champion.push((drawn.total, r2));
    }
    let series = |points, style, stroke| Series {
        points,
        style,
        stroke,
    };
    let plot = Plot {
        x: (1.0, drawn.total.max(2.0)),
        y,
        series: vec![
            series(champion, theme.warn, Stroke::Dashed),
            series(drawn.early, theme.muted, Stroke::Solid),
            series(drawn.points, theme.accent, Stroke::Solid),
        ],
        levels,
        x_label: x_label(tab).to_owned(),
    };
    let below = Rect {
        y: area.y + rows,
        height: area.height.saturating_sub(rows),
        ..area
    };
    plot.render(below, buf, look);
}

/// The plan of the challenger on screen, and what to call it.
fn challenger(tab: &Retrain) -> Option<(&Plan, String)> {
    let ended = || match tab.outcome.as_ref()? {
        Outcome::Report(report) => Some((&report.plan, "challenger".to_owned())),
        Outcome::Stopped(plan, ..) => Some((plan, "stopped run".to_owned())),
    };
    match &tab.running {
        Some(running) => match &running.job {
            Job::Train => Some((&running.plan, "challenger".to_owned())),
            Job::Reproduce(version) => Some((&running.plan, format!("{version} again"))),
            Job::Tune { .. } => ended(),
        },
        None => ended(),
    }
}

/// In a blend, trees of all parts are counted, and each part weighs as much as is grown of it.
fn x_label(tab: &Retrain) -> &'static str {
    match challenger(tab) {
        Some((plan, _)) if plan.family == Family::Blend => "trees of all parts, by share grown",
        _ => "trees",
    }
}

/// Every line with its mark, what it is measured on, and its figure.
fn legend(
    tab: &Retrain,
    drawn: &Drawn,
    linear: Option<f64>,
    cells: usize,
    look: &Look,
) -> Vec<Line<'static>> {
    let theme = look.theme;
    let (line, dashes, dots) = if look.glyphs.ascii {
        ("**", "oo", "..")
    } else {
        ("━━", "┄┄", "┈┈")
    };
    let mut spans = Vec::new();
    let last = drawn.points.last().or(drawn.early.last());
    if let (Some((trees, r2)), Some((plan, name))) = (last, challenger(tab)) {
        let text = format!(" {line} {name} {} {r2:.3} at {trees:.0} ", measure(plan));
        spans.push(Span::styled(text, theme.accent));
    }
    if let Some(shelf) = tab.shelf()
        && let Some((_, r2)) = shelf.curve.last()
        && let Some(manifest) = &shelf.manifest
    {
        let text = format!(
            " {dashes} {} {} {r2:.3} ",
            manifest.version,
            measure(&manifest.plan)
        );
        spans.push(Span::styled(text, theme.warn));
    }
    if let Some(r2) = linear {
        let text = format!(" {dots} linear CV R² {r2:.3}");
        spans.push(Span::styled(text, theme.muted));
    }
    flowed(ascii_line(spans, look), cells)
}

/// From the tenth tree on the axis shows what matters: the climb and the levels to beat.
fn curve_range(drawn: &Drawn, levels: &[Level], champion: &[(f64, f64)]) -> (f64, f64) {
    let all = || drawn.early.iter().chain(&drawn.points);
    let zoomed = all().any(|(trees, _)| *trees >= 10.0);
    let seen = all()
        .filter(|(trees, _)| !zoomed || *trees >= 10.0)
        .map(|(_, r2)| *r2);
    let reference = champion
        .iter()
        .filter(|(trees, _)| *trees >= 10.0)
        .map(|(_, r2)| *r2);
    let values: Vec<f64> = seen
        .chain(levels.iter().map(|level| level.y))
        .chain(reference)
        .filter(|y| y.is_finite())
        .collect();
    let low = values
        .iter()
        .copied()
        .fold(f64::INFINITY, f64::min)
        .max(-1.0);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !low.is_finite() || !high.is_finite() {
        return (0.0, 0.5);
    }
    (low, high + 0.01)
}
