//! CloudWatch Logs: groups, pages of events, Live Tail, Insights. The only file that names its SDK crate.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudwatchlogs as sdk;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::client::errors::{AwsError, Call};
use crate::client::link::Aws;
use crate::domain::line::LogEvent;

mod glob;
mod insights;
mod live;
pub(crate) mod wire;

pub use glob::glob_matches;
pub use insights::QueryResults;
pub use live::{LiveFrame, LiveTail};

use wire::{NoHostPrefix, ServerClock};

/// One attempt at one page; a page is at most 1 MB.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// A CloudWatch Logs client for one account and region. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LogsClient {
    sdk: sdk::Client,
    region: String,
    profile: Option<String>,
    clock: ServerClock,
}

/// A log group as DescribeLogGroups lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGroup {
    /// Name, `/aws/lambda/wine-quality-predictor`.
    pub name: String,
    /// ARN without the trailing `:*`, as Live Tail wants it.
    pub arn: String,
    /// Bytes stored.
    pub stored_bytes: i64,
    /// Days kept; `None` keeps for ever.
    pub retention_days: Option<i32>,
}

/// What FilterLogEvents is asked for. Times are milliseconds since the epoch, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Group name, or ARN for another account's.
    pub group: Arc<str>,
    /// CloudWatch filter pattern; empty asks for everything.
    pub pattern: Option<Arc<str>>,
    /// First instant asked.
    pub start: i64,
    /// Last instant asked; `None` has no end.
    pub end: Option<i64>,
    /// Asks for the newest page first. Some servers ignore it.
    pub newest_first: bool,
    /// Where the previous page ended.
    pub token: Option<String>,
}

/// One page of events, in the order that came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The events; may be none although more follow.
    pub events: Vec<LogEvent>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
}

impl LogsClient {
    /// `custom_endpoint`: the configuration points to something other than AWS, where Live Tail's `stream-` host prefix
    /// does not resolve.
    pub fn new(config: &SdkConfig, custom_endpoint: bool, profile: Option<String>) -> Self {
        let clock = ServerClock::default();
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        let mut builder = sdk::config::Builder::from(config)
            .timeout_config(timeouts)
            .interceptor(clock.clone());
        if custom_endpoint {
            builder = builder.interceptor(NoHostPrefix);
        }
        Self {
            sdk: sdk::Client::from_conf(builder.build()),
            region: config.region().map(ToString::to_string).unwrap_or_default(),
            profile,
            clock,
        }
    }

    /// A client for a connected target.
    pub fn of(aws: &Aws) -> Self {
        Self::new(&aws.config, aws.custom_endpoint, Some(aws.profile.clone()))
    }

    /// Milliseconds since the epoch by the server's clock, as far as answers have shown it.
    pub fn now(&self) -> i64 {
        wire::local_now() + self.clock.skew()
    }

    /// How far the server's clock is ahead of this machine's, milliseconds.
    pub fn skew(&self) -> i64 {
        self.clock.skew()
    }

    /// The region asked.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Groups whose name matches `glob` (`*` and `?`), by name. A name without wildcards lists that group or none.
    pub async fn groups(&self, glob: &str) -> Result<Vec<LogGroup>, AwsError> {
        let call = self.call("logs:DescribeLogGroups", format!("log groups {glob}"));
        let prefix = glob.split(['*', '?']).next().unwrap_or_default();
        let mut pages = self
            .sdk
            .describe_log_groups()
            .set_log_group_name_prefix((!prefix.is_empty()).then(|| prefix.to_owned()))
            .into_paginator()
            .send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::from_sdk(&error, &call))?;
            let groups = page.log_groups().iter().map(log_group);
            found.extend(groups.filter(|group| glob_matches(glob, &group.name)));
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// The ARN of a group given by name (or by ARN already), without `:*`.
    pub async fn group_arn(&self, group: &str) -> Result<String, AwsError> {
        if group.starts_with("arn:") {
            return Ok(group.trim_end_matches(":*").to_owned());
        }
        let found = self.groups(group).await?;
        found
            .into_iter()
            .next()
            .map(|group| group.arn)
            .ok_or_else(|| AwsError::NotFound {
                subject: format!("log group {group}"),
                region: self.region.clone(),
            })
    }

    /// One page of FilterLogEvents, without retries: the tail paces and repeats by itself.
    pub async fn page(&self, request: &PageRequest) -> Result<Page, AwsError> {
        let call = self.call(
            "logs:FilterLogEvents",
            format!("log group {}", request.group),
        );
        let mut filter = self
            .sdk
            .filter_log_events()
            .start_time(request.start)
            .set_end_time(request.end)
            .set_filter_pattern(request.pattern.as_deref().map(str::to_owned))
            .set_next_token(request.token.clone());
        filter = if request.group.starts_with("arn:") {
            filter.log_group_identifier(request.group.trim_end_matches(":*"))
        } else {
            filter.log_group_name(&*request.group)
        };
        if request.newest_first {
            filter = filter.start_from_head(false);
        }
        let answer = filter
            .customize()
            .config_override(sdk::config::Config::builder().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .map_err(|error| AwsError::from_sdk(&error, &call))?;
        let mut streams = Streams::default();
        let group = group_name(&request.group);
        Ok(Page {
            next: answer.next_token,
            events: answer
                .events
                .unwrap_or_default()
                .into_iter()
                .map(|event| LogEvent {
                    timestamp: event.timestamp.unwrap_or_default(),
                    ingestion_time: event.ingestion_time.or(event.timestamp).unwrap_or_default(),
                    group: Arc::clone(&group),
                    stream: streams.shared(event.log_stream_name.as_deref().unwrap_or_default()),
                    event_id: event.event_id.map(String::into_boxed_str),
                    message: event.message.unwrap_or_default(),
                })
                .collect(),
        })
    }

    fn call(&self, action: &'static str, subject: String) -> Call {
        Call {
            action,
            subject,
            region: self.region.clone(),
            profile: self.profile.clone(),
        }
    }
}

/// Shares one allocation among the events of a stream.
#[derive(Debug, Default)]
struct Streams {
    names: HashMap<Box<str>, Arc<str>>,
}

impl Streams {
    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = Arc::from(name);
        self.names.insert(Box::from(name), Arc::clone(&shared));
        shared
    }
}

/// The group's name in `arn:aws:logs:REGION:ACCOUNT:log-group:NAME[:*]`, or the name itself.
pub fn group_name(group: &str) -> Arc<str> {
    let name = group
        .strip_prefix("arn:")
        .and_then(|arn| arn.splitn(6, ':').nth(5))
        .map_or(group, |name| name.trim_end_matches(":*"));
    Arc::from(name)
}

fn log_group(group: &sdk::types::LogGroup) -> LogGroup {
    let arn = group.log_group_arn().or(group.arn()).unwrap_or_default();
    LogGroup {
        name: group.log_group_name().unwrap_or_default().to_owned(),
        arn: arn.trim_end_matches(":*").to_owned(),
        stored_bytes: group.stored_bytes().unwrap_or_default(),
        retention_days: group.retention_in_days(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_its_group() {
        let arn = "arn:aws:logs:us-east-2:123456789012:log-group:/aws/lambda/x:*";
        assert_eq!(&*group_name("/aws/lambda/x"), "/aws/lambda/x");
        assert_eq!(&*group_name(arn), "/aws/lambda/x");
        assert_eq!(&*group_name(arn.trim_end_matches(":*")), "/aws/lambda/x");
    }
}
