//! The form on screen: one row per feature with its value, slider and unit, and a sentence about the selected one.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::form::Form;
use crate::domain::features::Level;
use crate::domain::schema::{Feature, Schema};
use crate::keys::{Action, Scope};
use crate::tabs::Look;
use crate::ui::panel::panel;
use crate::ui::slider::{slider, value_at};
use crate::ui::text::{fit, fitting, truncate, width};

/// Cells of the value column.
const VALUE: usize = 8;

/// Where the parts of a row are.
#[derive(Debug, Clone, Copy)]
struct Columns {
    label: usize,
    slider: usize,
    unit: usize,
}

impl Columns {
    fn of(schema: &Schema, cells: usize) -> Self {
        let label = schema
            .features
            .iter()
            .map(|feature| width(&feature.label))
            .max()
            .unwrap_or(0);
        let unit = schema
            .features
            .iter()
            .map(|feature| width(&feature.unit))
            .max()
            .unwrap_or(0);
        // Marker, label, value, sign, dirty mark and the spaces between.
        let taken = 2 + label + 1 + VALUE + 3 + 1 + unit;
        let slider = cells.saturating_sub(taken);
        if slider >= 6 {
            Self {
                label,
                slider,
                unit,
            }
        } else {
            Self {
                label,
                slider: slider + unit,
                unit: 0,
            }
        }
    }

    /// The slider's first cell, from the row's left end.
    fn slider_at(self) -> usize {
        2 + self.label + 1 + VALUE + 3
    }
}

/// What a click in the form hits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Hit {
    /// A field.
    Field(usize),
    /// A field's slider, or one of its choices, at this value.
    Value(usize, f64),
}

/// Draws the form. `focused` frames it, `typing` shows that figures go into the selected field. Returns the cursor.
pub fn render(
    form: &Form,
    schema: &Schema,
    focused: bool,
    typing: bool,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) -> Option<Position> {
    let inner = panel(title(form, look), focused, area, buf, look);
    if focused && typing {
        whose_figures(form, area, buf, look);
    }
    let rows = rows(form, inner);
    let columns = Columns::of(schema, usize::from(inner.width));
    let mut cursor = None;
    for (line, field) in rows.clone().enumerate() {
        let rect = Rect {
            y: inner.y + line as u16,
            height: 1,
            ..inner
        };
        row(form, schema, field, columns, focused, look).render(rect, buf);
        if field == form.selected && focused && typing {
            let at = form.editing.as_ref().map(tui_input::Input::visual_cursor);
            cursor = Some(value_cursor(form, field, at, columns, rect));
        }
    }
    let below = inner.y + rows.len() as u16;
    if below < inner.bottom() {
        let rect = Rect {
            y: inner.bottom() - 1,
            height: 1,
            ..inner
        };
        remark(form, schema, usize::from(inner.width), look).render(rect, buf);
    }
    cursor
}

/// Which field or slider is under a position.
pub fn hit(form: &Form, schema: &Schema, area: Rect, at: Position) -> Option<Hit> {
    let inner = Rect {
        x: area.x + 1,
        y: area.y + 1,
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    };
    if !inner.contains(at) {
        return None;
    }
    let rows = rows(form, inner);
    let field = rows.start + usize::from(at.y - inner.y);
    if !rows.contains(&field) {
        return None;
    }
    let columns = Columns::of(schema, usize::from(inner.width));
    let x = usize::from(at.x - inner.x);
    let on_slider = (columns.slider_at()..columns.slider_at() + columns.slider).contains(&x);
    let value = match schema.features[field].range() {
        Some(range) if on_slider => Some(value_at(
            range,
            (x - columns.slider_at()) as u16,
            columns.slider as u16,
        )),
        None if on_slider => choice_at(&schema.features[field], x - columns.slider_at(), columns),
        _ => None,
    };
    Some(value.map_or(Hit::Field(field), |value| Hit::Value(field, value)))
}

