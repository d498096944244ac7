//! Causes before the function: the clock, the credentials, the permissions, the region, the network.

use super::super::facts::{Fact, Facts, Invoke};
use super::super::{Verdict, fixes, one_line};
use super::{function_name, gateway, gateway_down, gateway_good, verdict};
use crate::domain::alerts::alarm::quote;

/// Beyond this, AWS refuses signatures. Seconds.
const SKEW_LIMIT_S: f64 = 300.0;

pub(super) fn clock_skew(facts: &Facts) -> Option<Verdict> {
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

pub(super) fn credentials_expired(facts: &Facts) -> Option<Verdict> {
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

/// Lambda gives no usable answer to anything, and AWS as a whole perhaps neither: what the function does is not known.
/// Where other services alone are silent the verdict stands without them, as it does without a permission.
pub(super) fn aws_unreachable(facts: &Facts) -> Option<Verdict> {
    let (Fact::Failed(why), Fact::Failed(_)) = (&facts.function, &facts.policy) else {
        return None;
    };
    let uncalled = matches!(
        facts.invoke,
        Fact::NotAsked | Fact::Failed(_) | Fact::Known(Invoke::NotCalled | Invoke::TimedOut { .. })
    );
    if !uncalled {
        return None;
    }
    let why = one_line(why, 300);
    let why = why.trim_end_matches('.');
    if matches!(facts.gateway, Fact::Failed(_)) {
        return verdict(
            "unreachable",
            format!("Neither the endpoint nor AWS can be reached: {why}."),
            format!("curl -v {}", quote(&facts.subject.endpoint)),
        );
    }
    let elsewhere = facts.identity.known().is_some() || facts.metrics.known().is_some();
    let who = if elsewhere { "Lambda" } else { "AWS" };
    let endpoint = match gateway(facts) {
        Some(call) if call.is_good() => " The endpoint itself answers.",
        Some(_) => " Why the endpoint fails cannot be decided without it.",
        None => "",
    };
    verdict(
        "aws-unreachable",
        format!("{who} cannot be asked: {why}.{endpoint}"),
        fixes::find_aws(facts),
    )
}

pub(super) fn wrong_region(facts: &Facts) -> Option<Verdict> {
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
    let text = match &facts.subject.qualifier {
        Some(qualifier) => format!(
            "There is no alias or version {} of {name}, or no such function, in {region}{account}.{hint}",
            one_line(qualifier, 60)
        ),
        None => format!(
            "There is no function {name} in {region}{account}: wrong region, account or name.{hint}"
        ),
    };
    verdict("wrong-region", text, fixes::find_function(facts))
}

/// Nothing about the function may be read: no other rule could decide honestly.
pub(super) fn reads_nothing(facts: &Facts) -> Option<Verdict> {
    let blind = facts.function.denied().is_some()
        && facts.policy.denied().is_some()
        && facts.metrics.denied().is_some()
        && facts.invocation().is_none();
    if blind { access_denied(facts) } else { None }
}

pub(super) fn cannot_decide(facts: &Facts) -> Option<Verdict> {
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
        fixes::grant(facts, &actions),
    )
}

pub(super) fn unreachable(facts: &Facts) -> Option<Verdict> {
    let ((Fact::Failed(why), _) | (_, Fact::Failed(why))) = (&facts.gateway, &facts.network) else {
        return shaky(facts);
    };
    verdict(
        "unreachable",
        format!("The endpoint cannot be reached: {}", one_line(why, 200)),
        format!("curl -v {}", quote(&facts.subject.endpoint)),
    )
}

/// The endpoint answered late, or only after broken connections.
fn shaky(facts: &Facts) -> Option<Verdict> {
    let call = gateway(facts)?;
    match (call.timed_out, call.broken_attempts) {
        (true, _) => verdict(
            "no-answer",
            format!(
                "The endpoint gave no answer within the check's {:.0} s; how long the function alone takes is not known.",
                call.elapsed_ms / 1000.0
            ),
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
    }
}
