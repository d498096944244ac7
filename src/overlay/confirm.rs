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
use crate::keys::Action;
use crate::tabs::{Cx, Look};
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
        if action == Some(Action::Back) {
            return Verdict::Close;
        }
        let agreed = match (&mut self.typed, key.code) {
            (None, KeyCode::Char('y' | 'Y') | KeyCode::Enter) => true,
            (None, KeyCode::Char('n' | 'N' | 'q')) => return Verdict::Close,
            (None, _) => false,
            (Some((word, input)), KeyCode::Enter) if input.value() == word => true,
            (Some((word, _)), KeyCode::Enter) => {
                cx.toast(Tone::Warn, format!("type {word} to go on, Esc to leave it"));
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
        let key = |text| Span::styled(text, look.theme.key);
        let plain = |text: String| Span::styled(text, look.theme.text);
        match &self.typed {
            None => Line::from_iter([
                key("y"),
                plain(" yes  ".into()),
                key("Esc"),
                plain(" no".into()),
            ]),
            Some((word, input)) => Line::from_iter([
                plain(format!("type {word} and Enter: {}   ", input.value())),
                key("Esc"),
                plain(" no".into()),
            ]),
        }
    }
}
