//! Check 6: how the API is wired and whether it may invoke the function.

use super::super::facts::{Fact, Facts, Integration};
use super::super::policy::{Answer, Question, evaluate};
use super::super::{Finding, Status, fixes};
use super::{about, finding};
use crate::domain::arn::{self, FunctionName};

/// The name of the stage that predictions go through, if its throttle is 0.
pub fn zero_throttle(facts: &Facts) -> Option<&str> {
    let zero = |limit: Option<f64>| limit.is_some_and(|l| l <= 0.0);
    let stage = facts.stage()?;
    (zero(stage.rate_limit) || zero(stage.burst_limit)).then_some(stage.name.as_str())
}

/// True when the integration calls the function (any alias or version of it).
pub fn integration_names_function(facts: &Facts, integration: &Integration) -> bool {
    FunctionName::of(&integration.uri).name == FunctionName::of(&facts.subject.function).name
}

pub(super) fn api(facts: &Facts) -> Finding {
    about("api", &facts.api, |api| {
        let wrong = |text: String, fix: String| finding("api", Status::Fail, text, fix);
        if api.endpoint_disabled {
            return wrong(
                "DisableExecuteApiEndpoint is true".to_owned(),
                fixes::enable_endpoint(facts),
            );
        }
        let Some(route) = facts.route() else {
            return wrong(
                format!(
                    "no route for {} {}",
                    facts.subject.method,
                    facts.stage_and_path().1
                ),
                fixes::add_route(facts),
            );
        };
        if let Some(stage) = zero_throttle(facts) {
            return wrong(
                format!("stage {stage} has a throttling limit of 0"),
                fixes::lift_throttle(facts),
            );
        }
        if let Some(stage) = facts.stage().filter(|s| !s.deployed && !s.auto_deploy) {
            return wrong(
                format!("stage {} was never deployed", stage.name),
                String::new(),
            );
        }
        let Some(integration) = facts.integration() else {
            return wrong(
                format!("route {} has no integration", route.key),
                String::new(),
            );
        };
        let text = format!(
            "route {} → {}, payload {}, timeout {} ms",
            route.key, integration.uri, integration.payload_format, integration.timeout_ms
        );
        if integration_names_function(facts, integration) {
            finding("api", Status::Pass, text, "")
        } else {
            wrong(
                format!("{text}: not {}", facts.subject.function),
                fixes::point_integration(facts),
            )
        }
    })
}

/// May API Gateway invoke the function from this route? `None` when the policy or the API is not known.
pub fn invoke_grant(facts: &Facts) -> Option<Answer> {
    if facts.policy.is_missing() {
        return Some(Answer::NotAllowed {
            near_misses: Vec::new(),
            allowed_sources: Vec::new(),
        });
    }
    let document = facts.policy.known()?;
    let source = fixes::source_arn(facts)?;
    Some(evaluate(
        document,
        &Question {
            principal: "apigateway.amazonaws.com",
            action: "lambda:InvokeFunction",
            source_arn: Some(&source),
            source_account: arn::account(&source),
        },
    ))
}

pub(super) fn policy(facts: &Facts) -> Finding {
    if facts.function.is_missing() {
        return finding("policy", Status::Skip, "there is no such function", "");
    }
    if let Some(role) = facts
        .integration()
        .and_then(|i| i.credentials_arn.as_deref())
    {
        return finding(
            "policy",
            Status::Skip,
            format!("not consulted: the integration assumes {role}"),
            "",
        );
    }
    if matches!(facts.policy, Fact::Known(_) | Fact::Missing(_)) {
        let none = facts.policy.is_missing();
        return match invoke_grant(facts) {
            None => finding(
                "policy",
                Status::Unknown,
                "there is a policy, but the API's id is not known",
                "",
            ),
            Some(Answer::Allowed(sid)) => finding(
                "policy",
                Status::Pass,
                format!("statement {sid} lets API Gateway invoke the function"),
                "",
            ),
            Some(Answer::Denied(sid)) => finding(
                "policy",
                Status::Fail,
                format!("statement {sid} denies it"),
                fixes::remove_permission(facts, &sid),
            ),
            Some(Answer::Unreadable(why)) => finding("policy", Status::Unknown, why, ""),
            Some(Answer::NotAllowed { near_misses, .. }) => {
                let text = match near_misses.first() {
                    Some(miss) => miss.clone(),
                    None if none => no_policy(facts.called_qualifier()),
                    None => {
                        "no statement lets apigateway.amazonaws.com invoke the function".to_owned()
                    }
                };
                // Without an API Gateway in front nobody needs the permission.
                let status = if facts.subject.api_id.is_some() {
                    Status::Fail
                } else {
                    Status::Skip
                };
                finding("policy", status, text, fixes::add_permission(facts))
            }
        };
    }
    about("policy", &facts.policy, |_| {
        finding("policy", Status::Pass, "", "")
    })
}

/// A permission on the function does not cover its aliases and versions: each has a policy of its own.
fn no_policy(qualifier: Option<&str>) -> String {
    match qualifier {
        None => "the function has no resource policy at all".to_owned(),
        Some(qualifier) => {
            let kind = if qualifier.parse::<u64>().is_ok() {
                "version"
            } else {
                "alias"
            };
            format!(
                "the {kind} {qualifier} has no resource policy; one on the function does not cover it"
            )
        }
    }
}
