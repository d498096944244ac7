//! One answer of the outside world, or why there is none.

use serde::{Deserialize, Serialize};

use crate::domain::doctor::one_line;

/// One answer of the outside world, or why there is none. Nothing is ever guessed in its place.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "answer", content = "value", rename_all = "snake_case")]
pub enum Fact<T> {
    /// The answer.
    Known(T),
    /// The service answered that there is no such thing.
    Missing(String),
    /// The identity in use lacks a permission.
    Denied {
        /// The IAM action, `lambda:GetPolicy`.
        action: String,
    },
    /// No usable answer: unreachable, timed out, throttled or nonsense.
    Failed(String),
    /// Credentials are absent or expired; the text names the remedy.
    NoCredentials(String),
    /// Not asked, since it does not apply here.
    #[default]
    NotAsked,
}

impl<T> Fact<T> {
    /// The answer, if there is one.
    pub fn known(&self) -> Option<&T> {
        match self {
            Fact::Known(value) => Some(value),
            _ => None,
        }
    }

    /// True when the service said there is no such thing.
    pub fn is_missing(&self) -> bool {
        matches!(self, Fact::Missing(_))
    }

    /// The IAM action that is missing.
    pub fn denied(&self) -> Option<&str> {
        match self {
            Fact::Denied { action } => Some(action),
            _ => None,
        }
    }

    /// Why there is no answer, as a sentence for people; `None` when there is one.
    pub fn absence(&self) -> Option<String> {
        match self {
            Fact::Known(_) => None,
            Fact::Denied { action } => Some(format!("the identity lacks {action}")),
            Fact::Missing(text) | Fact::Failed(text) | Fact::NoCredentials(text) => {
                Some(one_line(text, 160))
            }
            Fact::NotAsked => Some("not read yet".to_owned()),
        }
    }

    /// Whatever kept the answer from coming, with the answer's type changed.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Fact::Known(value) => Fact::Known(f(value)),
            Fact::Missing(text) => Fact::Missing(text),
            Fact::Denied { action } => Fact::Denied { action },
            Fact::Failed(text) => Fact::Failed(text),
            Fact::NoCredentials(text) => Fact::NoCredentials(text),
            Fact::NotAsked => Fact::NotAsked,
        }
    }
}
