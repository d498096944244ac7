//! Checks 3 to 5 and 9: identity, function, direct call, concurrency.

use std::fmt::Write as _;

use super::super::facts::{Fact, Facts, Function, Invocation, Invoke};
use super::super::gateway::proxy_violation;
use super::super::verdict::cold_repeats;
use super::super::{Finding, Status, fixes};
use super::{about, finding};
use crate::domain::arn;

pub(super) fn identity(facts: &Facts) -> Finding {
    about("identity", &facts.identity, |identity| {
        let owner = facts.function.known().and_then(|f| arn::account(&f.arn));
        let text = format!("{} in account {}", identity.arn, identity.account);
        match owner.filter(|o| *o != identity.account) {
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

pub(super) fn function(facts: &Facts) -> Finding {
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
    let _ = write!(
        text,
        "; {} MB, timeout {} s",
        function.memory_mb, function.timeout_s
    );
    text
}

pub(super) fn invoke(facts: &Facts) -> Finding {
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
            let time = format!(
                "{} in {:.0} ms{}",
                call.status,
                call.elapsed_ms,
                bare(facts)
            );
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
                (None, None) => answered(facts, call, &time),
            }
        }
    })
}

/// What the bare features brought, where the gateway's event was not understood.
fn bare(facts: &Facts) -> &'static str {
    match facts.raw.known() {
        Some(Invoke::Answered(raw)) if raw.function_error.is_none() => {
            " (the bare features are understood)"
        }
        Some(Invoke::Answered(_)) => " (nor are the bare features understood)",
        _ => "",
    }
}

/// A good answer: was it in time, and from a warm environment?
fn answered(facts: &Facts, call: &Invocation, time: &str) -> Finding {
    let (cold, n) = cold_repeats(facts);
    if cold > 0 {
        let text = format!("{time}; {cold} of {n} calls right after another one were cold starts");
        return finding("invoke", Status::Warn, text, fixes::keep_warm(facts));
    }
    if let Some(ms) = call.duration_ms.filter(|ms| *ms > facts.limits.warm_ms) {
        let text = format!("{time}, of which the handler took {ms:.0} ms");
        return finding("invoke", Status::Warn, text, fixes::read_errors(facts));
    }
    let text = format!("{time}, a proxy response");
    finding("invoke", Status::Pass, text, "")
}

pub(super) fn concurrency(facts: &Facts) -> Finding {
    about("concurrency", &facts.concurrency, |concurrency| {
        let account = concurrency.account_limit.known().copied();
        let limit = account.map_or("unknown".to_owned(), |l| l.to_string());
        let highest = facts
            .metrics
            .known()
            .and_then(|m| m.concurrent_max)
            .unwrap_or(0.0);
        let effective = concurrency.reserved.or(account);
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
                Finding {
                    missing_action: concurrency.account_limit.denied().map(str::to_owned),
                    ..finding(
                        "concurrency",
                        Status::Pass,
                        format!("reserved {reserved}, account limit {limit}"),
                        "",
                    )
                }
            }
        }
    })
}
