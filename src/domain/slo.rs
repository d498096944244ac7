//! Service level objectives: error budget, burn rate and time to exhaustion, as the SRE Workbook defines them.

use serde::Serialize;

/// An availability objective over a rolling window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Slo {
    /// The share of requests that must succeed, 0 to 1.
    pub target: f64,
    /// Length of the window, days.
    pub days: f64,
}

impl Default for Slo {
    /// The owner's 99.9 % over 30 days: 43.2 minutes.
    fn default() -> Self {
        Slo {
            target: 0.999,
            days: 30.0,
        }
    }
}

/// Requests counted at the gateway: `valid` leaves 4xx out (the caller's fault), `bad` is 5xx.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Counts {
    /// Requests the service had to answer.
    pub valid: f64,
    /// Those it answered with 5xx.
    pub bad: f64,
}

impl Counts {
    /// From the gateway's `Count`, `4xx` and `5xx`.
    pub fn at_gateway(count: f64, client_errors: f64, server_errors: f64) -> Counts {
        Counts {
            valid: (count - client_errors).max(0.0),
            bad: server_errors.max(0.0),
        }
    }

    /// bad / valid; `None` without requests.
    pub fn error_rate(&self) -> Option<f64> {
        (self.valid > 0.0).then(|| self.bad / self.valid)
    }

    /// Below a thousand requests a single failure moves the figure: the sentence that says so.
    pub fn low_n_warning(&self) -> Option<String> {
        (self.valid > 0.0 && self.valid < 1000.0).then(|| {
            format!(
                "n = {:.0}: 1 failure is {:.2} %",
                self.valid,
                100.0 / self.valid
            )
        })
    }
}

/// One multi-window alert of the SRE Workbook: page when both windows burn faster than `rate`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BurnAlert {
    /// Burn rate that pages.
    pub rate: f64,
    /// The long window, hours.
    pub long_hours: f64,
    /// The short window, hours.
    pub short_hours: f64,
}

/// The Workbook's table: 14.4× over 1 h, 6× over 6 h, 1× over 3 days (a ticket).
pub const BURN_ALERTS: [BurnAlert; 3] = [
    BurnAlert {
        rate: 14.4,
        long_hours: 1.0,
        short_hours: 5.0 / 60.0,
    },
    BurnAlert {
        rate: 6.0,
        long_hours: 6.0,
        short_hours: 0.5,
    },
    BurnAlert {
        rate: 1.0,
        long_hours: 72.0,
        short_hours: 6.0,
    },
];

impl Slo {
    /// The share of requests that may fail, 0 to 1.
    pub fn allowed(&self) -> f64 {
        1.0 - self.target
    }

    /// The budget as full downtime, minutes.
    pub fn budget_minutes(&self) -> f64 {
        self.allowed() * self.days * 24.0 * 60.0
    }

    /// How many times faster than allowed the budget is spent; 1 spends exactly all of it. `None` without requests.
    pub fn burn(&self, counts: &Counts) -> Option<f64> {
        Some(counts.error_rate()? / self.allowed())
    }

    /// Budget left after the whole window's counts, as a share: 1 untouched, 0 spent, negative overspent.
    pub fn remaining(&self, whole_window: &Counts) -> Option<f64> {
        (whole_window.valid > 0.0)
            .then(|| 1.0 - whole_window.bad / (self.allowed() * whole_window.valid))
    }

    /// Hours until `remaining` of the budget is gone at this burn rate; `None` when nothing burns.
    pub fn hours_to_exhaustion(&self, burn: f64, remaining: f64) -> Option<f64> {
        (burn > 0.0).then(|| self.days * 24.0 / burn * remaining.max(0.0))
    }

    /// Share of the whole budget that `burn` spends in `hours`.
    pub fn budget_spent(&self, burn: f64, hours: f64) -> f64 {
        burn * hours / (self.days * 24.0)
    }
}

impl BurnAlert {
    /// True when both windows burn at or above the rate.
    pub fn fires(&self, long_burn: Option<f64>, short_burn: Option<f64>) -> bool {
        long_burn.is_some_and(|b| b >= self.rate) && short_burn.is_some_and(|b| b >= self.rate)
    }

    /// Minutes until this alert fires at a steady error rate (0 to 1); `None` if it never does.
    pub fn minutes_to_detect(&self, slo: &Slo, error_rate: f64) -> Option<f64> {
        let share_of_window = slo.allowed() * self.rate / error_rate;
        (share_of_window <= 1.0).then_some(share_of_window * self.long_hours * 60.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6 * b.abs().max(1.0), "{a} is not {b}");
    }

    #[test]
    fn three_nines_are_43_minutes_a_month() {
        let slo = Slo::default();
        close(slo.budget_minutes(), 43.2);
        close(
            slo.remaining(&Counts {
                valid: 1e6,
                bad: 1000.0,
            })
            .unwrap(),
            0.0,
        );
        close(
            slo.remaining(&Counts {
                valid: 1e6,
                bad: 250.0,
            })
            .unwrap(),
            0.75,
        );
        assert_eq!(slo.remaining(&Counts::default()), None);
    }

    /// SRE Workbook, chapter 5, table 5-2: burn rate and time to exhaustion for 99.9 % over 30 days.
    #[test]
    fn burn_rates_equal_the_workbooks_table() {
        let slo = Slo::default();
        for (burn, error_rate, hours) in [
            (1.0, 0.001, 720.0),
            (2.0, 0.002, 360.0),
            (10.0, 0.01, 72.0),
            (1000.0, 1.0, 0.72),
        ] {
            close(
                slo.burn(&Counts {
                    valid: 1e6,
                    bad: error_rate * 1e6,
                })
                .unwrap(),
                burn,
            );
            close(slo.hours_to_exhaustion(burn, 1.0).unwrap(), hours);
        }
        assert_eq!(slo.hours_to_exhaustion(0.0, 1.0), None);
    }

    /// Table 5-6: 2 % of the budget in 1 h, 5 % in 6 h, 10 % in 3 days.
    #[test]
    fn the_recommended_alerts_spend_what_the_workbook_says() {
        let slo = Slo::default();
        for (alert, spent) in BURN_ALERTS.iter().zip([0.02, 0.05, 0.10]) {
            close(slo.budget_spent(alert.rate, alert.long_hours), spent);
            close(alert.short_hours * 12.0, alert.long_hours);
        }
        close(BURN_ALERTS[0].minutes_to_detect(&slo, 1.0).unwrap(), 0.864);
        assert_eq!(BURN_ALERTS[0].minutes_to_detect(&slo, 0.014), None);
    }

    #[test]
    fn both_windows_must_burn() {
        let page = BURN_ALERTS[0];
        assert!(page.fires(Some(14.4), Some(20.0)));
        assert!(!page.fires(Some(14.4), Some(1.0)));
        assert!(!page.fires(Some(14.4), None));
    }

    #[test]
    fn client_errors_are_not_ours_and_small_n_says_so() {
        let counts = Counts::at_gateway(500.0, 100.0, 4.0);
        close(counts.error_rate().unwrap(), 0.01);
        assert_eq!(
            counts.low_n_warning().unwrap(),
            "n = 400: 1 failure is 0.25 %"
        );
        assert_eq!(Counts::at_gateway(5000.0, 0.0, 0.0).low_n_warning(), None);
        assert_eq!(Counts::default().low_n_warning(), None);
    }
}
