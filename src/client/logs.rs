//! CloudWatch Logs: groups, pages of events, Live Tail, Insights. The only file that names its SDK crate.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::SdkConfig;
use aws_sdk_cloudwatchlogs as sdk;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::endpoint::EndpointPrefix;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use sdk::primitives::event_stream::EventReceiver;
use sdk::types::StartLiveTailResponseStream as Frame;
use sdk::types::error::StartLiveTailResponseStreamError;

use crate::client::errors::{AwsError, Call};
use crate::client::link::Aws;
use crate::domain::line::LogEvent;

/// One attempt at one page; a page is at most 1 MB.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
/// AWS sends a Live Tail update every second, empty or not: this much silence is a dead connection.
const LIVE_SILENCE: Duration = Duration::from_secs(10);
/// Clock differences below this are the `Date` header's whole seconds, not skew.
const SKEW_NOISE_MS: i64 = 2_000;

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

/// The state of an Insights query.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QueryResults {
    /// `Scheduled`, `Running`, `Complete`, `Failed`, `Cancelled`, `Timeout`.
    pub status: String,
    /// One row per result, (field, value) in the query's order.
    pub rows: Vec<Vec<(String, String)>>,
    /// Events read so far.
    pub records_scanned: f64,
    /// Events that matched so far.
    pub records_matched: f64,
    /// Bytes read so far; Insights bills these.
    pub bytes_scanned: f64,
}

impl QueryResults {
    /// Whether the query has ended, well or not.
    pub fn is_done(&self) -> bool {
        !matches!(self.status.as_str(), "Scheduled" | "Running" | "Unknown")
    }
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
        local_now() + self.clock.skew()
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

    /// Opens a Live Tail session over up to ten groups given by ARN. The caller holds it: dropping it ends the session.
    pub async fn live_tail(
        &self,
        arns: &[String],
        pattern: Option<&str>,
    ) -> Result<LiveTail, AwsError> {
        let call = self.call("logs:StartLiveTail", arns.join(", "));
        let opening = self
            .sdk
            .start_live_tail()
            .set_log_group_identifiers(Some(arns.to_vec()))
            .set_log_event_filter_pattern(pattern.map(str::to_owned))
            .send();
        let Ok(opened) = tokio::time::timeout(LIVE_SILENCE, opening).await else {
            return Err(AwsError::Unparsable {
                action: call.action.to_owned(),
                detail: "no first frame within 10 s".to_owned(),
            });
        };
        let opened = opened.map_err(|error| AwsError::from_sdk(&error, &call))?;
        Ok(LiveTail {
            frames: opened.response_stream,
            streams: Streams::default(),
        })
    }

    /// Starts an Insights query over groups (names, or ARNs of another account's). Times are milliseconds since the epoch.
    pub async fn start_query(
        &self,
        groups: &[String],
        query: &str,
        start: i64,
        end: i64,
    ) -> Result<String, AwsError> {
        let call = self.call("logs:StartQuery", groups.join(", "));
        let request = self
            .sdk
            .start_query()
            .query_string(query)
            .start_time(start.div_euclid(1000))
            .end_time(end.div_euclid(1000));
        let request = if groups.iter().any(|group| group.starts_with("arn:")) {
            request.set_log_group_identifiers(Some(groups.to_vec()))
        } else {
            request.set_log_group_names(Some(groups.to_vec()))
        };
        let answer = request
            .send()
            .await
            .map_err(|error| with_position(AwsError::from_sdk(&error, &call), &error))?;
        answer.query_id.ok_or_else(|| AwsError::Unparsable {
            action: call.action.to_owned(),
            detail: "no queryId".to_owned(),
        })
    }

