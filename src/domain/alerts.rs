//! Alert rules: a threshold that must hold over a short and a long window before it fires, and a lower one before it clears.

pub mod alarm;
mod history;
mod limits;
mod reading;
pub mod replay;
mod rules;
mod signal;

use std::collections::VecDeque;

use serde::Serialize;

use crate::domain::latency::Samples;

pub use history::Past;
pub use limits::Limits;
pub use reading::{Outside, Reading};
pub use rules::{Change, Rule, Standing, default_rules};
pub use signal::Signal;

/// A rule with where it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// The rule.
    pub rule: Rule,
    /// Its standing.
    pub standing: Standing,
}

/// All rules, stepped together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alerts {
    /// One per rule, in the rules' order.
    pub list: Vec<Alert>,
    /// What fired so far, newest first.
    pub history: VecDeque<Past>,
}

impl Default for Alerts {
    fn default() -> Self {
        Alerts::new(default_rules())
    }
}

impl Alerts {
    /// Rules that have seen nothing yet.
    pub fn new(rules: Vec<Rule>) -> Self {
        let unseen = |rule| Alert {
            rule,
            standing: Standing::NoData,
        };
        Alerts {
            list: rules.into_iter().map(unseen).collect(),
            history: VecDeque::new(),
        }
    }

    /// Steps every rule; the changes come with their rule.
    pub fn step(
        &mut self,
        samples: &Samples,
        outside: &Outside<'_>,
        now_ms: i64,
    ) -> Vec<(Rule, Change)> {
        let mut changes = Vec::new();
        for alert in &mut self.list {
            let (short, long) = outside.readings(&alert.rule, samples, now_ms);
            let (standing, change) = alert.rule.step(alert.standing, short, long, now_ms);
            alert.standing = standing;
            history::note(&mut self.history, alert, change, now_ms);
            changes.extend(change.map(|c| (alert.rule.clone(), c)));
        }
        changes
    }

    /// Those that fire.
    pub fn firing(&self) -> impl Iterator<Item = &Alert> {
        self.list.iter().filter(|a| a.standing.is_firing())
    }
}

#[cfg(test)]
mod tests;
