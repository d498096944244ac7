//! What the collectors found out, as plain data: the only thing Doctor reasons about.

use serde::{Deserialize, Serialize};

use crate::domain::alerts::Limits;
use crate::domain::arn::FunctionName;
use crate::domain::doctor::one_line;

/// One answer of the outside world, or why there is none. Nothing is ever guessed in its place.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "answer", content = "value", rename_all = "snake_case")]
pub enum Fact<T> {
    /// The answer.
    Known(T),
    /// The service answered that there is no such thing.
    Missing(String),
    /// The identity in use lacks a permission.
    Denied {
        /// The IAM action, `lambda:GetPolicy`.
        action: String,
    },
    /// No usable answer: unreachable, timed out, throttled or nonsense.
    Failed(String),
    /// Credentials are absent or expired; the text names the remedy.
    NoCredentials(String),
    /// Not asked, since it does not apply here.
    #[default]
    NotAsked,
}

impl<T> Fact<T> {
    /// The answer, if there is one.
    pub fn known(&self) -> Option<&T> {
        match self {
            Fact::Known(value) => Some(value),
            _ => None,
        }
    }

    /// True when the service said there is no such thing.
    pub fn is_missing(&self) -> bool {
        matches!(self, Fact::Missing(_))
    }

    /// The IAM action that is missing.
    pub fn denied(&self) -> Option<&str> {
        match self {
            Fact::Denied { action } => Some(action),
            _ => None,
        }
    }

    /// Why there is no answer, as a sentence for people; `None` when there is one.
    pub fn absence(&self) -> Option<String> {
        match self {
            Fact::Known(_) => None,
            Fact::Denied { action } => Some(format!("the identity lacks {action}")),
            Fact::Missing(text) | Fact::Failed(text) | Fact::NoCredentials(text) => {
                Some(one_line(text, 160))
            }
            Fact::NotAsked => Some("not read yet".to_owned()),
        }
    }

    /// Whatever kept the answer from coming, with the answer's type changed.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Fact::Known(value) => Fact::Known(f(value)),
            Fact::Missing(text) => Fact::Missing(text),
            Fact::Denied { action } => Fact::Denied { action },
            Fact::Failed(text) => Fact::Failed(text),
            Fact::NoCredentials(text) => Fact::NoCredentials(text),
            Fact::NotAsked => Fact::NotAsked,
        }
    }
}

/// What is being diagnosed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Subject {
    /// The prediction endpoint.
    pub endpoint: String,
    /// API Gateway id and region, when the endpoint names them (`{id}.execute-api.{region}.amazonaws.com`) or the target does.
    pub api_id: Option<String>,
    /// Region in the endpoint's host name.
    pub endpoint_region: Option<String>,
    /// Lambda function, name or ARN, without its qualifier.
    pub function: String,
    /// Alias or version the function is called with, if any.
    pub qualifier: Option<String>,
    /// Configured region.
    pub region: String,
    /// Profile in use, for the login command.
    pub profile: Option<String>,
    /// HTTP method of a prediction.
    pub method: String,
    /// Path of a prediction, `/` or `/predict`.
    pub path: String,
}

/// Checks 0 and 1: the way to the endpoint.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Network {
    /// Time to resolve and connect, milliseconds.
    pub connect_ms: f64,
    /// Days until the certificate expires; `None` over plain HTTP.
    pub certificate_days: Option<i64>,
}

/// Check 2: one prediction through the gateway.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct GatewayCall {
    /// HTTP status.
    pub status: u16,
    /// The body, at most a few KB of it.
    pub body: String,
    /// Time to the whole response, milliseconds.
    pub elapsed_ms: f64,
    /// Of it, from the request's last byte to the answer's first, milliseconds.
    pub wait_ms: Option<f64>,
    /// Why the body is no prediction, if it is none.
    pub contract_violation: Option<String>,
    /// No answer within the limit; `status` is 0 then.
    pub timed_out: bool,
    /// Connections that broke before this answer came.
    pub broken_attempts: u32,
}

/// Check 3: who we are.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Identity {
    /// Account number.
    pub account: String,
    /// ARN of the caller.
    pub arn: String,
}

