//! The last line: what the keys do here, or for a while what just happened.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use crate::app::App;
use crate::keys::{Action, Scope};
use crate::tabs::{Look, Offer};
use crate::ui::text::{clean, width, wrap};

/// Hints that are always there.
const ALWAYS: [Action; 2] = [Action::Help, Action::Palette];
/// A sentence may take so many lines, the last one the footer's.
const MOST: usize = 3;

/// A key, what it does, and where it says so.
struct Hint {
    key: String,
    label: String,
    ready: bool,
    action: Action,
    place: Rect,
}

impl Hint {
    fn cells(&self) -> usize {
        width(&self.key) + width(&self.label) + 3
    }
}

/// As many hints as fit, most useful first; help and palette last and always there, but while a text is typed.
fn hints(app: &App, area: Rect) -> Vec<Hint> {
    let hint = |(scope, offer): &(Scope, Offer)| {
        let key = app.keymap.key(*scope, offer.action);
        (!key.is_empty()).then(|| Hint {
            key,
            label: offer.label.to_string(),
            ready: offer.ready.is_ok(),
            action: offer.action,
            place: area,
        })
    };
    let is_typing = app.tabs[app.active].is_typing();
    let offers = app.offers();
    let (always, others): (Vec<_>, Vec<_>) = offers
        .iter()
        .filter(|(scope, _)| !(is_typing && *scope == Scope::Global))
        .filter_map(hint)
        .partition(|hint| ALWAYS.contains(&hint.action));
    let mut room =
        usize::from(area.width).saturating_sub(1 + always.iter().map(Hint::cells).sum::<usize>());
    let fits = |hint: &Hint| {
        let fits = hint.cells() <= room;
        room = room.saturating_sub(hint.cells());
        fits
    };
    let mut hints: Vec<Hint> = others.into_iter().take_while(fits).collect();
    hints.extend(always);
    let mut x = area.x + 1;
    for hint in &mut hints {
        let cells = hint.cells() as u16;
        hint.place = Rect {
            x,
            width: cells - 2,
            height: 1,
            ..area
        }
        .intersection(area);
        x += cells;
    }
    hints
}

/// The hint at a place on the screen.
pub fn action_at(app: &App, area: Rect, at: Position) -> Option<Action> {
    let hints = hints(app, area);
    hints
        .iter()
        .find(|hint| hint.place.contains(at))
        .map(|hint| hint.action)
}

/// Draws the hints.
pub fn render(app: &App, area: Rect, buf: &mut Buffer, look: &Look) {
    for hint in hints(app, area) {
        let (key, label) = if hint.ready {
            (look.theme.key, look.theme.text)
        } else {
            (look.theme.muted, look.theme.muted)
        };
        let spans = [
            Span::styled(hint.key, key),
            Span::styled(format!(" {}  ", hint.label), label),
        ];
        let place = Rect {
            width: hint.place.width + 2,
            ..hint.place
        };
        Line::from_iter(spans).render(place.intersection(area), buf);
    }
}

/// Draws the newest sentence over the hints, with the number of those behind it. A long one grows upwards by at most two
/// lines; where `on_top` of it something else is being read it keeps to one.
pub fn toast(app: &App, area: Rect, on_top: bool, buf: &mut Buffer, look: &Look) {
    let Some(toast) = app.toasts.last() else {
        return;
    };
    let behind = match app.toasts.len() - 1 {
        0 => String::new(),
        n => format!(" +{n} "),
    };
    let close = if toast.stays() {
        format!(" {} ", look.keymap.key(Scope::Global, Action::Back))
    } else {
        String::new()
    };
    let end = width(&behind) + width(&close);
    let most = if on_top { 1 } else { MOST };
    let lines = wrap(
        &clean(&toast.text),
        usize::from(area.width).saturating_sub(2 + end),
    );
    let height = lines.len().min(most).min(usize::from(area.y) + 1) as u16;
    let rect = Rect {
        y: area.bottom() - height,
        height,
        ..area
    };
    Clear.render(rect, buf);
    buf.set_style(rect, look.theme.selected.patch(look.theme.tone(toast.tone)));
    for (line, y) in lines.iter().zip(rect.y..rect.bottom()) {
        let last = y + 1 == rect.bottom() && lines.len() > usize::from(height);
        let sign = if last { look.glyphs.ellipsis } else { "" };
        buf.set_string(
            rect.x + 1,
            y,
            format!("{}{sign}", line.trim_end()),
            ratatui::style::Style::new(),
        );
        if let Some(link) = toast.link.as_ref().filter(|_| !look.glyphs.ascii) {
            let cells = width(line.trim_end()) as u16;
            let text = Rect::new(rect.x + 1, y, cells, 1);
            link.mark(text.intersection(rect), buf);
        }
    }
    let x = rect.right().saturating_sub(end as u16);
    buf.set_string(
        x,
        rect.bottom() - 1,
        format!("{behind}{close}"),
        ratatui::style::Style::new(),
    );
}
