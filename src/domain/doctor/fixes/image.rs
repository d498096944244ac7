//! Commands on the image: deploy it, restore its tag, let Lambda pull it.

use super::super::facts::{Facts, Function};
use super::{flags, function};
use crate::domain::alerts::alarm::quote;

fn image(facts: &Facts) -> Option<&str> {
    facts.function.known()?.image_uri.as_deref()
}

fn deploy(facts: &Facts, image: &str) -> String {
    format!(
        "aws lambda update-function-code {} --function-name {} --image-uri {}",
        flags(facts),
        function(facts),
        quote(image)
    )
}

/// Deploys the image that the function's tag names.
pub fn redeploy(facts: &Facts) -> String {
    match image(facts) {
        Some(image) => deploy(facts, image),
        None => format!(
            "aws lambda get-function {} --function-name {}",
            flags(facts),
            function(facts)
        ),
    }
}

/// Replaces a deploy that failed. The same image would fail again: one for the wrong processor is built anew.
pub fn replace_deploy(facts: &Facts) -> String {
    let function = facts.function.known();
    let reason = function
        .and_then(|f| f.last_update_reason.as_deref())
        .unwrap_or_default();
    let code = function
        .and_then(|f| f.last_update_code.as_deref())
        .unwrap_or_default();
    let (Some(image), true) = (image(facts), code.contains("Image")) else {
        return redeploy(facts);
    };
    let platform = match function.map(|f| f.architecture.as_str()) {
        Some("arm64") => "linux/arm64",
        _ => "linux/amd64",
    };
    let why = if reason.contains("architecture") {
        "# the image was built for another processor: build and push it for the function's, then deploy it"
    } else {
        "# the image itself is refused: build and push it again, then deploy it"
    };
    let tagged = image.split_once('@').map_or(image, |(name, _)| name);
    format!(
        "{why}\ndocker buildx build --platform {platform} --provenance=false --push -t {} .\n{}",
        quote(tagged),
        deploy(facts, tagged)
    )
}

/// Gives the image that runs its tag back.
pub fn restore_tag(facts: &Facts) -> String {
    let function = facts.function.known();
    let digest = function
        .and_then(|f| f.resolved_image_uri.as_deref())
        .and_then(|uri| uri.split_once('@'))
        .map(|(_, digest)| digest);
    let tag = image(facts)
        .and_then(|uri| uri.rsplit('/').next())
        .and_then(|name| name.split_once(':'))
        .map_or("latest", |(_, tag)| tag);
    let (Some(digest), Some(repository)) = (digest, function.and_then(repository)) else {
        return String::new();
    };
    let (flags, repository) = (flags(facts), quote(&repository));
    format!(
        "aws ecr put-image {flags} --repository-name {repository} --image-tag {} --image-manifest \"$(aws ecr batch-get-image {flags} \
         --repository-name {repository} --image-ids imageDigest={} --query 'images[0].imageManifest' --output text)\"",
        quote(tag),
        quote(digest)
    )
}

/// Lets Lambda pull from the repository. The execution role has no part in this.
pub fn repository_policy(facts: &Facts) -> String {
    let repository = facts
        .function
        .known()
        .and_then(repository)
        .unwrap_or_else(|| "REPOSITORY".to_owned());
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "LambdaECRImageRetrievalPolicy", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]}]});
    format!(
        "aws ecr set-repository-policy {} --repository-name {} --policy-text {}\n{}",
        flags(facts),
        quote(&repository),
        quote(&policy.to_string()),
        redeploy(facts)
    )
}

/// The repository part of the image URI.
pub fn repository(function: &Function) -> Option<String> {
    let image = function.image_uri.as_deref()?;
    let path = image.split_once('/')?.1;
    let name = path.split_once('@').map_or(path, |(name, _)| name);
    Some(
        name.split_once(':')
            .map_or(name, |(name, _)| name)
            .to_owned(),
    )
}
