//! Causes in the function itself: how its calls end and how long they take.

use super::super::facts::{Facts, Invocation, Invoke, Logs};
use super::super::gateway::{Answerer, proxy_violation};
use super::super::{Verdict, fixes, one_line};
use super::{function_name, gateway, gateway_down, slowness, verdict};

/// Of a gateway that gives up this share of its limit must have passed: clocks differ a little.
const NEARLY: f64 = 0.9;
/// So many calls before a share of cold starts means anything.
const STORM_MIN_N: usize = 20;
/// Cold starts per call that make a storm.
const STORM_SHARE: f64 = 0.3;

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

pub(super) fn out_of_memory(facts: &Facts) -> Option<Verdict> {
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

pub(super) fn timeout(facts: &Facts) -> Option<Verdict> {
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

pub(super) fn malformed_proxy_response(facts: &Facts) -> Option<Verdict> {
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

pub(super) fn handler_crash(facts: &Facts) -> Option<Verdict> {
    if let Some(error) = facts.invocation().and_then(crash_text) {
        return verdict(
            "handler-crash",
            format!(
                "The handler crashes: called directly it says {}.",
                one_line(&error, 200).trim_end_matches('.')
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

pub(super) fn silent_200(facts: &Facts) -> Option<Verdict> {
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

/// The gateway gave up on its own limit, or nobody answered within ours. A quick 503 is something else.
pub(super) fn integration_timeout(facts: &Facts) -> Option<Verdict> {
    let call = gateway(facts)?;
    if call.timed_out {
        return slowness::no_answer(facts);
    }
    let gave_up = matches!(call.status, 503 | 504) && call.answerer() == Answerer::Gateway;
    (gave_up && took_the_limit(facts, call.elapsed_ms)).then_some(())?;
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
        fixes::longer_integration(facts),
    )
}

/// Did this call, or the function called directly, take as long as the integration waits? Where the limit is not known
/// only a direct call without an answer says so.
pub(super) fn took_the_limit(facts: &Facts, elapsed_ms: f64) -> bool {
    let direct = match facts.invoke.known() {
        Some(Invoke::TimedOut { .. }) => return true,
        Some(Invoke::Answered(call)) => call
            .duration_ms
            .map(|ms| ms + call.init_ms.unwrap_or_default()),
        _ => None,
    };
    facts.integration().is_some_and(|integration| {
        let limit = f64::from(integration.timeout_ms);
        elapsed_ms >= NEARLY * limit || direct.is_some_and(|ms| ms >= limit)
    })
}

pub(super) fn role_cannot_log(facts: &Facts) -> Option<Verdict> {
    let denied: Vec<&str> = facts
        .role_logs
        .known()?
        .iter()
        .filter(|s| s.decision != "allowed")
        .map(|s| s.action.as_str())
        .collect();
    (!denied.is_empty() && !facts.lines_arrive()).then_some(())?;
    verdict(
        "role-cannot-log",
        format!(
            "The function works but is silent: its execution role may not do {}.",
            denied.join(", ")
        ),
        fixes::allow_logs(facts),
    )
}

/// Share of cold starts in the log, when it is a storm's.
pub fn storm_share(logs: &Logs) -> Option<f64> {
    let share = logs.cold as f64 / logs.reports.max(1) as f64;
    (logs.reports >= STORM_MIN_N && share >= STORM_SHARE).then_some(share)
}

/// (cold ones, all) of the direct calls made right after another one.
pub fn cold_repeats(facts: &Facts) -> (usize, usize) {
    let cold = facts.repeats.iter().filter(|r| r.cold).count();
    (cold, facts.repeats.len())
}

/// Calls just made know better than the log: one that found a warm environment says that the storm is over.
pub(super) fn cold_start_storm(facts: &Facts) -> Option<Verdict> {
    let (again, n) = cold_repeats(facts);
    let text = if n > 0 {
        if again < n.max(2) {
            return None;
        }
        format!(
            "{again} of {n} direct calls right after another one are cold starts: environments do not survive."
        )
    } else {
        if facts
            .invocation()
            .is_some_and(|call| call.init_ms.is_none())
        {
            return None;
        }
        let logs = facts.logs.known()?;
        format!(
            "{} of {} calls are cold starts ({:.0} %): environments do not survive.",
            logs.cold,
            logs.reports,
            storm_share(logs)? * 100.0
        )
    };
    verdict("cold-start-storm", text, fixes::keep_warm(facts))
}
