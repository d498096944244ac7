//! A latency bench while it runs and after: figures with their n, and a histogram on a log scale.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::Widget;

use crate::client::bench::{Measured, Plan, Timed, Via};
use crate::domain::latency::Ladder;
use crate::domain::latency::histogram::Axis;
use crate::keys::{Action, Scope};
use crate::tabs::Look;
use crate::ui::hints::hint;
use crate::ui::panel::{notice, panel, title};
use crate::ui::text::{fit, ms};
use crate::ui::theme::Tone;

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

/// Draws the figures and the histogram.
pub fn render(bench: Option<&Bench>, area: Rect, buf: &mut Buffer, look: &Look) {
    let Some(bench) = bench else { return };
    let back = |does| hint(Scope::Predict, Action::Back, does, look);
    let state = match bench.running {
        true => back("stops"),
        false if bench.calls.len() < bench.plan.n => "stopped".to_owned(),
        false => back("closes"),
    };
    let via = match bench.plan.via {
        Via::Gateway => "gateway",
        Via::Invoke => "invoke",
    };
    let (via, done) = (
        format!("via {via}"),
        format!("{} of {}", bench.calls.len(), bench.plan.n),
    );
    let variants = [
        vec!["Bench", &via, &done, &state],
        vec!["Bench", &done, &state],
    ];
    let inner = panel(title(&variants, area, look), false, area, buf, look);
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
    lines.extend(remarks(&measured, bench.plan.via, look));
    lines.push(Line::default());
    let room = usize::from(inner.height).saturating_sub(lines.len());
    lines.extend(histogram(
        &measured.calls,
        room,
        usize::from(inner.width),
        look,
    ));
    Text::from(lines).render(inner, buf);
}

/// What else is to be said: failures, cold starts.
fn remarks<'a>(measured: &Measured, via: Via, look: &Look) -> Vec<Line<'a>> {
    let theme = look.theme;
    let failed = match &measured.failures {
        Some(failures) => Line::styled(
            format!("{} failed, max {}", measured.failed, ms(failures.max)),
            theme.bad,
        ),
        None => Line::styled("none failed", theme.muted),
    };
    let cold = match (measured.cold_starts, &measured.cold, via) {
        (Some(n), Some(cold), _) => Line::styled(
            format!("{n} cold, mean {}, max {}", ms(cold.mean), ms(cold.max)),
            theme.cold,
        ),
        (Some(_), None, _) => Line::styled("no cold start", theme.muted),
        (None, _, Via::Invoke) => Line::styled("cold or warm: not told", theme.muted),
        (None, _, Via::Gateway) => Line::styled("cold or warm: via invoke tells", theme.muted),
    };
    vec![failed, cold]
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
    let mut lines = vec![head];
    lines.extend(rows.into_iter().map(|(name, pick)| {
        cells(
            name,
            of(&measured.service, pick),
            of(&measured.response, pick),
        )
    }));
    if let Some(half) = measured.mean_plus_minus {
        let sign = look.glyphs.plus_minus;
        let interval = cells("", format!("{sign} {}", ms(half)), "(95 %)".to_owned());
        lines.insert(3, interval);
    }
    lines
}

/// What fell into one bin.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Bin {
    /// Warm, or not told.
    ok: usize,
    cold: usize,
    failed: usize,
}

/// Service times in at most `room` bins of equal ratio; cold starts and failures apart.
fn histogram<'a>(calls: &[Timed], room: usize, cells: usize, look: &Look) -> Vec<Line<'a>> {
    let bins = room.min(10);
    let Some(axis) = Axis::of(calls.iter().map(|call| call.service_ms), bins) else {
        return Vec::new();
    };
    let mut counts = vec![Bin::default(); bins];
    for call in calls {
        let bin = &mut counts[axis.bin(call.service_ms)];
        *match (call.ok, call.cold) {
            (false, _) => &mut bin.failed,
            (true, Some(true)) => &mut bin.cold,
            (true, _) => &mut bin.ok,
        } += 1;
    }
    let all = |bin: &Bin| bin.ok + bin.cold + bin.failed;
    let most = counts.iter().map(all).max().unwrap_or(1).max(1);
    let width = cells.saturating_sub(15).max(1);
    let bar = |n: usize| look.glyphs.full.repeat((n * width).div_ceil(most));
    let theme = look.theme;
    (counts.iter().enumerate())
        .map(|(i, bin)| {
            let n = all(bin);
            let count = if n > 0 {
                format!(" {n}")
            } else {
                String::new()
            };
            Line::from(vec![
                Span::styled(format!("{:>8} ", ms(axis.edge(i))), theme.muted),
                Span::styled(bar(bin.ok), theme.accent),
                Span::styled(bar(bin.cold), theme.cold),
                Span::styled(bar(bin.failed), theme.bad),
                Span::styled(count, theme.muted),
            ])
        })
        .collect()
}
