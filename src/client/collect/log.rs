//! The log group and its recent lines.

use super::{Access, Deadline, LOOK_BACK_S};
use crate::client::logs::{LogsClient, PageRequest};
use crate::client::{refusal, survey};
use crate::domain::doctor::facts::{Fact, Facts, Logs};
use crate::domain::doctor::log_facts;
use crate::domain::line::LogEvent;
use crate::domain::request_id::RequestId;
use std::time::Duration;

/// How long the direct call's own lines may take to arrive in the log.
const ARRIVAL: Duration = Duration::from_secs(3);
/// At most so many pages of log are read.
const LOG_PAGES: usize = 5;

pub(super) async fn logs(aws: &Access, group: &str) -> Fact<Logs> {
    let client = LogsClient::new(&aws.config, aws.custom_endpoint, aws.profile.clone());
    let now = client.now();
    let (retention, events) = tokio::join!(
        survey::retention(&client, group),
        recent_events(&client, group, now)
    );
    events.map(|events| {
        let lines = events.iter().map(|e| (e.timestamp, e.message.as_str()));
        log_facts::condense(lines, retention, now)
    })
}

async fn recent_events(client: &LogsClient, group: &str, now: i64) -> Fact<Vec<LogEvent>> {
    let mut request = PageRequest {
        group: group.into(),
        pattern: None,
        start: now - LOOK_BACK_S * 1000,
        end: None,
        newest_first: true,
        token: None,
    };
    let mut events = Vec::new();
    for _ in 0..LOG_PAGES {
        match client.page(&request).await {
            Ok(page) => {
                events.extend(page.events);
                request.token = page.next;
            }
            Err(error) => return refusal::fact(&error),
        }
        if request.token.is_none() {
            break;
        }
    }
    Fact::Known(events)
}

/// Where the simulator says that the role may not write logs, the direct call's own lines decide: do they arrive?
pub(super) async fn own_lines(
    aws: &Access,
    default_group: &str,
    facts: &Facts,
    deadline: Deadline,
) -> Option<bool> {
    let simulated = facts.role_logs.known()?;
    if simulated.iter().all(|s| s.decision == "allowed") {
        return None;
    }
    let id = RequestId::find(facts.invocation()?.log_tail.as_bytes())?;
    let configured = facts.function.known().and_then(|f| f.log_group.as_deref());
    let client = LogsClient::new(&aws.config, aws.custom_endpoint, aws.profile.clone());
    let request = PageRequest {
        group: configured.unwrap_or(default_group).into(),
        pattern: Some(format!("\"{id}\"").into()),
        start: client.now() - LOOK_BACK_S * 1000,
        end: None,
        newest_first: true,
        token: None,
    };
    let arrived = async {
        loop {
            match client.page(&request).await {
                Ok(page) if page.events.is_empty() => {}
                Ok(_) => return Some(true),
                Err(_) => return None,
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    };
    let patience = ARRIVAL.min(deadline.left());
    tokio::time::timeout(patience, arrived)
        .await
        .unwrap_or(Some(false))
}
