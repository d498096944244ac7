//! The table of versions and runs, a line for each.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::super::Retrain;
use super::super::lines::{ascii_line, chosen, hidden, speak};
use crate::effects::retrain::Shelf;
use crate::registry::runs::{RunRecord, State};
use crate::registry::{Entry, Manifest, Version};
use crate::tabs::Look;
use crate::ui::text::{age, clean, fit};

/// A line of the history.
pub(super) enum Row<'a> {
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

impl Row<'_> {
    /// What a filter looks at: version, family, preset, verdict, state, who, and why.
    pub(super) fn words(&self) -> String {
        let words = match self {
            Self::Version(Entry {
                version,
                manifest: Ok(manifest),
            }) => format!(
                "{version} {} {} {} {}",
                manifest.plan.family,
                manifest.preset.as_deref().unwrap_or_default(),
                manifest.verdict.as_deref().unwrap_or_default(),
                manifest.by
            ),
            Self::Version(entry) => format!("{} corrupt", entry.version),
            Self::Run(run) => format!(
                "{} {} {} {} {}",
                if run.trials.is_some() {
                    "search"
                } else {
                    "run"
                },
                run.state.name(),
                run.plan.family,
                run.preset.as_deref().unwrap_or_default(),
                run.note.as_deref().unwrap_or_default()
            ),
        };
        words.to_lowercase()
    }
}

pub(super) fn all_rows(shelf: &Shelf) -> Vec<Row<'_>> {
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

pub(super) fn draw_table(
    rows: &[Row],
    shelf: &Shelf,
    tab: &Retrain,
    area: Rect,
    frame: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let history = &tab.history;
    let wide = area.width >= 74;
    let head = if wide {
        "    version   R²     oob    MSE    verdict   made       plan"
    } else {
        "    version R²    MSE   verdict   made"
    };
    let head = speak(head.to_owned(), look);
    let mut lines = vec![Line::styled(
        fit(&head, usize::from(area.width), ""),
        look.theme.muted,
    )];
    let room = usize::from(area.height.saturating_sub(1));
    let first = history.first(area);
    for (index, row) in rows.iter().enumerate().skip(first).take(room) {
        let line = draw_row(row, shelf, history.pinned, wide, look);
        lines.push(if index == history.row {
            chosen(&line, area.width, look)
        } else {
            line
        });
    }
    Paragraph::new(lines).render(area, buf);
    if !history.only_differences {
        let below = rows.len().saturating_sub(first + room);
        hidden(first, below, frame, buf, look);
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
            let pin = if pinned == Some(entry.version) {
                "*"
            } else {
                " "
            };
            let crown = if reigns { look.glyphs.ok } else { " " };
            let mark = Span::styled(format!(" {crown}{pin} "), theme.good);
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
            let (what, ended) = ended(run, wide);
            // As wide as version, figures and verdict of the rows around it.
            let room = if wide { 33 } else { 22 };
            let text = format!(
                "    {what:<8}{ended:<room$}{:<11}{}",
                age(run.started, look.now.wall),
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

/// Whether it is a run or a search, and how far it came.
fn ended(run: &RunRecord, wide: bool) -> (&'static str, String) {
    let after = if wide { "after " } else { "" };
    let state = run.state.name();
    let Some(made) = run.trials else {
        return ("run", format!("{state} {after}{} trees", run.trees));
    };
    let wanted = run.search.as_ref().map(|search| search.wanted);
    let of = wanted.filter(|wanted| *wanted != made);
    let sign = if wide { " of " } else { "/" };
    let of = of.map_or_else(String::new, |wanted| format!("{sign}{wanted}"));
    ("search", format!("{state} {after}{made}{of} trials"))
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
    let made = age(manifest.created_at, look.now.wall);
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
    Line::from(ascii_line(spans, look))
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
