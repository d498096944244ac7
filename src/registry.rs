//! Model versions on disk: immutable, checksummed, with one mutable champion pointer and an audit log.
//!
//! ```text
//! champion.json    the only mutable pointer, moved by compare-and-swap under registry.lock
//! events.jsonl     append-only audit
//! versions/v0001/  manifest.json forest.bin … SHA256SUMS, never changed after the rename that made it visible
//! runs/<ulid>/     run.json metrics.jsonl
//! tmp/             staging, swept at start
//! ```
//!
//! Every change is staged, synced and renamed, so a process killed at any instant leaves a champion that loads.
//! Model files are untrusted input: checksums and bounds come before parsing, and [`Model`] validates what it reads.

pub mod curve;
pub mod diff;
pub mod disk;
pub mod draft;
pub mod drift;
pub mod error;
pub mod events;
pub mod export;
pub mod fingerprint;
pub mod manifest;
pub mod pointer;
pub mod retention;
pub mod runs;
pub mod sums;
pub mod version;
pub mod watch;

#[cfg(test)]
mod kill_tests;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use draft::Draft;
pub use error::RegistryError;
pub use events::{Event, What};
pub use manifest::Manifest;
pub use pointer::{Champion, Move};
pub use version::Version;

use sums::Check;

use crate::train::Model;

/// The file that holds a version's model, in [`Model::to_bytes`]'s form.
pub const MODEL_FILE: &str = "forest.bin";

const MAX_MANIFEST: u64 = 4 << 20;
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// A registry directory. Cheap to make; touches no file until asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    root: PathBuf,
}

/// A version as a list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its number.
    pub version: Version,
    /// What it says of itself; `Err` says why it cannot be read.
    pub manifest: Result<Box<Manifest>, String>,
}

/// A version that passed every check and can predict.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What was recorded when it was made.
    pub manifest: Manifest,
    /// The model.
    pub model: Model,
    /// SHA-256 of its `SHA256SUMS`: names the exact content.
    pub seal: String,
}

impl Registry {
    /// The registry in this directory, which need not exist yet.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Puts the house in order after whatever happened: sweeps staging, marks dead runs as crashed, rebuilds an
    /// unreadable pointer from the audit log. Returns what was repaired, for people.
    pub fn recover(&self) -> Result<Vec<String>, RegistryError> {
        if !self.root.exists() {
            return Ok(Vec::new());
        }
        let _lock = self.lock()?;
        self.sweep()?;
        let mut repaired = self.mark_crashed_runs()?;
        repaired.extend(self.repair_pointer()?);
        Ok(repaired)
    }

    /// Numbers of the committed versions, ascending.
    pub fn versions(&self) -> Result<Vec<Version>, RegistryError> {
        let mut versions: Vec<Version> = names_in(&self.versions_dir())?
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect();
        versions.sort_unstable();
        Ok(versions)
    }

    /// Every version with its manifest, newest first. Checks no checksums: see [`Self::verify`].
    pub fn list(&self) -> Result<Vec<Entry>, RegistryError> {
        let entry = |version: Version| Entry {
            version,
            manifest: self
                .manifest(version)
                .map(Box::new)
                .map_err(|error| error.to_string()),
        };
        Ok(self.versions()?.into_iter().rev().map(entry).collect())
    }

    /// What a version says of itself. Checks no checksums: see [`Self::verify`].
    pub fn manifest(&self, version: Version) -> Result<Manifest, RegistryError> {
        let dir = self.existing(version)?;
        let bytes = disk::read_bounded(&dir.join(manifest::FILE), MAX_MANIFEST)
            .map_err(|error| RegistryError::corrupt(version, error.to_string()))?;
        Manifest::parse(&bytes, version).map_err(|why| RegistryError::corrupt(version, why))
    }

    /// Checks every byte of a version against its `SHA256SUMS`. Returns the seal.
    pub fn verify(&self, version: Version) -> Result<String, RegistryError> {
        let dir = self.existing(version)?;
        let (seal, ()) = sums::verify(&dir, &[], Check::All, |_| ())
            .map_err(|why| RegistryError::corrupt(version, why))?;
        Ok(seal)
    }

    /// Loads a version's model and runs the canaries. Model and manifest are checked against `SHA256SUMS`; the other
    /// files, which may be ten times as large, only have to be there: see [`Self::load_verified`].
    pub fn load(&self, version: Version) -> Result<Loaded, RegistryError> {
        self.load_checking(version, Check::Kept)
    }

    /// [`Self::load`] that checks every byte of the version: before it takes the throne, and when somebody asks.
    pub fn load_verified(&self, version: Version) -> Result<Loaded, RegistryError> {
        self.load_checking(version, Check::All)
    }

    fn load_checking(&self, version: Version, check: Check) -> Result<Loaded, RegistryError> {
        let dir = self.existing(version)?;
        let load = || {
            let keep = [manifest::FILE, MODEL_FILE];
            let (seal, parsed) = sums::verify(&dir, &keep, check, |files| parse(files, version))?;
            let (manifest, model) = parsed?;
            manifest.check(&model)?;
            Ok(Loaded {
                manifest,
                model,
                seal,
            })
        };
        load().map_err(|why: String| RegistryError::corrupt(version, why))
    }

