//! A titled frame around a pane, and the line inside it for empty, loading and failed states.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::symbols::border;
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph, Widget, Wrap};

use crate::tabs::Look;
use crate::ui::text::fitting;
use crate::ui::theme::Tone;

/// Draws a frame with a title and gives back the room inside.
pub fn panel<'a>(
    title: impl Into<Line<'a>>,
    focused: bool,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) -> Rect {
    let style = if focused {
        look.theme.focus
    } else {
        look.theme.border
    };
    let block = Block::bordered()
        .border_set(border::ROUNDED)
        .border_style(style)
        .title(title.into().style(look.theme.title));
    let inner = block.inner(area);
    block.render(area, buf);
    inner
}

/// What is left of an area below its first lines.
pub fn below(lines: u16, area: Rect) -> Rect {
    Rect {
        y: (area.y + lines).min(area.bottom()),
        height: area.height.saturating_sub(lines),
        ..area
    }
}

/// The first of the titles, longest first, that fits on the frame's upper edge; its parts are set off by dots, and
/// empty ones left out.
pub fn title(variants: &[Vec<&str>], area: Rect, look: &Look) -> String {
    let dot = format!(" {} ", look.glyphs.dot);
    let titles: Vec<String> = (variants.iter())
        .map(|parts| {
            let parts: Vec<&str> = parts
                .iter()
                .copied()
                .filter(|part| !part.is_empty())
                .collect();
            format!(" {} ", parts.join(&dot))
        })
        .collect();
    fitting(&titles, usize::from(area.width.saturating_sub(2)))
}

/// A sentence in the middle of a pane: nothing here yet, or what went wrong.
pub fn notice(text: &str, tone: Tone, area: Rect, buf: &mut Buffer, look: &Look) {
    if area.is_empty() {
        return;
    }
    let lines = text
        .lines()
        .map(|line| {
            crate::ui::text::width(line)
                .div_ceil(usize::from(area.width).max(1))
                .max(1)
        })
        .sum::<usize>();
    let height = (lines as u16).min(area.height);
    let middle = Rect {
        y: area.y + (area.height - height) / 2,
        height,
        ..area
    };
    Paragraph::new(text)
        .style(look.theme.tone(tone))
        .centered()
        .wrap(Wrap { trim: true })
        .render(middle, buf);
}
