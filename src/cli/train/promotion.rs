//! Whether the new version takes the throne, and why not.

use crate::challenger::Report;
use crate::registry::{Move, Registry};

/// What became of `--promote`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Promotion {
    /// It was not asked for.
    Unasked,
    /// The version reigns.
    Done,
    /// It does not, for this reason.
    Refused(String),
}

impl Promotion {
    /// Promotes what `report` registered, if every gate is passed and the champion it was compared with still reigns.
    pub fn of(report: &Report, registry: &Registry) -> Self {
        let version = match &report.version {
            Ok(version) => *version,
            Err(_) => return Self::Refused("it is not registered".to_owned()),
        };
        let shut = report.gates.iter().filter(|gate| !gate.passed);
        let shut: Vec<String> = shut
            .map(|gate| format!("{} ({})", gate.name, gate.reason))
            .collect();
        if !shut.is_empty() {
            return Self::Refused(format!("stopped by {}", shut.join(", ")));
        }
        let reason = format!("vintner train: {}", report.verdict().unwrap_or("FIRST"));
        let wish = Move::seen(report.reigning.as_ref(), reason);
        match registry.promote(version, wish) {
            Ok(_) => Self::Done,
            Err(error) => Self::Refused(error.to_string()),
        }
    }

    /// Why it does not reign although that was wanted.
    pub fn refusal(&self) -> Option<&str> {
        match self {
            Self::Refused(why) => Some(why),
            Self::Unasked | Self::Done => None,
        }
    }
}
