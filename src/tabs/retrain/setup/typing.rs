//! Typing a value into the focused row.

use std::path::PathBuf;

use crossterm::event::{Event as TermEvent, KeyCode, KeyEvent};
use tui_input::backend::crossterm::EventHandler;
use tui_input::{Input, InputRequest};

use super::{Field, Setup};

impl Setup {
    /// Sets the focused row from text; what it cannot be is said in [`Self::error`].
    pub(super) fn set_focused(&mut self, text: &str) -> bool {
        match (self.focused(), text.parse()) {
            (Field::Param(name), _) => self.set(name, text),
            (Field::Trials, Ok(trials)) => {
                self.trials = trials;
                self.error = None;
                true
            }
            (Field::Data, _) => {
                self.data = path_of(text);
                self.error = None;
                true
            }
            (Field::Trials, Err(_)) => {
                let problem = format!("The trials must be a whole number, 0 for none. Got {text}.");
                self.error = Some(problem);
                false
            }
            _ => true,
        }
    }

    /// Opens the focused row for typing.
    pub fn edit(&mut self) {
        if let Some(value) = self.typed() {
            self.editing = Some(Input::new(value));
            self.error = None;
        }
    }

    /// The first key of a new value in the focused row: true if it began one.
    pub fn begin(&mut self, key: KeyEvent) -> bool {
        let text = match key.code {
            KeyCode::Char(c @ ('0'..='9' | '.')) if key.modifiers.is_empty() => c.to_string(),
            KeyCode::Char(c @ ('/' | '~'))
                if key.modifiers.is_empty() && self.focused() == Field::Data =>
            {
                c.to_string()
            }
            KeyCode::Backspace | KeyCode::Delete => String::new(),
            _ => return false,
        };
        let begins = self.typing && self.can_edit();
        if begins {
            self.editing = Some(Input::new(text));
            self.error = None;
        }
        begins
    }

    /// Text pasted into the open row, or beginning a value in the row of the data: true if it was taken.
    pub fn paste(&mut self, text: &str) -> bool {
        let text: String = text.trim().chars().filter(|c| !c.is_control()).collect();
        if let Some(input) = &mut self.editing {
            for c in text.chars() {
                input.handle(InputRequest::InsertChar(c));
            }
        } else if self.focused() == Field::Data {
            self.editing = Some(Input::new(text));
            self.error = None;
        } else {
            return false;
        }
        true
    }

    /// A key while a row is open: true if it was taken.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let Some(input) = &mut self.editing else {
            return false;
        };
        match key.code {
            KeyCode::Esc => {
                self.editing = None;
                self.error = None;
            }
            KeyCode::Enter | KeyCode::Tab | KeyCode::Up | KeyCode::Down => {
                let text = input.value().trim().to_owned();
                if self.set_focused(&text) {
                    self.editing = None;
                    self.move_focus(match key.code {
                        KeyCode::Tab | KeyCode::Down => 1,
                        KeyCode::Up => -1,
                        _ => 0,
                    });
                }
            }
            _ => {
                input.handle_event(&TermEvent::Key(key));
            }
        }
        true
    }
}

/// A path as people type it, or as a terminal drops it: `~` is the home directory, quotes are not part of it; nothing
/// is the embedded data.
pub(in super::super) fn path_of(text: &str) -> Option<PathBuf> {
    let text = text.trim().trim_matches(['\'', '"']);
    let home = |rest| Some(std::env::home_dir()?.join(rest));
    match text.strip_prefix("~/") {
        _ if text.is_empty() => None,
        Some(rest) => home(rest),
        None => Some(text.into()),
    }
}
