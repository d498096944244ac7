//! Live figures over the last minutes: latency, errors, cold starts.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::domain::invocation::Figures;
use crate::tabs::Look;
use crate::ui::text::{count, percent};

/// Windows of the live figures, minutes.
pub const WINDOWS: [i64; 3] = [1, 5, 15];

/// The figures of as many windows as fit, the five minutes first of all.
///
/// With a pattern at CloudWatch they are only about what passes it, and say so.
pub fn figures(
    windows: &[Figures; 3],
    is_filtered: bool,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let label = if is_filtered {
        " of what passes the pattern "
    } else {
        ""
    };
    Line::styled(label, look.theme.warn).render(area, buf);
    let taken = (label.len() as u16).min(area.width);
    let area = Rect {
        x: area.x + taken,
        width: area.width - taken,
        ..area
    };
    let lines: Vec<Line> = WINDOWS
        .iter()
        .zip(windows)
        .map(|(minutes, figures)| Line::from(window(*minutes, figures, look)))
        .collect();
    let mut room = usize::from(area.width);
    let mut shown = [false; 3];
    for at in [1, 2, 0] {
        if lines[at].width() > room {
            break;
        }
        room -= lines[at].width();
        shown[at] = true;
    }
    shown[1] = true;
    let spans = lines
        .into_iter()
        .zip(shown)
        .filter(|(_, shown)| *shown)
        .flat_map(|(line, _)| line.spans);
    spans.collect::<Line>().render(area, buf);
}

fn window(minutes: i64, figures: &Figures, look: &Look) -> Vec<Span<'static>> {
    let theme = look.theme;
    let mut spans = vec![Span::styled(format!(" {minutes:>2} min  "), theme.accent)];
    let Some(ladder) = figures.duration else {
        spans.push(Span::styled("no request finished  ", theme.muted));
        return spans;
    };
    let mut figure = |name: &str, value: String, style| {
        spans.push(Span::styled(format!("{name} "), theme.muted));
        spans.push(Span::styled(format!("{value}  "), style));
    };
    figure("n", count(figures.n), theme.text);
    figure("p50", ladder.p50.text(), theme.text);
    figure("p95", ladder.p95.text(), theme.text);
    figure("p99", ladder.p99.text(), theme.text);
    let rate = figures.error_rate().unwrap_or(0.0);
    let tone = if rate > 0.01 {
        theme.bad
    } else if rate > 0.0 {
        theme.warn
    } else {
        theme.good
    };
    figure("err", percent(rate), tone);
    figure(
        "cold",
        percent(figures.cold_share().unwrap_or(0.0)),
        theme.cold,
    );
    spans
}
