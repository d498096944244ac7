//! What the data is like: rows, duplicates, classes, split, hashes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Retrain;
use super::lines::{scrolled, speak, wrapped};
use super::panes::Pane;
use crate::effects::retrain::DataReport;
use crate::remote::Remote;
use crate::tabs::Look;
use crate::train::dataset::Preflight;
use crate::ui::panel::{notice, panel};
use crate::ui::text::{clean, count};
use crate::ui::theme::Tone;

/// Draws what the data is like.
pub(super) fn render(tab: &Retrain, area: Rect, buf: &mut Buffer, look: &Look) {
    let inner = panel(" Data ", tab.focus == Pane::Data, area, buf, look);
    if let Some((report, _)) = tab.data.value() {
        let lines = lines(report, inner, look);
        return scrolled(lines, tab.scrolls.of(Pane::Data), inner, area, buf, look);
    }
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
}

/// The report, the most telling first.
pub(super) fn lines(report: &DataReport, area: Rect, look: &Look) -> Vec<Line<'static>> {
    let preflight = &report.preflight;
    let theme = look.theme;
    let dot = look.glyphs.dot;
    let mut lines = rows(preflight, area.width < 31, look);
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
    let (mark, style) = if preflight.nulls + outside + constant == 0 {
        (look.glyphs.ok, theme.good)
    } else {
        (look.glyphs.warn, theme.warn)
    };
    lines.push(Line::from(vec![
        Span::styled(format!("{mark} "), style),
        Span::raw(format!(
            "{} null {dot} {outside} out {dot} {constant} const",
            preflight.nulls
        )),
    ]));
    let short = |hash: &str| hash.chars().take(12).collect::<String>();
    let hash =
        |name: &str, hash: &str| Line::styled(format!("{name} {}", short(hash)), theme.muted);
    lines.push(hash("sha256 ", &preflight.sha256));
    let split = hash("holdout", &preflight.holdout_sha256);
    if area.height >= 16 {
        lines.push(split);
        lines.push(Line::styled(
            format!("split seed {}, stratified", preflight.split_seed),
            theme.muted,
        ));
        lines.push(Line::default());
        lines.extend(class_table(&preflight.classes, area.width, look));
        lines.push(Line::default());
    } else {
        lines.push(Line::styled("quality and rows", theme.muted));
        lines.extend(class_bars(&preflight.classes, look));
        lines.push(split);
    }
    lines.push(Line::styled(
        speak(format!("linear 5-fold CV R² {:.3}", report.linear), look),
        theme.muted,
    ));
    for note in &preflight.notes {
        lines.extend(wrapped(&clean(note), usize::from(area.width), theme.warn));
    }
    lines
}

fn rows(preflight: &Preflight, narrow: bool, look: &Look) -> Vec<Line<'static>> {
    let theme = look.theme;
    let dot = look.glyphs.dot;
    let kept = preflight.duplicates > 0 && !preflight.deduplicated;
    let (all, twice) = (count(preflight.rows), count(preflight.duplicates));
    let (train, holdout) = (count(preflight.train), count(preflight.holdout));
    let rows = match (kept, narrow) {
        (true, _) => format!("{all} rows, {twice} twice"),
        (false, true) => format!("{all} − {twice} dup = {}", count(preflight.used)),
        (false, false) => format!("{all} rows − {twice} dup = {}", count(preflight.used)),
    };
    let sides = if narrow {
        format!("{train} train {dot} {holdout} hold")
    } else {
        format!("train {train} {dot} holdout {holdout}")
    };
    let leak = kept.then(|| {
        [
            Line::styled(format!("{twice} duplicates cross the split:"), theme.warn),
            Line::styled("R2 is inflated", theme.warn),
        ]
    });
    leak.into_iter()
        .flatten()
        .chain([Line::raw(rows), Line::raw(sides)])
        .collect()
}

/// A bar over each class, and the class below it.
fn class_bars(classes: &[(i64, usize)], look: &Look) -> Vec<Line<'static>> {
    let most = most(classes);
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

/// A line for each class: its rows in figures and as a bar.
fn class_table(classes: &[(i64, usize)], cells: u16, look: &Look) -> Vec<Line<'static>> {
    let most = most(classes);
    let room = usize::from(cells).saturating_sub(16);
    let line = |(class, rows): &(i64, usize)| {
        let bar = (rows * room).div_ceil(most);
        Line::from(vec![
            Span::styled(format!("{class:>5} "), look.theme.muted),
            Span::raw(format!("{:>7}  ", count(*rows))),
            Span::styled(look.glyphs.full.repeat(bar), look.theme.accent),
        ])
    };
    let head = Line::styled("class    rows", look.theme.muted);
    std::iter::once(head)
        .chain(classes.iter().map(line))
        .collect()
}

fn most(classes: &[(i64, usize)]) -> usize {
    let rows = classes.iter().map(|(_, rows)| *rows);
    rows.max().unwrap_or(1).max(1)
}
