//! The frame around the tabs: header, body, footer, toasts; layout as a pure function of the size.

pub mod ascii;
pub mod footer;
pub mod gauge;
pub mod header;
pub mod hints;
pub mod hyperlink;
pub mod list;
pub mod panel;
pub mod slider;
pub mod text;
pub mod theme;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::App;
use crate::tabs::Now;

/// The smallest screen on which everything works.
pub const SMALLEST: (u16, u16) = (60, 16);

/// Where things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// Two lines: where we are connected, and the tab bar.
    pub header: Rect,
    /// The active tab's.
    pub body: Rect,
    /// One line of key hints.
    pub footer: Rect,
}

/// Divides a screen; pure, so that drawing and mouse hits agree.
pub fn areas(size: Rect) -> Areas {
    let header = Rect {
        height: size.height.min(2),
        ..size
    };
    let footer_height = u16::from(size.height > 2);
    let footer = Rect {
        y: size.bottom() - footer_height,
        height: footer_height,
        ..size
    };
    let body = Rect {
        y: header.bottom(),
        height: size.height - header.height - footer_height,
        ..size
    };
    Areas {
        header,
        body,
        footer,
    }
}

/// Draws the whole app, in ASCII if the terminal wants it. Returns where the text cursor belongs.
pub fn render(app: &App, now: Now, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let cursor = draw(app, now, area, buf);
    if app.glyphs.ascii {
        ascii::fold(buf);
    }
    cursor
}

fn draw(app: &App, now: Now, area: Rect, buf: &mut Buffer) -> Option<Position> {
    if area.is_empty() {
        return None;
    }
    let look = app.look(now);
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let text = format!(
            "{}×{} needed, have {}×{}",
            SMALLEST.0, SMALLEST.1, area.width, area.height
        );
        panel::notice(&text, theme::Tone::Warn, area, buf, &look);
        return None;
    }
    let areas = areas(area);
    header::render(app, areas.header, buf, &look);
    let mut cursor = app.tabs[app.active].render(areas.body, buf, &look);
    footer::render(app, areas.footer, buf, &look);
    for overlay in &app.overlays {
        cursor = overlay.render(area, buf, &look);
    }
    footer::toast(app, areas.footer, !app.overlays.is_empty(), buf, &look);
    cursor
}
