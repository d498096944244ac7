//! The Logs tab.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::Env;
use crate::keys::{Action, Scope};
use crate::tabs::{Cx, Look, Offer, Tab};
use crate::ui::panel::{notice, panel};
use crate::ui::theme::Tone;

/// The Logs tab's state.
pub struct Logs {}

impl Logs {
    /// The tab as it starts.
    pub const fn new(_env: &Env) -> Self {
        Self {}
    }
}

impl Tab for Logs {
    fn title(&self) -> &'static str {
        "Logs"
    }

    fn scope(&self) -> Scope {
        Scope::Logs
    }

    fn offers(&self) -> Vec<Offer> {
        Vec::new()
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let inner = panel("Logs", true, area, buf, look);
        notice("on its way", Tone::Muted, inner, buf, look);
        None
    }

    fn on_action(&mut self, _action: Action, _cx: &mut Cx) {}
}
