//! Doctor's collectors: every question asked side by side, each with its own limit, none of them changing anything.

mod direct;
mod edge;

use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use tokio::sync::{oneshot, watch};
use url::Url;

use crate::client::ecr::{self, ImageName};
use crate::client::lambda::Lambda;
use crate::client::link::Link;
use crate::client::logs::{LogsClient, PageRequest};
use crate::client::signed::Signed;
use crate::client::{gateway, iam, identity, metrics, refusal, survey};
use crate::domain::alerts::{Limits, Rule};
use crate::domain::arn::{self, FunctionName};
use crate::domain::doctor::facts::{
    Api, Fact, Facts, Function, Identity, Image, Logs, Simulated, Subject,
};
use crate::domain::doctor::{log_facts, one_line};
use crate::domain::line::LogEvent;
use crate::domain::metrics::Snapshot;
use crate::domain::request_id::RequestId;
use crate::domain::schema::Schema;

use direct::Direct;

/// No single question may take longer.
pub const LIMIT: Duration = Duration::from_secs(5);
/// All of them together: what is not answered then is not known.
const TOGETHER: Duration = Duration::from_secs(9);
/// The direct call waits so long for the one through the gateway: side by side they would need two environments, and
/// Doctor would make the cold start that it then finds.
const HEAD_START: Duration = Duration::from_secs(1);
/// How long the direct call's own lines may take to arrive in the log.
const ARRIVAL: Duration = Duration::from_secs(3);
/// How far back metrics and logs are looked at, seconds.
pub const LOOK_BACK_S: i64 = 900;
/// At most so many pages of log are read.
const LOG_PAGES: usize = 5;

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
            ..Facts::default()
        };
    };
    let behind = Box::pin(behind(
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

/// What is known of the function itself, and of what only its description names.
struct Described {
    identity: Fact<Identity>,
    function: Fact<Function>,
    image: Fact<Image>,
    repository_policy: Fact<String>,
    role_logs: Fact<Vec<Simulated>>,
    deployer: Fact<Vec<Simulated>>,
    /// Of another group than Lambda's default.
    logs: Option<Fact<Logs>>,
}

/// What the gateway does with a request.
#[derive(Clone)]
struct Wired {
    stage: String,
    route: String,
    qualifier: Option<String>,
}

/// Checks 3 to 12, side by side as far as one does not need another's answer.
async fn behind(
    examination: &Examination,
    aws: &Access,
    mut subject: Subject,
    deadline: Deadline,
    gateway_answered: oneshot::Receiver<()>,
) -> Facts {
    let profile = aws.profile.as_deref();
    let qualifier = examination.qualifier.as_deref();
    let lambda = Lambda::new(&aws.config, &examination.function, qualifier, profile);
    let signed = Signed::new(&aws.config, profile);
    let name = FunctionName::of(&examination.function).name;
    let group = format!("/aws/lambda/{name}");
    let (wired, wiring) = watch::channel(None);
    let wiring_and_policy = async {
        let (api_id, api, metrics) = api(examination, aws, &signed, &subject, deadline).await;
        let known = Facts {
            subject: subject.clone(),
            api: api.clone(),
            ..Facts::default()
        };
        let (stage, route) = known.stage_and_path();
        // The policy and the code that count are those of the alias which the gateway calls.
        let called = known.called_qualifier();
        wired.send_replace(Some(Wired {
            stage: stage.to_owned(),
            route: route.to_owned(),
            qualifier: called.map(str::to_owned),
        }));
        let policy = match api.known() {
            Some(_) if called != qualifier => {
                let question = lambda.policy(called);
                Some(deadline.ask("lambda:GetPolicy", question).await)
            }
            _ => None,
        };
        (api_id, api, metrics, policy)
    };
    let direct = async {
        let (refused, _) = tokio::join!(
            direct::refused(&lambda, deadline),
            tokio::time::timeout(HEAD_START, gateway_answered)
        );
        if let Some(invoke) = refused {
            return Direct {
                invoke,
                ..Direct::default()
            };
        }
        let known = wiring.borrow().clone();
        let wired = known.unwrap_or_else(|| Wired {
            stage: "$default".to_owned(),
            route: subject.path.clone(),
            qualifier: examination.qualifier.clone(),
        });
        let event =
            direct::gateway_event(&subject, &wired.stage, &wired.route, &examination.payload);
        let called = wired.qualifier.as_deref();
        let called = Lambda::new(&aws.config, &examination.function, called, profile);
        let slow_ms = examination.limits.warm_ms;
        direct::call(&called, &event, &examination.payload, slow_ms, deadline).await
    };
    let (
        described,
        (api_id, api, metrics, called_policy),
        direct,
        policy,
        concurrency,
        aliases,
        logs,
    ) = tokio::join!(
        Box::pin(described(aws, &lambda, &signed, &group, deadline)),
        Box::pin(wiring_and_policy),
        Box::pin(direct),
        deadline.ask("lambda:GetPolicy", lambda.policy(qualifier)),
        deadline.ask("lambda:GetFunctionConcurrency", lambda.concurrency()),
        deadline.ask("lambda:ListAliases", lambda.aliases()),
        Box::pin(deadline.ask("logs:FilterLogEvents", logs(aws, &group))),
    );
    subject.api_id = api_id.known().cloned().or(subject.api_id);
    let mut facts = Facts {
        subject,
        limits: examination.limits,
        identity: described.identity,
        function: described.function,
        invoke: direct.invoke,
        raw: direct.raw,
        repeats: direct.repeats,
        api,
        policy: called_policy.unwrap_or(policy),
        image: described.image,
        repository_policy: described.repository_policy,
        role_logs: described.role_logs,
        deployer: described.deployer,
        concurrency,
        aliases: aliases.map(|all| all.into_iter().map(|a| a.name).collect()),
        metrics: metrics.map(|m| m.totals),
        logs: described.logs.unwrap_or(logs),
        ..Facts::default()
    };
    facts.own_lines = own_lines(aws, &group, &facts, deadline).await;
    facts
}

/// The API's id, its wiring, and the metrics that need the id.
async fn api(
    examination: &Examination,
    aws: &Access,
    signed: &Signed,
    subject: &Subject,
    deadline: Deadline,
) -> (Fact<String>, Fact<Api>, Fact<Snapshot>) {
    let find = gateway::find_id(signed, &subject.endpoint);
    let id = deadline.ask("apigateway:GET", find).await;
    let wiring = async {
        match &id {
            Fact::Known(id) => {
                deadline
                    .ask("apigateway:GET", gateway::wiring(signed, id))
                    .await
            }
            other => other.clone().map(|_| Api::default()),
        }
    };
    let snapshot = metrics::snapshot(
        &aws.config,
        FunctionName::of(&examination.function).name,
        id.known().or(subject.api_id.as_ref()).map(String::as_str),
        LOOK_BACK_S,
        examination.now_ms,
    );
    let (api, metrics) = tokio::join!(wiring, deadline.ask("cloudwatch:GetMetricData", snapshot));
    (id, api, metrics)
}

async fn described(
    aws: &Access,
    lambda: &Lambda,
    signed: &Signed,
    default_group: &str,
    deadline: Deadline,
) -> Described {
    let caller = identity::caller(&aws.config, aws.profile.as_deref());
    let (identity, function) = tokio::join!(
        deadline.ask("sts:GetCallerIdentity", caller),
        deadline.ask("lambda:GetFunction", lambda.function())
    );
    let function = function.map(|c| c.facts());
    let group = function
        .known()
        .and_then(|f| f.log_group.clone())
        .filter(|group| group != default_group);
    let other_logs = async {
        match &group {
            Some(group) => Some(deadline.ask("logs:FilterLogEvents", logs(aws, group)).await),
            None => None,
        }
    };
    let (image, repository_policy, role_logs, deployer, logs) = tokio::join!(
        image(signed, &function, deadline),
        repository_policy(signed, &function, deadline),
        role_permissions(signed, &function, deadline),
        deployer_permissions(signed, &identity, &function, deadline),
        Box::pin(other_logs),
    );
    Described {
        identity,
        function,
        image,
        repository_policy,
        role_logs,
        deployer,
        logs,
    }
}

async fn image(signed: &Signed, function: &Fact<Function>, deadline: Deadline) -> Fact<Image> {
    let name = match image_name(function) {
        Ok(name) => name,
        Err(fact) => return fact,
    };
    let resolved = function
        .known()
        .and_then(|f| f.resolved_image_uri.as_deref());
    let question = ecr::deployed(signed, &name, resolved.and_then(ImageName::parse));
    deadline.ask("ecr:DescribeImages", question).await
}

async fn repository_policy(
    signed: &Signed,
    function: &Fact<Function>,
    deadline: Deadline,
) -> Fact<String> {
    match image_name(function) {
        Ok(name) => {
            let question = ecr::repository_policy(signed, &name);
            deadline.ask("ecr:GetRepositoryPolicy", question).await
        }
        Err(fact) => fact,
    }
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

/// The deployed image; a zip package has none, and an unknown function none that we know.
fn image_name<T>(function: &Fact<Function>) -> Result<ImageName, Fact<T>> {
    let function = function.known().ok_or_else(|| unread(function))?;
    let uri = function
        .image_uri
        .as_deref()
        .filter(|_| function.package_type == "Image")
        .ok_or(Fact::NotAsked)?;
    ImageName::parse(uri)
        .ok_or_else(|| Fact::Failed(format!("`{}` is no ECR image", one_line(uri, 120))))
}

/// May the role write into the function's own log? Asked of that group: a good role is often allowed no other.
async fn role_permissions(
    signed: &Signed,
    function: &Fact<Function>,
    deadline: Deadline,
) -> Fact<Vec<Simulated>> {
    let Some(known) = function.known().filter(|f| !f.role.is_empty()) else {
        return unread(function);
    };
    let arn_part = |part: Option<&str>| part.unwrap_or_default().to_owned();
    let stream = format!(
        "arn:{}:logs:{}:{}:log-group:{}:log-stream:vintner",
        arn::partition(&known.arn).unwrap_or("aws"),
        arn_part(arn::region(&known.arn)),
        arn_part(arn::account(&known.arn)),
        known.log_group.as_deref().unwrap_or_default(),
    );
    let actions = ["logs:CreateLogStream", "logs:PutLogEvents"];
    let simulated = iam::simulate(signed, &known.role, &actions, &stream);
    deadline.ask("iam:SimulatePrincipalPolicy", simulated).await
}

async fn deployer_permissions(
    signed: &Signed,
    identity: &Fact<Identity>,
    function: &Fact<Function>,
    deadline: Deadline,
) -> Fact<Vec<Simulated>> {
    let (Some(identity), Some(function)) = (identity.known(), function.known()) else {
        return unread(function);
    };
    let principal = identity::principal(&identity.arn);
    let actions = ["lambda:UpdateFunctionCode"];
    let simulated = iam::simulate(signed, &principal, &actions, &function.arn);
    match deadline.ask("iam:SimulatePrincipalPolicy", simulated).await {
        // A session does not say the path its role lies under, so IAM may not find it by the name alone.
        Fact::Missing(why) => Fact::Failed(why),
        answer => answer,
    }
}

async fn logs(aws: &Access, group: &str) -> Fact<Logs> {
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
async fn own_lines(
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
