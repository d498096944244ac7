//! The checks, one function each: what a fact looks like as a finding.

use super::facts::{Fact, Facts, Function, GatewayCall, Integration, Invoke, Simulated};
use super::gateway::proxy_violation;
use super::policy::{Answer, Question, evaluate};
use super::{Finding, Status, fixes, one_line};

/// All checks in their order.
pub fn all(facts: &Facts) -> Vec<Finding> {
    vec![
        clock(facts),
        network(facts),
        gateway(facts),
        identity(facts),
        function(facts),
        invoke(facts),
        api(facts),
        policy(facts),
        image(facts),
        repository_policy(facts),
        role(facts),
        deployer(facts),
        concurrency(facts),
        metrics(facts),
        runtime(facts),
        logs(facts),
    ]
}

fn finding(
    check: &str,
    status: Status,
    evidence: impl AsRef<str>,
    fix: impl Into<String>,
) -> Finding {
    Finding {
        check: check.to_owned(),
        status,
        evidence: one_line(evidence.as_ref(), 400),
        fix: fix.into(),
        missing_action: None,
    }
}

/// A finding from a fact: what is known goes to `read`, everything else says why nothing is known.
fn about<T>(check: &str, fact: &Fact<T>, read: impl FnOnce(&T) -> Finding) -> Finding {
    match fact {
        Fact::Known(value) => read(value),
        Fact::Missing(text) => finding(check, Status::Fail, text, ""),
        Fact::Denied { action } => Finding {
            missing_action: Some(action.clone()),
            ..finding(
                check,
                Status::Skip,
                format!("not looked at: the identity lacks {action}"),
                fixes::grant(&[action]),
            )
        },
        Fact::Failed(text) => finding(check, Status::Unknown, text, ""),
        Fact::NoCredentials(text) => {
            finding(check, Status::Skip, format!("not looked at: {text}"), "")
        }
        Fact::NotAsked => finding(check, Status::Skip, "does not apply to this target", ""),
    }
}

fn clock(facts: &Facts) -> Finding {
    about("clock", &facts.clock_skew_s, |skew| {
        let text = format!(
            "{:.0} s {} the server's clock",
            skew.abs(),
            if *skew >= 0.0 { "ahead of" } else { "behind" }
        );
        let status = match skew.abs() {
            s if s > 300.0 => Status::Fail,
            s if s > 60.0 => Status::Warn,
            _ => Status::Pass,
        };
        finding(
            "clock",
            status,
            text,
            if status == Status::Pass {
                ""
            } else {
                "sudo chronyc makestep"
            },
        )
    })
}

fn network(facts: &Facts) -> Finding {
    let regions = &facts.subject;
    if let Some(endpoint) = regions
        .endpoint_region
        .as_ref()
        .filter(|r| **r != regions.region)
    {
        let text = format!(
            "the endpoint is in {endpoint}, the configured region is {}",
            regions.region
        );
        return finding(
            "network",
            Status::Warn,
            text,
            format!("vintner doctor --region {endpoint}"),
        );
    }
    about("network", &facts.network, |network| {
        let reached = format!("connected in {:.0} ms", network.connect_ms);
        match network.certificate_days {
            Some(days) if days < 0 => finding(
                "network",
                Status::Fail,
                format!("{reached}; the certificate expired {} days ago", -days),
                "",
            ),
            Some(days) if days < 14 => finding(
                "network",
                Status::Warn,
                format!("{reached}; the certificate expires in {days} days"),
                "",
            ),
            Some(days) => finding(
                "network",
                Status::Pass,
                format!("{reached}, certificate good for {days} days"),
                "",
            ),
            None => finding("network", Status::Pass, format!("{reached}, no TLS"), ""),
        }
    })
}

fn gateway(facts: &Facts) -> Finding {
    about("gateway", &facts.gateway, |call| {
        if call.timed_out {
            return finding(
                "gateway",
                Status::Fail,
                format!("no answer in {:.0} ms", call.elapsed_ms),
                "",
            );
        }
        let seen = format!("{} in {:.0} ms", call.status, call.elapsed_ms);
        match &call.contract_violation {
            _ if call.status != 200 => finding(
                "gateway",
                Status::Fail,
                format!("{seen}, {}: {}", who(call), call.body),
                "",
            ),
            Some(why) => finding(
                "gateway",
                Status::Fail,
                format!("{seen}, but {why}: {}", call.body),
                "",
            ),
            None if call.broken_attempts > 0 => finding(
                "gateway",
                Status::Warn,
                format!("{seen} after {} broken connections", call.broken_attempts),
                "",
            ),
            None => finding(
                "gateway",
                Status::Pass,
                format!("{seen}, a valid prediction"),
                "",
            ),
        }
    })
}

