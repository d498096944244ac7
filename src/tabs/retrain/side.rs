//! The left side: setup, data report, champion.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::Retrain;
use super::setup::Field;
use crate::effects::retrain::DataReport;
use crate::remote::Remote;
use crate::tabs::Look;
use crate::train::Family;
use crate::ui::panel::{notice, panel};
use crate::ui::text::{age, clean, count, fit, truncate};
use crate::ui::theme::Tone;

/// Draws the setup; gives the cursor of an open value.
pub(super) fn setup(tab: &Retrain, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
    let inner = panel(" Setup ", true, area, buf, look);
    let setup = &tab.setup;
    let mut cursor = None;
    let narrow = inner.width < 34;
    let names = if narrow { 13 } else { 18 };
    for (row, field) in setup
        .fields()
        .into_iter()
        .enumerate()
        .take(usize::from(inner.height))
    {
        let line = Rect {
            y: inner.y + row as u16,
            height: 1,
            ..inner
        };
        let focused = row == setup.focus;
        let (name, value) = match field {
            Field::Preset => ("preset", setup.preset.clone()),
            Field::Family if narrow => ("family", short_family(setup.plan.family).to_owned()),
            Field::Family => ("family", setup.plan.family.to_string()),
            Field::Param(name) if narrow => (short_param(name), setup.value(name)),
            Field::Param(name) => (name, setup.value(name)),
            Field::Dedup => (
                "duplicates",
                if setup.dedup { "dropped" } else { "kept" }.to_owned(),
            ),
        };
        let name_style = if focused {
            look.theme.accent
        } else {
            look.theme.muted
        };
        let pointer = match (focused, look.glyphs.ascii) {
            (false, _) => "  ",
            (true, false) => "▸ ",
            (true, true) => "> ",
        };
        let (open, close) = match (focused, look.glyphs.ascii) {
            (false, _) => (" ", " "),
            (true, false) => ("‹", "›"),
            (true, true) => ("<", ">"),
        };
        let label = fit(name, names, look.glyphs.ellipsis);
        let x = line.x + (2 + names + 1) as u16;
        let editing = setup.editing.as_ref().filter(|_| focused);
        let text = editing.map_or(value, |input| input.value().to_owned());
        let value_style = match (editing, field) {
            (Some(_), _) => look.theme.selected,
            (None, Field::Dedup) if !setup.dedup => look.theme.warn,
            _ if focused => look.theme.title,
            _ => look.theme.text,
        };
        Line::from(vec![
            Span::styled(pointer, look.theme.accent),
            Span::styled(label, name_style),
            Span::styled(open, look.theme.muted),
            Span::styled(text, value_style),
            Span::styled(close, look.theme.muted),
        ])
        .render(line, buf);
        if let Some(input) = editing {
            cursor = Some(Position::new(
                (x + input.visual_cursor() as u16).min(line.right().saturating_sub(1)),
                line.y,
            ));
        }
    }
    if let Some(error) = &setup.error {
        let y = area.bottom().saturating_sub(1);
        let text = truncate(
            &format!(" {} {error} ", look.glyphs.bad),
            usize::from(area.width.saturating_sub(2)),
            look.glyphs.ellipsis,
        );
        buf.set_string(area.x + 1, y, text, look.theme.bad);
    }
    cursor
}

const fn short_family(family: Family) -> &'static str {
    match family {
        Family::RandomForest => "forest",
        Family::ExtraTrees => "extra-trees",
        Family::GradientBoosting => "boosting",
        Family::Blend => "blend",
        Family::Linear => "linear",
        Family::DecisionTree => "tree",
    }
}

fn short_param(name: &'static str) -> &'static str {
    match name {
        "min_samples_split" => "min_split",
        "min_samples_leaf" => "min_leaf",
        "max_leaf_nodes" => "max_leaves",
        name => name,
    }
}

/// Draws what the data is like.
pub(super) fn data(tab: &Retrain, area: Rect, buf: &mut Buffer, look: &Look) {
    let inner = panel(" Data ", false, area, buf, look);
    let Some((report, _)) = tab.data.value() else {
        let (text, tone) = match &tab.data {
            Remote::Failed { error, .. } => (clean(error), Tone::Bad),
            Remote::Loading { since, .. } => (
                format!("checking the data {}", look.spinner(*since)),
                Tone::Muted,
            ),
            _ => (
                "the data is checked when the tab opens".to_owned(),
                Tone::Muted,
            ),
        };
        notice(&text, tone, inner, buf, look);
        return;
    };
    let lines = data_lines(report, inner, look);
    Paragraph::new(lines).render(inner, buf);
}

fn data_lines<'a>(report: &'a DataReport, area: Rect, look: &Look) -> Vec<Line<'a>> {
    let preflight = &report.preflight;
    let theme = look.theme;
    let minus = if look.glyphs.ascii { "-" } else { "−" };
    let kept = preflight.duplicates > 0 && !preflight.deduplicated;
    let narrow = area.width < 31;
    let (all, twice) = (count(preflight.rows), count(preflight.duplicates));
    let rows = match (kept, narrow) {
        (true, _) => format!("{all} rows, {twice} twice"),
        (false, true) => format!("{all} {minus} {twice} dup = {}", count(preflight.used)),
        (false, false) => format!("{all} rows {minus} {twice} dup = {}", count(preflight.used)),
    };
    let (train, holdout) = (count(preflight.train), count(preflight.holdout));
    let dot = look.glyphs.dot;
    let sides = if narrow {
        format!("{train} train {dot} {holdout} hold")
    } else {
        format!("train {train} {dot} holdout {holdout}")
    };
    let mut lines = vec![Line::raw(rows), Line::raw(sides)];
    if kept {
        lines.insert(
            0,
            Line::styled(
                format!(
                    "{} duplicates cross the split:",
                    count(preflight.duplicates)
                ),
                theme.warn,
            ),
        );
        lines.insert(1, Line::styled("R2 is inflated", theme.warn));
    }
    let outside: usize = preflight
        .columns
        .iter()
        .filter_map(|column| column.out_of_range)
        .sum();
    let constant = preflight
        .columns
        .iter()
        .filter(|column| column.constant)
        .count();
    let clean_rows = preflight.nulls + outside + constant == 0;
    let style = if clean_rows { theme.good } else { theme.warn };
    let mark = if clean_rows {
        look.glyphs.ok
    } else {
        look.glyphs.warn
    };
    lines.push(Line::from(vec![
        Span::styled(format!("{mark} "), style),
        Span::raw(format!(
            "{} null {d} {outside} out {d} {constant} const",
            preflight.nulls,
            d = look.glyphs.dot
        )),
    ]));
    lines.push(Line::from(vec![
        Span::styled("sha256 ", theme.muted),
        Span::styled(
            preflight.sha256.chars().take(12).collect::<String>(),
            theme.muted,
        ),
    ]));
    if area.height > 6 {
        lines.push(Line::styled("quality and rows", theme.muted));
        lines.extend(class_bars(&preflight.classes, look));
    }
    lines
}

