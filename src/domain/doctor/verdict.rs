//! The decision matrix: the first cause, in order of certainty, that explains what was seen.

use super::facts::{Fact, Facts, GatewayCall, Invocation, Invoke};
use super::gateway::{Answerer, proxy_violation};
use super::policy::Answer;
use super::{Finding, HEALTHY, Status, Verdict, checks, fixes, one_line};
use crate::domain::latency::nearest_rank;

/// Beyond this, AWS refuses signatures. Seconds.
const SKEW_LIMIT_S: f64 = 300.0;
/// A median warm call slower than the owner's p99 objective is no tail but a condition. Milliseconds.
const SLOW_MEDIAN_MS: f64 = 500.0;
/// So many calls before a share of cold starts means anything.
const STORM_MIN_N: usize = 20;
/// Cold starts per call that make a storm.
const STORM_SHARE: f64 = 0.3;

type Rule = fn(&Facts) -> Option<Verdict>;

/// From "nothing can be asked" over "it is switched off" and "it is not reached" to "it runs, but badly".
const RULES: [Rule; 30] = [
    clock_skew,
    credentials_expired,
    wrong_region,
    reads_nothing,
    reserved_zero,
    image_deleted,
    ecr_denied,
    endpoint_disabled,
    unauthorized,
    route_missing,
    stage_throttle,
    throttled_concurrency,
    wrong_integration,
    permission,
    out_of_memory,
    timeout,
    malformed_proxy_response,
    handler_crash,
    silent_200,
    integration_timeout,
    function_failed,
    bad_deploy,
    cannot_decide,
    unexplained_500,
    unreachable,
    role_cannot_log,
    cold_start_storm,
    slow_dependency,
    slow_gateway,
    tag_drift,
];

/// The verdict over facts and findings.
pub fn of(facts: &Facts, findings: &[Finding]) -> Verdict {
    RULES
        .iter()
        .find_map(|rule| rule(facts))
        .or_else(|| first_failure(findings))
        .unwrap_or_else(|| healthy(findings))
}

fn verdict(code: &str, text: impl Into<String>, fix: impl Into<String>) -> Option<Verdict> {
    Some(Verdict {
        code: code.to_owned(),
        text: text.into(),
        fix: fix.into(),
    })
}

fn gateway(facts: &Facts) -> Option<&GatewayCall> {
    facts.gateway.known()
}

fn gateway_good(facts: &Facts) -> bool {
    gateway(facts).is_some_and(GatewayCall::is_good)
}

/// The gateway answered 500/502/503/504 in its own words, or not at all.
fn gateway_down(facts: &Facts) -> bool {
    gateway(facts)
        .is_some_and(|g| g.timed_out || (g.status >= 500 && g.answerer() != Answerer::Handler))
}

fn function_name(facts: &Facts) -> &str {
    &facts.subject.function
}

fn clock_skew(facts: &Facts) -> Option<Verdict> {
    let skew = *facts.clock_skew_s.known()?;
    if skew.abs() <= SKEW_LIMIT_S {
        return None;
    }
    let (minutes, direction) = (
        skew.abs() / 60.0,
        if skew > 0.0 { "ahead of" } else { "behind" },
    );
    verdict(
        "clock-skew",
        format!(
            "This machine's clock is {minutes:.1} min {direction} AWS: signatures are refused beyond 5 min."
        ),
        "sudo chronyc makestep   # or: sudo timedatectl set-ntp true",
    )
}

fn credentials_expired(facts: &Facts) -> Option<Verdict> {
    let Fact::NoCredentials(why) = &facts.identity else {
        return None;
    };
    let endpoint = if gateway_good(facts) {
        " The endpoint itself answers."
    } else {
        ""
    };
    verdict(
        "credentials-expired",
        format!(
            "AWS cannot be asked: {}.{endpoint}",
            one_line(why, 160).trim_end_matches('.')
        ),
        fixes::sign_in(facts),
    )
}

fn wrong_region(facts: &Facts) -> Option<Verdict> {
    if !facts.function.is_missing() {
        return None;
    }
    let (name, region) = (function_name(facts), &facts.subject.region);
    let account = facts
        .identity
        .known()
        .map(|i| format!(" of account {}", i.account))
        .unwrap_or_default();
    let hint = match &facts.subject.endpoint_region {
        Some(endpoint) if endpoint != region => format!(" The endpoint is in {endpoint}."),
        _ => String::new(),
    };
    verdict(
        "wrong-region",
        format!(
            "There is no function {name} in {region}{account}: wrong region, account or name.{hint}"
        ),
        fixes::find_function(facts),
    )
}

