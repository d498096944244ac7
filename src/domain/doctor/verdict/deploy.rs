//! Causes in what was deployed: images, pull permissions, failed updates, moved tags.

use super::super::facts::Facts;
use super::super::{Verdict, checks, fixes, one_line};
use super::{function_name, verdict};

fn update_code(facts: &Facts) -> Option<&str> {
    facts.function.known()?.last_update_code.as_deref()
}

pub(super) fn image_deleted(facts: &Facts) -> Option<Verdict> {
    let gone = facts.image.is_missing() || update_code(facts) == Some("ImageDeleted");
    gone.then_some(())?;
    let image = facts
        .function
        .known()
        .and_then(|f| f.image_uri.as_deref())
        .unwrap_or("the image");
    let state = facts
        .function
        .known()
        .map(|f| format!(" (state {})", f.state))
        .unwrap_or_default();
    verdict(
        "image-deleted",
        format!(
            "{} is no longer in ECR: the function cannot start new environments{state}.",
            one_line(image, 120)
        ),
        format!("# push the image again, then:\n{}", fixes::redeploy(facts)),
    )
}

pub(super) fn ecr_denied(facts: &Facts) -> Option<Verdict> {
    let no_grant = checks::repository_grant(facts).is_some_and(|grant| grant.is_err());
    let refused = update_code(facts) == Some("ImageAccessDenied")
        && checks::repository_grant(facts).is_none();
    (no_grant || refused).then_some(())?;
    verdict(
        "ecr-denied",
        "Lambda may not pull the image: the repository policy must let lambda.amazonaws.com do ecr:BatchGetImage and \
         ecr:GetDownloadUrlForLayer (the execution role does not pull images).",
        fixes::repository_policy(facts),
    )
}

pub(super) fn function_failed(facts: &Facts) -> Option<Verdict> {
    let function = facts.function.known()?;
    (function.state == "Failed" && function.last_update_status != "Failed").then_some(())?;
    let reason = function
        .state_reason
        .as_deref()
        .unwrap_or("no reason given");
    verdict(
        "function-failed",
        format!(
            "{} is in state Failed: {}",
            function_name(facts),
            one_line(reason, 200)
        ),
        fixes::redeploy(facts),
    )
}

pub(super) fn bad_deploy(facts: &Facts) -> Option<Verdict> {
    let function = facts.function.known()?;
    (function.last_update_status == "Failed").then_some(())?;
    let code = function
        .last_update_code
        .as_deref()
        .unwrap_or("no reason code");
    let reason = function.last_update_reason.as_deref().unwrap_or_default();
    let serving = if function.state == "Active" {
        "the old image is still serving"
    } else {
        "and the function is not active"
    };
    verdict(
        "bad-deploy",
        format!(
            "The last deploy failed ({}: {}); {serving}.",
            one_line(code, 60),
            one_line(reason, 160)
        ),
        fixes::replace_deploy(facts),
    )
}

pub(super) fn tag_drift(facts: &Facts) -> Option<Verdict> {
    let (running, tag) = checks::digests(facts)?;
    (running != tag).then_some(())?;
    let image = facts
        .function
        .known()
        .and_then(|f| f.image_uri.as_deref())
        .unwrap_or("the tag");
    verdict(
        "tag-drift",
        format!(
            "{} has moved to {} since the deploy: the function still runs {}.",
            one_line(image, 100),
            short(tag),
            short(running)
        ),
        fixes::redeploy(facts),
    )
}

/// `sha256:0123456789ab`, enough to tell digests apart.
fn short(digest: &str) -> String {
    digest.chars().take(19).collect()
}