    /// What a query has found so far.
    pub async fn query_results(&self, id: &str) -> Result<QueryResults, AwsError> {
        let call = self.call("logs:GetQueryResults", format!("query {id}"));
        let answer = self
            .sdk
            .get_query_results()
            .query_id(id)
            .send()
            .await
            .map_err(|error| AwsError::from_sdk(&error, &call))?;
        let statistics = answer.statistics();
        Ok(QueryResults {
            status: answer
                .status()
                .map_or("Unknown", |status| status.as_str())
                .to_owned(),
            rows: answer.results().iter().map(|row| fields(row)).collect(),
            records_scanned: statistics.map_or(0.0, |s| s.records_scanned),
            records_matched: statistics.map_or(0.0, |s| s.records_matched),
            bytes_scanned: statistics.map_or(0.0, |s| s.bytes_scanned),
        })
    }

    /// Stops a query; what it scanned is billed all the same.
    pub async fn stop_query(&self, id: &str) -> Result<(), AwsError> {
        let call = self.call("logs:StopQuery", format!("query {id}"));
        let stopped = self.sdk.stop_query().query_id(id).send().await;
        stopped
            .map(|_| ())
            .map_err(|error| AwsError::from_sdk(&error, &call))
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

/// An open Live Tail session.
pub struct LiveTail {
    frames: EventReceiver<Frame, StartLiveTailResponseStreamError>,
    streams: Streams,
}

/// What a Live Tail session delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveFrame {
    /// The session began (or a frame newer than this client).
    Started,
    /// About once a second, often empty. The events have no id.
    Update {
        /// The events.
        events: Vec<LogEvent>,
        /// More than 500 events a second came: these are a sample.
        sampled: bool,
    },
    /// The session ended; the text says why (three hours, server, network, silence).
    Ended(String),
}

impl LiveTail {
    /// The next frame. After `Ended` there is nothing more to read.
    pub async fn next(&mut self) -> LiveFrame {
        match tokio::time::timeout(LIVE_SILENCE, self.frames.recv()).await {
            Err(_) => LiveFrame::Ended(format!("silent for {} s", LIVE_SILENCE.as_secs())),
            Ok(Ok(None)) => LiveFrame::Ended("closed by the server".to_owned()),
            Ok(Err(error)) => LiveFrame::Ended(ended_because(&error)),
            Ok(Ok(Some(Frame::SessionUpdate(update)))) => LiveFrame::Update {
                sampled: update.session_metadata().is_some_and(|meta| meta.sampled),
                events: update
                    .session_results
                    .unwrap_or_default()
                    .into_iter()
                    .map(|event| self.streams.live_event(event))
                    .collect(),
            },
            Ok(Ok(Some(_))) => LiveFrame::Started,
        }
    }
}

fn ended_because<R>(
    error: &aws_smithy_runtime_api::client::result::SdkError<StartLiveTailResponseStreamError, R>,
) -> String {
    match error.as_service_error() {
        Some(StartLiveTailResponseStreamError::SessionTimeoutException(_)) => {
            "session over (AWS ends one after 3 h)".to_owned()
        }
        Some(StartLiveTailResponseStreamError::SessionStreamingException(_)) => {
            "interrupted by the service".to_owned()
        }
        _ => "connection lost".to_owned(),
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

    fn live_event(&mut self, event: sdk::types::LiveTailSessionLogEvent) -> LogEvent {
        let group = event.log_group_identifier.as_deref().unwrap_or_default();
        let timestamp = event.timestamp.unwrap_or_default();
        LogEvent {
            timestamp,
            ingestion_time: event.ingestion_time.unwrap_or(timestamp),
            group: self.shared(group.rsplit(':').next().unwrap_or(group)),
            stream: self.shared(event.log_stream_name.as_deref().unwrap_or_default()),
            event_id: None,
            message: event.message.unwrap_or_default(),
        }
    }
}

/// The group's name in `arn:aws:logs:REGION:ACCOUNT:log-group:NAME[:*]`, or the name itself.
pub fn group_name(group: &str) -> Arc<str> {
    let name = group
        .strip_prefix("arn:")
        .and_then(|arn| arn.splitn(7, ':').nth(6))
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

/// A result row without Insights' internal `@ptr`.
fn fields(row: &[sdk::types::ResultField]) -> Vec<(String, String)> {
    row.iter()
        .filter(|field| field.field() != Some("@ptr"))
        .map(|field| {
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            (text(field.field()), text(field.value()))
        })
        .collect()
}

/// Adds the place of an Insights syntax error to the service's message.
fn with_position<R>(
    error: AwsError,
    raw: &aws_smithy_runtime_api::client::result::SdkError<
        sdk::operation::start_query::StartQueryError,
        R,
    >,
) -> AwsError {
    use sdk::operation::start_query::StartQueryError::MalformedQueryException;
    let place = match raw.as_service_error() {
        Some(MalformedQueryException(e)) => e
            .query_compile_error()
            .and_then(|compile| compile.location())
            .and_then(sdk::types::QueryCompileErrorLocation::start_char_offset),
        _ => None,
    };
    match (error, place) {
        (
            AwsError::Invalid {
                action,
                subject,
                code,
                detail,
            },
            Some(offset),
        ) => AwsError::Invalid {
            action,
            subject,
            code,
            detail: format!("{detail} (at character {})", offset + 1),
        },
        (error, _) => error,
    }
}

/// Whether `name` matches `glob`, where `*` is any text and `?` any one character.
pub fn glob_matches(glob: &str, name: &str) -> bool {
    let (glob, name): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
    let (mut g, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match glob.get(g) {
            Some('*') => {
                star = Some((g, n));
                g += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                g += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    g = at + 1;
                    n = from + 1;
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    glob[g..].iter().all(|&c| c == '*')
}

fn local_now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}

/// Learns from answers' `Date` headers how far this machine's clock is from the server's: a tail whose cursor moves by
/// searched time would run past events if the local clock were ahead.
#[derive(Debug, Clone, Default)]
struct ServerClock {
    skew_ms: Arc<AtomicI64>,
}

impl ServerClock {
    /// Server time minus local time, milliseconds; 0 while it is within the header's precision.
    fn skew(&self) -> i64 {
        self.skew_ms.load(Ordering::Relaxed)
    }
}

#[dyn_dispatch_hint]
impl Intercept for ServerClock {
    fn name(&self) -> &'static str {
        "ServerClock"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let server = date.and_then(|date| {
            aws_smithy_types::DateTime::from_str(
                date,
                aws_smithy_types::date_time::Format::HttpDate,
            )
            .ok()
        });
        if let Some(server) = server {
            let skew = server.secs() * 1000 + 500 - local_now();
            let skew = if skew.abs() < SKEW_NOISE_MS { 0 } else { skew };
            self.skew_ms.store(skew, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Takes back the `stream-` host prefix that the SDK puts before any endpoint, `127.0.0.1` included.
#[derive(Debug)]
struct NoHostPrefix;

#[dyn_dispatch_hint]
impl Intercept for NoHostPrefix {
    fn name(&self) -> &'static str {
        "NoHostPrefix"
    }

    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().unset::<EndpointPrefix>();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_names() {
        for (glob, name, matches) in [
            ("/aws/lambda/*", "/aws/lambda/wine", true),
            ("/aws/lambda/*", "/aws/lambd", false),
            ("*wine*", "/aws/lambda/wine-quality", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b", "xaxbxab", true),
            ("abc", "abcd", false),
            ("*", "", true),
        ] {
            assert_eq!(glob_matches(glob, name), matches, "{glob} {name}");
        }
    }

    #[test]
    fn an_arn_names_its_group() {
        let arn = "arn:aws:logs:us-east-2:123456789012:log-group:/aws/lambda/x:*";
        assert_eq!(&*group_name("/aws/lambda/x"), "/aws/lambda/x");
        assert_eq!(&*group_name(arn), "/aws/lambda/x");
        assert_eq!(&*group_name(arn.trim_end_matches(":*")), "/aws/lambda/x");
    }
}