fn who(call: &GatewayCall) -> &'static str {
    match call.answerer() {
        super::Answerer::Gateway => "in API Gateway's own words",
        super::Answerer::Handler => "in the handler's words",
        super::Answerer::Stranger => "from neither gateway nor handler",
    }
}

fn identity(facts: &Facts) -> Finding {
    about("identity", &facts.identity, |identity| {
        let owner = facts.function.known().and_then(|f| f.arn.split(':').nth(4));
        let text = format!("{} in account {}", identity.arn, identity.account);
        match owner.filter(|o| !o.is_empty() && *o != identity.account) {
            Some(owner) => finding(
                "identity",
                Status::Warn,
                format!("{text}; the function belongs to {owner}"),
                fixes::sign_in(facts),
            ),
            None => finding("identity", Status::Pass, text, ""),
        }
    })
}

fn function(facts: &Facts) -> Finding {
    if let Fact::Missing(text) = &facts.function {
        return finding("function", Status::Fail, text, fixes::find_function(facts));
    }
    about("function", &facts.function, |function| {
        let text = describe(function);
        match (
            function.state.as_str(),
            function.last_update_status.as_str(),
        ) {
            ("Failed", _) | (_, "Failed") => {
                finding("function", Status::Fail, text, fixes::redeploy(facts))
            }
            ("Active", "Successful" | "") => finding("function", Status::Pass, text, ""),
            // Inactive is woken by a call, Pending and InProgress pass; what AWS adds tomorrow deserves a look.
            _ => finding("function", Status::Warn, text, ""),
        }
    })
}

fn describe(function: &Function) -> String {
    let mut text = format!(
        "State {}, LastUpdateStatus {}",
        function.state, function.last_update_status
    );
    let code = function
        .last_update_code
        .iter()
        .chain(&function.last_update_reason)
        .chain(&function.state_reason);
    for part in code {
        text.push_str("; ");
        text.push_str(part);
    }
    text.push_str(&format!(
        "; {} MB, timeout {} s",
        function.memory_mb, function.timeout_s
    ));
    text
}

fn invoke(facts: &Facts) -> Finding {
    about("invoke", &facts.invoke, |invoke| match invoke {
        Invoke::NotCalled => finding(
            "invoke",
            Status::Skip,
            "the function was not called directly",
            "",
        ),
        Invoke::Throttled { reason } => finding(
            "invoke",
            Status::Fail,
            format!("429 {reason}"),
            fixes::more_concurrency(facts),
        ),
        Invoke::TimedOut { after_ms } => finding(
            "invoke",
            Status::Unknown,
            format!("no answer in {after_ms:.0} ms"),
            "",
        ),
        Invoke::Answered(call) => {
            let time = format!("{} in {:.0} ms", call.status, call.elapsed_ms);
            match (&call.function_error, proxy_violation(&call.payload)) {
                (Some(error), _) => finding(
                    "invoke",
                    Status::Fail,
                    format!("{time}, X-Amz-Function-Error {error}: {}", call.payload),
                    fixes::read_errors(facts),
                ),
                (None, Some(why)) => finding(
                    "invoke",
                    Status::Warn,
                    format!("{time}, but {why}: {}", call.payload),
                    "",
                ),
                (None, None) => finding(
                    "invoke",
                    Status::Pass,
                    format!("{time}, a proxy response"),
                    "",
                ),
            }
        }
    })
}

/// The name of the stage whose throttle is 0, if there is one.
pub fn zero_throttle(facts: &Facts) -> Option<&str> {
    let zero = |limit: Option<f64>| limit.is_some_and(|l| l <= 0.0);
    let stages = &facts.api.known()?.stages;
    stages
        .iter()
        .find(|s| zero(s.rate_limit) || zero(s.burst_limit))
        .map(|s| s.name.as_str())
}

/// True when the integration calls the function (any alias or version of it).
pub fn integration_names_function(facts: &Facts, integration: &Integration) -> bool {
    let after = integration
        .uri
        .split(":function:")
        .nth(1)
        .unwrap_or(&integration.uri);
    let name = after.split([':', '/']).next().unwrap_or_default();
    // A function given by ARN is compared by its last part.
    let wanted = facts
        .subject
        .function
        .split(":function:")
        .last()
        .unwrap_or_default();
    name == wanted.split(':').next().unwrap_or_default()
}

