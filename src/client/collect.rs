//! Doctor's collectors: every question asked side by side, each with its own limit, none of them changing anything.

mod behind;
mod direct;
mod edge;
mod image;
mod log;
mod permissions;

use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use tokio::sync::oneshot;
use url::Url;

use crate::client::gateway;
use crate::client::link::Link;
use crate::domain::alerts::{Limits, Rule};
use crate::domain::arn::FunctionName;
use crate::domain::doctor::facts::{Fact, Facts, Function, Subject};
use crate::domain::schema::Schema;

/// No single question may take longer.
pub const LIMIT: Duration = Duration::from_secs(5);
/// All of them together: what is not answered then is not known.
const TOGETHER: Duration = Duration::from_secs(9);
/// How far back metrics and logs are looked at, seconds.
pub const LOOK_BACK_S: i64 = 900;

/// The moment when Doctor must be done, whatever still hangs.
#[derive(Debug, Clone, Copy)]
struct Deadline(Instant);

impl Deadline {
    /// How long the next question may take.
    fn left(self) -> Duration {
        LIMIT.min(self.0.saturating_duration_since(Instant::now()))
    }

    /// Waits for one answer, but not for ever.
    async fn ask<T>(self, action: &str, question: impl Future<Output = Fact<T>>) -> Fact<T> {
        let left = self.left();
        let answer = tokio::time::timeout(left, question).await;
        answer.unwrap_or_else(|_| {
            Fact::Failed(format!(
                "{action}: no answer in {:.1} s",
                left.as_secs_f64()
            ))
        })
    }
}

/// AWS as Doctor reaches it.
#[derive(Debug, Clone)]
pub struct Access {
    /// Region, credentials, endpoint.
    pub config: SdkConfig,
    /// The configuration points to something other than AWS.
    pub custom_endpoint: bool,
    /// The profile in use.
    pub profile: Option<String>,
}

/// What to examine.
#[derive(Debug, Clone)]
pub struct Examination {
    /// The prediction endpoint; `None` when the target has none.
    pub endpoint: Option<Url>,
    /// AWS; `None` when the target has none.
    pub aws: Option<Access>,
    /// Why there is none, where the target should have one.
    pub no_aws: Option<String>,
    /// Function name or ARN; empty when the target has none.
    pub function: String,
    /// Alias or version.
    pub qualifier: Option<String>,
    /// The prediction to send: a JSON object of features.
    pub payload: serde_json::Value,
    /// What its answer must look like.
    pub schema: Schema,
    /// What counts as slow: the alert rules' thresholds.
    pub limits: Limits,
    /// Milliseconds since the epoch, by the local clock.
    pub now_ms: i64,
}

impl Examination {
    /// Of the connected target, with one prediction to send, by the owner's limits.
    pub fn of(link: &Link, schema: &Schema, payload: serde_json::Value, now_ms: i64) -> Self {
        let function = FunctionName::of(&link.session.function);
        Examination {
            endpoint: link
                .endpoint
                .as_ref()
                .map(|endpoint| endpoint.url().clone()),
            aws: link.aws.as_ref().map(|aws| Access {
                config: aws.config.clone(),
                custom_endpoint: aws.custom_endpoint,
                profile: Some(aws.profile.clone())
                    .filter(|p| !link.session.sandbox && p != "default"),
            }),
            no_aws: link.no_aws().map(str::to_owned),
            function: function.whole.to_owned(),
            qualifier: function.qualifier.map(str::to_owned),
            payload,
            schema: schema.clone(),
            limits: Limits::default(),
            now_ms,
        }
    }

    /// By the limits of these rules.
    #[must_use]
    pub fn by(mut self, rules: &[Rule]) -> Self {
        self.limits = Limits::of(rules);
        self
    }

    fn path(&self) -> String {
        let path = self.endpoint.as_ref().map_or("/", Url::path);
        if path.is_empty() {
            "/".to_owned()
        } else {
            path.to_owned()
        }
    }
}

/// Asks everything and waits for all answers: at most about nine seconds.
pub async fn facts(examination: &Examination) -> Facts {
    let deadline = Deadline(Instant::now() + TOGETHER);
    let subject = subject(examination);
    let (answered, gateway_answered) = oneshot::channel();
    let edge = async {
        let found = edge::edge(examination, deadline).await;
        // Nobody waits for it any more where there is no function.
        let _ = answered.send(());
        found
    };
    let Some(aws) = examination
        .aws
        .as_ref()
        .filter(|_| !examination.function.is_empty())
    else {
        let (network, gateway, clock_skew_s) = edge.await;
        return Facts {
            subject,
            limits: examination.limits,
            clock_skew_s,
            network,
            gateway,
            ..unasked(examination)
        };
    };
    let behind = Box::pin(behind::behind(
        examination,
        aws,
        subject,
        deadline,
        gateway_answered,
    ));
    let ((network, gateway, clock_skew_s), facts) = tokio::join!(Box::pin(edge), behind);
    Facts {
        clock_skew_s,
        network,
        gateway,
        ..facts
    }
}

/// What AWS would have told: nothing of it applies, or why it could not be asked.
fn unasked(examination: &Examination) -> Facts {
    let Some(why) = examination
        .no_aws
        .as_ref()
        .filter(|_| !examination.function.is_empty())
    else {
        return Facts::default();
    };
    Facts {
        identity: Fact::Failed(why.clone()),
        function: Fact::Failed(why.clone()),
        invoke: Fact::Failed(why.clone()),
        api: Fact::Failed(why.clone()),
        policy: Fact::Failed(why.clone()),
        image: Fact::Failed(why.clone()),
        repository_policy: Fact::Failed(why.clone()),
        role_logs: Fact::Failed(why.clone()),
        deployer: Fact::Failed(why.clone()),
        concurrency: Fact::Failed(why.clone()),
        metrics: Fact::Failed(why.clone()),
        logs: Fact::Failed(why.clone()),
        ..Facts::default()
    }
}

fn subject(examination: &Examination) -> Subject {
    let endpoint = examination
        .endpoint
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let named = gateway::id_and_region(&endpoint);
    let region = examination
        .aws
        .as_ref()
        .and_then(|a| a.config.region())
        .map(ToString::to_string);
    Subject {
        api_id: named.as_ref().map(|(id, _)| id.clone()),
        endpoint_region: named.map(|(_, region)| region),
        endpoint: endpoint.clone(),
        function: examination.function.clone(),
        qualifier: examination.qualifier.clone(),
        region: region.unwrap_or_default(),
        profile: examination.aws.as_ref().and_then(|a| a.profile.clone()),
        method: "POST".to_owned(),
        path: examination.path(),
    }
}

/// The schema's first preset as a request body: the user's own demo sample.
pub fn sample_payload(schema: &Schema) -> serde_json::Value {
    let values = schema
        .presets
        .first()
        .map(|preset| preset.values.clone())
        .unwrap_or_default();
    schema
        .names()
        .map(str::to_owned)
        .zip(values.into_iter().map(serde_json::Value::from))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// What a fact is that only the function could have told; without a function there is no such question.
fn unread<T>(function: &Fact<Function>) -> Fact<T> {
    match function.clone() {
        Fact::Denied { action } => Fact::Denied { action },
        Fact::NoCredentials(why) => Fact::NoCredentials(why),
        Fact::Failed(why) => Fact::Failed(why),
        Fact::Known(_) | Fact::Missing(_) | Fact::NotAsked => Fact::NotAsked,
    }
}
