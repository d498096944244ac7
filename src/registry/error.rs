//! What can go wrong with a registry, each with its remedy.

use super::disk::DiskError;
use super::pointer::Champion;
use super::version::Version;
use crate::train::Family;

/// Why the registry did not do what was asked. Whatever it is, the champion stands as it stood.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Another process holds the lock for too long.
    #[error(
        "the registry is busy: another vintner has held {lock} for {seconds} s; wait for it, or end it, and try again"
    )]
    Busy {
        /// The lock file.
        lock: String,
        /// How long we waited.
        seconds: u64,
    },
    /// Another process is at this search.
    #[error("process {pid} is at the search {run}; wait for it, or end it, and try again")]
    Searching {
        /// The run.
        run: String,
        /// Its process.
        pid: u32,
    },
    /// No such version.
    #[error("there is no version {version}; there are: {known} (`vintner models list`)")]
    Unknown {
        /// The version asked for.
        version: Version,
        /// Those there are.
        known: String,
    },
    /// Not the name of a version.
    #[error("{0:?} is not a version; versions look like v0004")]
    NotAVersion(String),
    /// Content that is not what was committed; never loaded.
    #[error(
        "{version} is CORRUPT and will not be loaded: {why}; restore it from a copy, or choose another version (`vintner models list`)"
    )]
    Corrupt {
        /// The version.
        version: Version,
        /// What is wrong with it.
        why: String,
    },
    /// Somebody else moved the pointer since the caller looked.
    #[error("the champion has changed meanwhile: {}; nothing was done: look again and decide anew", .now.as_ref().map_or_else(|| "there is none now".to_owned(), |now| format!("{} since {} by {}", now.version, now.since.strftime("%H:%M:%S"), now.by)))]
    Moved {
        /// The champion as it is now.
        now: Option<Box<Champion>>,
    },
    /// Promoting the champion.
    #[error("{0} is the champion already")]
    Already(Version),
    /// Rolling back without a previous champion.
    #[error("there is no earlier champion to roll back to{}", .0.map_or_else(String::new, |version| format!("; {version} is the first")))]
    NoPrevious(Option<Version>),
    /// Nothing was promoted yet.
    #[error(
        "the registry has no champion yet; train one (`vintner train --promote`) or promote a version (`vintner models promote v0001`)"
    )]
    NoChampion,
    /// A model that ONNX cannot say in one node.
    #[error("{0} mixes trees and a linear model, which ONNX has no node for; export it as JSON")]
    NoOnnx(Version),
    /// A model that a scikit-learn forest cannot be.
    #[error(
        "{version} is a {family} model, and the scikit-learn converter makes forests of trees only; nothing was written: export it with --onnx (onnxruntime serves it beside scikit-learn), or as JSON without --sklearn"
    )]
    NoSklearn {
        /// The version.
        version: Version,
        /// What it is.
        family: Family,
    },
    /// Four thousand million versions.
    #[error("the registry has no version numbers left")]
    Full,
}

impl RegistryError {
    pub(super) fn corrupt(version: Version, why: impl Into<String>) -> Self {
        Self::Corrupt {
            version,
            why: why.into(),
        }
    }

    /// Whether the directory cannot be written at all (read-only file system, no permission).
    pub fn is_read_only(&self) -> bool {
        matches!(self, Self::Disk(error) if error.is_read_only())
    }
}