fn api(facts: &Facts) -> Finding {
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
                    facts.subject.method, facts.subject.path
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
        if let Some(stage) = api.stages.iter().find(|s| !s.deployed && !s.auto_deploy) {
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
            source_account: source.split(':').nth(4),
        },
    ))
}

fn policy(facts: &Facts) -> Finding {
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
                "",
            ),
            Some(Answer::Unreadable(why)) => finding("policy", Status::Unknown, why, ""),
            Some(Answer::NotAllowed { near_misses, .. }) => {
                let text = match near_misses.first() {
                    Some(miss) => miss.clone(),
                    None if none => "the function has no resource policy at all".to_owned(),
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

/// (digest that runs, digest the deployed tag points to), when both are known and the deploy was by tag.
pub fn digests(facts: &Facts) -> Option<(&str, &str)> {
    let function = facts.function.known()?;
    if function
        .image_uri
        .as_deref()
        .is_some_and(|uri| uri.contains('@'))
    {
        return None;
    }
    let running = function.resolved_image_uri.as_deref()?.split_once('@')?.1;
    Some((running, facts.image.known()?.tag_digest.as_deref()?))
}

fn image(facts: &Facts) -> Finding {
    if let Fact::Missing(text) = &facts.image {
        return finding("image", Status::Fail, text, fixes::redeploy(facts));
    }
    about("image", &facts.image, |_| match digests(facts) {
        Some((running, tag)) if running == tag => finding(
            "image",
            Status::Pass,
            format!("the tag still points to {running}"),
            "",
        ),
        Some((running, tag)) => finding(
            "image",
            Status::Warn,
            format!("runs {running}, the tag now points to {tag}"),
            fixes::redeploy(facts),
        ),
        None => finding(
            "image",
            Status::Pass,
            "the image exists; deployed by digest",
            "",
        ),
    })
}

/// May Lambda pull the image? `Err` names the actions it lacks, `None` means the policy is not known.
pub fn repository_grant(facts: &Facts) -> Option<Result<(), Vec<&'static str>>> {
    const PULL: [&str; 2] = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
    if facts.repository_policy.is_missing() {
        return Some(Err(PULL.to_vec()));
    }
    let document = facts.repository_policy.known()?;
    let function = facts.function.known().map(|f| f.arn.as_str());
    let lacking: Vec<&'static str> = PULL
        .into_iter()
        .filter(|action| {
            let question = Question {
                principal: "lambda.amazonaws.com",
                action,
                source_arn: function,
                source_account: function.and_then(|arn| arn.split(':').nth(4)),
            };
            matches!(
                evaluate(document, &question),
                Answer::NotAllowed { .. } | Answer::Denied(_)
            )
        })
        .collect();
    Some(if lacking.is_empty() {
        Ok(())
    } else {
        Err(lacking)
    })
}

fn repository_policy(facts: &Facts) -> Finding {
    match repository_grant(facts) {
        Some(Ok(())) => finding(
            "repository-policy",
            Status::Pass,
            "lambda.amazonaws.com may pull",
            "",
        ),
        Some(Err(lacking)) => finding(
            "repository-policy",
            Status::Fail,
            format!(
                "lambda.amazonaws.com may not do {} (the execution role does not pull images)",
                lacking.join(", ")
            ),
            fixes::repository_policy(facts),
        ),
        None => about("repository-policy", &facts.repository_policy, |_| {
            finding("repository-policy", Status::Unknown, "", "")
        }),
    }
}

fn denied(simulated: &[Simulated]) -> Vec<&str> {
    simulated
        .iter()
        .filter(|s| s.decision != "allowed")
        .map(|s| s.action.as_str())
        .collect()
}

fn role(facts: &Facts) -> Finding {
    about("role", &facts.role_logs, |simulated| {
        match denied(simulated).as_slice() {
            [] => finding(
                "role",
                Status::Pass,
                "the execution role may write logs",
                "",
            ),
            lacking => finding(
                "role",
                Status::Fail,
                format!("the execution role may not do {}", lacking.join(", ")),
                fixes::allow_logs(facts),
            ),
        }
    })
}

fn deployer(facts: &Facts) -> Finding {
    about("deployer", &facts.deployer, |simulated| {
        match denied(simulated).as_slice() {
            [] => finding("deployer", Status::Pass, "the caller may deploy", ""),
            // An on-call engineer need not be able to deploy: worth knowing, not wrong.
            lacking => finding(
                "deployer",
                Status::Warn,
                format!(
                    "the caller may not do {}: others have to deploy",
                    lacking.join(", ")
                ),
                "",
            ),
        }
    })
}

fn concurrency(facts: &Facts) -> Finding {
    about("concurrency", &facts.concurrency, |concurrency| {
        let limit = concurrency
            .account_limit
            .map_or("unknown".to_owned(), |l| l.to_string());
        let highest = facts
            .metrics
            .known()
            .and_then(|m| m.concurrent_max)
            .unwrap_or(0.0);
        let effective = concurrency.reserved.or(concurrency.account_limit);
        match (concurrency.reserved, effective) {
            (Some(0), _) => finding(
                "concurrency",
                Status::Fail,
                "reserved concurrency is 0: switched off",
                fixes::free_concurrency(facts),
            ),
            (_, Some(l)) if highest > 0.8 * f64::from(l) => finding(
                "concurrency",
                Status::Warn,
                format!("{highest:.0} of {l} in use at most"),
                fixes::more_concurrency(facts),
            ),
            (reserved, _) => {
                let reserved = reserved.map_or("none".to_owned(), |r| r.to_string());
                finding(
                    "concurrency",
                    Status::Pass,
                    format!("reserved {reserved}, account limit {limit}"),
                    "",
                )
            }
        }
    })
}

fn metrics(facts: &Facts) -> Finding {
    about("metrics", &facts.metrics, |m| {
        let show = |v: Option<f64>| v.map_or("–".to_owned(), |v| format!("{v:.0}"));
        let text = format!(
            "{} min: gateway {} requests, {} 5xx, {} 4xx; Lambda {} invocations, {} errors, {} throttles",
            m.window_s / 60,
            show(m.gateway_count),
            show(m.gateway_5xx),
            show(m.gateway_4xx),
            show(m.invocations),
            show(m.errors),
            show(m.throttles)
        );
        let some = |v: Option<f64>| v.unwrap_or(0.0) > 0.0;
        let status = if some(m.gateway_5xx) || some(m.errors) || some(m.throttles) {
            Status::Warn
        } else {
            Status::Pass
        };
        finding("metrics", status, text, "")
    })
}

fn runtime(facts: &Facts) -> Finding {
    about("runtime", &facts.logs, |logs| {
        let function = facts.function.known();
        let mut remarks = Vec::new();
        for (n, what) in [
            (logs.out_of_memory, "killed for memory"),
            (logs.timeouts, "timed out"),
            (logs.init_timeouts, "inits timed out"),
            (logs.crashes, "unhandled errors"),
        ] {
            if n > 0 {
                remarks.push(format!("{n} {what}"));
            }
        }
        if let (Some(used), Some(f)) = (logs.max_memory_mb, function)
            && f64::from(used) >= 0.9 * f64::from(f.memory_mb)
        {
            remarks.push(format!("memory {used} of {} MB", f.memory_mb));
        }
        if let (Some(p99), Some(f)) = (logs.p99_ms, function)
            && p99 > 0.8 * f64::from(f.timeout_s) * 1000.0
        {
            remarks.push(format!("p99 {p99:.0} ms of {} s timeout", f.timeout_s));
        }
        let seen = format!("{} REPORT lines, {} cold", logs.reports, logs.cold);
        if remarks.is_empty() {
            return finding("runtime", Status::Pass, seen, "");
        }
        let last = logs
            .last_error
            .as_ref()
            .map(|e| format!("; last: {e}"))
            .unwrap_or_default();
        finding(
            "runtime",
            Status::Warn,
            format!("{seen}; {}{last}", remarks.join(", ")),
            fixes::read_errors(facts),
        )
    })
}

fn logs(facts: &Facts) -> Finding {
    let group = fixes::log_group(facts);
    if facts.logs.is_missing() {
        let text =
            format!("no log group {group}: the role may not write logs, or the function never ran");
        return finding("logs", Status::Warn, text, fixes::allow_logs(facts));
    }
    about("logs", &facts.logs, |logs| {
        let kept = logs
            .retention_days
            .map_or("kept for ever".to_owned(), |d| format!("kept {d} days"));
        match logs.last_event_age_s {
            Some(age) => finding(
                "logs",
                Status::Pass,
                format!("{group}: last event {age:.0} s ago, {kept}"),
                "",
            ),
            None => finding(
                "logs",
                Status::Warn,
                format!("{group}: no event in the window, {kept}"),
                "",
            ),
        }
    })
}
