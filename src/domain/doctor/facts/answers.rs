//! What each check's question is answered with.

use serde::{Deserialize, Serialize};

use super::Fact;

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
