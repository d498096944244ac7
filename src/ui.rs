//! The frame around the tabs: header, body, footer, toasts; layout as a pure function of the size.

pub mod gauge;
pub mod panel;
pub mod slider;
pub mod text;
pub mod theme;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph, Widget, Wrap};

use crate::app::App;
use crate::remote::Remote;
use crate::tabs::{Look, Now};
use crate::ui::text::{clean, truncate, width};

/// The smallest screen on which everything works.
pub const SMALLEST: (u16, u16) = (60, 16);

/// Where things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// Two lines: where we are connected, and the tab bar.
    pub header: Rect,
    /// The active tab's.
    pub body: Rect,
    /// One line of key hints.
    pub footer: Rect,
}

/// Divides a screen; pure, so that drawing and mouse hits agree.
pub fn areas(size: Rect) -> Areas {
    let header = Rect {
        height: size.height.min(2),
        ..size
    };
    let footer_height = u16::from(size.height > 2);
    let footer = Rect {
        y: size.bottom() - footer_height,
        height: footer_height,
        ..size
    };
    let body = Rect {
        y: header.bottom(),
        height: size.height - header.height - footer_height,
        ..size
    };
    Areas {
        header,
        body,
        footer,
    }
}

/// Draws the whole app. Returns where the text cursor belongs.
pub fn render(app: &App, now: Now, area: Rect, buf: &mut Buffer) -> Option<Position> {
    if area.is_empty() {
        return None;
    }
    let look = app.look(now);
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let text = format!(
            "{}×{} needed, have {}×{}",
            SMALLEST.0, SMALLEST.1, area.width, area.height
        );
        panel::notice(&text, theme::Tone::Warn, area, buf, &look);
        return None;
    }
    let areas = areas(area);
    where_line(app, areas.header, buf, &look);
    tab_bar(app, areas.header, buf, &look);
    let mut cursor = app.tabs[app.active].render(areas.body, buf, &look);
    footer(app, areas.footer, buf, &look);
    toasts(app, areas.body, buf, &look);
    for overlay in &app.overlays {
        cursor = overlay.render(area, buf, &look);
    }
    cursor
}

/// The first line: target, account and region, function, sandbox or not; then champion and incident, which move to the
/// free end of the second line where the first is full.
fn where_line(app: &App, header: Rect, buf: &mut Buffer, look: &Look) {
    let mut line = Line::from(place(app, look));
    let mut below = Line::default();
    for fact in [reign(app, look), incident(app, look)]
        .into_iter()
        .flatten()
    {
        let fits = line.width() + fact.width() <= usize::from(header.width);
        let line = if fits { &mut line } else { &mut below };
        line.spans.push(fact);
    }
    line.render(
        Rect {
            height: 1,
            ..header
        },
        buf,
    );
    let tabs = tab_rects(app, header);
    let free = tabs.last().map_or(header.x, |tab| tab.right());
    let end = Rect {
        x: free,
        y: header.y + 1,
        width: header.right().saturating_sub(free),
        height: 1,
    };
    below.right_aligned().render(end.intersection(header), buf);
}

fn place(app: &App, look: &Look) -> Vec<Span<'static>> {
    let theme = look.theme;
    let mut spans = vec![Span::styled(" vintner ", theme.accent)];
    match &app.env.session {
        Remote::Idle => {}
        Remote::Loading { since, .. } => {
            let target = app.env.connecting.as_deref().unwrap_or_default();
            spans.push(Span::styled(
                format!(" connecting to {} {}", clean(target), look.spinner(*since)),
                theme.muted,
            ));
        }
        Remote::Failed {
            error, old: None, ..
        } => spans.push(Span::styled(
            format!(" not connected: {}", clean(error)),
            theme.bad,
        )),
        session => {
            if let Some((session, _)) = session.value() {
                if session.sandbox {
                    spans.push(Span::styled(" SANDBOX ", theme.selected.patch(theme.warn)));
                }
                let dot = format!(" {} ", look.glyphs.dot);
                let parts = [&session.target, &session.place(), &session.function];
                let facts = parts
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .map(|part| clean(part))
                    .collect::<Vec<_>>();
                spans.push(Span::raw(format!(" {}", facts.join(&dot))));
            }
        }
    }
    spans
}

