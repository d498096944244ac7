//! The answer on screen: score, gauge, contract, phases; or a failure that ends in what to press next.

use std::fmt::Write as _;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use crate::client::predict::Reply;
use crate::client::wire::{Exchange, Phases};
use crate::domain::prediction::{Contract, Next, Outcome, Prediction};
use crate::domain::report::Report;
use crate::history::Entry;
use crate::keys::{Action, Scope};
use crate::tabs::{self, Look};
use crate::ui::gauge::{band_style, gauge};
use crate::ui::hints::hint;
use crate::ui::panel::{notice, panel, title};
use crate::ui::text::{age, bytes, clean, fit, fitting, ms, truncate};
use crate::ui::theme::Tone;

/// The latest answer.
#[derive(Debug, Clone)]
pub struct Shown {
    /// As remembered.
    pub entry: Entry,
    /// The answer, or why there is none.
    pub reply: Result<Box<Reply>, String>,
    /// The score before this one.
    pub previous: Option<f64>,
    /// Its REPORT line, once the log tells which one it is.
    pub report: Option<Report>,
}

/// Draws the answer, what is awaited, or what to do first.
pub fn render(
    shown: Option<&Shown>,
    waiting: Option<Timestamp>,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let cancels = hint(Scope::Predict, Action::Back, "cancels", look);
    let (state, more) = match (waiting, shown) {
        (Some(since), _) => {
            let spinner = look.spinner(since);
            let state = format!("waiting {}{spinner}", since_when(since, look));
            (state.trim_end().to_owned(), cancels)
        }
        (None, Some(shown)) => (
            elsewhere(&shown.entry, look).unwrap_or_default(),
            age(shown.entry.at, look.now.wall),
        ),
        (None, None) => (String::new(), String::new()),
    };
    let title = title(&[vec!["Answer", &state, &more]], area, look);
    let inner = panel(title, false, area, buf, look);
    let Some(shown) = shown else {
        let text = if waiting.is_some() {
            "waiting for the answer".to_owned()
        } else {
            let sends = hint(Scope::Predict, Action::Submit, "sends the request", look);
            format!("{sends};\nits score and its timing\nwill stand here")
        };
        notice(&text, Tone::Muted, inner, buf, look);
        return;
    };
    match &shown.reply {
        Err(error) => unreachable(error, inner, buf, look),
        Ok(reply) => match &reply.outcome {
            Outcome::Predicted(prediction) => {
                predicted(prediction, shown, &reply.exchange, inner, buf, look);
            }
            Outcome::Broken(contract) => broken(contract, shown, &reply.exchange, inner, buf, look),
            Outcome::Failed(failure) => failed(
                (&failure.to_string(), failure.next),
                shown,
                &reply.exchange,
                inner,
                buf,
                look,
            ),
        },
    }
}

/// The target an answer came from, where it is not the one we are connected to.
fn elsewhere(entry: &Entry, look: &Look) -> Option<String> {
    let (session, _) = look.env.session.value()?;
    (entry.target != session.target).then(|| clean(&entry.target))
}

/// The seconds waited so far; nothing in the first.
fn since_when(since: Timestamp, look: &Look) -> String {
    let seconds = look.now.wall.duration_since(since).as_secs();
    if seconds < 1 {
        String::new()
    } else {
        format!("{seconds} s ")
    }
}

fn predicted(
    prediction: &Prediction,
    shown: &Shown,
    exchange: &Exchange,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let schema = &look.env.schema;
    let style = band_style(schema, prediction.score, look);
    let mut spans = vec![
        Span::styled(
            format!("{:.3}", prediction.score),
            style.add_modifier(Modifier::BOLD),
        ),
        Span::raw("  "),
        Span::styled(
            format!(" {} ", prediction.band),
            style.add_modifier(Modifier::REVERSED | Modifier::BOLD),
        ),
    ];
    let used: usize = spans.iter().map(Span::width).sum();
    let room = usize::from(area.width).saturating_sub(used);
    spans.extend(delta(shown.previous, prediction.score, room, look));
    let mut pen = Pen { area, buf };
    pen.line(Line::from(spans));
    pen.block(2, |rect, buf| {
        gauge(schema, Some(prediction.score), rect, buf, look);
    });
    pen.line(status(exchange, prediction.model_version.as_deref(), look));
    for line in contract_lines(&prediction.contract, usize::from(area.width), look) {
        pen.line(line);
    }
    pen.gap(9);
    trace(exchange, shown.report.as_ref(), &mut pen, look);
}

