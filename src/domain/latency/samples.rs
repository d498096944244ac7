//! The most recent invocations, and what lines without an id say about them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::calls::{CallLine, Told};
use super::{Sample, Window};

/// A line that names no request, and speaks of the call its stream's next REPORT line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Failed,
    InitTimedOut,
}

#[derive(Debug, Clone)]
struct Kept {
    sample: Sample,
    stream: Option<u64>,
    /// The call failed by its own REPORT line or by a line that names it.
    failed: bool,
}

/// The most recent invocations, in order of time, each counted once, bounded in number.
#[derive(Debug, Clone)]
pub struct Samples {
    by_time: BTreeMap<(i64, u64), Kept>,
    /// (stream, time, id) of every REPORT line whose stream is known.
    by_stream: BTreeSet<(u64, i64, u64)>,
    /// (stream, time, what) of the lines that name no request.
    marks: BTreeSet<(u64, i64, Mark)>,
    /// Requests that failed and whose REPORT line is still to come.
    failed_ids: HashSet<u64>,
    capacity: usize,
    dropped: u64,
}

impl Default for Samples {
    fn default() -> Self {
        // About 20 MB; a call every 6 s for a week.
        Samples::with_capacity(100_000)
    }
}

impl Samples {
    /// Holds at most `capacity` invocations; the oldest go first.
    pub fn with_capacity(capacity: usize) -> Self {
        Samples {
            by_time: BTreeMap::new(),
            by_stream: BTreeSet::new(),
            marks: BTreeSet::new(),
            failed_ids: HashSet::new(),
            capacity: capacity.max(1),
            dropped: 0,
        }
    }

    /// Takes a line in, in whatever order lines come and however often; `false` when it says nothing new.
    pub fn take(&mut self, line: &CallLine) -> bool {
        let (stream, at) = (line.stream, line.at_ms);
        match line.told {
            Told::Ended(sample) => self.end(sample, stream),
            Told::Failed(Some(id)) => self.fail(id, stream, at),
            Told::Failed(None) => self.mark(stream, at, Mark::Failed),
            Told::InitTimedOut => self.mark(stream, at, Mark::InitTimedOut),
        }
    }

    /// Adds an invocation whose stream is not known; `false` when it was known already.
    pub fn push(&mut self, sample: Sample) -> bool {
        let key = (sample.at_ms, sample.id);
        if self.by_time.contains_key(&key) {
            return false;
        }
        self.keep(Kept {
            failed: sample.failed,
            stream: None,
            sample,
        });
        true
    }

    fn end(&mut self, sample: Sample, stream: u64) -> bool {
        let (at, id) = (sample.at_ms, sample.id);
        if !self.by_stream.insert((stream, at, id)) {
            return false;
        }
        let failed = self.failed_ids.remove(&id) || sample.failed;
        self.keep(Kept {
            sample,
            stream: Some(stream),
            failed,
        });
        self.judge(stream, at, id);
        // What was counted with the stream's next call may be this one's.
        if let Some((_, at, id)) = self.next(stream, at.saturating_add(1)) {
            self.judge(stream, at, id);
        }
        true
    }

    fn keep(&mut self, kept: Kept) {
        let key = (kept.sample.at_ms, kept.sample.id);
        self.by_time.insert(key, kept);
        if self.by_time.len() > self.capacity
            && let Some(((at, id), oldest)) = self.by_time.pop_first()
        {
            self.dropped += 1;
            if let Some(stream) = oldest.stream {
                self.by_stream.remove(&(stream, at, id));
            }
        }
    }

    /// A line that names a request says that it failed. Lambda writes some of them after the REPORT line.
    fn fail(&mut self, id: u64, stream: u64, at: i64) -> bool {
        let before = self.by_stream.range(..=(stream, at, u64::MAX)).next_back();
        let after = self.by_stream.range((stream, at, 0)..).next();
        let its = [before, after].into_iter().flatten();
        let key = its
            .filter(|key| key.2 == id)
            .map(|key| (key.1, key.2))
            .next();
        match key.and_then(|key| self.by_time.get_mut(&key)) {
            Some(kept) => {
                let new = !kept.sample.failed;
                (kept.failed, kept.sample.failed) = (true, true);
                new
            }
            None => self.failed_ids.len() < self.capacity && self.failed_ids.insert(id),
        }
    }

    fn mark(&mut self, stream: u64, at: i64, mark: Mark) -> bool {
        if !self.marks.insert((stream, at, mark)) {
            return false;
        }
        if self.marks.len() > self.capacity {
            let oldest = self
                .by_time
                .first_key_value()
                .map_or(i64::MIN, |(k, _)| k.0);
            self.marks.retain(|(_, at, _)| *at >= oldest);
            while self.marks.len() > self.capacity {
                self.marks.pop_first();
            }
        }
        if let Some((_, at, id)) = self.next(stream, at) {
            self.judge(stream, at, id);
        }
        true
    }

    /// The stream's first REPORT line at or after that time.
    fn next(&self, stream: u64, at: i64) -> Option<(u64, i64, u64)> {
        let next = self.by_stream.range((stream, at, 0)..).next();
        next.filter(|key| key.0 == stream).copied()
    }

    /// Gives a call the marks between the REPORT line before its own and its own.
    fn judge(&mut self, stream: u64, at: i64, id: u64) {
        let before = self.by_stream.range(..(stream, at, 0)).next_back();
        let from = before
            .filter(|key| key.0 == stream)
            .map_or(i64::MIN, |key| key.1.saturating_add(1));
        let marks = self
            .marks
            .range((stream, from, Mark::Failed)..=(stream, at, Mark::InitTimedOut));
        let (mut failed, mut init_timeout) = (false, false);
        for (_, _, mark) in marks {
            failed |= *mark == Mark::Failed;
            init_timeout |= *mark == Mark::InitTimedOut;
        }
        if let Some(kept) = self.by_time.get_mut(&(at, id)) {
            kept.sample.failed = kept.failed || failed;
            kept.sample.init_timeout = init_timeout;
        }
    }

