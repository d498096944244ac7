//! The checks, one function each: what a fact looks like as a finding.

mod edge;
mod function;
mod image;
mod runtime;
mod wiring;

use super::facts::{Fact, Facts};
use super::{Finding, Status, fixes, one_line};

pub use image::{digests, repository_grant};
pub use wiring::{integration_names_function, invoke_grant, zero_throttle};

/// All checks in their order.
pub fn all(facts: &Facts) -> Vec<Finding> {
    let mut findings = vec![
        edge::clock(facts),
        edge::network(facts),
        edge::gateway(facts),
        function::identity(facts),
        function::function(facts),
        function::invoke(facts),
        wiring::api(facts),
        wiring::policy(facts),
        image::image(facts),
        image::repository_policy(facts),
        image::role(facts),
        image::deployer(facts),
        function::concurrency(facts),
        runtime::metrics(facts),
        runtime::runtime(facts),
        runtime::logs(facts),
    ];
    for finding in findings.iter_mut().filter(|f| f.fix.is_empty()) {
        if let Some(action) = &finding.missing_action {
            finding.fix = fixes::grant(facts, &[action]);
        }
    }
    findings
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
                "",
            )
        },
        Fact::Failed(text) => finding(check, Status::Unknown, text, ""),
        Fact::NoCredentials(text) => {
            finding(check, Status::Skip, format!("not looked at: {text}"), "")
        }
        Fact::NotAsked => finding(check, Status::Skip, "does not apply to this target", ""),
    }
}
