//! The champion pointer: promote and rollback in one path, compare-and-swap, rebuilt from the audit log when unreadable.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::disk;
use super::events::{Event, What};
use super::{Loaded, Registry, RegistryError, Version};

/// The file.
pub(super) const FILE: &str = "champion.json";
const SCHEMA: u32 = 1;
const MAX_POINTER: u64 = 64 << 10;

/// Who reigns, since when, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Champion {
    /// Format of the file, 1.
    pub schema: u32,
    /// The version.
    pub version: Version,
    /// The champion before it.
    pub previous: Option<Version>,
    /// The version's seal: SHA-256 of its `SHA256SUMS`.
    pub sha256: String,
    /// When it was promoted.
    pub since: Timestamp,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Counts moves of the pointer; what compare-and-swap compares.
    pub generation: u64,
}

/// A wish to move the pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Why, for the audit log.
    pub reason: String,
    /// The generation the decision was made on (0: no champion); `None` moves whatever it is.
    pub expected: Option<u64>,
    /// Names of the gates that are overridden, for the audit log.
    pub overridden: Vec<String>,
}

impl Move {
    /// A move for this reason, on what was seen.
    pub fn seen(champion: Option<&Champion>, reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            expected: Some(champion.map_or(0, |champion| champion.generation)),
            overridden: Vec::new(),
        }
    }
}

impl Registry {
    /// The champion, if there is one. An unreadable pointer is read from the audit log instead
    /// ([`Registry::recover`] writes it back).
    pub fn champion(&self) -> Result<Option<Champion>, RegistryError> {
        match self.read_pointer()? {
            Pointer::Sound(champion) => Ok(Some(champion)),
            Pointer::Missing | Pointer::Broken => self.champion_of_log(),
        }
    }

    /// The champion, verified and loaded.
    pub fn load_champion(&self) -> Result<(Champion, Loaded), RegistryError> {
        let champion = self.champion()?.ok_or(RegistryError::NoChampion)?;
        let loaded = self.load(champion.version)?;
        if loaded.seal != champion.sha256 {
            let why = "its SHA256SUMS is not the one that was promoted";
            return Err(RegistryError::corrupt(champion.version, why));
        }
        Ok((champion, loaded))
    }

    /// Makes a version the champion: verify → load → canaries → move the pointer → audit. The old champion reigns
    /// until the last instant; if another process moved the pointer meanwhile, nothing is done.
    pub fn promote(&self, version: Version, wish: Move) -> Result<Champion, RegistryError> {
        self.crown(version, wish, What::Promoted)
    }

    /// Gives the throne back to `to`, or to the previous champion. The same path as [`Self::promote`], and itself
    /// reversible.
    pub fn roll_back(&self, to: Option<Version>, wish: Move) -> Result<Champion, RegistryError> {
        let champion = self.champion()?.ok_or(RegistryError::NoChampion)?;
        let none = RegistryError::NoPrevious(Some(champion.version));
        let target = to.or(champion.previous).ok_or(none)?;
        let expected = wish.expected.or(Some(champion.generation));
        self.crown(target, Move { expected, ..wish }, What::RolledBack)
    }

    fn crown(&self, version: Version, wish: Move, what: What) -> Result<Champion, RegistryError> {
        let loaded = self.load_verified(version)?;
        let _lock = self.lock()?;
        let now = self.champion()?;
        let generation = now.as_ref().map_or(0, |champion| champion.generation);
        if wish.expected.is_some_and(|expected| expected != generation) {
            return Err(RegistryError::Moved {
                now: now.map(Box::new),
            });
        }
        if now
            .as_ref()
            .is_some_and(|champion| champion.version == version)
        {
            return Err(RegistryError::Already(version));
        }
        if !self.version_dir(version).is_dir() {
            return Err(self.unknown(version));
        }
        let event = Event {
            previous: now.map(|champion| champion.version),
            reason: wish.reason,
            generation: Some(generation + 1),
            sha256: Some(loaded.seal),
            overridden: wish.overridden,
            ..Event::now(what, Some(version))
        };
        let Some(champion) = Champion::of(&event) else {
            return Err(self.unknown(version));
        };
        self.write_pointer(&champion)?;
        self.append(&event)?;
        Ok(champion)
    }