/// Check 4: the function as AWS describes it. Enumerations stay text, since AWS adds values.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Function {
    /// Full ARN, without qualifier.
    pub arn: String,
    /// `Active`, `Pending`, `Inactive`, `Failed`, …
    pub state: String,
    /// Reason for the state, if given.
    pub state_reason: Option<String>,
    /// `Successful`, `Failed`, `InProgress`, …
    pub last_update_status: String,
    /// Reason code of the last update, `ImageAccessDenied` and the like.
    pub last_update_code: Option<String>,
    /// Reason of the last update in words.
    pub last_update_reason: Option<String>,
    /// `Image` or `Zip`.
    pub package_type: String,
    /// Image by tag, as deployed.
    pub image_uri: Option<String>,
    /// The same image by digest, as it runs.
    pub resolved_image_uri: Option<String>,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// Execution role ARN.
    pub role: String,
    /// Memory, MB.
    pub memory_mb: u32,
    /// Timeout, seconds.
    pub timeout_s: u32,
    /// Log group from `LoggingConfig`.
    pub log_group: Option<String>,
}

/// Check 5: the function called directly.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Invocation {
    /// 200 even when the handler crashed.
    pub status: u16,
    /// `X-Amz-Function-Error`: `Unhandled` and the like.
    pub function_error: Option<String>,
    /// The payload that came back.
    pub payload: String,
    /// Time to the answer, milliseconds.
    pub elapsed_ms: f64,
    /// REPORT's Duration, milliseconds.
    pub duration_ms: Option<f64>,
    /// REPORT's Init Duration, milliseconds.
    pub init_ms: Option<f64>,
    /// The last 4 KB of the log.
    pub log_tail: String,
}

impl Invocation {
    /// What the function itself took by its REPORT line, init included, milliseconds.
    pub fn own_ms(&self) -> Option<f64> {
        Some(self.duration_ms? + self.init_ms.unwrap_or(0.0))
    }
}

/// One of several direct calls in a row.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Repeat {
    /// REPORT's Duration, milliseconds.
    pub duration_ms: f64,
    /// REPORT had an Init Duration.
    pub cold: bool,
}

/// Check 5 as a whole: what the direct call came to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Invoke {
    /// Not called.
    #[default]
    NotCalled,
    /// An answer, good or bad.
    Answered(Invocation),
    /// 429 with its reason.
    Throttled {
        /// `ReservedFunctionConcurrentInvocationLimitExceeded` and the like.
        reason: String,
    },
    /// No answer within the limit.
    TimedOut {
        /// The limit, milliseconds.
        after_ms: f64,
    },
}

/// Check 6a: the API as it is wired.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Api {
    /// `DisableExecuteApiEndpoint`.
    pub endpoint_disabled: bool,
    /// Routes: key (`POST /predict`, `$default`) and target integration id.
    pub routes: Vec<Route>,
    /// Integrations.
    pub integrations: Vec<Integration>,
    /// Stages.
    pub stages: Vec<Stage>,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Route {
    /// `POST /predict`, `ANY /`, `$default`.
    pub key: String,
    /// Integration id behind it.
    pub integration_id: Option<String>,
    /// `NONE`, `JWT`, `AWS_IAM`, `CUSTOM`.
    pub authorization: String,
}

/// One integration.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Integration {
    /// Id.
    pub id: String,
    /// The function (or URL) called, as an ARN.
    pub uri: String,
    /// `1.0` or `2.0`.
    pub payload_format: String,
    /// Timeout, milliseconds.
    pub timeout_ms: u32,
    /// A role API Gateway assumes; then the function's resource policy is not consulted.
    pub credentials_arn: Option<String>,
}

/// One stage.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Stage {
    /// `$default`, `prod`.
    pub name: String,
    /// Deploys on change.
    pub auto_deploy: bool,
    /// A deployment exists.
    pub deployed: bool,
    /// Requests per second, if limited.
    pub rate_limit: Option<f64>,
    /// Burst, if limited.
    pub burst_limit: Option<f64>,
}

/// Check 7: the image in ECR.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Image {
    /// The digest the deployed tag points to today; `None` when the tag is gone and only the image itself is left.
    pub tag_digest: Option<String>,
    /// When that image was pushed, milliseconds since the epoch.
    pub pushed_ms: Option<i64>,
}

/// Check 8: one simulated permission.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Simulated {
    /// The action.
    pub action: String,
    /// `allowed`, `implicitDeny`, `explicitDeny`.
    pub decision: String,
}

