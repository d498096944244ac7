//! A registry of its own, and files with some of the wines.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::registry::Registry;
use crate::train::Dataset;

/// Both, gone when it is dropped.
pub struct Cellar {
    pub home: TempDir,
    pub registry: Registry,
}

impl Cellar {
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let registry = Registry::at(home.path().join("registry"));
        Self { home, registry }
    }

    /// A file with the wines whose positions `pick` gives for their number.
    pub fn wines(&self, name: &str, pick: impl Fn(usize) -> Vec<usize>) -> PathBuf {
        let wine = Dataset::wine_quality().unwrap();
        let path = self.home.path().join(name);
        std::fs::write(&path, wine.select(&pick(wine.len())).to_csv()).unwrap();
        path
    }
}
