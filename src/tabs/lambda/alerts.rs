//! The alert rules and where they stand.

use ratatui::text::{Line, Span};

use super::Lambda;
use crate::domain::alerts::{Alert, Signal, Standing};
use crate::domain::drift::{Drift, FEWEST};
use crate::effects::lambda::Drifted;
use crate::tabs::Look;
use crate::ui::text::{clean, fit};

/// The pane's lines.
pub fn lines(tab: &Lambda, look: &Look) -> Vec<Line<'static>> {
    tab.alerts
        .list
        .iter()
        .map(|alert| match &tab.drift {
            Some(drifted) if alert.rule.signal == Signal::Drift => drift_line(drifted, alert, look),
            _ => line(alert, look),
        })
        .collect()
}

/// The drift rule in words: how far the window is, which column leads, and what to do about it.
fn drift_line(drifted: &Drifted, alert: &Alert, look: &Look) -> Line<'static> {
    let mut line = line(alert, look);
    let Drifted { version, report } = drifted;
    let leads = report.worst().map_or_else(String::new, |column| {
        format!(
            "{} PSI {:.2}, limit {:.2}, n {}",
            clean(&column.name),
            column.psi,
            column.alert_at,
            report.rows
        )
    });
    let (text, style) = match report.drift {
        Drift::Collecting => (
            format!("collecting {}/{FEWEST} requests", report.rows),
            look.theme.muted,
        ),
        Drift::Steady => (format!("steady: {leads}"), look.theme.good),
        Drift::Warn => (format!("moved from {version}: {leads}"), look.theme.warn),
        Drift::Alert => (format!("retrain suggested: {leads}"), look.theme.bad),
    };
    // In place of the limit and the figure: this sentence has both.
    line.spans.truncate(2);
    line.push_span(Span::styled(format!(" {text}"), style));
    line
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
            fit(signal.title(), 19, look.glyphs.ellipsis),
            look.theme.text,
        ),
        Span::styled(
            format!(" > {:<7} ", signal.show(rule.above)),
            look.theme.muted,
        ),
        Span::styled(text, style),
    ])
}
