//! The requests that were sent: newest first in memory, JSON lines in the state directory, pinned ones kept for ever.

pub mod drifted;
mod file;
pub mod query;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::client::wire::Phases;
use crate::domain::schema::Schema;

pub use file::{HistoryError, HistoryFile};

/// Entries kept besides the pinned ones.
pub const KEPT: usize = 500;

/// One request and what came of it. Holds no header and no credential.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Sorts by time and is unique.
    pub id: String,
    /// When it was sent.
    pub at: Timestamp,
    /// The target's name: `sandbox`, `aws`.
    pub target: String,
    /// The name of the model schema it was made for; early entries were all made for the one that ships.
    #[serde(default = "shipped")]
    pub model: String,
    /// Which way it went.
    pub via: Via,
    /// The bytes that were sent.
    pub body: String,
    /// The answer's status; `None` when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The score, when the answer kept its contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The model version, where the service said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_version: Option<String>,
    /// The id under which the gateway or Lambda logged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Where the time went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phases: Option<Phases>,
    /// Whether it stays when older ones go.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
}

fn shipped() -> String {
    Schema::wine_quality().name.clone()
}

/// Which way a request went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// Over HTTP to the endpoint.
    Gateway,
    /// Straight to the function (`lambda:InvokeFunction`).
    Invoke,
    /// The local champion.
    Local,
}

impl Via {
    /// The word for people and command lines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Invoke => "invoke",
            Self::Local => "local",
        }
    }
}

/// Entries, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    entries: Vec<Entry>,
}

impl History {
    /// These entries in order of time, each id once, no more than are kept.
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|a, b| b.id.cmp(&a.id));
        entries.dedup_by(|later, first| later.id == first.id);
        let mut history = Self { entries };
        history.trim();
        history
    }

    /// Only what was sent to the model with this name.
    #[must_use]
    pub fn of(mut self, model: &str) -> Self {
        self.entries.retain(|entry| entry.model == model);
        self
    }

    /// Newest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds the newest entry.
    pub fn push(&mut self, entry: Entry) {
        self.entries.insert(0, entry);
        self.trim();
    }

    /// Pins or unpins an entry; says what it is now.
    pub fn toggle_pin(&mut self, id: &str) -> Option<bool> {
        let entry = self.entries.iter_mut().find(|entry| entry.id == id)?;
        entry.pinned = !entry.pinned;
        Some(entry.pinned)
    }

    /// The latest entry that failed.
    pub fn last_failed(&self) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.fault.is_some())
    }

    fn trim(&mut self) {
        let mut room = KEPT;
        self.entries.retain(|entry| {
            let kept = entry.pinned || room > 0;
            room -= usize::from(kept && !entry.pinned);
            kept
        });
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    /// An entry whose id sorts by `n`.
    pub(crate) fn entry(n: usize) -> Entry {
        Entry {
            id: format!("{n:026}"),
            at: Timestamp::from_second(1_790_000_000 + n as i64).unwrap(),
            target: "sandbox".into(),
            model: "wine-quality".into(),
            via: Via::Gateway,
            body: "{\"alcohol\":9.4}".into(),
            status: Some(200),
            score: Some(5.175_872_006_658_752),
            model_version: None,
            request_id: None,
            fault: None,
            phases: Some(Phases {
                wait: Some(12.5),
                total: 13.0,
                ..Phases::default()
            }),
            pinned: false,
        }
    }

    #[test]
    fn newest_first_and_no_more_than_are_kept_but_all_pinned() {
        let mut history = History::new((0..KEPT + 10).map(entry).collect());
        assert_eq!(history.entries().len(), KEPT);
        let oldest = history.entries().last().unwrap().id.clone();
        assert_eq!(history.toggle_pin(&oldest), Some(true));
        for n in 0..20 {
            history.push(entry(10_000 + n));
        }
        assert_eq!(history.entries()[0].id, entry(10_019).id);
        assert_eq!(history.entries().len(), KEPT + 1);
        assert!(history.entries().iter().any(|entry| entry.id == oldest));
    }
}
