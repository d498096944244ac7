//! Checks 7 and 8: the image, who may pull it, what the roles may do.

use super::super::facts::{Fact, Facts, Simulated};
use super::super::policy::{Answer, Question, evaluate};
use super::super::{Finding, Status, fixes};
use super::{about, finding};
use crate::domain::arn;

fn by_digest(facts: &Facts) -> bool {
    let image = facts.function.known().and_then(|f| f.image_uri.as_deref());
    image.is_some_and(|uri| uri.contains('@'))
}

/// (digest that runs, digest the deployed tag points to), when both are known and the deploy was by tag.
pub fn digests(facts: &Facts) -> Option<(&str, &str)> {
    let function = facts.function.known()?;
    if by_digest(facts) {
        return None;
    }
    let running = function.resolved_image_uri.as_deref()?.split_once('@')?.1;
    Some((running, facts.image.known()?.tag_digest.as_deref()?))
}

pub(super) fn image(facts: &Facts) -> Finding {
    if let Fact::Missing(text) = &facts.image {
        return finding("image", Status::Fail, text, fixes::redeploy(facts));
    }
    about("image", &facts.image, |_| match digests(facts) {
        Some((running, tag)) if running == tag => finding(
            "image",
            Status::Pass,
            format!("the tag still points to {running}"),
            "",
        ),
        Some((running, tag)) => finding(
            "image",
            Status::Warn,
            format!("runs {running}, the tag now points to {tag}"),
            fixes::redeploy(facts),
        ),
        None if by_digest(facts) => finding(
            "image",
            Status::Pass,
            "the image exists; deployed by digest",
            "",
        ),
        None => finding(
            "image",
            Status::Warn,
            "the image exists, but its tag is gone: the next deploy by tag would find nothing",
            fixes::restore_tag(facts),
        ),
    })
}

/// May Lambda pull the image? `Err` names the actions it lacks, `None` means the policy is not known.
pub fn repository_grant(facts: &Facts) -> Option<Result<(), Vec<&'static str>>> {
    const PULL: [&str; 2] = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
    if facts.repository_policy.is_missing() {
        return Some(Err(PULL.to_vec()));
    }
    let document = facts.repository_policy.known()?;
    let function = facts.function.known().map(|f| f.arn.as_str());
    let lacking: Vec<&'static str> = PULL
        .into_iter()
        .filter(|action| {
            let question = Question {
                principal: "lambda.amazonaws.com",
                action,
                source_arn: function,
                source_account: function.and_then(arn::account),
            };
            matches!(
                evaluate(document, &question),
                Answer::NotAllowed { .. } | Answer::Denied(_)
            )
        })
        .collect();
    Some(if lacking.is_empty() {
        Ok(())
    } else {
        Err(lacking)
    })
}

pub(super) fn repository_policy(facts: &Facts) -> Finding {
    match repository_grant(facts) {
        Some(Ok(())) => finding(
            "repository-policy",
            Status::Pass,
            "lambda.amazonaws.com may pull",
            "",
        ),
        Some(Err(lacking)) => finding(
            "repository-policy",
            Status::Fail,
            format!(
                "lambda.amazonaws.com may not do {} (the execution role does not pull images)",
                lacking.join(", ")
            ),
            fixes::repository_policy(facts),
        ),
        None => about("repository-policy", &facts.repository_policy, |_| {
            finding("repository-policy", Status::Unknown, "", "")
        }),
    }
}

fn denied(simulated: &[Simulated]) -> Vec<&str> {
    simulated
        .iter()
        .filter(|s| s.decision != "allowed")
        .map(|s| s.action.as_str())
        .collect()
}

pub(super) fn role(facts: &Facts) -> Finding {
    about("role", &facts.role_logs, |simulated| {
        match denied(simulated).as_slice() {
            [] => finding(
                "role",
                Status::Pass,
                "the execution role may write logs",
                "",
            ),
            lacking if facts.lines_arrive() => finding(
                "role",
                Status::Warn,
                format!(
                    "the simulator says that the execution role may not do {}, yet lines arrive",
                    lacking.join(", ")
                ),
                "",
            ),
            lacking => finding(
                "role",
                Status::Fail,
                format!("the execution role may not do {}", lacking.join(", ")),
                fixes::allow_logs(facts),
            ),
        }
    })
}

pub(super) fn deployer(facts: &Facts) -> Finding {
    about("deployer", &facts.deployer, |simulated| {
        match denied(simulated).as_slice() {
            [] => finding("deployer", Status::Pass, "the caller may deploy", ""),
            // An on-call engineer need not be able to deploy: worth knowing, not wrong.
            lacking => finding(
                "deployer",
                Status::Warn,
                format!(
                    "the caller may not do {}: others have to deploy",
                    lacking.join(", ")
                ),
                "",
            ),
        }
    })
}
