//! Doctor's collectors: every question asked side by side, each with its own limit, none of them changing anything.

use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use url::Url;

use crate::client::ecr::{self, ImageName};
use crate::client::lambda::Lambda;
use crate::client::link::Link;
use crate::client::logs::{LogsClient, PageRequest};
use crate::client::signed::Signed;
use crate::client::wire::{Call, Exchange, Limits, Phase, Wire};
use crate::client::{gateway, iam, identity, metrics, refusal};
use crate::domain::doctor::facts::{
    Api, Fact, Facts, Function, GatewayCall, Identity, Image, Invoke, Logs, Network, Repeat,
    Simulated, Subject,
};
use crate::domain::doctor::{log_facts, one_line};
use crate::domain::prediction::{Answer, Outcome};
use crate::domain::schema::Schema;

/// No single question may take longer.
pub const LIMIT: Duration = Duration::from_secs(5);
/// How far back metrics and logs are looked at, seconds.
pub const LOOK_BACK_S: i64 = 900;
/// Connections that may break before the endpoint counts as unreachable.
const ATTEMPTS: u32 = 3;
/// Direct calls in a row stop after this.
const REPEATS_LIMIT: Duration = Duration::from_secs(8);
/// A handler slower than this is called again. Milliseconds.
const SLOW_MS: f64 = 500.0;
/// At most so many pages of log are read.
const LOG_PAGES: usize = 5;
/// How much of an answer is kept.
const BODY_LIMIT: usize = 64 * 1024;

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
    /// Milliseconds since the epoch, by the local clock.
    pub now_ms: i64,
}

