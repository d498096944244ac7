//! The accepted forest's parameters, written for the Python project.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::registry::disk::{self, DiskError};
use crate::train::best_params::{self, BestParamsError};
use crate::train::{Family, Params, Plan};

/// The file's usual name.
pub const NAME: &str = "best_params.json";

/// Why the parameters are not written; the file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ParamsFileError {
    /// The file holds a random-forest.
    #[error("best_params.json has no place for {0}; it holds a random-forest")]
    Family(Family),
    /// There is no such directory.
    #[error("cannot write {}: there is no directory {}", path.display(), dir.display())]
    NoDirectory {
        /// The file.
        path: PathBuf,
        /// Where it should be.
        dir: PathBuf,
    },
    /// What is there cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// What is there is another kind of file.
    #[error(transparent)]
    Content(#[from] BestParamsError),
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Whether a plan's parameters have a place in the file.
pub fn check(plan: &Plan) -> Result<(), ParamsFileError> {
    match plan.family {
        Family::RandomForest => Ok(()),
        family => Err(ParamsFileError::Family(family)),
    }
}

/// Whether the file has a place on the disk.
pub fn check_place(path: &Path) -> Result<(), ParamsFileError> {
    let dir = dir_of(path);
    if dir.is_dir() {
        return Ok(());
    }
    Err(ParamsFileError::NoDirectory {
        path: path.to_owned(),
        dir: dir.to_owned(),
    })
}

fn dir_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Writes the parameters into the file as a whole, the former content beside it as `.bak`, and says what was done
/// and what Python will not see. A file that is not there is made.
pub fn write(
    path: &Path,
    params: &Params,
    now: jiff::Timestamp,
) -> Result<Vec<String>, ParamsFileError> {
    check_place(path)?;
    let before = match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(cause) => {
            let path = path.to_owned();
            return Err(ParamsFileError::Unreadable { path, cause });
        }
    };
    let now = now.strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string();
    let text = best_params::write(before.as_deref().unwrap_or_default(), params, false, &now)?;
    let stage = dir_of(path);
    if let Some(before) = before {
        disk::replace(&backup(path), before.as_bytes(), stage)?;
    }
    disk::replace(path, text.as_bytes(), stage)?;
    Ok([Some(format!("wrote {}", path.display())), unseen(params)]
        .into_iter()
        .flatten()
        .collect())
}

fn backup(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".bak");
    name.into()
}

/// Parameters that the file has no key for, where they are not scikit-learn's defaults.
fn unseen(params: &Params) -> Option<String> {
    let default = Params::default();
    let differs = [
        ("max_features", params.max_features != default.max_features),
        (
            "min_samples_leaf",
            params.min_samples_leaf != default.min_samples_leaf,
        ),
        ("bootstrap", params.bootstrap != default.bootstrap),
    ];
    let names: Vec<&str> = differs
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "Python's file has no {}: its forest will differ from this one",
            names.join(" and no ")
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_file_is_replaced_and_the_former_one_kept() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("best_params.json");
        let now: jiff::Timestamp = "2026-11-23T13:38:48.123456Z".parse().unwrap();
        let owner = Plan::preset("owner").unwrap().params;
        assert_eq!(write(&path, &owner, now).unwrap().len(), 1);
        let first = std::fs::read_to_string(&path).unwrap();
        assert!(first.contains(r#""n_estimators":138,"max_depth":8,"min_samples_split":3"#));
        assert!(
            first.contains(r#""last_updated":"2026-11-23T13:38:48.123456""#),
            "{first}"
        );
        assert!(!backup(&path).exists());

        let fast = Plan::preset("fast").unwrap();
        let notes = write(&path, &fast.params, now).unwrap();
        assert!(notes[1].contains("no max_features"), "{notes:?}");
        assert_eq!(std::fs::read_to_string(backup(&path)).unwrap(), first);
        let (read, _) = best_params::read(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(
            (read.params.n_estimators, read.params.max_depth),
            (300, None)
        );
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_is_something_else_stays_as_it_is() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("best_params.json");
        std::fs::write(&path, "[1, 2]").unwrap();
        let now = jiff::Timestamp::UNIX_EPOCH;
        assert!(write(&path, &Params::default(), now).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "[1, 2]");
        assert!(check(&Plan::preset("best").unwrap()).is_err());
    }
}
