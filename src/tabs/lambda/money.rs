//! Cold starts, what it costs, and how much of the error budget is left.

use ratatui::text::{Line, Span};

use super::Lambda;
use crate::domain::cost::dollars;
use crate::domain::latency::millis;
use crate::domain::slo::BURN_ALERTS;
use crate::domain::vitals::{BudgetLine, CostLines, Vitals};
use crate::tabs::Look;
use crate::ui::text::count;

/// Rows of the pane.
pub const ROWS: u16 = 12;

/// The pane's lines.
pub fn lines(tab: &Lambda, look: &Look) -> Vec<Line<'static>> {
    let Some(vitals) = &tab.vitals else {
        return Vec::new();
    };
    let mut lines = cold(vitals, look);
    lines.push(Line::default());
    match &vitals.cost {
        Some(costs) => lines.extend(cost(costs, tab.free_tier, look)),
        None => lines.push(Line::styled(
            "cost: no REPORT lines in the window",
            look.theme.muted,
        )),
    }
    lines.push(Line::default());
    match &vitals.budget {
        Some(line) => lines.extend(budget(line, look)),
        None => lines.push(Line::styled(
            "objective: no gateway metrics",
            look.theme.muted,
        )),
    }
    lines
}

fn said(label: &str, figure: String, note: String, look: &Look) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!("{label:<12} "), look.theme.muted),
        Span::styled(figure, look.theme.accent),
        Span::styled(format!("  {note}"), look.theme.muted),
    ])
}

fn cold(vitals: &Vitals, look: &Look) -> Vec<Line<'static>> {
    let cold = &vitals.cold;
    let Some(rate) = cold.rate() else {
        return vec![Line::styled(
            "cold starts: no REPORT lines in the window",
            look.theme.muted,
        )];
    };
    let init = cold.init.map_or("–".to_owned(), |l| {
        format!("p50 {} · max {}", l.p50.text(), millis(l.max))
    });
    let share = cold.share_of_p99.map_or("–".to_owned(), |s| {
        format!("{:.0} % of calls at or above p99", s * 100.0)
    });
    let idle = cold.longest_idle_s.map_or(String::new(), |s| {
        format!(" · longest pause before {}", pause(s))
    });
    vec![
        said(
            "cold starts",
            format!("{:.1} %", rate * 100.0),
            format!("{} of {} calls", cold.cold, count(cold.n)),
            look,
        ),
        said("init", init, share, look),
        Line::styled(
            format!("{:13}{} init timeouts{idle}", "", cold.init_timeouts),
            look.theme.muted,
        ),
    ]
}

fn pause(seconds: f64) -> String {
    if seconds < 120.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{:.0} min", seconds / 60.0)
    }
}

fn cost(cost: &CostLines, free_tier: bool, look: &Look) -> Vec<Line<'static>> {
    let million = &cost.million;
    let parts = format!(
        "= {} compute + {} calls + {} gateway",
        dollars(million.compute),
        dollars(million.requests),
        dollars(million.gateway)
    );
    let (month, kind) = if free_tier {
        (cost.month_free_tier, "with the free tier")
    } else {
        (cost.month, "list price")
    };
    let even = cost.break_even.map_or("never".to_owned(), |calls| {
        format!("{:.2} M calls", calls / 1e6)
    });
    let arm = cost.million.total() - cost.million_arm.total();
    let arm = if arm > 0.005 {
        format!(" · arm64 −{}/1M", dollars(arm))
    } else {
        String::new()
    };
    vec![
        said("per 1M calls", dollars(million.total()), parts, look),
        said(
            "a month",
            dollars(month.total()),
            format!("{:.2} M calls, {kind}", cost.month_calls / 1e6),
            look,
        ),
        said(
            "break-even",
            even,
            format!("a month reach {}{arm}", dollars(cost.fixed_monthly)),
            look,
        ),
        Line::styled(
            format!(
                "{:13}billed {:.0} ms on average, n {}, prices {}",
                "",
                cost.usage.billed_ms,
                count(cost.usage.n),
                cost.prices_as_of
            ),
            look.theme.muted,
        ),
    ]
}

fn budget(budget: &BudgetLine, look: &Look) -> Vec<Line<'static>> {
    let left = budget
        .remaining
        .map_or("–".to_owned(), |r| format!("{:.1} % left", r * 100.0));
    let burn = |b: Option<f64>| b.map_or("–".to_owned(), |b| format!("{b:.1}×"));
    let style = match (budget.paging, budget.remaining) {
        (Some(_), _) => look.theme.bad,
        (None, Some(r)) if r <= 0.0 => look.theme.bad,
        _ => look.theme.good,
    };
    let hours = match budget.hours_left {
        Some(h) if h < 48.0 => format!(" · gone in {h:.0} h"),
        Some(h) => format!(" · gone in {:.0} d", h / 24.0),
        None => String::new(),
    };
    let mut note = format!(
        "{:.0} of {} failed in 30 d, gateway 5xx",
        budget.bad,
        count(budget.valid as usize)
    );
    if let Some(low) = &budget.low_n {
        note.clone_from(low);
    }
    vec![
        Line::from(vec![
            Span::styled(format!("{:<12} ", "99.9 %"), look.theme.muted),
            Span::styled(left, style),
            Span::styled(format!("  {note}"), look.theme.muted),
        ]),
        said(
            "burn",
            format!(
                "1 h {} · 6 h {}",
                burn(budget.burn_1h),
                burn(budget.burn_6h)
            ),
            format!(
                "pages at {} and {}{hours}",
                BURN_ALERTS[0].rate, BURN_ALERTS[1].rate
            ),
            look,
        ),
    ]
}
