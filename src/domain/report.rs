//! Lambda's own closing lines: REPORT and `INIT_REPORT`, read and written in text and JSON log format.

use std::fmt;

use serde::Deserialize;

use crate::domain::request_id::RequestId;

mod json;

/// How an invocation (or an init) ended, as Lambda's `Status` says; no status in a text line means success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Finished.
    #[default]
    Success,
    /// The handler returned an error.
    Failure,
    /// The runtime failed: exit, import error, out of memory.
    Error,
    /// Cut off at the function's timeout.
    Timeout,
}

impl Outcome {
    /// The word Lambda writes.
    pub fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
            Self::Timeout => "timeout",
        }
    }

    /// Reads the word; an unknown one counts as `Error`, for only success is silent.
    pub fn parse(word: &str) -> Self {
        match word {
            "success" => Self::Success,
            "failure" => Self::Failure,
            "timeout" => Self::Timeout,
            _ => Self::Error,
        }
    }
}

/// The X-Ray tail of a REPORT event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Xray {
    /// `1-6a67abf9-…`
    pub trace_id: String,
    /// Sixteen hex digits; absent in some emulators.
    pub segment_id: Option<String>,
    /// Whether the trace was kept.
    pub sampled: bool,
}

/// One REPORT line. `Display` writes the text form, [`Report::to_json`] the JSON form.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The invocation.
    pub request_id: RequestId,
    /// Handler time, ms.
    pub duration_ms: f64,
    /// Billed time, ms; since August 2025 it includes the init.
    pub billed_ms: u64,
    /// Configured memory, MB; 0 when not written.
    pub memory_mb: u32,
    /// Peak memory, MB; 0 when not written.
    pub max_memory_mb: u32,
    /// Cold start: init time, ms.
    pub init_ms: Option<f64>,
    /// `SnapStart`: restore time, ms.
    pub restore_ms: Option<f64>,
    /// `SnapStart`: billed restore time, ms.
    pub billed_restore_ms: Option<f64>,
    /// How it ended.
    pub status: Outcome,
    /// `Runtime.OutOfMemory`, `Runtime.ExitError`, …
    pub error_type: Option<String>,
    /// Present when the function is traced.
    pub xray: Option<Xray>,
}

impl Report {
    /// Reads a REPORT event, text or JSON (`platform.report`). Keys may come in any order, separated by tabs, spaces or newlines:
    /// the service, its local emulators and copies from the console all differ. `None` without a request id and a duration.
    pub fn parse(message: &str) -> Option<Self> {
        let message = message.trim_start();
        if message.starts_with('{') {
            Self::parse_json(message)
        } else {
            Self::parse_text(message)
        }
    }

    fn parse_text(message: &str) -> Option<Self> {
        let rest = message.strip_prefix("REPORT RequestId: ")?;
        let mut report = Self::empty(RequestId::at_start(rest.as_bytes())?);
        let mut duration = None;
        let mut xray = None;
        let mut segment_id = None;
        let mut sampled = false;
        for (key, value) in Pairs(&rest[crate::domain::request_id::TEXT_LEN..]) {
            match key {
                "Duration" => duration = value.parse().ok(),
                "Billed Duration" => {
                    report.billed_ms = value.parse::<f64>().map_or(0, |ms| ms as u64);
                }
                "Memory Size" => report.memory_mb = value.parse().unwrap_or(0),
                "Max Memory Used" => report.max_memory_mb = value.parse().unwrap_or(0),
                "Init Duration" => report.init_ms = milliseconds(value),
                "Restore Duration" => report.restore_ms = milliseconds(value),
                "Billed Restore Duration" => report.billed_restore_ms = milliseconds(value),
                "Status" => report.status = Outcome::parse(value),
                "Error Type" => report.error_type = Some(value.to_owned()),
                "XRAY TraceId" => xray = Some(value.to_owned()),
                "SegmentId" => segment_id = Some(value.to_owned()),
                "Sampled" => sampled = value == "true",
                _ => {}
            }
        }
        report.duration_ms = duration.filter(|ms: &f64| ms.is_finite())?;
        report.xray = xray.map(|trace_id| Xray {
            trace_id,
            segment_id,
            sampled,
        });
        Some(report)
    }

    /// A report that says nothing yet but whose it is.
    pub fn empty(request_id: RequestId) -> Self {
        Self {
            request_id,
            duration_ms: 0.0,
            billed_ms: 0,
            memory_mb: 0,
            max_memory_mb: 0,
            init_ms: None,
            restore_ms: None,
            billed_restore_ms: None,
            status: Outcome::Success,
            error_type: None,
            xray: None,
        }
    }

