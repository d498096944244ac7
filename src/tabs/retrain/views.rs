//! The large pane: curve, residuals, predicted against actual, bands, importance, history.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::plot::{Level, Plot, Series};
use super::side::{ascii_line, plain};
use super::{Outcome, Retrain, history};
use crate::effects::retrain::Report;
use crate::tabs::Look;
use crate::train::evaluate::Evaluation;
use crate::ui::panel::{notice, panel};
use crate::ui::text::fit;
use crate::ui::theme::Tone;

/// What the large pane shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Curve,
    Residuals,
    Scatter,
    Bands,
    Importance,
    History,
}

impl View {
    const ALL: [Self; 6] = [
        Self::Curve,
        Self::Residuals,
        Self::Scatter,
        Self::Bands,
        Self::Importance,
        Self::History,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Curve => "curve",
            Self::Residuals => "residuals",
            Self::Scatter => "predicted/actual",
            Self::Bands => "bands",
            Self::Importance => "importance",
            Self::History => "history",
        }
    }

    const fn short(self) -> &'static str {
        match self {
            Self::Residuals => "resid",
            Self::Scatter => "p/a",
            Self::Importance => "import",
            view => view.name(),
        }
    }

    /// The view some steps on, round and round.
    pub(super) fn next(self, steps: i32) -> Self {
        let at = Self::ALL.iter().position(|view| *view == self).unwrap_or(0);
        Self::ALL[(at as i32 + steps).rem_euclid(Self::ALL.len() as i32) as usize]
    }
}

/// Draws the current view under the names of all.
pub(super) fn render(tab: &Retrain, area: Rect, buf: &mut Buffer, look: &Look) {
    let inner = panel(
        names(tab.view, area, look),
        tab.view == View::History,
        area,
        buf,
        look,
    );
    match (tab.view, tab.report()) {
        (View::Curve, _) => curve(tab, inner, buf, look),
        (View::History, _) => history::render(tab, inner, buf, look),
        (_, None) => notice(
            "train something first: this view shows the last run on the holdout",
            Tone::Muted,
            inner,
            buf,
            look,
        ),
        (View::Residuals, Some(report)) => residuals(&report.evaluation, inner, buf, look),
        (View::Scatter, Some(report)) => scatter(&report.evaluation, inner, buf, look),
        (View::Bands, Some(report)) => bands(report, inner, buf, look),
        (View::Importance, Some(report)) => importance(report, inner, buf, look),
    }
}

fn names(current: View, area: Rect, look: &Look) -> Line<'static> {
    let short = area.width < 70;
    let mut spans = vec![Span::raw(" ")];
    for view in View::ALL {
        let name = if short { view.short() } else { view.name() };
        let style = if view == current {
            look.theme.accent
        } else {
            look.theme.muted
        };
        spans.extend([Span::styled(name, style), Span::raw(" ")]);
    }
    Line::from(spans)
}

/// Trees and R2 of the run on screen, those before full coverage apart.
struct Drawn {
    early: Vec<(f64, f64)>,
    points: Vec<(f64, f64)>,
    total: f64,
}

