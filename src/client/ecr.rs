//! ECR: does the image exist, where does its tag point, who may pull it.

use serde_json::{Value, json};

use crate::client::signed::{Request, Service, Signed};
use crate::domain::doctor::facts::{Fact, Image};

/// An image URI taken apart: `{account}.dkr.ecr.{region}.amazonaws.com/{repository}:{tag}` or `@{digest}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageName {
    /// Account that owns the registry.
    pub registry: String,
    /// Repository.
    pub repository: String,
    /// Tag, if named by tag.
    pub tag: Option<String>,
    /// Digest, if named by digest.
    pub digest: Option<String>,
}

impl ImageName {
    /// `repository:tag` or `repository@digest`.
    pub fn label(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => format!("{}@{digest}", self.repository),
            (None, Some(tag)) => format!("{}:{tag}", self.repository),
            (None, None) => self.repository.clone(),
        }
    }

    /// Takes a URI apart; `None` when it has no repository.
    pub fn parse(uri: &str) -> Option<ImageName> {
        let (host, path) = uri.split_once('/')?;
        let registry = host.split('.').next()?.to_owned();
        let (repository, tag, digest) = match (path.split_once('@'), path.rsplit_once(':')) {
            (Some((name, digest)), _) => (
                name.split_once(':').map_or(name, |(n, _)| n),
                None,
                Some(digest.to_owned()),
            ),
            (None, Some((name, tag))) => (name, Some(tag.to_owned()), None),
            (None, None) => (path, Some("latest".to_owned()), None),
        };
        Some(ImageName {
            registry,
            repository: repository.to_owned(),
            tag,
            digest,
        })
    }
}

async fn call(
    signed: &Signed,
    operation: &str,
    action: &'static str,
    subject: &str,
    input: &Value,
) -> Fact<Value> {
    let target = format!("AmazonEC2ContainerRegistry_V20150921.{operation}");
    let request = Request {
        service: Service::Ecr,
        method: "POST",
        path: "/",
        headers: &[
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", &target),
        ],
        body: input.to_string(),
        action,
        subject,
    };
    match signed.send(request).await {
        Fact::Known(body) => serde_json::from_str(&body).map_or_else(
            |error| Fact::Failed(format!("{action}: the answer is not JSON: {error}")),
            Fact::Known,
        ),
        other => other.map(|_| Value::Null),
    }
}

/// DescribeImages of the deployed tag (or digest); `Missing` when the image is gone.
pub async fn image(signed: &Signed, name: &ImageName) -> Fact<Image> {
    let id = match (&name.digest, &name.tag) {
        (Some(digest), _) => json!({"imageDigest": digest}),
        (None, tag) => json!({"imageTag": tag}),
    };
    let input =
        json!({"registryId": name.registry, "repositoryName": name.repository, "imageIds": [id]});
    let answer = call(
        signed,
        "DescribeImages",
        "ecr:DescribeImages",
        &format!("image {}", name.label()),
        &input,
    )
    .await;
    match answer {
        Fact::Known(answer) => match answer.pointer("/imageDetails/0") {
            Some(details) => Fact::Known(Image {
                tag_digest: details
                    .get("imageDigest")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
                pushed_ms: details
                    .get("imagePushedAt")
                    .and_then(Value::as_f64)
                    .map(|s| (s * 1000.0) as i64),
            }),
            None => Fact::Missing("ECR knows no such image".to_owned()),
        },
        other => other.map(|_| Image::default()),
    }
}

/// The deployed image: by its tag, and when that is gone by the digest that runs. `Missing` when both are.
pub async fn deployed(
    signed: &Signed,
    name: &ImageName,
    resolved: Option<ImageName>,
) -> Fact<Image> {
    match (image(signed, name).await, resolved) {
        (Fact::Missing(why), Some(resolved)) if name.digest.is_none() => {
            match image(signed, &resolved).await {
                Fact::Known(found) => Fact::Known(Image {
                    tag_digest: None,
                    ..found
                }),
                _ => Fact::Missing(why),
            }
        }
        (answer, _) => answer,
    }
}

/// GetRepositoryPolicy as JSON text; `Missing` when there is none.
pub async fn repository_policy(signed: &Signed, name: &ImageName) -> Fact<String> {
    let input = json!({"registryId": name.registry, "repositoryName": name.repository});
    match call(
        signed,
        "GetRepositoryPolicy",
        "ecr:GetRepositoryPolicy",
        &format!("policy of repository {}", name.repository),
        &input,
    )
    .await
    {
        Fact::Known(answer) => match answer.get("policyText").and_then(Value::as_str) {
            Some(text) => Fact::Known(text.to_owned()),
            None => {
                Fact::Failed("ecr:GetRepositoryPolicy: the answer has no policyText".to_owned())
            }
        },
        other => other.map(|_| String::new()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::ImageName;

    #[test]
    fn image_uris_come_apart() {
        let by_tag = ImageName::parse("123.dkr.ecr.us-east-2.amazonaws.com/team/wine:v1").unwrap();
        assert_eq!(
            (
                by_tag.registry.as_str(),
                by_tag.repository.as_str(),
                by_tag.tag.as_deref()
            ),
            ("123", "team/wine", Some("v1"))
        );
        let by_digest =
            ImageName::parse("123.dkr.ecr.us-east-2.amazonaws.com/wine@sha256:ab").unwrap();
        assert_eq!(
            (
                by_digest.repository.as_str(),
                by_digest.digest.as_deref(),
                by_digest.tag
            ),
            ("wine", Some("sha256:ab"), None)
        );
        assert_eq!(
            ImageName::parse("1.dkr/wine").unwrap().tag.as_deref(),
            Some("latest")
        );
        assert_eq!(ImageName::parse("nonsense"), None);
    }
}
