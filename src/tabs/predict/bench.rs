//! A latency bench while it runs and after: figures with their n, and a histogram on a log scale.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::client::bench::{Measured, Plan, Timed};
use crate::domain::latency::Ladder;
use crate::tabs::Look;
use crate::ui::panel::{notice, panel};
use crate::ui::text::{fit, ms};
use crate::ui::theme::Tone;

/// What `b` measures: ten seconds at a polite rate.
pub const PLAN: Plan = Plan {
    n: 50,
    rate: 5.0,
    warm_up: 1,
};

/// A bench on its way, or done.
#[derive(Debug, Clone, PartialEq)]
pub struct Bench {
    /// The run's number; calls of another are stale.
    pub ticket: u64,
    /// What is measured.
    pub plan: Plan,
    /// The calls that came back.
    pub calls: Vec<Timed>,
    /// Whether it still runs.
    pub running: bool,
}

impl Bench {
    /// A run that begins.
    pub const fn begin(ticket: u64, plan: Plan) -> Self {
        Self {
            ticket,
            plan,
            calls: Vec::new(),
            running: true,
        }
    }

    fn seconds(&self) -> f64 {
        self.calls
            .iter()
            .map(|call| call.at + call.response_ms / 1000.0)
            .fold(0.0, f64::max)
    }
}

/// How long the plan takes.
pub fn length(plan: &Plan) -> Duration {
    Duration::from_secs_f64(plan.n as f64 / plan.rate)
}

/// Draws the figures and the histogram.
pub fn render(bench: Option<&Bench>, area: Rect, buf: &mut Buffer, look: &Look) {
    let Some(bench) = bench else { return };
    let dot = look.glyphs.dot;
    let state = match bench.running {
        true => "Esc stops",
        false if bench.calls.len() < bench.plan.n => "stopped",
        false => "Esc closes",
    };
    let title = format!(
        " Bench {dot} {} of {} {dot} {state} ",
        bench.calls.len(),
        bench.plan.n
    );
    let inner = panel(title, false, area, buf, look);
    if bench.calls.is_empty() {
        let text = if bench.running {
            "warming up"
        } else {
            "stopped before the first call came back"
        };
        return notice(text, Tone::Muted, inner, buf, look);
    }
    let measured = Measured::of(bench.calls.clone(), bench.seconds());
    let mut lines = table(&measured, look);
    let style = if measured.failed > 0 {
        look.theme.bad
    } else {
        look.theme.muted
    };
    lines.push(Line::styled(
        format!(
            "{} failed {dot} response counts from the schedule",
            measured.failed
        ),
        style,
    ));
    lines.push(Line::default());
    let room = usize::from(inner.height).saturating_sub(lines.len());
    lines.extend(histogram(
        &measured.calls,
        room,
        usize::from(inner.width),
        look,
    ));
    for (line, y) in lines.into_iter().zip(inner.y..inner.bottom()) {
        line.render(
            Rect {
                y,
                height: 1,
                ..inner
            },
            buf,
        );
    }
}

/// A figure of a ladder, printed.
type Pick<'a> = &'a dyn Fn(&Ladder) -> String;

/// Service and response time side by side.
fn table<'a>(measured: &Measured, look: &Look) -> Vec<Line<'a>> {
    let cells = |name: &str, a: String, b: String| {
        Line::from(vec![
            Span::styled(fit(name, 6, ""), look.theme.muted),
            Span::raw(format!("{a:>11}{b:>11}")),
        ])
    };
    let head = Line::styled(
        format!("{:<6}{:>11}{:>11}", "", "service", "response"),
        look.theme.title,
    );
    let of = |ladder: &Option<Ladder>, pick: Pick| {
        ladder
            .as_ref()
            .map_or_else(|| look.glyphs.skip.to_owned(), pick)
    };
    let rows: [(&str, Pick); 7] = [
        ("n", &|ladder| ladder.n.to_string()),
        ("mean", &|ladder| ms(ladder.mean)),
        ("p50", &|ladder| ladder.p50.text()),
        ("p90", &|ladder| ladder.p90.text()),
        ("p95", &|ladder| ladder.p95.text()),
        ("p99", &|ladder| ladder.p99.text()),
        ("max", &|ladder| ms(ladder.max)),
    ];
    let body = rows.into_iter().map(|(name, pick)| {
        cells(
            name,
            of(&measured.service, pick),
            of(&measured.response, pick),
        )
    });
    [head].into_iter().chain(body).collect()
}

/// Service times in bins of equal ratio, at most `room` of them; failures apart.
fn histogram<'a>(calls: &[Timed], room: usize, cells: usize, look: &Look) -> Vec<Line<'a>> {
    let low = calls
        .iter()
        .map(|call| call.service_ms)
        .fold(f64::INFINITY, f64::min)
        .max(0.01);
    let high = calls.iter().map(|call| call.service_ms).fold(low, f64::max);
    let bins = room.min(10);
    if bins == 0 {
        return Vec::new();
    }
    let ratio = (high / low).powf(1.0 / bins as f64).max(1.0 + 1e-9);
    let mut counts = vec![(0_usize, 0_usize); bins];
    for call in calls {
        let bin = ((call.service_ms.max(low) / low).ln() / ratio.ln()) as usize;
        let count = &mut counts[bin.min(bins - 1)];
        *(if call.ok { &mut count.0 } else { &mut count.1 }) += 1;
    }
    let most = counts
        .iter()
        .map(|(ok, bad)| ok + bad)
        .max()
        .unwrap_or(1)
        .max(1);
    let width = cells.saturating_sub(15).max(1);
    let scale = |n: usize| (n * width).div_ceil(most);
    (counts.iter().enumerate())
        .map(|(bin, (ok, bad))| {
            let from = low * ratio.powi(bin as i32);
            Line::from(vec![
                Span::styled(format!("{:>8} ", ms(from)), look.theme.muted),
                Span::styled(look.glyphs.full.repeat(scale(*ok)), look.theme.accent),
                Span::styled(look.glyphs.full.repeat(scale(*bad)), look.theme.bad),
                Span::styled(
                    if ok + bad > 0 {
                        format!(" {}", ok + bad)
                    } else {
                        String::new()
                    },
                    look.theme.muted,
                ),
            ])
        })
        .collect()
}