impl Drawn {
    fn of(tab: &Retrain) -> Option<Self> {
        let split = |points: &[crate::effects::retrain::Point], total: f64| {
            let at = points
                .iter()
                .position(|point| point.covered)
                .unwrap_or(points.len());
            let plain = |points: &[crate::effects::retrain::Point]| {
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
            (Some(running), _) => {
                let total = running
                    .points
                    .last()
                    .map_or(1, |point| point.trees)
                    .max(wanted(&running.order.plan));
                Some(split(&running.points, total as f64))
            }
            (None, Some(Outcome::Report(report))) => {
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
            (None, Some(Outcome::Stopped(_, _, points))) => {
                let total = points.last().map_or(1, |point| point.trees);
                Some(split(points, total as f64))
            }
            (None, None) => None,
        }
    }
}

/// Trees that a plan will grow.
fn wanted(plan: &crate::train::Plan) -> usize {
    use crate::train::Family;
    let boosted = plan.params.boosting.max_iter * plan.params.boosting.n_bags;
    match plan.family {
        Family::GradientBoosting => boosted,
        Family::Blend => plan.params.n_estimators + boosted,
        Family::Linear | Family::DecisionTree => 1,
        _ => plan.params.n_estimators,
    }
}

fn curve(tab: &Retrain, area: Rect, buf: &mut Buffer, look: &Look) {
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
    legend(tab, &drawn, linear, look).render(Rect { height: 1, ..area }, buf);
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
    let joined = |points, style| Series {
        points,
        style,
        joined: true,
    };
    let plot = Plot {
        x: (1.0, drawn.total.max(2.0)),
        y,
        series: vec![
            joined(champion, theme.warn),
            joined(drawn.early, theme.muted),
            joined(drawn.points, theme.accent),
        ],
        levels,
        x_label: "trees".to_owned(),
        decimals: 2,
    };
    let below = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    };
    plot.render(below, buf, look);
}

/// What is judged, and every line with its figure.
fn legend(tab: &Retrain, drawn: &Drawn, linear: Option<f64>, look: &Look) -> Line<'static> {
    let theme = look.theme;
    let family = tab
        .running
        .as_ref()
        .map(|running| running.order.plan.family)
        .or_else(|| tab.report().map(|report| report.plan.family));
    let judged = match family {
        Some(crate::train::Family::RandomForest) | None => "oob R²",
        _ => "validation R²",
    };
    let (line, dots) = if look.glyphs.ascii {
        ("--", "..")
    } else {
        ("━━", "┈┈")
    };
    let mut spans = vec![Span::styled(format!(" {judged}  "), theme.muted)];
    if let Some((trees, r2)) = drawn.points.last().or(drawn.early.last()) {
        let text = format!("{line} challenger {r2:.3} at {trees:.0}  ");
        spans.push(Span::styled(text, theme.accent));
    }
    let reigning = tab
        .shelf()
        .and_then(|shelf| Some((shelf.champion.as_ref()?.version, shelf.curve.last()?.1)));
    if let Some((version, r2)) = reigning {
        spans.push(Span::styled(
            format!("{line} {version} {r2:.3}  "),
            theme.warn,
        ));
    }
    if let Some(r2) = linear {
        spans.push(Span::styled(format!("{dots} linear {r2:.3}"), theme.muted));
    }
    Line::from(ascii_line(spans, look))
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
    (
        (low * 20.0).floor() / 20.0,
        ((high + 0.01) * 20.0).ceil() / 20.0,
    )
}

fn extent(values: impl Iterator<Item = f32>) -> (f64, f64) {
    let (low, high) = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    (f64::from(low), f64::from(high))
}

fn residuals(evaluation: &Evaluation, area: Rect, buf: &mut Buffer, look: &Look) {
    let residuals = evaluation.residuals();
    let (low, high) = extent(residuals.iter().copied());
    let reach = low.abs().max(high.abs()).max(0.5).ceil();
    let (left, right) = extent(evaluation.predicted.iter().copied());
    let n = residuals.len().max(1) as f64;
    let mean = residuals
        .iter()
        .map(|residual| f64::from(*residual))
        .sum::<f64>()
        / n;
    let beyond = residuals
        .iter()
        .filter(|residual| residual.abs() > 1.0)
        .count();
    let caption = format!(
        " actual minus predicted, n {n}: mean {mean:+.3}, {:.0}% off by more than 1",
        100.0 * beyond as f64 / n
    );
    Line::styled(
        fit(&caption, usize::from(area.width), look.glyphs.ellipsis),
        look.theme.muted,
    )
    .render(Rect { height: 1, ..area }, buf);
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
            joined: false,
        }],
        levels: vec![Level {
            y: 0.0,
            glyph: ("┄", "-"),
            style: look.theme.muted,
        }],
        x_label: "predicted".to_owned(),
        decimals: 1,
    };
    plot.render(
        Rect {
            y: area.y + 1,
            height: area.height.saturating_sub(1),
            ..area
        },
        buf,
        look,
    );
}

fn scatter(evaluation: &Evaluation, area: Rect, buf: &mut Buffer, look: &Look) {
    let both = || {
        evaluation
            .actual
            .iter()
            .chain(&evaluation.predicted)
            .copied()
    };
    let (low, high) = extent(both());
    let range = (low.floor(), high.ceil());
    let caption = " each point a holdout wine; the line is a perfect answer";
    Line::styled(
        fit(caption, usize::from(area.width), look.glyphs.ellipsis),
        look.theme.muted,
    )
    .render(Rect { height: 1, ..area }, buf);
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
                joined: false,
            },
            Series {
                points: vec![(range.0, range.0), (range.1, range.1)],
                style: look.theme.warn,
                joined: true,
            },
        ],
        levels: Vec::new(),
        x_label: "actual".to_owned(),
        decimals: 0,
    };
    plot.render(
        Rect {
            y: area.y + 1,
            height: area.height.saturating_sub(1),
            ..area
        },
        buf,
        look,
    );
}

