//! The confusion by band and the error by slice, beside the champion's.

use std::collections::BTreeMap;

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::lines::{beside, speak};
use crate::effects::retrain::Report;
use crate::tabs::Look;
use crate::train::evaluate::Evaluation;
use crate::ui::text::{fit, truncate, width};

/// Cells of a table that has room for whole band names.
const ROOMY: u16 = 100;

/// Lines of a pane that has room for the table by quality too.
const TALL: u16 = 24;

/// The tables of bands and slices, side by side where there is room, and below them one by quality.
pub(super) fn lines(report: &Report, area: Rect, look: &Look) -> Vec<Line<'static>> {
    let (confusion, slices) = (
        confusion_lines(report, area.width, look),
        slice_lines(report, look),
    );
    if area.width >= ROOMY {
        let mut left = confusion;
        if let Some((version, old)) = &report.champion {
            let title = format!(" {version} on the same rows");
            left.push(Line::default());
            left.push(Line::styled(title, look.theme.title));
            left.extend(table(old, None, area.width, look));
        }
        let mut lines = beside(left, slices, 64);
        if area.height >= TALL {
            lines.push(Line::default());
            lines.extend(quality_lines(report, area.width, look));
        }
        return lines;
    }
    let mut lines = confusion;
    lines.push(Line::default());
    lines.extend(slices);
    lines.push(Line::default());
    lines.extend(quality_lines(report, area.width, look));
    lines
}

/// What wines of each quality are given: the bias towards the middle that every forest has, and the error.
fn quality_lines(report: &Report, cells: u16, look: &Look) -> Vec<Line<'static>> {
    let theme = look.theme;
    let head = " quality  rows   mean score   bias    MAE";
    let mut lines = vec![Line::styled(head, theme.muted)];
    let groups = by_quality(&report.evaluation);
    let most = groups.iter().map(|group| group.error).fold(1e-12, f64::max);
    let room = usize::from(cells.min(120)).saturating_sub(46);
    for group in groups {
        let bar = (group.error / most * room as f64).round() as usize;
        let style = if group.bias.abs() > 1.0 {
            theme.warn
        } else {
            theme.text
        };
        lines.push(Line::from(vec![
            Span::raw(format!(
                " {:>7}  {:>4}   {:>10.2}  ",
                group.quality, group.rows, group.mean
            )),
            Span::styled(format!("{:>+5.2}", group.bias), style),
            Span::raw(format!("  {:>5.2}  ", group.error)),
            Span::styled(look.glyphs.full.repeat(bar), theme.accent),
        ]));
    }
    lines
}

/// Holdout rows of one quality, rounded.
struct Class {
    quality: i64,
    rows: usize,
    /// Mean score the model gives them.
    mean: f64,
    /// Mean of score minus truth.
    bias: f64,
    /// Mean absolute error.
    error: f64,
}

fn by_quality(evaluation: &Evaluation) -> Vec<Class> {
    let mut groups: BTreeMap<i64, Vec<(f64, f64)>> = BTreeMap::new();
    for (actual, predicted) in evaluation.actual.iter().zip(&evaluation.predicted) {
        let pair = (f64::from(*actual), f64::from(*predicted));
        groups.entry(pair.0.round() as i64).or_default().push(pair);
    }
    let group = |(quality, pairs): (i64, Vec<(f64, f64)>)| {
        let mean =
            |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
        Class {
            quality,
            rows: pairs.len(),
            mean: mean(|(_, predicted)| *predicted),
            bias: mean(|(actual, predicted)| predicted - actual),
            error: mean(|(actual, predicted)| (predicted - actual).abs()),
        }
    };
    groups.into_iter().map(group).collect()
}

fn confusion_lines(report: &Report, cells: u16, look: &Look) -> Vec<Line<'static>> {
    let caption = " rows: actual band, columns: predicted band";
    let caption = truncate(caption, usize::from(cells), look.glyphs.ellipsis);
    let old = report.champion.as_ref().map(|(_, old)| old);
    std::iter::once(Line::styled(caption, look.theme.muted))
        .chain(table(&report.evaluation, old, cells, look))
        .collect()
}

/// Cells of the bands' names at the left, and of a column for each: even where there is room, then as wide as its name,
/// and cut only where nothing else fits.
fn columns(bands: &[String], room: usize) -> (usize, Vec<usize>) {
    let even = |cells| vec![cells; bands.len()];
    let longest = bands.iter().map(|band| width(band)).max().unwrap_or(0);
    let own = bands.iter().map(|band| (width(band) + 1).max(5)).collect();
    let choices = [(10, even(10)), (10, even(8)), (longest, own), (8, even(6))];
    let fits = |(name, columns): &(usize, Vec<usize>)| {
        let cut = bands
            .iter()
            .zip(columns)
            .any(|(band, cells)| width(band) >= *cells);
        table_width(*name, columns) <= room && (!cut || *columns == even(6))
    };
    choices.into_iter().find(fits).unwrap_or((6, even(5)))
}

/// Name, a column for each band, found.
fn table_width(name: usize, columns: &[usize]) -> usize {
    1 + name + columns.iter().sum::<usize>() + 7
}

/// The confusion, the share of each band that was found, and the champion's share where it fits.
fn table(
    evaluation: &Evaluation,
    old: Option<&Evaluation>,
    cells: u16,
    look: &Look,
) -> Vec<Line<'static>> {
    let theme = look.theme;
    let room = usize::from(cells.min(64));
    let (name, columns) = columns(&evaluation.bands, room);
    let was = table_width(name, &columns) + 9 <= room;
    let ellipsis = look.glyphs.ellipsis;
    let column = |(band, cells): (&String, &usize)| {
        let room = cells - 1;
        format!(" {:>room$}", fit(band, room, ellipsis).trim())
    };
    let head: String = evaluation.bands.iter().zip(&columns).map(column).collect();
    let mut lines = vec![Line::styled(
        format!(" {:name$}{head}  found", ""),
        theme.muted,
    )];
    for (truth, row) in evaluation.confusion.iter().enumerate() {
        let total: usize = row.iter().sum();
        let mut spans = vec![Span::raw(format!(
            " {}",
            fit(&evaluation.bands[truth], name, ellipsis)
        ))];
        for (predicted, rows) in row.iter().enumerate() {
            let style = cell_style(truth == predicted, *rows, total, look);
            let cells = columns[predicted];
            spans.push(Span::styled(format!("{rows:>cells$}"), style));
        }
        spans.push(Span::raw(format!(
            "  {:>5}",
            speak(found(row, truth), look)
        )));
        let old = old.and_then(|old| old.confusion.get(truth));
        if let Some(old) = old.filter(|_| was) {
            let text = format!(" was {:>4}", speak(found(old, truth), look));
            spans.push(Span::styled(text, theme.muted));
        }
        lines.push(Line::from(spans));
    }
    lines
}

fn slice_lines(report: &Report, look: &Look) -> Vec<Line<'static>> {
    let theme = look.theme;
    let mut lines = vec![Line::styled(" mean squared error by slice", theme.muted)];
    for slice in &report.evaluation.slices {
        let was = report
            .champion
            .as_ref()
            .and_then(|(_, old)| old.slices.iter().find(|other| other.name == slice.name));
        let mut spans = vec![
            Span::raw(format!(" {}", fit(&slice.name, 10, look.glyphs.ellipsis))),
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
            let text = format!("  was {:.3}", was.scores.mse);
            spans.push(Span::styled(text, theme.muted));
        }
        lines.push(Line::from(spans));
    }
    lines
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
