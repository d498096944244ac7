//! The alert rules and where they stand.

use ratatui::text::{Line, Span};

use super::Lambda;
use crate::domain::alerts::{Alert, Standing};
use crate::tabs::Look;
use crate::ui::text::fit;

/// The pane's lines.
pub fn lines(tab: &Lambda, look: &Look) -> Vec<Line<'static>> {
    tab.alerts
        .list
        .iter()
        .map(|alert| line(alert, look))
        .collect()
}

/// One rule: sign, what, threshold, what it says now with its n.
pub fn line(alert: &Alert, look: &Look) -> Line<'static> {
    let (rule, signal) = (&alert.rule, alert.rule.signal);
    let now = |r: &crate::domain::alerts::Reading| format!("{} n {}", signal.show(r.value), r.n);
    let (sign, style, text) = match &alert.standing {
        Standing::NoData => (
            look.glyphs.skip,
            look.theme.muted,
            "too few values".to_owned(),
        ),
        Standing::Ok { reading } => (look.glyphs.ok, look.theme.good, now(reading)),
        Standing::Firing { reading, .. } => (look.glyphs.bad, look.theme.bad, now(reading)),
    };
    Line::from(vec![
        Span::styled(format!("{sign} "), style),
        Span::styled(
            fit(signal.title(), 22, look.glyphs.ellipsis),
            look.theme.text,
        ),
        Span::styled(
            format!(" > {:<7} ", signal.show(rule.above)),
            look.theme.muted,
        ),
        Span::styled(text, style),
    ])
}