    /// The bytes of one artefact of a version, checked against its `SHA256SUMS`.
    pub fn artefact(&self, version: Version, name: &str) -> Result<Vec<u8>, RegistryError> {
        let dir = self.existing(version)?;
        sums::read_checked(&dir, name).map_err(|why| RegistryError::corrupt(version, why))
    }

    /// Makes a draft a version: stage → sync → `SHA256SUMS` → rename → sync. The number is the next that was never used.
    pub fn commit(&self, draft: Draft) -> Result<Manifest, RegistryError> {
        self.prepare()?;
        let _lock = self.lock()?;
        let version = self.next_version()?;
        let stage = self.tmp_dir().join(ulid::Ulid::new().to_string());
        let (manifest, files) = draft.seal(version);
        let staged = disk::make_dir(&stage)
            .and_then(|()| {
                files
                    .iter()
                    .try_for_each(|(name, bytes)| disk::write_synced(&stage.join(name), bytes))
            })
            .and_then(|()| disk::write_synced(&stage.join(sums::FILE), sums::of(&files).as_bytes()))
            .and_then(|()| disk::sync_dir(&stage))
            .and_then(|()| disk::rename(&stage, &self.version_dir(version)))
            .and_then(|()| disk::sync_dir(&self.versions_dir()));
        if let Err(error) = staged {
            let _ = fs::remove_dir_all(&stage);
            return Err(error.into());
        }
        self.append(&Event::now(What::Committed, Some(version)))?;
        Ok(manifest)
    }

    /// The directory of a version.
    pub fn version_dir(&self, version: Version) -> PathBuf {
        self.versions_dir().join(version.to_string())
    }

    fn versions_dir(&self) -> PathBuf {
        self.root.join("versions")
    }

    fn tmp_dir(&self) -> PathBuf {
        self.root.join("tmp")
    }

    fn existing(&self, version: Version) -> Result<PathBuf, RegistryError> {
        let dir = self.version_dir(version);
        if dir.is_dir() {
            Ok(dir)
        } else {
            Err(self.unknown(version))
        }
    }

    fn unknown(&self, version: Version) -> RegistryError {
        let known = self.versions().unwrap_or_default();
        RegistryError::Unknown {
            version,
            known: version::ranges(&known),
        }
    }

    /// One past every number on disk or in the audit log, so that a pruned number is not used again.
    fn next_version(&self) -> Result<Version, RegistryError> {
        let on_disk = self.versions()?.into_iter().max();
        let in_log = self
            .events()?
            .into_iter()
            .filter_map(|event| event.version)
            .max();
        on_disk
            .max(in_log)
            .map_or(Ok(Version::FIRST), Version::next)
    }

    fn prepare(&self) -> Result<(), RegistryError> {
        for dir in [
            &self.root,
            &self.versions_dir(),
            &self.tmp_dir(),
            &self.runs_dir(),
        ] {
            disk::make_dir(dir)?;
        }
        Ok(())
    }

    /// Removes what killed processes left in staging. Under the lock, so that nobody is staging now.
    fn sweep(&self) -> Result<(), RegistryError> {
        for name in names_in(&self.tmp_dir())? {
            let path = self.tmp_dir().join(name);
            disk::remove(&path)?;
        }
        Ok(())
    }

    /// Lets one process at a time do `what` (a plain word); the turn ends when the result is dropped.
    pub fn take_turn(&self, what: &str, patience: Duration) -> Result<File, RegistryError> {
        self.prepare()?;
        disk::lock(&self.root.join(format!("{what}.lock")), patience)
    }

    /// Holds `registry.lock` until dropped; the system frees it when the process dies.
    fn lock(&self) -> Result<File, RegistryError> {
        disk::lock(&self.root.join("registry.lock"), LOCK_PATIENCE)
    }
}

/// Waits for a lock file at most `patience`.
pub(crate) fn deadline(patience: Duration) -> impl Fn() -> bool {
    let until = Instant::now() + patience;
    move || Instant::now() < until
}

/// The two files that make a version work.
fn parse(files: &sums::Files, version: Version) -> Result<(Manifest, Model), String> {
    let file = |name: &str| files.get(name).ok_or_else(|| format!("it has no {name}"));
    let manifest = Manifest::parse(file(manifest::FILE)?, version)?;
    let model =
        Model::from_bytes(file(MODEL_FILE)?).map_err(|error| format!("{MODEL_FILE}: {error}"))?;
    Ok((manifest, model))
}

/// Names in a directory; none when it does not exist.
fn names_in(dir: &Path) -> Result<Vec<String>, RegistryError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(disk::DiskError::new("read", dir, error).into()),
    };
    let name = |entry: std::io::Result<fs::DirEntry>| entry.ok()?.file_name().into_string().ok();
    Ok(entries.filter_map(name).collect())
}
