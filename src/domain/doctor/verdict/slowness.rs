//! Answers that come late, or not at all: what is known of where the time goes.

use super::super::facts::{Fact, Facts, GatewayCall, Invocation, Invoke};
use super::super::{Verdict, fixes};
use super::behaviour::took_the_limit;
use super::{gateway, verdict};
use crate::domain::latency::nearest_rank;

/// A good answer later than this is no tail any more. Milliseconds.
const LATE_MS: f64 = 3000.0;
/// A direct call that took less was not held up. Milliseconds.
const QUICK_MS: f64 = 1000.0;

/// Neither the endpoint nor AWS itself: whatever holds them is on the way.
pub(super) fn nothing_answers(facts: &Facts) -> Option<Verdict> {
    let call = gateway(facts).filter(|call| call.timed_out)?;
    let silent = [
        matches!(facts.identity, Fact::Failed(_)),
        matches!(facts.function, Fact::Failed(_)),
        matches!(facts.policy, Fact::Failed(_)),
        matches!(facts.metrics, Fact::Failed(_)),
    ];
    silent.into_iter().all(|silent| silent).then_some(())?;
    verdict(
        "no-answer",
        format!(
            "Nothing answers within the check's {:.0} s, neither the endpoint nor AWS itself: the network or a proxy on the way holds every request.",
            call.elapsed_ms / 1000.0
        ),
        "",
    )
}

/// The check's own limit passed without an answer from the gateway: what the function alone takes tells where the time goes.
pub(super) fn no_answer(facts: &Facts) -> Option<Verdict> {
    let call = gateway(facts)?;
    let waited = format!(
        "The endpoint gave no answer within the check's {:.0} s",
        call.elapsed_ms / 1000.0
    );
    match facts.invoke.known() {
        Some(Invoke::Answered(direct)) if took_the_limit(facts, call.elapsed_ms) => verdict(
            "integration-timeout",
            format!(
                "{waited}, and a direct call takes {:.0} ms: longer than the gateway's integration waits.",
                direct.elapsed_ms
            ),
            fixes::longer_integration(facts),
        ),
        Some(Invoke::Answered(direct))
            if direct.function_error.is_none()
                && direct
                    .duration_ms
                    .is_some_and(|ms| ms > call.elapsed_ms / 2.0) =>
        {
            verdict(
                "slow-dependency",
                format!(
                    "{waited}, and a direct call takes {:.0} ms, most of it in its handler: the handler itself is slow, or something it calls.",
                    direct.elapsed_ms
                ),
                fixes::read_errors(facts),
            )
        }
        Some(Invoke::Answered(direct)) if direct.function_error.is_none() => verdict(
            "slow-network",
            format!("{waited}, {}.", held_up(direct)),
            "",
        ),
        Some(Invoke::TimedOut { .. }) => verdict(
            "integration-timeout",
            format!("{waited}, nor did the function called directly: it takes too long."),
            fixes::longer_integration(facts),
        ),
        _ => None,
    }
}

/// Where the time goes when the function itself does not take it.
fn held_up(direct: &Invocation) -> String {
    let elapsed = direct.elapsed_ms;
    match direct.own_ms() {
        Some(own) if elapsed >= QUICK_MS => format!(
            "a direct call {elapsed:.0} ms, of which the function itself took {own:.0} ms: the time goes into the network between here and AWS"
        ),
        _ => format!(
            "the function alone takes {elapsed:.0} ms: the time goes into the gateway or the network"
        ),
    }
}

/// The endpoint answers well, but late. Says where the time goes where that is known; one slow call alone is a remark.
pub(super) fn slow_answer(facts: &Facts) -> Option<Verdict> {
    let (call, direct) = (gateway(facts)?, facts.invocation()?);
    let late = call.is_good() && call.elapsed_ms > LATE_MS;
    (late && direct.function_error.is_none()).then_some(())?;
    let took = format!(
        "The endpoint takes {:.0} ms ({})",
        call.elapsed_ms,
        phases(facts, call)
    );
    let own = direct.own_ms();
    if direct.elapsed_ms < QUICK_MS || own.is_some_and(|own| own < direct.elapsed_ms / 2.0) {
        // The call through the gateway was the first: it may have met a cold environment that the next one found warm.
        let waited = call.wait_ms.is_some_and(|ms| ms > call.elapsed_ms / 2.0);
        let cold = if waited && direct.elapsed_ms < QUICK_MS {
            ", unless that call was a cold start"
        } else {
            ""
        };
        let text = format!("{took}, {}{cold}.", held_up(direct));
        return verdict("slow-network", text, "");
    }
    let handler = direct.duration_ms.filter(|_| direct.init_ms.is_none())?;
    (handler > facts.limits.warm_ms).then_some(())?;
    verdict(
        "slow-dependency",
        format!(
            "{took}, a direct call {:.0} ms, of which its handler took {handler:.0} ms (n = 2): the handler itself is slow, or something it calls.",
            direct.elapsed_ms
        ),
        fixes::read_errors(facts),
    )
}

/// `45 ms to connect, 3200 ms to the first byte`, as far as it is known.
pub(in super::super) fn phases(facts: &Facts, call: &GatewayCall) -> String {
    let connect = facts.network.known().map(|network| network.connect_ms);
    let named = [
        connect.map(|ms| format!("{ms:.0} ms to connect")),
        call.wait_ms
            .map(|ms| format!("{ms:.0} ms to the first byte")),
    ];
    let known: Vec<String> = named.into_iter().flatten().collect();
    if known.is_empty() {
        "its phases are not known".to_owned()
    } else {
        known.join(", ")
    }
}

/// A median warm call slower than the rule for p99 allows is no tail but a condition.
pub(super) fn slow_dependency(facts: &Facts) -> Option<Verdict> {
    let (median, n, source) = warm_median(facts)?;
    // One slow call proves nothing unless the direct call agrees.
    let direct = facts.invocation().and_then(|i| i.duration_ms);
    let limit = facts.limits.warm_ms;
    (median > limit && n >= 3 && direct.is_none_or(|ms| ms > limit)).then_some(())?;
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
    let first = facts
        .invocation()
        .filter(|call| call.init_ms.is_none())
        .and_then(|call| call.duration_ms);
    let warm = facts.repeats.iter().filter(|r| !r.cold);
    let mut now: Vec<f64> = first
        .into_iter()
        .chain(warm.map(|r| r.duration_ms))
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
