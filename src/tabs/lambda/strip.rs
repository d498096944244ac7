//! The health strip: ten lamps, each with its word, and the reason of the worst one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::Lambda;
use crate::domain::vitals::{Light, Vital};
use crate::tabs::Look;
use crate::ui::text::{clean, fit, truncate, wrap};

const LAMPS: u16 = 10;
/// Cells a lamp needs: sign, label, value.
const LAMP_WIDTH: u16 = 26;

fn columns(width: u16) -> u16 {
    let fitting = (width / LAMP_WIDTH).clamp(1, LAMPS);
    // Rows of nearly equal length look better than seven lamps and three.
    LAMPS.div_ceil(LAMPS.div_ceil(fitting))
}

/// Rows that the reason may take.
const REASON_ROWS: usize = 2;

/// Rows of the strip on a screen of this width, the reason included.
pub fn height(tab: &Lambda, width: u16) -> u16 {
    let reason = tab.vitals().map_or(1, |vitals| {
        let text = worst(&vitals.strip).1;
        wrap(&text, reason_cells(width)).len().clamp(1, REASON_ROWS)
    });
    LAMPS.div_ceil(columns(width)) + reason as u16
}

/// A blank on each side of the reason.
fn reason_cells(width: u16) -> usize {
    usize::from(width).saturating_sub(2)
}

/// Sign and style of a lamp.
pub fn sign(light: Light, look: &Look) -> (&'static str, Style) {
    match light {
        Light::Green => (look.glyphs.ok, look.theme.good),
        Light::Amber => (look.glyphs.warn, look.theme.warn),
        Light::Red => (look.glyphs.bad, look.theme.bad),
        Light::Grey => (look.glyphs.skip, look.theme.muted),
    }
}

/// Draws the strip.
pub fn render(tab: &Lambda, area: Rect, buf: &mut Buffer, look: &Look) {
    let Some(vitals) = tab.vitals() else { return };
    let columns = columns(area.width);
    let width = area.width / columns;
    for (index, vital) in vitals.strip.iter().enumerate() {
        let (row, column) = (index as u16 / columns, index as u16 % columns);
        let cell = Rect {
            x: area.x + column * width,
            y: area.y + row,
            width,
            height: 1,
        };
        if row < area.height {
            lamp(vital, width, look).render(cell, buf);
        }
    }
    let (light, text) = worst(&vitals.strip);
    let style = light.map_or(look.theme.muted, |light| sign(light, look).1);
    let lamp_rows = LAMPS.div_ceil(columns).min(area.height);
    let reason = Rect {
        y: area.y + lamp_rows,
        height: area.height - lamp_rows,
        ..area
    };
    let cells = reason_cells(area.width);
    let mut lines = wrap(&text, cells);
    let is_cut = lines.len() > usize::from(reason.height);
    lines.truncate(usize::from(reason.height));
    if let Some(last) = lines.last_mut().filter(|_| is_cut) {
        let ellipsis = look.glyphs.ellipsis;
        *last = truncate(&format!("{last} {ellipsis}"), cells, ellipsis);
    }
    let lines = lines.iter().map(|line| Line::raw(format!(" {line}")));
    Paragraph::new(lines.collect::<Vec<_>>())
        .style(style)
        .render(reason, buf);
}

fn lamp(vital: &Vital, width: u16, look: &Look) -> Paragraph<'static> {
    let (sign, style) = sign(vital.light, look);
    let value = fit(
        &clean(&vital.value),
        usize::from(width).saturating_sub(16),
        look.glyphs.ellipsis,
    );
    Paragraph::new(Line::from(vec![
        Span::styled(format!(" {sign} "), style),
        Span::styled(fit(vital.label, 13, look.glyphs.ellipsis), look.theme.muted),
        Span::styled(
            value,
            if vital.light == Light::Green {
                look.theme.text
            } else {
                style
            },
        ),
    ]))
}

/// The worst light that needs a word and why; `None` when all that is known is green.
fn worst(strip: &[Vital]) -> (Option<Light>, String) {
    let of = |light| strip.iter().find(|v| v.light == light);
    let Some(vital) = of(Light::Red).or_else(|| of(Light::Amber)) else {
        let green = strip.iter().filter(|v| v.light == Light::Green).count();
        let mut text = format!("{green} of {} lamps are green", strip.len());
        if let Some(unknown) = of(Light::Grey) {
            text.push_str(&format!("; {}: {}", unknown.label, clean(&unknown.why)));
        }
        return (None, text);
    };
    let mut text = format!("{}: {}", vital.label, clean(&vital.why));
    let others = strip
        .iter()
        .filter(|v| v.light == vital.light && v.label != vital.label);
    let others: Vec<&str> = others.map(|v| v.label).collect();
    if !others.is_empty() {
        text.push_str(&format!("; also {}", others.join(", ")));
    }
    (Some(vital.light), text)
}