    /// Out of memory: Lambda says so in the error type.
    pub fn is_out_of_memory(&self) -> bool {
        self.error_type
            .as_deref()
            .is_some_and(|kind| kind.contains("OutOfMemory"))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "REPORT RequestId: {}\tDuration: {:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB\t",
            self.request_id, self.duration_ms, self.billed_ms, self.memory_mb, self.max_memory_mb
        )?;
        if let Some(ms) = self.init_ms {
            write!(f, "Init Duration: {ms:.2} ms\t")?;
        }
        if let Some(ms) = self.restore_ms {
            write!(f, "Restore Duration: {ms:.2} ms\t")?;
        }
        if let Some(ms) = self.billed_restore_ms {
            write!(f, "Billed Restore Duration: {ms:.0} ms\t")?;
        }
        if self.status != Outcome::Success {
            write!(f, "Status: {}", self.status.word())?;
            if let Some(kind) = &self.error_type {
                write!(f, "\tError Type: {kind}")?;
            }
        }
        f.write_str("\n")?;
        if let Some(xray) = &self.xray {
            write!(f, "XRAY TraceId: {}\t", xray.trace_id)?;
            if let Some(segment) = &xray.segment_id {
                write!(f, "SegmentId: {segment}\t")?;
            }
            writeln!(f, "Sampled: {}\t", xray.sampled)?;
        }
        Ok(())
    }
}

/// One `INIT_REPORT` line: an init that failed, timed out or was repeated inside an invocation.
#[derive(Debug, Clone, PartialEq)]
pub struct InitReport {
    /// How long the init took, ms.
    pub init_ms: f64,
    /// `init` or `invoke`.
    pub phase: Option<String>,
    /// How it ended.
    pub status: Outcome,
    /// `Runtime.ImportModuleError`, …
    pub error_type: Option<String>,
}

impl InitReport {
    /// Reads an `INIT_REPORT` event, text or JSON (`platform.initReport`).
    pub fn parse(message: &str) -> Option<Self> {
        let message = message.trim_start();
        if message.starts_with('{') {
            return Self::parse_json(message);
        }
        let mut init_ms = None;
        let mut report = Self {
            init_ms: 0.0,
            phase: None,
            status: Outcome::Success,
            error_type: None,
        };
        for (key, value) in Pairs(message.strip_prefix("INIT_REPORT")?) {
            match key {
                "Init Duration" => init_ms = milliseconds(value),
                "Phase" => report.phase = Some(value.to_owned()),
                "Status" => report.status = Outcome::parse(value),
                "Error Type" => report.error_type = Some(value.to_owned()),
                _ => {}
            }
        }
        report.init_ms = init_ms?;
        Some(report)
    }
}

impl fmt::Display for InitReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "INIT_REPORT Init Duration: {:.2} ms", self.init_ms)?;
        if let Some(phase) = &self.phase {
            write!(f, "\tPhase: {phase}")?;
        }
        if self.status != Outcome::Success {
            write!(f, "\tStatus: {}", self.status.word())?;
        }
        if let Some(kind) = &self.error_type {
            write!(f, "\tError Type: {kind}")?;
        }
        Ok(())
    }
}

fn milliseconds(value: &str) -> Option<f64> {
    value.parse().ok().filter(|ms: &f64| ms.is_finite())
}

/// The `Key: value` pairs of a platform text line; a value ends at white space.
struct Pairs<'a>(&'a str);