/// Check 9: concurrency.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Concurrency {
    /// Reserved for this function; 0 switches it off.
    pub reserved: Option<u32>,
    /// The account's limit in this region.
    pub account_limit: Fact<u32>,
}

/// Check 10: sums and percentiles of one window, from one GetMetricData call. `None` means no data point.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Metrics {
    /// Window of the sums, seconds.
    pub window_s: i64,
    /// The span of the percentiles and their n, milliseconds since the epoch: of CloudWatch's own periods the one that
    /// covers most of the window.
    pub span_ms: Option<(i64, i64)>,
    /// Lambda invocations.
    pub invocations: Option<f64>,
    /// Lambda errors.
    pub errors: Option<f64>,
    /// Lambda throttles.
    pub throttles: Option<f64>,
    /// Data behind the duration percentiles.
    pub duration_n: Option<f64>,
    /// Lambda duration, p50, milliseconds.
    pub duration_p50: Option<f64>,
    /// Lambda duration, p99, milliseconds.
    pub duration_p99: Option<f64>,
    /// Highest concurrency.
    pub concurrent_max: Option<f64>,
    /// Gateway requests.
    pub gateway_count: Option<f64>,
    /// Gateway 4xx.
    pub gateway_4xx: Option<f64>,
    /// Gateway 5xx.
    pub gateway_5xx: Option<f64>,
    /// Data behind the latency percentiles.
    pub latency_n: Option<f64>,
    /// Gateway latency, p50, milliseconds.
    pub latency_p50: Option<f64>,
    /// Gateway latency, p99, milliseconds.
    pub latency_p99: Option<f64>,
    /// Data behind the integration latency percentiles.
    pub integration_n: Option<f64>,
    /// Integration latency, p50, milliseconds.
    pub integration_p50: Option<f64>,
    /// Integration latency, p99, milliseconds.
    pub integration_p99: Option<f64>,
}

/// Checks 11 and 12: the log group and what its recent lines say.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Logs {
    /// Retention, days; `Known(None)` keeps for ever.
    pub retention: Fact<Option<i32>>,
    /// Seconds since the last event; `None` when the window is empty.
    pub last_event_age_s: Option<f64>,
    /// REPORT lines in the window.
    pub reports: usize,
    /// Cold ones among them.
    pub cold: usize,
    /// Median Duration of warm ones, milliseconds.
    pub warm_p50_ms: Option<f64>,
    /// Nearest-rank p99 of Duration, milliseconds.
    pub p99_ms: Option<f64>,
    /// Highest Max Memory Used, MB.
    pub max_memory_mb: Option<u32>,
    /// Out-of-memory kills (`signal: killed`, `Runtime.OutOfMemory`).
    pub out_of_memory: usize,
    /// `Task timed out`.
    pub timeouts: usize,
    /// Inits that timed out.
    pub init_timeouts: usize,
    /// Unhandled exceptions (`[ERROR] …`, `Runtime.ExitError` …).
    pub crashes: usize,
    /// The newest of those lines.
    pub last_error: Option<String>,
}

/// The stage without a name in the path.
const DEFAULT_STAGE: &str = "$default";

/// Everything Doctor knows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Facts {
    /// What is being diagnosed.
    pub subject: Subject,
    /// What counts as slow.
    pub limits: Limits,
    /// Local clock minus the server's `Date`, seconds.
    pub clock_skew_s: Fact<f64>,
    /// DNS, TCP, TLS.
    pub network: Fact<Network>,
    /// One prediction through the gateway.
    pub gateway: Fact<GatewayCall>,
    /// Who we are.
    pub identity: Fact<Identity>,
    /// The function.
    pub function: Fact<Function>,
    /// The function called directly.
    pub invoke: Fact<Invoke>,
    /// The function called with the bare features, where it did not understand the gateway's event.
    pub raw: Fact<Invoke>,
    /// Further direct calls, one after the other: is it a moment or a condition?
    pub repeats: Vec<Repeat>,
    /// The API's wiring.
    pub api: Fact<Api>,
    /// The function's resource policy (JSON); `Missing` = no policy at all.
    pub policy: Fact<String>,
    /// The image; `Missing` = deleted.
    pub image: Fact<Image>,
    /// The repository's policy (JSON); `Missing` = none.
    pub repository_policy: Fact<String>,
    /// May the execution role write logs.
    pub role_logs: Fact<Vec<Simulated>>,
    /// May the caller deploy.
    pub deployer: Fact<Vec<Simulated>>,
    /// Did the lines of the direct call arrive in the log? Looked at only where the role may not write any.
    pub own_lines: Option<bool>,
    /// The function's aliases.
    pub aliases: Fact<Vec<String>>,
    /// Concurrency.
    pub concurrency: Fact<Concurrency>,
    /// Metrics of the last minutes.
    pub metrics: Fact<Metrics>,
    /// Recent log lines.
    pub logs: Fact<Logs>,
}

