//! Keys that go into an open text: a field of the form, the history's filter.

use crossterm::event::{Event as TermEvent, KeyCode, KeyEvent, KeyModifiers};
use tui_input::backend::crossterm::to_input_request;

use super::Predict;

use crate::domain::schema::Schema;
use crate::tabs::Cx;

impl Predict {
    /// A key for the open text of the history's filter.
    pub(super) fn filter_key(&mut self, key: KeyEvent) {
        let Some(input) = &mut self.past.typing else {
            return;
        };
        match key.code {
            KeyCode::Enter => self.past.typing = None,
            KeyCode::Esc => {
                self.past.typing = None;
                self.past.filter.clear();
            }
            _ => {
                if let Some(request) = to_input_request(&TermEvent::Key(key)) {
                    input.handle(request);
                    self.past.filter = input.value().to_owned();
                }
            }
        }
        self.past.selected = 0;
    }

    /// A key for the open field: true if it took it.
    pub(super) fn field_key(&mut self, key: KeyEvent, cx: &mut Cx) -> bool {
        let schema = cx.env.schema.clone();
        match key.code {
            KeyCode::Enter => self.submit(cx),
            KeyCode::Esc => self.form.cancel_edit(&schema),
            KeyCode::Up | KeyCode::BackTab => self.form.select_by(-1),
            KeyCode::Down | KeyCode::Tab => self.form.select_by(1),
            _ => match to_input_request(&TermEvent::Key(key)) {
                Some(request) => self.form.type_key(&schema, request),
                None => return false,
            },
        }
        true
    }

    /// The first key of a new value in the selected field: true if it began one.
    pub(super) fn begin_field(&mut self, key: KeyEvent, schema: &Schema) -> bool {
        if schema.features[self.form.selected].range().is_none()
            || !(key.modifiers - KeyModifiers::SHIFT).is_empty()
        {
            return false;
        }
        match key.code {
            // A zero goes back to the preset, unless a point makes it the beginning of a number.
            KeyCode::Char(c @ ('1'..='9' | '.' | '-')) => self.form.edit(
                schema,
                &if c == '.' {
                    "0.".to_owned()
                } else {
                    c.to_string()
                },
            ),
            KeyCode::Backspace | KeyCode::Delete => self.form.edit(schema, ""),
            _ => return false,
        }
        true
    }
}
