//! A version for other programs: ONNX, or all trees as JSON.

use std::path::Path;

use super::{Loaded, RegistryError};
use crate::train::onnx::onnx;

impl Loaded {
    /// The content of a file for other programs: ONNX where its name ends in `.onnx`, else JSON.
    pub fn export(&self, path: &Path) -> Result<Vec<u8>, RegistryError> {
        if path.extension().is_none_or(|ending| ending != "onnx") {
            return Ok(self.model.to_json().into_bytes());
        }
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
