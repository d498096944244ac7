//! The menu of ways out for a version: for whom it is written, and into which files.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::Retrain;
use crate::effects::retrain::ways_out::files;
use crate::effects::retrain::{Effect, Form};
use crate::keys::Action;
use crate::overlay::{Overlay, Verdict, bottom, inside, strip};
use crate::registry::Version;
use crate::tabs::{Cx, Look};
use crate::ui::list::Rows;
use crate::ui::panel::panel;
use crate::ui::text::fit;

impl Retrain {
    pub(super) fn export(&self, cx: &mut Cx) {
        if let Some(version) = self.subject() {
            cx.open(WaysOut(version));
        }
    }
}

struct WaysOut(Version);

impl WaysOut {
    fn write(&self, way: Option<&(char, Form, &str)>, cx: &mut Cx) -> Verdict {
        let Some((_, form, _)) = way else {
            return Verdict::Stay;
        };
        cx.effect(Effect::Export {
            version: self.0,
            form: *form,
        });
        Verdict::Close
    }
}

const WAYS: [(char, Form, &str); 3] = [
    ('o', Form::Onnx, "ONNX, for any runtime"),
    (
        's',
        Form::Sklearn,
        "scikit-learn: JSON and the converter to a pickle",
    ),
    ('f', Form::Json, "the forest as JSON"),
];

const HEIGHT: u16 = WAYS.len() as u16 + 3;

impl Overlay for WaysOut {
    fn on_key(&mut self, key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        if action == Some(Action::Back) {
            return Verdict::Close;
        }
        let chosen = WAYS
            .iter()
            .find(|(letter, ..)| key.code == KeyCode::Char(*letter));
        self.write(chosen, cx)
    }

    fn on_click(&mut self, at: Position, cx: &mut Cx) -> Verdict {
        let area = inside(bottom(HEIGHT, cx.screen));
        let rows = Rows::around(0, WAYS.len(), area);
        self.write(rows.at(at).map(|row| &WAYS[row]), cx)
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let title = format!(" Write {} into the current directory ", self.0);
        let inner = panel(title, true, strip(HEIGHT, area, buf), buf, look);
        let mut lines: Vec<Line> = WAYS
            .iter()
            .map(|(letter, form, what)| {
                Line::from(vec![
                    Span::styled(format!("{letter}  "), look.theme.key),
                    Span::raw(fit(what, 50, look.glyphs.ellipsis)),
                    Span::styled(files(*form, self.0).join(" "), look.theme.muted),
                ])
            })
            .collect();
        lines.push(Line::from(vec![
            Span::styled("Esc", look.theme.key),
            Span::raw(" write nothing"),
        ]));
        Paragraph::new(lines).render(inner, buf);
        None
    }
}
