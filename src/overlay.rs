//! What lies on top of the tabs for a while: hears keys first, gives them back when closed.

pub mod alerts;
pub mod compare;
pub mod confirm;
pub mod doctor;
pub mod help;
pub mod list;
pub mod palette;
pub mod target;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Margin, Position, Rect};
use ratatui::widgets::{Clear, Widget};
use tokio::time::Instant;

use crate::effects::Event;
use crate::keys::Action;
use crate::tabs::{Cx, Look, Now};

/// A layer above the tabs.
pub trait Overlay {
    /// A key press, with the action it is bound to, if any.
    fn on_key(&mut self, key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict;

    /// Draws the overlay somewhere inside `area` (the whole screen). Returns where the text cursor belongs.
    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position>;

    /// Pasted text: true if the overlay took it.
    fn on_paste(&mut self, _text: &str) -> bool {
        false
    }

    /// A left click anywhere on the screen.
    fn on_click(&mut self, _at: Position, _cx: &mut Cx) -> Verdict {
        Verdict::Stay
    }

    /// The wheel: lines down (positive) or up.
    fn on_scroll(&mut self, _lines: i32, _cx: &mut Cx) {}

    /// Something came from outside.
    fn on_event(&mut self, _event: &Event, _cx: &mut Cx) {}

    /// When the overlay wants to be drawn again though nothing happened.
    fn wake_at(&self, _now: Now) -> Option<Instant> {
        None
    }
}

/// What becomes of an overlay after a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It stays on top.
    Stay,
    /// It goes.
    Close,
    /// It goes, and this action is done as if its key had been pressed.
    CloseAnd(Action),
}

/// A centred box of at most this size; pure, so that drawing and mouse hits agree.
pub fn middle(width: u16, height: u16, area: Rect) -> Rect {
    area.centered(
        Constraint::Length(width.min(area.width)),
        Constraint::Length(height.min(area.height)),
    )
}

/// A centred box of at most this size, cleared for drawing.
pub fn centred(width: u16, height: u16, area: Rect, buf: &mut Buffer) -> Rect {
    let rect = middle(width, height, area);
    Clear.render(rect, buf);
    rect
}

/// A strip of this height at the bottom of the area; pure, so that drawing and mouse hits agree.
pub fn bottom(height: u16, area: Rect) -> Rect {
    let height = height.min(area.height);
    Rect {
        y: area.bottom() - height,
        height,
        ..area
    }
}

/// A strip of this height at the bottom of the area, cleared for drawing: questions never hide the work.
pub fn strip(height: u16, area: Rect, buf: &mut Buffer) -> Rect {
    let rect = bottom(height, area);
    Clear.render(rect, buf);
    rect
}

/// The room inside a frame.
pub fn inside(frame: Rect) -> Rect {
    frame.inner(Margin::new(1, 1))
}
