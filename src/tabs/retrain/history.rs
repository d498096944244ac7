//! Every version and every run that gave none, newest first; one may be pinned as the baseline of a comparison.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::Retrain;
use super::board::ago;
use crate::effects::retrain::Shelf;
use crate::registry::runs::{RunRecord, State};
use crate::registry::{Entry, Manifest, Version, diff};
use crate::tabs::Look;
use crate::ui::panel::notice;
use crate::ui::text::{clean, fit};
use crate::ui::theme::Tone;

/// Selection, baseline and filter of the history.
#[derive(Debug, Default)]
pub(super) struct History {
    row: usize,
    pinned: Option<Version>,
    /// Show the fields that differ from the baseline.
    pub(super) only_differences: bool,
}

/// A line of the history.
enum Row<'a> {
    Version(&'a Entry),
    Run(&'a RunRecord),
}

impl Row<'_> {
    fn at(&self) -> Timestamp {
        match self {
            Self::Version(entry) => entry
                .manifest
                .as_ref()
                .map_or(Timestamp::UNIX_EPOCH, |manifest| manifest.created_at),
            Self::Run(run) => run.started,
        }
    }
}

fn rows(shelf: &Shelf) -> Vec<Row<'_>> {
    let versions = shelf.versions.iter().map(Row::Version);
    let fruitless = shelf
        .runs
        .iter()
        .filter(|run| run.version.is_none())
        .map(Row::Run);
    let mut rows: Vec<Row> = versions.chain(fruitless).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.at()));
    rows
}

/// How many lines there are.
pub(super) fn count(shelf: &Shelf) -> usize {
    rows(shelf).len()
}

impl History {
    /// The selected version, if the selected line is one.
    pub(super) fn selected(&self, shelf: &Shelf) -> Option<Version> {
        match rows(shelf).get(self.row)? {
            Row::Version(entry) => Some(entry.version),
            Row::Run(_) => None,
        }
    }

    /// Moves the selection, staying inside.
    pub(super) fn move_by(&mut self, by: isize, count: usize) {
        self.row = self
            .row
            .saturating_add_signed(by)
            .min(count.saturating_sub(1));
    }

    /// Makes a version the baseline, or takes the baseline away.
    pub(super) fn pin(&mut self, version: Option<Version>) {
        self.pinned = version.filter(|version| self.pinned != Some(*version));
        self.only_differences = self.pinned.is_some();
    }

    /// No baseline.
    pub(super) fn unpin(&mut self) {
        self.pinned = None;
        self.only_differences = false;
    }
}

/// Draws the table, and beside or below it what differs from the baseline.
pub(super) fn render(tab: &Retrain, area: Rect, buf: &mut Buffer, look: &Look) {
    let Some(shelf) = tab.shelf() else {
        return notice(
            "the registry is read once the target is connected",
            Tone::Muted,
            area,
            buf,
            look,
        );
    };
    let rows = rows(shelf);
    if rows.is_empty() {
        return notice(
            "no version and no run yet: Enter trains the first",
            Tone::Muted,
            area,
            buf,
            look,
        );
    }
    let history = &tab.history;
    let baseline = history
        .pinned
        .or_else(|| shelf.champion.as_ref().map(|champion| champion.version));
    let differences = history
        .only_differences
        .then(|| differences(shelf, baseline, history.selected(shelf)))
        .flatten();
    let [table, below] = match &differences {
        Some(lines) => Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length((lines.len() as u16 + 1).min(area.height / 2)),
        ])
        .areas(area),
        None => [area, Rect::default()],
    };
    draw_table(&rows, shelf, history, table, buf, look);
    if let Some(lines) = differences {
        draw_differences(&lines, baseline, history.selected(shelf), below, buf, look);
    }
}

fn draw_table(
    rows: &[Row],
    shelf: &Shelf,
    history: &History,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let wide = area.width >= 74;
    let head = if wide {
        "   version   R²     oob    MSE    verdict   made       plan"
    } else {
        "   version R²    MSE   verdict   made"
    };
    let head = if look.glyphs.ascii {
        super::side::plain(head)
    } else {
        head.to_owned()
    };
    Line::styled(fit(&head, usize::from(area.width), ""), look.theme.muted).render(
        Rect {
            height: 1.min(area.height),
            ..area
        },
        buf,
    );
    let room = usize::from(area.height.saturating_sub(1));
    let first = history.row.saturating_sub(room.saturating_sub(1));
    for (line, (index, row)) in rows.iter().enumerate().skip(first).take(room).enumerate() {
        let rect = Rect {
            y: area.y + 1 + line as u16,
            height: 1,
            ..area
        };
        let line = draw_row(row, shelf, history.pinned, wide, look);
        if index == history.row {
            // One colour under the cursor: several reversed ones are hard to read.
            let text: String = line
                .spans
                .iter()
                .map(|span| span.content.as_ref())
                .collect();
            let text = fit(&text, usize::from(rect.width), look.glyphs.ellipsis);
            Line::styled(text, look.theme.selected).render(rect, buf);
        } else {
            line.render(rect, buf);
        }
    }
}

