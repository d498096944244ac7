//! A version written to files for other programs.

use std::path::{Path, PathBuf};

use crate::registry::export::Form;
use crate::registry::{Registry, Version};
use crate::train::export::SKLEARN_CONVERTER;

/// The names of the files for a version.
pub fn files(form: Form, version: Version) -> Vec<String> {
    let forest = format!("wine-quality-{version}.forest.json");
    match form {
        Form::Onnx => vec![format!("wine-quality-{version}.onnx")],
        Form::Sklearn => vec![forest, "forest_to_sklearn.py".to_owned()],
        Form::Json => vec![forest],
    }
}

/// Writes the files and gives their full paths.
pub(super) fn export(
    dir: &Path,
    registry: &Registry,
    version: Version,
    form: Form,
) -> Result<Vec<PathBuf>, String> {
    let loaded = registry.load(version).map_err(|error| error.to_string())?;
    let paths: Vec<PathBuf> = files(form, version)
        .into_iter()
        .map(|name| dir.join(name))
        .collect();
    for path in &paths {
        let content = if path.extension().is_some_and(|ending| ending == "py") {
            SKLEARN_CONVERTER.as_bytes().to_vec()
        } else {
            loaded.export(form).map_err(|error| error.to_string())?
        };
        std::fs::write(path, content)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_form_is_written_where_it_says() {
        let home = tempfile::tempdir().unwrap();
        let registry = Registry::at(home.path().join("registry"));
        let version = crate::champion::establish(&registry).unwrap().version;
        for form in [Form::Onnx, Form::Sklearn, Form::Json] {
            let paths = export(home.path(), &registry, version, form).unwrap();
            assert_eq!(paths.len(), files(form, version).len());
            for path in paths {
                assert!(
                    path.is_absolute() && path.metadata().unwrap().len() > 500,
                    "{path:?}"
                );
            }
        }
        let nowhere = export(&home.path().join("none"), &registry, version, Form::Onnx);
        assert!(nowhere.unwrap_err().starts_with("cannot write"));
    }
}
