//! The error budget, and how fast it burns.

use serde::Serialize;

use crate::domain::metrics::Budget;
use crate::domain::slo::{BURN_ALERTS, Slo};

/// The error budget.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BudgetLine {
    /// Share of the budget left over the SLO's window; 1 untouched.
    pub remaining: Option<f64>,
    /// Burn rate over one hour.
    pub burn_1h: Option<f64>,
    /// Burn rate over six hours.
    pub burn_6h: Option<f64>,
    /// Hours until the rest is gone at the six-hour rate.
    pub hours_left: Option<f64>,
    /// The Workbook's alert that fires, by its burn rate.
    pub paging: Option<f64>,
    /// Valid requests over the SLO's window.
    pub valid: f64,
    /// Failed ones.
    pub bad: f64,
    /// What to think of a small n.
    pub low_n: Option<String>,
}

impl BudgetLine {
    /// Burn rates over one hour and over six, as `14.4×`; a dash where nothing was asked.
    pub fn burns(&self) -> [String; 2] {
        [self.burn_1h, self.burn_6h]
            .map(|burn| burn.map_or("–".to_owned(), |burn| format!("{burn:.1}×")))
    }

    /// What is left of the budget, or how much of it was used where that is more than all: `76.9 % left`, `487 % used`.
    pub fn left(&self) -> String {
        match self.remaining {
            None => "–".to_owned(),
            Some(left) if left >= 0.0 => format!("{:.1} % left", left * 100.0),
            Some(left) => format!("{:.0} % used", (1.0 - left) * 100.0),
        }
    }

    /// When the rest is gone at the six-hour rate: `gone`, `gone in 45 min`, `gone in 30 h`, `gone in 26 d`.
    pub fn gone(&self) -> Option<String> {
        Some(match self.hours_left? {
            h if h <= 0.0 => "gone".to_owned(),
            h if h < 2.0 => format!("gone in {:.0} min", h * 60.0),
            h if h < 48.0 => format!("gone in {h:.0} h"),
            h => format!("gone in {:.0} d", h / 24.0),
        })
    }
}

pub(super) fn budget(budget: &Budget, slo: Slo) -> BudgetLine {
    let remaining = slo.remaining(&budget.month);
    let (burn_1h, burn_6h) = (slo.burn(&budget.hour), slo.burn(&budget.six_hours));
    let short = slo.burn(&budget.five_minutes);
    let half_hour = slo.burn(&budget.half_hour);
    let fires = [
        (&BURN_ALERTS[0], burn_1h, short),
        (&BURN_ALERTS[1], burn_6h, half_hour),
    ];
    BudgetLine {
        remaining,
        burn_1h,
        burn_6h,
        hours_left: burn_6h.and_then(|b| slo.hours_to_exhaustion(b, remaining.unwrap_or(1.0))),
        paging: fires
            .into_iter()
            .find(|(alert, long, short)| alert.fires(*long, *short))
            .map(|(alert, _, _)| alert.rate),
        valid: budget.month.valid,
        bad: budget.month.bad,
        low_n: budget.month.low_n_warning(),
    }
}
