//! The image that is deployed, and who may pull it.

use super::{Deadline, unread};
use crate::client::ecr;
use crate::client::ecr::ImageName;
use crate::client::signed::Signed;
use crate::domain::doctor::facts::{Fact, Function, Image};
use crate::domain::doctor::one_line;

pub(super) async fn image(
    signed: &Signed,
    function: &Fact<Function>,
    deadline: Deadline,
) -> Fact<Image> {
    let name = match image_name(function) {
        Ok(name) => name,
        Err(fact) => return fact,
    };
    let resolved = function
        .known()
        .and_then(|f| f.resolved_image_uri.as_deref());
    let question = ecr::deployed(signed, &name, resolved.and_then(ImageName::parse));
    deadline.ask("ecr:DescribeImages", question).await
}

pub(super) async fn repository_policy(
    signed: &Signed,
    function: &Fact<Function>,
    deadline: Deadline,
) -> Fact<String> {
    match image_name(function) {
        Ok(name) => {
            let question = ecr::repository_policy(signed, &name);
            deadline.ask("ecr:GetRepositoryPolicy", question).await
        }
        Err(fact) => fact,
    }
}

/// The deployed image; a zip package has none, and an unknown function none that we know.
pub(super) fn image_name<T>(function: &Fact<Function>) -> Result<ImageName, Fact<T>> {
    let function = function.known().ok_or_else(|| unread(function))?;
    let uri = function
        .image_uri
        .as_deref()
        .filter(|_| function.package_type == "Image")
        .ok_or(Fact::NotAsked)?;
    ImageName::parse(uri)
        .ok_or_else(|| Fact::Failed(format!("`{}` is no ECR image", one_line(uri, 120))))
}