    /// Brings pointer and audit log to agreement; call it under the lock.
    pub(super) fn repair_pointer(&self) -> Result<Option<String>, RegistryError> {
        match self.read_pointer()? {
            // A pointer that can be read only has to be in the log: its version is checked when it is loaded.
            Pointer::Sound(champion) => {
                if Some(champion.generation) <= generation(&self.events()?) {
                    return Ok(None);
                }
                // Killed between the move and its line in the log.
                let event = Event {
                    previous: champion.previous,
                    reason: format!("an interrupted move found at start: {}", champion.reason),
                    generation: Some(champion.generation),
                    sha256: Some(champion.sha256),
                    ..Event::now(What::Recovered, Some(champion.version))
                };
                self.append(&event)?;
                Ok(Some(format!(
                    "noted the interrupted promotion of {}",
                    champion.version
                )))
            }
            pointer => match (self.champion_of_log()?, pointer) {
                (Some(champion), _) => {
                    self.write_pointer(&champion)?;
                    Ok(Some(format!(
                        "rebuilt the champion pointer from the audit log: {}",
                        champion.version
                    )))
                }
                (None, Pointer::Broken) => {
                    disk::remove(&self.root.join(FILE))?;
                    Ok(Some(
                        "removed an unreadable champion pointer; no version was ever promoted"
                            .to_owned(),
                    ))
                }
                (None, _) => Ok(None),
            },
        }
    }

    /// The last champion in the audit log whose version still passes every check.
    fn champion_of_log(&self) -> Result<Option<Champion>, RegistryError> {
        let events = self.events()?;
        let generation = generation(&events);
        let champions = events
            .iter()
            .rev()
            .filter(|event| event.moved_pointer())
            .filter_map(Champion::of);
        let sound = |champion: &Champion| {
            self.verify(champion.version)
                .is_ok_and(|seal| seal == champion.sha256)
        };
        Ok(champions.into_iter().find(sound).map(|champion| Champion {
            generation: generation.unwrap_or(champion.generation),
            ..champion
        }))
    }

    fn read_pointer(&self) -> Result<Pointer, RegistryError> {
        match disk::read_bounded(&self.root.join(FILE), MAX_POINTER) {
            Ok(bytes) => {
                let champion = serde_json::from_slice(&bytes).ok();
                Ok(champion
                    .filter(|champion: &Champion| champion.schema == SCHEMA)
                    .map_or(Pointer::Broken, Pointer::Sound))
            }
            Err(error) if error.is_missing() => Ok(Pointer::Missing),
            Err(error) if error.is_read_only() => Err(error.into()),
            Err(_) => Ok(Pointer::Broken),
        }
    }

    fn write_pointer(&self, champion: &Champion) -> Result<(), RegistryError> {
        // Plain strings and numbers always serialize.
        let json = serde_json::to_vec_pretty(champion).unwrap_or_default();
        let path = self.root.join(FILE);
        if path.is_dir() {
            disk::remove(&path)?;
        }
        disk::make_dir(&self.tmp_dir())?;
        Ok(disk::replace(&path, &json, &self.tmp_dir())?)
    }
}

/// The last generation in the audit log.
fn generation(events: &[Event]) -> Option<u64> {
    events.iter().filter_map(|event| event.generation).max()
}

enum Pointer {
    Sound(Champion),
    Missing,
    Broken,
}

impl Champion {
    /// The champion as an event made it.
    fn of(event: &Event) -> Option<Self> {
        Some(Self {
            schema: SCHEMA,
            version: event.version?,
            previous: event.previous,
            sha256: event.sha256.clone()?,
            since: event.at,
            by: event.by.clone(),
            reason: event.reason.clone(),
            generation: event.generation?,
        })
    }
}