/// A choice as it is drawn, without the mark: `( ) white `.
fn choice_cells(label: &str) -> usize {
    width(label) + 5
}

/// The choice drawn at this cell of the control; `None` beside them, or where only the chosen one is drawn.
fn choice_at(feature: &Feature, cell: usize, columns: Columns) -> Option<f64> {
    let mut end = 0;
    let ends: Vec<usize> = (feature.choices().iter())
        .map(|choice| {
            end += choice_cells(&choice.label);
            end
        })
        .collect();
    if end > columns.slider {
        return None;
    }
    let hit = ends.iter().position(|&end| cell < end)?;
    Some(feature.choices()[hit].value)
}

/// The fields that fit, the selected one among them; the last line is kept for the remark if there are three.
fn rows(form: &Form, inner: Rect) -> std::ops::Range<usize> {
    let n = form.fields.len();
    let room = usize::from(inner.height.saturating_sub(u16::from(inner.height > 2))).min(n);
    let first = (form.selected + 1)
        .saturating_sub(room.max(1))
        .min(n - room);
    first..first + room
}

/// On the frame's lower edge: that figures go into the field now, and how they open tabs again.
fn whose_figures(form: &Form, area: Rect, buf: &mut Buffer, look: &Look) {
    let esc = look.keymap.key(Scope::Global, Action::Back);
    let text = if form.editing.is_some() {
        format!(" {esc} puts the old value back ")
    } else {
        format!(" typing {} {esc}: figures open tabs ", look.glyphs.dot)
    };
    let cells = width(&text) as u16;
    if area.width > cells + 2 && area.height > 1 {
        let rect = Rect {
            x: area.right() - cells - 2,
            y: area.bottom() - 1,
            width: cells,
            height: 1,
        };
        Line::styled(text, look.theme.muted).render(rect, buf);
    }
}

fn title<'a>(form: &Form, look: &Look) -> Line<'a> {
    let changes = form.changes();
    let changed = match changes {
        0 => String::new(),
        n => format!(", {n} changed"),
    };
    let label = truncate(&form.base_label, 28, look.glyphs.ellipsis);
    Line::from(vec![
        Span::raw(" Request "),
        Span::styled(
            format!("{} {label}{changed} ", look.glyphs.dot),
            look.theme.muted,
        ),
    ])
}

/// The style and the sign of a level; the sign says it without colour.
fn level(level: Level, look: &Look) -> (Style, &'static str) {
    match level {
        Level::Usual => (look.theme.text, " "),
        Level::Unusual => (look.theme.warn, look.glyphs.warn),
        Level::Extrapolating => (look.theme.bad, look.glyphs.up),
        Level::Rejected => (look.theme.bad, look.glyphs.bad),
    }
}

fn row<'a>(
    form: &Form,
    schema: &Schema,
    field: usize,
    columns: Columns,
    focused: bool,
    look: &Look,
) -> Line<'a> {
    let (theme, glyphs) = (look.theme, look.glyphs);
    let feature = &schema.features[field];
    let selected = field == form.selected;
    let (style, sign) = level(form.checks[field].level, look);
    let marker = if selected { "▸ " } else { "  " };
    let label_style = if selected && focused {
        theme.accent
    } else {
        theme.text
    };
    let mut value_style = style;
    if selected && focused {
        value_style = value_style.add_modifier(Modifier::REVERSED);
    }
    let dirty = if form.dirty(field) { glyphs.dirty } else { " " };
    let mut spans = vec![
        Span::styled(marker, theme.accent),
        Span::styled(
            fit(&feature.label, columns.label + 1, glyphs.ellipsis),
            label_style,
        ),
        Span::styled(value_text(form, field, look), value_style),
        Span::styled(sign, style),
        Span::styled(format!("{dirty} "), theme.info),
    ];
    spans.extend(control(form, feature, field, columns, style, look));
    if columns.unit > 0 {
        spans.push(Span::styled(format!(" {}", feature.unit), theme.muted));
    }
    Line::from(spans)
}

