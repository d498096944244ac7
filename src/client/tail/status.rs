//! What a tail says about itself: the header pill, always true.

use std::sync::Arc;

use crate::client::errors::AwsError;

/// The state of a tail. Times are milliseconds since the epoch, so that a screen can keep counting between updates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Status {
    /// No answer yet.
    #[default]
    Connecting,
    /// Everything CloudWatch shows up to `searched_to` is here.
    Live(Progress),
    /// All that was asked for has been read; nothing is followed.
    Complete,
    /// AWS asks for patience.
    Throttled {
        /// When the next attempt is made.
        retry_at: i64,
    },
    /// New credentials are needed; the tail looks for them by itself and goes on where it stopped.
    CredentialsExpired {
        /// The command that renews them.
        command: String,
    },
    /// There are no usable credentials; the tail looks for them by itself.
    NoCredentials {
        /// What is wrong, with its remedy.
        reason: String,
    },
    /// The group does not exist yet; the tail waits for it.
    WaitingForGroup {
        /// Its name.
        group: Arc<str>,
    },
    /// A permission is missing; tried again now and then.
    Denied {
        /// The missing IAM action.
        action: String,
    },
    /// The network or the service fails.
    Unreachable {
        /// What happens.
        reason: String,
        /// When the next attempt is made.
        retry_at: i64,
    },
    /// The tail has stopped: repeating cannot help.
    Failed {
        /// What is wrong, with its remedy.
        reason: String,
    },
}

/// The figures of a healthy tail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// The last complete search ended here.
    pub searched_to: i64,
    /// Ranges that Live Tail skipped and the poller has not read yet.
    pub gaps: u32,
    /// Events that arrived after newer ones had been shown.
    pub late: u64,
    /// Live Tail updates that were only a sample (the poller reads the rest).
    pub sampled: u64,
    /// Whether a Live Tail session is open.
    pub live_tail: bool,
    /// The history is still being read and is complete from here on.
    pub history_from: Option<i64>,
}

impl Status {
    /// The status that follows from a failed call.
    pub fn from_error(error: &AwsError, group: &Arc<str>, retry_at: i64) -> Self {
        match error {
            AwsError::Throttled { .. } => Self::Throttled { retry_at },
            AwsError::CredentialsExpired { command, .. } => Self::CredentialsExpired {
                command: command.clone(),
            },
            AwsError::CredentialsMissing { .. } | AwsError::CredentialsRejected { .. } => {
                Self::NoCredentials {
                    reason: error.to_string(),
                }
            }
            AwsError::NotFound { .. } => Self::WaitingForGroup {
                group: Arc::clone(group),
            },
            AwsError::AccessDenied { action, .. } => Self::Denied {
                action: action.clone(),
            },
            error if error.is_transient() => Self::Unreachable {
                reason: error.to_string(),
                retry_at,
            },
            error => Self::Failed {
                reason: error.to_string(),
            },
        }
    }

    /// The one to show for several groups: the worst, or the sum of the healthy ones.
    pub fn of_all(statuses: &[Self]) -> Self {
        let Some(worst) = statuses.iter().max_by_key(|status| status.severity()) else {
            return Self::Connecting;
        };
        if !matches!(worst, Self::Live(_)) {
            return worst.clone();
        }
        let mut sum = Progress {
            searched_to: i64::MAX,
            ..Progress::default()
        };
        for status in statuses {
            if let Self::Live(one) = status {
                sum.searched_to = sum.searched_to.min(one.searched_to);
                sum.gaps += one.gaps;
                sum.late += one.late;
                sum.sampled += one.sampled;
                sum.live_tail |= one.live_tail;
                sum.history_from = sum.history_from.max(one.history_from);
            }
        }
        Self::Live(sum)
    }

    /// Whether lines may be missing right now.
    pub fn is_trouble(&self) -> bool {
        !matches!(self, Self::Connecting | Self::Live(_) | Self::Complete)
    }

    /// The words of the header at `now`: `LIVE · behind 0.8 s · 0 gaps · 3 late · 0 sampled`.
    pub fn pill(&self, now: i64) -> String {
        let seconds = |at: &i64| (at - now).max(0).div_euclid(1000) + 1;
        match self {
            Self::Connecting => "CONNECTING".to_owned(),
            Self::Live(progress) => progress.pill(now),
            Self::Complete => "COMPLETE".to_owned(),
            Self::Throttled { retry_at } => format!("THROTTLED, retry in {} s", seconds(retry_at)),
            Self::CredentialsExpired { command } => format!("CREDENTIALS EXPIRED: {command}"),
            Self::NoCredentials { reason } => format!("NO CREDENTIALS: {reason}"),
            Self::WaitingForGroup { group } => format!("WAITING for log group {group}"),
            Self::Denied { action } => format!("ACCESS DENIED: needs {action}"),
            Self::Unreachable { reason, retry_at } => {
                format!("UNREACHABLE, retry in {} s: {reason}", seconds(retry_at))
            }
            Self::Failed { reason } => format!("STOPPED: {reason}"),
        }
    }

    fn severity(&self) -> u8 {
        match self {
            Self::Complete => 0,
            Self::Live(_) => 1,
            Self::Connecting => 2,
            Self::WaitingForGroup { .. } => 3,
            Self::Throttled { .. } => 4,
            Self::Unreachable { .. } => 5,
            Self::Denied { .. } => 6,
            Self::NoCredentials { .. } => 7,
            Self::CredentialsExpired { .. } => 8,
            Self::Failed { .. } => 9,
        }
    }
}

impl Progress {
    fn pill(&self, now: i64) -> String {
        let behind = (now - self.searched_to).max(0) as f64 / 1000.0;
        let mut pill = format!(
            "LIVE · behind {behind:.1} s · {} gaps · {} late · {} sampled",
            self.gaps, self.late, self.sampled
        );
        if self.history_from.is_some() {
            pill.push_str(" · reading history");
        }
        pill
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(searched_to: i64, late: u64) -> Status {
        Status::Live(Progress {
            searched_to,
            late,
            ..Progress::default()
        })
    }

    #[test]
    fn the_pill_counts_on_between_updates() {
        assert_eq!(
            live(1_000, 3).pill(1_800),
            "LIVE · behind 0.8 s · 0 gaps · 3 late · 0 sampled"
        );
        let throttled = Status::Throttled { retry_at: 5_000 };
        assert_eq!(throttled.pill(1_500), "THROTTLED, retry in 4 s");
    }

    #[test]
    fn several_groups_show_the_worst_or_the_sum() {
        let both = [live(1_000, 3), live(900, 2)];
        assert_eq!(Status::of_all(&both), live(900, 5));
        let one_bad = [live(1_000, 3), Status::Throttled { retry_at: 1 }];
        assert_eq!(Status::of_all(&one_bad), one_bad[1]);
        assert_eq!(Status::of_all(&[]), Status::Connecting);
    }
}
