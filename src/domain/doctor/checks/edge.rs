//! Checks 0 to 2: clock, network, one prediction through the gateway.

use super::super::facts::{Facts, GatewayCall};
use super::super::{Answerer, Finding, Status};
use super::{about, finding};
use crate::domain::doctor::verdict::phases;

pub(super) fn clock(facts: &Facts) -> Finding {
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

pub(super) fn network(facts: &Facts) -> Finding {
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
        let (usual, reached) = if network.connect_ms > facts.limits.all_ms {
            let limit = facts.limits.all_ms;
            let text = format!("{reached}, where a whole call may take {limit:.0} ms");
            (Status::Warn, text)
        } else {
            (Status::Pass, reached)
        };
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
                usual,
                format!("{reached}, certificate good for {days} days"),
                "",
            ),
            None => finding("network", usual, format!("{reached}, no TLS"), ""),
        }
    })
}

pub(super) fn gateway(facts: &Facts) -> Finding {
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
                format!("{seen} after {}", broken(call.broken_attempts)),
                "",
            ),
            None => match late(facts, call) {
                Some(late) => finding(
                    "gateway",
                    Status::Warn,
                    format!("{seen}, a valid prediction, but late: {late}"),
                    "",
                ),
                None => finding(
                    "gateway",
                    Status::Pass,
                    format!("{seen}, a valid prediction"),
                    "",
                ),
            },
        }
    })
}

/// How a call was later than the rule for all calls allows, apart from the time to connect, with its phases.
fn late(facts: &Facts, call: &GatewayCall) -> Option<String> {
    let connect = facts.network.known().map_or(0.0, |n| n.connect_ms);
    let limit = facts.limits.all_ms;
    (call.elapsed_ms - connect > limit)
        .then(|| format!("the limit is {limit:.0} ms ({})", phases(facts, call)))
}

fn broken(connections: u32) -> String {
    match connections {
        1 => "1 broken connection".to_owned(),
        n => format!("{n} broken connections"),
    }
}

fn who(call: &GatewayCall) -> &'static str {
    match call.answerer() {
        Answerer::Gateway => "in API Gateway's own words",
        Answerer::Handler => "in the handler's words",
        Answerer::Stranger => "from neither gateway nor handler",
    }
}
