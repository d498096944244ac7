//! The sweep of one feature as a chart: the local model's curve of this sample (ICE), the mean curve of the data's rows
//! (PDP) behind it, and what the endpoint answered, if it was asked.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Widget};

use super::charts::{Charts, nothing, title};
use crate::champion::Local;
use crate::domain::schema::{Feature, Schema};
use crate::tabs::Look;
use crate::ui::gauge::band_style;
use crate::ui::panel::panel;
use crate::ui::text::width;

/// A line of the chart's legend and its style.
type Said = (String, Style);

/// Draws the chart with the bands' borders and the form's own value. `opened` says that it was asked for.
pub fn render(
    charts: &Charts,
    local: Result<&Local, &String>,
    selected: usize,
    opened: bool,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let schema = &look.env.schema;
    let served = charts.served.as_ref().filter(|served| served.shown);
    let curve = charts.sweep.as_ref();
    if curve.is_none() && served.is_none() {
        return nothing(" What if ", local, opened, area, buf, look);
    }
    let feature = &schema.features[selected];
    let version = local.map_or("", |local| local.version.as_str());
    let local = format!("local {version}");
    let ice = format!("ICE of this sample, {local}");
    let variants: [&[&str]; 4] = [
        &["What if", &feature.label, &ice],
        &["What if", &feature.label, &local],
        &["What if", &feature.label, version],
        &["What if", &feature.label],
    ];
    let title = title(&variants, opened, area, look);
    let inner = panel(title, opened, area, buf, look);
    let points = curve.map_or(&[][..], |curve| &curve.points);
    let mean = charts.dependence_of(selected, version);
    let answers = served.map_or(&[][..], |served| &served.points);
    let here: Vec<(f64, f64)> = curve.map(|curve| curve.here).into_iter().collect();
    let all: Vec<(f64, f64)> = [
        points,
        mean.map_or(&[][..], |mean| &mean.points),
        answers,
        &here,
    ]
    .concat();
    let (x, y) = bounds(&all, schema);
    let borders = borders(schema, x, y);
    let line = |data, style| set(data, look.glyphs.line, GraphType::Line, style);
    let mut sets: Vec<Dataset> = (borders.iter())
        .map(|(below, ends)| {
            let style = band_style(schema, *below, look).add_modifier(Modifier::DIM);
            line(ends, style)
        })
        .collect();
    if let Some(mean) = mean {
        sets.push(line(&mean.points, look.theme.muted));
    }
    sets.push(line(points, look.theme.accent));
    sets.push(set(
        answers,
        Marker::Dot,
        GraphType::Scatter,
        look.theme.text,
    ));
    let spot = look.glyphs.spot;
    sets.push(set(&here, spot, GraphType::Scatter, look.theme.title));
    Chart::new(sets)
        .x_axis(
            Axis::default()
                .bounds(x)
                .labels(ends(feature, x))
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
    legend(&said(charts, feature, version, look), inner, buf);
}

fn set(data: &[(f64, f64)], marker: Marker, kind: GraphType, style: Style) -> Dataset<'_> {
    Dataset::default()
        .data(data)
        .marker(marker)
        .graph_type(kind)
        .style(style)
}

/// The ranges of value and score that hold all points, the score's with some air.
fn bounds(points: &[(f64, f64)], schema: &Schema) -> ([f64; 2], [f64; 2]) {
    let range = |values: &mut dyn Iterator<Item = f64>| {
        values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
            [low.min(value), high.max(value)]
        })
    };
    let x = range(&mut points.iter().map(|point| point.0));
    let [low, high] = range(&mut points.iter().map(|point| point.1));
    let y = [
        (low - 0.25).max(schema.score.min),
        (high + 0.25).min(schema.score.max),
    ];
    (x, y)
}

/// The bands' borders inside the chart, each as a line from edge to edge.
fn borders(schema: &Schema, x: [f64; 2], y: [f64; 2]) -> Vec<(f64, [(f64, f64); 2])> {
    (schema.bands.iter().map(|band| band.below))
        .filter(|below| (y[0]..y[1]).contains(below))
        .map(|below| (below, x.map(|x| (x, below))))
        .collect()
}

fn short(feature: &Feature, value: f64) -> String {
    feature.display((value * 1e4).round() / 1e4)
}

fn ends(feature: &Feature, [first, last]: [f64; 2]) -> Vec<String> {
    let (from, to) = (short(feature, first), short(feature, last));
    if feature.choices().is_empty() {
        vec![from, short(feature, f64::midpoint(first, last)), to]
    } else {
        vec![from, to]
    }
}

/// The form's own value and score, and which curve is whose where there is more than one.
fn said(charts: &Charts, feature: &Feature, version: &str, look: &Look) -> Vec<Said> {
    let mut said = Vec::new();
    if let Some(sweep) = &charts.sweep {
        let arrow = look.glyphs.arrow;
        let (value, score) = (short(feature, sweep.here.0), sweep.here.1);
        said.push((format!(" {value} {arrow} {score:.3} "), look.theme.title));
        if let Some(mean) = charts.dependence_of(sweep.field, version) {
            let text = format!(" PDP, mean of {} rows ", mean.n);
            said.push((text, look.theme.muted));
        }
    }
    if let Some(served) = charts.served.as_ref().filter(|served| served.shown) {
        let failed = match served.failed {
            0 => String::new(),
            n => format!(", {n} failed"),
        };
        let done = served.points.len() + served.failed;
        let bullet = look.glyphs.bullet;
        let text = format!(" {bullet} endpoint {done} of {}{failed} ", served.total);
        said.push((text, look.theme.text));
    }
    said
}

/// In the upper right corner, as far as there is room.
fn legend(said: &[Said], inner: Rect, buf: &mut Buffer) {
    for ((text, style), y) in said.iter().zip(inner.y..inner.bottom()) {
        let cells = width(text) as u16;
        if inner.width > cells {
            let rect = Rect {
                x: inner.right() - cells,
                y,
                width: cells,
                height: 1,
            };
            Line::from(Span::styled(text.as_str(), *style)).render(rect, buf);
        }
    }
}
