//! The audit log: who did what, when, and why. Append-only; also what the pointer is rebuilt from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Registry, RegistryError, Version, disk};

const MAX_LOG: u64 = 256 << 20;

/// One line of `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub what: What,
    /// To which version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The champion before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Version>,
    /// Who (`user@host`).
    #[serde(default)]
    pub by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The pointer's generation after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// The version's seal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Gates that were overridden, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overridden: Vec<String>,
}

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A version was made.
    Committed,
    /// A version became the champion.
    Promoted,
    /// An earlier champion became it again.
    RolledBack,
    /// The pointer was rebuilt, or an unrecorded move was found.
    Recovered,
    /// A version was removed.
    Pruned,
    /// A version was copied to a remote store.
    Pushed,
    /// Something a newer vintner wrote.
    #[serde(other)]
    Other,
}

impl Event {
    /// An event of this instant by this user.
    pub fn now(what: What, version: Option<Version>) -> Self {
        Self {
            at: Timestamp::now(),
            what,
            version,
            previous: None,
            by: actor(),
            reason: String::new(),
            generation: None,
            sha256: None,
            overridden: Vec::new(),
        }
    }

    /// Whether the pointer stood at this event's version after it.
    pub fn moved_pointer(&self) -> bool {
        matches!(
            self.what,
            What::Promoted | What::RolledBack | What::Recovered
        ) && self.version.is_some()
            && self.generation.is_some()
    }
}

/// Who is at the keyboard, as `user@host`.
pub fn actor() -> String {
    let var = |names: [&str; 2]| {
        names
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()))
    };
    let user = var(["USER", "USERNAME"]).unwrap_or_else(|| "someone".to_owned());
    let host = var(["HOSTNAME", "COMPUTERNAME"])
        .or_else(|| std::fs::read_to_string("/etc/hostname").ok())
        .map(|host| host.trim().to_owned())
        .filter(|host| !host.is_empty());
    host.map_or(user.clone(), |host| format!("{user}@{host}"))
}

impl Registry {
    /// The audit log, oldest first. Lines that cannot be read (torn by a kill) are left out.
    pub fn events(&self) -> Result<Vec<Event>, RegistryError> {
        let bytes = match disk::read_bounded(&self.root.join("events.jsonl"), MAX_LOG) {
            Ok(bytes) => bytes,
            Err(error) if error.is_missing() => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let lines = bytes.split(|byte| *byte == b'\n');
        Ok(lines
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect())
    }

    /// Adds a line to the audit log; call it under the lock.
    pub(super) fn append(&self, event: &Event) -> Result<(), RegistryError> {
        // Plain strings and numbers always serialize.
        let line = serde_json::to_string(event).unwrap_or_default();
        Ok(disk::append_line(&self.root.join("events.jsonl"), &line)?)
    }

    /// Notes something done with a version elsewhere (a push, say).
    pub fn note(&self, event: &Event) -> Result<(), RegistryError> {
        self.prepare()?;
        let _lock = self.lock()?;
        self.append(event)
    }
}
