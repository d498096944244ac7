//! Data that comes from elsewhere: never asked, on its way, here, or failed; old data stays on screen while new data loads.

use jiff::Timestamp;

/// A value fetched from outside, with its age.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Remote<T> {
    /// Nobody asked yet.
    #[default]
    Idle,
    /// Asked for; `old` is what we had before.
    Loading {
        /// When the request left.
        since: Timestamp,
        /// The last good value and when it came.
        old: Option<(T, Timestamp)>,
    },
    /// Here.
    Ready {
        /// The value.
        value: T,
        /// When it came.
        at: Timestamp,
    },
    /// The last request failed; `old` is what we had before.
    Failed {
        /// What failed and what to do, for a person.
        error: String,
        /// When it failed.
        at: Timestamp,
        /// The last good value and when it came.
        old: Option<(T, Timestamp)>,
    },
}

impl<T> Remote<T> {
    /// The newest good value, however old, with the time it came.
    pub const fn value(&self) -> Option<(&T, Timestamp)> {
        match self {
            Self::Ready { value, at } => Some((value, *at)),
            Self::Loading {
                old: Some((value, at)),
                ..
            }
            | Self::Failed {
                old: Some((value, at)),
                ..
            } => Some((value, *at)),
            _ => None,
        }
    }

    /// The error of the last request, if it failed.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Failed { error, .. } => Some(error),
            _ => None,
        }
    }

    /// Whether a request is under way.
    pub const fn is_loading(&self) -> bool {
        matches!(self, Self::Loading { .. })
    }

    /// Says that a request has left; the old value stays.
    pub fn load(&mut self, since: Timestamp) {
        let old = self.take_value();
        *self = Self::Loading { since, old };
    }

    /// Takes the answer in: a value replaces the old one, an error keeps it.
    pub fn resolve(&mut self, answer: Result<T, String>, at: Timestamp) {
        let old = self.take_value();
        *self = match answer {
            Ok(value) => Self::Ready { value, at },
            Err(error) => Self::Failed { error, at, old },
        };
    }

    fn take_value(&mut self) -> Option<(T, Timestamp)> {
        match std::mem::take(self) {
            Self::Ready { value, at } => Some((value, at)),
            Self::Loading { old, .. } | Self::Failed { old, .. } => old,
            Self::Idle => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_data_survives_loading_and_failing() {
        let at = Timestamp::from_second(7).unwrap();
        let mut remote = Remote::default();
        remote.resolve(Ok(1), at);
        remote.load(at);
        assert!(remote.is_loading());
        assert_eq!(remote.value(), Some((&1, at)));
        remote.resolve(Err("gone".into()), at);
        assert_eq!(
            (remote.value(), remote.error()),
            (Some((&1, at)), Some("gone"))
        );
    }
}
