//! The spread of latencies on a log scale, cold and warm apart, and p50, p99, volume and errors over time.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::Lambda;
use crate::domain::latency::histogram::Bin;
use crate::domain::latency::millis;
use crate::domain::latency::series::Bucket;
use crate::domain::metrics::{Point, Snapshot};
use crate::domain::reckoning::{Figures, Room};
use crate::tabs::Look;
use crate::ui::panel::notice;
use crate::ui::text::{clean, count, short_count};
use crate::ui::theme::Tone;

/// Width of the labels left of a chart: a name and a number below ten thousand, and a gap.
const LABEL: u16 = 13;

/// One row of the time axis' charts.
struct Row {
    name: &'static str,
    values: Vec<(f64, Style)>,
    show: fn(f64) -> String,
}

/// How much there is room for inside the pane.
pub fn room(area: Rect) -> Room {
    Room {
        columns: usize::from(area.width.saturating_sub(LABEL)),
        bins: usize::from(area.height / 2).clamp(4, 14),
    }
}

/// Draws the pane: the series above, the histogram below when there is room.
pub fn render(tab: &Lambda, area: Rect, buf: &mut Buffer, look: &Look) {
    let Some(figures) = &tab.figures else {
        return notice("working the figures out …", Tone::Muted, area, buf, look);
    };
    let rows = rows(tab, figures, room(area).columns, look);
    if rows.is_empty() {
        let text = tab
            .reports_note(look.now.wall.as_millisecond())
            .unwrap_or_else(|| format!("no REPORT line in the last {}", figures.window.label()));
        notice(&clean(&text), Tone::Muted, area, buf, look);
        return;
    }
    if figures.spread.is_empty() {
        over_time(figures, &rows, area, buf, look);
        return;
    }
    let height = figures.spread.len() as u16 + 1;
    let [top, below] =
        Layout::vertical([Constraint::Min(6), Constraint::Length(height)]).areas(area);
    over_time(figures, &rows, top, buf, look);
    spread(&figures.spread, below, buf, look);
}

/// What the log and the gateway tell over time; failures only where there are some.
fn rows(tab: &Lambda, figures: &Figures, width: usize, look: &Look) -> Vec<Row> {
    let calls: fn(f64) -> String = |v| short_count(v as usize);
    let plain = look.theme.accent;
    let mut rows = Vec::new();
    let logged = !figures.series.is_empty();
    if logged {
        // The terminal may have another size than when the figures were asked for: for a moment they are stretched.
        let buckets: Vec<&Bucket> = (0..width)
            .filter_map(|column| figures.series.get(column * figures.series.len() / width))
            .collect();
        let mut row = |name, show, pick: &dyn Fn(&Bucket) -> (f64, Style)| {
            let values = buckets.iter().map(|bucket| pick(bucket)).collect();
            rows.push(Row { name, values, show });
        };
        row("p99", millis, &|b| {
            (b.p99.unwrap_or(0.0), style_of(b, look))
        });
        row("p50", millis, &|b| (b.p50.unwrap_or(0.0), plain));
        row("calls", calls, &|b| (b.n as f64, style_of(b, look)));
        if buckets.iter().any(|b| b.failed > 0) {
            row("failed", calls, &|b| (b.failed as f64, look.theme.bad));
        }
    }
    let Some(snapshot) = tab.snapshot.known() else {
        return rows;
    };
    let mut gateway = |name, style, pick: fn(&Point) -> Option<f64>| {
        let seconds = figures.window.seconds();
        let values = columns_of(snapshot, pick, seconds, figures.now_ms, width);
        if values.iter().any(|v| *v > 0.0) {
            let values = values.into_iter().map(|v| (v, style)).collect();
            let show = calls;
            rows.push(Row { name, values, show });
        }
    };
    // The function's own lines say how much there was, unless no call reached it.
    if !logged {
        gateway("reqs", plain, |p| p.count);
    }
    gateway("gw 5xx", look.theme.bad, |p| p.server_errors);
    rows
}

/// The gateway's points on the columns of the time axis: each column shows the period that it lies in.
fn columns_of(
    snapshot: &Snapshot,
    pick: fn(&Point) -> Option<f64>,
    seconds: i64,
    now_ms: i64,
    width: usize,
) -> Vec<f64> {
    let (span, period) = (seconds * 1000, snapshot.period_s * 1000);
    let value = |column: usize| {
        let middle = now_ms - span + span * (2 * column as i64 + 1) / (2 * width as i64);
        let within = |p: &&Point| (p.at_ms..p.at_ms + period).contains(&middle);
        let point = snapshot.points.iter().find(within);
        point.and_then(pick).unwrap_or(0.0)
    };
    (0..width).map(value).collect()
}

fn over_time(figures: &Figures, rows: &[Row], area: Rect, buf: &mut Buffer, look: &Look) {
    if area.width < LABEL + 8 || area.height < 4 {
        return;
    }
    let [charts, axis] = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(area);
    let shares = vec![Constraint::Fill(1); rows.len()];
    for (row, place) in rows
        .iter()
        .zip(Layout::vertical(shares).split(charts).iter())
    {
        columns(row, *place, buf, look);
    }
    time_axis(figures, axis, buf, look);
}

