//! The decision matrix: the first cause, in order of certainty, that explains what was seen.

mod behaviour;
mod deploy;
mod reach;
mod slowness;
mod wiring;

use std::fmt::Write as _;

pub(super) use behaviour::{cold_repeats, storm_share};
pub(super) use slowness::phases;

use super::facts::{Facts, GatewayCall};
use super::gateway::Answerer;
use super::{Finding, HEALTHY, Status, Verdict};

type Rule = fn(&Facts) -> Option<Verdict>;

/// From "nothing can be asked" over "it is switched off" and "it is not reached" to "it runs, but badly".
const RULES: [Rule; 32] = [
    reach::clock_skew,
    slowness::nothing_answers,
    reach::credentials_expired,
    reach::aws_unreachable,
    reach::wrong_region,
    reach::reads_nothing,
    wiring::reserved_zero,
    deploy::image_deleted,
    deploy::ecr_denied,
    wiring::endpoint_disabled,
    wiring::unauthorized,
    wiring::route_missing,
    wiring::stage_throttle,
    wiring::throttled_concurrency,
    wiring::wrong_integration,
    wiring::permission,
    behaviour::out_of_memory,
    behaviour::timeout,
    behaviour::malformed_proxy_response,
    behaviour::handler_crash,
    behaviour::silent_200,
    behaviour::integration_timeout,
    deploy::function_failed,
    deploy::bad_deploy,
    reach::cannot_decide,
    wiring::unexplained_500,
    reach::unreachable,
    behaviour::role_cannot_log,
    behaviour::cold_start_storm,
    slowness::slow_dependency,
    slowness::slow_answer,
    deploy::tag_drift,
];

/// The verdict over facts and findings.
pub fn of(facts: &Facts, findings: &[Finding]) -> Verdict {
    RULES
        .iter()
        .find_map(|rule| rule(facts))
        .or_else(|| first_failure(findings))
        .unwrap_or_else(|| healthy(findings))
}

/// An `Option`, since it is what a rule returns.
#[expect(clippy::unnecessary_wraps, reason = "every rule ends in it")]
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
    // What nobody could look at may be wrong.
    let found = if unseen > 0 {
        "Nothing wrong was found"
    } else {
        "Nothing is wrong"
    };
    let mut text = format!("{found}: {passed} checks passed");
    if warned > 0 {
        let remarks = findings.iter().filter(|f| f.status == Status::Warn);
        let remarks: Vec<&str> = remarks.map(|f| f.check.as_str()).collect();
        let _ = write!(text, ", {warned} with a remark ({})", remarks.join(", "));
    }
    if unseen > 0 {
        let _ = write!(text, ", {unseen} could not be looked at");
        let unanswered = findings.iter().filter(|f| f.status == Status::Unknown);
        let unanswered: Vec<&str> = unanswered.map(|f| f.check.as_str()).collect();
        if !unanswered.is_empty() {
            let _ = write!(text, " (no answer about {})", unanswered.join(", "));
        }
    }
    Verdict {
        code: HEALTHY.to_owned(),
        text: format!("{text}."),
        fix: String::new(),
    }
}
