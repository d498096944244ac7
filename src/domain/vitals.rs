//! The figures of the Lambda tab, of `vintner lambda` and of the report: one reading of everything that was collected.

mod budget;
mod cost;
mod failures;
mod lamps;
mod latency;

use serde::Serialize;

use crate::domain::alerts::Limits;
use crate::domain::cost::Prices;
use crate::domain::doctor::Fact;
use crate::domain::function::Overview;
use crate::domain::latency::cold::ColdStarts;
use crate::domain::latency::{Ladder, Sample, Samples, Window};
use crate::domain::metrics::{Budget, Snapshot};
use crate::domain::slo::Slo;

pub use budget::BudgetLine;
pub use cost::CostLines;
pub use failures::Failures;
pub use latency::LatencyRow;

/// What the figures are made of. Absent parts leave their figures out.
#[derive(Debug, Clone, Copy)]
pub struct Readings<'a> {
    /// The function, as far as it could be read.
    pub overview: Option<&'a Overview>,
    /// CloudWatch's figures, or why there are none.
    pub snapshot: Option<&'a Fact<Snapshot>>,
    /// Requests and errors over the SLO's windows, or why there are none.
    pub budget: Option<&'a Fact<Budget>>,
    /// REPORT lines.
    pub samples: &'a Samples,
    /// What is wrong with them, if anything.
    pub reports: Option<&'a str>,
    /// Our own calls through the gateway: (milliseconds since the epoch, total milliseconds).
    pub own_calls: &'a [(i64, f64)],
    /// How far back to look.
    pub window: Window,
    /// Now, milliseconds since the epoch.
    pub now_ms: i64,
    /// Prices.
    pub prices: &'a Prices,
    /// The objective.
    pub slo: Slo,
    /// What is too many errors, and too slow.
    pub limits: Limits,
}

/// Green, amber, red, or nothing known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Light {
    /// As it should be.
    Green,
    /// Look at it.
    Amber,
    /// Wrong.
    Red,
    /// Not known.
    Grey,
}

/// One lamp of the health strip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Vital {
    /// What it is about.
    pub label: &'static str,
    /// The figure or word.
    pub value: String,
    /// The lamp.
    pub light: Light,
    /// The reason in words, with n and source.
    pub why: String,
}

/// Everything that is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Vitals {
    /// Window of the figures.
    pub window: &'static str,
    /// What is too many errors, and too slow.
    pub limits: Limits,
    /// The health strip.
    pub strip: Vec<Vital>,
    /// Latency, from the outside in.
    pub latency: Vec<LatencyRow>,
    /// Failed calls, from the outside in.
    pub failures: Vec<Failures>,
    /// Handler time of warm calls.
    pub warm: Option<Ladder>,
    /// Handler plus init of all calls.
    pub all: Option<Ladder>,
    /// Cold starts.
    pub cold: ColdStarts,
    /// Highest memory used, MB, with its n.
    pub max_memory: Option<(u32, usize)>,
    /// Cost.
    pub cost: Option<CostLines>,
    /// Error budget.
    pub budget: Option<BudgetLine>,
}

impl Vitals {
    /// Reads everything at once.
    pub fn of(readings: &Readings<'_>) -> Vitals {
        let samples: Vec<&Sample> = readings
            .samples
            .within(readings.window, readings.now_ms)
            .collect();
        let warm = Ladder::of(
            samples
                .iter()
                .filter(|s| !s.is_cold())
                .map(|s| s.duration_ms),
        );
        let all = Ladder::of(samples.iter().map(|s| s.total_ms()));
        let cold = ColdStarts::of(samples.iter().copied());
        let max_memory = samples
            .iter()
            .map(|s| s.max_memory_mb)
            .max()
            .map(|mb| (mb, samples.len()));
        let cost = cost::cost(readings, &samples);
        let budget = readings
            .budget
            .and_then(Fact::known)
            .map(|b| budget::budget(b, readings.slo));
        let mut vitals = Vitals {
            window: readings.window.label(),
            limits: readings.limits,
            strip: Vec::new(),
            latency: latency::latency(readings, &samples),
            failures: failures::failures(readings, &samples),
            warm,
            all,
            cold,
            max_memory,
            cost,
            budget,
        };
        vitals.strip = lamps::strip(readings, &vitals);
        vitals
    }

    /// The worst lamp.
    pub fn worst(&self) -> Light {
        let any = |light| self.strip.iter().any(|v| v.light == light);
        match () {
            () if any(Light::Red) => Light::Red,
            () if any(Light::Amber) => Light::Amber,
            // What is not known is not well: all green takes every lamp.
            () if any(Light::Grey) || self.strip.is_empty() => Light::Grey,
            () => Light::Green,
        }
    }
}

#[cfg(test)]
mod tests;