fn bands(report: &Report, area: Rect, buf: &mut Buffer, look: &Look) {
    let theme = look.theme;
    let evaluation = &report.evaluation;
    let cell = if area.width >= 62 { 10 } else { 8 };
    let names = evaluation.bands.iter();
    let header: Vec<String> = names
        .map(|band| format!("{:>cell$}", short(band, cell)))
        .collect();
    let header = header.concat();
    let mut lines = vec![
        Line::styled(" rows: actual band, columns: predicted band", theme.muted),
        Line::from(vec![
            Span::styled(format!(" {:<10}", ""), theme.muted),
            Span::styled(header, theme.muted),
            Span::styled("   found", theme.muted),
        ]),
    ];
    for (truth, row) in evaluation.confusion.iter().enumerate() {
        let total: usize = row.iter().sum();
        let mut spans = vec![Span::raw(format!(
            " {:<10}",
            short(&evaluation.bands[truth], 10)
        ))];
        for (predicted, rows) in row.iter().enumerate() {
            let style = cell_style(truth == predicted, *rows, total, look);
            spans.push(Span::styled(format!("{rows:>cell$}"), style));
        }
        spans.push(Span::raw(format!("  {:>5}", found(row, truth))));
        let old = report
            .champion
            .as_ref()
            .and_then(|(_, old)| old.confusion.get(truth))
            .map(|row| found(row, truth));
        if let Some(old) = old {
            spans.push(Span::styled(format!(" was {old}"), theme.muted));
        }
        lines.push(Line::from(spans));
    }
    lines.push(Line::raw(""));
    lines.push(Line::styled(" mean squared error by slice", theme.muted));
    for slice in &evaluation.slices {
        let was = report
            .champion
            .as_ref()
            .and_then(|(_, old)| old.slices.iter().find(|other| other.name == slice.name));
        let mut spans = vec![
            Span::raw(format!(" {:<10}", short(&slice.name, 10))),
            Span::raw(format!("{:>8.3}", slice.scores.mse)),
            Span::styled(format!("  n {:<5}", slice.scores.n), theme.muted),
        ];
        if let Some(was) = was {
            let change = 100.0 * (slice.scores.mse / was.scores.mse - 1.0);
            let style = if change > 10.0 {
                theme.bad
            } else if change < 0.0 {
                theme.good
            } else {
                theme.muted
            };
            spans.push(Span::styled(format!(" {change:+.1}%"), style));
        }
        lines.push(Line::from(spans));
    }
    Paragraph::new(lines).render(area, buf);
}

fn short(text: &str, cells: usize) -> String {
    text.chars().take(cells).collect()
}

fn cell_style(diagonal: bool, rows: usize, total: usize, look: &Look) -> Style {
    match (diagonal, rows) {
        (_, 0) => look.theme.track,
        (true, _) => look.theme.good,
        (false, rows) if rows * 3 > total => look.theme.warn,
        _ => look.theme.text,
    }
}

/// The share of a band that was found.
fn found(row: &[usize], band: usize) -> String {
    let total: usize = row.iter().sum();
    if total == 0 {
        "–".to_owned()
    } else {
        format!("{:.0}%", 100.0 * row[band] as f64 / total as f64)
    }
}

fn importance(report: &Report, area: Rect, buf: &mut Buffer, look: &Look) {
    let (measure, weights) = &report.importance;
    let mut weights: Vec<_> = weights.iter().collect();
    weights.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    let most = weights.first().map_or(1.0, |weight| weight.mean).max(1e-12);
    let names = 21;
    let room = usize::from(area.width).saturating_sub(names + 19);
    let measure = if look.glyphs.ascii {
        plain(measure)
    } else {
        (*measure).to_owned()
    };
    let mut lines = vec![Line::styled(format!(" {measure}"), look.theme.muted)];
    for weight in weights {
        let cells = (weight.mean.max(0.0) / most * room as f64).round() as usize;
        let name = fit(&format!(" {}", weight.name), names, look.glyphs.ellipsis);
        let mut spans = vec![Span::raw(name), Span::raw(format!("{:>7.4}", weight.mean))];
        let error = if look.glyphs.ascii {
            format!(" +-{:<7.4} ", weight.error)
        } else {
            format!(" ±{:<7.4} ", weight.error)
        };
        spans.push(Span::styled(error, look.theme.muted));
        spans.push(Span::styled(
            look.glyphs.full.repeat(cells),
            look.theme.accent,
        ));
        lines.push(Line::from(spans));
    }
    Paragraph::new(lines).render(area, buf);
}
