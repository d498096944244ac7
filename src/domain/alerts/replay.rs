//! The alerts of a recorded session: what the rules would have said while it was written.

use serde::Serialize;

use super::{Alerts, Outside, Rule};
use crate::domain::latency::Samples;
use crate::domain::latency::calls::CallLine;
use crate::domain::line::LogEvent;

/// The rules look this often, as they do on screen.
const STEP_MS: i64 = 60_000;
/// A longer silence tells nothing that its first day has not told.
const LONGEST_SILENCE_MS: i64 = 86_400_000;
/// A time beyond the year 9999 is none.
const TIMES: std::ops::Range<i64> = 1..253_402_300_800_000;

/// What a recording came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replayed {
    /// Events with a time.
    pub events: usize,
    /// Calls that ended.
    pub calls: usize,
    /// Of these, failed ones.
    pub failed: usize,
    /// Times of the first and the last event, milliseconds since the epoch.
    pub span_ms: Option<(i64, i64)>,
    /// Where the rules stand at the end, and what fired on the way.
    pub alerts: Alerts,
}

/// Plays a recording to the rules, minute by minute of its own time. A recording has no gateway counts and no requests, so
/// that error rate means failed calls in the log, and drift stays without data.
pub fn replay(rules: Vec<Rule>, mut events: Vec<LogEvent>) -> Replayed {
    events.retain(|event| TIMES.contains(&event.timestamp));
    events.sort_by_key(|event| event.timestamp);
    let mut samples = Samples::default();
    let mut alerts = Alerts::new(rules);
    let span_ms = events
        .first()
        .zip(events.last())
        .map(|(first, last)| (first.timestamp, last.timestamp));
    let mut last_ms = span_ms.map_or(0, |(first, _)| first);
    let mut due_ms = last_ms + STEP_MS;
    for event in &events {
        let until = event.timestamp.min(last_ms + LONGEST_SILENCE_MS);
        while due_ms <= until {
            look(&mut alerts, &samples, last_ms, due_ms);
            due_ms += STEP_MS;
        }
        last_ms = event.timestamp;
        due_ms = due_ms.max(last_ms - STEP_MS);
        if let Some(line) = CallLine::read(event) {
            samples.take(&line);
        }
    }
    look(&mut alerts, &samples, last_ms, last_ms);
    Replayed {
        events: events.len(),
        calls: samples.len(),
        failed: samples.iter().filter(|s| s.failed).count(),
        span_ms,
        alerts,
    }
}

fn look(alerts: &mut Alerts, samples: &Samples, last_event_ms: i64, now_ms: i64) {
    let outside = Outside {
        silent_since_ms: Some(last_event_ms),
        ..Outside::default()
    };
    alerts.step(samples, &outside, now_ms);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alerts::{Signal, default_rules};
    use crate::testing::event;

    /// A call every six seconds; those from the 50th to the 149th crash. Then an hour of silence, and one more call.
    fn session() -> Vec<LogEvent> {
        let start = 1_790_000_000_000_i64;
        let mut events = Vec::new();
        for call in 0..300_i64 {
            let at = start + call * 6_000 + if call == 299 { 3_600_000 } else { 0 };
            if (50..150).contains(&call) {
                events.push(event("s", at - 2, "[ERROR] ValueError: x\rTraceback"));
            }
            events.push(event(
                "s",
                at,
                format!("REPORT RequestId: d602a1ed-0000-4000-8000-{call:012}\tDuration: 150.00 ms\tBilled Duration: 150 ms\tMemory Size: 1024 MB\tMax Memory Used: 237 MB\t"),
            ));
        }
        events
    }

    #[test]
    fn a_session_replays_to_the_alerts_it_would_have_had() {
        let replayed = replay(default_rules(), session());
        assert_eq!((replayed.calls, replayed.failed), (300, 100));
        let fired: Vec<(Signal, bool)> = replayed
            .alerts
            .history
            .iter()
            .rev()
            .map(|past| (past.signal, past.cleared_ms.is_some()))
            .collect();
        assert_eq!(fired, [(Signal::ErrorRate, true), (Signal::NoEvents, true)]);
        let mut shuffled = session();
        shuffled.reverse();
        assert_eq!(replay(default_rules(), shuffled), replayed);
    }

    #[test]
    fn senseless_times_end() {
        let mut events = session();
        events.push(event("s", 0, "no time"));
        events.push(event("s", i64::MAX / 2, "far"));
        events.push(event("s", TIMES.end - 1, "the last day"));
        assert_eq!(replay(default_rules(), events).events, 401);
        assert_eq!(replay(default_rules(), Vec::new()).span_ms, None);
    }
}
