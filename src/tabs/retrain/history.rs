//! Every version and every run that gave none, newest first; one may be pinned as the baseline of a comparison.

mod differences;

use crossterm::event::{Event as TermEvent, KeyCode, KeyEvent};
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::Retrain;
use super::lines::{ascii_line, chosen, hidden, scrolled, speak};
use super::panes::Pane;
use crate::effects::retrain::Shelf;
use crate::keys::{Action, Scope};
use crate::registry::runs::{RunRecord, State};
use crate::registry::{Entry, Manifest, Version};
use crate::tabs::Look;
use crate::ui::hints::hint;
use crate::ui::panel::notice;
use crate::ui::text::{age, clean, fit};
use crate::ui::theme::Tone;
use differences::{baseline, difference_head};

pub(super) use differences::difference_lines;

/// Selection, baseline and filter of the history.
#[derive(Debug, Default)]
pub(super) struct History {
    row: usize,
    pinned: Option<Version>,
    /// Show the fields that differ from the baseline.
    pub(super) only_differences: bool,
    /// Rows must hold every word of it.
    filter: String,
    /// The filter being typed.
    typing: Option<Input>,
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

impl Row<'_> {
    /// What a filter looks at: version, family, preset, verdict, state, who, and why.
    fn words(&self) -> String {
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

fn all_rows(shelf: &Shelf) -> Vec<Row<'_>> {
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

impl History {
    /// The rows that the filter lets through, newest first.
    fn rows<'a>(&self, shelf: &'a Shelf) -> Vec<Row<'a>> {
        let filter = self.filter.to_lowercase();
        let mut rows = all_rows(shelf);
        rows.retain(|row| {
            let words = row.words();
            filter.split_whitespace().all(|word| words.contains(word))
        });
        rows
    }

    /// How many rows there are.
    pub(super) fn count(&self, shelf: &Shelf) -> usize {
        self.rows(shelf).len()
    }

    /// The selected version, if the selected line is one.
    pub(super) fn selected(&self, shelf: &Shelf) -> Option<Version> {
        match self.rows(shelf).get(self.row)? {
            Row::Version(entry) => Some(entry.version),
            Row::Run(_) => None,
        }
    }

    /// The selected run, if the selected line is one that gave no version.
    pub(super) fn selected_run<'a>(&self, shelf: &'a Shelf) -> Option<&'a RunRecord> {
        match self.rows(shelf).get(self.row)? {
            Row::Version(_) => None,
            Row::Run(run) => Some(run),
        }
    }

    /// Moves the selection, staying inside.
    pub(super) fn move_by(&mut self, by: isize, count: usize) {
        self.row = self
            .row
            .saturating_add_signed(by)
            .min(count.saturating_sub(1));
    }

    /// Selects the row whose line of the table is clicked.
    pub(super) fn click(&mut self, table: Rect, at: Position, count: usize) {
        let first = self.first(table);
        if table.contains(at) && at.y > table.y {
            let row = first + usize::from(at.y - table.y - 1);
            self.row = if row < count { row } else { self.row };
        }
    }

    /// The first row in sight, under the heading.
    fn first(&self, table: Rect) -> usize {
        (self.row + 1).saturating_sub(usize::from(table.height.saturating_sub(1)))
    }

    /// Makes a version the baseline, or takes the baseline away.
    pub(super) fn pin(&mut self, version: Option<Version>) {
        self.pinned = version.filter(|version| self.pinned != Some(*version));
        self.only_differences = self.pinned.is_some();
    }

    /// Opens the filter for typing.
    pub(super) fn search(&mut self) {
        self.typing = Some(self.filter.clone().into());
    }

    /// A key for the open filter: true if it was taken.
    pub(super) fn key(&mut self, key: KeyEvent) -> bool {
        let Some(input) = &mut self.typing else {
            return false;
        };
        match key.code {
            KeyCode::Enter => self.typing = None,
            KeyCode::Esc => {
                self.typing = None;
                self.filter.clear();
            }
            _ => {
                input.handle_event(&TermEvent::Key(key));
                input.value().clone_into(&mut self.filter);
            }
        }
        self.row = 0;
        true
    }

    /// Whether the filter is being typed.
    pub(super) const fn is_typing(&self) -> bool {
        self.typing.is_some()
    }

    /// One step out: the differences, then the filter. False when there is nothing to leave.
    pub(super) fn leave(&mut self) -> bool {
        if self.only_differences || self.pinned.is_some() {
            self.pinned = None;
            self.only_differences = false;
        } else if !self.filter.is_empty() {
            self.filter.clear();
            self.row = 0;
        } else {
            return false;
        }
        true
    }
}

