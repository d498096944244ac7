//! Latency that adds up: from the client inwards, every figure with n, window, source and age.

use jiff::Timestamp;
use ratatui::text::{Line, Span};

use super::Lambda;
use crate::domain::alerts::Limits;
use crate::domain::latency::{Estimate, Ladder, millis};
use crate::domain::vitals::LatencyRow;
use crate::tabs::Look;
use crate::ui::text::{age, clean, count, fit, short_count, truncate};

/// Rows of the pane.
pub const ROWS: u16 = 11;

/// The pane's lines.
pub fn lines(tab: &Lambda, width: u16, look: &Look) -> Vec<Line<'static>> {
    let Some(vitals) = tab.vitals() else {
        return Vec::new();
    };
    let room = usize::from(width);
    let mut lines = vec![Line::styled(
        format!(
            "{:<18} {:>6} {:>7} {:>8} {:>7}  {:<14} age",
            "measured at", "n", "p50", "p99", "max", "source"
        ),
        look.theme.muted,
    )];
    lines.extend(vitals.latency.iter().map(|row| {
        row.absent.as_ref().map_or_else(
            || figures(row, vitals.window, look),
            |why| absent(row, why, room, look),
        )
    }));
    lines.push(Line::default());
    let Limits {
        warm_ms, all_ms, ..
    } = vitals.limits;
    lines.push(ladder("warm", vitals.warm.as_ref(), warm_ms, look));
    lines.push(ladder("all + init", vitals.all.as_ref(), all_ms, look));
    lines.push(note(tab, room, look));
    lines
}

/// What deserves a word about where the figures come from; the worst first.
fn note(tab: &Lambda, room: usize, look: &Look) -> Line<'static> {
    let metrics = || {
        let why = tab.measure_trouble.as_ref()?;
        let age = age(tab.measured_at?, look.now.wall);
        Some(format!("CloudWatch's figures are of {age}: {why}"))
    };
    let log = || tab.reports_note(look.now.wall.as_millisecond());
    let trouble = match tab.reports_trouble {
        Some(_) => log(),
        None => metrics().or_else(log),
    };
    let (text, style) = match trouble {
        Some(text) => (clean(&text), look.theme.warn),
        None => (
            "CloudWatch lags 1–3 min; its Duration leaves init out".to_owned(),
            look.theme.muted,
        ),
    };
    Line::styled(truncate(&text, room, look.glyphs.ellipsis), style)
}

/// Where there is no figure stands why.
fn absent(row: &LatencyRow, why: &str, room: usize, look: &Look) -> Line<'static> {
    let name = fit(row.what, 18, look.glyphs.ellipsis);
    let text = format!("{name} {:>6} {}", "–", clean(why));
    Line::styled(
        truncate(&text, room, look.glyphs.ellipsis),
        look.theme.muted,
    )
}

fn figures(row: &LatencyRow, window: &str, look: &Look) -> Line<'static> {
    let show = |e: Option<Estimate>| e.map_or("–".to_owned(), Estimate::text);
    let newest = row
        .newest_ms
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let newest = newest.map_or("–".to_owned(), |at| age(at, look.now.wall));
    let newest = newest.trim_end_matches(" ago");
    // The window is the title's, where the row does not say otherwise.
    let source = if row.window == window {
        row.source.to_owned()
    } else {
        format!("{} {}", row.source, row.window)
    };
    let p99_style = if row.is_slow() {
        look.theme.warn
    } else {
        look.theme.text
    };
    let max = row.max_ms.map_or("–".to_owned(), millis);
    Line::from(vec![
        Span::raw(format!(
            "{} {:>6} {:>7} ",
            fit(row.what, 18, look.glyphs.ellipsis),
            n_of(row.n),
            show(row.p50)
        )),
        Span::styled(format!("{:>8} ", show(row.p99)), p99_style),
        Span::raw(format!("{max:>7}  ")),
        Span::styled(
            format!("{} {newest}", fit(&source, 14, look.glyphs.ellipsis)),
            look.theme.muted,
        ),
    ])
    .style(look.theme.text)
}

/// An n in the table's six cells.
fn n_of(n: usize) -> String {
    if n < 100_000 {
        count(n)
    } else {
        short_count(n)
    }
}

/// The percentiles; a p99 above the rule's limit stands out.
fn ladder(name: &str, ladder: Option<&Ladder>, limit_ms: f64, look: &Look) -> Line<'static> {
    let Some(ladder) = ladder else {
        return Line::styled(
            format!("{name:<11}no REPORT lines in the window"),
            look.theme.muted,
        );
    };
    let text = format!(
        "p50 {}  p90 {}  p95 {}  ",
        ladder.p50.text(),
        ladder.p90.text(),
        ladder.p95.text()
    );
    let slow = ladder.p99.value().is_some_and(|p99| p99 > limit_ms);
    let style = if slow {
        look.theme.warn
    } else {
        look.theme.text
    };
    Line::from(vec![
        Span::styled(format!("{name:<11}"), look.theme.accent),
        Span::styled(format!("n {:<6} ", n_of(ladder.n)), look.theme.muted),
        Span::styled(text, look.theme.text),
        Span::styled(format!("p99 {}", ladder.p99.text()), style),
    ])
}