fn broken(
    contract: &Contract,
    shown: &Shown,
    exchange: &Exchange,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let mut pen = Pen { area, buf };
    pen.line(Line::styled(
        format!("{} 200 but not a prediction", look.glyphs.bad),
        look.theme.bad,
    ));
    for fault in contract.faults() {
        pen.text(&clean(fault), look.theme.text);
    }
    pen.line(next_line(Next::Doctor, look));
    pen.gap(9);
    pen.line(status(exchange, None, look));
    trace(exchange, shown.report.as_ref(), &mut pen, look);
}

fn failed(
    (message, next): (&str, Next),
    shown: &Shown,
    exchange: &Exchange,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let mut pen = Pen { area, buf };
    let (head, rest) = message.split_once(": ").unwrap_or((message, ""));
    pen.line(Line::styled(
        format!("{} {head}", look.glyphs.bad),
        look.theme.bad,
    ));
    pen.text(&clean(rest), look.theme.text);
    pen.line(next_line(next, look));
    pen.gap(9);
    pen.line(status(exchange, None, look));
    trace(exchange, shown.report.as_ref(), &mut pen, look);
}

fn unreachable(error: &str, area: Rect, buf: &mut Buffer, look: &Look) {
    let mut pen = Pen { area, buf };
    pen.line(Line::styled(
        format!("{} no answer", look.glyphs.bad),
        look.theme.bad,
    ));
    pen.text(&clean(error), look.theme.text);
    pen.line(next_line(Next::Doctor, look));
}

/// What to press next, with the key as it is bound.
fn next_line<'a>(next: Next, look: &Look) -> Line<'a> {
    let global = |action| look.keymap.key(Scope::Global, action);
    let key = match next {
        Next::Doctor => global(Action::Doctor),
        Next::Logs => tabs::figure(Scope::Logs),
        Next::Fields => look.keymap.key(Scope::Global, Action::Up),
        Next::Target => global(Action::Target),
        Next::Retry => global(Action::Submit),
    };
    Line::from(vec![
        Span::raw("press "),
        Span::styled(key, look.theme.key),
        Span::raw(format!(": {}", next.advice())),
    ])
}

fn delta<'a>(previous: Option<f64>, score: f64, cells: usize, look: &Look) -> Option<Span<'a>> {
    let change = score - previous?;
    let variants = if change.abs() < 5e-4 {
        vec!["  =  as before".to_owned()]
    } else {
        vec![
            format!("  {change:+.3} to the last"),
            format!("  {change:+.3}"),
        ]
    };
    Some(Span::styled(fitting(&variants, cells), look.theme.muted))
}

fn status<'a>(exchange: &Exchange, version: Option<&str>, look: &Look) -> Line<'a> {
    let ok = exchange.status == 200;
    let (sign, style) = if ok {
        (look.glyphs.ok, look.theme.good)
    } else {
        (look.glyphs.bad, look.theme.bad)
    };
    let dot = look.glyphs.dot;
    let mut text = format!(
        " {} {dot} {}",
        exchange.status,
        bytes(exchange.body.len() as u64)
    );
    if let Some(version) = version {
        let _ = write!(text, " {dot} model {}", clean(version));
    }
    Line::from(vec![Span::styled(sign, style), Span::raw(text)])
}

fn contract_lines<'a>(contract: &Contract, cells: usize, look: &Look) -> Vec<Line<'a>> {
    let mut spans = Vec::new();
    for check in &contract.checks {
        let (sign, style) = if check.fault.is_none() {
            (look.glyphs.ok, look.theme.good)
        } else {
            (look.glyphs.bad, look.theme.bad)
        };
        spans.push(Span::styled(sign, style));
        spans.push(Span::raw(format!(" {}  ", check.name)));
    }
    let notes = contract.notes.iter().map(|note| {
        Line::styled(
            truncate(
                &format!("{} {}", look.glyphs.warn, clean(note)),
                cells,
                look.glyphs.ellipsis,
            ),
            look.theme.warn,
        )
    });
    [Line::from(spans)].into_iter().chain(notes).collect()
}

