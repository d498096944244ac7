//! Answers that come late: said with their figures, and blamed only on what is known to take the time.

use super::*;

fn called(facts: &mut Facts) -> &mut GatewayCall {
    let Fact::Known(call) = &mut facts.gateway else {
        panic!("known in the healthy facts")
    };
    call
}

fn direct(facts: &mut Facts) -> &mut Invocation {
    let Fact::Known(Invoke::Answered(call)) = &mut facts.invoke else {
        panic!("known in the healthy facts")
    };
    call
}

/// A valid prediction after 4.5 s, most of it waited for.
fn late() -> Facts {
    let mut facts = healthy();
    let call = called(&mut facts);
    (call.elapsed_ms, call.wait_ms) = (4500.0, Some(4400.0));
    facts
}

fn finding<'a>(diagnosis: &'a Diagnosis, check: &str) -> &'a Finding {
    let found = diagnosis.findings.iter().find(|f| f.check == check);
    found.unwrap()
}

#[test]
fn a_valid_but_late_answer_is_a_remark_with_its_figures_though_nothing_tells_why() {
    let mut facts = late();
    facts.invoke = denied("lambda:InvokeFunction");
    let diagnosis = diagnose(&facts);
    assert!(diagnosis.is_healthy(), "{:?}", diagnosis.verdict);
    assert!(
        diagnosis.verdict.text.contains("1 with a remark (gateway)"),
        "{:?}",
        diagnosis.verdict
    );
    let gateway = finding(&diagnosis, "gateway");
    assert_eq!(
        (gateway.status, gateway.evidence.as_str()),
        (
            Status::Warn,
            "200 in 4500 ms, a valid prediction, but late: the limit is 500 ms (40 ms to connect, 4400 ms to the first byte)"
        )
    );
}

#[test]
fn where_everything_is_slow_but_the_function_it_is_the_network() {
    let mut facts = late();
    direct(&mut facts).elapsed_ms = 4600.0;
    direct(&mut facts).duration_ms = Some(120.0);
    let Verdict { code, text, .. } = diagnose(&facts).verdict;
    assert_eq!(code, "slow-network", "{text}");
    for figure in ["4500 ms", "4600 ms", "120 ms", "between here and AWS"] {
        assert!(text.contains(figure), "{text}");
    }
    // Without a REPORT line nobody knows whose time it was.
    direct(&mut facts).duration_ms = None;
    assert!(diagnose(&facts).is_healthy());
}

#[test]
fn a_quick_direct_call_leaves_the_gateway_the_network_or_a_cold_start() {
    let text = diagnose(&late()).verdict.text;
    assert!(
        text.contains("gateway or the network, unless that call was a cold start"),
        "{text}"
    );
    // Connecting took the time: no environment is that.
    let mut facts = late();
    called(&mut facts).wait_ms = Some(90.0);
    let text = diagnose(&facts).verdict.text;
    assert!(text.ends_with("gateway or the network."), "{text}");
}

#[test]
fn two_slow_calls_are_the_handlers_when_its_report_says_so() {
    let mut facts = late();
    direct(&mut facts).elapsed_ms = 4600.0;
    direct(&mut facts).duration_ms = Some(4550.0);
    let Verdict { code, text, .. } = diagnose(&facts).verdict;
    assert_eq!(code, "slow-dependency", "{text}");
    assert!(text.contains("4550 ms (n = 2)"), "{text}");
    // A cold start's init is not the handler's fault.
    direct(&mut facts).duration_ms = Some(150.0);
    direct(&mut facts).init_ms = Some(4400.0);
    let diagnosis = diagnose(&facts);
    assert!(diagnosis.is_healthy(), "{:?}", diagnosis.verdict);
    assert_eq!(finding(&diagnosis, "gateway").status, Status::Warn);
}

#[test]
fn a_function_that_takes_nearly_the_checks_whole_time_is_not_the_networks_fault() {
    let mut facts = healthy();
    facts.gateway = Fact::Known(hung());
    direct(&mut facts).elapsed_ms = 4400.0;
    direct(&mut facts).duration_ms = Some(4300.0);
    assert_eq!(diagnose(&facts).verdict.code, "slow-dependency");
}

#[test]
fn what_holds_every_request_is_not_the_function() {
    let mut facts = healthy();
    facts.gateway = Fact::Known(hung());
    facts.invoke = Fact::Known(Invoke::TimedOut { after_ms: 5000.0 });
    assert_eq!(diagnose(&facts).verdict.code, "integration-timeout");
    let silent = || "no answer in 5.0 s".to_owned();
    facts.identity = Fact::Failed(silent());
    facts.function = Fact::Failed(silent());
    facts.policy = Fact::Failed(silent());
    facts.metrics = Fact::Failed(silent());
    let Verdict { code, text, .. } = diagnose(&facts).verdict;
    assert_eq!(code, "no-answer", "{text}");
    assert!(text.contains("neither the endpoint nor AWS"), "{text}");
}

/// The owner's limit is 500 ms; who sets another one is believed by every check.
#[test]
fn what_counts_as_slow_is_the_rules() {
    let mut facts = healthy();
    direct(&mut facts).duration_ms = Some(700.0);
    let again = Repeat {
        duration_ms: 700.0,
        cold: false,
    };
    facts.repeats = vec![again; 2];
    let Fact::Known(logs) = &mut facts.logs else {
        panic!("known in the healthy facts")
    };
    logs.warm_p50_ms = Some(700.0);
    called(&mut facts).elapsed_ms = 900.0;
    assert_eq!(diagnose(&facts).verdict.code, "slow-dependency");
    facts.limits.warm_ms = 800.0;
    facts.limits.all_ms = 1000.0;
    let diagnosis = diagnose(&facts);
    assert!(diagnosis.is_healthy(), "{:?}", diagnosis.verdict);
    for check in ["gateway", "invoke", "runtime"] {
        let found = finding(&diagnosis, check);
        assert_eq!(found.status, Status::Pass, "{found:?}");
    }
}

#[test]
fn a_connection_that_takes_longer_than_a_call_may_is_a_remark() {
    let mut facts = healthy();
    facts.network = Fact::Known(Network {
        connect_ms: 1500.0,
        certificate_days: Some(200),
    });
    called(&mut facts).elapsed_ms = 1700.0;
    let diagnosis = diagnose(&facts);
    assert_eq!(finding(&diagnosis, "network").status, Status::Warn);
    // The gateway itself was quick.
    assert_eq!(finding(&diagnosis, "gateway").status, Status::Pass);
}
