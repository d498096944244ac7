//! The profiles in the AWS configuration and credentials files, to choose from.

use aws_config::profile::load;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};

/// A profile as the files describe it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Profile {
    /// What `--profile` takes.
    pub name: String,
    /// Its region, if it has one.
    pub region: Option<String>,
    /// Where its credentials come from, in a few words.
    pub source: String,
}

/// Reads the files that the AWS CLI reads. Files that are not there hold no profile.
pub async fn profiles() -> Result<Vec<Profile>, String> {
    let files = EnvConfigFiles::default();
    let found = load(&Fs::real(), &Env::real(), &files, None)
        .await
        .map_err(|error| format!("the AWS configuration files cannot be read: {error}"))?;
    let mut profiles: Vec<Profile> = found
        .profiles()
        .filter_map(|name| found.get_profile(name))
        .map(|profile| {
            let get = |key: &str| profile.get(key).map(str::to_owned);
            Profile {
                name: profile.name().to_owned(),
                region: get("region"),
                source: source(&get),
            }
        })
        .collect();
    profiles.sort();
    Ok(profiles)
}

fn source(get: &dyn Fn(&str) -> Option<String>) -> String {
    if let Some(session) = get("sso_session").or_else(|| get("sso_start_url")) {
        let account = get("sso_account_id").map(|account| format!(", account {account}"));
        return format!("SSO {session}{}", account.unwrap_or_default());
    }
    if let Some(role) = get("role_arn") {
        return format!("role {role}");
    }
    if get("credential_process").is_some() {
        return "a program".to_owned();
    }
    if get("aws_access_key_id").is_some() {
        return "access key".to_owned();
    }
    "no credentials of its own".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_named_without_its_secrets() {
        let of = |pairs: &'static [(&str, &str)]| {
            source(&move |key: &str| {
                pairs
                    .iter()
                    .find(|(name, _)| *name == key)
                    .map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(
            of(&[("sso_session", "corp"), ("sso_account_id", "123456789012")]),
            "SSO corp, account 123456789012"
        );
        assert_eq!(
            of(&[
                ("aws_access_key_id", "AKIA"),
                ("aws_secret_access_key", "s")
            ]),
            "access key"
        );
        assert_eq!(
            of(&[("role_arn", "arn:aws:iam::1:role/x")]),
            "role arn:aws:iam::1:role/x"
        );
        assert_eq!(of(&[]), "no credentials of its own");
    }
}
