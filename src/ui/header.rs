//! The first two lines: where we are connected, and the tabs; what does not fit grows shorter, least important first.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::app::App;
use crate::client::link::Session;
use crate::config::SANDBOX;
use crate::domain::arn::FunctionName;
use crate::remote::Remote;
use crate::tabs::Look;
use crate::ui::text::{clean, truncate, width};

/// A fact shortened to fewer cells than this says nothing.
const LEAST: usize = 6;

/// Something to say, in words that grow shorter.
struct Fact {
    forms: Vec<String>,
    style: Style,
}

impl Fact {
    fn new(style: Style, forms: impl IntoIterator<Item = String>) -> Self {
        let forms = forms.into_iter().collect();
        Self { forms, style }
    }
}

/// One of the two lines, with the cells that are still free.
struct Room<'a> {
    spans: Vec<Span<'a>>,
    free: usize,
    gap: String,
}

impl Room<'_> {
    fn push(&mut self, text: String, style: Style) {
        let gap = if self.spans.is_empty() {
            String::new()
        } else {
            self.gap.clone()
        };
        self.free = self.free.saturating_sub(width(&text) + width(&gap));
        self.spans.push(Span::raw(gap));
        self.spans.push(Span::styled(text, style));
    }

    /// Cells that a text may take.
    fn room(&self) -> usize {
        let gap = if self.spans.is_empty() {
            0
        } else {
            width(&self.gap)
        };
        self.free.saturating_sub(gap)
    }
}

/// Draws both lines.
pub fn render(app: &App, header: Rect, buf: &mut Buffer, look: &Look) {
    tab_bar(app, header, buf, look);
    let cells = usize::from(header.width).saturating_sub(2);
    let gap = format!(" {} ", look.glyphs.dot);
    let tabs = tab_rects(app, header);
    let end = tabs.last().map_or(header.x, |tab| tab.right());
    let free = Rect {
        x: end + 2,
        y: header.y + 1,
        width: header.right().saturating_sub(end + 3),
        height: 1,
    };
    let mut second = Room {
        spans: Vec::new(),
        free: usize::from(free.width),
        gap: gap.clone(),
    };
    let mut first = Room {
        spans: Vec::new(),
        free: cells,
        gap,
    };
    let mark = mark(app, look);
    let facts = facts(app, look);
    let least: usize = facts.iter().map(|fact| width(&fact.forms[0]) + 3).sum();
    let brand = width("vintner  ");
    let mark_cells = mark.as_ref().map_or(0, |mark| mark.width() + 1);
    let whole = brand + mark_cells + least.saturating_sub(3) <= cells;
    let mut start = if whole || facts.len() < 2 {
        first.free = first.free.saturating_sub(brand);
        vec![Span::styled(" vintner ", look.theme.accent), Span::raw(" ")]
    } else {
        vec![Span::raw(" ")]
    };
    if let Some(mark) = mark {
        first.free = first.free.saturating_sub(mark_cells);
        start.extend([mark, Span::raw(" ")]);
    }
    let last = facts.len().saturating_sub(1);
    for (i, fact) in facts.into_iter().enumerate() {
        let form = fitting(&fact, first.room(), look);
        if i == last || form.is_some() {
            first.push(form.unwrap_or_default(), fact.style);
        }
    }
    for fact in [incident(app, look), reign(app, look)]
        .into_iter()
        .flatten()
    {
        place(&fact, [&mut first, &mut second], look);
    }
    start.extend(first.spans);
    Line::from(start).render(
        Rect {
            height: 1,
            ..header
        },
        buf,
    );
    let line = Line::from(second.spans).right_aligned();
    line.render(free.intersection(header), buf);
}

/// The longest form that fits somewhere, on the first line rather than the second; else the shortest, cut with a sign.
fn place(fact: &Fact, mut rooms: [&mut Room; 2], look: &Look) {
    for form in &fact.forms {
        for room in &mut rooms {
            if width(form) <= room.room() {
                room.push(form.clone(), fact.style);
                return;
            }
        }
    }
    let [first, second] = rooms;
    let room = if first.room() > second.room() {
        first
    } else {
        second
    };
    if let Some(cut) = fitting(fact, room.room(), look) {
        room.push(cut, fact.style);
    }
}

/// The longest form of at most `cells` cells, else the shortest one cut with an ellipsis, if anything of it can be read.
fn fitting(fact: &Fact, cells: usize, look: &Look) -> Option<String> {
    let whole = fact.forms.iter().find(|form| width(form) <= cells);
    whole.cloned().or_else(|| {
        let shortest = fact.forms.last().filter(|_| cells >= LEAST)?;
        Some(truncate(shortest, cells, look.glyphs.ellipsis))
    })
}

/// The sign that nothing here is real.
fn mark(app: &App, look: &Look) -> Option<Span<'static>> {
    let (session, _) = shown(app)?;
    let style = look.theme.selected.patch(look.theme.warn);
    session.sandbox.then(|| Span::styled(" SANDBOX ", style))
}

