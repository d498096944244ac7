//! Gateway, direct invoke and local champion side by side, and the sentence that says what the differences mean.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use crate::domain::compare::{Comparison, Way};
use crate::domain::cost::{Architecture, Prices, Usage, dollars};
use crate::keys::{Action, Scope};
use crate::tabs::Look;
use crate::ui::gauge::band_style;
use crate::ui::hints::hint;
use crate::ui::panel::{below, notice, panel, title};
use crate::ui::text::{clean, fit, ms, truncate};
use crate::ui::theme::Tone;

/// A comparison on its way, or done.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparing {
    /// The request's number; answers to another are stale.
    pub ticket: u64,
    /// When it left.
    pub since: Timestamp,
    /// What came back.
    pub result: Option<Comparison>,
}

/// The way that the API's charge is paid for.
const GATEWAY: &str = "gateway";
/// Cells of the name of a line.
const NAME: usize = 8;

/// Draws the table and the verdict; the cost is that of the function's architecture, or of both while it is not known.
pub fn render(
    comparing: Option<&Comparing>,
    architecture: Option<Architecture>,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let closes = hint(Scope::Predict, Action::Back, "closes", look);
    let title = title(&[vec!["Three ways", &closes]], area, look);
    let inner = panel(title, false, area, buf, look);
    let Some(comparing) = comparing else { return };
    let Some(comparison) = &comparing.result else {
        let text = format!(
            "asking gateway, function and local model {}",
            look.spinner(comparing.since)
        );
        return notice(&text, Tone::Muted, inner, buf, look);
    };
    let ways = [
        (GATEWAY, &comparison.gateway),
        ("invoke", &comparison.invoke),
        ("local", &comparison.local),
    ];
    let column = (usize::from(inner.width).saturating_sub(NAME) / 3).min(14);
    let mut lines = vec![header(&ways, column, look)];
    lines.extend(rows(&ways, architecture, column, look));
    let rest = below(lines.len() as u16, inner);
    Text::from(lines).render(inner, buf);
    Paragraph::new(verdict(comparison, &ways, architecture, look))
        .wrap(Wrap { trim: true })
        .render(rest, buf);
}

type Named<'a> = [(&'static str, &'a Option<Way>); 3];

fn header<'a>(ways: &Named, column: usize, look: &Look) -> Line<'a> {
    let mut spans = vec![Span::raw(" ".repeat(NAME))];
    spans.extend(
        ways.iter()
            .map(|(name, _)| Span::styled(format!("{name:>column$}"), look.theme.title)),
    );
    Line::from(spans)
}

fn rows<'a>(
    ways: &Named,
    architecture: Option<Architecture>,
    column: usize,
    look: &Look,
) -> Vec<Line<'a>> {
    let none = look.glyphs.skip;
    let line = |name: &str, cell: &dyn Fn(&str, &Way) -> Option<(String, Style)>| {
        let cells = ways.map(|(which, way)| way.as_ref().and_then(|way| cell(which, way)));
        // What is told of no way needs no line: the sentence below does.
        cells.iter().flatten().next()?;
        let mut spans = vec![Span::styled(fit(name, NAME, ""), look.theme.muted)];
        for cell in cells {
            let (text, style) = cell.unwrap_or_else(|| (none.to_owned(), look.theme.muted));
            let text = truncate(&text, column.saturating_sub(1), look.glyphs.ellipsis);
            let pad = column.saturating_sub(crate::ui::text::width(&text));
            spans.push(Span::styled(format!("{}{text}", " ".repeat(pad)), style));
        }
        Some(Line::from(spans))
    };
    let plain = |text: String| Some((text, look.theme.text));
    let lines = vec![
        line("score", &|_, way| {
            way.score().map_or_else(
                || Some((look.glyphs.bad.to_owned(), look.theme.bad)),
                |score| {
                    Some((
                        format!("{score:.3}"),
                        band_style(&look.env.schema, score, look),
                    ))
                },
            )
        }),
        line("status", &|_, way| {
            way.status().and_then(|status| plain(status.to_string()))
        }),
        line("model", &|_, way| version(way).and_then(plain)),
        line("total", &|_, way| plain(ms(way.total_ms))),
        line("duration", &|_, way| {
            way.report
                .as_ref()
                .and_then(|report| plain(ms(report.duration_ms)))
        }),
        line("start", &|_, way| {
            way.report.as_ref().map(|report| match report.init_ms {
                Some(_) => ("cold".to_owned(), look.theme.cold),
                None => ("warm".to_owned(), look.theme.warm),
            })
        }),
        line("init", &|_, way| {
            way.report
                .as_ref()
                .and_then(|report| report.init_ms)
                .map(|init| (ms(init), look.theme.cold))
        }),
        line("billed", &|_, way| {
            way.report
                .as_ref()
                .and_then(|report| plain(format!("{} ms", report.billed_ms)))
        }),
        line("memory", &|_, way| {
            way.report
                .as_ref()
                .and_then(|report| plain(format!("{} MB", report.max_memory_mb)))
        }),
    ];
    let both = [Architecture::X86, Architecture::Arm];
    let asked = architecture.map_or(both.to_vec(), |known| vec![known]);
    let costs = asked.into_iter().map(|on| {
        let name = match (architecture, on) {
            (Some(_), _) => "cost/1M",
            (None, Architecture::X86) => "x86/1M",
            (None, Architecture::Arm) => "arm/1M",
        };
        line(name, &|which, way| {
            let prices = &look.env.settings.prices;
            cost(way, which == GATEWAY, on, prices).and_then(plain)
        })
    });
    lines.into_iter().chain(costs).flatten().collect()
}

fn version(way: &Way) -> Option<String> {
    way.version.clone().or_else(|| {
        way.result
            .as_ref()
            .ok()
            .and_then(|outcome| outcome.model_version())
            .map(clean)
    })
}

/// Compute and requests of a million such calls at list price, with the API's charge only where they go through it.
fn cost(
    way: &Way,
    through_gateway: bool,
    architecture: Architecture,
    prices: &Prices,
) -> Option<String> {
    let report = way.report.as_ref()?;
    let usage = Usage::of([(report.billed_ms as f64, report.memory_mb)])?;
    let cost = prices.million(&usage, architecture);
    let api = if through_gateway { cost.gateway } else { 0.0 };
    Some(dollars(cost.compute + cost.requests + api))
}

/// What the cost is made of, where there is one.
fn footnote(ways: &Named, architecture: Option<Architecture>, prices: &Prices) -> Option<String> {
    let priced =
        |(_, way): &&(&str, &Option<Way>)| way.as_ref().is_some_and(|way| way.report.is_some());
    ways.iter().find(priced)?;
    let on = architecture.map_or(String::new(), |on| format!("on {}, ", on.word()));
    Some(format!(
        "cost: {on}a direct call pays no API; prices of {}",
        clean(&prices.as_of)
    ))
}

fn verdict<'a>(
    comparison: &Comparison,
    ways: &Named,
    architecture: Option<Architecture>,
    look: &Look,
) -> Text<'a> {
    let mut lines = vec![Line::default()];
    if let Some(verdict) = comparison.verdict() {
        lines.push(Line::styled(clean(&verdict), look.theme.accent));
    }
    for (name, way) in ways {
        if let Some(fault) = way.as_ref().and_then(Way::fault) {
            lines.push(Line::styled(
                format!("{name}: {}", clean(&fault)),
                look.theme.bad,
            ));
        }
    }
    if let Some(text) = footnote(ways, architecture, &look.env.settings.prices) {
        lines.push(Line::styled(text, look.theme.muted));
    }
    Text::from(lines)
}