/// Longer keys stand before the keys they end with.
const KEYS: [&str; 13] = [
    "Duration",
    "Billed Duration",
    "Memory Size",
    "Max Memory Used",
    "Init Duration",
    "Billed Restore Duration",
    "Restore Duration",
    "Status",
    "Error Type",
    "Phase",
    "XRAY TraceId",
    "SegmentId",
    "Sampled",
];

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'static str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.0 = self.0.trim_start();
            if self.0.is_empty() {
                return None;
            }
            let found = KEYS
                .iter()
                .find_map(|key| Some((*key, self.0.strip_prefix(key)?.strip_prefix(": ")?)));
            let rest = found.map_or(self.0, |(_, rest)| rest);
            let end = rest
                .find(|c: char| c.is_ascii_whitespace())
                .unwrap_or(rest.len());
            self.0 = &rest[end..];
            if let Some((key, _)) = found {
                return Some((key, &rest[..end]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "d602a1ed-1c2d-4e3f-8a9b-0c1d2e3f4a5b";

    #[test]
    fn reads_a_timeout_with_an_xray_tail() {
        let text = format!(
            "REPORT RequestId: {ID}\tDuration: 600000.00 ms\tBilled Duration: 600477 ms\tMemory Size: 1536 MB\tMax Memory Used: 1035 MB\tInit Duration: 476.75 ms\tStatus: timeout\nXRAY TraceId: 1-6a67abf9-1234\tSegmentId: 0123456789abcdef\tSampled: true"
        );
        let report = Report::parse(&text).unwrap();
        assert_eq!(report.request_id.to_string(), ID);
        assert_eq!((report.duration_ms, report.billed_ms), (600_000.0, 600_477));
        assert_eq!(
            (report.memory_mb, report.max_memory_mb, report.init_ms),
            (1536, 1035, Some(476.75))
        );
        assert_eq!(report.status, Outcome::Timeout);
        let xray = report.xray.unwrap();
        assert_eq!(
            (xray.trace_id.as_str(), xray.sampled),
            ("1-6a67abf9-1234", true)
        );
    }

    #[test]
    fn reads_emulator_and_console_forms() {
        // The runtime interface emulator prints Init first; the console's copy has spaces for tabs; ministack prints integers.
        let rie = format!(
            "REPORT RequestId: {ID}\tInit Duration: 0.20 ms\tDuration: 85.44 ms\tBilled Duration: 86 ms\tMemory Size: 3008 MB\tMax Memory Used: 3008 MB\t"
        );
        let console = format!(
            "REPORT RequestId: {ID} Duration: 85 ms Billed Duration: 86 ms Memory Size: 128 MB Max Memory Used: 36 MB Status: error Error Type: Runtime.OutOfMemory"
        );
        let rie = Report::parse(&rie).unwrap();
        assert_eq!((rie.init_ms, rie.duration_ms), (Some(0.2), 85.44));
        let console = Report::parse(&console).unwrap();
        assert_eq!(
            (
                console.duration_ms,
                console.memory_mb,
                console.is_out_of_memory()
            ),
            (85.0, 128, true)
        );
        assert_eq!(
            Report::parse(&format!("REPORT RequestId: {ID}\tBilled Duration: 1 ms")),
            None
        );
    }

    #[test]
    fn reads_the_json_form() {
        let text = r#"{"time":"2026-10-08T07:30:29.470Z","type":"platform.report","record":{"requestId":"79b5e81f-1c2d-4e3f-8a9b-0c1d2e3f4a5b","metrics":{"durationMs":1233.96,"billedDurationMs":1698,"memorySizeMB":256,"maxMemoryUsedMB":123,"initDurationMs":463.512},"status":"success"}}"#;
        let report = Report::parse(text).unwrap();
        assert_eq!(
            (report.duration_ms, report.init_ms, report.billed_ms),
            (1233.96, Some(463.512), 1698)
        );
        assert_eq!(report.to_json(1_791_444_629_470), text);
    }

    #[test]
    fn reads_init_reports() {
        let text = "INIT_REPORT Init Duration: 10009.13 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ImportModuleError";
        let report = InitReport::parse(text).unwrap();
        assert_eq!(
            (report.init_ms, report.phase.as_deref(), report.status),
            (10009.13, Some("invoke"), Outcome::Error)
        );
        assert_eq!(report.to_string(), text);
        let json = r#"{"time":"2026-10-08T07:30:29.470Z","type":"platform.initReport","record":{"initializationType":"on-demand","status":"timeout","phase":"init","metrics":{"durationMs":9999.72}}}"#;
        let report = InitReport::parse(json).unwrap();
        assert_eq!((report.init_ms, report.status), (9999.72, Outcome::Timeout));
    }

    fn any_report() -> impl Strategy<Value = Report> {
        let hundredths = || (0_u32..90_000_000).prop_map(|n| f64::from(n) / 100.0);
        let word = || "[A-Za-z][A-Za-z0-9.-]{0,20}";
        let xray = (word(), proptest::option::of(word()), any::<bool>());
        (
            (
                any::<u128>(),
                hundredths(),
                0_u64..1_000_000,
                128_u32..10_240,
                0_u32..10_240,
            ),
            (
                proptest::option::of(hundredths()),
                proptest::option::of(hundredths()),
                proptest::option::of(0_u32..9999),
            ),
            prop_oneof![
                Just(Outcome::Success),
                Just(Outcome::Failure),
                Just(Outcome::Error),
                Just(Outcome::Timeout)
            ],
            proptest::option::of(word()),
            proptest::option::of(xray),
        )
            .prop_map(|(numbers, optional, status, kind, xray)| Report {
                request_id: RequestId(numbers.0),
                duration_ms: numbers.1,
                billed_ms: numbers.2,
                memory_mb: numbers.3,
                max_memory_mb: numbers.4,
                init_ms: optional.0,
                restore_ms: optional.1,
                billed_restore_ms: optional.2.map(f64::from),
                status,
                error_type: kind.filter(|_| status != Outcome::Success),
                xray: xray.map(|(trace_id, segment_id, sampled)| Xray {
                    trace_id,
                    segment_id,
                    sampled,
                }),
            })
    }

    proptest! {
        #[test]
        fn prints_and_parses_back(report in any_report()) {
            prop_assert_eq!(Report::parse(&report.to_string()), Some(report.clone()));
            prop_assert_eq!(Report::parse(&report.to_json(0)), Some(report));
        }

        #[test]
        fn any_text_is_safe(text in "\\PC{0,120}", tail in "[\\t\\n :A-Za-z0-9.-]{0,120}") {
            let _ = (Report::parse(&text), InitReport::parse(&text));
            let _ = Report::parse(&format!("REPORT RequestId: {ID}{tail}"));
            let _ = InitReport::parse(&format!("INIT_REPORT{tail}{text}"));
        }
    }
}
