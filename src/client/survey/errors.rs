//! Error lines of a window, grouped by what they say.

use std::collections::BTreeMap;

use super::{LIMIT, PAGES};
use crate::client::link::Link;
use crate::client::logs::{LogsClient, PageRequest};
use crate::domain::handover::{ErrorGroup, Errors};
use crate::domain::headline::words;
use crate::domain::latency::Window;
use crate::domain::request_id::RequestId;
use crate::domain::template::mask;

/// What the log calls errors: the handler's own mark among them.
const ERROR_LINES: &str = "?ERROR ?Error ?\"timed out\" ?Traceback ?\"❌\"";

/// Error lines of a window, grouped by what they say, the most frequent first; at most 20 groups.
pub async fn errors(link: &Link, window: Window, now_ms: i64) -> Errors {
    read_errors(link, window, now_ms)
        .await
        .map_or_else(Errors::Unread, Errors::Groups)
}

async fn read_errors(link: &Link, window: Window, now_ms: i64) -> Result<Vec<ErrorGroup>, String> {
    let (aws, group) = match (link.aws(), link.log_group()) {
        (Ok(aws), Ok(group)) => (aws, group),
        (Err(error), _) | (_, Err(error)) => return Err(error.to_string()),
    };
    let logs = LogsClient::new(&aws.config, aws.custom_endpoint, Some(aws.profile.clone()));
    let mut request = PageRequest {
        group: group.into(),
        pattern: Some(ERROR_LINES.into()),
        start: now_ms - window.seconds() * 1000,
        end: None,
        newest_first: true,
        token: None,
    };
    let mut groups: BTreeMap<String, ErrorGroup> = BTreeMap::new();
    for _ in 0..PAGES {
        let page = tokio::time::timeout(LIMIT, logs.page(&request)).await;
        let page = page
            .map_err(|_| format!("no answer in {} s", LIMIT.as_secs()))?
            .map_err(|error| error.to_string())?;
        for event in &page.events {
            group_error(&mut groups, event.timestamp, &event.message);
        }
        request.token = page.next;
        if request.token.is_none() {
            break;
        }
    }
    let mut found: Vec<ErrorGroup> = groups.into_values().collect();
    found.sort_by(|a, b| b.count.cmp(&a.count).then(b.last_ms.cmp(&a.last_ms)));
    found.truncate(20);
    Ok(found)
}

fn group_error(groups: &mut BTreeMap<String, ErrorGroup>, at: i64, message: &str) {
    let template = mask(&words(message));
    let request_id = RequestId::find(message.as_bytes()).map(|id| id.to_string());
    let entry = groups.entry(template.clone()).or_insert(ErrorGroup {
        template,
        count: 0,
        request_id: None,
        last_ms: at,
    });
    entry.count += 1;
    entry.last_ms = entry.last_ms.max(at);
    entry.request_id = entry.request_id.take().or(request_id);
}
