//! The function's configuration: remarks first, then the difference to another version or target, then every field, and the
//! environment, masked.

use ratatui::text::{Line, Span};

use super::{Lambda, Pane};
use crate::domain::doctor::Fact;
use crate::domain::function::{Overview, differences, lints, surroundings};
use crate::tabs::Look;
use crate::ui::text::{clean, truncate, wrap};

const LABEL: usize = 18;

/// One line of the pane, before it is dressed.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// Something that deserves a look: field and remark.
    Lint(String, String),
    /// A heading.
    Head(String),
    /// A difference: field, there and here.
    Change(String, String),
    /// A field and its value.
    Field(String, String),
    /// What could not be read at all, and why.
    Trouble(String),
    /// The environment variable of this position: label, and what is shown.
    Variable(usize, String),
    /// An empty line.
    Gap,
}

/// All that the pane has to say, top to bottom.
pub fn rows(tab: &Lambda) -> Vec<Row> {
    let Some((overview, _)) = tab.overview.value() else {
        return Vec::new();
    };
    let max_memory = tab.vitals().and_then(|v| v.max_memory);
    let lint = |lint: crate::domain::function::Lint| Row::Lint(lint.field.to_owned(), lint.text);
    let mut rows: Vec<Row> = lints(overview, max_memory).into_iter().map(lint).collect();
    rows.extend(compared(tab, overview));
    match &overview.config {
        Fact::Known(config) => {
            let fields = config.rows().into_iter();
            let fields = fields.filter(|(field, _)| *field != "environment");
            rows.extend(fields.map(|(field, value)| Row::Field(field.to_owned(), value)));
        }
        other => rows.push(Row::Trouble(format!(
            "the function: {}",
            other.absence().unwrap_or_default()
        ))),
    }
    rows.extend(around(overview));
    rows.extend(environment(tab, overview));
    rows
}

/// The pane's lines; the one under the cursor stands out.
pub fn lines(tab: &Lambda, width: u16, look: &Look) -> Vec<Line<'static>> {
    let room = usize::from(width);
    rows(tab)
        .into_iter()
        .enumerate()
        .map(|(at, row)| {
            let line = dress(row, room, look);
            if at == tab.cursor && tab.pane == Pane::Config {
                line.patch_style(look.theme.selected)
            } else {
                line
            }
        })
        .collect()
}

/// The line under the cursor in full, broken into lines, where it has no room in one.
pub fn in_full(tab: &Lambda, width: u16) -> Vec<String> {
    let room = usize::from(width);
    let beside = room.saturating_sub(LABEL + 1);
    let (label, text, room_for_text) = match rows(tab).into_iter().nth(tab.cursor) {
        Some(Row::Lint(label, text)) => {
            let used = crate::ui::text::width(&label) + 4;
            (label, text, room.saturating_sub(used))
        }
        Some(Row::Field(label, text) | Row::Change(label, text)) => (label, text, beside),
        Some(Row::Variable(_, text)) => (String::new(), text, beside),
        Some(Row::Head(text) | Row::Trouble(text)) => (String::new(), text, room),
        Some(Row::Gap) | None => return Vec::new(),
    };
    let (label, text) = (clean(&label), clean(&text));
    if crate::ui::text::width(&text) <= room_for_text {
        return Vec::new();
    }
    match label.as_str() {
        "" => wrap(&text, room),
        label => wrap(&format!("{label}: {text}"), room),
    }
}

fn dress(row: Row, room: usize, look: &Look) -> Line<'static> {
    let cut = |text: &str, room| truncate(&clean(text), room, look.glyphs.ellipsis);
    let beside = room.saturating_sub(LABEL + 1);
    let field = |label: &str, text: &str, style| {
        Line::from(vec![
            Span::styled(format!("{label:<LABEL$} "), look.theme.muted),
            Span::styled(cut(text, beside), style),
        ])
    };
    match row {
        Row::Lint(label, text) => {
            let label = format!("{} {label}: ", look.glyphs.warn);
            let room = room.saturating_sub(crate::ui::text::width(&label));
            Line::from(vec![
                Span::styled(label, look.theme.warn),
                Span::styled(cut(&text, room), look.theme.text),
            ])
        }
        Row::Head(text) => Line::styled(cut(&text, room), look.theme.accent),
        Row::Change(label, text) => {
            let label = format!("  {}", cut(&label, LABEL - 2));
            field(&label, &text, look.theme.warn)
        }
        Row::Field(label, text) => field(&label, &text, look.theme.text),
        Row::Trouble(text) => Line::styled(cut(&text, room), look.theme.bad),
        Row::Variable(0, text) => field("environment", &text, look.theme.text),
        Row::Variable(_, text) => field("", &text, look.theme.text),
        Row::Gap => Line::default(),
    }
}

/// Names in the open, values masked unless asked for.
fn environment(tab: &Lambda, overview: &Overview) -> Vec<Row> {
    let Some(config) = overview.config.known() else {
        return Vec::new();
    };
    if config.environment.is_empty() {
        return vec![Row::Field("environment".to_owned(), "none".to_owned())];
    }
    let variables = config.environment.iter().enumerate();
    variables
        .map(|(index, (name, value))| {
            let shown = if tab.revealed.contains(name) {
                value.reveal()
            } else {
                "••••••"
            };
            Row::Variable(index, format!("{name} = {shown}"))
        })
        .collect()
}

fn compared(tab: &Lambda, here: &Overview) -> Vec<Row> {
    let Some((other, there)) = &tab.compared else {
        return Vec::new();
    };
    let changes = differences(there, here);
    let what = match changes.len() {
        0 => "nothing differs".to_owned(),
        1 => "1 difference".to_owned(),
        n => format!("{n} differences"),
    };
    let mut rows = vec![Row::Head(format!("{other} → here: {what}"))];
    rows.extend(
        changes
            .into_iter()
            .map(|d| Row::Change(d.field, format!("{} → {}", d.there, d.here))),
    );
    rows.push(Row::Gap);
    rows
}

/// What surrounds the function: aliases, versions, concurrency, URL, event sources, retention.
fn around(overview: &Overview) -> Vec<Row> {
    let fields = surroundings(overview);
    let row = |(label, text): (&str, String)| Row::Field(label.to_owned(), text);
    fields.into_iter().map(row).collect()
}
