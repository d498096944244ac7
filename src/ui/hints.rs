//! What keys do, said beside what they do it to; the keys are those of the keymap.

use ratatui::text::{Line, Span};

use crate::keys::{Action, Scope};
use crate::tabs::Look;

/// ` ↑↓ choose  Enter starts  Esc no`: each hint with the first key of its actions; one without a key is left out.
pub fn hints(scope: Scope, hints: &[(&[Action], &str)], look: &Look) -> Line<'static> {
    let mut line = Line::default();
    for (actions, label) in hints {
        let keys: String = (actions.iter())
            .map(|action| look.keymap.key(scope, *action))
            .collect();
        if !keys.is_empty() {
            let gap = if line.spans.is_empty() { " " } else { "  " };
            line.push_span(Span::styled(format!("{gap}{keys}"), look.theme.key));
            line.push_span(Span::styled(format!(" {label}"), look.theme.text));
        }
    }
    line
}

/// `Esc closes`, for a title or a sentence; empty where the action has no key.
pub fn hint(scope: Scope, action: Action, does: &str, look: &Look) -> String {
    let key = look.keymap.key(scope, action);
    if key.is_empty() {
        String::new()
    } else {
        format!("{key} {does}")
    }
}
