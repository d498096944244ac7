//! Log lines joined into invocations, one per request id, as they come: late, out of order, in text or JSON.

use std::collections::HashMap;
use std::collections::VecDeque;

use crate::domain::latency::Sample;
use crate::domain::line::{Facts, Kind, Level};
use crate::domain::report::{Outcome, Report};
use crate::domain::request_id::RequestId;

mod figures;

pub use figures::Figures;

/// How an invocation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Status {
    /// No END or REPORT seen yet.
    #[default]
    InFlight,
    /// Ended, and logged nothing at ERROR or above.
    Ok,
    /// Lambda says error, or a line at ERROR or above was logged.
    Error,
    /// Cut off at the function's timeout.
    Timeout,
    /// Killed for its memory.
    OutOfMemory,
}

impl Status {
    /// The word on screen and in `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::InFlight => "in flight",
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::OutOfMemory => "OOM",
        }
    }

    /// Error, timeout or out of memory.
    pub fn is_failure(self) -> bool {
        self >= Self::Error
    }
}

/// What is known of one invocation. Lines are named by the number the store gave them.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// Its request id.
    pub id: RequestId,
    /// Time of its first line, milliseconds since the epoch.
    pub started: i64,
    /// Time of its REPORT (or END) line.
    pub ended: Option<i64>,
    /// Handler time, ms; not a number until REPORT.
    duration_ms: f64,
    /// Init time, ms; not a number for a warm start.
    init_ms: f64,
    /// Billed time, ms.
    pub billed_ms: u32,
    /// Configured memory, MB (0 until REPORT).
    pub memory_mb: u32,
    /// Peak memory, MB (0 until REPORT).
    pub max_memory_mb: u32,
    /// How many lines it has.
    pub lines: u32,
    /// Its first line in arrival order.
    pub first_line: u32,
    error_line: u32,
    /// Stream number.
    pub stream: u16,
    flags: u8,
}

const NONE: u32 = u32::MAX;
const CLOSED: u8 = 1;
const LOGGED_ERROR: u8 = 2;
const FAILED: u8 = 4;
const TIMED_OUT: u8 = 8;
const KILLED: u8 = 16;
const COLD: u8 = 32;
const EXPLAINED: u8 = 64;
const INIT_FAILED: u8 = 128;

