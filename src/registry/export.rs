//! A version for other programs: ONNX, or all trees as JSON.

use std::path::Path;

use super::{Loaded, RegistryError};
use crate::train::onnx::onnx;

/// What a file for other programs holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The whole model as JSON.
    Json,
    /// The same JSON, of a model that the scikit-learn converter can turn into a forest.
    Sklearn,
    /// ONNX with one `ai.onnx.ml` node.
    Onnx,
}

impl Form {
    /// The form a file's ending stands for: ONNX for `.onnx`, else JSON.
    pub fn of(path: &Path) -> Self {
        if path.extension().is_some_and(|ending| ending == "onnx") {
            Self::Onnx
        } else {
            Self::Json
        }
    }
}

impl Loaded {
    /// The content of a file for other programs, or why this model has no such form.
    pub fn export(&self, form: Form) -> Result<Vec<u8>, RegistryError> {
        let version = self.manifest.version;
        match form {
            Form::Onnx => self.onnx(),
            Form::Sklearn if !self.model.is_trees() => Err(RegistryError::NoSklearn {
                version,
                family: self.model.family(),
            }),
            Form::Json | Form::Sklearn => Ok(self.model.to_json().into_bytes()),
        }
    }

    fn onnx(&self) -> Result<Vec<u8>, RegistryError> {
        let manifest = &self.manifest;
        let version = manifest.version.to_string();
        // The exporter adds the feature names itself; a key must not stand there twice.
        let metadata = [
            ("version", version.as_str()),
            ("dataset_sha256", &manifest.data.sha256),
            ("feature_hash", &manifest.features.sha256),
        ];
        onnx(&self.model, &metadata).ok_or(RegistryError::NoOnnx(manifest.version))
    }
}
