//! Who reigns: promotion and rollback, each asked for in a strip at the bottom.

use crossterm::event::{Event as TermEvent, KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::{Retrain, is_sandbox};
use crate::effects::retrain::Effect;
use crate::keys::Action;
use crate::overlay::confirm::Confirm;
use crate::overlay::{Overlay, Verdict, strip};
use crate::registry::{Move, Version};
use crate::tabs::{Cx, Look};
use crate::ui::panel::panel;
use crate::ui::theme::Tone;

impl Retrain {
    pub(super) fn promote(&self, cx: &mut Cx) {
        let (Some(version), Some(shelf)) = (self.subject(), self.shelf()) else {
            return;
        };
        let manifest = self.manifest(version);
        let report = self.report().filter(|report| report.version == Ok(version));
        let gates = report
            .map(|report| report.gates.as_slice())
            .or_else(|| manifest.map(|manifest| manifest.gates.as_slice()))
            .unwrap_or_default();
        let failed: Vec<String> = gates
            .iter()
            .filter(|gate| !gate.passed)
            .map(|gate| gate.name.clone())
            .collect();
        let champion = shelf.champion.as_ref();
        let from = champion.map_or_else(
            || "no champion".to_owned(),
            |champion| champion.version.to_string(),
        );
        // The verdict is worth what it was measured against.
        let judged = manifest.and_then(|manifest| {
            let verdict = manifest.verdict.as_ref()?;
            Some(match manifest.champion_at_train {
                Some(other) => format!("{verdict} against {other}"),
                None => verdict.clone(),
            })
        });
        let verdict = judged.unwrap_or_else(|| "not compared".to_owned());
        let serves = if is_sandbox(cx.env) {
            "; the sandbox serves it at once"
        } else {
            ""
        };
        if failed.is_empty() {
            let reason = format!("promoted in the Retrain tab: {verdict}");
            let wish = Move::seen(champion, reason);
            cx.open(Confirm::new(
                format!("Promote {version} ({verdict}) in place of {from}?"),
                format!("{from} stays one key away (B){serves}."),
                vec![Effect::Promote { version, wish }.into()],
            ));
        } else {
            cx.open(Override {
                version,
                verdict,
                wish: Move {
                    overridden: failed,
                    ..Move::seen(champion, String::new())
                },
                typed: Input::default(),
            });
        }
    }

    pub(super) fn roll_back(&self, cx: &mut Cx) {
        let Some(champion) = self.champion() else {
            return;
        };
        let Some(previous) = champion.previous else {
            return;
        };
        let wish = Move::seen(Some(champion), "rolled back in the Retrain tab");
        cx.open(Confirm::new(
            format!("Roll back from {} to {previous}?", champion.version),
            "It is verified before it reigns, and B returns.",
            vec![Effect::RollBack { wish }.into()],
        ));
    }
}

/// A promotion over failed gates: wants the version and a reason typed, both for the audit log.
struct Override {
    version: Version,
    verdict: String,
    wish: Move,
    typed: Input,
}

impl Override {
    /// The reason, once the version stands before it.
    fn reason(&self) -> Option<&str> {
        let version = self.version.to_string();
        let rest = self.typed.value().trim().strip_prefix(&version)?;
        let reason = rest.strip_prefix(char::is_whitespace)?.trim();
        (!reason.is_empty()).then_some(reason)
    }
}

impl Overlay for Override {
    fn on_key(&mut self, key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        if action == Some(Action::Back) {
            return Verdict::Close;
        }
        if key.code != KeyCode::Enter {
            self.typed.handle_event(&TermEvent::Key(key));
            return Verdict::Stay;
        }
        let Some(reason) = self.reason() else {
            let version = self.version;
            cx.toast(
                Tone::Warn,
                format!("type {version} and then why, for the audit log; Esc leaves it"),
            );
            return Verdict::Stay;
        };
        let wish = Move {
            reason: reason.to_owned(),
            ..self.wish.clone()
        };
        let version = self.version;
        cx.effect(Effect::Promote { version, wish });
        Verdict::Close
    }

    fn on_paste(&mut self, text: &str) -> bool {
        for c in text.chars().filter(|c| !c.is_control()) {
            self.typed.handle(tui_input::InputRequest::InsertChar(c));
        }
        true
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let theme = look.theme;
        let title = format!(" Override ({}) ", self.verdict);
        let inner = panel(title, true, strip(5, area, buf), buf, look);
        let version = self.version;
        let question = format!(
            "{version} is stopped by: {}. Promote it over that?",
            self.wish.overridden.join(", ")
        );
        let prompt = "> ";
        let room = usize::from(inner.width).saturating_sub(prompt.len() + 1);
        let scroll = self.typed.visual_scroll(room);
        let shown: String = self.typed.value().chars().skip(scroll).collect();
        Paragraph::new(vec![
            Line::styled(question, theme.warn),
            Line::from(vec![
                Span::raw(format!(
                    "type {version} and a reason for the audit log, then "
                )),
                Span::styled("Enter", theme.key),
                Span::raw("   "),
                Span::styled("Esc", theme.key),
                Span::raw(" no"),
            ]),
            Line::from(vec![Span::styled(prompt, theme.accent), Span::raw(shown)]),
        ])
        .render(inner, buf);
        let column = prompt.len() + self.typed.visual_cursor().saturating_sub(scroll);
        let x = inner.x + (column as u16).min(inner.width.saturating_sub(1));
        (inner.height > 2).then_some(Position::new(x, inner.y + 2))
    }
}