impl Invocation {
    fn new(id: RequestId, stream: u16, line: u32, time: i64) -> Self {
        Self {
            id,
            started: time,
            ended: None,
            duration_ms: f64::NAN,
            init_ms: f64::NAN,
            billed_ms: 0,
            memory_mb: 0,
            max_memory_mb: 0,
            lines: 0,
            first_line: line,
            error_line: NONE,
            stream,
            flags: 0,
        }
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// How it stands now.
    pub fn status(&self) -> Status {
        if self.has(KILLED) {
            Status::OutOfMemory
        } else if self.has(TIMED_OUT) {
            Status::Timeout
        } else if self.has(FAILED | LOGGED_ERROR) {
            Status::Error
        } else if self.has(CLOSED) {
            Status::Ok
        } else {
            Status::InFlight
        }
    }

    /// Whether Lambda itself counts it as an error (its `Errors` metric): crash, timeout, out of memory, status error.
    pub fn failed(&self) -> bool {
        self.has(FAILED | TIMED_OUT | KILLED)
    }

    /// Whether its REPORT line was seen.
    pub fn is_reported(&self) -> bool {
        !self.duration_ms.is_nan()
    }

    /// Handler time, ms.
    pub fn duration_ms(&self) -> Option<f64> {
        (!self.duration_ms.is_nan()).then_some(self.duration_ms)
    }

    /// Init (or restore) time of a cold start, ms.
    pub fn init_ms(&self) -> Option<f64> {
        (!self.init_ms.is_nan()).then_some(self.init_ms)
    }

    /// It had to start a new environment. REPORT decides; before it, `INIT_START` does.
    pub fn is_cold(&self) -> bool {
        self.has(INIT_FAILED)
            || if self.is_reported() {
                !self.init_ms.is_nan()
            } else {
                self.has(COLD)
            }
    }

    /// The line that tells best why it failed: its first own error, not Lambda's closing line if there is another.
    pub fn error_line(&self) -> Option<u32> {
        (self.error_line != NONE).then_some(self.error_line)
    }

    /// The same as a latency sample; `None` until REPORT.
    pub fn sample(&self) -> Option<Sample> {
        Some(Sample {
            at_ms: self.ended.unwrap_or(self.started),
            id: self.id.0 as u64 ^ (self.id.0 >> 64) as u64,
            duration_ms: self.duration_ms()?,
            init_ms: self.init_ms(),
            billed_ms: f64::from(self.billed_ms),
            memory_mb: self.memory_mb,
            max_memory_mb: self.max_memory_mb,
            failed: self.status().is_failure(),
            init_timeout: self.has(INIT_FAILED),
        })
    }

    fn close(&mut self, time: i64) {
        self.flags |= CLOSED;
        self.ended = Some(self.ended.map_or(time, |ended| ended.max(time)));
    }

    fn explain(&mut self, line: u32, own_words: bool) {
        if self.error_line == NONE || (own_words && !self.has(EXPLAINED)) {
            self.error_line = line;
        }
        if own_words {
            self.flags |= EXPLAINED;
        }
    }

    fn read_report(&mut self, report: &Report) {
        self.duration_ms = report.duration_ms;
        self.billed_ms = u32::try_from(report.billed_ms).unwrap_or(u32::MAX);
        self.memory_mb = report.memory_mb;
        self.max_memory_mb = report.max_memory_mb;
        if let Some(init) = report.init_ms.or(report.restore_ms) {
            self.init_ms = init;
        }
        self.flags |= match report.status {
            _ if report.is_out_of_memory() => KILLED,
            Outcome::Success => 0,
            Outcome::Timeout => TIMED_OUT,
            Outcome::Error | Outcome::Failure => FAILED,
        };
    }

    /// A line of the init, or one that came before its START: it must not move the start of the invocation.
    fn read_early_line(&mut self, line: u32, time: i64, facts: &Facts) {
        let started = self.started;
        self.read_line(line, time, facts, b"");
        self.started = started;
        if facts.kind == Kind::InitStart {
            self.flags |= COLD;
        }
    }

    fn read_line(&mut self, line: u32, time: i64, facts: &Facts, message: &[u8]) {
        self.lines += 1;
        self.started = self.started.min(time);
        match facts.kind {
            Kind::Report => {
                self.close(time);
                if let Some(report) = std::str::from_utf8(message).ok().and_then(Report::parse) {
                    self.read_report(&report);
                }
            }
            Kind::End => {
                self.close(time);
                self.flags |= if facts.level >= Level::Error {
                    FAILED
                } else {
                    0
                };
            }
            Kind::Timeout => self.flags |= TIMED_OUT,
            Kind::OutOfMemory => self.flags |= KILLED,
            Kind::Crash => self.flags |= FAILED,
            Kind::InitReport if facts.level >= Level::Error => self.flags |= INIT_FAILED,
            Kind::App if facts.level >= Level::Error => self.flags |= LOGGED_ERROR,
            _ => {}
        }
        if facts.level >= Level::Error {
            self.explain(line, !matches!(facts.kind, Kind::Report | Kind::End));
        }
    }
}

/// The lines of one stream that no request id claims yet.
#[derive(Debug, Clone, Default)]
struct Stream {
    /// (start time, invocation), ascending by time.
    starts: Vec<(i64, u32)>,
    /// Lines before their START: an init's output, or a START that is late.
    orphans: VecDeque<Orphan>,
}

#[derive(Debug, Clone, Copy)]
struct Orphan {
    line: u32,
    time: i64,
    facts: Facts,
}

/// At most so many lines per stream wait for a START.
const MAX_ORPHANS: usize = 256;

/// All invocations, in the order their first line came. Feed it every line once; it never looks back at a text.
#[derive(Debug, Clone, Default)]
pub struct Invocations {
    rows: Vec<Invocation>,
    by_id: HashMap<RequestId, u32>,
    streams: Vec<Stream>,
    latest: Option<(RequestId, u32)>,
    adopted: Vec<(u32, u32)>,
}

impl Invocations {
    /// The invocations so far.
    pub fn rows(&self) -> &[Invocation] {
        &self.rows
    }

    /// The position of a request in [`Invocations::rows`].
    pub fn position(&self, id: RequestId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// Requests whose printed id starts with `prefix` (hyphens included, any case).
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = u32> + 'a {
        (0_u32..)
            .zip(&self.rows)
            .filter(|(_, row)| starts_with(row.id, prefix))
            .map(|(at, _)| at)
    }

