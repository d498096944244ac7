//! What the selected version does not share with the baseline.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::super::Retrain;
use super::History;
use crate::effects::retrain::Shelf;
use crate::keys::{Action, Scope};
use crate::registry::{Version, diff};
use crate::tabs::Look;
use crate::ui::text::{clean, fit, truncate};

pub(super) fn baseline(history: &History, shelf: &Shelf) -> Option<Version> {
    history
        .pinned
        .or_else(|| shelf.champion.as_ref().map(|champion| champion.version))
}

/// A line for each field that the selected version does not share with the baseline, the plan and the figures first.
pub(in super::super) fn difference_lines(
    tab: &Retrain,
    area: Rect,
    look: &Look,
) -> Option<Vec<Line<'static>>> {
    let (history, shelf) = (&tab.history, tab.shelf()?);
    if !history.only_differences {
        return None;
    }
    let left = tab.manifest(baseline(history, shelf)?)?;
    let right = tab.manifest(history.selected(shelf)?)?;
    let mut fields = diff::diff(left, right);
    let rank = |field: &str| {
        ["plan.", "preset", "metrics.", "verdict", "gates."]
            .iter()
            .position(|part| field.starts_with(part))
            .unwrap_or(usize::MAX)
    };
    fields.sort_by_key(|difference| rank(&difference.field));
    let cells = usize::from(area.width);
    let name = fields
        .iter()
        .map(|difference| difference.field.len())
        .max()
        .unwrap_or(0)
        .clamp(12, (cells / 2).max(12));
    let value = cells.saturating_sub(name + 6) / 2;
    let ellipsis = look.glyphs.ellipsis;
    let line = |difference: &diff::Difference| {
        Line::from(vec![
            Span::styled(
                format!(" {} ", fit(&difference.field, name, ellipsis)),
                look.theme.muted,
            ),
            Span::raw(fit(&short(&difference.left), value, ellipsis)),
            Span::styled(" → ", look.theme.muted),
            Span::raw(truncate(&short(&difference.right), value, ellipsis)),
        ])
    };
    Some(fields.iter().map(line).collect())
}

/// A value as people read it: no more than four decimals.
fn short(value: &str) -> String {
    match value.parse::<f64>() {
        Ok(number) if value.contains('.') && value.len() > 7 => format!("{number:.4}"),
        _ => clean(value),
    }
}

pub(super) fn difference_head(
    baseline: Option<Version>,
    selected: Option<Version>,
    count: usize,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let name =
        |version: Option<Version>| version.map_or_else(String::new, |version| version.to_string());
    let fields = match count {
        0 => "nothing differs".to_owned(),
        1 => "1 field differs".to_owned(),
        many => format!("{many} fields differ"),
    };
    let keys = look.keymap.key(Scope::Retrain, Action::PageDown);
    let text = format!(
        " {fields}, {} → {}  ({keys} scrolls)",
        name(baseline),
        name(selected)
    );
    Line::styled(text, look.theme.title).render(area, buf);
}