impl Examination {
    /// Of the connected target, with one prediction to send.
    pub fn of(link: &Link, schema: &Schema, payload: serde_json::Value, now_ms: i64) -> Self {
        let function = link.session.function.as_str();
        let (name, qualifier) = split_qualifier(function);
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
            function: name.to_owned(),
            qualifier,
            payload,
            schema: schema.clone(),
            now_ms,
        }
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

/// `name:alias` or `…:function:name:alias` without its alias, and the alias.
fn split_qualifier(function: &str) -> (&str, Option<String>) {
    let name = function
        .split_once(":function:")
        .map_or(function, |(_, name)| name);
    match name.split_once(':') {
        Some((_, alias)) => (
            &function[..function.len() - alias.len() - 1],
            Some(alias.to_owned()),
        ),
        None => (function, None),
    }
}

/// Asks everything and waits for all answers: at most about twice [`LIMIT`].
pub async fn facts(examination: &Examination) -> Facts {
    let subject = subject(examination);
    let edge = edge(examination);
    let Some(aws) = examination
        .aws
        .as_ref()
        .filter(|_| !examination.function.is_empty())
    else {
        let (network, gateway, clock_skew_s) = edge.await;
        return Facts {
            subject,
            clock_skew_s,
            network,
            gateway,
            ..Facts::default()
        };
    };
    let ((network, gateway, clock_skew_s), facts) =
        tokio::join!(edge, behind(examination, aws, subject));
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

/// Checks 3 to 12. The image and the role are known only after the function.
async fn behind(examination: &Examination, aws: &Access, mut subject: Subject) -> Facts {
    let profile = aws.profile.as_deref();
    let lambda = Lambda::new(
        &aws.config,
        &examination.function,
        examination.qualifier.as_deref(),
        profile,
    );
    let signed = Signed::new(&aws.config, profile);
    let function = async {
        let function = limited("lambda:GetFunction", lambda.function())
            .await
            .map(|c| c.facts());
        let (image, repository_policy) = tokio::join!(
            image(&signed, &function),
            repository_policy(&signed, &function)
        );
        (function, image, repository_policy)
    };
    let api = async {
        let id = limited(
            "apigateway:GET",
            gateway::find_id(&signed, &subject.endpoint),
        )
        .await;
        let api = match &id {
            Fact::Known(id) => limited("apigateway:GET", gateway::wiring(&signed, id)).await,
            other => other.clone().map(|_| Api::default()),
        };
        (id, api)
    };
    let event = gateway_event(&subject, &examination.payload);
    let (
        identity,
        (function, image, repository_policy),
        (api_id, api),
        (invoke, repeats),
        policy,
        concurrency,
    ) = tokio::join!(
        limited(
            "sts:GetCallerIdentity",
            identity::caller(&aws.config, profile)
        ),
        function,
        api,
        invoke(&lambda, &event),
        limited("lambda:GetPolicy", lambda.policy()),
        limited("lambda:GetFunctionConcurrency", lambda.concurrency()),
    );
    subject.api_id = api_id.known().cloned().or(subject.api_id);
    let group = function
        .known()
        .and_then(|f| f.log_group.clone())
        .unwrap_or_else(|| default_group(&examination.function));
    let (metrics, logs, role_logs, deployer) = tokio::join!(
        limited(
            "cloudwatch:GetMetricData",
            metrics::snapshot(
                &aws.config,
                function_name(&examination.function),
                subject.api_id.as_deref(),
                LOOK_BACK_S,
                examination.now_ms
            )
        ),
        limited("logs:FilterLogEvents", logs(aws, &group)),
        role_permissions(&signed, &function),
        deployer_permissions(&signed, &identity, &function),
    );
    Facts {
        subject,
        identity,
        function,
        invoke,
        repeats,
        api,
        policy,
        image,
        repository_policy,
        role_logs,
        deployer,
        concurrency,
        metrics: metrics.map(|m| m.totals),
        logs,
        ..Facts::default()
    }
}

async fn limited<T>(action: &str, question: impl Future<Output = Fact<T>>) -> Fact<T> {
    let timeout = tokio::time::timeout(LIMIT, question).await;
    timeout
        .unwrap_or_else(|_| Fact::Failed(format!("{action}: no answer in {} s", LIMIT.as_secs())))
}

fn function_name(function: &str) -> &str {
    function
        .split(":function:")
        .last()
        .and_then(|f| f.split(':').next())
        .unwrap_or(function)
}

fn default_group(function: &str) -> String {
    format!("/aws/lambda/{}", function_name(function))
}

/// The event an HTTP API would send (payload 2.0), so that the direct call runs the same code.
pub fn gateway_event(subject: &Subject, payload: &serde_json::Value) -> serde_json::Value {
    serde_json::json!({
        "version": "2.0",
        "routeKey": format!("{} {}", subject.method, subject.path),
        "rawPath": subject.path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "user-agent": concat!("vintner/", env!("CARGO_PKG_VERSION"))},
        "requestContext": {"stage": "$default", "http": {"method": subject.method, "path": subject.path, "protocol": "HTTP/1.1"}},
        "body": payload.to_string(),
        "isBase64Encoded": false,
    })
}

/// Calls the function directly a few times in a row, and a few times more while the calls are cold or slow: that tells a
/// moment from a condition. Predictions change nothing.
async fn invoke(lambda: &Lambda, event: &serde_json::Value) -> (Fact<Invoke>, Vec<Repeat>) {
    let began = Instant::now();
    let first = lambda.invoke(event, LIMIT).await;
    let mut calls: Vec<Repeat> = answered(&first).into_iter().collect();
    while !calls.is_empty() && began.elapsed() < REPEATS_LIMIT {
        let odd = calls
            .iter()
            .filter(|c| c.cold || c.duration_ms > SLOW_MS)
            .count();
        // Two odd ones after the first settle it; so do two that are well.
        let wanted = if odd == 0 { 3 } else { 6 };
        if calls.len() >= wanted || odd >= 4 {
            break;
        }
        let again = lambda
            .invoke(event, REPEATS_LIMIT.saturating_sub(began.elapsed()))
            .await;
        let Some(call) = answered(&again) else { break };
        calls.push(call);
    }
    (first, calls.split_off(calls.len().min(1)))
}

/// Duration and coldness of a call that ran to its end.
fn answered(invoke: &Fact<Invoke>) -> Option<Repeat> {
    let Some(Invoke::Answered(call)) = invoke.known() else {
        return None;
    };
    let duration_ms = call.duration_ms.filter(|_| call.function_error.is_none())?;
    Some(Repeat {
        duration_ms,
        cold: call.init_ms.is_some(),
    })
}

async fn image(signed: &Signed, function: &Fact<Function>) -> Fact<Image> {
    match image_name(function) {
        Ok(name) => limited("ecr:DescribeImages", ecr::image(signed, &name)).await,
        Err(fact) => fact,
    }
}

async fn repository_policy(signed: &Signed, function: &Fact<Function>) -> Fact<String> {
    match image_name(function) {
        Ok(name) => {
            limited(
                "ecr:GetRepositoryPolicy",
                ecr::repository_policy(signed, &name),
            )
            .await
        }
        Err(fact) => fact,
    }
}

/// The deployed image; a zip package has none, and an unknown function none that we know.
fn image_name<T>(function: &Fact<Function>) -> Result<ImageName, Fact<T>> {
    let function = function.known().ok_or(Fact::NotAsked)?;
    let uri = function
        .image_uri
        .as_deref()
        .filter(|_| function.package_type == "Image")
        .ok_or(Fact::NotAsked)?;
    ImageName::parse(uri)
        .ok_or_else(|| Fact::Failed(format!("`{}` is no ECR image", one_line(uri, 120))))
}

async fn role_permissions(signed: &Signed, function: &Fact<Function>) -> Fact<Vec<Simulated>> {
    let Some(function) = function.known().filter(|f| !f.role.is_empty()) else {
        return Fact::NotAsked;
    };
    let actions = ["logs:CreateLogStream", "logs:PutLogEvents"];
    let simulated = iam::simulate(signed, &function.role, &actions, "*");
    limited("iam:SimulatePrincipalPolicy", simulated).await
}

async fn deployer_permissions(
    signed: &Signed,
    identity: &Fact<Identity>,
    function: &Fact<Function>,
) -> Fact<Vec<Simulated>> {
    let (Some(identity), Some(function)) = (identity.known(), function.known()) else {
        return Fact::NotAsked;
    };
    let principal = identity::principal(&identity.arn);
    let simulated = iam::simulate(
        signed,
        &principal,
        &["lambda:UpdateFunctionCode"],
        &function.arn,
    );
    limited("iam:SimulatePrincipalPolicy", simulated).await
}

async fn logs(aws: &Access, group: &str) -> Fact<Logs> {
    let client = LogsClient::new(&aws.config, aws.custom_endpoint, aws.profile.clone());
    let retention = match client.groups(group).await {
        Ok(groups) => match groups.iter().find(|g| g.name == group) {
            Some(found) => found.retention_days,
            None => return Fact::Missing(format!("no log group {group}")),
        },
        // Without the right to list groups the lines may still be read.
        Err(error) if matches!(refusal::fact::<()>(&error), Fact::Denied { .. }) => None,
        Err(error) => return refusal::fact(&error),
    };
    let now = client.now();
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
    let lines = events.iter().map(|e| (e.timestamp, e.message.as_str()));
    Fact::Known(log_facts::condense(lines, retention, now))
}

/// Checks 0 to 2: one prediction on a fresh connection; its phases, its answer, its `Date`.
async fn edge(examination: &Examination) -> (Fact<Network>, Fact<GatewayCall>, Fact<f64>) {
    let Some(endpoint) = &examination.endpoint else {
        return (Fact::NotAsked, Fact::NotAsked, Fact::NotAsked);
    };
    let limits = Limits {
        connect: LIMIT,
        total: LIMIT,
        body: BODY_LIMIT,
    };
    let wire = Wire::new(endpoint, limits);
    let path = examination.path();
    let call = Call::post_json(path, examination.payload.to_string()).on_fresh_connection();
    let mut broken = 0;
    loop {
        let began = Instant::now();
        match wire.send(&call).await {
            Ok(exchange) => {
                let gateway = Fact::Known(read_answer(&exchange, &examination.schema, broken));
                return (read_network(&exchange), gateway, clock_skew(&exchange));
            }
            Err(error) if error.phase >= Phase::Send && began.elapsed() >= LIMIT => {
                let elapsed_ms = began.elapsed().as_secs_f64() * 1000.0;
                let call = GatewayCall {
                    timed_out: true,
                    elapsed_ms,
                    broken_attempts: broken,
                    ..GatewayCall::default()
                };
                return (Fact::NotAsked, Fact::Known(call), Fact::NotAsked);
            }
            // A prediction has no side effect, so it may be sent again.
            Err(error) => {
                broken += 1;
                if broken >= ATTEMPTS {
                    let network = if error.phase < Phase::Send {
                        Fact::Failed(error.to_string())
                    } else {
                        Fact::NotAsked
                    };
                    return (network, Fact::Failed(error.to_string()), Fact::NotAsked);
                }
            }
        }
    }
}

fn read_network(exchange: &Exchange) -> Fact<Network> {
    let phases = [
        exchange.phases.dns,
        exchange.phases.tcp,
        exchange.phases.tls,
    ];
    Fact::Known(Network {
        connect_ms: phases.into_iter().flatten().sum(),
        certificate_days: exchange.connection.certificate_days,
    })
}

fn read_answer(exchange: &Exchange, schema: &Schema, broken_attempts: u32) -> GatewayCall {
    let read = Answer {
        status: exchange.status,
        body: &exchange.body,
        cut: exchange.cut,
        location: None,
    };
    GatewayCall {
        status: exchange.status,
        body: String::from_utf8_lossy(&exchange.body).into_owned(),
        from_api_gateway: exchange.header("apigw-requestid").is_some(),
        elapsed_ms: exchange.phases.total,
        contract_violation: if exchange.status == 200 {
            Outcome::read(schema, &read).fault()
        } else {
            None
        },
        timed_out: false,
        broken_attempts,
    }
}

/// Local clock minus the server's `Date`, seconds; whole seconds on the server's side.
fn clock_skew(exchange: &Exchange) -> Fact<f64> {
    let date = exchange
        .header("date")
        .and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
    date.map_or(Fact::NotAsked, |server| {
        Fact::Known((jiff::Timestamp::now() - server.timestamp()).as_secs_f64())
    })
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
