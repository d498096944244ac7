//! The REPORT lines of a stretch of log, and the inits that timed out before them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{PAGES, limited};
use crate::client::collect::Access;
use crate::client::logs::{LogsClient, PageRequest};
use crate::client::refusal;
use crate::domain::doctor::Fact;
use crate::domain::latency::{Sample, Window};
use crate::domain::line::LogEvent;
use crate::domain::report::{InitReport, Outcome, Report};

/// Log pages take longer together: a week of REPORT lines is many of them.
const REPORTS_LIMIT: Duration = Duration::from_secs(30);
/// Text and JSON format; an init that times out writes a line of its own.
const REPORT_LINES: &str = "?REPORT ?\"INIT_REPORT\" ?\"platform.report\" ?\"platform.initReport\"";

/// The REPORT lines of a stretch of log.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reports {
    /// One per REPORT line.
    pub samples: Vec<Sample>,
    /// There is more than was read.
    pub cut: bool,
}

/// Reads the REPORT lines of a window, newest pages first, up to a bound.
pub async fn reports(aws: &Access, group: &str, window: Window, now_ms: i64) -> Fact<Reports> {
    let question = read(aws, group, window, now_ms);
    limited(REPORTS_LIMIT, "logs:FilterLogEvents", question).await
}

async fn read(aws: &Access, group: &str, window: Window, now_ms: i64) -> Fact<Reports> {
    let logs = LogsClient::new(&aws.config, aws.custom_endpoint, aws.profile.clone());
    let mut request = PageRequest {
        group: group.into(),
        pattern: Some(REPORT_LINES.into()),
        start: now_ms - window.seconds() * 1000,
        end: None,
        newest_first: true,
        token: None,
    };
    let mut found = Found::default();
    for _ in 0..PAGES {
        let page = match logs.page(&request).await {
            Ok(page) => page,
            Err(error) => return refusal::fact(&error),
        };
        page.events.iter().for_each(|event| found.take(event));
        request.token = page.next;
        if request.token.is_none() {
            return Fact::Known(found.reports(false));
        }
    }
    Fact::Known(found.reports(true))
}

/// Lines by stream and time: an init's line names no request, but its stream's next call is the one that waited for it.
#[derive(Default)]
struct Found {
    samples: BTreeMap<(Arc<str>, i64, u64), Sample>,
    init_timeouts: Vec<(Arc<str>, i64)>,
}

impl Found {
    fn take(&mut self, event: &LogEvent) {
        let (stream, at) = (Arc::clone(&event.stream), event.timestamp);
        if let Some(report) = Report::parse(&event.message) {
            let sample = Sample::from_report(&report, at);
            self.samples.insert((stream, at, sample.id), sample);
        } else if InitReport::parse(&event.message).is_some_and(|i| i.status == Outcome::Timeout) {
            self.init_timeouts.push((stream, at));
        }
    }

    fn reports(mut self, cut: bool) -> Reports {
        for (stream, at) in self.init_timeouts {
            let from = (Arc::clone(&stream), at, 0);
            if let Some((_, sample)) = self
                .samples
                .range_mut(from..)
                .next()
                .filter(|(key, _)| key.0 == stream)
            {
                sample.init_timeout = true;
            }
        }
        Reports {
            samples: self.samples.into_values().collect(),
            cut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(stream: &str, timestamp: i64, message: String) -> LogEvent {
        LogEvent {
            timestamp,
            ingestion_time: timestamp,
            group: "g".into(),
            stream: stream.into(),
            event_id: None,
            message,
        }
    }

    fn report(n: u8) -> String {
        format!(
            "REPORT RequestId: d602a1ed-0000-4000-8000-00000000000{n}\tDuration: 200.00 ms\tBilled Duration: 200 ms\tMemory Size: 1024 MB\tMax Memory Used: 237 MB\t\n"
        )
    }

    #[test]
    fn an_init_that_timed_out_makes_its_streams_next_call_cold() {
        let mut found = Found::default();
        let init = "INIT_REPORT Init Duration: 10009.13 ms\tPhase: init\tStatus: timeout";
        for event in [
            event("b", 3000, report(3)),
            event("a", 2000, report(2)),
            event("a", 1000, init.to_owned()),
            event("a", 500, report(1)),
        ] {
            found.take(&event);
        }
        let reports = found.reports(false);
        let cold: Vec<i64> = reports
            .samples
            .iter()
            .filter(|s| s.init_timeout && s.is_cold())
            .map(|s| s.at_ms)
            .collect();
        assert_eq!((reports.samples.len(), cold), (3, vec![2000]));
    }
}
