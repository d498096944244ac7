//! What a failed AWS call means for a fact: no permission, no such thing, no credentials, or no usable answer.

use crate::client::errors::AwsError;
use crate::domain::doctor::Fact;

/// The fact behind an error.
pub fn fact<T>(error: &AwsError) -> Fact<T> {
    match error {
        AwsError::AccessDenied { action, .. } => Fact::Denied {
            action: action.clone(),
        },
        AwsError::NotFound { .. } | AwsError::WrongRegion { .. } => {
            Fact::Missing(error.to_string())
        }
        error if error.is_about_credentials() => Fact::NoCredentials(error.to_string()),
        error => Fact::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_become_facts_by_their_remedy() {
        let denied = AwsError::AccessDenied {
            action: "lambda:GetPolicy".to_owned(),
            subject: String::new(),
            detail: String::new(),
        };
        assert_eq!(
            fact::<()>(&denied),
            Fact::Denied {
                action: "lambda:GetPolicy".to_owned()
            }
        );
        let expired = AwsError::CredentialsExpired {
            profile: None,
            command: "aws sso login".to_owned(),
        };
        assert!(
            matches!(fact::<()>(&expired), Fact::NoCredentials(text) if text.contains("aws sso login"))
        );
        assert!(matches!(fact::<()>(&AwsError::NoRegion), Fact::Failed(_)));
    }
}