/// The rooms of the table, of the differences below it (under a line for their heading), and of the filter.
pub(super) fn areas(tab: &Retrain, inner: Rect, look: &Look) -> (Rect, Rect, Rect) {
    let history = &tab.history;
    let filter = u16::from(history.typing.is_some() || !history.filter.is_empty());
    let below = difference_lines(tab, inner, look).map_or(0, |lines| {
        (lines.len() as u16 + 1).min(inner.height.saturating_sub(filter) * 2 / 3)
    });
    let [table, filter, _head, below] = Layout::vertical([
        Constraint::Fill(1),
        Constraint::Length(filter),
        Constraint::Length(below.min(1)),
        Constraint::Length(below.saturating_sub(1)),
    ])
    .areas(inner);
    (table, below, filter)
}

/// Draws the table, and below it what differs from the baseline; gives the cursor of an open filter.
pub(super) fn render(
    tab: &Retrain,
    area: Rect,
    frame: Rect,
    buf: &mut Buffer,
    look: &Look,
) -> Option<Position> {
    let history = &tab.history;
    let Some(shelf) = tab.shelf() else {
        let text = "the registry is read once the target is connected";
        notice(text, Tone::Muted, area, buf, look);
        return None;
    };
    let rows = history.rows(shelf);
    let (table, below, filter) = areas(tab, area, look);
    if rows.is_empty() {
        let text = if history.filter.is_empty() {
            let trains = hint(Scope::Retrain, Action::Submit, "trains the first", look);
            format!("no version and no run yet: {trains}")
        } else {
            format!("nothing in the history holds {:?}", history.filter)
        };
        notice(&text, Tone::Muted, table, buf, look);
    } else {
        draw_table(&rows, shelf, tab, table, frame, buf, look);
    }
    if let Some(lines) = difference_lines(tab, below, look) {
        let head = Rect {
            y: below.y.saturating_sub(1),
            height: 1.min(below.height),
            ..below
        };
        let selected = history.selected(shelf);
        difference_head(
            baseline(history, shelf),
            selected,
            lines.len(),
            head,
            buf,
            look,
        );
        scrolled(lines, tab.scrolls.of(Pane::View), below, frame, buf, look);
    }
    draw_filter(history, filter, buf, look)
}

fn draw_filter(history: &History, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
    let prompt = " / ";
    Line::from(vec![
        Span::styled(prompt, look.theme.key),
        Span::raw(clean(&history.filter)),
    ])
    .render(area, buf);
    let input = history.typing.as_ref()?;
    let x = area.x + (prompt.len() + input.visual_cursor()) as u16;
    Some(Position::new(x.min(area.right().saturating_sub(1)), area.y))
}

fn draw_table(
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
            let (what, done) = match run.trials {
                Some(made) => {
                    let wanted = run.search.as_ref().map(|search| search.wanted);
                    let of = wanted.filter(|wanted| *wanted != made);
                    let of = of.map_or_else(String::new, |wanted| format!(" of {wanted}"));
                    ("search", format!("{made}{of} trials"))
                }
                None => ("run", format!("{} trees", run.trees)),
            };
            let trees = format!("{} after {done}", run.state.name());
            let text = format!(
                "    {what:<8}{:<24} {:<10} {}",
                trees,
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
