//! A question in a strip at the bottom before anything that cannot be undone; the work stays in view.

use crossterm::event::{Event as TermEvent, KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::{Overlay, Verdict, strip};
use crate::effects::Effect;
use crate::keys::{Action, Scope, while_typing};
use crate::tabs::{Cx, Look};
use crate::ui::hints::hints;
use crate::ui::panel::panel;
use crate::ui::text::wrap;
use crate::ui::theme::Tone;

/// A question with the effects of a yes.
pub struct Confirm {
    question: String,
    detail: String,
    /// The word that must be typed, where a `y` would be too easy.
    typed: Option<(String, Input)>,
    yes: Vec<Effect>,
}

impl Confirm {
    /// Asks `question`; on `y` or Enter the effects are done. `detail` says what will happen, in figures.
    pub fn new(question: impl Into<String>, detail: impl Into<String>, yes: Vec<Effect>) -> Self {
        Self {
            question: question.into(),
            detail: detail.into(),
            typed: None,
            yes,
        }
    }

    /// Wants `word` typed before Enter counts.
    #[must_use]
    pub fn typing(mut self, word: impl Into<String>) -> Self {
        self.typed = Some((word.into(), Input::default()));
        self
    }
}

impl Overlay for Confirm {
    fn on_key(&mut self, key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        let asked = while_typing(key, action);
        if asked == Some(Action::Back) {
            return Verdict::Close;
        }
        let done = asked == Some(Action::Submit);
        let agreed = match (&mut self.typed, key.code) {
            (None, KeyCode::Char('n' | 'N' | 'q')) => return Verdict::Close,
            (None, KeyCode::Char('y' | 'Y')) => true,
            (None, _) => done,
            (Some((word, input)), _) if done && input.value() == word => true,
            (Some((word, _)), _) if done => {
                let esc = cx.keymap.key(Scope::Global, Action::Back);
                cx.toast(
                    Tone::Warn,
                    format!("type {word} to go on, {esc} to leave it"),
                );
                false
            }
            (Some((_, input)), _) => {
                input.handle_event(&TermEvent::Key(key));
                false
            }
        };
        if !agreed {
            return Verdict::Stay;
        }
        for effect in self.yes.drain(..) {
            cx.effect(effect);
        }
        Verdict::Close
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let cells = usize::from(area.width).saturating_sub(2);
        let styled = |text: &str, style| {
            let lines = wrap(text, cells).into_iter();
            lines.map(move |line| Line::styled(line, style))
        };
        let mut lines: Vec<Line> = styled(&self.question, look.theme.warn).collect();
        let detail = styled(&self.detail, look.theme.text);
        lines.extend(detail.filter(|line| line.width() > 0));
        let answer = self.answer(look);
        // Beside the last line where it fits, else below it.
        match lines.last_mut() {
            Some(last) if last.width() + answer.width() + 3 <= cells => {
                last.push_span("   ");
                last.extend(answer.spans);
            }
            _ => lines.push(answer),
        }
        let height = lines.len() as u16 + 2;
        let inner = panel(" Confirm ", true, strip(height, area, buf), buf, look);
        Paragraph::new(lines).render(inner, buf);
        None
    }
}

impl Confirm {
    fn answer(&self, look: &Look) -> Line<'static> {
        let plain = |text: String| Span::styled(text, look.theme.text);
        let mut line = match &self.typed {
            None => Line::from(vec![
                Span::styled("y", look.theme.key),
                plain(" yes ".to_owned()),
            ]),
            Some((word, input)) => {
                let enter = look.keymap.key(Scope::Global, Action::Submit);
                let text = format!("type {word} and {enter}: {}  ", input.value());
                Line::from(plain(text))
            }
        };
        line.extend(hints(Scope::Global, &[(&[Action::Back], "no")], look));
        line
    }
}
