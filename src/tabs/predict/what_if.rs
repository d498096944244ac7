//! What the local model would say: one feature swept with the others fixed (an ICE curve of this sample), and the
//! range of scores that each feature can cause (a tornado).

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Widget};

use crate::champion::Local;
use crate::domain::features::Features;
use crate::domain::schema::Schema;
use crate::tabs::Look;
use crate::ui::gauge::band_style;
use crate::ui::panel::{notice, panel};
use crate::ui::text::{clean, fit};
use crate::ui::theme::Tone;

/// Points of a sweep.
pub const POINTS: usize = 21;

/// One feature swept, the others as in the form.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// Position of the feature.
    pub field: usize,
    /// Value and score.
    pub points: Vec<(f64, f64)>,
    /// The form's own value and score.
    pub here: (f64, f64),
}

/// How far one feature alone can move the score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reach {
    /// Position of the feature.
    pub field: usize,
    /// Lowest and highest score over its sweep.
    pub low: f64,
    /// See `low`.
    pub high: f64,
}

/// A model: a row in the schema's order to a score.
type Model<'a> = &'a dyn Fn(&[f32]) -> f32;

/// The score of these inputs.
pub fn score(model: Model, features: &Features) -> f64 {
    let row: Vec<f32> = features.row().iter().map(|&value| value as f32).collect();
    f64::from(model(&row))
}

/// Sweeps one feature over p1..p99, or over its choices.
pub fn sweep(model: Model, schema: &Schema, features: &Features, field: usize) -> Sweep {
    let feature = &schema.features[field];
    let values = match feature.range() {
        Some(range) => range.sweep(POINTS),
        None => feature
            .choices()
            .iter()
            .map(|choice| choice.value)
            .collect(),
    };
    let points = values
        .into_iter()
        .map(|value| (value, score(model, &features.with(field, value))))
        .collect();
    Sweep {
        field,
        points,
        here: (features.row()[field], score(model, features)),
    }
}

/// Every feature's reach, the widest first.
pub fn tornado(model: Model, schema: &Schema, features: &Features) -> Vec<Reach> {
    let mut reaches: Vec<Reach> = (0..schema.features.len())
        .map(|field| {
            let (low, high) = sweep(model, schema, features, field).bounds();
            Reach { field, low, high }
        })
        .collect();
    reaches.sort_by(|a, b| (b.high - b.low).total_cmp(&(a.high - a.low)));
    reaches
}

impl Sweep {
    /// The lowest and the highest score, the form's own among them.
    fn bounds(&self) -> (f64, f64) {
        let scores = self
            .points
            .iter()
            .map(|(_, score)| *score)
            .chain([self.here.1]);
        scores.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), score| {
            (low.min(score), high.max(score))
        })
    }
}

/// Draws a sweep as a chart with the bands' borders and the form's own value.
pub fn render_sweep(
    sweep: Option<&Sweep>,
    local: Result<&Local, &String>,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let schema = &look.env.schema;
    let Some((sweep, local)) = sweep.zip(local.ok()) else {
        return nothing(local, area, buf, look);
    };
    let feature = &schema.features[sweep.field];
    let dot = look.glyphs.dot;
    let title = format!(
        " What if {dot} {} {dot} ICE of this sample, local {} ",
        feature.label, local.version
    );
    let inner = panel(title, false, area, buf, look);
    let (low, high) = sweep.bounds();
    let y = [
        (low - 0.25).max(schema.score.min),
        (high + 0.25).min(schema.score.max),
    ];
    let first = sweep
        .points
        .first()
        .map_or(0.0, |point| point.0)
        .min(sweep.here.0);
    let last = sweep
        .points
        .last()
        .map_or(1.0, |point| point.0)
        .max(sweep.here.0);
    let borders: Vec<(f64, [(f64, f64); 2])> = (schema.bands.iter().map(|band| band.below))
        .filter(|below| (y[0]..y[1]).contains(below))
        .map(|below| (below, [(first, below), (last, below)]))
        .collect();
    let marker = if look.glyphs.ascii {
        Marker::Dot
    } else {
        Marker::Braille
    };
    let line = |points, style: Style| {
        Dataset::default()
            .data(points)
            .marker(marker)
            .graph_type(GraphType::Line)
            .style(style)
    };
    let mut sets: Vec<Dataset> = borders
        .iter()
        .map(|(below, points)| {
            line(
                points,
                band_style(schema, *below, look).add_modifier(Modifier::DIM),
            )
        })
        .collect();
    sets.push(line(&sweep.points, look.theme.accent));
    let here = [sweep.here];
    sets.push(
        Dataset::default()
            .data(&here)
            .marker(if look.glyphs.ascii {
                Marker::Dot
            } else {
                Marker::Block
            })
            .graph_type(GraphType::Scatter)
            .style(look.theme.title),
    );
    let short = |value: f64| feature.display((value * 1e4).round() / 1e4);
    let ends = [short(first), short(f64::midpoint(first, last)), short(last)];
    let ends: Vec<String> = if feature.choices().is_empty() {
        ends.to_vec()
    } else {
        vec![ends[0].clone(), ends[2].clone()]
    };
    Chart::new(sets)
        .x_axis(
            Axis::default()
                .bounds([first, last])
                .labels(ends)
                .style(look.theme.muted),
        )
        .y_axis(
            Axis::default()
                .bounds(y)
                .labels(y.map(|value| format!("{value:.2}")))
                .style(look.theme.muted),
        )
        .legend_position(None)
        .render(inner, buf);
    let now = format!(
        " {} {} {:.3} ",
        short(sweep.here.0),
        if look.glyphs.ascii { "->" } else { "→" },
        sweep.here.1
    );
    let cells = crate::ui::text::width(&now) as u16;
    if inner.width > cells && inner.height > 0 {
        Line::styled(now, look.theme.title).render(
            Rect {
                x: inner.right() - cells,
                width: cells,
                height: 1,
                ..inner
            },
            buf,
        );
    }
}

