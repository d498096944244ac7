//! Log lines joined into invocations, one per request id, as they come: late, out of order, in text or JSON.

use crate::domain::latency::Sample;
use crate::domain::line::{Facts, Kind, Level};
use crate::domain::report::{Outcome, Report};
use crate::domain::request_id::RequestId;

mod figures;
mod guests;
mod table;
mod wanted;

pub use figures::Figures;
pub use table::Invocations;
pub use wanted::Wanted;

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

/// What is known of one invocation: one attempt at a request. Lines are named by the number the store gave them.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// Its request id.
    pub id: RequestId,
    /// Time of its first line, milliseconds since the epoch.
    pub started: i64,
    /// Time of its REPORT (or END) line; [`NEVER`] until then.
    ended: i64,
    /// Handler time, µs; [`NONE`] until REPORT.
    duration_us: u32,
    /// Init time, µs; [`NONE`] for a warm start.
    init_us: u32,
    /// Billed time, ms.
    pub billed_ms: u32,
    /// How many lines it has.
    pub lines: u32,
    /// Its first line in arrival order.
    pub first_line: u32,
    error_line: u32,
    memory_mb: u16,
    max_memory_mb: u16,
    /// Stream number.
    pub stream: u16,
    flags: u8,
}

const NONE: u32 = u32::MAX;
const NEVER: i64 = i64::MIN;
const CLOSED: u8 = 1;
const LOGGED_ERROR: u8 = 2;
const FAILED: u8 = 4;
const TIMED_OUT: u8 = 8;
const KILLED: u8 = 16;
const COLD: u8 = 32;
const INIT_FAILED: u8 = 64;
const STARTED: u8 = 128;

// A million lines are a quarter of a million of these.
const _: () = assert!(size_of::<Invocation>() == 64);

impl Invocation {
    fn new(id: RequestId, stream: u16, line: u32, time: i64) -> Self {
        Self {
            id,
            started: time,
            ended: NEVER,
            duration_us: NONE,
            init_us: NONE,
            billed_ms: 0,
            lines: 0,
            first_line: line,
            error_line: NONE,
            memory_mb: 0,
            max_memory_mb: 0,
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
        self.duration_us != NONE
    }

    /// Time of its REPORT (or END) line, milliseconds since the epoch.
    pub fn ended(&self) -> Option<i64> {
        (self.ended != NEVER).then_some(self.ended)
    }

    /// Configured memory, MB (0 until REPORT).
    pub fn memory_mb(&self) -> u32 {
        self.memory_mb.into()
    }

    /// Peak memory, MB (0 until REPORT).
    pub fn max_memory_mb(&self) -> u32 {
        self.max_memory_mb.into()
    }

    /// Handler time, ms.
    pub fn duration_ms(&self) -> Option<f64> {
        milliseconds(self.duration_us)
    }

    /// Init (or restore) time of a cold start, ms.
    pub fn init_ms(&self) -> Option<f64> {
        milliseconds(self.init_us)
    }

    /// It had to start a new environment. REPORT decides; before it, `INIT_START` does.
    pub fn is_cold(&self) -> bool {
        self.has(INIT_FAILED)
            || if self.is_reported() {
                self.init_us != NONE
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
            at_ms: self.ended().unwrap_or(self.started),
            id: self.id.folded(),
            duration_ms: self.duration_ms()?,
            init_ms: self.init_ms(),
            billed_ms: f64::from(self.billed_ms),
            memory_mb: self.memory_mb(),
            max_memory_mb: self.max_memory_mb(),
            failed: self.status().is_failure(),
            init_timeout: self.has(INIT_FAILED),
        })
    }

    fn close(&mut self, time: i64) {
        self.flags |= CLOSED;
        self.ended = self.ended.max(time);
    }

    fn read_report(&mut self, report: &Report) {
        self.duration_us = microseconds(report.duration_ms);
        self.billed_ms = u32::try_from(report.billed_ms).unwrap_or(u32::MAX);
        self.memory_mb = megabytes(report.memory_mb);
        self.max_memory_mb = megabytes(report.max_memory_mb);
        if let Some(init) = report.init_ms.or(report.restore_ms) {
            self.init_us = microseconds(init);
        }
        self.flags |= match report.status {
            _ if report.is_out_of_memory() => KILLED,
            Outcome::Success => 0,
            Outcome::Timeout => TIMED_OUT,
            Outcome::Error | Outcome::Failure => FAILED,
        };
    }

    /// A line that names this request.
    fn read_line(&mut self, time: i64, facts: &Facts, message: &[u8]) {
        self.lines += 1;
        self.started = self.started.min(time);
        match facts.kind {
            Kind::Start => self.flags |= STARTED,
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
            _ => {}
        }
    }

    /// Whether a line of this kind cannot be this attempt's: Lambda retries an asynchronous request under its own id, and
    /// each attempt has one START and one REPORT.
    fn is_over_for(&self, kind: Kind) -> bool {
        match kind {
            Kind::Start => self.has(STARTED),
            Kind::Report => self.is_reported(),
            _ => false,
        }
    }

    /// Its newest line is taken back, to be read anew.
    fn take_back(&mut self, kind: Kind) {
        self.lines = self.lines.saturating_sub(1);
        match kind {
            Kind::Start => self.set(STARTED, false),
            Kind::Report => self.duration_us = NONE,
            _ => {}
        }
    }

    fn set(&mut self, flag: u8, on: bool) {
        self.flags = if on {
            self.flags | flag
        } else {
            self.flags & !flag
        };
    }
}

/// Longest that fits: 71 minutes; Lambda stops a function after fifteen.
fn microseconds(ms: f64) -> u32 {
    ((ms * 1_000.0).round() as u32).min(NONE - 1)
}

fn milliseconds(us: u32) -> Option<f64> {
    (us != NONE).then(|| f64::from(us) / 1_000.0)
}

/// Lambda's largest function has 10 240.
fn megabytes(mb: u32) -> u16 {
    u16::try_from(mb).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;
