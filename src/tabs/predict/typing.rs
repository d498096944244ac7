//! Keys that go into an open text: a field of the form, the history's filter.

use crossterm::event::{Event as TermEvent, KeyCode, KeyEvent, KeyModifiers};
use tui_input::InputRequest;
use tui_input::backend::crossterm::to_input_request;

use super::{Focus, Predict};

use crate::domain::schema::Schema;
use crate::keys::{Action, Scope, while_typing};
use crate::tabs::{self, Cx};

impl Predict {
    /// A key for the open text of the history's filter.
    pub(super) fn filter_key(&mut self, key: KeyEvent, cx: &Cx) {
        let Some(input) = &mut self.past.typing else {
            return;
        };
        match while_typing(key, cx.keymap.action(Scope::Predict, key)) {
            Some(Action::Submit) => self.past.typing = None,
            Some(Action::Back) => {
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

    /// Whether a field of the form is open and hears the keys.
    pub(super) fn is_in_field(&self) -> bool {
        self.focus == Focus::Form && self.form.editing.is_some()
    }

    /// A key for the open field: true if it took it.
    pub(super) fn field_key(&mut self, key: KeyEvent, cx: &mut Cx) -> bool {
        let schema = cx.env.schema.clone();
        match while_typing(key, cx.keymap.action(Scope::Predict, key)) {
            Some(Action::Submit) => self.submit(cx),
            Some(Action::Back) => self.form.cancel_edit(&schema),
            Some(Action::Up) => self.form.select_by(-1),
            Some(Action::Down) => self.form.select_by(1),
            Some(Action::NextField | Action::PreviousField) => {
                // To the other pane, as everywhere.
                self.form.close_edit();
                return false;
            }
            _ => match to_input_request(&TermEvent::Key(key)) {
                Some(request) => self.form.type_key(&schema, request),
                None => return false,
            },
        }
        true
    }

    /// The first key of a new value in the selected field: true if it began one. A figure that opens a tab begins one
    /// only once the form is in use.
    pub(super) fn begin_field(&mut self, key: KeyEvent, schema: &Schema) -> bool {
        if schema.features[self.form.selected].range().is_none()
            || !(key.modifiers - KeyModifiers::SHIFT).is_empty()
        {
            return false;
        }
        let opens_a_tab = |c: char| {
            c.to_digit(10)
                .is_some_and(|n| (1..=tabs::COUNT).contains(&(n as usize)))
        };
        match key.code {
            KeyCode::Char(c) if opens_a_tab(c) && !self.typing => return false,
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
        self.typing = true;
        true
    }

    /// Pasted text for what is open: the history's filter takes any text, the selected field a number. True if taken.
    pub(super) fn paste_value(&mut self, text: &str, schema: &Schema) -> bool {
        let text = text.trim();
        if let Some(input) = &mut self.past.typing {
            for c in text.chars().filter(|c| !c.is_control()) {
                input.handle(InputRequest::InsertChar(c));
            }
            self.past.filter = input.value().to_owned();
            self.past.selected = 0;
            return true;
        }
        let number = schema.features[self.form.selected].range().is_some();
        if self.focus != Focus::Form || !number || text.parse::<f64>().is_err() {
            return false;
        }
        // In place of the number that is there, not glued to it.
        self.form.edit(schema, text);
        self.typing = true;
        true
    }
}
