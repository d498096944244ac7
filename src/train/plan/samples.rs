//! How many rows a node must have: a number, or a share of the training rows.

use serde::{Deserialize, Serialize};

use super::ParamError;

/// Rows as scikit-learn takes them; written as it writes them (`3`, `0.01`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "serde_json::Value", into = "serde_json::Value")]
pub enum Samples {
    /// That many.
    Count(usize),
    /// That share of the training rows, rounded up.
    Share(f64),
}

impl Samples {
    /// Rows out of `rows` training rows, at least 1.
    pub fn of(self, rows: usize) -> usize {
        let count = match self {
            Self::Count(count) => count,
            Self::Share(share) => (share * rows as f64).ceil() as usize,
        };
        count.max(1)
    }
}

impl std::fmt::Display for Samples {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            // A share of 1.0 is not a count of 1.
            Self::Share(share) => write!(f, "{share:?}"),
        }
    }
}

impl std::str::FromStr for Samples {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if let Ok(count) = text.parse() {
            return Ok(Self::Count(count));
        }
        // A whole number that is no count is no share either.
        let whole = text.parse::<i128>().is_ok();
        let share = text.parse().ok().filter(|_| !whole);
        share.map(Self::Share).ok_or(())
    }
}

impl TryFrom<serde_json::Value> for Samples {
    type Error = ParamError;

    fn try_from(value: serde_json::Value) -> Result<Self, ParamError> {
        let number = value.to_string().parse();
        number.map_err(|()| ParamError::Other(format!("{value} is not a number of rows")))
    }
}

impl From<Samples> for serde_json::Value {
    fn from(samples: Samples) -> Self {
        match samples {
            Samples::Count(count) => count.into(),
            Samples::Share(share) => share.into(),
        }
    }
}
