//! Causes between the gateway and the function: switches, routes, throttles, integrations, permissions.

use super::super::facts::{Facts, GatewayCall, Invoke};
use super::super::policy::Answer;
use super::super::{Verdict, checks, fixes, one_line};
use super::{function_name, gateway, gateway_down, gateway_good, verdict};

pub(super) fn reserved_zero(facts: &Facts) -> Option<Verdict> {
    (facts.concurrency.known()?.reserved == Some(0)).then_some(())?;
    verdict(
        "reserved-zero",
        format!(
            "Reserved concurrency of {} is 0: the function is switched off.",
            function_name(facts)
        ),
        fixes::free_concurrency(facts),
    )
}

pub(super) fn endpoint_disabled(facts: &Facts) -> Option<Verdict> {
    let api = facts.api.known()?;
    (api.endpoint_disabled && !gateway_good(facts)).then_some(())?;
    verdict(
        "endpoint-disabled",
        "The API's default execute-api endpoint is switched off: every call gets 403 or 404.",
        fixes::enable_endpoint(facts),
    )
}

pub(super) fn unauthorized(facts: &Facts) -> Option<Verdict> {
    let call = gateway(facts)?;
    (call.gateway_said(401) || call.gateway_said(403)).then_some(())?;
    let how = facts
        .route()
        .map(|r| r.authorization.as_str())
        .filter(|a| *a != "NONE" && !a.is_empty());
    let route = how
        .map(|a| format!(" (the route asks for {a})"))
        .unwrap_or_default();
    verdict(
        "unauthorized",
        format!(
            "API Gateway refuses the call with {}{route}: authorization, not the function.",
            call.status
        ),
        "# send the credentials the route asks for, or set its authorization type to NONE",
    )
}

pub(super) fn route_missing(facts: &Facts) -> Option<Verdict> {
    let call = gateway(facts)?;
    let no_route = facts.api.known().is_some() && facts.route().is_none();
    (call.gateway_said(404) || (no_route && !call.is_good())).then_some(())?;
    let known: Vec<&str> = facts
        .api
        .known()
        .map(|a| a.routes.iter().map(|r| r.key.as_str()).collect())
        .unwrap_or_default();
    let have = if known.is_empty() {
        String::new()
    } else {
        format!(" It has: {}.", one_line(&known.join(", "), 120))
    };
    verdict(
        "route-missing",
        format!(
            "The gateway has no route for {} {}.{have}",
            facts.subject.method,
            facts.stage_and_path().1
        ),
        fixes::add_route(facts),
    )
}

pub(super) fn stage_throttle(facts: &Facts) -> Option<Verdict> {
    let call = gateway(facts)?;
    let zero = checks::zero_throttle(facts);
    (call.gateway_said(429) || (zero.is_some() && !call.is_good())).then_some(())?;
    let text = match zero {
        Some(stage) => format!(
            "Stage {stage} was deployed with a throttling limit of 0: API Gateway answers 429 before the function is called."
        ),
        None => {
            "API Gateway throttles the stage or the account: 429 before the function is called."
                .to_owned()
        }
    };
    verdict("stage-throttle", text, fixes::lift_throttle(facts))
}

pub(super) fn throttled_concurrency(facts: &Facts) -> Option<Verdict> {
    let refused = match facts.invoke.known() {
        Some(Invoke::Throttled { reason }) => Some(reason.as_str()),
        _ => None,
    };
    let throttles = facts
        .metrics
        .known()
        .and_then(|m| m.throttles)
        .unwrap_or(0.0);
    (refused.is_some() || (throttles > 0.0 && gateway_down(facts) && facts.invocation().is_none()))
        .then_some(())?;
    let limit = facts
        .concurrency
        .known()
        .and_then(|c| c.reserved.or(c.account_limit.known().copied()))
        .map(|l| format!(" (limit {l})"))
        .unwrap_or_default();
    verdict(
        "throttled-concurrency",
        format!(
            "Lambda throttles the function: {}{limit}, {throttles:.0} throttles in the window.",
            one_line(refused.unwrap_or("concurrency is used up"), 80)
        ),
        fixes::more_concurrency(facts),
    )
}

pub(super) fn wrong_integration(facts: &Facts) -> Option<Verdict> {
    let integration = facts.integration()?;
    (!gateway_good(facts) && !checks::integration_names_function(facts, integration))
        .then_some(())?;
    verdict(
        "wrong-integration",
        format!(
            "The route's integration calls {} and not {}.",
            one_line(&integration.uri, 140),
            function_name(facts)
        ),
        fixes::point_integration(facts),
    )
}

/// The owner's case: the gateway says 500, a direct call works, Lambda's metrics stay flat.
pub(super) fn permission(facts: &Facts) -> Option<Verdict> {
    if gateway_good(facts)
        || facts
            .integration()
            .is_some_and(|i| i.credentials_arn.is_some())
    {
        return None;
    }
    if !gateway(facts).is_some_and(GatewayCall::integration_failed) {
        return None;
    }
    match checks::invoke_grant(facts)? {
        Answer::Allowed(_) | Answer::Unreadable(_) => None,
        Answer::NotAllowed { near_misses, .. } if !near_misses.is_empty() => verdict(
            "permission-wrong-source-arn",
            format!(
                "API Gateway may not invoke {}: the policy admits another source. {}",
                function_name(facts),
                one_line(&near_misses[0], 260)
            ),
            fixes::add_permission(facts),
        ),
        Answer::NotAllowed { .. } => verdict(
            "permission-missing",
            format!(
                "API Gateway may not invoke {}: its resource policy has no statement for apigateway.amazonaws.com.",
                function_name(facts)
            ),
            fixes::add_permission(facts),
        ),
        Answer::Denied(sid) => verdict(
            "permission-missing",
            format!(
                "The resource policy of {} denies API Gateway (statement {}).",
                function_name(facts),
                one_line(&sid, 60)
            ),
            fixes::remove_permission(facts, &sid),
        ),
    }
}

pub(super) fn unexplained_500(facts: &Facts) -> Option<Verdict> {
    let call = gateway(facts)?;
    if call.gateway_said(503) || call.gateway_said(504) {
        return verdict(
            "gateway-503",
            format!(
                "API Gateway answers {} after {:.0} ms, long before its own limit: the function was refused, not slow.",
                call.status, call.elapsed_ms
            ),
            "",
        );
    }
    call.integration_failed().then_some(())?;
    let role = facts
        .integration()
        .and_then(|i| i.credentials_arn.as_deref());
    if let Some(role) = role {
        let text = format!(
            "API Gateway answers 500 and calls the function as {}: check that role's trust and policy.",
            one_line(role, 120)
        );
        return verdict("gateway-500", text, "");
    }
    if let Some(action) = facts.policy.denied() {
        let text = format!(
            "API Gateway answers 500 though the function works: probably it may not invoke it; {action} would tell."
        );
        let fix = format!(
            "{}\n# then, if the policy has no statement for API Gateway:\n{}",
            fixes::grant(facts, &[action]),
            fixes::add_permission(facts)
        );
        return verdict("gateway-500", text, fix);
    }
    let may = match checks::invoke_grant(facts) {
        Some(Answer::Allowed(_)) => " and may be invoked",
        _ => "",
    };
    let text = format!(
        "API Gateway answers 500 though the function works{may}: a change of the last minute, or the access log knows ($context.integrationErrorMessage)."
    );
    verdict("gateway-500", text, "")
}
