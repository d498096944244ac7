//! `?`: every key that works here, from the same offers as the footer.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use super::{Overlay, Verdict, inside, list, middle};
use crate::app::App;
use crate::keys::{Action, Keymap, Scope};
use crate::tabs::{Cx, Look, Offer};
use crate::ui::list::Rows;
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
    Key(Key),
}

/// A key, its short name in the footer, and what it does, or why it does not now.
struct Key {
    keys: String,
    label: String,
    about: String,
    ready: bool,
}

impl Help {
    /// The help for the tab that is open now.
    pub fn new(app: &App) -> Self {
        let tab = &app.tabs[app.active];
        let mut rows = vec![Row::Heading(tab.title())];
        let own = tab.offers();
        rows.extend(own.iter().map(|offer| row(&app.keymap, tab.scope(), offer)));
        rows.push(Row::Heading("Everywhere"));
        rows.push(Row::Key(Key {
            keys: format!("1–{}", app.tabs.len()),
            label: "tab".into(),
            about: "go to the tab of this number".into(),
            ready: true,
        }));
        let global = crate::app::global_offers();
        rows.extend(
            global
                .iter()
                .map(|offer| row(&app.keymap, Scope::Global, offer)),
        );
        rows.push(Row::Heading("Moving about"));
        rows.extend(MOVES.iter().map(|action| {
            let offer = Offer::new(*action, action.name());
            row(&app.keymap, Scope::Global, &offer)
        }));
        Self {
            title: tab.title(),
            rows,
            top: 0,
        }
    }

    fn frame(&self, area: Rect) -> Rect {
        let height = (self.rows.len() as u16 + 2).min(area.height.saturating_sub(2));
        middle(88.min(area.width.saturating_sub(4)), height, area)
    }

    fn rows(&self, area: Rect) -> Rows {
        let area = inside(self.frame(area));
        let len = self.rows.len();
        let top = self.top.min(len.saturating_sub(usize::from(area.height)));
        Rows { area, top, len }
    }

    fn scroll(&mut self, by: isize, screen: Rect) {
        let rows = self.rows(screen);
        self.top = rows.top.saturating_add_signed(by);
        self.top = self.rows(screen).top;
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
    let (ready, about) = match &offer.ready {
        Ok(()) => (true, offer.about.to_owned()),
        Err(why) => (false, format!("not now: {why}")),
    };
    Row::Key(Key {
        keys: keymap.keys(scope, offer.action).join(" "),
        label: offer.label.to_string(),
        about,
        ready,
    })
}

impl Overlay for Help {
    fn on_key(&mut self, _key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        if let Some(Action::Back | Action::Help | Action::Quit | Action::Submit) = action {
            return Verdict::Close;
        }
        let page = self.rows(cx.screen).area.height;
        let by = list::rows(action, page).unwrap_or(0);
        self.scroll(by, cx.screen);
        Verdict::Stay
    }

    fn on_click(&mut self, at: Position, cx: &mut Cx) -> Verdict {
        if self.frame(cx.screen).contains(at) {
            Verdict::Stay
        } else {
            Verdict::Close
        }
    }

    fn on_scroll(&mut self, lines: i32, cx: &mut Cx) {
        self.scroll(lines as isize, cx.screen);
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let frame = self.frame(area);
        Clear.render(frame, buf);
        panel(format!(" Keys · {} ", self.title), true, frame, buf, look);
        let columns = Columns::of(&self.rows);
        let rows = self.rows(area);
        for (row, line) in rows.shown() {
            self.rows[row]
                .line(&columns, line.width, look)
                .render(line, buf);
        }
        rows.sign(frame, buf, look);
        None
    }
}

/// How wide keys and names are, at most.
struct Columns {
    keys: usize,
    label: usize,
}

impl Columns {
    fn of(rows: &[Row]) -> Self {
        let keys = || {
            rows.iter().filter_map(|row| match row {
                Row::Heading(_) => None,
                Row::Key(key) => Some(key),
            })
        };
        let widest = |text: fn(&Key) -> &str| keys().map(|key| width(text(key))).max().unwrap_or(0);
        Self {
            keys: widest(|key| &key.keys).min(14),
            label: widest(|key| &key.label).min(20),
        }
    }
}

impl Row {
    fn line(&self, columns: &Columns, cells: u16, look: &Look) -> Line<'_> {
        let key = match self {
            Self::Heading(text) => return Line::styled(format!(" {text}"), look.theme.title),
            Self::Key(key) => key,
        };
        let ellipsis = look.glyphs.ellipsis;
        let (key_style, label_style) = if key.ready {
            (look.theme.key, look.theme.text)
        } else {
            (look.theme.muted, look.theme.muted)
        };
        let rest = usize::from(cells).saturating_sub(columns.keys + columns.label + 7);
        Line::from(vec![
            Span::styled(
                format!("   {}  ", fit(&key.keys, columns.keys, ellipsis)),
                key_style,
            ),
            Span::styled(
                format!("{}  ", fit(&key.label, columns.label, ellipsis)),
                label_style,
            ),
            Span::styled(fit(&key.about, rest, ellipsis), label_style),
        ])
    }
}
