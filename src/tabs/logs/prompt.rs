//! The line at which a search, a filter or a time is typed.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use crate::keys::Action;
use crate::tabs::{Look, Offer};
use crate::ui::text::{clean, truncate, width, wrap};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// `/`
    Search,
    /// `&`
    Include,
    /// `-`
    Exclude,
    /// `@`
    Time,
    /// The server-side pattern.
    Pattern,
    /// A Logs Insights query.
    Insights,
    /// A file or a recording.
    File,
    /// Which requests to list.
    Requests,
    /// Members of JSON lines to show as columns.
    Columns,
}

impl Ask {
    const fn mark(self) -> &'static str {
        match self {
            Self::Search => " / ",
            Self::Include => " & ",
            Self::Exclude => " - ",
            Self::Time => " @ ",
            Self::Pattern => " server-side pattern: ",
            Self::Insights => " Insights ",
            Self::File => " open ",
            Self::Requests => " requests ",
            Self::Columns => " columns ",
        }
    }

    const fn hint(self) -> &'static str {
        match self {
            Self::Search => "text  /regex/  level>=warn  request:id  field:value  field>5",
            Self::Include => "show only: text  /regex/  level>=warn  request:id  field:value  !not",
            Self::Exclude => "hide: text  /regex/  level<info  stream:part  field:value",
            Self::Time => "14:03  14:03:22  -15m  2026-10-08T14:03:00Z",
            Self::Insights => {
                "-1h filter @message like /x/ | stats count(*) by bin(5m)   begin with -15m, -1h, -7d"
            }
            Self::File => {
                "incident.log   session.jsonl 10x plays a recording   empty: back to the tail"
            }
            Self::Requests => {
                "failed  cold  timeout  oom  running  >500ms  <1s  start of the id  text of the error"
            }
            Self::Columns => {
                "level record.metrics.durationMs   Tab: those of this line   empty: none"
            }
            Self::Pattern => {
                "CloudWatch syntax: ERROR  \"timed out\"  { $.level = \"ERROR\" }   empty: everything"
            }
        }
    }
}

/// An open prompt.
#[derive(Debug)]
pub struct Prompt {
    /// What is asked for.
    pub ask: Ask,
    input: Input,
    /// Texts to choose from with Tab, and which one stands there.
    choices: Vec<String>,
    chosen: Option<usize>,
    /// What is wrong with the text so far.
    pub error: Option<String>,
}

/// What a key did to the prompt.
pub enum Answer {
    /// The text changed.
    Edited,
    /// Enter.
    Given,
    /// Escape.
    Dropped,
    /// Nothing.
    Kept,
}

impl Prompt {
    /// Asks, with a text to start from.
    pub fn new(ask: Ask, text: &str) -> Self {
        Self {
            ask,
            input: Input::new(text.to_owned()),
            choices: Vec::new(),
            chosen: None,
            error: None,
        }
    }

    /// With texts to choose from; the first one is taken at once if `take_first`.
    #[must_use]
    pub fn with_choices(mut self, choices: Vec<String>, take_first: bool) -> Self {
        self.choices = choices;
        if take_first {
            self.choose(true);
        }
        self
    }

    /// Takes the next or previous choice; false when there is none.
    fn choose(&mut self, forward: bool) -> bool {
        let len = self.choices.len();
        if len == 0 {
            return false;
        }
        let at = match self.chosen {
            None if forward => 0,
            None => len - 1,
            Some(at) => (at + if forward { 1 } else { len - 1 }) % len,
        };
        self.chosen = Some(at);
        self.input = Input::new(self.choices[at].clone());
        true
    }

