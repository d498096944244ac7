//! The lines of a stretch of log that say how calls went: REPORT lines, errors, inits that timed out.

use std::time::Duration;

use super::{PAGES, limited};
use crate::client::collect::Access;
use crate::client::logs::{LogsClient, PageRequest};
use crate::client::refusal;
use crate::domain::doctor::Fact;
use crate::domain::latency::Window;
use crate::domain::latency::calls::CallLine;

/// Log pages take longer together: a week of REPORT lines is many of them.
const REPORTS_LIMIT: Duration = Duration::from_secs(30);
/// REPORT lines in text and JSON format, and everything that may be an error of the call before them: a text REPORT line
/// has no status when a handler raises.
const CALL_LINES: &str = "?REPORT ?\"platform.report\" ?\"platform.initReport\" ?ERROR ?Error ?Exception ?Traceback ?CRITICAL ?FATAL ?\"timed out\" ?\"❌\"";

/// What a stretch of log says about calls.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reports {
    /// REPORT lines, and lines that say that a call failed; the newest page first.
    pub lines: Vec<CallLine>,
    /// How far back it was looked, milliseconds since the epoch.
    pub since_ms: i64,
    /// There is more than was read.
    pub cut: bool,
}

/// Reads what the log says about the calls of a window, newest pages first, up to a bound.
pub async fn reports(aws: &Access, group: &str, window: Window, now_ms: i64) -> Fact<Reports> {
    let question = read(aws, group, window, now_ms);
    limited(REPORTS_LIMIT, "logs:FilterLogEvents", question).await
}

async fn read(aws: &Access, group: &str, window: Window, now_ms: i64) -> Fact<Reports> {
    let logs = LogsClient::new(&aws.config, aws.custom_endpoint, aws.profile.clone());
    let since_ms = now_ms - window.seconds() * 1000;
    let mut request = PageRequest {
        group: group.into(),
        pattern: Some(CALL_LINES.into()),
        start: since_ms,
        end: None,
        newest_first: true,
        token: None,
    };
    let mut found = Reports {
        since_ms,
        ..Reports::default()
    };
    for _ in 0..PAGES {
        let page = match logs.page(&request).await {
            Ok(page) => page,
            Err(error) => return refusal::fact(&error),
        };
        found
            .lines
            .extend(page.events.iter().filter_map(CallLine::read));
        request.token = page.next;
        if request.token.is_none() {
            return Fact::Known(found);
        }
    }
    found.cut = true;
    Fact::Known(found)
}
