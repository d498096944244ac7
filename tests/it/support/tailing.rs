//! A real tail of a real sandbox, what it has shown, and a writer of log lines.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_cloudwatchlogs as sdk;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vintner::client::errors::AwsError;
use vintner::client::logs::{LogsClient, PageRequest};
use vintner::client::tail::{self, Patience, Span, Status, TailRequest, TailUpdate, Wishes};
use vintner::domain::line::LogEvent;
use vintner::sandbox::{Options, Sandbox, ServedModel};

pub fn config(endpoint: &str) -> SdkConfig {
    let credentials = aws_credential_types::Credentials::new("key", "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-2"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

pub fn logs(sandbox: &Sandbox) -> LogsClient {
    LogsClient::new(
        &config(&sandbox.aws_endpoint()),
        true,
        Some("prod".to_owned()),
    )
}

pub async fn sandbox(options: Options) -> Sandbox {
    let model = ServedModel::ready("v1.0", Arc::new(|row: &[f32]| row[10] / 2.0));
    Sandbox::start(options, model).await.unwrap()
}

pub fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// What a tail has shown so far.
#[derive(Default)]
pub struct Shown {
    pub events: Vec<(LogEvent, i64)>,
    pub statuses: Vec<Status>,
}

pub struct Tail {
    pub shown: Arc<Mutex<Shown>>,
    pub cancel: CancellationToken,
    pub wishes: watch::Sender<Wishes>,
    pub task: JoinHandle<Result<(), AwsError>>,
}

impl Shown {
    /// All that was written, and nothing else.
    pub fn assert_is(&self, writer: &Writer) {
        let events = self.events.iter().map(|(event, _)| event);
        assert_exact(events, writer.written.iter().cloned());
    }
}

impl Tail {
    pub fn start(sandbox: &Sandbox, group: &str, span: Span, live_tail: bool) -> Self {
        let client = logs(sandbox);
        let connect: tail::Connect = Arc::new(move || {
            let client = client.clone();
            Box::pin(async move { Ok(client) })
        });
        let request = TailRequest {
            groups: vec![group.into()],
            pattern: None,
            span,
            patience: Patience::Endless,
        };
        let shown = Arc::new(Mutex::new(Shown::default()));
        let cancel = CancellationToken::new();
        let (sender, mut updates) = mpsc::channel(16);
        let (wishes, wished) = watch::channel(Wishes {
            live_tail,
            ..Wishes::default()
        });
        let (into, token) = (Arc::clone(&shown), cancel.clone());
        let task = tokio::spawn(async move {
            let take = async {
                while let Some(update) = updates.recv().await {
                    let mut shown = into.lock().unwrap();
                    match update {
                        TailUpdate::Status(status) => shown.statuses.push(status),
                        TailUpdate::Events(batch) => {
                            let at = now();
                            shown
                                .events
                                .extend(batch.events.into_iter().map(|event| (event, at)));
                        }
                    }
                }
            };
            tokio::join!(tail::run(connect, request, wished, sender, token, 1), take).0
        });
        Self {
            shown,
            cancel,
            wishes,
            task,
        }
    }

    /// Waits until what was shown satisfies `done`; says how far it came otherwise.
    pub async fn until(&self, what: &str, seconds: u64, mut done: impl FnMut(&Shown) -> bool) {
        let end = tokio::time::Instant::now() + Duration::from_secs(seconds);
        loop {
            {
                let shown = self.shown.lock().unwrap();
                if done(&shown) {
                    return;
                }
                assert!(
                    tokio::time::Instant::now() < end,
                    "{what}: not within {seconds} s; {} events, last status {:?}",
                    shown.events.len(),
                    shown.statuses.last()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until as much was shown as was written, and stops: it must be just that.
    pub async fn exactly(self, writer: Writer, seconds: u64) -> Shown {
        self.until("everything", seconds, |shown| {
            shown.events.len() >= writer.written.len()
        })
        .await;
        let shown = self.stop().await;
        shown.assert_is(&writer);
        shown
    }

    pub async fn stop(self) -> Shown {
        self.cancel.cancel();
        tokio::time::timeout(Duration::from_secs(20), self.task)
            .await
            .expect("a cancelled tail ends at once")
            .unwrap()
            .unwrap();
        std::mem::take(&mut *self.shown.lock().unwrap())
    }
}

pub fn following(since: i64) -> Span {
    Span {
        since,
        until: None,
        follow: true,
        newest_first: true,
    }
}

/// Nothing lost, nothing doubled: the messages shown are exactly the `expected` ones.
pub fn assert_exact<'a>(
    shown: impl Iterator<Item = &'a LogEvent>,
    expected: impl Iterator<Item = String>,
) {
    let mut balance: HashMap<String, i64> = HashMap::new();
    let mut total = 0;
    for key in expected {
        *balance.entry(key).or_default() += 1;
        total += 1;
    }
    for event in shown {
        *balance.entry(key(event)).or_default() -= 1;
    }
    let lost: Vec<_> = balance.iter().filter(|(_, n)| **n > 0).collect();
    let doubled: Vec<_> = balance.iter().filter(|(_, n)| **n < 0).collect();
    assert!(
        lost.is_empty() && doubled.is_empty(),
        "of {total}: lost {lost:?}, doubled {doubled:?}"
    );
}

pub fn key(event: &LogEvent) -> String {
    format!("{} {} {}", event.timestamp, event.stream, event.message)
}

/// All events of a group up to `end` as CloudWatch holds them.
pub async fn stored(client: &LogsClient, group: &str, end: i64) -> Vec<LogEvent> {
    let mut request = PageRequest {
        group: group.into(),
        pattern: None,
        start: 0,
        end: Some(end),
        newest_first: false,
        token: None,
    };
    let mut events = Vec::new();
    loop {
        let page = client.page(&request).await.unwrap();
        events.extend(page.events);
        match page.next {
            None => return events,
            next => request.token = next,
        }
    }
}

/// Writes to a group of its own, as another service would.
pub struct Writer {
    pub client: sdk::Client,
    pub group: String,
    pub written: Vec<String>,
}

impl Writer {
    pub async fn new(sandbox: &Sandbox, group: &str) -> Self {
        let client = sdk::Client::new(&config(&sandbox.aws_endpoint()));
        client
            .create_log_group()
            .log_group_name(group)
            .send()
            .await
            .unwrap();
        Self {
            client,
            group: group.to_owned(),
            written: Vec::new(),
        }
    }

    pub async fn stream(&self, stream: &str) {
        let made = self
            .client
            .create_log_stream()
            .log_group_name(&self.group)
            .log_stream_name(stream);
        made.send().await.unwrap();
    }

    pub async fn put(&mut self, stream: &str, mut events: Vec<(i64, String)>) {
        events.sort_by_key(|(at, _)| *at);
        for (at, message) in &events {
            self.written.push(format!("{at} {stream} {message}"));
        }
        let built = events.into_iter().map(|(at, message)| {
            sdk::types::InputLogEvent::builder()
                .timestamp(at)
                .message(message)
                .build()
                .unwrap()
        });
        let put = self
            .client
            .put_log_events()
            .log_group_name(&self.group)
            .log_stream_name(stream);
        put.set_log_events(Some(built.collect()))
            .send()
            .await
            .unwrap();
    }
}
