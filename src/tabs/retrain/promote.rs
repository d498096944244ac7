//! Who reigns: the question before a version takes the throne, on grounds that hold for the champion of now, and the
//! way back.

use crossterm::event::{Event as TermEvent, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::{Retrain, is_sandbox};
use crate::challenger::{Service, Standing};
use crate::effects::retrain::Effect;
use crate::keys::{Action, Keymap, Scope, while_typing};
use crate::overlay::confirm::Confirm;
use crate::overlay::{Overlay, Verdict, strip};
use crate::registry::Move;
use crate::tabs::{Cx, Look};
use crate::ui::hints::hint;
use crate::ui::panel::{panel, title};
use crate::ui::text::{clean, truncate};
use crate::ui::theme::Tone;

impl Retrain {
    /// Asks where the version stands before the champion of now; the question follows.
    pub(super) fn promote(&mut self, cx: &mut Cx) {
        if let Some(version) = self.subject() {
            self.moving = true;
            let service = Service::from(cx.env.schema.as_ref());
            cx.effect(Effect::Consider { version, service });
        }
    }

    pub(super) fn considered(&mut self, standing: &Result<Box<Standing>, String>, cx: &mut Cx) {
        self.moving = false;
        let serves = if is_sandbox(cx.env) {
            "; the sandbox serves it at once"
        } else {
            ""
        };
        match standing {
            Ok(standing) => ask(standing, serves, cx),
            Err(error) => crate::app::report(cx, error.clone()),
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
            format!(
                "It is verified before it reigns, and {} returns.",
                cx.keymap.key(Scope::Retrain, Action::Rollback)
            ),
            vec![Effect::RollBack { wish }.into()],
        ));
    }
}

/// Opens the question that fits: a plain one, or one that wants version and reason where a gate is shut.
fn ask(standing: &Standing, serves: &str, cx: &mut Cx) {
    if standing.failed().is_empty() {
        cx.open(plain(standing, serves, cx.keymap));
    } else {
        cx.open(Overrule {
            standing: standing.clone(),
            input: Input::default(),
        });
    }
}

fn plain(standing: &Standing, serves: &str, keymap: &Keymap) -> Confirm {
    let Standing {
        version, verdict, ..
    } = standing;
    let from = standing.champion.as_ref().map_or_else(
        || "no champion".to_owned(),
        |champion| champion.version.to_string(),
    );
    let verdict = match verdict {
        Some(verdict) if standing.fresh => format!("{verdict} against {from}, judged just now"),
        Some(verdict) => format!("{verdict} against {from}"),
        None => "not compared".to_owned(),
    };
    let wish = standing.wish(format!("promoted in the Retrain tab: {verdict}"));
    Confirm::new(
        format!("Promote {version} ({verdict}) in place of {from}?"),
        format!(
            "{from} stays one key away ({}){serves}.",
            keymap.key(Scope::Retrain, Action::Rollback)
        ),
        vec![
            Effect::Promote {
                version: *version,
                wish,
            }
            .into(),
        ],
    )
}

/// Asks for the version and a reason before a shut gate is overridden.
struct Overrule {
    standing: Standing,
    input: Input,
}

impl Overrule {
    /// The reason, when the version stands before it.
    fn reason(&self) -> Option<&str> {
        let (version, reason) = self.input.value().trim().split_once(' ')?;
        let named = version == self.standing.version.to_string();
        (named && !reason.trim().is_empty()).then_some(reason.trim())
    }
}

impl Overlay for Overrule {
    fn on_key(&mut self, key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        match while_typing(key, action) {
            Some(Action::Back) => return Verdict::Close,
            Some(Action::Submit) => {}
            _ => {
                self.input.handle_event(&TermEvent::Key(key));
                return Verdict::Stay;
            }
        }
        let version = self.standing.version;
        let Some(reason) = self.reason() else {
            let esc = cx.keymap.key(Scope::Global, Action::Back);
            let text = format!("type {version}, a space, and why; {esc} to leave it");
            cx.toast(Tone::Warn, text);
            return Verdict::Stay;
        };
        let wish = self.standing.wish(reason);
        cx.effect(Effect::Promote { version, wish });
        Verdict::Close
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let failed = self.standing.failed();
        let names: Vec<&str> = failed.iter().map(|gate| gate.name.as_str()).collect();
        let version = self.standing.version;
        let strip = strip(5, area, buf);
        let no = hint(Scope::Global, Action::Back, "no", look);
        let title = title(
            &[vec!["Override the gates, for the audit log", &no]],
            strip,
            look,
        );
        let inner = panel(title, true, strip, buf, look);
        let room = usize::from(inner.width);
        let line = |text: String| truncate(&text, room, look.glyphs.ellipsis);
        let question = format!(
            "{version} is stopped by: {}. Promote it over that?",
            names.join(", ")
        );
        let why = failed.first().map_or("", |gate| gate.reason.as_str());
        let enter = look.keymap.key(Scope::Global, Action::Submit);
        let prompt = format!("type {version} and why, then {enter}: ");
        let typed = room.saturating_sub(prompt.len() + 1).max(8);
        let scroll = self.input.visual_scroll(typed);
        let shown: String = self.input.value().chars().skip(scroll).collect();
        Paragraph::new(vec![
            Line::styled(line(question), look.theme.warn),
            Line::styled(line(clean(why)), look.theme.muted),
            Line::from(vec![
                Span::styled(prompt.clone(), look.theme.accent),
                Span::raw(shown),
            ]),
        ])
        .render(inner, buf);
        let column = prompt.len() + self.input.visual_cursor().saturating_sub(scroll);
        let x = inner.x + (column as u16).min(inner.width.saturating_sub(1));
        (inner.height > 2).then_some(Position::new(x, inner.y + 2))
    }
}
