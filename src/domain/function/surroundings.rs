//! What belongs to a function besides its configuration, in words.

use super::{Alias, Overview};
use crate::domain::doctor::facts::Fact;

/// (what, in words) of aliases, versions, concurrency, URL, event sources, retention and gateway; what could not be read
/// says which permission is missing.
pub fn surroundings(overview: &Overview) -> [(&'static str, String); 8] {
    let versions = |versions: &Vec<super::Version>| {
        let names = versions.iter().map(|v| v.version.clone());
        names.collect::<Vec<_>>().join(", ")
    };
    let provisioned = |provisioned: &Vec<(String, u32)>| {
        let each = provisioned.iter().map(|(q, n)| format!("{q}: {n}"));
        each.collect::<Vec<_>>().join(", ")
    };
    let concurrency = text(&overview.concurrency, |c| {
        let reserved = c.reserved.map_or("none".to_owned(), |n| n.to_string());
        let limit = text(&c.account_limit, ToString::to_string);
        format!("reserved {reserved}, account limit {limit}")
    });
    let retention = text(&overview.retention, |days| {
        days.map_or("for ever".to_owned(), |d| format!("{d} days"))
    });
    [
        ("aliases", text(&overview.aliases, |a| aliases(a))),
        ("versions", text(&overview.versions, versions)),
        ("concurrency", concurrency),
        ("provisioned", text(&overview.provisioned, provisioned)),
        ("function URL", text(&overview.url, Clone::clone)),
        (
            "event sources",
            text(&overview.event_sources, |s| s.join(", ")),
        ),
        ("log retention", retention),
        ("API Gateway", text(&overview.api_id, Clone::clone)),
    ]
}

/// `live → 2 + 1 (10 %), …`.
pub fn aliases(aliases: &[Alias]) -> String {
    let one = |alias: &Alias| {
        let weights = alias.weights.iter();
        let weights = weights.map(|(v, share)| format!(" + {v} ({:.0} %)", share * 100.0));
        let weights: String = weights.collect();
        format!("{} → {}{weights}", alias.name, alias.version)
    };
    aliases.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn text<T>(fact: &Fact<T>, show: impl FnOnce(&T) -> String) -> String {
    match fact {
        Fact::Known(value) => Some(show(value))
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| "none".to_owned()),
        Fact::Missing(_) => "none".to_owned(),
        absent => absent.absence().unwrap_or_default(),
    }
}
