//! `T`: switch the target live.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::{Overlay, Verdict, centred};
use crate::app::Env;
use crate::effects::Effect;
use crate::keys::Action;
use crate::tabs::{Cx, Look};
use crate::ui::panel::panel;
use crate::ui::text::fit;

/// The configured targets, the connected one marked.
pub struct TargetPicker {
    /// Name and what it points at.
    targets: Vec<(String, String)>,
    current: String,
    selected: usize,
}

impl TargetPicker {
    /// Every target in the settings.
    pub fn new(env: &Env) -> Self {
        let current = env.session.value().map_or_else(
            || env.settings.target.clone(),
            |(session, _)| session.target.clone(),
        );
        let targets: Vec<_> = env
            .settings
            .targets
            .iter()
            .map(|(name, target)| (name.clone(), target.summary()))
            .collect();
        let selected = targets
            .iter()
            .position(|(name, _)| *name == current)
            .unwrap_or(0);
        Self {
            targets,
            current,
            selected,
        }
    }
}

impl Overlay for TargetPicker {
    fn on_key(&mut self, _key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        match action {
            Some(Action::Up) => self.selected = self.selected.saturating_sub(1),
            Some(Action::Down) => {
                self.selected = (self.selected + 1).min(self.targets.len().saturating_sub(1));
            }
            Some(Action::Submit) => {
                if let Some((name, _)) = self.targets.get(self.selected) {
                    cx.effect(Effect::Connect(name.clone()));
                }
                return Verdict::Close;
            }
            Some(Action::Back | Action::Target | Action::Quit) => return Verdict::Close,
            _ => {}
        }
        Verdict::Stay
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let rect = centred(76, self.targets.len() as u16 + 3, area, buf);
        let inner = panel(" Target ", true, rect, buf, look);
        let mut lines: Vec<Line> = self
            .targets
            .iter()
            .enumerate()
            .map(|(i, (name, summary))| {
                let mark = if *name == self.current {
                    look.glyphs.dot
                } else {
                    " "
                };
                let line = Line::from(vec![
                    Span::styled(
                        format!(" {mark} {} ", fit(name, 12, look.glyphs.ellipsis)),
                        look.theme.accent,
                    ),
                    Span::raw(fit(
                        summary,
                        usize::from(inner.width).saturating_sub(17),
                        look.glyphs.ellipsis,
                    )),
                ]);
                if i == self.selected {
                    line.patch_style(look.theme.selected)
                } else {
                    line
                }
            })
            .collect();
        lines.push(Line::styled(
            " Enter connect · Esc leave it · more in the configuration file (vintner config)",
            look.theme.muted,
        ));
        Paragraph::new(lines).render(inner, buf);
        None
    }
}