/// Nothing about the function may be read: no other rule could decide honestly.
fn reads_nothing(facts: &Facts) -> Option<Verdict> {
    let blind = facts.function.denied().is_some()
        && facts.policy.denied().is_some()
        && facts.metrics.denied().is_some()
        && facts.invocation().is_none();
    if blind { access_denied(facts) } else { None }
}

fn cannot_decide(facts: &Facts) -> Option<Verdict> {
    if facts.invoke.denied().is_some() && gateway_down(facts) {
        access_denied(facts)
    } else {
        None
    }
}

fn access_denied(facts: &Facts) -> Option<Verdict> {
    let actions = facts.denied_actions();
    let who = facts
        .identity
        .known()
        .map_or("the identity in use", |i| i.arn.as_str());
    let endpoint = match gateway(facts) {
        Some(call) if call.is_good() => "The endpoint itself answers.",
        _ => "The cause cannot be decided without them.",
    };
    verdict(
        "access-denied",
        format!(
            "{} may not do {}. {endpoint}",
            one_line(who, 120),
            actions.join(", ")
        ),
        fixes::grant(&actions),
    )
}

fn reserved_zero(facts: &Facts) -> Option<Verdict> {
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

fn update_code(facts: &Facts) -> Option<&str> {
    facts.function.known()?.last_update_code.as_deref()
}

fn image_deleted(facts: &Facts) -> Option<Verdict> {
    let gone = facts.image.is_missing() || update_code(facts) == Some("ImageDeleted");
    gone.then_some(())?;
    let image = facts
        .function
        .known()
        .and_then(|f| f.image_uri.as_deref())
        .unwrap_or("the image");
    let state = facts
        .function
        .known()
        .map(|f| format!(" (state {})", f.state))
        .unwrap_or_default();
    verdict(
        "image-deleted",
        format!(
            "{} is no longer in ECR: the function cannot start new environments{state}.",
            one_line(image, 120)
        ),
        format!("# push the image again, then:\n{}", fixes::redeploy(facts)),
    )
}

fn ecr_denied(facts: &Facts) -> Option<Verdict> {
    let no_grant = checks::repository_grant(facts).is_some_and(|grant| grant.is_err());
    let refused = update_code(facts) == Some("ImageAccessDenied")
        && checks::repository_grant(facts).is_none();
    (no_grant || refused).then_some(())?;
    verdict(
        "ecr-denied",
        "Lambda may not pull the image: the repository policy must let lambda.amazonaws.com do ecr:BatchGetImage and \
         ecr:GetDownloadUrlForLayer (the execution role does not pull images).",
        fixes::repository_policy(facts),
    )
}

fn endpoint_disabled(facts: &Facts) -> Option<Verdict> {
    let api = facts.api.known()?;
    (api.endpoint_disabled && !gateway_good(facts)).then_some(())?;
    verdict(
        "endpoint-disabled",
        "The API's default execute-api endpoint is switched off: every call gets 403 or 404.",
        fixes::enable_endpoint(facts),
    )
}

fn unauthorized(facts: &Facts) -> Option<Verdict> {
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

fn route_missing(facts: &Facts) -> Option<Verdict> {
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
            facts.subject.method, facts.subject.path
        ),
        fixes::add_route(facts),
    )
}