/// The waterfall and what it went over.
fn trace(exchange: &Exchange, report: Option<&Report>, pen: &mut Pen, look: &Look) {
    let cells = usize::from(pen.area.width);
    for line in waterfall(&exchange.phases, cells, look) {
        pen.line(line);
    }
    let connection = &exchange.connection;
    let dot = look.glyphs.dot;
    let mut over = format!(
        "{} {dot} {}",
        if connection.fresh {
            "fresh connection"
        } else {
            "reused connection"
        },
        exchange.version
    );
    if let Some(days) = connection.certificate_days {
        let _ = write!(over, " {dot} certificate {days} d");
    }
    pen.text(&over, look.theme.muted);
    pen.text(
        &format!(
            "{} {dot} {}",
            connection.remote,
            exchange
                .request_id()
                .map_or("no request id".to_owned(), clean)
        ),
        look.theme.muted,
    );
    if let Some(report) = report {
        let handler = ms(report.duration_ms);
        let (variants, style) = match report.init_ms.or(report.restore_ms).map(ms) {
            Some(init) => (
                vec![
                    format!("cold start: init {init}, handler {handler} (REPORT line)"),
                    format!("cold: init {init} + {handler} (log)"),
                ],
                look.theme.cold,
            ),
            None => (
                vec![format!("warm: handler {handler} (log)")],
                look.theme.warm,
            ),
        };
        pen.line(Line::styled(fitting(&variants, cells), style));
    } else if let Some(remark) = cold_or_warm(cells, look) {
        pen.line(Line::styled(remark, look.theme.muted));
    }
}

/// The gateway's request id is not Lambda's: unless the log puts both together, nothing says whether the call was a cold
/// start.
fn cold_or_warm(cells: usize, look: &Look) -> Option<String> {
    let (session, _) = look.env.session.value()?;
    if session.function.is_empty() {
        return None;
    }
    let key = look.keymap.key(Scope::Predict, Action::Compare);
    let variants = [
        format!("cold or warm: the gateway does not tell; {key} asks Lambda"),
        format!("cold or warm: {key} asks Lambda"),
    ];
    Some(fitting(&variants, cells))
}

/// One line per phase, each bar starting where the one before ended; "–" for what did not happen.
fn waterfall<'a>(phases: &Phases, cells: usize, look: &Look) -> Vec<Line<'a>> {
    let room = cells.saturating_sub(15).max(1);
    let scale = |time: f64| (time / phases.total.max(1e-6) * room as f64).round() as usize;
    let mut start = 0.0;
    let mut lines: Vec<Line> = Vec::new();
    for (name, phase) in phases.named() {
        let label = Span::styled(fit(name, 5, ""), look.theme.text);
        let Some(took) = phase else {
            lines.push(Line::from(vec![
                label,
                Span::styled(format!("{:>8}", look.glyphs.skip), look.theme.muted),
            ]));
            continue;
        };
        let from = scale(start).min(room - 1);
        let length = scale(took).clamp(1, room - from);
        start += took;
        let style = if name == "wait" {
            look.theme.accent
        } else {
            look.theme.info
        };
        lines.push(Line::from(vec![
            label,
            Span::raw(format!("{:>8}  ", ms(took))),
            Span::raw(" ".repeat(from)),
            Span::styled(look.glyphs.full.repeat(length), style),
        ]));
    }
    let total = format!("{:>8}", ms(phases.total));
    lines.push(Line::from(vec![
        Span::styled("total", look.theme.title),
        Span::styled(total, look.theme.title),
    ]));
    lines
}

/// Draws downwards until there is no more room.
struct Pen<'a> {
    area: Rect,
    buf: &'a mut Buffer,
}

impl Pen<'_> {
    fn line(&mut self, line: Line) {
        self.block(1, |rect, buf| line.render(rect, buf));
    }

    /// Wrapped text.
    fn text(&mut self, text: &str, style: ratatui::style::Style) {
        if text.is_empty() {
            return;
        }
        let paragraph =
            Paragraph::new(Text::styled(text.to_owned(), style)).wrap(Wrap { trim: true });
        let height = wrapped(text, usize::from(self.area.width)) as u16;
        self.block(height, |rect, buf| paragraph.render(rect, buf));
    }

    /// An empty line, if that still leaves `needed` lines.
    fn gap(&mut self, needed: u16) {
        if self.area.height > needed {
            self.block(1, |_, _| {});
        }
    }

    fn block(&mut self, height: u16, draw: impl FnOnce(Rect, &mut Buffer)) {
        let height = height.min(self.area.height);
        if height == 0 {
            return;
        }
        draw(
            Rect {
                height,
                ..self.area
            },
            self.buf,
        );
        self.area.y += height;
        self.area.height -= height;
    }
}

/// Lines that a text takes when wrapped between words.
fn wrapped(text: &str, cells: usize) -> usize {
    let cells = cells.max(1);
    let (mut lines, mut used) = (1, 0);
    for word in text.split_whitespace() {
        let word = crate::ui::text::width(word);
        let wanted = if used == 0 { word } else { used + 1 + word };
        if wanted <= cells {
            used = wanted;
            continue;
        }
        lines += usize::from(used > 0) + word.saturating_sub(1) / cells;
        used = (word - 1) % cells + 1;
    }
    lines
}
