//! Latency that adds up: from the client inwards, every figure with n, window, source and age.

use jiff::Timestamp;
use ratatui::text::{Line, Span};

use super::Lambda;
use crate::domain::latency::{Estimate, Ladder, millis};
use crate::domain::vitals::LatencyRow;
use crate::tabs::Look;
use crate::ui::text::{age, count, fit};

/// Rows of the pane.
pub const ROWS: u16 = 12;

/// The pane's lines.
pub fn lines(tab: &Lambda, width: u16, look: &Look) -> Vec<Line<'static>> {
    let Some(vitals) = &tab.vitals else {
        return Vec::new();
    };
    let wide = width >= 76;
    let mut lines = vec![Line::styled(heading(wide), look.theme.muted)];
    lines.extend(vitals.latency.iter().map(|row| line(row, wide, look)));
    lines.push(Line::default());
    lines.push(ladder("warm", vitals.warm.as_ref(), look));
    lines.push(ladder("all, with init", vitals.all.as_ref(), look));
    let note = tab
        .reports_note
        .clone()
        .unwrap_or_else(|| "CloudWatch lags 1–3 min; its Duration leaves init out".to_owned());
    lines.push(Line::styled(note, look.theme.muted));
    lines
}

fn heading(wide: bool) -> String {
    let mut text = format!(
        "{:<18} {:>6} {:>9} {:>10} {:>8}  ",
        "measured at", "n", "p50", "p99", "max"
    );
    text.push_str(if wide {
        "source       newest"
    } else {
        "source"
    });
    text
}

fn line(row: &LatencyRow, wide: bool, look: &Look) -> Line<'static> {
    let show = |e: Option<Estimate>| e.map_or("–".to_owned(), Estimate::text);
    let newest = row
        .newest_ms
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let newest = newest.map_or("–".to_owned(), |at| age(at, look.now.wall));
    let style = if row.n == 0 {
        look.theme.muted
    } else {
        look.theme.text
    };
    let p99_style = match row.p99.and_then(Estimate::value) {
        Some(p99) if p99 > 500.0 && row.what != "Init Duration" => look.theme.warn,
        _ => style,
    };
    let mut spans = vec![
        Span::styled(
            format!("{} ", fit(row.what, 18, look.glyphs.ellipsis)),
            style,
        ),
        Span::styled(format!("{:>6} ", count(row.n)), style),
        Span::styled(format!("{:>9} ", show(row.p50)), style),
        Span::styled(format!("{:>10} ", show(row.p99)), p99_style),
        Span::styled(
            format!("{:>8}  ", row.max_ms.map_or("–".to_owned(), millis)),
            style,
        ),
        Span::styled(fit(row.source, 12, look.glyphs.ellipsis), look.theme.muted),
    ];
    if wide {
        spans.push(Span::styled(format!(" {newest}"), look.theme.muted));
    }
    Line::from(spans)
}

fn ladder(name: &str, ladder: Option<&Ladder>, look: &Look) -> Line<'static> {
    let Some(ladder) = ladder else {
        return Line::styled(
            format!("{name:<15} no REPORT lines in the window"),
            look.theme.muted,
        );
    };
    let p99 = match ladder.p99 {
        Estimate::TooFew => format!("p99 –  max {}", millis(ladder.max)),
        estimate => format!("p99 {}  max {}", estimate.text(), millis(ladder.max)),
    };
    let text = format!(
        "p50 {}  p90 {}  p95 {}  {p99}",
        ladder.p50.text(),
        ladder.p90.text(),
        ladder.p95.text()
    );
    Line::from(vec![
        Span::styled(format!("{name:<15}"), look.theme.accent),
        Span::styled(format!("n {:<6} ", count(ladder.n)), look.theme.muted),
        Span::styled(text, look.theme.text),
    ])
}
