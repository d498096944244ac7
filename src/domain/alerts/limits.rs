//! What the rules call too much, for lamps, tables and Doctor: one answer for all of them.

use serde::{Deserialize, Serialize};

use super::{Rule, Signal, default_rules};

/// The thresholds of the alert rules.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Failed share of calls, 0 to 1.
    pub errors: f64,
    /// p99 of warm calls' handler time, milliseconds.
    pub warm_ms: f64,
    /// p99 of all calls, init included, milliseconds.
    pub all_ms: f64,
}

impl Limits {
    /// From the rules, and where there is none, what the owner asked for.
    pub fn of(rules: &[Rule]) -> Limits {
        let owners = default_rules();
        let above = |signal| {
            let mut ranked = rules.iter().chain(&owners);
            let rule = ranked.find(|rule| rule.signal == signal);
            rule.map_or(f64::INFINITY, |rule| rule.above)
        };
        Limits {
            errors: above(Signal::ErrorRate) / 100.0,
            warm_ms: above(Signal::P99Warm),
            all_ms: above(Signal::P99All),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits::of(&[])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp)]
    use super::*;

    #[test]
    fn a_rule_of_the_configuration_goes_before_the_owners() {
        let mut rules = default_rules();
        rules.retain(|rule| rule.signal != Signal::ErrorRate);
        for rule in &mut rules {
            if rule.signal == Signal::P99All {
                rule.above = 900.0;
            }
        }
        let limits = Limits::of(&rules);
        assert_eq!(
            (limits.errors, limits.warm_ms, limits.all_ms),
            (0.01, 500.0, 900.0)
        );
    }
}
