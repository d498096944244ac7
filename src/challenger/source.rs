//! Where training rows come from, and how a record names it so that they can be read again.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::registry::manifest::Data;
use crate::train::dataset::EMBEDDED;
use crate::train::retrain::{Prepared, Rows};
use crate::train::{DataError, Dataset};

/// The data set in the program, or files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// UCI Wine Quality.
    Embedded,
    /// CSV files, by absolute path where the system tells it.
    Files {
        /// To learn from; `None` is the embedded data.
        learn: Option<PathBuf>,
        /// To judge with, when it is not a part of the other.
        holdout: Option<PathBuf>,
    },
}

/// Why rows could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file cannot be opened.
    #[error("cannot open {}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// The file holds no such rows.
    #[error(transparent)]
    Data(#[from] DataError),
}

impl Source {
    /// The files a user named, wherever the program will be started next time.
    pub fn of(learn: Option<&Path>, holdout: Option<&Path>) -> Self {
        let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        match (learn, holdout) {
            (None, None) => Self::Embedded,
            (learn, holdout) => Self::Files {
                learn: learn.map(whole),
                holdout: holdout.map(whole),
            },
        }
    }

    /// The source a version was recorded with.
    pub fn recorded(data: &Data) -> Self {
        let learn = (data.source != EMBEDDED).then_some(Path::new(&data.source));
        Self::of(learn, data.holdout_source.as_deref().map(Path::new))
    }

    /// As records name it: the rows to learn from, and those to judge with when they are elsewhere.
    pub fn names(&self) -> (String, Option<String>) {
        let name = |path: &PathBuf| path.display().to_string();
        match self {
            Self::Embedded => (EMBEDDED.to_owned(), None),
            Self::Files { learn, holdout } => (
                learn.as_ref().map_or_else(|| EMBEDDED.to_owned(), name),
                holdout.as_ref().map(name),
            ),
        }
    }

    /// Reads the rows.
    pub fn read(&self) -> Result<Rows, SourceError> {
        let (learn, holdout) = match self {
            Self::Embedded => (None, None),
            Self::Files { learn, holdout } => (learn.as_deref(), holdout.as_deref()),
        };
        Ok(Rows {
            learn: learn.map_or_else(|| Ok(Dataset::wine_quality()?), csv)?,
            holdout: holdout.map(csv).transpose()?,
        })
    }
}

/// The rows of a record, read again and checked; a sentence when they are gone or others.
pub(super) fn recorded_rows(data: &Data) -> Result<Prepared, String> {
    let rows = Source::recorded(data)
        .read()
        .map_err(|error| format!("its data is gone: {error}"))?;
    let prepared = rows
        .prepare(data.deduplicated, data.split_seed)
        .map_err(|error| error.to_string())?;
    let Prepared { preflight, .. } = &prepared;
    if preflight.sha256 != data.sha256 || preflight.holdout_sha256 != data.holdout_sha256 {
        return Err(format!("its data has changed since: {}", data.source));
    }
    Ok(prepared)
}

fn csv(path: &Path) -> Result<Dataset, SourceError> {
    let file = File::open(path).map_err(|cause| SourceError::Unreadable {
        path: path.to_owned(),
        cause,
    })?;
    Ok(Dataset::from_csv(file, &path.display().to_string())?)
}
