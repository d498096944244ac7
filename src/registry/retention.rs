//! Which versions are kept: the champion, the one before it, and the newest; the rest goes only by command.

use super::events::{Event, What};
use super::{Registry, RegistryError, Version, disk};

/// Versions that are kept besides champion and previous champion.
pub const KEEP: usize = 20;

impl Registry {
    /// The versions [`Self::prune`] would remove.
    pub fn prunable(&self, keep: usize) -> Result<Vec<Version>, RegistryError> {
        let champion = self.champion()?;
        let mut kept: Vec<Version> = champion
            .iter()
            .flat_map(|champion| [Some(champion.version), champion.previous])
            .flatten()
            .collect();
        let versions = self.versions()?;
        kept.extend(versions.iter().rev().take(keep));
        Ok(versions
            .into_iter()
            .filter(|version| !kept.contains(version))
            .collect())
    }

    /// Removes all but champion, previous champion and the newest `keep`. A version disappears as a whole.
    pub fn prune(&self, keep: usize) -> Result<Vec<Version>, RegistryError> {
        self.prepare()?;
        let _lock = self.lock()?;
        let prunable = self.prunable(keep)?;
        for &version in &prunable {
            let gone = self.tmp_dir().join(ulid::Ulid::new().to_string());
            disk::rename(&self.version_dir(version), &gone)?;
            disk::sync_dir(&self.versions_dir())?;
            self.append(&Event::now(What::Pruned, Some(version)))?;
            disk::remove(&gone)?;
        }
        Ok(prunable)
    }
}
