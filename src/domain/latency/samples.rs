//! The most recent invocations, and what lines without an id say about them.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

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

/// What the order of calls goes by: the time of the REPORT line, and the id.
type Key = (i64, u64);

impl Kept {
    fn key(&self) -> Key {
        (self.sample.at_ms, self.sample.id)
    }
}

/// The most recent invocations, in order of time, each counted once, bounded in number.
#[derive(Debug, Clone)]
pub struct Samples {
    /// Ascending by key. Calls come nearly in order, or page by page upwards: both ends of a deque are cheap, and it holds
    /// them in half of a tree's memory.
    by_time: VecDeque<Kept>,
    /// The calls whose stream is known, ascending by key.
    by_stream: HashMap<u64, VecDeque<Key>>,
    /// (stream, time, what) of the lines that name no request.
    marks: BTreeSet<(u64, i64, Mark)>,
    /// Requests that failed and whose REPORT line is still to come.
    failed_ids: HashSet<u64>,
    capacity: usize,
    dropped: u64,
}

impl Default for Samples {
    fn default() -> Self {
        // About 11 MB; a call every 6 s for a week.
        Samples::with_capacity(100_000)
    }
}

impl Samples {
    /// Holds at most `capacity` invocations; the oldest go first.
    pub fn with_capacity(capacity: usize) -> Self {
        Samples {
            by_time: VecDeque::new(),
            by_stream: HashMap::new(),
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
        if self.place((sample.at_ms, sample.id)).is_ok() {
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
        let key = (sample.at_ms, sample.id);
        let failed = self.failed_ids.remove(&key.1) || sample.failed;
        if self.is_too_old(key) {
            self.dropped += 1;
            return false;
        }
        let calls = self.by_stream.entry(stream).or_default();
        let Err(place) = calls.binary_search(&key) else {
            return false;
        };
        calls.insert(place, key);
        self.keep(Kept {
            sample,
            stream: Some(stream),
            failed,
        });
        self.judge(stream, key);
        // What was counted with the stream's next call may be this one's.
        if let Some(next) = self.next(stream, key.0.saturating_add(1)) {
            self.judge(stream, next);
        }
        true
    }

    /// It would be the first to go.
    fn is_too_old(&self, key: Key) -> bool {
        let oldest = self.by_time.front().map(Kept::key);
        self.by_time.len() == self.capacity && oldest.is_some_and(|oldest| key < oldest)
    }

    /// Where a call is, or would be put.
    fn place(&self, key: Key) -> Result<usize, usize> {
        self.by_time.binary_search_by_key(&key, Kept::key)
    }

    fn get_mut(&mut self, key: Key) -> Option<&mut Kept> {
        let place = self.place(key).ok()?;
        self.by_time.get_mut(place)
    }

    fn keep(&mut self, kept: Kept) {
        match self.place(kept.key()) {
            Ok(place) => self.by_time[place] = kept,
            Err(place) => self.by_time.insert(place, kept),
        }
        if self.by_time.len() > self.capacity
            && let Some(oldest) = self.by_time.pop_front()
        {
            self.dropped += 1;
            self.leave_stream(&oldest);
        }
    }

    fn leave_stream(&mut self, kept: &Kept) {
        let Some(stream) = kept.stream else { return };
        let Some(calls) = self.by_stream.get_mut(&stream) else {
            return;
        };
        if let Ok(place) = calls.binary_search(&kept.key()) {
            calls.remove(place);
        }
        if calls.is_empty() {
            self.by_stream.remove(&stream);
        }
    }

    /// A line that names a request says that it failed. Lambda writes some of them after the REPORT line.
    fn fail(&mut self, id: u64, stream: u64, at: i64) -> bool {
        let (before, after) = (self.before(stream, (at, u64::MAX)), self.next(stream, at));
        let key = [before, after]
            .into_iter()
            .flatten()
            .find(|key| key.1 == id);
        match key.and_then(|key| self.get_mut(key)) {
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
            let oldest = self.by_time.front();
            let oldest = oldest.map_or(i64::MIN, |kept| kept.sample.at_ms);
            self.marks.retain(|(_, at, _)| *at >= oldest);
            while self.marks.len() > self.capacity {
                self.marks.pop_first();
            }
        }
        if let Some(next) = self.next(stream, at) {
            self.judge(stream, next);
        }
        true
    }

    /// The stream's first REPORT line at or after that time.
    fn next(&self, stream: u64, at: i64) -> Option<Key> {
        let calls = self.by_stream.get(&stream)?;
        let next = calls.partition_point(|call| *call < (at, 0));
        calls.get(next).copied()
    }

    /// The stream's last REPORT line up to that key.
    fn before(&self, stream: u64, key: Key) -> Option<Key> {
        let calls = self.by_stream.get(&stream)?;
        let next = calls.partition_point(|call| *call <= key);
        calls.get(next.checked_sub(1)?).copied()
    }

    /// Gives a call the marks between the REPORT line before its own and its own.
    fn judge(&mut self, stream: u64, call: Key) {
        let at = call.0;
        let before = self.before(stream, (at.saturating_sub(1), u64::MAX));
        let from = before.map_or(i64::MIN, |before| before.0.saturating_add(1));
        let marks = self
            .marks
            .range((stream, from, Mark::Failed)..=(stream, at, Mark::InitTimedOut));
        let (mut failed, mut init_timeout) = (false, false);
        for (_, _, mark) in marks {
            failed |= *mark == Mark::Failed;
            init_timeout |= *mark == Mark::InitTimedOut;
        }
        if let Some(kept) = self.get_mut(call) {
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
        self.by_time.iter().map(|kept| &kept.sample)
    }

    /// Those of the `seconds` before `now_ms`, oldest first.
    pub fn since(&self, seconds: i64, now_ms: i64) -> impl DoubleEndedIterator<Item = &Sample> {
        let from = now_ms.saturating_sub(seconds.saturating_mul(1000));
        let first = self.by_time.partition_point(|kept| kept.key() < (from, 0));
        self.by_time.range(first..).map(|kept| &kept.sample)
    }

    /// Those of the window that ends at `now_ms`, oldest first.
    pub fn within(&self, window: Window, now_ms: i64) -> impl DoubleEndedIterator<Item = &Sample> {
        self.since(window.seconds(), now_ms)
    }

    /// The newest one.
    pub fn latest(&self) -> Option<&Sample> {
        self.by_time.back().map(|kept| &kept.sample)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tests::warm;
    use super::*;
    use crate::domain::line::LogEvent;
    use crate::testing::event;

    const CRASH: &str = "[ERROR] ValueError: X has 12 features\rTraceback (most recent call last):\r  File \"a.py\"";

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
            event("a", 1000, report(1)),
            event("a", 1500, CRASH),
            event("b", 1600, report(2)),
            event("a", 2000, report(3)),
            event("a", 3000, report(4)),
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
            event("a", 1000, report(1)),
            event("a", 2000, report(2)),
            event("a", 2001, killed),
            event("a", 3000, report(3)),
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
            event("b", 3000, report(3)),
            event("a", 2000, report(2)),
            event("a", 1000, init),
            event("a", 500, report(1)),
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
        let of_streams = samples.by_stream.values().map(VecDeque::len);
        assert!(of_streams.sum::<usize>() <= 10 && samples.marks.len() <= 10);
        assert!(samples.failed_ids.len() <= 10);
    }
}
