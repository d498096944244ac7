//! The large pane: curve, residuals, predicted against actual, bands, importance, trials, history.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::lines::scrolled;
use super::panes::Pane;
use super::{
    Retrain, bands, champion_pane, clouds, curve, data_pane, history, importance, trials,
    verdict_pane,
};
use crate::tabs::Look;
use crate::ui::panel::{notice, panel};
use crate::ui::text::width;
use crate::ui::theme::Tone;

/// What the large pane shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Curve,
    Residuals,
    Scatter,
    Bands,
    Importance,
    Trials,
    History,
}

impl View {
    const ALL: [Self; 7] = [
        Self::Curve,
        Self::Residuals,
        Self::Scatter,
        Self::Bands,
        Self::Importance,
        Self::Trials,
        Self::History,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Curve => "curve",
            Self::Residuals => "residuals",
            Self::Scatter => "predicted/actual",
            Self::Bands => "bands",
            Self::Importance => "importance",
            Self::Trials => "trials",
            Self::History => "history",
        }
    }

    const fn short(self) -> &'static str {
        match self {
            Self::Residuals => "resid",
            Self::Scatter => "p/a",
            Self::Importance => "import",
            view => view.name(),
        }
    }

    /// Whether it is a list with a selected row.
    pub(super) const fn is_list(self) -> bool {
        matches!(self, Self::Trials | Self::History)
    }

    /// The view some steps on, round and round.
    pub(super) fn next(self, steps: i32) -> Self {
        let at = Self::ALL.iter().position(|view| *view == self).unwrap_or(0);
        Self::ALL[(at as i32 + steps).rem_euclid(Self::ALL.len() as i32) as usize]
    }

    fn label(self, pane: Rect) -> &'static str {
        if pane.width < 74 {
            self.short()
        } else {
            self.name()
        }
    }

    /// The view whose name stands at this cell of the pane's upper edge.
    pub(super) fn at(pane: Rect, at: Position) -> Option<Self> {
        if at.y != pane.y {
            return None;
        }
        let mut x = usize::from(pane.x) + 2;
        Self::ALL.into_iter().find(|view| {
            let end = x + width(view.label(pane));
            let hit = (x..end).contains(&usize::from(at.x));
            x = end + 1;
            hit
        })
    }
}

impl Retrain {
    /// Brings a view to the front; lists want the arrows.
    pub(super) fn show(&mut self, view: View) {
        self.view = view;
        self.scrolls.reset(Pane::View);
        if view.is_list() {
            self.focus = Pane::View;
        } else if self.focus == Pane::View {
            self.focus = Pane::Setup;
        }
    }

    /// The lines of a pane that is text; `None` for pictures and tables.
    pub(super) fn text(&self, pane: Pane, area: Rect, look: &Look) -> Option<Vec<Line<'static>>> {
        match (pane, self.view) {
            (Pane::Data, _) => self
                .data
                .value()
                .map(|(report, _)| data_pane::lines(report, area, look)),
            (Pane::Champion, _) => self
                .shelf()
                .map(|shelf| champion_pane::lines(shelf, area, look)),
            (Pane::Verdict, _) => Some(verdict_pane::lines(self, area, look)),
            (Pane::View, View::Bands) => {
                self.report().map(|report| bands::lines(report, area, look))
            }
            (Pane::View, View::Importance) => self
                .report()
                .map(|report| importance::lines(report, area, look)),
            (Pane::View, View::History) => history::difference_lines(self, area, look),
            _ => None,
        }
    }

    /// Where in a pane's room that text stands.
    pub(super) fn text_area(&self, pane: Pane, inner: Rect, look: &Look) -> Rect {
        if pane == Pane::View && self.view == View::History {
            history::areas(self, inner, look).1
        } else {
            inner
        }
    }
}

/// Draws the current view under the names of all; gives the cursor of an open filter.
pub(super) fn render(tab: &Retrain, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
    let focused = tab.focus == Pane::View;
    let inner = panel(names(tab.view, area, look), focused, area, buf, look);
    match (tab.view, tab.report()) {
        (View::Curve, _) => curve::render(tab, inner, buf, look),
        (View::Trials, _) => trials::render(tab, inner, area, buf, look),
        (View::History, _) => return history::render(tab, inner, area, buf, look),
        (_, None) => notice(
            "train something first: this view shows the last run on the holdout",
            Tone::Muted,
            inner,
            buf,
            look,
        ),
        (View::Residuals, Some(report)) => clouds::residuals(&report.evaluation, inner, buf, look),
        (View::Scatter, Some(report)) => clouds::scatter(&report.evaluation, inner, buf, look),
        (View::Bands | View::Importance, Some(_)) => {
            let lines = tab.text(Pane::View, inner, look).unwrap_or_default();
            scrolled(lines, tab.scrolls.of(Pane::View), inner, area, buf, look);
        }
    }
    None
}

fn names(current: View, area: Rect, look: &Look) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    for view in View::ALL {
        let style = if view == current {
            look.theme.accent
        } else {
            look.theme.muted
        };
        spans.extend([Span::styled(view.label(area), style), Span::raw(" ")]);
    }
    Line::from(spans)
}
