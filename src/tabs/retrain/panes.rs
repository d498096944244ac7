//! Where the panes are, which one hears the arrows, and how far each is scrolled.

use ratatui::layout::{Constraint, Layout, Position, Rect};

use super::views::View;
use super::{Retrain, history};
use crate::keys::{Action, Keymap};
use crate::tabs::{Cx, Look};
use crate::ui::theme::{Glyphs, Theme, ThemeName};

/// A pane that can be in focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Pane {
    #[default]
    Setup,
    View,
    Verdict,
    Data,
    Champion,
}

impl Pane {
    const ALL: [Self; 5] = [
        Self::Setup,
        Self::View,
        Self::Verdict,
        Self::Data,
        Self::Champion,
    ];

    pub(super) const fn next(self) -> Self {
        match self {
            Self::Setup => Self::View,
            Self::View => Self::Verdict,
            Self::Verdict => Self::Data,
            Self::Data => Self::Champion,
            Self::Champion => Self::Setup,
        }
    }
}

/// Lines scrolled away at the top of each pane.
#[derive(Debug, Default)]
pub(super) struct Scrolls([usize; Pane::ALL.len()]);

impl Scrolls {
    pub(super) const fn of(&self, pane: Pane) -> usize {
        self.0[pane as usize]
    }

    pub(super) const fn reset(&mut self, pane: Pane) {
        self.0[pane as usize] = 0;
    }
}

/// Where the panes are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Panes {
    pub(super) setup: Rect,
    pub(super) data: Rect,
    pub(super) champion: Rect,
    pub(super) view: Rect,
    pub(super) progress: Rect,
    pub(super) verdict: Rect,
}

impl Panes {
    pub(super) fn of(area: Rect, fields: u16) -> Self {
        let side = (area.width * 3 / 10).clamp(30, 46);
        let [left, right] =
            Layout::horizontal([Constraint::Length(side), Constraint::Fill(1)]).areas(area);
        let (data, progress, verdict) = match area.height {
            48.. => (22, 5, 14),
            28.. => (10, 5, 12),
            _ => (5, 4, 7),
        };
        let setup = (fields + 2).min(area.height.saturating_sub(10).max(4));
        let [setup, data, champion] = Layout::vertical([
            Constraint::Length(setup),
            Constraint::Length(data),
            Constraint::Fill(1),
        ])
        .areas(left);
        let [view, progress, verdict] = Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length(progress),
            Constraint::Length(verdict),
        ])
        .areas(right);
        Self {
            setup,
            data,
            champion,
            view,
            progress,
            verdict,
        }
    }

    const fn rect(&self, pane: Pane) -> Rect {
        match pane {
            Pane::Setup => self.setup,
            Pane::View => self.view,
            Pane::Verdict => self.verdict,
            Pane::Data => self.data,
            Pane::Champion => self.champion,
        }
    }

    /// The pane under a cell.
    pub(super) fn at(&self, at: Position) -> Option<Pane> {
        Pane::ALL
            .into_iter()
            .find(|pane| self.rect(*pane).contains(at))
    }
}

/// The room inside a frame.
pub(super) const fn inside(frame: Rect) -> Rect {
    Rect {
        x: frame.x + 1,
        y: frame.y + 1,
        width: frame.width.saturating_sub(2),
        height: frame.height.saturating_sub(2),
    }
}

impl Retrain {
    /// Where the panes are in this body.
    pub(super) fn panes(&self, body: Rect) -> Panes {
        Panes::of(body, self.setup.fields().len() as u16)
    }

    /// Up, down, a page, to either end: in the pane that has the focus.
    pub(super) fn travel(&mut self, action: Action, cx: &Cx) {
        let far = isize::MAX / 2;
        let pages = matches!(action, Action::PageUp | Action::PageDown);
        // The setup has no pages, but what it is the setup of may have.
        let pane = match self.focus {
            Pane::Setup if pages => Pane::View,
            pane => pane,
        };
        let page = isize::from(inside(self.panes(cx.body).rect(pane)).height as i16 - 1).max(1);
        let by = match action {
            Action::Up => -1,
            Action::Down => 1,
            Action::Top => -far,
            Action::Bottom => far,
            Action::PageUp => -page,
            Action::PageDown => page,
            _ => return,
        };
        let rows = !(pages && self.view == View::History && self.history.only_differences);
        self.move_in(pane, by, rows, cx);
    }

    /// Moves the selected row of a pane that has one, or its text.
    pub(super) fn move_in(&mut self, pane: Pane, by: isize, rows: bool, cx: &Cx) {
        match (pane, self.view) {
            (Pane::Setup, _) => {
                self.setup.move_focus(by);
                self.setup.typing = true;
            }
            (Pane::View, View::History) if rows => {
                let count = self
                    .shelf
                    .value()
                    .map_or(0, |(shelf, _)| self.history.count(shelf));
                self.history.move_by(by, count);
                self.scrolls.reset(Pane::View);
            }
            (Pane::View, View::Trials) => self.trials.move_by(by),
            _ => self.scroll(pane, by, cx),
        }
    }

    /// Selects the row of a list that is clicked.
    pub(super) fn click_list(&mut self, at: Position, cx: &Cx) {
        let inner = inside(self.panes(cx.body).view);
        match self.view {
            View::Trials => self.trials.click(inner, at),
            View::History => {
                let (table, ..) = with_look(cx, |look| history::areas(self, inner, look));
                let shelf = self.shelf.value();
                let count = shelf.map_or(0, |(shelf, _)| self.history.count(shelf));
                self.history.click(table, at, count);
                self.scrolls.reset(Pane::View);
            }
            _ => {}
        }
    }

    fn scroll(&mut self, pane: Pane, by: isize, cx: &Cx) {
        let frame = self.panes(cx.body).rect(pane);
        let (count, rows) = with_look(cx, |look| {
            let inner = self.text_area(pane, inside(frame), look);
            let lines = self.text(pane, inner, look);
            (lines.map_or(0, |lines| lines.len()), inner.height)
        });
        let most = count.saturating_sub(usize::from(rows));
        let offset = &mut self.scrolls.0[pane as usize];
        *offset = (*offset).min(most).saturating_add_signed(by).min(most);
    }
}

/// How many lines there are depends on the width alone, not on colours or keys.
fn with_look<T>(cx: &Cx, of: impl FnOnce(&Look) -> T) -> T {
    let theme = Theme::named(ThemeName::Mono);
    let keymap = Keymap::default();
    of(&Look {
        theme: &theme,
        glyphs: &Glyphs::UTF8,
        keymap: &keymap,
        now: cx.now,
        env: cx.env,
    })
}
