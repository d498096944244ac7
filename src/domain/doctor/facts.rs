//! What the collectors found out, as plain data: the only thing Doctor reasons about.

mod answers;
mod fact;

use serde::{Deserialize, Serialize};

use crate::domain::alerts::Limits;
use crate::domain::arn::FunctionName;

pub use answers::{
    Api, Concurrency, Function, GatewayCall, Identity, Image, Integration, Invocation, Invoke,
    Logs, Metrics, Network, Repeat, Route, Simulated, Stage,
};
pub use fact::Fact;

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
