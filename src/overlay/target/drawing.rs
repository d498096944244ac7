//! How the lists of targets, profiles, regions and functions are laid out and drawn.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::super::{inside, middle};
use super::choices::Choice;
use super::{PANES, Pane, TargetPicker};
use crate::keys::{Action, Scope};
use crate::remote::Remote;
use crate::tabs::Look;
use crate::ui::hints::hints;
use crate::ui::list::Rows;
use crate::ui::panel::notice;
use crate::ui::text::{age, clean, count, fit, width};
use crate::ui::theme::Tone;

impl TargetPicker {
    pub(super) fn rows_area(&self, area: Rect) -> Rect {
        let inner = inside(frame(area));
        let rows = Rect {
            y: inner.y + 2,
            height: inner.height.saturating_sub(5),
            ..inner
        };
        let (above, _) = self.divided(rows);
        above
    }

    /// The rows' room, and below it that of a failure.
    fn divided(&self, rows: Rect) -> (Rect, Rect) {
        let Some(error) = self.error() else {
            return (
                rows,
                Rect {
                    y: rows.bottom(),
                    height: 0,
                    ..rows
                },
            );
        };
        let lines = width(error).div_ceil(usize::from(rows.width).saturating_sub(8).max(1));
        let below = (lines as u16 + 1).min(rows.height.saturating_sub(1));
        let above = rows.height - below;
        let failure = Rect {
            y: rows.y + above + 1,
            height: below.saturating_sub(1),
            ..rows
        };
        (
            Rect {
                height: above,
                ..rows
            },
            failure,
        )
    }

    pub(super) fn rows(&self, choices: &[Choice], area: Rect) -> Rows {
        Rows::around(self.selected(choices), choices.len(), self.rows_area(area))
    }

    pub(super) fn list_pane(&self, area: Rect, buf: &mut Buffer, look: &Look) {
        let choices = match self.choices(self.pane(), &look.env.settings) {
            Ok(choices) => choices,
            Err(why) => return notice(why, Tone::Muted, self.rows_area(area), buf, look),
        };
        let rows = self.rows(&choices, area);
        let column = choices.iter().map(|choice| width(&choice.label)).max();
        rows.draw(self.selected(&choices), buf, look, |row, cells| {
            self.row(&choices[row], column.unwrap_or(0), cells, look)
        });
        rows.sign(frame(area), buf, look);
        if let Some(error) = self.error() {
            let whole = Rect {
                height: inside(frame(area)).height.saturating_sub(5),
                ..rows.area
            };
            let (_, failure) = self.divided(whole);
            Paragraph::new(format!(" {}", clean(error)))
                .style(look.theme.bad)
                .wrap(Wrap { trim: true })
                .render(failure, buf);
        }
    }

    /// The label in at most this many cells, and what is known of it in the rest.
    fn row(&self, choice: &Choice, label: usize, cells: u16, look: &Look) -> Line<'static> {
        let here = self.pane() == Pane::Target && choice.label == clean(&self.current);
        let sign = if here { look.glyphs.dot } else { " " };
        let label = label.min(usize::from(cells) * 3 / 5);
        let rest = usize::from(cells).saturating_sub(label + 6);
        let ellipsis = look.glyphs.ellipsis;
        Line::from(vec![
            Span::styled(
                format!(" {sign} {}  ", fit(&choice.label, label, ellipsis)),
                look.theme.text,
            ),
            Span::styled(fit(&choice.detail, rest, ellipsis), look.theme.muted),
        ])
    }

    /// How current the list in view is.
    pub(super) fn state(&self, look: &Look) -> String {
        let (noun, state, n) = match self.pane() {
            Pane::Target => return "from the configuration ".to_owned(),
            Pane::Region => return "of AWS ".to_owned(),
            Pane::Profile => (
                "profiles",
                told(&self.profiles),
                self.profiles.value().map(|(found, _)| found.len()),
            ),
            Pane::Function => (
                "functions",
                told(self.listed()),
                self.listed().value().map(|(found, _)| found.len()),
            ),
        };
        match (state, n) {
            (Told::Loading(since), _) => format!("asking for {noun} {} ", look.spinner(since)),
            (Told::Failed(at), _) => format!("failed {} ", age(at, look.now.wall)),
            (Told::Ready(at), Some(n)) => {
                format!("{} {noun}, {} ", count(n), age(at, look.now.wall))
            }
            _ => String::new(),
        }
    }

    /// What Enter will do, and the keys.
    pub(super) fn foot(&self, inner: Rect, buf: &mut Buffer, look: &Look) {
        let line = |up: u16| Rect {
            y: inner.bottom().saturating_sub(up),
            height: 1,
            ..inner
        };
        let cells = usize::from(inner.width).saturating_sub(2);
        let text = fit(&self.summary(look), cells, look.glyphs.ellipsis);
        Line::styled(format!(" {text}"), look.theme.accent)
            .render(line(2).intersection(inner), buf);
        let mut keys: Vec<(&[Action], &str)> = vec![
            (&[Action::Submit], "connect"),
            (&[Action::NextField], "next list"),
            (&[Action::Refresh], "again"),
            (&[Action::Back], "leave"),
        ];
        if self.remedy().is_some() {
            keys.insert(1, (&[Action::Copy], "copy the command"));
        }
        hints(Scope::Global, &keys, look).render(line(1).intersection(inner), buf);
    }

    fn summary(&self, look: &Look) -> String {
        let dot = look.glyphs.dot;
        let wanted = &self.wanted;
        let chosen = [&wanted.profile, &wanted.region, &wanted.function];
        let chosen = chosen.into_iter().flatten().map(|text| clean(text));
        let parts: Vec<String> = [clean(&wanted.target)].into_iter().chain(chosen).collect();
        let settings = &look.env.settings;
        let had = settings
            .target(&wanted.target)
            .is_some_and(|target| target.endpoint.is_some());
        let lost = had
            && wanted
                .resolve(settings)
                .is_some_and(|target| target.endpoint.is_none());
        let without = if lost {
            ", without the endpoint: it is another's"
        } else {
            ""
        };
        format!("connect to {}{without}", parts.join(&format!(" {dot} ")))
    }
}

/// What is known of a list.
enum Told {
    Nothing,
    Loading(jiff::Timestamp),
    Failed(jiff::Timestamp),
    Ready(jiff::Timestamp),
}

const fn told<T>(remote: &Remote<T>) -> Told {
    match remote {
        Remote::Idle => Told::Nothing,
        Remote::Loading { since, .. } => Told::Loading(*since),
        Remote::Failed { at, .. } => Told::Failed(*at),
        Remote::Ready { at, .. } => Told::Ready(*at),
    }
}

pub(super) fn frame(area: Rect) -> Rect {
    middle(
        92.min(area.width.saturating_sub(4)),
        20.min(area.height.saturating_sub(2)),
        area,
    )
}

/// The panes' names on the first line.
pub(super) fn pane_rects(inner: Rect) -> Vec<Rect> {
    let mut x = inner.x + 1;
    let mut rects = Vec::new();
    for (_, name) in PANES {
        let width = width(name) as u16 + 2;
        rects.push(Rect {
            x,
            width,
            height: 1,
            ..inner
        });
        x += width + 1;
    }
    rects
}