/// A bar over each class, and the class below it.
fn class_bars(classes: &[(i64, usize)], look: &Look) -> Vec<Line<'static>> {
    let most = classes
        .iter()
        .map(|(_, rows)| *rows)
        .max()
        .unwrap_or(1)
        .max(1);
    let (mut bars, mut names) = (Vec::new(), Vec::new());
    for (class, rows) in classes {
        let level = (rows * 7).div_ceil(most).min(7);
        bars.push(Span::styled(
            format!(" {} ", look.glyphs.bars[level]),
            look.theme.accent,
        ));
        names.push(Span::styled(format!("{class:>2} "), look.theme.muted));
    }
    vec![Line::from(bars), Line::from(names)]
}

/// Draws who reigns.
pub(super) fn champion(tab: &Retrain, area: Rect, buf: &mut Buffer, look: &Look) {
    let inner = panel(" Champion ", false, area, buf, look);
    let theme = look.theme;
    let Some(shelf) = tab.shelf() else {
        let (text, tone) = match &tab.shelf {
            Remote::Failed { error, .. } => (clean(error), Tone::Bad),
            Remote::Loading { since, .. } => (
                format!("reading the registry {}", look.spinner(*since)),
                Tone::Muted,
            ),
            _ => ("not connected yet".to_owned(), Tone::Muted),
        };
        notice(&text, tone, inner, buf, look);
        return;
    };
    let mut lines: Vec<Line> = Vec::new();
    for warning in &shelf.warnings {
        lines.push(Line::styled(clean(warning), theme.bad));
    }
    match (&shelf.champion, &shelf.manifest) {
        (None, _) => lines.push(Line::styled("none yet: train and promote one", theme.muted)),
        (Some(champion), manifest) => {
            lines.push(Line::from(vec![
                Span::styled(champion.version.to_string(), theme.accent),
                Span::styled(
                    format!("  since {}", age(champion.since, look.now.wall)),
                    theme.muted,
                ),
            ]));
            if let Some(manifest) = manifest {
                lines.extend(metrics(manifest, look));
                let summary = manifest.summary();
                lines.push(Line::raw(if look.glyphs.ascii {
                    plain(&summary)
                } else {
                    summary
                }));
            }
            lines.push(Line::from(vec![
                Span::styled("before ", theme.muted),
                Span::raw(
                    champion
                        .previous
                        .map_or_else(|| "nobody".to_owned(), |version| version.to_string()),
                ),
            ]));
            lines.push(Line::styled(clean(&champion.by), theme.muted));
            lines.push(Line::styled(clean(&champion.reason), theme.muted));
        }
    }
    Paragraph::new(lines)
        .wrap(Wrap { trim: true })
        .render(inner, buf);
}

fn metrics(manifest: &crate::registry::Manifest, look: &Look) -> Option<Line<'static>> {
    let holdout = manifest.metrics.holdout.as_ref()?;
    let mut spans = vec![
        Span::styled("R² ", look.theme.muted),
        Span::raw(format!("{:.3}", holdout.r2)),
    ];
    if let Some(oob) = &manifest.metrics.oob {
        spans.extend([
            Span::styled("  oob ", look.theme.muted),
            Span::raw(format!("{:.3}", oob.r2)),
        ]);
    }
    spans.extend([
        Span::styled("  MSE ", look.theme.muted),
        Span::raw(format!("{:.3}", holdout.mse)),
    ]);
    Some(Line::from(ascii_line(spans, look)))
}

/// Superscripts are not ASCII.
pub(super) fn ascii_line(spans: Vec<Span<'static>>, look: &Look) -> Vec<Span<'static>> {
    if !look.glyphs.ascii {
        return spans;
    }
    spans
        .into_iter()
        .map(|span| Span::styled(plain(&span.content), span.style))
        .collect()
}

/// Text in ASCII: the few signs the tab uses.
pub(super) fn plain(text: &str) -> String {
    text.replace('²', "2")
        .replace('Δ', "d")
        .replace(['−', '–'], "-")
        .replace('±', "+-")
        .replace('…', "~")
        .replace('×', "x")
        .replace('━', "-")
        .replace('∞', "inf")
        .replace('·', ".")
}