impl Facts {
    /// Every IAM action that some check lacked, each once, in the order of the checks.
    pub fn denied_actions(&self) -> Vec<&str> {
        let all = [
            self.identity.denied(),
            self.function.denied(),
            self.invoke.denied(),
            self.api.denied(),
            self.policy.denied(),
            self.image.denied(),
            self.repository_policy.denied(),
            self.role_logs.denied(),
            self.deployer.denied(),
            self.concurrency.denied(),
            self.concurrency
                .known()
                .and_then(|c| c.account_limit.denied()),
            self.metrics.denied(),
            self.logs.denied(),
            self.logs.known().and_then(|l| l.retention.denied()),
        ];
        let mut seen = Vec::new();
        for action in all.into_iter().flatten() {
            if !seen.contains(&action) {
                seen.push(action);
            }
        }
        seen
    }

    /// The direct call, if it was answered.
    pub fn invocation(&self) -> Option<&Invocation> {
        match self.invoke.known()? {
            Invoke::Answered(invocation) => Some(invocation),
            _ => None,
        }
    }

    /// Do log lines come in, whatever the simulator says? Those of the direct call know best.
    pub fn lines_arrive(&self) -> bool {
        let recent = self.logs.known().and_then(|l| l.last_event_age_s);
        self.own_lines.unwrap_or(recent.is_some())
    }

    /// Stage and path of a prediction: `/prod/predict` is `/predict` in a stage `prod`, where there is one.
    pub fn stage_and_path(&self) -> (&str, &str) {
        let path = self.subject.path.as_str();
        let first = path.trim_start_matches('/').split('/').next();
        let named = self.api.known().and_then(|api| {
            let mut stages = api.stages.iter().filter(|s| s.name != DEFAULT_STAGE);
            stages.find(|s| Some(s.name.as_str()) == first)
        });
        match named {
            Some(stage) => match &path[1 + stage.name.len()..] {
                "" => (&stage.name, "/"),
                rest => (&stage.name, rest),
            },
            None => (DEFAULT_STAGE, path),
        }
    }

    /// The stage a prediction goes through.
    pub fn stage(&self) -> Option<&Stage> {
        let (name, _) = self.stage_and_path();
        self.api.known()?.stages.iter().find(|s| s.name == name)
    }

    /// Alias or version that the gateway calls; its policy is the one that counts.
    pub fn called_qualifier(&self) -> Option<&str> {
        match self.integration() {
            Some(integration) => FunctionName::of(&integration.uri).qualifier,
            None => self.subject.qualifier.as_deref(),
        }
    }

    /// The route a prediction takes: exact method and path, then `ANY`, then greedy and `$default`.
    pub fn route(&self) -> Option<&Route> {
        let api = self.api.known()?;
        let (method, (_, path)) = (&self.subject.method, self.stage_and_path());
        let exact = format!("{method} {path}");
        let any = format!("ANY {path}");
        let find = |key: &str| api.routes.iter().find(|r| r.key == key);
        find(&exact)
            .or_else(|| find(&any))
            .or_else(|| self.greedy_route(api, path))
            .or_else(|| find("$default"))
    }

    fn greedy_route<'a>(&self, api: &'a Api, path: &str) -> Option<&'a Route> {
        api.routes.iter().find(|route| {
            let Some((method, pattern)) = route.key.split_once(' ') else {
                return false;
            };
            let fits = method == "ANY" || method == self.subject.method;
            fits && pattern.split_once('{').is_some_and(|(prefix, rest)| {
                rest.ends_with("+}") && path.starts_with(prefix) && path.len() > prefix.len()
            })
        })
    }

    /// The integration behind the prediction's route.
    pub fn integration(&self) -> Option<&Integration> {
        let id = self.route()?.integration_id.as_deref()?;
        self.api.known()?.integrations.iter().find(|i| i.id == id)
    }
}
