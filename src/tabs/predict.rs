//! The Predict tab.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::Env;
use crate::keys::{Action, Scope};
use crate::tabs::{Cx, Look, Offer, Tab};
use crate::ui::panel::{notice, panel};
use crate::ui::theme::Tone;

/// The Predict tab's state.
pub struct Predict {}

impl Predict {
    /// The tab as it starts.
    pub const fn new(_env: &Env) -> Self {
        Self {}
    }
}

impl Tab for Predict {
    fn title(&self) -> &'static str {
        "Predict"
    }

    fn scope(&self) -> Scope {
        Scope::Predict
    }

    fn offers(&self) -> Vec<Offer> {
        Vec::new()
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let inner = panel("Predict", true, area, buf, look);
        notice("on its way", Tone::Muted, inner, buf, look);
        None
    }

    fn on_action(&mut self, _action: Action, _cx: &mut Cx) {}
}
