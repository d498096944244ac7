//! Live Tail sessions: an event stream of what CloudWatch receives.

use std::time::Duration;

use super::sdk::primitives::event_stream::EventReceiver;
use super::sdk::types::StartLiveTailResponseStream as Frame;
use super::sdk::types::error::StartLiveTailResponseStreamError;
use super::{LogsClient, Streams, sdk};
use crate::client::errors::AwsError;
use crate::domain::line::LogEvent;

/// AWS sends a Live Tail update every second, empty or not: this much silence is a dead connection.
const LIVE_SILENCE: Duration = Duration::from_secs(10);

impl LogsClient {
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

impl Streams {
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
