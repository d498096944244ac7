//! Doctor's collectors: every question asked side by side, each with its own limit, none of them changing anything.

use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use reqwest::header::{CONTENT_TYPE, DATE};
use url::Url;

use crate::client::ecr::{self, ImageName};
use crate::client::lambda::Lambda;
use crate::client::logs::{LogsClient, PageRequest};
use crate::client::signed::{Signed, is_loopback, root_cause};
use crate::client::{gateway, iam, identity, metrics, refusal};
use crate::domain::doctor::facts::{
    Api, Fact, Facts, Function, GatewayCall, Identity, Image, Invoke, Logs, Network, Simulated,
    Subject,
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
            network,
            gateway,
            clock_skew_s,
            ..Facts::default()
        };
    };
    let ((network, gateway, clock_skew_s), facts) =
        tokio::join!(edge, behind(examination, aws, subject));
    Facts {
        network,
        gateway,
        clock_skew_s,
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
    let path = examination.endpoint.as_ref().map_or("/", Url::path);
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
        path: if path.is_empty() {
            "/".to_owned()
        } else {
            path.to_owned()
        },
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
        invoke,
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

async fn invoke(lambda: &Lambda, event: &serde_json::Value) -> Fact<Invoke> {
    lambda.invoke(event, LIMIT).await
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

/// Checks 0 to 2: connect, send one prediction, look at the answer and at its `Date`.
async fn edge(examination: &Examination) -> (Fact<Network>, Fact<GatewayCall>, Fact<f64>) {
    let Some(endpoint) = &examination.endpoint else {
        return (Fact::NotAsked, Fact::NotAsked, Fact::NotAsked);
    };
    let local = is_loopback(endpoint.as_str());
    let builder = reqwest::Client::builder()
        .timeout(LIMIT)
        .redirect(reqwest::redirect::Policy::none());
    let builder = if local { builder.no_proxy() } else { builder };
    let client = match builder.build() {
        Ok(client) => client,
        Err(error) => {
            return (
                Fact::NotAsked,
                Fact::Failed(root_cause(&error)),
                Fact::NotAsked,
            );
        }
    };
    let (network, (gateway, skew)) =
        tokio::join!(connect(endpoint), predict(&client, examination, endpoint));
    // A proxy may carry HTTP where a plain connection is not allowed: the answer counts more.
    let network = match (&network, &gateway) {
        (Fact::Failed(_), Fact::Known(_)) => Fact::NotAsked,
        _ => network,
    };
    (network, gateway, skew)
}

async fn connect(endpoint: &Url) -> Fact<Network> {
    let (Some(host), Some(port)) = (endpoint.host_str(), endpoint.port_or_known_default()) else {
        return Fact::Failed(format!("{endpoint} has no host"));
    };
    let host = host.trim_matches(['[', ']']);
    let began = Instant::now();
    match tokio::time::timeout(LIMIT, tokio::net::TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Fact::Known(Network {
            connect_ms: began.elapsed().as_secs_f64() * 1000.0,
            certificate_days: None,
        }),
        Ok(Err(error)) => Fact::Failed(format!("{host}:{port}: {error}")),
        Err(_) => Fact::Failed(format!(
            "{host}:{port}: no connection in {} s",
            LIMIT.as_secs()
        )),
    }
}

async fn predict(
    client: &reqwest::Client,
    examination: &Examination,
    endpoint: &Url,
) -> (Fact<GatewayCall>, Fact<f64>) {
    let began = Instant::now();
    let mut broken = 0;
    loop {
        let request = client
            .post(endpoint.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(examination.payload.to_string());
        let error = match request.send().await {
            Ok(response) => {
                let skew = clock_skew(&response);
                let call = answer(response, &examination.schema, began, broken).await;
                return (call, skew);
            }
            Err(error) => error,
        };
        if error.is_timeout() {
            let elapsed_ms = began.elapsed().as_secs_f64() * 1000.0;
            return (
                Fact::Known(GatewayCall {
                    timed_out: true,
                    elapsed_ms,
                    broken_attempts: broken,
                    ..GatewayCall::default()
                }),
                Fact::NotAsked,
            );
        }
        broken += 1;
        // A prediction has no side effect, so it may be sent again.
        if broken >= ATTEMPTS || began.elapsed() > LIMIT {
            return (
                Fact::Failed(format!(
                    "{endpoint}: {}",
                    one_line(&root_cause(&error), 200)
                )),
                Fact::NotAsked,
            );
        }
    }
}

/// Local clock minus the server's `Date`, seconds; whole seconds on the server's side.
fn clock_skew(response: &reqwest::Response) -> Fact<f64> {
    let date = response.headers().get(DATE).and_then(|v| v.to_str().ok());
    let server = date
        .and_then(|text| jiff::fmt::rfc2822::parse(text).ok())
        .map(|zoned| zoned.timestamp());
    server.map_or(Fact::NotAsked, |server| {
        Fact::Known((jiff::Timestamp::now() - server).as_secs_f64())
    })
}

async fn answer(
    mut response: reqwest::Response,
    schema: &Schema,
    began: Instant,
    broken_attempts: u32,
) -> Fact<GatewayCall> {
    let status = response.status().as_u16();
    let from_api_gateway = response.headers().contains_key("apigw-requestid");
    let mut body = Vec::new();
    let mut cut = false;
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() < BODY_LIMIT => body.extend_from_slice(&chunk),
            Ok(Some(_)) => {
                cut = true;
                break;
            }
            Ok(None) => break,
            Err(error) => {
                return Fact::Failed(format!(
                    "the answer broke off: {}",
                    one_line(&root_cause(&error), 200)
                ));
            }
        }
    }
    let elapsed_ms = began.elapsed().as_secs_f64() * 1000.0;
    let read = Answer {
        status,
        body: &body,
        cut,
        location: None,
    };
    let contract_violation = if status == 200 {
        Outcome::read(schema, &read).fault()
    } else {
        None
    };
    Fact::Known(GatewayCall {
        status,
        body: String::from_utf8_lossy(&body).into_owned(),
        from_api_gateway,
        elapsed_ms,
        contract_violation,
        timed_out: false,
        broken_attempts,
    })
}
