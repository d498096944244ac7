//! Above the lines: where what stands, and the pill that tells the truth about the tail.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::client::tail::Status;
use crate::tabs::Look;
use crate::ui::text::{clean, count, truncate, width};
use crate::ui::theme::Tone;

/// Where things are, top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// The tail's state and the views.
    pub pill: Rect,
    /// Live figures.
    pub figures: Rect,
    /// Volume and errors over time; empty on small screens.
    pub strip: Rect,
    /// Trouble with the disk; empty without.
    pub trouble: Rect,
    /// Filters and counts, or what is being typed.
    pub chips: Rect,
    /// The rest.
    pub list: Rect,
}

/// Divides the body; pure, so that drawing, page sizes and clicks agree.
pub fn areas(body: Rect, has_trouble: bool) -> Areas {
    let strip_height = if body.height >= 14 {
        if body.height >= 40 { 3 } else { 1 }
    } else {
        0
    };
    let mut y = body.y;
    let mut take = |height: u16| {
        let height = height.min(body.bottom().saturating_sub(y));
        let rect = Rect { y, height, ..body };
        y += height;
        rect
    };
    Areas {
        pill: take(1),
        figures: take(1),
        strip: take(strip_height),
        trouble: take(u16::from(has_trouble)),
        chips: take(1),
        list: take(u16::MAX),
    }
}

/// What the pill line says.
pub struct Pill<'a> {
    /// The tail's own state.
    pub status: &'a Status,
    /// Why there is no tail.
    pub ended: Option<&'a str>,
    /// The file that is read or played instead of a tail.
    pub file: Option<String>,
    /// Lines are not spooled to the disk: the row below says why.
    pub has_trouble: bool,
    /// Not following, and so many lines came meanwhile.
    pub paused: Option<usize>,
    /// The views, and which one is open.
    pub views: (&'static [&'static str], usize),
}

impl Pill<'_> {
    /// Draws the state on the left, the views on the right.
    pub fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) {
        let (mut text, mut tone) = self.text(look);
        if self.has_trouble {
            (text, tone) = (format!("NOT SPOOLED · {text}"), Tone::Bad);
        }
        let text = clean(&format!(" ● {text}"));
        let width_of = |views: &Line| usize::from(area.width).saturating_sub(views.width() + 2);
        // Where the state has room only if the open view alone is named, that is done.
        let all = self.views(false, look);
        let open = self.views(true, look);
        let fits = |views: &Line| width(&text) <= width_of(views);
        let views = if !fits(&all) && fits(&open) {
            open
        } else {
            all
        };
        let room = width_of(&views);
        views.right_aligned().render(area, buf);
        let text = truncate(&text, room, look.glyphs.ellipsis);
        Line::styled(text, look.theme.tone(tone)).render(
            Rect {
                width: room as u16,
                ..area
            },
            buf,
        );
    }

    fn views(&self, only_open: bool, look: &Look) -> Line<'static> {
        let mut spans = Vec::new();
        for (n, name) in self.views.0.iter().enumerate() {
            let is_open = n == self.views.1;
            let style = if is_open {
                look.theme.accent.patch(look.theme.selected)
            } else {
                look.theme.muted
            };
            if is_open || !only_open {
                spans.push(Span::styled(format!(" {name} "), style));
            }
        }
        Line::from(spans)
    }

    fn text(&self, look: &Look) -> (String, Tone) {
        if let Some(why) = self.ended {
            return (format!("STOPPED: {why}"), Tone::Bad);
        }
        if let Some(file) = &self.file {
            return match self.paused {
                Some(fresh) => (
                    format!("{file} · PAUSED {} {} new", look.glyphs.down, count(fresh)),
                    Tone::Warn,
                ),
                None => (file.clone(), Tone::Info),
            };
        }
        let state = self.status.pill(look.now.wall.as_millisecond());
        if self.status.is_trouble() {
            let tone = if matches!(
                self.status,
                Status::WaitingForGroup { .. } | Status::Throttled { .. }
            ) {
                Tone::Warn
            } else {
                Tone::Bad
            };
            return (state, tone);
        }
        match (self.paused, self.status) {
            (Some(fresh), _) => (
                format!("PAUSED {} {} new", look.glyphs.down, count(fresh)),
                Tone::Warn,
            ),
            (None, Status::Live(_)) => (state, Tone::Good),
            _ => (state, Tone::Muted),
        }
    }
}
