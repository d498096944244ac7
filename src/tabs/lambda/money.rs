//! Cold starts, what it costs, and how much of the error budget is left.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Lambda;
use crate::domain::cost::dollars;
use crate::domain::latency::millis;
use crate::domain::slo::BURN_ALERTS;
use crate::domain::vitals::{BudgetLine, CostLines, Failures, Vitals};
use crate::tabs::Look;
use crate::ui::text::{clean, count, width, wrap};

/// Rows of the pane.
pub const ROWS: u16 = 14;
/// Cells of the labels.
const LABEL: usize = 12;

/// The pane's lines.
pub fn lines(tab: &Lambda, cells: u16, look: &Look) -> Vec<Line<'static>> {
    let Some(vitals) = tab.vitals() else {
        return Vec::new();
    };
    let page = Page {
        room: usize::from(cells),
        look,
    };
    let trouble = tab.reports_trouble.as_deref();
    let none = clean(trouble.unwrap_or("no REPORT lines in the window"));
    let mut lines = cold(vitals, &none, &page);
    match &vitals.cost {
        Some(costs) => lines.extend(cost(costs, tab.free_tier, &page)),
        None => lines.extend(page.said("cost", "–", &none)),
    }
    lines.extend(failures(&vitals.failures, &page));
    if let Some(line) = &vitals.budget {
        lines.extend(budget(line, &page));
    } else {
        let lamp = vitals.strip.iter().find(|v| v.label == "error budget");
        let why = lamp.map_or_else(String::new, |v| clean(&v.why));
        lines.extend(page.said("99.9 %", "–", &why));
    }
    lines
}

/// How wide the pane is, and how it looks.
struct Page<'a> {
    room: usize,
    look: &'a Look<'a>,
}

impl Page<'_> {
    /// A label, a figure, and what it rests on: beside it, or below where there is no room.
    fn said(&self, label: &str, figure: &str, note: &str) -> Vec<Line<'static>> {
        self.styled(label, figure, self.look.theme.accent, note)
    }

    fn styled(&self, label: &str, figure: &str, style: Style, note: &str) -> Vec<Line<'static>> {
        let muted = self.look.theme.muted;
        let mut line = vec![
            Span::styled(format!("{label:<LABEL$} "), muted),
            Span::styled(figure.to_owned(), style),
        ];
        if LABEL + 1 + width(figure) + 2 + width(note) <= self.room {
            line.push(Span::styled(format!("  {note}"), muted));
            return vec![Line::from(line)];
        }
        let below = self.below(note);
        [Line::from(line)].into_iter().chain(below).collect()
    }

    /// What stands below a figure, in as many lines as it takes.
    fn below(&self, note: &str) -> Vec<Line<'static>> {
        let lines = wrap(note, self.room.saturating_sub(LABEL + 1));
        let line = |text| Line::styled(format!("{:LABEL$} {text}", ""), self.look.theme.muted);
        lines.into_iter().map(line).collect()
    }
}

fn cold(vitals: &Vitals, none: &str, page: &Page) -> Vec<Line<'static>> {
    let cold = &vitals.cold;
    let Some(rate) = cold.rate() else {
        return page.said("cold starts", "–", none);
    };
    let share = cold.share_of_p99.map_or_else(String::new, |s| {
        format!(" · {:.0} % of the p99 tail", s * 100.0)
    });
    let mut lines = page.said(
        "cold starts",
        &format!("{:.1} %", rate * 100.0),
        &format!("{} of {} calls{share}", cold.cold, count(cold.n)),
    );
    let timeouts = match cold.init_timeouts {
        0 => String::new(),
        n => format!(" · {n} timed out"),
    };
    if let Some(init) = cold.init {
        let figure = format!("p50 {} · max {}", init.p50.text(), millis(init.max));
        lines.extend(page.said("init", &figure, &format!("n {}{timeouts}", init.n)));
    } else if cold.init_timeouts > 0 {
        lines.extend(page.said("init", "–", &timeouts));
    }
    if let Some(idle) = cold.longest_idle_s {
        lines.extend(page.below(&format!("longest pause before a cold one {}", pause(idle))));
    }
    lines
}

fn pause(seconds: f64) -> String {
    if seconds < 120.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{:.0} min", seconds / 60.0)
    }
}

fn cost(cost: &CostLines, free_tier: bool, page: &Page) -> Vec<Line<'static>> {
    let million = &cost.million;
    let parts = format!(
        "{} compute, {} calls, {} API",
        dollars(million.compute),
        dollars(million.requests),
        dollars(million.gateway)
    );
    let (month, even, kind) = if free_tier {
        (
            cost.month_free_tier,
            cost.break_even_free_tier,
            "with the free tier",
        )
    } else {
        (cost.month, cost.break_even, "list price")
    };
    let even = even.map_or("never".to_owned(), |calls| {
        format!("{:.2} M calls", calls / 1e6)
    });
    let mut lines = page.said("per 1M calls", &dollars(million.total()), &parts);
    lines.extend(page.said(
        "a month",
        &dollars(month.total()),
        &format!("{:.2} M calls, {kind}", cost.month_calls / 1e6),
    ));
    let reach = format!("a month cost {}", dollars(cost.fixed_monthly));
    lines.extend(page.said("break-even", &even, &reach));
    let arm = million.total() - cost.million_arm.total();
    if arm > 0.005 {
        let total = dollars(cost.million_arm.total());
        let less = format!("per 1M calls, {} less", dollars(arm));
        lines.extend(page.said("on arm64", &total, &less));
    }
    lines.extend(page.below(&format!(
        "{}, billed {:.0} ms, n {}, prices of {}",
        cost.priced_on(),
        cost.usage.billed_ms,
        count(cost.usage.n),
        clean(&cost.prices_as_of)
    )));
    lines
}

/// `gateway 40 of 206 · Lambda 40 of 206 · log 43 of 210`.
fn failures(rows: &[Failures], page: &Page) -> Vec<Line<'static>> {
    let bad = |f: &&Failures| f.failed > 0.0;
    let style = if rows.iter().any(|f| bad(&f)) {
        page.look.theme.bad
    } else {
        page.look.theme.good
    };
    let Some(first) = rows.iter().find(bad).or(rows.first()) else {
        return page.said("failures", "–", "nothing counted yet");
    };
    let rest = rows.iter().filter(|row| *row != first);
    let rest: Vec<String> = rest.map(Failures::sentence).collect();
    page.styled("failures", &first.sentence(), style, &rest.join(" · "))
}

fn budget(budget: &BudgetLine, page: &Page) -> Vec<Line<'static>> {
    let left = budget.left();
    let [burn_1h, burn_6h] = budget.burns();
    let style = match (budget.paging, budget.remaining) {
        (Some(_), _) => page.look.theme.bad,
        (None, Some(r)) if r <= 0.0 => page.look.theme.bad,
        _ => page.look.theme.good,
    };
    let failed = format!(
        "gateway 5xx 30 d: {:.0} of {}",
        budget.bad,
        count(budget.valid as usize)
    );
    let note = budget.low_n.clone().unwrap_or(failed);
    let mut lines = page.styled("99.9 %", &left, style, &note);
    let rates = format!("1 h {burn_1h} · 6 h {burn_6h}");
    let pages = format!("pages: {}, {}", BURN_ALERTS[0].rate, BURN_ALERTS[1].rate);
    let pages = match budget.gone() {
        Some(gone) => format!("{pages} · {gone}"),
        None => pages,
    };
    lines.extend(page.said("burn", &rates, &pages));
    lines
}
