//! The history pane: earlier requests, newest first, filtered, one of them selected; and the difference of two.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::Widget;
use tui_input::Input;

use crate::domain::paste::Pasted;
use crate::domain::schema::Schema;
use crate::history::{Entry, History};
use crate::keys::{Action, Scope};
use crate::tabs::Look;
use crate::ui::gauge::band_style;
use crate::ui::hints::hint;
use crate::ui::list::mark;
use crate::ui::panel::{below, notice, panel, title};
use crate::ui::text::{age, clean, fit, fitting, ms, truncate};
use crate::ui::theme::Tone;

/// The pane's state.
#[derive(Debug, Clone)]
pub struct Past {
    /// Whose bands the scores fall into.
    schema: Arc<Schema>,
    /// Everything remembered.
    pub history: History,
    /// Position among the entries that pass the filter.
    pub selected: usize,
    /// What is kept, as typed.
    pub filter: String,
    /// The filter while it is typed.
    pub typing: Option<Input>,
}

impl Past {
    /// Nothing remembered yet.
    pub fn new(schema: Arc<Schema>) -> Self {
        Self {
            schema,
            history: History::default(),
            selected: 0,
            filter: String::new(),
            typing: None,
        }
    }

    /// The entries that pass the filter, newest first.
    pub fn shown(&self) -> Vec<&Entry> {
        let words: Vec<String> = self
            .filter
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        (self.history.entries().iter())
            .filter(|entry| words.iter().all(|word| self.haystack(entry).contains(word)))
            .collect()
    }

    /// The selected entry.
    pub fn entry(&self) -> Option<&Entry> {
        self.shown().get(self.selected).copied()
    }

    /// Moves the selection, staying inside.
    pub fn select_by(&mut self, by: isize) {
        self.selected = self
            .selected
            .saturating_add_signed(by)
            .min(self.shown().len().saturating_sub(1));
    }

    /// What the filter looks at: what the list shows, and the request itself.
    fn haystack(&self, entry: &Entry) -> String {
        let (fault, version) = (
            entry.fault.as_deref().unwrap_or("ok"),
            entry.model_version.as_deref().unwrap_or(""),
        );
        let pinned = if entry.pinned { "pinned" } else { "" };
        let status = entry
            .status
            .map(|status| status.to_string())
            .unwrap_or_default();
        let score = entry.score.map_or_else(String::new, |score| {
            format!("{score:.3} {}", self.schema.band(score).name)
        });
        let parts = [
            entry.target.as_str(),
            entry.via.word(),
            &status,
            &score,
            fault,
            version,
            pinned,
            &entry.body,
        ];
        parts.join(" ").to_lowercase()
    }
}

/// Draws the pane. Returns the cursor while the filter is typed.
pub fn render(
    past: &Past,
    focused: bool,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) -> Option<Position> {
    let shown = past.shown();
    let n = past.history.entries().len();
    let count = if shown.len() == n {
        n.to_string()
    } else {
        format!("{} of {n}", shown.len())
    };
    let inner = panel(
        format!(" History {} {count} ", look.glyphs.dot),
        focused,
        area,
        buf,
        look,
    );
    let (list, cursor) = filter_line(past, inner, buf, look);
    if shown.is_empty() {
        let text = if n == 0 {
            "requests are remembered here"
        } else {
            "nothing passes the filter"
        };
        notice(text, Tone::Muted, list, buf, look);
        return cursor;
    }
    let room = usize::from(list.height).max(1);
    let first = first(past, list);
    for (i, entry) in shown.iter().enumerate().skip(first).take(room) {
        let rect = Rect {
            y: list.y + (i - first) as u16,
            height: 1,
            ..list
        };
        row(entry, usize::from(list.width), look).render(rect, buf);
        if focused && i == past.selected {
            mark(rect, buf, look);
        }
    }
    cursor
}

/// The first entry on screen, so that the selected one is there too.
fn first(past: &Past, list: Rect) -> usize {
    (past.selected + 1).saturating_sub(usize::from(list.height).max(1))
}

/// Whether the filter takes the pane's first line.
fn filter_shown(past: &Past, inner: Rect) -> bool {
    (past.typing.is_some() || !past.filter.is_empty()) && inner.height >= 2
}

/// Position among the shown entries of the one at `at`.
pub fn hit(past: &Past, area: Rect, at: Position) -> Option<usize> {
    let mut list = area.inner(Margin::new(1, 1));
    if filter_shown(past, list) {
        list.y += 1;
        list.height -= 1;
    }
    let entry = first(past, list) + usize::from(at.y.checked_sub(list.y)?);
    (list.contains(at) && entry < past.shown().len()).then_some(entry)
}

fn filter_line(
    past: &Past,
    inner: Rect,
    buf: &mut Buffer,
    look: &Look,
) -> (Rect, Option<Position>) {
    let text = past
        .typing
        .as_ref()
        .map_or(past.filter.as_str(), Input::value);
    if !filter_shown(past, inner) {
        return (inner, None);
    }
    let line = Rect { height: 1, ..inner };
    Line::from(vec![
        Span::styled("/ ", look.theme.key),
        Span::raw(text.to_owned()),
    ])
    .render(line, buf);
    let cursor = past.typing.as_ref().map(|input| {
        Position::new(
            (line.x + 2 + input.visual_cursor() as u16).min(line.right().saturating_sub(1)),
            line.y,
        )
    });
    (below(1, inner), cursor)
}

