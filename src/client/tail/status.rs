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
    /// This machine's clock is too far off for AWS; tried again now and then.
    ClockWrong {
        /// What is wrong, with its remedy.
        reason: String,
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
    /// Events that arrived after newer ones had been shown, of all groups together.
    pub late: u64,
    /// Live Tail updates that were only a sample (the poller reads the rest).
    pub sampled: u64,
    /// How Live Tail does.
    pub live_tail: LiveTail,
    /// How old the last complete search may be, milliseconds: a group without events is searched less often.
    pub pace: i64,
    /// Another group's trouble, while this sum flows.
    pub trouble: Option<String>,
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
            AwsError::ClockSkew { .. } => Self::ClockWrong {
                reason: error.to_string(),
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

    /// The one to show for several groups: the worst if it stops all, else the sum of those that flow, with the trouble of
    /// the others beside it.
    pub fn of_all(groups: &[(Arc<str>, Self)]) -> Self {
        let Some((group, worst)) = groups.iter().max_by_key(|(_, status)| status.severity()) else {
            return Self::Connecting;
        };
        let mut flowing = groups.iter().filter_map(|(_, status)| match status {
            Self::Live(progress) => Some(progress.clone()),
            _ => None,
        });
        let Some(first) = flowing.next() else {
            return worst.clone();
        };
        let mut sum = flowing.fold(first, Progress::plus);
        if !matches!(worst, Self::Live(_)) {
            let troubled = groups
                .iter()
                .filter(|(_, status)| status.is_trouble())
                .count();
            let what = match worst {
                Self::WaitingForGroup { .. } => "is missing".to_owned(),
                worst => worst.pill_without_countdown(),
            };
            sum.trouble = match troubled {
                0 => None,
                1 => Some(format!("{group} {what}")),
                several => Some(format!("{group} {what}; {} more", several - 1)),
            };
        }
        Self::Live(sum)
    }

    /// The same at another clock, `by` milliseconds ahead.
    #[must_use]
    pub fn shifted(mut self, by: i64) -> Self {
        match &mut self {
            Self::Live(progress) => {
                progress.searched_to += by;
                progress.history_from = progress.history_from.map(|at| at + by);
            }
            Self::Throttled { retry_at } | Self::Unreachable { retry_at, .. } => *retry_at += by,
            _ => {}
        }
        self
    }

    /// What is wrong, in words that stay true for a while.
    fn pill_without_countdown(&self) -> String {
        match self {
            Self::Throttled { .. } => "throttled".to_owned(),
            Self::Unreachable { reason, .. } => format!("unreachable: {reason}"),
            status => status.pill(0),
        }
    }

    /// Whether lines may be missing right now.
    pub fn is_trouble(&self) -> bool {
        match self {
            Self::Connecting | Self::Complete => false,
            Self::Live(progress) => progress.trouble.is_some(),
            _ => true,
        }
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
            Self::ClockWrong { reason } => format!("CLOCK WRONG: {reason}"),
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
            Self::ClockWrong { .. } => 7,
            Self::NoCredentials { .. } => 8,
            Self::CredentialsExpired { .. } => 9,
            Self::Failed { .. } => 10,
        }
    }
}

/// How Live Tail does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LiveTail {
    /// Not asked for.
    #[default]
    Off,
    /// A session is open and its frames come.
    Open,
    /// Asked for, not open (yet).
    Opening,
    /// It cannot be opened, or was closed: why. Polling goes on, and it is tried again.
    Refused(String),
}

impl Progress {
    /// Both together: the sums, the worse of each state, and the search that is furthest behind its own pace.
    fn plus(self, other: Self) -> Self {
        let (late_one, punctual) = if self.searched_to + self.pace <= other.searched_to + other.pace
        {
            (&self, &other)
        } else {
            (&other, &self)
        };
        Self {
            searched_to: late_one.searched_to,
            pace: late_one.pace,
            gaps: self.gaps + other.gaps,
            late: self.late + other.late,
            sampled: self.sampled + other.sampled,
            live_tail: late_one.live_tail.clone().max(punctual.live_tail.clone()),
            trouble: None,
            history_from: self.history_from.max(other.history_from),
        }
    }

    fn pill(&self, now: i64) -> String {
        let behind = (now - self.searched_to).max(0) as f64 / 1000.0;
        let live = match self.live_tail {
            LiveTail::Open => "LIVE+TAIL",
            _ => "LIVE",
        };
        let mut pill = format!(
            "{live} · behind {behind:.1} s · {} gaps · {} late · {} sampled",
            self.gaps, self.late, self.sampled
        );
        match &self.live_tail {
            LiveTail::Refused(why) => pill.push_str(&format!(" · live tail refused: {why}")),
            LiveTail::Opening => pill.push_str(" · opening Live Tail"),
            LiveTail::Off | LiveTail::Open => {}
        }
        if let Some(trouble) = &self.trouble {
            pill = format!("{trouble} · {pill}");
        }
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
    fn several_groups_show_what_flows_and_what_does_not() {
        let of_all = |statuses: &[Status]| {
            let named: Vec<_> = ["/a", "/b"]
                .map(Arc::from)
                .into_iter()
                .zip(statuses.iter().cloned())
                .collect();
            Status::of_all(&named)
        };
        assert_eq!(of_all(&[live(1_000, 3), live(900, 2)]), live(900, 5));
        let missing = Status::WaitingForGroup { group: "/b".into() };
        let mixed = of_all(&[live(1_000, 3), missing.clone()]);
        assert!(mixed.is_trouble());
        assert_eq!(
            mixed.pill(1_800),
            "/b is missing · LIVE · behind 0.8 s · 0 gaps · 3 late · 0 sampled"
        );
        assert_eq!(of_all(&[Status::Connecting, missing.clone()]), missing);
        assert!(!of_all(&[live(1, 0), Status::Connecting]).is_trouble());
        assert_eq!(of_all(&[]), Status::Connecting);
    }

    #[test]
    fn an_idle_group_does_not_make_the_sum_behind() {
        let paced = |searched_to, pace| Progress {
            searched_to,
            pace,
            ..Progress::default()
        };
        let sum = paced(10_000, 1_000).plus(paced(7_000, 5_000));
        assert_eq!(sum.searched_to, 10_000);
        let sum = paced(10_000, 1_000).plus(paced(3_000, 5_000));
        assert_eq!(sum.searched_to, 3_000);
    }

    #[test]
    fn live_tail_is_named_as_it_is() {
        let with = |live_tail| {
            Status::Live(Progress {
                live_tail,
                ..Progress::default()
            })
            .pill(0)
        };
        assert!(with(LiveTail::Open).starts_with("LIVE+TAIL · "));
        let refused = with(LiveTail::Refused("needs logs:StartLiveTail".to_owned()));
        assert!(
            refused.ends_with("live tail refused: needs logs:StartLiveTail"),
            "{refused}"
        );
    }
}