fn draw_row(
    row: &Row,
    shelf: &Shelf,
    pinned: Option<Version>,
    wide: bool,
    look: &Look,
) -> Line<'static> {
    let theme = look.theme;
    match row {
        Row::Version(entry) => {
            let reigns = shelf
                .champion
                .as_ref()
                .is_some_and(|champion| champion.version == entry.version);
            let mark = match (reigns, pinned == Some(entry.version)) {
                (true, _) => Span::styled(format!(" {} ", look.glyphs.ok), theme.good),
                (false, true) => Span::styled(" * ", theme.accent),
                (false, false) => Span::raw("   "),
            };
            match &entry.manifest {
                Err(why) => Line::from(vec![
                    mark,
                    Span::styled(
                        format!("{:<8}CORRUPT  {}", entry.version.to_string(), clean(why)),
                        theme.bad,
                    ),
                ]),
                Ok(manifest) => version_line(mark, manifest, wide, look),
            }
        }
        Row::Run(run) => {
            let style = if matches!(run.state, State::Crashed | State::Failed) {
                theme.bad
            } else {
                theme.muted
            };
            let trees = format!("{} after {} trees", run.state.name(), run.trees);
            let text = format!(
                "   {:<8}{:<24} {:<10} {}",
                "run",
                trees,
                ago(run.started, look),
                run.plan.family
            );
            let note = run
                .note
                .as_deref()
                .map(|note| format!(": {}", clean(note)))
                .unwrap_or_default();
            Line::styled(format!("{text}{note}"), style)
        }
    }
}

fn version_line(
    mark: Span<'static>,
    manifest: &Manifest,
    wide: bool,
    look: &Look,
) -> Line<'static> {
    let theme = look.theme;
    let number =
        |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
    let holdout = manifest.metrics.holdout.as_ref();
    let verdict = manifest.verdict.clone().unwrap_or_else(|| "–".to_owned());
    let style = match verdict.as_str() {
        "BETTER" => theme.good,
        "BLOCKED" => theme.bad,
        "NO WORSE" => theme.warn,
        _ => theme.text,
    };
    let r2 = number(holdout.map(|scores| scores.r2));
    let mse = number(holdout.map(|scores| scores.mse));
    let oob = number(manifest.metrics.oob.as_ref().map(|scores| scores.r2));
    let preset = manifest.preset.clone().unwrap_or_default();
    let verdict = Span::styled(format!("{verdict:<10}"), style);
    let made = ago(manifest.created_at, look);
    let figures = if wide {
        format!("{r2:<7}{oob:<7}{mse:<7}")
    } else {
        format!("{r2:<6}{mse:<6}")
    };
    let version = if wide {
        format!("{:<10}", manifest.version.to_string())
    } else {
        format!("{:<8}", manifest.version.to_string())
    };
    let mut spans = vec![
        mark,
        Span::styled(version, theme.accent),
        Span::raw(figures),
        verdict,
    ];
    spans.push(Span::styled(format!("{made:<11}"), theme.muted));
    if wide {
        spans.push(Span::raw(format!("{} ", plan_of(manifest))));
        spans.push(Span::styled(clean(&preset), theme.muted));
    }
    Line::from(super::side::ascii_line(spans, look))
}

/// The plan in a few cells: `random-forest 138×8`.
fn plan_of(manifest: &Manifest) -> String {
    let depth = manifest.plan.params.max_depth;
    let depth = depth.map_or_else(|| "∞".to_owned(), |depth| depth.to_string());
    match manifest.fit.trees {
        0 => manifest.plan.family.to_string(),
        trees => format!("{} {trees}×{depth}", manifest.plan.family),
    }
}

fn differences(
    shelf: &Shelf,
    baseline: Option<Version>,
    selected: Option<Version>,
) -> Option<Vec<diff::Difference>> {
    let manifest = |version: Version| {
        shelf
            .versions
            .iter()
            .find(|entry| entry.version == version)?
            .manifest
            .as_ref()
            .ok()
    };
    Some(diff::diff(manifest(baseline?)?, manifest(selected?)?))
}

fn draw_differences(
    lines: &[diff::Difference],
    baseline: Option<Version>,
    selected: Option<Version>,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let name =
        |version: Option<Version>| version.map_or_else(String::new, |version| version.to_string());
    let arrow = if look.glyphs.ascii { "->" } else { "→" };
    let head = format!(
        " {} fields differ, {} {arrow} {}",
        lines.len(),
        name(baseline),
        name(selected)
    );
    let mut text = vec![Line::styled(head, look.theme.title)];
    for line in lines {
        text.push(Line::from(vec![
            Span::styled(
                format!(" {} ", fit(&line.field, 30, look.glyphs.ellipsis)),
                look.theme.muted,
            ),
            Span::raw(fit(&clean(&line.left), 14, look.glyphs.ellipsis)),
            Span::styled(format!(" {arrow} "), look.theme.muted),
            Span::raw(clean(&line.right)),
        ]));
    }
    Paragraph::new(text).render(area, buf);
}
