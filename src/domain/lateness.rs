//! Which lines are late: the one rule of the Logs tab and of `vintner logs`.

use super::line::LogEvent;

/// A line this much older than one already shown is late, milliseconds. Less is the ordinary jumble of several streams.
const LATE_MS: i64 = 2_000;

/// What has been shown of lines that are followed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown {
    /// The newest event time that was not ahead of its own arrival at CloudWatch: one wrong clock makes nobody late.
    newest: Option<i64>,
}

impl Shown {
    /// How much older than the newest line shown a line of this time is, in milliseconds; `None` when it is not late.
    pub fn lateness(self, time: i64) -> Option<u32> {
        let behind = self.newest?.saturating_sub(time);
        (behind > LATE_MS).then(|| u32::try_from(behind).unwrap_or(u32::MAX))
    }

    /// These were shown. Lines that come together are not late for each other: ask for their lateness first.
    pub fn show(&mut self, events: &[LogEvent]) {
        self.newest = self
            .newest
            .max(events.iter().map(LogEvent::settled_time).max());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn event(timestamp: i64, ingestion_time: i64) -> LogEvent {
        LogEvent {
            ingestion_time,
            ..testing::event("s", timestamp, "")
        }
    }

    #[test]
    fn what_stands_more_than_two_seconds_above_shown_lines_is_late() {
        let mut shown = Shown::default();
        assert_eq!(shown.lateness(i64::MIN), None, "nothing was shown");
        shown.show(&[event(10_000, 10_400), event(9_000, 9_400)]);
        assert_eq!(shown.lateness(8_000), None);
        assert_eq!(shown.lateness(7_999), Some(2_001));
        assert_eq!(shown.lateness(i64::MIN), Some(u32::MAX));
        shown.show(&[]);
        shown.show(&[event(5_000, 5_400)]);
        assert_eq!(shown.lateness(7_000), Some(3_000), "the newest counts");
    }

    #[test]
    fn one_event_from_the_future_makes_nobody_late() {
        let mut shown = Shown::default();
        shown.show(&[event(3_600_000, 11_000)]);
        assert_eq!(shown.lateness(10_000), None);
    }
}