/// The champion, and what the endpoint serves when that is something else.
fn reign(app: &App, look: &Look) -> Option<Span<'static>> {
    let (session, _) = app.env.session.value()?;
    let champion = session.champion.as_deref()?;
    let dot = look.glyphs.dot;
    let serves = session
        .serves
        .as_ref()
        .filter(|serves| !serves.iter().any(|version| version == champion));
    Some(match serves {
        None => Span::styled(format!(" {dot} champion {champion}"), look.theme.muted),
        Some(serves) => {
            let names = match serves.as_slice() {
                [] => "no version known here".to_owned(),
                names => names.join(" = "),
            };
            Span::styled(
                format!(" {dot} serves {names}, champion {champion}"),
                look.theme.warn,
            )
        }
    })
}

/// What is broken in the sandbox.
fn incident(app: &App, look: &Look) -> Option<Span<'static>> {
    let incident = app.env.incident?;
    Some(Span::styled(
        format!("  {} incident: {incident}", look.glyphs.warn),
        look.theme.bad,
    ))
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

/// One line of hints, as many as fit, most useful first; help always last and always there.
fn footer(app: &App, area: Rect, buf: &mut Buffer, look: &Look) {
    let help = [crate::keys::Action::Help, crate::keys::Action::Palette];
    let hint = |(scope, offer): &(crate::keys::Scope, crate::tabs::Offer)| {
        let key = look.keymap.key(*scope, offer.action);
        (!key.is_empty()).then(|| (key, offer.label.to_string(), offer.ready.is_ok()))
    };
    let offers = app.offers();
    let always: Vec<_> = offers
        .iter()
        .filter(|(_, offer)| help.contains(&offer.action))
        .filter_map(hint)
        .collect();
    let cells = |hint: &(String, String, bool)| width(&hint.0) + width(&hint.1) + 3;
    let mut room =
        usize::from(area.width).saturating_sub(1 + always.iter().map(cells).sum::<usize>());
    let mut shown: Vec<_> = offers
        .iter()
        .filter(|(_, offer)| !help.contains(&offer.action))
        .filter_map(hint)
        .take_while(|hint| {
            let fits = cells(hint) <= room;
            room = room.saturating_sub(cells(hint));
            fits
        })
        .collect();
    shown.extend(always);
    let mut spans = vec![Span::raw(" ")];
    for (key, label, ready) in shown {
        let (key_style, style) = if ready {
            (look.theme.key, look.theme.text)
        } else {
            (look.theme.muted, look.theme.muted)
        };
        spans.push(Span::styled(key, key_style));
        spans.push(Span::styled(format!(" {label}  "), style));
    }
    Line::from(spans).render(area, buf);
}

/// The newest sentences, bottom right of the body, newest lowest.
fn toasts(app: &App, body: Rect, buf: &mut Buffer, look: &Look) {
    let mut bottom = body.bottom();
    for toast in app.toasts.iter().rev() {
        let text = clean(&toast.text);
        let most = usize::from(body.width).saturating_sub(4).min(100);
        let cells = width(&text).min(most) as u16 + 2;
        let height = (width(&text).div_ceil(most.max(1)) as u16).clamp(1, 4);
        if bottom < body.y + height {
            return;
        }
        bottom -= height;
        let rect = Rect {
            x: body.right().saturating_sub(cells + 1),
            y: bottom,
            width: cells,
            height,
        };
        Clear.render(rect, buf);
        buf.set_style(rect, look.theme.selected.patch(look.theme.tone(toast.tone)));
        let inner = Rect {
            x: rect.x + 1,
            width: rect.width.saturating_sub(2),
            ..rect
        };
        let text = truncate(&text, most * 4, look.glyphs.ellipsis);
        Paragraph::new(text)
            .wrap(Wrap { trim: true })
            .render(inner, buf);
    }
}
