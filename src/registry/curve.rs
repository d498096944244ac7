//! The curve a version grew along.

use super::draft::CURVE_FILE;
use super::{Registry, Version};

impl Registry {
    /// A version's curve: trees and R2; empty when it has none.
    pub fn curve(&self, version: Version) -> Vec<(usize, f64)> {
        let bytes = self.artefact(version, CURVE_FILE);
        bytes.map_or_else(|_| Vec::new(), |bytes| read(&bytes))
    }
}

fn read(bytes: &[u8]) -> Vec<(usize, f64)> {
    let mut reader = csv::Reader::from_reader(bytes);
    let rows = reader.deserialize::<(usize, usize, f64, f64, f64)>();
    rows.filter_map(Result::ok)
        .map(|(trees, _, r2, ..)| (trees, r2))
        .filter(|(_, r2)| r2.is_finite())
        .collect()
}