/// Draws the tornado: one bar per feature, the form's own score as the line they cross.
pub fn render_tornado(
    reaches: &[Reach],
    local: Result<&Local, &String>,
    selected: usize,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let schema = &look.env.schema;
    if reaches.is_empty() {
        return nothing(local, area, buf, look);
    }
    let version = local.map_or("", |local| local.version.as_str());
    let inner = panel(
        format!(
            " Tornado {} score each feature alone can cause, local {version} ",
            look.glyphs.dot
        ),
        false,
        area,
        buf,
        look,
    );
    let (low, high) = reaches
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), reach| {
            (low.min(reach.low), high.max(reach.high))
        });
    let label = schema
        .features
        .iter()
        .map(|feature| crate::ui::text::width(&feature.label))
        .max()
        .unwrap_or(0);
    let room = usize::from(inner.width).saturating_sub(label + 16).max(1);
    let cell =
        |score: f64| ((score - low) / (high - low).max(1e-9) * (room - 1) as f64).round() as usize;
    for (reach, y) in reaches.iter().zip(inner.y..inner.bottom()) {
        let (from, to) = (cell(reach.low), cell(reach.high));
        let style = if reach.field == selected {
            look.theme.accent
        } else {
            look.theme.text
        };
        let bar: Vec<Span> = (0..room)
            .map(|i| {
                let score = low + (high - low) * i as f64 / (room - 1).max(1) as f64;
                if (from..=to).contains(&i) {
                    Span::styled(look.glyphs.full, band_style(schema, score, look))
                } else {
                    Span::styled(" ", look.theme.track)
                }
            })
            .collect();
        let mut spans = vec![
            Span::styled(fit(&schema.features[reach.field].label, label, ""), style),
            Span::styled(format!(" {:>5.2} ", reach.low), look.theme.muted),
        ];
        spans.extend(bar);
        spans.push(Span::styled(
            format!(" {:.2}", reach.high),
            look.theme.muted,
        ));
        Line::from(spans).render(
            Rect {
                y,
                height: 1,
                ..inner
            },
            buf,
        );
    }
}

fn nothing(local: Result<&Local, &String>, area: Rect, buf: &mut Buffer, look: &Look) {
    let inner = panel(" What if ", false, area, buf, look);
    let text = match local {
        Ok(_) => "correct the inputs to see what the model would say",
        Err(why) => why,
    };
    notice(&clean(text), Tone::Muted, inner, buf, look);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_changes_one_feature_and_a_tornado_is_sorted_by_reach() {
        let schema = Schema::wine_quality();
        let features = Features::from_values(schema, &schema.presets[0].values).unwrap();
        // Depends on alcohol twice as much as on pH, and on nothing else.
        let model = |row: &[f32]| 0.2 * row[10] + 0.1 * row[8];
        let swept = sweep(&model, schema, &features, 10);
        assert_eq!(swept.points.len(), POINTS);
        assert!((swept.points[0].0 - 8.7).abs() < 1e-9);
        assert!((swept.points[20].1 - (0.2 * 13.4 + 0.351)).abs() < 1e-5);
        assert!((swept.here.0 - 9.4).abs() < 1e-9);
        let reaches = tornado(&model, schema, &features);
        assert_eq!((reaches[0].field, reaches[1].field), (10, 8));
        assert!((reaches[0].high - reaches[0].low - 0.2 * 4.7).abs() < 1e-5);
        assert!(reaches[2].high - reaches[2].low < 1e-9);
        assert_eq!(sweep(&model, schema, &features, 11).points.len(), 2);
    }
}
