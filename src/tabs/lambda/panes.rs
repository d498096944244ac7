//! Which panes there are and where they go: one at a time on a small screen, side by side on a large one.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout as Split, Margin, Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget};

use super::{Lambda, alerts, charts, config, latency, money, strip};
use crate::domain::reckoning::Room;
use crate::effects::lambda::REFRESH;
use crate::tabs::Look;
use crate::ui::panel::{notice, panel};
use crate::ui::text::{age, clean};
use crate::ui::theme::Tone;

/// Room for the latency table, frame included.
const TABLE_WIDTH: u16 = 75;
/// Room for the money pane's sentences, frame included.
const MONEY_WIDTH: u16 = 62;

/// A pane of the tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Pane {
    Latency,
    Charts,
    Config,
    Money,
    Alerts,
}

impl Pane {
    const ALL: [Pane; 5] = [
        Pane::Latency,
        Pane::Charts,
        Pane::Config,
        Pane::Money,
        Pane::Alerts,
    ];

    fn step(self, by: usize) -> Pane {
        let at = Pane::ALL.iter().position(|p| *p == self).unwrap_or(0);
        Pane::ALL[(at + by) % Pane::ALL.len()]
    }

    /// The pane after this one, in reading order.
    #[must_use]
    pub fn next(self) -> Pane {
        self.step(1)
    }

    /// The pane before this one.
    #[must_use]
    pub fn previous(self) -> Pane {
        self.step(Pane::ALL.len() - 1)
    }

    /// What the requests behind the pane's figures are called.
    pub const fn behind(self) -> &'static str {
        match self {
            Pane::Money => "cold requests",
            Pane::Alerts => "failed requests",
            Pane::Latency | Pane::Charts | Pane::Config => "slowest requests",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Pane::Latency => "Latency",
            Pane::Charts => "Over time",
            Pane::Config => "Configuration",
            Pane::Money => "Cold starts · cost · objective",
            Pane::Alerts => "Alerts",
        }
    }
}

/// Where everything goes on an area; update asks it for mouse hits, render for drawing.
pub struct Layout {
    strip: Rect,
    panes: Vec<(Pane, Rect)>,
}

impl Layout {
    /// The pane under the mouse.
    pub fn pane_at(&self, at: Position) -> Option<Pane> {
        self.panes
            .iter()
            .find(|(_, rect)| rect.contains(at))
            .map(|(pane, _)| *pane)
    }
}

/// Splits the tab's body.
pub fn layout(tab: &Lambda, area: Rect, focused: Pane) -> Layout {
    let [strip, body] = Split::vertical([
        Constraint::Length(strip::height(tab, area.width)),
        Constraint::Min(0),
    ])
    .areas(area);
    let panes = match (area.width, body.height) {
        (170.., 30..) => large(body),
        (110.., 26..) => medium(body, focused),
        _ => vec![(focused, body)],
    };
    Layout { strip, panes }
}

/// The table and the rules above; below the charts, and beside them the money or, when it is in focus, the configuration.
fn medium(body: Rect, focused: Pane) -> Vec<(Pane, Rect)> {
    let [above, below] =
        Split::vertical([Constraint::Length(latency::ROWS + 2), Constraint::Min(0)]).areas(body);
    let [table, rules] =
        Split::horizontal([Constraint::Length(TABLE_WIDTH), Constraint::Min(0)]).areas(above);
    let [chart, side] =
        Split::horizontal([Constraint::Percentage(50), Constraint::Min(0)]).areas(below);
    let beside = if focused == Pane::Config {
        Pane::Config
    } else {
        Pane::Money
    };
    vec![
        (Pane::Latency, table),
        (Pane::Alerts, rules),
        (Pane::Charts, chart),
        (beside, side),
    ]
}

fn large(body: Rect) -> Vec<(Pane, Rect)> {
    let [left, middle, right] = Split::horizontal([
        Constraint::Length(TABLE_WIDTH),
        Constraint::Min(0),
        Constraint::Length(MONEY_WIDTH),
    ])
    .areas(body);
    let [table, chart] =
        Split::vertical([Constraint::Length(latency::ROWS + 2), Constraint::Min(0)]).areas(left);
    let [money, alerts] =
        Split::vertical([Constraint::Length(money::ROWS + 2), Constraint::Min(0)]).areas(right);
    vec![
        (Pane::Latency, table),
        (Pane::Charts, chart),
        (Pane::Config, middle),
        (Pane::Money, money),
        (Pane::Alerts, alerts),
    ]
}