/// The value, right-aligned; the end of a long text while it is typed.
fn value_text(form: &Form, field: usize, look: &Look) -> String {
    let text = crate::ui::text::clean(&form.fields[field]);
    if form.editing.is_some() && field == form.selected && width(&text) > VALUE - 1 {
        let tail: Vec<char> = text.chars().rev().take(VALUE - 1).collect();
        return format!(" {}", tail.into_iter().rev().collect::<String>());
    }
    let cut = truncate(&text, VALUE, look.glyphs.ellipsis);
    format!("{}{cut}", " ".repeat(VALUE - width(&cut)))
}

fn value_cursor(
    form: &Form,
    field: usize,
    at: Option<usize>,
    columns: Columns,
    rect: Rect,
) -> Position {
    let cells = width(&form.fields[field]).min(VALUE);
    let back = at
        .map_or(0, |at| width(&form.fields[field]).saturating_sub(at))
        .min(cells);
    let x = 2 + columns.label + 1 + VALUE - back;
    Position::new(
        (rect.x + x as u16).min(rect.right().saturating_sub(1)),
        rect.y,
    )
}

/// The slider of a number, the words of a choice.
fn control<'a>(
    form: &Form,
    feature: &Feature,
    field: usize,
    columns: Columns,
    style: Style,
    look: &Look,
) -> Vec<Span<'a>> {
    let text = form.fields[field].trim();
    let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
    if let Some(range) = feature.range() {
        let knob = if form.checks[field].level == Level::Usual {
            look.theme.accent
        } else {
            style
        };
        return slider(range, value, columns.slider, knob, look);
    }
    let sent = value.or(if text.is_empty() {
        feature.default
    } else {
        None
    });
    let mut spans = Vec::new();
    for choice in feature.choices() {
        let on = sent.is_some_and(|value| (value - choice.value).abs() < 1e-9)
            || text.eq_ignore_ascii_case(&choice.label);
        let (word, style) = if on {
            (
                format!("({}) {} ", look.glyphs.bullet, choice.label),
                look.theme.accent,
            )
        } else {
            (format!("( ) {} ", choice.label), look.theme.muted)
        };
        spans.push(Span::styled(word, style));
    }
    let used: usize = spans.iter().map(Span::width).sum();
    if used > columns.slider {
        let chosen = sent.map_or_else(String::new, |value| feature.display(value));
        return vec![Span::styled(
            fit(&chosen, columns.slider, look.glyphs.ellipsis),
            look.theme.accent,
        )];
    }
    spans.push(Span::raw(" ".repeat(columns.slider - used)));
    spans
}

/// What is to be said about the selected field, or else where its values lie.
fn remark<'a>(form: &Form, schema: &Schema, cells: usize, look: &Look) -> Line<'a> {
    let field = form.selected;
    let (feature, check) = (&schema.features[field], &form.checks[field]);
    let (text, style) = if check.level > Level::Usual {
        let variants = [
            format!("{}: {}", feature.label, check.message),
            check.message.clone(),
        ];
        (fitting(&variants, cells), level(check.level, look).0)
    } else if let Some(range) = feature.range() {
        let median = format!(
            "median {} {} 98 % in {} to {}",
            range.p50, look.glyphs.dot, range.p1, range.p99
        );
        let full = format!(
            "{median} {} all in {} to {}",
            look.glyphs.dot, range.min, range.max
        );
        (
            if width(&full) < cells { full } else { median },
            look.theme.muted,
        )
    } else if let Some(default) = feature.default {
        (
            format!(
                "optional; without it the service takes {}",
                feature.display(default)
            ),
            look.theme.muted,
        )
    } else {
        (String::new(), look.theme.muted)
    };
    Line::styled(truncate(&text, cells, look.glyphs.ellipsis), style)
}
