//! STS: who the credentials belong to. The only file that names its SDK crate.

use aws_config::SdkConfig;

use crate::client::errors::{AwsError, Call};
use crate::client::refusal;
use crate::domain::doctor::facts::{Fact, Identity};

/// GetCallerIdentity: needs no permission, so a refusal means the credentials themselves.
pub async fn caller(config: &SdkConfig, profile: Option<&str>) -> Fact<Identity> {
    match aws_sdk_sts::Client::new(config)
        .get_caller_identity()
        .send()
        .await
    {
        Ok(output) => Fact::Known(Identity {
            account: output.account.unwrap_or_default(),
            arn: output.arn.unwrap_or_default(),
        }),
        Err(error) => {
            let call = Call {
                action: "sts:GetCallerIdentity",
                subject: "the caller's identity".to_owned(),
                region: config.region().map(ToString::to_string).unwrap_or_default(),
                profile: profile.map(str::to_owned),
            };
            refusal::fact(&AwsError::from_sdk(&error, &call))
        }
    }
}

/// The IAM ARN that policies are attached to: an assumed role's session stands for its role.
pub fn principal(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        [_, partition, "sts", _, account, resource] if resource.starts_with("assumed-role/") => {
            let role = resource.split('/').nth(1).unwrap_or_default();
            format!("arn:{partition}:iam::{account}:role/{role}")
        }
        _ => arn.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::principal;

    #[test]
    fn a_session_stands_for_its_role() {
        let session = "arn:aws:sts::123456789012:assumed-role/oncall/anna";
        assert_eq!(principal(session), "arn:aws:iam::123456789012:role/oncall");
        assert_eq!(
            principal("arn:aws:iam::123456789012:user/anna"),
            "arn:aws:iam::123456789012:user/anna"
        );
    }
}
