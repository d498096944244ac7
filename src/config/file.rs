//! The configuration file: where it is and what may stand in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Colour, ConfigError, Dirs, EnvVar, Flags, Target};
use crate::domain::alerts::Signal;
use crate::sandbox::Incident;
use crate::ui::theme::ThemeName;

/// A configuration file, every key optional. Unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub target: Option<String>,
    pub theme: Option<ThemeName>,
    pub color: Option<Colour>,
    pub ascii: Option<bool>,
    pub mouse: Option<bool>,
    pub model: Option<PathBuf>,
    pub registry: Option<PathBuf>,
    #[serde(default)]
    pub sandbox: SandboxFile,
    #[serde(default)]
    pub targets: BTreeMap<String, Target>,
    #[serde(default)]
    pub prices: PricesFile,
    #[serde(default)]
    pub alerts: BTreeMap<Signal, RuleFile>,
}

/// Prices that differ from the built-in list prices, US dollars.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PricesFile {
    pub as_of: Option<String>,
    pub x86_gb_second: Option<f64>,
    pub arm_gb_second: Option<f64>,
    pub requests_per_million: Option<f64>,
    pub gateway_per_million: Option<f64>,
    pub free_requests: Option<f64>,
    pub free_gb_seconds: Option<f64>,
    pub fixed_monthly: Option<f64>,
}

/// What differs from a built-in alert rule.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFile {
    pub on: Option<bool>,
    pub above: Option<f64>,
    pub clear: Option<f64>,
    pub short_s: Option<i64>,
    pub long_s: Option<i64>,
    pub min_n: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SandboxFile {
    pub seed: Option<u64>,
    pub rate: Option<f64>,
    pub speed: Option<f64>,
    #[serde(default, deserialize_with = "incident")]
    pub incident: Option<Incident>,
}

fn incident<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Incident>, D::Error> {
    let name = String::deserialize(deserializer)?;
    name.parse().map(Some).map_err(serde::de::Error::custom)
}

pub(super) fn path(flags: &Flags, env: EnvVar, dirs: &Dirs) -> (PathBuf, bool) {
    match (&flags.config, env("VINTNER_CONFIG")) {
        (Some(path), _) => (path.clone(), true),
        (None, Some(path)) => (path.into(), true),
        (None, None) => (dirs.config.join("config.toml"), false),
    }
}

pub(super) fn read(path: &Path, required: bool) -> Result<File, ConfigError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => String::new(),
        Err(cause) => {
            return Err(ConfigError::Unreadable {
                path: path.to_owned(),
                cause,
            });
        }
    };
    toml::from_str(&text).map_err(|cause| ConfigError::Invalid {
        path: path.to_owned(),
        cause: Box::new(cause),
    })
}
