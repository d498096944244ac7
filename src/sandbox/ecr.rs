//! ECR over awsJson 1.1: the function's image and who may pull it.

use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};

use super::incident::Incident;
use super::lambda::facts;
use super::reply::{self, Fault};
use super::server::{Incoming, admit};
use super::world::World;

pub(super) fn serve(world: &World, incoming: &Incoming) -> Result<Response<Body>, Fault> {
    let operation = incoming.target().unwrap_or_default();
    let arn = format!(
        "arn:aws:ecr:{}:{}:repository/{}",
        world.options.region,
        world.options.account,
        facts::REPOSITORY
    );
    admit(world, incoming, &format!("ecr:{operation}"), &arn)?;
    let input: Value = serde_json::from_slice(&incoming.body)
        .map_err(|error| Fault::serialization(error.to_string()))?;
    if matches!(operation, "DescribeImages" | "GetRepositoryPolicy") {
        let name = input["repositoryName"].as_str().unwrap_or_default();
        if name != facts::REPOSITORY {
            let message = format!(
                "The repository with name '{name}' does not exist in the registry with id '{}'",
                world.options.account
            );
            return Err(Fault::new(400, "RepositoryNotFoundException", message));
        }
    }
    let output = match operation {
        "DescribeImages" => describe_images(world, &input)?,
        "GetRepositoryPolicy" => repository_policy(world)?,
        "DescribeRepositories" => json!({"repositories": [{
            "repositoryArn": arn, "registryId": world.options.account, "repositoryName": facts::REPOSITORY,
            "repositoryUri": facts::repository_uri(world), "imageTagMutability": "MUTABLE",
        }]}),
        _ => return Err(Fault::new(400, "UnknownOperationException", "")),
    };
    Ok(reply::aws_json(&output))
}

/// Images in the repository: `(digest, tags, pushed at in seconds)`.
fn images(world: &World) -> Vec<(String, Vec<&'static str>, i64)> {
    let deployed = facts::deployed_ms(world) / 1000 - 95;
    let serving = format!("sha256:{}", facts::digest(world));
    let newer = format!("sha256:{}", facts::newer_digest(world));
    match world.incident() {
        Some(Incident::ImageDeleted) => vec![],
        Some(Incident::TagDrift) => vec![
            (newer, vec![facts::TAG], deployed + 259_200),
            (serving, vec![], deployed),
        ],
        _ => vec![(serving, vec![facts::TAG], deployed)],
    }
}

fn describe_images(world: &World, input: &Value) -> Result<Value, Fault> {
    let images = images(world);
    let detail = |(digest, tags, pushed): &(String, Vec<&str>, i64)| {
        let mut detail = json!({
            "registryId": world.options.account, "repositoryName": facts::REPOSITORY, "imageDigest": digest,
            "imageSizeInBytes": 412_903_118, "imagePushedAt": pushed,
            "imageManifestMediaType": "application/vnd.docker.distribution.manifest.v2+json",
        });
        if !tags.is_empty() {
            detail["imageTags"] = json!(tags);
        }
        detail
    };
    let Some(ids) = input["imageIds"].as_array() else {
        return Ok(json!({"imageDetails": images.iter().map(detail).collect::<Vec<_>>()}));
    };
    let mut details = Vec::new();
    for id in ids {
        let found = images.iter().find(|(digest, tags, _)| {
            id["imageDigest"]
                .as_str()
                .is_none_or(|wanted| wanted == digest)
                && id["imageTag"]
                    .as_str()
                    .is_none_or(|wanted| tags.contains(&wanted))
        });
        let Some(found) = found else {
            let text = |member: &str| {
                id[member]
                    .as_str()
                    .map_or_else(|| "'null'".to_owned(), |value| format!("'{value}'"))
            };
            let message = format!(
                "The image with imageId {{imageDigest:{}, imageTag:{}}} does not exist within the repository with name '{}' in the registry with id '{}'",
                text("imageDigest"),
                text("imageTag"),
                facts::REPOSITORY,
                world.options.account
            );
            return Err(Fault::new(400, "ImageNotFoundException", message));
        };
        details.push(detail(found));
    }
    Ok(json!({"imageDetails": details}))
}

fn repository_policy(world: &World) -> Result<Value, Fault> {
    if world.is(Incident::EcrDenied) {
        let message = format!(
            "Repository policy does not exist for the repository with name '{}' in the registry with id '{}'",
            facts::REPOSITORY,
            world.options.account
        );
        return Err(Fault::new(
            400,
            "RepositoryPolicyNotFoundException",
            message,
        ));
    }
    let policy = json!({
        "Version": "2008-10-17",
        "Statement": [{
            "Sid": "LambdaECRImageRetrievalPolicy",
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Condition": {"StringLike": {"aws:sourceArn": format!("arn:aws:lambda:{}:{}:function:*", world.options.region, world.options.account)}},
        }],
    });
    Ok(
        json!({"registryId": world.options.account, "repositoryName": facts::REPOSITORY, "policyText": policy.to_string()}),
    )
}