    /// How many are held.
    pub fn len(&self) -> usize {
        self.by_time.len()
    }

    /// True before the first invocation.
    pub fn is_empty(&self) -> bool {
        self.by_time.is_empty()
    }

    /// How many old ones were let go to stay within the bound.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// All, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Sample> {
        self.by_time.values().map(|kept| &kept.sample)
    }

    /// Those of the `seconds` before `now_ms`, oldest first.
    pub fn since(&self, seconds: i64, now_ms: i64) -> impl DoubleEndedIterator<Item = &Sample> {
        let from = now_ms.saturating_sub(seconds.saturating_mul(1000));
        let kept = self.by_time.range((from, 0)..);
        kept.map(|(_, kept)| &kept.sample)
    }

    /// Those of the window that ends at `now_ms`, oldest first.
    pub fn within(&self, window: Window, now_ms: i64) -> impl DoubleEndedIterator<Item = &Sample> {
        self.since(window.seconds(), now_ms)
    }

    /// The newest one.
    pub fn latest(&self) -> Option<&Sample> {
        self.by_time.values().next_back().map(|kept| &kept.sample)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tests::warm;
    use super::*;
    use crate::domain::line::LogEvent;

    const CRASH: &str = "[ERROR] ValueError: X has 12 features\rTraceback (most recent call last):\r  File \"a.py\"";

    fn event(stream: &str, timestamp: i64, message: &str) -> LogEvent {
        LogEvent {
            timestamp,
            ingestion_time: timestamp,
            group: "g".into(),
            stream: stream.into(),
            event_id: None,
            message: message.to_owned(),
        }
    }

    fn report(n: u8) -> String {
        format!(
            "REPORT RequestId: d602a1ed-0000-4000-8000-00000000000{n}\tDuration: 200.00 ms\tBilled Duration: 200 ms\tMemory Size: 1024 MB\tMax Memory Used: 237 MB\t\n"
        )
    }

    fn read(events: &[LogEvent]) -> Samples {
        let mut samples = Samples::default();
        for line in events.iter().filter_map(CallLine::read) {
            samples.take(&line);
        }
        samples
    }

    fn failed(samples: &Samples) -> Vec<i64> {
        let failed = samples.iter().filter(|s| s.failed);
        failed.map(|s| s.at_ms).collect()
    }

    #[test]
    fn a_crash_is_its_streams_next_reports_in_any_order() {
        let mut events = [
            event("a", 1000, &report(1)),
            event("a", 1500, CRASH),
            event("b", 1600, &report(2)),
            event("a", 2000, &report(3)),
            event("a", 3000, &report(4)),
            event("a", 3000, "INIT_START Runtime Version: python:3.12"),
        ];
        for _ in 0..events.len() {
            events.rotate_left(1);
            assert_eq!(failed(&read(&events)), [2000]);
        }
        events.reverse();
        let mut samples = read(&events);
        assert_eq!(failed(&samples), [2000]);
        // Late pages bring the same lines again, and a tail that knows no stream.
        for line in events.iter().filter_map(CallLine::read) {
            assert!(!samples.take(&line));
        }
        let again = *samples.latest().unwrap();
        assert!(!samples.push(again));
        assert_eq!((samples.len(), failed(&samples)), (4, vec![2000]));
    }

    #[test]
    fn a_line_that_names_its_request_is_believed_after_the_report_too() {
        let killed = "RequestId: d602a1ed-0000-4000-8000-000000000002 Error: Runtime exited with error: exit status 1\nRuntime.ExitError";
        let mut events = [
            event("a", 1000, &report(1)),
            event("a", 2000, &report(2)),
            event("a", 2001, killed),
            event("a", 3000, &report(3)),
        ];
        for _ in 0..events.len() {
            events.rotate_left(1);
            assert_eq!(failed(&read(&events)), [2000]);
        }
    }

    #[test]
    fn an_init_that_timed_out_makes_its_streams_next_call_cold() {
        let init = "INIT_REPORT Init Duration: 10009.13 ms\tPhase: init\tStatus: timeout";
        let samples = read(&[
            event("b", 3000, &report(3)),
            event("a", 2000, &report(2)),
            event("a", 1000, init),
            event("a", 500, &report(1)),
        ]);
        let cold = samples.iter().filter(|s| s.init_timeout && s.is_cold());
        assert_eq!(cold.map(|s| s.at_ms).collect::<Vec<_>>(), [2000]);
    }

    #[test]
    fn what_is_held_stays_bounded() {
        let mut samples = Samples::with_capacity(10);
        for at in 0..100 {
            samples.take(&CallLine::read(&event("a", at * 10, CRASH)).unwrap());
            samples.take(&CallLine {
                stream: 1,
                at_ms: at * 10 + 1,
                told: Told::Ended(warm(at * 10 + 1, 200.0)),
            });
            samples.take(&CallLine {
                stream: 1,
                at_ms: at,
                told: Told::Failed(Some(at as u64 + 1_000_000)),
            });
        }
        assert_eq!((samples.len(), samples.dropped()), (10, 90));
        assert!(samples.by_stream.len() <= 10 && samples.marks.len() <= 10);
        assert!(samples.failed_ids.len() <= 10);
    }
}