    /// The cursor goes before this character.
    #[must_use]
    pub fn with_cursor(mut self, at: usize) -> Self {
        self.input = self.input.with_cursor(at);
        self
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// What its keys do.
    pub fn offers(&self) -> Vec<Offer> {
        let (given, dropped) = match self.ask {
            Ask::Search => ("search", "leave it as it was"),
            Ask::Include | Ask::Exclude | Ask::Requests => ("keep the filter", "drop it"),
            Ask::Time => ("go there", "stay here"),
            Ask::Pattern => ("filter at CloudWatch", "leave it as it was"),
            Ask::Insights => ("run the query", "not now"),
            Ask::File => ("open it", "not now"),
            Ask::Columns => ("set the columns", "leave them as they were"),
        };
        let mut offers = vec![
            Offer::new(Action::Submit, given),
            Offer::new(Action::Back, dropped),
        ];
        if !self.choices.is_empty() {
            offers.extend([
                Offer::new(Action::NextField, "next field of the line"),
                Offer::new(Action::PreviousField, "previous one"),
            ]);
        }
        offers
    }

    /// Takes a key.
    pub fn on_key(&mut self, key: KeyEvent) -> Answer {
        match key.code {
            KeyCode::Enter => Answer::Given,
            KeyCode::Esc => Answer::Dropped,
            KeyCode::Tab | KeyCode::BackTab => {
                if self.choose(key.code == KeyCode::Tab) {
                    Answer::Edited
                } else {
                    Answer::Kept
                }
            }
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Answer::Kept,
            KeyCode::Backspace if self.input.value().is_empty() => Answer::Dropped,
            _ => {
                let change = self.input.handle_event(&Event::Key(key));
                if change.is_some_and(|change| change.value) {
                    Answer::Edited
                } else {
                    Answer::Kept
                }
            }
        }
    }

    /// Types a pasted text; line breaks become blanks.
    pub fn paste(&mut self, text: &str) {
        for c in text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(4096)
        {
            self.input.handle(tui_input::InputRequest::InsertChar(c));
        }
    }

    /// The part of the text that is in view.
    fn typed(&self, area: Rect) -> String {
        let room = usize::from(area.width).saturating_sub(width(self.ask.mark()) + 1);
        let scroll = self.input.visual_scroll(room);
        self.input.value().chars().skip(scroll).collect()
    }

    fn fits_beside(&self, error: &str, area: Rect) -> bool {
        let left = width(self.ask.mark()) + 1 + width(&clean(&self.typed(area)));
        left + width(&clean(error)) + 2 <= usize::from(area.width)
    }

    /// Draws what is wrong over the first rows of the list, when it has no room beside what was typed.
    pub fn render_error(&self, list: Rect, buf: &mut Buffer, look: &Look) {
        let Some(error) = self.error.as_ref().filter(|e| !self.fits_beside(e, list)) else {
            return;
        };
        let cells = usize::from(list.width).saturating_sub(2);
        for (y, line) in (list.y..list.bottom()).zip(wrap(&clean(error), cells)) {
            let row = Rect {
                y,
                height: 1,
                ..list
            };
            Clear.render(row, buf);
            Line::styled(format!(" {line}"), look.theme.bad).render(row, buf);
        }
    }

    /// Draws it; returns where the cursor stands.
    pub fn render(&self, right: &str, area: Rect, buf: &mut Buffer, look: &Look) -> Position {
        let theme = look.theme;
        let mark = self.ask.mark();
        let choices = match self.choices.len() {
            0 => String::new(),
            _ if right.is_empty() => "Tab: fields of the line".to_owned(),
            _ => format!("Tab: fields  {right}"),
        };
        let (right, side) = match &self.error {
            Some(error) if self.fits_beside(error, area) => (clean(error), theme.bad),
            Some(_) => (String::new(), theme.bad),
            None if choices.is_empty() => (right.to_owned(), theme.muted),
            None => (choices, theme.muted),
        };
        let room = usize::from(area.width).saturating_sub(width(mark) + 1);
        let scroll = self.input.visual_scroll(room);
        let typed = self.typed(area);
        let mut spans = vec![
            Span::styled(mark, theme.accent.patch(theme.selected)),
            Span::raw(" "),
        ];
        let start = area.x + width(mark) as u16 + 1;
        let cursor = start + (self.input.visual_cursor().saturating_sub(scroll)) as u16;
        if typed.is_empty() {
            let hint = truncate(self.ask.hint(), room, look.glyphs.ellipsis);
            spans.push(Span::styled(hint, theme.muted));
        } else {
            spans.push(Span::styled(clean(&typed), theme.text));
        }
        let line = Line::from(spans);
        let left = line.width();
        line.render(area, buf);
        let need = width(&right) + 2;
        let has_room = left + need <= usize::from(area.width);
        if has_room && (!typed.is_empty() || !self.choices.is_empty() || self.error.is_some()) {
            let cells = need.min(usize::from(area.width)) as u16;
            let rect = Rect {
                x: area.right() - cells,
                width: cells,
                ..area
            };
            Line::styled(format!(" {right} "), side).render(rect, buf);
        }
        Position::new(cursor.min(area.right().saturating_sub(1)), area.y)
    }
}
