//! What a call costs, from the billed time of REPORT lines.

use serde::Serialize;

use super::Readings;
use crate::domain::cost::{Architecture, Cost, Usage};
use crate::domain::latency::Sample;

/// What a call costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CostLines {
    /// The average call.
    pub usage: Usage,
    /// x86 or arm.
    pub architecture: Architecture,
    /// The function could not be read: x86 is assumed.
    pub architecture_assumed: bool,
    /// Per call.
    pub call: Cost,
    /// Per million calls.
    pub million: Cost,
    /// Calls in a month at the window's rate.
    pub month_calls: f64,
    /// That month at list price.
    pub month: Cost,
    /// That month with Lambda's free tier.
    pub month_free_tier: Cost,
    /// Calls a month at which the fixed price is reached.
    pub break_even: Option<f64>,
    /// The same with Lambda's free tier.
    pub break_even_free_tier: Option<f64>,
    /// The fixed price.
    pub fixed_monthly: f64,
    /// Million calls on arm64.
    pub million_arm: Cost,
    /// Date of the prices.
    pub prices_as_of: String,
}

impl CostLines {
    /// What the compute is priced on: `arm64`; `x86 assumed`.
    pub fn priced_on(&self) -> String {
        let assumed = if self.architecture_assumed {
            " assumed"
        } else {
            ""
        };
        format!("{}{assumed}", self.architecture.word())
    }
}

pub(super) fn cost(readings: &Readings<'_>, samples: &[&Sample]) -> Option<CostLines> {
    let usage = Usage::of(samples.iter().map(|s| (s.billed_ms, s.memory_mb)))?;
    let config = readings.overview.and_then(|o| o.config.known());
    let architecture = config.map_or(Architecture::X86, |c| {
        Architecture::from_aws(&c.architecture)
    });
    let prices = readings.prices;
    // A window that reaches further back than the lines do must not thin the rate.
    let first = samples.first().map_or(readings.now_ms, |s| s.at_ms);
    let seen_s =
        ((readings.now_ms - first) as f64 / 1000.0).clamp(60.0, readings.window.seconds() as f64);
    let month_calls = samples.len() as f64 / seen_s * 30.0 * 86_400.0;
    Some(CostLines {
        usage,
        architecture,
        architecture_assumed: config.is_none(),
        call: prices.call(&usage, architecture),
        million: prices.million(&usage, architecture),
        month_calls,
        month: prices.month(&usage, architecture, month_calls, false),
        month_free_tier: prices.month(&usage, architecture, month_calls, true),
        break_even: prices.break_even(&usage, architecture, false),
        break_even_free_tier: prices.break_even(&usage, architecture, true),
        fixed_monthly: prices.fixed_monthly,
        million_arm: prices.million(&usage, Architecture::Arm),
        prices_as_of: prices.as_of.clone(),
    })
}
