//! The alert rules and where they stand.

use jiff::Timestamp;
use ratatui::text::{Line, Span};

use super::Lambda;
use crate::domain::alerts::{Alert, Past, Signal, Standing};
use crate::domain::drift::{Drift, FEWEST};
use crate::effects::lambda::Drifted;
use crate::tabs::Look;
use crate::ui::text::{age, clean, fit};

/// The pane's lines: the rules, then what fired so far.
pub fn lines(tab: &Lambda, look: &Look) -> Vec<Line<'static>> {
    let mut lines = rules(tab, look);
    if !tab.alerts.history.is_empty() {
        lines.push(Line::default());
        let past = tab.alerts.history.iter();
        lines.extend(past.map(|past| past_line(past, look)));
    }
    lines
}

/// One time that a rule fired: when, which, on what, and whether it is over.
pub fn past_line(past: &Past, look: &Look) -> Line<'static> {
    let at = |ms| Timestamp::from_millisecond(ms).unwrap_or_default();
    let ago = age(at(past.fired_ms), look.now.wall);
    let value = past.signal.show(past.reading.value);
    let mut text = format!(
        "{ago}: {} {value} n {}",
        past.signal.title(),
        past.reading.n
    );
    let style = match past.cleared_ms {
        Some(cleared) => {
            let minutes = (cleared - past.fired_ms) / 60_000;
            text.push_str(&format!(", over after {} min", minutes.max(1)));
            look.theme.muted
        }
        None => look.theme.bad,
    };
    Line::styled(text, style)
}

fn rules(tab: &Lambda, look: &Look) -> Vec<Line<'static>> {
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
    let Drifted {
        version,
        report,
        in_sample,
    } = drifted;
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
    if *in_sample {
        let note =
            format!("; scores of {version} left out (in-sample reference): retrain to renew");
        line.push_span(Span::styled(note, look.theme.warn));
    }
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
            match rule.min_n {
                0 => "not read yet".to_owned(),
                n => format!("n below {n}"),
            },
        ),
        // The long window is above the limit, the short one is not, or says nothing.
        Standing::Ok { reading } if reading.value > rule.above => {
            (look.glyphs.warn, look.theme.warn, now(reading))
        }
        Standing::Ok { reading } => (look.glyphs.ok, look.theme.good, now(reading)),
        Standing::Firing { reading, .. } => (look.glyphs.bad, look.theme.bad, now(reading)),
    };
    Line::from(vec![
        Span::styled(format!("{sign} "), style),
        Span::styled(
            fit(signal.title(), 17, look.glyphs.ellipsis),
            look.theme.text,
        ),
        Span::styled(
            format!(" > {:<6} ", signal.show(rule.above)),
            look.theme.muted,
        ),
        Span::styled(text, style),
    ])
}
