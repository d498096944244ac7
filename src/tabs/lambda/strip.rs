//! The health strip: ten lamps, each with its word, and the reason of the worst one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::Lambda;
use crate::domain::vitals::{Light, Vital};
use crate::tabs::Look;
use crate::ui::text::{clean, fit, truncate};

const LAMPS: u16 = 10;
/// Cells a lamp needs: sign, label, value.
const LAMP_WIDTH: u16 = 26;

fn columns(width: u16) -> u16 {
    let fitting = (width / LAMP_WIDTH).clamp(1, LAMPS);
    // Rows of nearly equal length look better than seven lamps and three.
    LAMPS.div_ceil(LAMPS.div_ceil(fitting))
}

/// Rows of the strip on a screen of this width, the reason included.
pub fn height(width: u16) -> u16 {
    LAMPS.div_ceil(columns(width)) + 1
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
    let reason = Rect {
        y: area.y + area.height.saturating_sub(1),
        height: area.height.min(1),
        ..area
    };
    worst(&vitals.strip, area.width, look).render(reason, buf);
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

fn worst(strip: &[Vital], width: u16, look: &Look) -> Paragraph<'static> {
    let of = |light| strip.iter().find(|v| v.light == light);
    let Some(vital) = of(Light::Red).or_else(|| of(Light::Amber)) else {
        let green = strip.iter().filter(|v| v.light == Light::Green).count();
        let mut text = format!(" {green} of {} lamps are green", strip.len());
        if let Some(unknown) = of(Light::Grey) {
            text.push_str(&format!("; {}: {}", unknown.label, clean(&unknown.why)));
        }
        let text = truncate(&text, usize::from(width), look.glyphs.ellipsis);
        return Paragraph::new(text).style(look.theme.muted);
    };
    let (_, style) = sign(vital.light, look);
    let mut text = format!(" {}: {}", vital.label, clean(&vital.why));
    let others = strip
        .iter()
        .filter(|v| v.light == vital.light && v.label != vital.label);
    let others: Vec<&str> = others.map(|v| v.label).collect();
    if !others.is_empty() {
        text.push_str(&format!("; also {}", others.join(", ")));
    }
    Paragraph::new(truncate(&text, usize::from(width), look.glyphs.ellipsis)).style(style)
}
