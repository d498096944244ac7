//! A version's number, written `v0001`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::RegistryError;

/// The number of a version, from 1; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(u32);

impl Version {
    /// `v0001`.
    pub const FIRST: Self = Self(1);

    /// The number after this one.
    pub fn next(self) -> Result<Self, RegistryError> {
        self.0.checked_add(1).map(Self).ok_or(RegistryError::Full)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("v{:04}", self.0))
    }
}

impl FromStr for Version {
    type Err = RegistryError;

    /// Reads `v0004`, and what people type for it: `v4`, `4`.
    fn from_str(text: &str) -> Result<Self, RegistryError> {
        let wrong = || RegistryError::NotAVersion(text.chars().take(40).collect());
        let digits = text.strip_prefix(['v', 'V']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        match digits.parse() {
            Ok(0) | Err(_) => Err(wrong()),
            Ok(number) => Ok(Self(number)),
        }
    }
}

impl TryFrom<String> for Version {
    type Error = RegistryError;

    fn try_from(text: String) -> Result<Self, RegistryError> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

/// Ascending versions for a sentence: `v0001–v0003, v0007`.
pub(super) fn ranges(versions: &[Version]) -> String {
    let mut runs: Vec<(Version, Version)> = Vec::new();
    for &version in versions {
        match runs.last_mut() {
            Some((_, last)) if last.0 + 1 == version.0 => *last = version,
            _ => runs.push((version, version)),
        }
    }
    let run = |(first, last): &(Version, Version)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}–{last}")
        }
    };
    match runs.as_slice() {
        [] => "none yet".to_owned(),
        runs => runs.iter().map(run).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn versions_read_as_people_write_them() {
        let four: Version = "v0004".parse().unwrap();
        assert_eq!((four, four), ("4".parse().unwrap(), "V4".parse().unwrap()));
        assert_eq!(four.to_string(), "v0004");
        assert_eq!(Version(12345).to_string(), "v12345");
        for bad in [
            "",
            "v",
            "v0",
            "0",
            "-1",
            "v1.0",
            "../v1",
            "v99999999999",
            "+4",
        ] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }

    #[test]
    fn runs_of_versions_are_short() {
        let versions = [1, 2, 3, 7].map(Version);
        assert_eq!(ranges(&versions), "v0001–v0003, v0007");
        assert_eq!(ranges(&[]), "none yet");
    }
}
