//! The setup's rows, the value being typed, and why it was refused.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph, Widget};

use super::Retrain;
use super::lines::{hidden, wrapped};
use super::panes::Pane;
use super::setup::{Field, Setup};
use crate::tabs::Look;
use crate::train::Family;
use crate::train::tune::Sampling;
use crate::ui::panel::panel;
use crate::ui::text::{clean, fit, truncate, width};

/// The first row in sight: the focused one is always among them.
pub(super) const fn first(setup: &Setup, rows: u16) -> usize {
    (setup.focus + 1).saturating_sub(rows as usize)
}

/// Draws the setup; gives the cursor of an open value.
pub(super) fn render(tab: &Retrain, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
    let inner = panel(" Setup ", tab.focus == Pane::Setup, area, buf, look);
    let setup = &tab.setup;
    let fields = setup.fields();
    let first = first(setup, inner.height);
    let mut cursor = None;
    for (row, field) in fields.iter().enumerate().skip(first) {
        let y = inner.y + (row - first) as u16;
        if y >= inner.bottom() {
            break;
        }
        let line = Rect {
            y,
            height: 1,
            ..inner
        };
        let at = draw_row(setup, *field, row == setup.focus, line, buf, look);
        cursor = at.or(cursor);
    }
    let below = fields
        .len()
        .saturating_sub(first + usize::from(inner.height));
    hidden(first, below, area, buf, look);
    cursor
}

fn draw_row(
    setup: &Setup,
    field: Field,
    focused: bool,
    line: Rect,
    buf: &mut Buffer,
    look: &Look,
) -> Option<Position> {
    let theme = look.theme;
    let narrow = line.width < 34;
    let names = if narrow { 13 } else { 18 };
    let (name, value) = text_of(setup, field, narrow);
    let name_style = if focused { theme.accent } else { theme.muted };
    let (pointer, open, close) = if focused {
        ("▸ ", "‹", "›")
    } else {
        ("  ", " ", " ")
    };
    let editing = setup.editing.as_ref().filter(|_| focused);
    let room = usize::from(line.width).saturating_sub(names + 3);
    // An open value shows the end that is being typed.
    let skipped = editing.map_or(0, |input| input.visual_scroll(room.saturating_sub(1)));
    let text = match editing {
        Some(input) => input.value().chars().skip(skipped).take(room).collect(),
        None => truncate(&value, room, look.glyphs.ellipsis),
    };
    let value_style = match (editing, field) {
        (Some(_), _) => theme.selected,
        (None, Field::Dedup) if !setup.dedup => theme.warn,
        (None, Field::Trials) if setup.trials > 0 => theme.warn,
        _ if focused => theme.title,
        _ => theme.text,
    };
    Line::from(vec![
        Span::styled(pointer, theme.accent),
        Span::styled(fit(name, names, look.glyphs.ellipsis), name_style),
        Span::styled(open, theme.muted),
        Span::styled(text, value_style),
        Span::styled(close, theme.muted),
    ])
    .render(line, buf);
    let x = line.x + (2 + names + 1) as u16;
    editing.map(|input| {
        Position::new(
            (x + input.visual_cursor().saturating_sub(skipped) as u16)
                .min(line.right().saturating_sub(1)),
            line.y,
        )
    })
}

fn text_of(setup: &Setup, field: Field, narrow: bool) -> (&'static str, String) {
    match field {
        Field::Preset => ("preset", setup.preset.clone()),
        Field::Family if narrow => ("family", short_family(setup.plan.family).to_owned()),
        Field::Family => ("family", setup.plan.family.to_string()),
        Field::Param(name) if narrow => (short_param(name), setup.value(name)),
        Field::Param(name) => (name, setup.value(name)),
        Field::EarlyStop if setup.plan.early_stop.is_none() => ("early stop", "off".to_owned()),
        Field::EarlyStop => ("early stop", "at plateau".to_owned()),
        Field::Trials if setup.trials == 0 => ("trials", "0 = off".to_owned()),
        Field::Trials => ("trials", setup.trials.to_string()),
        Field::Sampler => (
            "sampler",
            match setup.sampling {
                Sampling::Tpe => "tpe",
                Sampling::Random => "random",
            }
            .to_owned(),
        ),
        Field::Data => ("data", data_name(setup)),
        Field::Dedup => (
            "duplicates",
            if setup.dedup { "dropped" } else { "kept" }.to_owned(),
        ),
    }
}

/// Draws why a value was refused, below its row and over whatever is there: it must be read whole.
pub(super) fn refusal(setup: &Setup, setup_pane: Rect, area: Rect, buf: &mut Buffer, look: &Look) {
    let Some(error) = &setup.error else { return };
    let text = format!("{} {error}", look.glyphs.bad);
    let cells = area.width.saturating_sub(4).min(76);
    let lines = wrapped(&text, usize::from(cells), look.theme.bad);
    let first = first(setup, setup_pane.height.saturating_sub(2));
    let row = setup_pane.y + 2 + (setup.focus - first) as u16;
    let wanted = Rect {
        x: area.x + 1,
        y: row,
        width: cells.min(width(&text) as u16) + 2,
        height: lines.len() as u16,
    };
    let place = wanted.intersection(area);
    Clear.render(place, buf);
    Paragraph::new(lines).render(
        Rect {
            x: place.x + 1,
            width: place.width.saturating_sub(1),
            ..place
        },
        buf,
    );
}

/// The file's name, without the way to it.
fn data_name(setup: &Setup) -> String {
    let name = setup.data.as_ref().map(|path| {
        let name = path.file_name().unwrap_or(path.as_os_str());
        clean(&name.to_string_lossy())
    });
    name.unwrap_or_else(|| "built in".to_owned())
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
