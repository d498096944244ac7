//! Checks 10 to 12: metrics, REPORT lines, the log group.

use super::super::facts::{Fact, Facts};
use super::super::verdict::storm_share;
use super::super::{Finding, Status, fixes};
use super::{about, finding};

/// Below this many warm calls their median says nothing.
const ENOUGH_WARM: usize = 3;

pub(super) fn metrics(facts: &Facts) -> Finding {
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

pub(super) fn runtime(facts: &Facts) -> Finding {
    if facts.logs.is_missing() {
        let text = "no log group: the function never ran, or may not write logs";
        return finding("runtime", Status::Skip, text, "");
    }
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
        if let Some(share) = storm_share(logs) {
            remarks.push(format!(
                "{:.0} % of the calls were cold starts",
                share * 100.0
            ));
        }
        let warm = logs.reports.saturating_sub(logs.cold);
        let median = logs.warm_p50_ms.filter(|_| warm >= ENOUGH_WARM);
        if let Some(median) = median.filter(|ms| *ms > facts.limits.warm_ms) {
            remarks.push(format!(
                "half of {warm} warm calls took more than {median:.0} ms"
            ));
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

pub(super) fn logs(facts: &Facts) -> Finding {
    let group = fixes::log_group(facts);
    if facts.logs.is_missing() {
        let text =
            format!("no log group {group}: the role may not write logs, or the function never ran");
        return finding("logs", Status::Warn, text, fixes::allow_logs(facts));
    }
    about("logs", &facts.logs, |logs| {
        let kept = match &logs.retention {
            Fact::Known(Some(days)) => format!("kept {days} days"),
            Fact::Known(None) => "kept for ever".to_owned(),
            other => format!("retention unknown: {}", other.absence().unwrap_or_default()),
        };
        let (status, seen) = match logs.last_event_age_s {
            Some(age) => (Status::Pass, format!("last event {age:.0} s ago")),
            None => (Status::Warn, "no event in the window".to_owned()),
        };
        Finding {
            missing_action: logs.retention.denied().map(str::to_owned),
            ..finding("logs", status, format!("{group}: {seen}, {kept}"), "")
        }
    })
}