/// How much the charts have room for on this body, wherever the focus is.
pub fn room(tab: &Lambda, body: Rect) -> Room {
    let layout = layout(tab, body, Pane::Charts);
    let mut places = layout.panes.into_iter();
    let frame = places.find_map(|(pane, rect)| (pane == Pane::Charts).then_some(rect));
    charts::room(frame.unwrap_or_default().inner(Margin::new(1, 1)))
}

/// Draws the tab.
pub fn render(tab: &Lambda, area: Rect, buf: &mut Buffer, look: &Look) {
    let layout = layout(tab, area, tab.pane);
    strip::render(tab, layout.strip, buf, look);
    let alone = layout.panes.len() == 1;
    for (pane, rect) in layout.panes {
        let focused = alone || pane == tab.pane;
        let inner = panel(title(tab, pane, alone, look), focused, rect, buf, look);
        if let Some((text, tone)) = absent(tab, look) {
            notice(&text, tone, inner, buf, look);
            continue;
        }
        match pane {
            Pane::Latency => lines(latency::lines(tab, inner.width, look), 0, inner, buf, look),
            Pane::Charts => charts::render(tab, inner, buf, look),
            Pane::Config => {
                let full = if focused {
                    config::in_full(tab, inner.width)
                } else {
                    Vec::new()
                };
                let height = (full.len() as u16).min(inner.height / 3);
                let [list, below] =
                    Split::vertical([Constraint::Min(0), Constraint::Length(height)]).areas(inner);
                let scroll = top(tab.cursor, focused, list.height);
                lines(
                    config::lines(tab, list.width, look),
                    scroll,
                    list,
                    buf,
                    look,
                );
                let full = full
                    .into_iter()
                    .map(|text| Line::styled(text, look.theme.accent));
                Paragraph::new(full.collect::<Vec<_>>()).render(below, buf);
            }
            Pane::Money => lines(money::lines(tab, inner.width, look), 0, inner, buf, look),
            Pane::Alerts => lines(alerts::lines(tab, inner.width, look), 0, inner, buf, look),
        }
    }
}

fn title(tab: &Lambda, pane: Pane, alone: bool, look: &Look) -> String {
    let mut title = format!(" {}", pane.title());
    if alone {
        let at = Pane::ALL.iter().position(|p| *p == pane).unwrap_or(0) + 1;
        title.push_str(&format!(" {at}/{}", Pane::ALL.len()));
    }
    match pane {
        Pane::Latency => {
            title.push_str(&format!(" · {}", tab.shown().label()));
            if let Some((_, at)) = tab.overview.value() {
                let age = age(at, look.now.wall);
                let every = REFRESH.as_secs();
                title.push_str(&format!(" · read {age}, anew every {every} s"));
            }
        }
        Pane::Charts | Pane::Money => title.push_str(&format!(" · {}", tab.shown().label())),
        Pane::Config => {
            if let Some((_, at)) = tab.overview.value() {
                title.push_str(&format!(" · read {}", age(at, look.now.wall)));
            }
        }
        Pane::Alerts => title.push_str(" · local rules"),
    }
    title.push(' ');
    title
}

/// The sentence that stands for all panes while nothing is known.
fn absent(tab: &Lambda, look: &Look) -> Option<(String, Tone)> {
    if tab.overview.value().is_some() || tab.figures.as_ref().is_some_and(|f| f.held > 0) {
        return None;
    }
    Some(match tab.overview.error() {
        Some(error) => (clean(error), Tone::Bad),
        None if tab.overview.is_loading() => ("reading the function …".to_owned(), Tone::Muted),
        None => match look.env.session.error() {
            Some(error) => (clean(error), Tone::Bad),
            None => ("connecting …".to_owned(), Tone::Muted),
        },
    })
}

/// The first line shown: the cursor stays within the upper two thirds, so that what comes next is seen too.
fn top(cursor: usize, focused: bool, height: u16) -> usize {
    let above = usize::from(height) * 2 / 3;
    if focused {
        cursor.saturating_sub(above)
    } else {
        0
    }
}

fn lines(lines: Vec<Line<'_>>, scroll: usize, area: Rect, buf: &mut Buffer, look: &Look) {
    let shown = usize::from(area.height);
    let top = scroll.min(lines.len().saturating_sub(shown));
    let more = lines.len().saturating_sub(top + shown);
    Paragraph::new(lines.into_iter().skip(top).take(shown).collect::<Vec<_>>())
        .style(look.theme.text)
        .render(area, buf);
    if more > 0 && area.height > 0 {
        let mark = format!(" {more} more {} ", look.glyphs.down);
        let width = (crate::ui::text::width(&mark) as u16).min(area.width);
        let corner = Rect {
            x: area.right() - width,
            y: area.bottom() - 1,
            width,
            height: 1,
        };
        Paragraph::new(mark)
            .style(look.theme.muted)
            .render(corner, buf);
    }
}