fn stage_throttle(facts: &Facts) -> Option<Verdict> {
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

fn throttled_concurrency(facts: &Facts) -> Option<Verdict> {
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
        .and_then(|c| c.reserved.or(c.account_limit))
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

fn wrong_integration(facts: &Facts) -> Option<Verdict> {
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
fn permission(facts: &Facts) -> Option<Verdict> {
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
            format!(
                "aws lambda remove-permission --function-name {} --statement-id {}",
                function_name(facts),
                crate::domain::alerts::alarm::quote(&sid)
            ),
        ),
    }
}

/// Did the direct call, or failing that the log, end like this while the gateway is down?
fn ended_with(facts: &Facts, marks: &[&str], seen_in_log: usize) -> bool {
    match facts.invocation() {
        Some(call) => {
            call.function_error.is_some()
                && marks
                    .iter()
                    .any(|m| call.payload.contains(m) || call.log_tail.contains(m))
        }
        None => gateway_down(facts) && seen_in_log > 0,
    }
}

fn out_of_memory(facts: &Facts) -> Option<Verdict> {
    let logged = facts.logs.known().map_or(0, |l| l.out_of_memory);
    ended_with(facts, &["signal: killed", "Runtime.OutOfMemory"], logged).then_some(())?;
    let size = facts
        .function
        .known()
        .map(|f| format!(" of {} MB", f.memory_mb))
        .unwrap_or_default();
    verdict(
        "out-of-memory",
        format!(
            "{} is killed for using all of its memory{size}.",
            function_name(facts)
        ),
        fixes::more_memory(facts),
    )
}

fn timeout(facts: &Facts) -> Option<Verdict> {
    let logged = facts.logs.known().map_or(0, |l| l.timeouts);
    ended_with(
        facts,
        &["Task timed out", "Sandbox.Timedout", "Status: timeout"],
        logged,
    )
    .then_some(())?;
    let limit = facts
        .function
        .known()
        .map(|f| format!(" of {} s", f.timeout_s))
        .unwrap_or_default();
    verdict(
        "timeout",
        format!("{} runs into its own timeout{limit}.", function_name(facts)),
        fixes::more_time(facts),
    )
}

fn malformed_proxy_response(facts: &Facts) -> Option<Verdict> {
    let call = gateway(facts)?;
    let direct = facts.invocation()?;
    (call.integration_failed() && direct.function_error.is_none()).then_some(())?;
    let violation = proxy_violation(&direct.payload)?;
    let format = facts
        .integration()
        .map_or("its payload format", |i| i.payload_format.as_str());
    verdict(
        "malformed-proxy-response",
        format!(
            "The function succeeds, but its answer is no proxy response ({violation}; payload format {format}): API Gateway turns it into 500."
        ),
        "# return {\"statusCode\": 200, \"headers\": {…}, \"body\": json.dumps(result)}: statusCode an integer, body a string",
    )
}

fn handler_crash(facts: &Facts) -> Option<Verdict> {
    if let Some(error) = facts.invocation().and_then(crash_text) {
        return verdict(
            "handler-crash",
            format!(
                "The handler crashes on every call: {}.",
                one_line(&error, 200)
            ),
            fixes::read_errors(facts),
        );
    }
    let call = gateway(facts)?;
    if call.status >= 500 && call.answerer() == Answerer::Handler {
        return verdict(
            "handler-crash",
            format!(
                "The handler itself answers {}: {}",
                call.status,
                one_line(&call.body, 200)
            ),
            fixes::read_errors(facts),
        );
    }
    let logs = facts.logs.known()?;
    (facts.invocation().is_none() && gateway_down(facts) && logs.crashes > 0).then_some(())?;
    let last = logs.last_error.as_deref().unwrap_or("see the log");
    verdict(
        "handler-crash",
        format!(
            "The handler crashes: {} times in the log, last {}",
            logs.crashes,
            one_line(last, 200)
        ),
        fixes::read_errors(facts),
    )
}

/// `ValueError: could not convert …`, when the function reported an error.
fn crash_text(call: &Invocation) -> Option<String> {
    call.function_error.as_ref()?;
    let payload: serde_json::Value = serde_json::from_str(&call.payload).unwrap_or_default();
    let field = |name: &str| {
        payload
            .get(name)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
    };
    let text = [field("errorType"), field("errorMessage")]
        .into_iter()
        .filter(|t| !t.is_empty())
        .collect::<Vec<_>>()
        .join(": ");
    Some(if text.is_empty() {
        call.payload.clone()
    } else {
        text
    })
}

fn silent_200(facts: &Facts) -> Option<Verdict> {
    let call = gateway(facts)?;
    let why = call
        .contract_violation
        .as_ref()
        .filter(|_| call.status == 200)?;
    if call.answerer() == Answerer::Stranger {
        return verdict(
            "not-the-service",
            format!(
                "The endpoint answers 200, but not with JSON: {} is not the prediction service.",
                one_line(&facts.subject.endpoint, 80)
            ),
            "# check --endpoint",
        );
    }
    verdict(
        "silent-200",
        format!(
            "The gateway answers 200, but the body is no prediction ({}): payload 2.0 turns an error object into a 200.",
            one_line(why, 120)
        ),
        "# raise in the handler, or return {\"statusCode\": 500, …}, so that failures are seen as failures",
    )
}

fn integration_timeout(facts: &Facts) -> Option<Verdict> {
    let call = gateway(facts)?;
    let gave_up = matches!(call.status, 503 | 504) && call.answerer() == Answerer::Gateway;
    let slow = matches!(facts.invoke.known(), Some(Invoke::TimedOut { .. }))
        || facts
            .invocation()
            .is_some_and(|i| i.function_error.is_none());
    (gave_up || (call.timed_out && slow)).then_some(())?;
    let limit = facts
        .integration()
        .map(|i| format!(" ({} ms)", i.timeout_ms))
        .unwrap_or_default();
    let took = facts
        .invocation()
        .map(|i| format!("; a direct call takes {:.0} ms", i.elapsed_ms))
        .unwrap_or_default();
    verdict(
        "integration-timeout",
        format!("The function answers later than the gateway's integration waits{limit}{took}."),
        "# make the call faster or asynchronous: an HTTP API waits 30 s at most",
    )
}

fn function_failed(facts: &Facts) -> Option<Verdict> {
    let function = facts.function.known()?;
    (function.state == "Failed" && function.last_update_status != "Failed").then_some(())?;
    let reason = function
        .state_reason
        .as_deref()
        .unwrap_or("no reason given");
    verdict(
        "function-failed",
        format!(
            "{} is in state Failed: {}",
            function_name(facts),
            one_line(reason, 200)
        ),
        fixes::redeploy(facts),
    )
}

fn bad_deploy(facts: &Facts) -> Option<Verdict> {
    let function = facts.function.known()?;
    (function.last_update_status == "Failed").then_some(())?;
    let code = function
        .last_update_code
        .as_deref()
        .unwrap_or("no reason code");
    let reason = function.last_update_reason.as_deref().unwrap_or_default();
    let serving = if function.state == "Active" {
        "the old image is still serving"
    } else {
        "and the function is not active"
    };
    verdict(
        "bad-deploy",
        format!(
            "The last deploy failed ({}: {}); {serving}.",
            one_line(code, 60),
            one_line(reason, 160)
        ),
        fixes::redeploy(facts),
    )
}

fn unexplained_500(facts: &Facts) -> Option<Verdict> {
    let call = gateway(facts)?;
    call.integration_failed().then_some(())?;
    let role = facts
        .integration()
        .and_then(|i| i.credentials_arn.as_deref());
    let text = match role {
        Some(role) => format!("API Gateway answers 500 and calls the function as {}: check that role's trust and policy.", one_line(role, 120)),
        None => "API Gateway answers 500 though the function works and may be invoked: a change of the last minute, or the access log knows ($context.integrationErrorMessage).".to_owned(),
    };
    verdict("gateway-500", text, "")
}

fn unreachable(facts: &Facts) -> Option<Verdict> {
    let why = match (&facts.gateway, &facts.network) {
        (Fact::Failed(why), _) | (_, Fact::Failed(why)) => why,
        _ => {
            let call = gateway(facts)?;
            return match (call.timed_out, call.broken_attempts) {
                (true, _) => verdict(
                    "integration-timeout",
                    "The endpoint did not answer within the check's limit.",
                    "",
                ),
                (_, 0) => None,
                (_, broken) => verdict(
                    "flaky-network",
                    format!(
                        "{broken} of {} connections to the endpoint broke before one worked.",
                        broken + 1
                    ),
                    "",
                ),
            };
        }
    };
    verdict(
        "unreachable",
        format!("The endpoint cannot be reached: {}", one_line(why, 200)),
        format!(
            "curl -v {}",
            crate::domain::alerts::alarm::quote(&facts.subject.endpoint)
        ),
    )
}

fn role_cannot_log(facts: &Facts) -> Option<Verdict> {
    let denied: Vec<&str> = facts
        .role_logs
        .known()?
        .iter()
        .filter(|s| s.decision != "allowed")
        .map(|s| s.action.as_str())
        .collect();
    (!denied.is_empty()).then_some(())?;
    verdict(
        "role-cannot-log",
        format!(
            "The function works but is silent: its execution role may not do {}.",
            denied.join(", ")
        ),
        fixes::allow_logs(facts),
    )
}

fn cold_start_storm(facts: &Facts) -> Option<Verdict> {
    let logs = facts.logs.known();
    let (reports, cold) = logs.map_or((0, 0), |l| (l.reports, l.cold));
    let logged = reports >= STORM_MIN_N && cold as f64 / reports as f64 >= STORM_SHARE;
    let (n, again) = (
        facts.repeats.len(),
        facts.repeats.iter().filter(|r| r.cold).count(),
    );
    let text = if logged {
        let share = cold as f64 * 100.0 / reports as f64;
        format!(
            "{cold} of {reports} calls are cold starts ({share:.0} %): environments do not survive."
        )
    } else if again >= 2 {
        format!(
            "{again} of {n} direct calls right after another one are cold starts: environments do not survive."
        )
    } else {
        return None;
    };
    verdict("cold-start-storm", text, fixes::keep_warm(facts))
}

fn slow_dependency(facts: &Facts) -> Option<Verdict> {
    let (median, n, source) = warm_median(facts)?;
    // One slow call proves nothing unless the direct call agrees.
    let direct = facts.invocation().and_then(|i| i.duration_ms);
    (median > SLOW_MEDIAN_MS && n >= 3 && direct.is_none_or(|ms| ms > SLOW_MEDIAN_MS))
        .then_some(())?;
    verdict(
        "slow-dependency",
        format!(
            "The handler itself has become slow: half of the warm calls take more than {median:.0} ms (n = {n}, {source}); something it calls is slow."
        ),
        fixes::read_errors(facts),
    )
}

/// (median, n, source) of the handler's time: calls just made count more than the log, the log more than metrics.
fn warm_median(facts: &Facts) -> Option<(f64, usize, &'static str)> {
    let mut now: Vec<f64> = facts
        .repeats
        .iter()
        .filter(|r| !r.cold)
        .map(|r| r.duration_ms)
        .collect();
    now.sort_unstable_by(f64::total_cmp);
    if let Some(median) = nearest_rank(&now, 0.5).filter(|_| now.len() >= 3) {
        return Some((median, now.len(), "calls just made"));
    }
    if let Some((logs, median)) = facts.logs.known().and_then(|l| Some((l, l.warm_p50_ms?))) {
        return Some((median, logs.reports - logs.cold, "REPORT lines"));
    }
    let metrics = facts.metrics.known()?;
    Some((
        metrics.duration_p50?,
        metrics.duration_n.or(metrics.invocations).unwrap_or(0.0) as usize,
        "AWS/Lambda Duration",
    ))
}

fn slow_gateway(facts: &Facts) -> Option<Verdict> {
    let (call, direct) = (gateway(facts)?, facts.invocation()?);
    (call.is_good() && call.elapsed_ms > 3000.0 && direct.elapsed_ms < 1000.0).then_some(())?;
    verdict(
        "slow-network",
        format!(
            "The endpoint takes {:.0} ms, the function alone {:.0} ms: the time goes into the gateway or the network.",
            call.elapsed_ms, direct.elapsed_ms
        ),
        "",
    )
}

fn tag_drift(facts: &Facts) -> Option<Verdict> {
    let (running, tag) = checks::digests(facts)?;
    (running != tag).then_some(())?;
    let image = facts
        .function
        .known()
        .and_then(|f| f.image_uri.as_deref())
        .unwrap_or("the tag");
    verdict(
        "tag-drift",
        format!(
            "{} has moved to {} since the deploy: the function still runs {}.",
            one_line(image, 100),
            short(tag),
            short(running)
        ),
        fixes::redeploy(facts),
    )
}

/// `sha256:0123456789ab`, enough to tell digests apart.
fn short(digest: &str) -> String {
    digest.chars().take(19).collect()
}

fn first_failure(findings: &[Finding]) -> Option<Verdict> {
    let failed = findings.iter().find(|f| f.status == Status::Fail)?;
    verdict(
        &format!("{}-failed", failed.check),
        failed.evidence.clone(),
        failed.fix.clone(),
    )
}

fn healthy(findings: &[Finding]) -> Verdict {
    let count = |status: Status| findings.iter().filter(|f| f.status == status).count();
    let (passed, warned) = (count(Status::Pass), count(Status::Warn));
    let unseen = count(Status::Skip) + count(Status::Unknown);
    if passed == 0 {
        let text = format!("Nothing could be decided: {unseen} checks could not be looked at.");
        return Verdict {
            code: "undecided".to_owned(),
            text,
            fix: String::new(),
        };
    }
    let mut text = format!("Nothing is wrong: {passed} checks passed");
    for (n, what) in [
        (warned, "with a remark"),
        (unseen, "could not be looked at"),
    ] {
        if n > 0 {
            text.push_str(&format!(", {n} {what}"));
        }
    }
    Verdict {
        code: HEALTHY.to_owned(),
        text: format!("{text}."),
        fix: String::new(),
    }
}