/// Failures stand out, then cold starts.
fn style_of(bucket: &Bucket, look: &Look) -> Style {
    match bucket {
        b if b.failed > 0 => look.theme.bad,
        b if b.cold > 0 => look.theme.cold,
        _ => look.theme.accent,
    }
}

/// Columns of eighths, as high as the area, with name and maximum on the left.
fn columns(row: &Row, area: Rect, buf: &mut Buffer, look: &Look) {
    let Row { name, values, show } = row;
    let top = values.iter().map(|(v, _)| *v).fold(0.0, f64::max);
    if area.is_empty() {
        return;
    }
    buf.set_stringn(area.x, area.y, name, usize::from(LABEL), look.theme.muted);
    if area.height > 1 {
        buf.set_stringn(
            area.x,
            area.y + 1,
            show(top),
            usize::from(LABEL - 1),
            look.theme.text,
        );
    } else {
        let text = format!("{name} {}", show(top));
        buf.set_stringn(
            area.x,
            area.y,
            text,
            usize::from(LABEL - 1),
            look.theme.muted,
        );
    }
    let steps = u32::from(area.height) * 8;
    for (index, (value, style)) in values.iter().enumerate() {
        let x = area.x + LABEL + index as u16;
        if top <= 0.0 || *value <= 0.0 || x >= area.right() {
            continue;
        }
        let mut level = ((value / top * f64::from(steps)).ceil() as u32).clamp(1, steps);
        for row in (0..area.height).rev() {
            let here = level.min(8);
            if here == 0 {
                break;
            }
            buf.set_string(x, area.y + row, look.glyphs.bars[here as usize - 1], *style);
            level -= here;
        }
    }
}

/// Times relative to now, the same in every time zone; figures that were worked out a while ago end where they end.
fn time_axis(figures: &Figures, area: Rect, buf: &mut Buffer, look: &Look) {
    let seconds = figures.window.seconds();
    let age = (look.now.wall.as_millisecond() - figures.now_ms).max(0) / 1000;
    let half = (area.width - LABEL) / 2;
    for (x, before) in [(LABEL, seconds), (LABEL + half, seconds / 2)] {
        let label = ago(before + age);
        buf.set_stringn(area.x + x, area.y, label, 8, look.theme.muted);
    }
    let column = seconds / i64::from(area.width - LABEL).max(1);
    let end = if age > column.max(2) {
        ago(age)
    } else {
        "now".to_owned()
    };
    let x = area.right().saturating_sub(end.len() as u16);
    buf.set_stringn(x, area.y, &end, 8, look.theme.muted);
}

fn ago(seconds: i64) -> String {
    match seconds {
        s if s < 120 => format!("-{s}s"),
        s if s < 7_200 => format!("-{}m", s / 60),
        s if s < 172_800 => format!("-{}h", s / 3600),
        s => format!("-{:.1}d", s as f64 / 86_400.0),
    }
}

fn spread(bins: &[Bin], area: Rect, buf: &mut Buffer, look: &Look) {
    let most = bins.iter().map(Bin::count).max().unwrap_or(0).max(1);
    let room = usize::from(area.width).saturating_sub(28);
    let mut lines = vec![Line::from(vec![
        Span::styled("duration + init, log scale  ", look.theme.muted),
        Span::styled(look.glyphs.full, look.theme.warm),
        Span::styled(" warm  ", look.theme.muted),
        Span::styled(look.glyphs.cold, look.theme.cold),
        Span::styled(" cold", look.theme.muted),
    ])];
    lines.extend(bins.iter().map(|bin| bar(bin, most, room, look)));
    Paragraph::new(lines).render(area, buf);
}

fn bar(bin: &Bin, most: usize, room: usize, look: &Look) -> Line<'static> {
    let cells = |n: usize| (n * room).div_ceil(most).min(room);
    let cold = if bin.cold > 0 {
        cells(bin.cold).max(1)
    } else {
        0
    };
    let warm = cells(bin.warm).min(room.saturating_sub(cold));
    Line::from(vec![
        Span::styled(
            format!("{:>8} – {:<8} ", millis(bin.low_ms), millis(bin.high_ms)),
            look.theme.muted,
        ),
        Span::styled(look.glyphs.full.repeat(warm), look.theme.warm),
        Span::styled(look.glyphs.cold.repeat(cold), look.theme.cold),
        Span::styled(
            if bin.count() > 0 {
                format!(" {}", count(bin.count()))
            } else {
                String::new()
            },
            look.theme.text,
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::text::width;

    #[test]
    fn no_label_is_cut() {
        for n in [0, 9_999, 10_000, 999_499, 999_500, 99_900_000] {
            let label = format!("gw 5xx {}", short_count(n));
            assert!(width(&label) < usize::from(LABEL), "{label}");
        }
        for ms in [0.4, 186.0, 1_450.0, 59_000.0] {
            let label = format!("p99 {}", millis(ms));
            assert!(width(&label) < usize::from(LABEL), "{label}");
        }
    }
}
