//! `?`: every key that works here, from the same offers as the footer.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::{Overlay, Verdict, centred};
use crate::app::App;
use crate::keys::{Action, Keymap, Scope};
use crate::tabs::{Cx, Look, Offer};
use crate::ui::panel::panel;
use crate::ui::text::{fit, width};

/// The keys of the active tab and those that work everywhere.
pub struct Help {
    title: &'static str,
    rows: Vec<Row>,
    top: usize,
}

enum Row {
    Heading(&'static str),
    Key {
        keys: String,
        label: String,
        why_not: Option<String>,
    },
}

impl Help {
    /// The help for the tab that is open now.
    pub fn new(app: &App) -> Self {
        let tab = &app.tabs[app.active];
        let mut rows = vec![Row::Heading(tab.title())];
        rows.extend(
            tab.offers()
                .iter()
                .map(|offer| row(&app.keymap, tab.scope(), offer)),
        );
        rows.push(Row::Heading("Everywhere"));
        rows.push(Row::Key {
            keys: format!("1–{}", app.tabs.len()),
            label: "go to the tab".into(),
            why_not: None,
        });
        rows.extend(
            crate::app::global_offers()
                .iter()
                .map(|offer| row(&app.keymap, Scope::Global, offer)),
        );
        rows.extend(MOVES.iter().map(|action| {
            let keys = app.keymap.keys(Scope::Global, *action).join(" ");
            Row::Key {
                keys,
                label: action.about().into(),
                why_not: None,
            }
        }));
        Self {
            title: tab.title(),
            rows,
            top: 0,
        }
    }
}

/// Moving about: not worth a footer hint, but worth a line of help.
const MOVES: [Action; 12] = [
    Action::Up,
    Action::Down,
    Action::Left,
    Action::Right,
    Action::Top,
    Action::Bottom,
    Action::PageUp,
    Action::PageDown,
    Action::NextField,
    Action::PreviousField,
    Action::Back,
    Action::ForceQuit,
];

fn row(keymap: &Keymap, scope: Scope, offer: &Offer) -> Row {
    Row::Key {
        keys: keymap.keys(scope, offer.action).join(" "),
        label: offer.label.to_string(),
        why_not: offer.ready.as_ref().err().map(ToString::to_string),
    }
}

impl Overlay for Help {
    fn on_key(&mut self, _key: KeyEvent, action: Option<Action>, _cx: &mut Cx) -> Verdict {
        let last = self.rows.len().saturating_sub(1);
        match action {
            Some(Action::Down) => self.top = (self.top + 1).min(last),
            Some(Action::Up) => self.top = self.top.saturating_sub(1),
            Some(Action::PageDown) => self.top = (self.top + 10).min(last),
            Some(Action::PageUp) => self.top = self.top.saturating_sub(10),
            Some(Action::Back | Action::Help | Action::Quit | Action::Submit) => {
                return Verdict::Close;
            }
            _ => {}
        }
        Verdict::Stay
    }

    fn on_scroll(&mut self, lines: i32) {
        self.top = self
            .top
            .saturating_add_signed(lines as isize)
            .min(self.rows.len().saturating_sub(1));
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let height = self.rows.len() as u16 + 2;
        let rect = centred(64, height.min(area.height.saturating_sub(2)), area, buf);
        let inner = panel(format!(" Keys · {} ", self.title), true, rect, buf, look);
        let column = self.rows.iter().map(|row| match row {
            Row::Key { keys, .. } => width(keys),
            Row::Heading(_) => 0,
        });
        let column = column.max().unwrap_or(0).min(18);
        let shown = usize::from(inner.height);
        let top = self.top.min(self.rows.len().saturating_sub(shown));
        let lines: Vec<Line> = self.rows[top..]
            .iter()
            .take(shown)
            .map(|row| row.line(column, look))
            .collect();
        Paragraph::new(lines).render(inner, buf);
        None
    }
}

impl Row {
    fn line(&self, column: usize, look: &Look) -> Line<'_> {
        match self {
            Self::Heading(text) => Line::styled(format!(" {text}"), look.theme.title),
            Self::Key {
                keys,
                label,
                why_not,
            } => {
                let key = Span::styled(
                    format!("   {}  ", fit(keys, column, look.glyphs.ellipsis)),
                    look.theme.key,
                );
                match why_not {
                    None => Line::from(vec![key, Span::raw(label.as_str())]),
                    Some(why) => Line::from(vec![
                        key.style(look.theme.muted),
                        Span::styled(format!("{label} – {why}"), look.theme.muted),
                    ]),
                }
            }
        }
    }
}
