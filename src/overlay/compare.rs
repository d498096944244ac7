//! What the function is compared with: a version of it, or another target's function.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget};

use super::{Overlay, Verdict, centred};
use crate::effects::Event;
use crate::effects::lambda::{Event as LambdaEvent, Other};
use crate::keys::Action;
use crate::tabs::{Cx, Look};
use crate::ui::panel::panel;
use crate::ui::text::{clean, truncate};

/// The menu. Choosing tells the Lambda tab.
pub struct CompareMenu {
    /// `None` compares with nothing any more.
    choices: Vec<Option<Other>>,
    current: Option<Other>,
    selected: usize,
}

impl CompareMenu {
    /// A menu of these, the one that is compared with now marked.
    pub fn new(others: Vec<Other>, current: Option<Other>) -> Self {
        let mut choices: Vec<_> = others.into_iter().map(Some).collect();
        if current.is_some() || choices.is_empty() {
            choices.push(None);
        }
        Self {
            choices,
            current,
            selected: 0,
        }
    }
}

impl Overlay for CompareMenu {
    fn on_key(&mut self, _key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        let last = self.choices.len().saturating_sub(1);
        match action {
            Some(Action::Up) => self.selected = self.selected.saturating_sub(1),
            Some(Action::Down) => self.selected = (self.selected + 1).min(last),
            Some(Action::Submit) => {
                if let Some(choice) = self.choices.get(self.selected) {
                    cx.tell(Event::Lambda(LambdaEvent::Chosen(choice.clone())));
                }
                return Verdict::Close;
            }
            Some(Action::Back | Action::Diff | Action::Quit) => return Verdict::Close,
            _ => {}
        }
        Verdict::Stay
    }

    fn on_scroll(&mut self, lines: i32, _cx: &mut Cx) {
        let last = self.choices.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(lines.signum() as isize);
        self.selected = self.selected.min(last);
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let height = (self.choices.len() as u16).saturating_add(3);
        let rect = centred(56, height.min(area.height), area, buf);
        let inner = panel(" Compare with ", true, rect, buf, look);
        let shown = usize::from(inner.height.saturating_sub(1)).max(1);
        let top = (self.selected + 1).saturating_sub(shown);
        let choices = self.choices.iter().enumerate().skip(top).take(shown);
        let mut lines: Vec<Line> = choices
            .map(|(at, choice)| self.row(at, choice.as_ref(), inner.width, look))
            .collect();
        lines.push(Line::styled(
            " Enter reads and compares · Esc leaves it",
            look.theme.muted,
        ));
        Paragraph::new(lines).render(inner, buf);
        None
    }
}

impl CompareMenu {
    fn row(&self, at: usize, choice: Option<&Other>, width: u16, look: &Look) -> Line<'static> {
        let mark = if choice.is_some() && choice == self.current.as_ref() {
            look.glyphs.dot
        } else {
            " "
        };
        let name = choice.map_or("nothing".to_owned(), |other| clean(&other.to_string()));
        let text = truncate(
            &format!(" {mark} {name}"),
            usize::from(width),
            look.glyphs.ellipsis,
        );
        let line = Line::styled(text, look.theme.text);
        if at == self.selected {
            line.patch_style(look.theme.selected)
        } else {
            line
        }
    }
}
