//! The alert rules and where they stand.

use jiff::Timestamp;
use ratatui::text::{Line, Span};

use super::Lambda;
use crate::domain::alerts::{Alert, Past, Reading, Signal, Standing};
use crate::domain::drift::{Drift, FEWEST};
use crate::effects::lambda::Drifted;
use crate::tabs::Look;
use crate::ui::text::{age, clean, count, fit, fitting, short_count, width, wrap};

/// From so many cells on a rule's figure says its window too.
const ROOM_FOR_WINDOW: usize = 56;
/// Cells of a rule's sign and name.
const NAME: usize = 19;

/// The pane's lines: the rules, then what fired so far.
pub fn lines(tab: &Lambda, width: u16, look: &Look) -> Vec<Line<'static>> {
    let mut lines = rules(tab, usize::from(width), look);
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
    let mut text = format!("{ago}: {} {value}", past.signal.title());
    if past.signal != Signal::NoEvents {
        text.push_str(&format!(" n {}", past.reading.n));
    }
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

fn rules(tab: &Lambda, room: usize, look: &Look) -> Vec<Line<'static>> {
    let said = |alert: &Alert| match &tab.drift {
        Some(drifted) if alert.rule.signal == Signal::Drift => {
            drift_lines(drifted, alert, room, look)
        }
        _ => vec![line(alert, room, look)],
    };
    tab.alerts.list.iter().flat_map(said).collect()
}

/// The drift rule in words: how far the window is, which column leads, and what to do about it. What has no room beside
/// the rule's name stands below it.
fn drift_lines(drifted: &Drifted, alert: &Alert, room: usize, look: &Look) -> Vec<Line<'static>> {
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
    let (mut text, style) = match report.drift {
        Drift::Collecting => {
            let rows = report.rows;
            let variants = [
                format!("collecting {rows}/{FEWEST} requests"),
                format!("collecting {rows}/{FEWEST} calls"),
            ];
            let beside = room.saturating_sub(NAME + 1);
            (fitting(&variants, beside), look.theme.muted)
        }
        Drift::Steady => (format!("steady: {leads}"), look.theme.good),
        Drift::Warn => (format!("moved from {version}: {leads}"), look.theme.warn),
        Drift::Alert => (format!("retrain suggested: {leads}"), look.theme.bad),
    };
    if *in_sample {
        text.push_str(&format!(
            "; scores of {version} left out (in-sample reference): retrain to renew"
        ));
    }
    let mut name = line(alert, room, look);
    // In place of the limit and the figure: the sentence has both.
    name.spans.truncate(2);
    let beside = room.saturating_sub(name.width() + 1);
    if width(&text) <= beside {
        name.push_span(Span::styled(format!(" {text}"), style));
        return vec![name];
    }
    let below = wrap(&text, room.saturating_sub(2));
    let below = below.into_iter();
    let below = below.map(|text| Line::styled(format!("  {text}"), style));
    [name].into_iter().chain(below).collect()
}

/// One rule: sign, what, threshold, what it says now with its n, and its window where there is room.
pub fn line(alert: &Alert, room: usize, look: &Look) -> Line<'static> {
    let (rule, signal) = (&alert.rule, alert.rule.signal);
    let now = |reading: &Reading, window_s: i64| {
        let value = signal.show(reading.value);
        let n = match signal {
            // A time since something has no n.
            Signal::NoEvents => value.clone(),
            _ if room >= ROOM_FOR_WINDOW => format!("{value} n {}", count(reading.n as usize)),
            _ => format!("{value} n {}", short_count(reading.n as usize)),
        };
        match signal {
            Signal::NoEvents | Signal::Drift => n,
            _ if room >= ROOM_FOR_WINDOW => format!("{n} in {} min", window_s / 60),
            _ => n,
        }
    };
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
            (look.glyphs.warn, look.theme.warn, now(reading, rule.long_s))
        }
        Standing::Ok { reading } => (look.glyphs.ok, look.theme.good, now(reading, rule.long_s)),
        Standing::Firing { reading, .. } => {
            (look.glyphs.bad, look.theme.bad, now(reading, rule.short_s))
        }
    };
    Line::from(vec![
        Span::styled(format!("{sign} "), style),
        Span::styled(
            fit(signal.title(), NAME - 2, look.glyphs.ellipsis),
            look.theme.text,
        ),
        Span::styled(
            format!(" > {:<6} ", signal.show(rule.above)),
            look.theme.muted,
        ),
        Span::styled(text, style),
    ])
}