    /// Joins one line (`line` is its number, `stream` its stream's number, `time` its event time) and says to which
    /// invocation it belongs. Earlier lines that a late START explains are left in [`Invocations::take_adopted`].
    pub fn observe(
        &mut self,
        line: u32,
        stream: u16,
        time: i64,
        facts: &Facts,
        message: &[u8],
    ) -> Option<u32> {
        let is_init = matches!(
            facts.kind,
            Kind::InitStart | Kind::Restore | Kind::InitReport
        );
        let at = match facts.request {
            Some(id) => Some(self.row_of(id, stream, line, time)),
            None if is_init => self.started_after(stream, time),
            None => self
                .open_at(stream, time)
                .or_else(|| self.started_after(stream, time)),
        };
        let Some(at) = at else {
            self.wait(stream, line, time, facts);
            return None;
        };
        if facts.request.is_none() && time < self.rows[at as usize].started {
            self.rows[at as usize].read_early_line(line, time, facts);
            return Some(at);
        }
        self.rows[at as usize].read_line(line, time, facts, message);
        if facts.kind == Kind::Start {
            self.begin(at, stream, time);
        }
        Some(at)
    }

    /// (line, invocation) pairs that were joined after the fact since the last call.
    pub fn take_adopted(&mut self) -> Vec<(u32, u32)> {
        std::mem::take(&mut self.adopted)
    }

    fn row_of(&mut self, id: RequestId, stream: u16, line: u32, time: i64) -> u32 {
        if let Some((latest, at)) = self.latest
            && latest == id
        {
            return at;
        }
        let next = u32::try_from(self.rows.len()).unwrap_or(NONE - 1);
        let at = *self.by_id.entry(id).or_insert(next);
        if at == next && self.rows.len() == next as usize {
            self.rows.push(Invocation::new(id, stream, line, time));
        }
        self.latest = Some((id, at));
        at
    }

    fn stream(&mut self, stream: u16) -> &mut Stream {
        let at = usize::from(stream);
        if self.streams.len() <= at {
            self.streams.resize_with(at + 1, Stream::default);
        }
        &mut self.streams[at]
    }

    /// The invocation that runs in `stream` at `time`: an environment serves one request at a time.
    fn open_at(&self, stream: u16, time: i64) -> Option<u32> {
        let starts = &self.streams.get(usize::from(stream))?.starts;
        let (_, at) = match starts.last() {
            Some(last) if last.0 <= time => last,
            _ => starts[..starts.partition_point(|(start, _)| *start <= time)].last()?,
        };
        let row = &self.rows[*at as usize];
        let is_over = row.has(CLOSED) && row.ended.is_some_and(|ended| time >= ended);
        (!is_over).then_some(*at)
    }

    /// The invocation whose START follows `time` in `stream`: an init's output belongs to the request that caused it.
    fn started_after(&self, stream: u16, time: i64) -> Option<u32> {
        let starts = &self.streams.get(usize::from(stream))?.starts;
        if starts.last()?.0 <= time {
            return None;
        }
        starts
            .get(starts.partition_point(|(start, _)| *start <= time))
            .map(|(_, at)| *at)
    }

    fn wait(&mut self, stream: u16, line: u32, time: i64, facts: &Facts) {
        let orphans = &mut self.stream(stream).orphans;
        if orphans.len() == MAX_ORPHANS {
            orphans.pop_front();
        }
        orphans.push_back(Orphan {
            line,
            time,
            facts: *facts,
        });
    }

    /// START seen: note it, and hand over the orphans that lie between the previous invocation's end and this one's end.
    fn begin(&mut self, at: u32, stream: u16, time: i64) {
        let ended = self.rows[at as usize].ended.unwrap_or(i64::MAX);
        let starts = &mut self.stream(stream).starts;
        let place = starts.partition_point(|(start, _)| *start <= time);
        starts.insert(place, (time, at));
        let before = place.checked_sub(1).map(|i| starts[i].1);
        if self.stream(stream).orphans.is_empty() {
            return;
        }
        let previous_end = before
            .and_then(|row| self.rows[row as usize].ended)
            .unwrap_or(i64::MIN);
        let orphans = std::mem::take(&mut self.stream(stream).orphans);
        let (mine, others): (VecDeque<_>, _) = orphans
            .into_iter()
            .partition(|o| o.time >= previous_end && o.time <= ended);
        self.stream(stream).orphans = others;
        for orphan in mine {
            self.rows[at as usize].read_early_line(orphan.line, orphan.time, &orphan.facts);
            self.adopted.push((orphan.line, at));
        }
    }
}

fn starts_with(id: RequestId, prefix: &str) -> bool {
    id.to_string()
        .get(..prefix.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests;