/// Which way the answer came, from which model and, where that is another than ours, from which target.
fn whence(entry: &Entry, look: &Look) -> Vec<String> {
    let version = entry
        .model_version
        .as_deref()
        .map_or_else(String::new, clean);
    let via = entry.via.word();
    let session = look.env.session.value();
    if session.is_some_and(|(session, _)| session.target == entry.target) {
        return vec![format!("{via} {version}"), version];
    }
    let target = clean(&entry.target);
    vec![
        format!("{target} {via} {version}"),
        format!("{target} {version}"),
        target,
    ]
}

fn row<'a>(entry: &Entry, cells: usize, look: &Look) -> Line<'a> {
    let pin = if entry.pinned { "*" } else { " " };
    let when = format!("{:>11} ", age(entry.at, look.now.wall));
    let mut spans = vec![
        Span::styled(pin, look.theme.accent),
        Span::styled(when, look.theme.muted),
    ];
    if let Some(score) = entry.score {
        let schema = &look.env.schema;
        spans.push(Span::styled(
            format!("{score:>6.3} "),
            band_style(schema, score, look),
        ));
        spans.push(Span::raw(fit(
            &schema.band(score).name,
            10,
            look.glyphs.ellipsis,
        )));
        let took = entry
            .phases
            .map_or_else(String::new, |phases| ms(phases.total));
        spans.push(Span::styled(format!("{took:>8} "), look.theme.muted));
        let rest = cells.saturating_sub(spans.iter().map(Span::width).sum());
        let whence = fitting(&whence(entry, look), rest);
        spans.push(Span::styled(
            truncate(&whence, rest, look.glyphs.ellipsis),
            look.theme.muted,
        ));
    } else {
        let fault = clean(entry.fault.as_deref().unwrap_or("no answer"));
        let text = format!("{} {fault}", look.glyphs.bad);
        spans.push(Span::styled(
            truncate(&text, cells.saturating_sub(13), look.glyphs.ellipsis),
            look.theme.bad,
        ));
    }
    Line::from(spans)
}

/// Draws what changed between two requests and their answers, the later one on the right.
pub fn render_diff(
    schema: &Schema,
    old: &Entry,
    new: &Entry,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let closes = hint(Scope::Predict, Action::Back, "closes", look);
    let title = title(&[vec!["Difference", &closes]], area, look);
    let inner = panel(title, false, area, buf, look);
    // Two values of 10 cells and a space.
    let label = usize::from(inner.width).saturating_sub(21).clamp(6, 17);
    let lines = diff_lines(schema, old, new, label, look);
    Text::from(lines).render(inner, buf);
}

fn diff_lines<'a>(
    schema: &Schema,
    old: &Entry,
    new: &Entry,
    label: usize,
    look: &Look,
) -> Vec<Line<'a>> {
    let line = |name: &str, a: String, b: String, style: Style| {
        Line::from(vec![
            Span::styled(fit(name, label, look.glyphs.ellipsis), look.theme.text),
            Span::styled(
                format!("{:>10} ", truncate(&clean(&a), 10, look.glyphs.ellipsis)),
                look.theme.muted,
            ),
            Span::styled(
                format!("{:>10}", truncate(&clean(&b), 10, look.glyphs.ellipsis)),
                style,
            ),
        ])
    };
    let now = look.now.wall;
    let mut lines = vec![line(
        "",
        age(old.at, now),
        age(new.at, now),
        look.theme.muted,
    )];
    let score = |entry: &Entry| {
        entry.score.map_or_else(
            || {
                entry
                    .status
                    .map_or("no answer".to_owned(), |s| s.to_string())
            },
            |score| format!("{score:.3}"),
        )
    };
    lines.push(line(
        &schema.score.label,
        score(old),
        score(new),
        look.theme.accent,
    ));
    if let (Some(a), Some(b)) = (old.score, new.score) {
        lines.push(line(
            "change",
            String::new(),
            format!("{:+.3}", b - a),
            look.theme.title,
        ));
    }
    let version = |entry: &Entry| {
        entry
            .model_version
            .clone()
            .unwrap_or_else(|| look.glyphs.skip.to_owned())
    };
    if version(old) != version(new) {
        lines.push(line("model", version(old), version(new), look.theme.warn));
    }
    let fields = |entry: &Entry| {
        Pasted::parse(schema, &entry.body)
            .map(|pasted| pasted.fields)
            .unwrap_or_default()
    };
    let (a, b) = (fields(old), fields(new));
    let value = |fields: &[Option<String>], i: usize| {
        fields
            .get(i)
            .cloned()
            .flatten()
            .unwrap_or_else(|| look.glyphs.skip.to_owned())
    };
    let changed: Vec<usize> = (0..schema.features.len())
        .filter(|&i| value(&a, i) != value(&b, i))
        .collect();
    if changed.is_empty() {
        lines.push(Line::styled("the same inputs", look.theme.muted));
    }
    lines.extend(changed.into_iter().map(|i| {
        line(
            &schema.features[i].label,
            value(&a, i),
            value(&b, i),
            look.theme.warn,
        )
    }));
    if let (Some(a), Some(b)) = (old.phases, new.phases) {
        let phase = |phase: Option<f64>| phase.map_or_else(|| look.glyphs.skip.to_owned(), ms);
        for ((name, a), (_, b)) in a
            .named()
            .into_iter()
            .zip(b.named())
            .filter(|((_, a), (_, b))| a.is_some() || b.is_some())
        {
            lines.push(line(name, phase(a), phase(b), look.theme.text));
        }
        lines.push(line("total", ms(a.total), ms(b.total), look.theme.text));
    }
    lines
}