/// The session in the header: the connected one, unless another is on its way.
fn shown(app: &App) -> Option<(&Session, jiff::Timestamp)> {
    match &app.env.session {
        Remote::Idle | Remote::Loading { .. } | Remote::Failed { old: None, .. } => None,
        session => session.value(),
    }
}

/// Target, account and region, function; or where a connection is going, or why there is none.
fn facts(app: &App, look: &Look) -> Vec<Fact> {
    let theme = look.theme;
    match &app.env.session {
        Remote::Idle => Vec::new(),
        Remote::Loading { since, .. } => {
            let target = clean(app.env.connecting.as_deref().unwrap_or_default());
            let text = format!("connecting to {target} {}", look.spinner(*since));
            vec![Fact::new(theme.muted, [text])]
        }
        Remote::Failed {
            error, old: None, ..
        } => {
            let text = format!("not connected: {}", clean(error));
            vec![Fact::new(theme.bad, [text])]
        }
        session => session
            .value()
            .map_or_else(Vec::new, |(session, _)| whereabouts(session, look)),
    }
}

fn whereabouts(session: &Session, look: &Look) -> Vec<Fact> {
    let text = look.theme.text;
    let mut facts = Vec::new();
    // The mark already names the sandbox.
    if session.target != SANDBOX || !session.sandbox {
        let name = match &session.profile {
            Some(profile) => format!("{} as {profile}", session.target),
            None => session.target.clone(),
        };
        facts.push(Fact::new(text, [clean(&name)]));
    }
    let place = session.place();
    if !place.is_empty() {
        facts.push(Fact::new(text, [clean(&place)]));
    }
    if !session.function.is_empty() {
        let name = FunctionName::of(&session.function);
        let qualified = match name.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", name.name),
            None => name.name.to_owned(),
        };
        facts.push(Fact::new(text, [clean(&qualified)]));
    } else if !session.endpoint.is_empty() {
        facts.push(Fact::new(text, [clean(&session.endpoint)]));
    }
    facts.retain(|fact| fact.forms.iter().any(|form| !form.is_empty()));
    facts
}

/// The champion, and what the endpoint serves when that is something else.
fn reign(app: &App, look: &Look) -> Option<Fact> {
    let (session, _) = shown(app)?;
    let champion = session.champion.as_deref()?;
    let serves = session
        .serves
        .as_ref()
        .filter(|serves| !serves.iter().any(|version| version == champion));
    Some(match serves {
        None => Fact::new(
            look.theme.muted,
            [format!("champion {champion}"), champion.to_owned()],
        ),
        Some(serves) => {
            let names = match serves.as_slice() {
                [] => "no version known here".to_owned(),
                names => names.join(" = "),
            };
            let forms = [
                format!("serves {names}, champion {champion}"),
                format!("serves {names}, not {champion}"),
                format!("serves not {champion}"),
            ];
            Fact::new(look.theme.warn, forms)
        }
    })
}

/// What is broken in the sandbox.
fn incident(app: &App, look: &Look) -> Option<Fact> {
    let incident = app.env.incident?;
    let warn = look.glyphs.warn;
    let forms = [
        format!("{warn} incident: {incident}"),
        format!("{warn} {incident}"),
    ];
    Some(Fact::new(look.theme.bad, forms))
}

/// The second line: the tabs with their number keys and badges.
fn tab_bar(app: &App, header: Rect, buf: &mut Buffer, look: &Look) {
    for (index, rect) in tab_rects(app, header).into_iter().enumerate() {
        let style = if index == app.active {
            look.theme.selected.patch(look.theme.accent)
        } else {
            look.theme.text
        };
        Line::styled(tab_label(app, index), style).render(rect, buf);
        if let Some((_, tone)) = app.tabs[index].badge().filter(|_| index != app.active) {
            buf.set_style(rect, look.theme.tone(tone));
        }
    }
}

fn tab_label(app: &App, index: usize) -> String {
    let badge = app.tabs[index]
        .badge()
        .map_or_else(String::new, |(text, _)| format!(" {text}"));
    format!(" {} {}{badge} ", index + 1, app.tabs[index].title())
}

fn tab_rects(app: &App, header: Rect) -> Vec<Rect> {
    let mut x = header.x + 1;
    (0..app.tabs.len())
        .map(|index| {
            let cells =
                (width(&tab_label(app, index)) as u16).min(header.right().saturating_sub(x));
            let rect = Rect {
                x,
                y: header.y + 1,
                width: cells,
                height: 1,
            };
            x = rect.right() + 1;
            rect.intersection(header)
        })
        .collect()
}

/// Which tab a click in the header hits.
pub fn tab_at(app: &App, header: Rect, at: Position) -> Option<usize> {
    tab_rects(app, header)
        .into_iter()
        .position(|rect| rect.contains(at))
}
