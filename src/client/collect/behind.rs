//! Checks 3 to 12: the function and what lies behind the gateway.

use super::direct::Direct;
use super::image::{image, repository_policy};
use super::log::{logs, own_lines};
use super::permissions::{deployer_permissions, role_permissions};
use super::{Access, Deadline, Examination, LOOK_BACK_S, direct};
use crate::client::lambda::Lambda;
use crate::client::signed::Signed;
use crate::client::{gateway, identity, metrics};
use crate::domain::arn::FunctionName;
use crate::domain::doctor::facts::{
    Api, Fact, Facts, Function, Identity, Image, Logs, Simulated, Subject,
};
use crate::domain::metrics::Snapshot;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// The direct call waits so long for the one through the gateway: side by side they would need two environments, and
/// Doctor would make the cold start that it then finds.
const HEAD_START: Duration = Duration::from_secs(1);

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
pub(super) async fn behind(
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
