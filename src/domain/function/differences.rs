//! What differs between two functions: versions of one, or the same one at two targets.

use std::collections::BTreeMap;

use serde::Serialize;

use super::surroundings::aliases;
use super::{FunctionConfig, Overview, Secret};
use crate::domain::doctor::facts::Fact;

/// A field that differs. Values of the environment are compared, never shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The field.
    pub field: String,
    /// There.
    pub there: String,
    /// Here.
    pub here: String,
}

/// What differs from `there` to `here`; what one of them does not know is left out.
pub fn differences(there: &Overview, here: &Overview) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut compare = |field: String, there: String, here: String| {
        if there != here {
            found.push(Difference { field, there, here });
        }
    };
    if let (Some(there), Some(here)) = (there.config.known(), here.config.known()) {
        let rows = there.rows().into_iter().zip(here.rows());
        for ((field, there), (_, here)) in rows.filter(|((f, _), _)| *f != "environment") {
            compare(field.to_owned(), there, here);
        }
        for (name, there, here) in environment(there, here) {
            compare(format!("env {name}"), there, here);
        }
    }
    let concurrency = |o: &Overview| o.concurrency.known().map(|c| limit(c.reserved));
    let parts: [(&str, fn(&Overview) -> Option<String>); 5] = [
        ("provisioned", |o| {
            shown(&o.provisioned, |p| listed(p, |(q, n)| format!("{q}: {n}")))
        }),
        ("aliases", |o| shown(&o.aliases, |a| aliases(a))),
        ("function URL", |o| shown(&o.url, |_| "yes".to_owned())),
        ("event sources", |o| {
            shown(&o.event_sources, |s| s.len().to_string())
        }),
        ("log retention", |o| {
            shown(&o.retention, |d| {
                d.map_or("for ever".to_owned(), |d| format!("{d} days"))
            })
        }),
    ];
    if let (Some(there), Some(here)) = (concurrency(there), concurrency(here)) {
        compare("reserved".to_owned(), there, here);
    }
    for (field, of) in parts {
        if let (Some(there), Some(here)) = (of(there), of(here)) {
            compare(field.to_owned(), there, here);
        }
    }
    found
}

fn limit(reserved: Option<u32>) -> String {
    reserved.map_or("none".to_owned(), |n| n.to_string())
}

fn listed<T>(items: &[T], one: impl Fn(&T) -> String) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A known value, or that there is none; `None` when nobody could look.
fn shown<T>(fact: &Fact<T>, show: impl Fn(&T) -> String) -> Option<String> {
    match fact {
        Fact::Known(value) => Some(show(value)),
        Fact::Missing(_) => Some("none".to_owned()),
        _ => None,
    }
}

/// (name, there, here) of every variable, in words that give no value away.
fn environment(there: &FunctionConfig, here: &FunctionConfig) -> Vec<(String, String, String)> {
    let of = |config: &FunctionConfig| -> BTreeMap<String, Secret> {
        config.environment.iter().cloned().collect()
    };
    let (there, here) = (of(there), of(here));
    let names = there
        .keys()
        .chain(here.keys().filter(|n| !there.contains_key(*n)));
    let words = |name: &String| match (there.get(name), here.get(name)) {
        (Some(a), Some(b)) if a == b => ("set", "set"),
        (Some(_), Some(_)) => ("••••••", "another value"),
        (Some(_), None) => ("set", "not set"),
        _ => ("not set", "set"),
    };
    names
        .map(|name| {
            let (there, here) = words(name);
            (name.clone(), there.to_owned(), here.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::doctor::facts::Concurrency;

    fn overview(memory_mb: u32, environment: &[(&str, &str)], reserved: Option<u32>) -> Overview {
        let environment = environment.iter();
        Overview {
            config: Fact::Known(FunctionConfig {
                memory_mb,
                environment: environment
                    .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)))
                    .collect(),
                ..FunctionConfig::default()
            }),
            concurrency: Fact::Known(Concurrency {
                reserved,
                account_limit: Fact::NotAsked,
            }),
            ..Overview::default()
        }
    }

    fn said(there: &Overview, here: &Overview) -> Vec<String> {
        let line = |d: Difference| format!("{}: {} → {}", d.field, d.there, d.here);
        differences(there, here).into_iter().map(line).collect()
    }

    #[test]
    fn only_what_differs_is_said_and_no_value_of_the_environment() {
        let there = overview(
            512,
            &[("KEY", "a-secret"), ("OLD", "x"), ("SAME", "s")],
            None,
        );
        let here = overview(
            1024,
            &[("KEY", "b-secret"), ("NEW", "y"), ("SAME", "s")],
            Some(5),
        );
        let text = said(&there, &here);
        assert_eq!(
            text,
            [
                "memory: 512 MB → 1024 MB",
                "env KEY: •••••• → another value",
                "env OLD: set → not set",
                "env NEW: not set → set",
                "reserved: none → 5",
            ]
        );
        assert!(said(&here, &here).is_empty());
    }

    #[test]
    fn what_could_not_be_read_is_no_difference() {
        let here = Overview {
            url: Fact::Known("https://x".to_owned()),
            retention: Fact::Known(Some(14)),
            aliases: Fact::Known(Vec::new()),
            ..overview(512, &[], None)
        };
        let denied = Overview {
            config: here.config.clone(),
            retention: Fact::Known(None),
            url: Fact::Missing("none".to_owned()),
            aliases: Fact::Denied {
                action: "lambda:ListAliases".to_owned(),
            },
            ..Overview::default()
        };
        assert_eq!(
            said(&denied, &here),
            [
                "function URL: none → yes",
                "log retention: for ever → 14 days"
            ]
        );
    }
}
