//! One reading of the AWS SDK's errors: what failed, for which thing, and what a person can do about it.

use std::fmt;

mod reading;

/// The call that failed, in the words of IAM and of the user: it turns a code into a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Call {
    /// The IAM action, `logs:FilterLogEvents`.
    pub action: &'static str,
    /// What it was about, `log group /aws/lambda/wine-quality-predictor`.
    pub subject: String,
    /// The region asked, empty when none is set.
    pub region: String,
    /// The profile in use; `None` is the default one.
    pub profile: Option<String>,
}

/// Why an AWS call failed, sorted by the remedy. `Display` names the thing and the remedy; the text is free of control
/// characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AwsError {
    /// No provider had credentials.
    #[error("no AWS credentials{}: run `{command}`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY ({detail})", for_profile(profile.as_deref()))]
    CredentialsMissing {
        /// The profile in use.
        profile: Option<String>,
        /// The command that makes some.
        command: String,
        /// What the providers said.
        detail: String,
    },
    /// The session ended.
    #[error("credentials expired{}: run `{command}`", for_profile(profile.as_deref()))]
    CredentialsExpired {
        /// The profile in use.
        profile: Option<String>,
        /// The command that renews them.
        command: String,
    },
    /// AWS does not know the key, or the signature does not match.
    #[error("AWS rejects the credentials{} ({code}): check the access key with `{command}`", for_profile(profile.as_deref()))]
    CredentialsRejected {
        /// The profile in use.
        profile: Option<String>,
        /// AWS's word for it.
        code: String,
        /// The command that shows who we are.
        command: String,
    },
    /// The signature is too old or from the future.
    #[error(
        "AWS refuses the request's time: set this machine's clock (`timedatectl set-ntp true`) ({detail})"
    )]
    ClockSkew {
        /// What AWS said about the two times.
        detail: String,
    },
    /// The caller lacks a permission.
    #[error("access denied for {subject}: the caller needs {action} ({detail})")]
    AccessDenied {
        /// The missing IAM action.
        action: String,
        /// What it was about.
        subject: String,
        /// AWS's sentence; it names the caller.
        detail: String,
    },
    /// Too many calls; worth repeating later.
    #[error("{action} is throttled ({code}): the account's quota is shared, try again in a moment")]
    Throttled {
        /// The throttled IAM action.
        action: String,
        /// AWS's word for it.
        code: String,
    },
    /// The thing is not there.
    #[error(
        "{subject} not found in {}: check the name, the region (--region) and the account (--profile)",
        place(region)
    )]
    NotFound {
        /// What was looked for.
        subject: String,
        /// Where.
        region: String,
    },
    /// No region is configured.
    #[error("no AWS region: pass --region, set AWS_REGION, or put `region` in the profile")]
    NoRegion,
    /// The service lives in another region.
    #[error("{subject} is not in {}: use --region {right}", place(region))]
    WrongRegion {
        /// What was looked for.
        subject: String,
        /// The region asked.
        region: String,
        /// The region AWS names.
        right: String,
    },
    /// The service does not accept what we sent.
    #[error("{action} rejected the request for {subject} ({code}): {detail}")]
    Invalid {
        /// The IAM action.
        action: String,
        /// What it was about.
        subject: String,
        /// AWS's word for it.
        code: String,
        /// AWS's sentence.
        detail: String,
    },
    /// The service failed on its side; worth repeating later.
    #[error("{action} failed on the service's side ({code}): {detail}")]
    Service {
        /// The IAM action.
        action: String,
        /// AWS's word or the HTTP status.
        code: String,
        /// AWS's sentence.
        detail: String,
    },
    /// The endpoint could not be reached; worth repeating later.
    #[error("cannot reach AWS for {subject}: {fault} ({detail})")]
    Network {
        /// What was asked.
        subject: String,
        /// At which step.
        fault: NetworkFault,
        /// The cause, innermost first.
        detail: String,
    },
    /// Somebody other than AWS answered, typically a proxy with a page.
    #[error(
        "{subject}: HTTP {status} with a web page instead of AWS's answer: a proxy or captive portal is in the way (HTTPS_PROXY, NO_PROXY), or --endpoint-url is wrong"
    )]
    NotAws {
        /// What was asked.
        subject: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer says success and cannot be read.
    #[error("{action}: the answer cannot be read ({detail}): is the endpoint really AWS?")]
    Unparsable {
        /// The IAM action.
        action: String,
        /// What did not parse.
        detail: String,
    },
    /// The AWS configuration itself is wrong.
    #[error("the AWS configuration cannot be used{}: {detail}", for_profile(profile.as_deref()))]
    Configuration {
        /// The profile in use.
        profile: Option<String>,
        /// What is wrong.
        detail: String,
    },
}

/// The step at which the network failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkFault {
    /// The host name has no address.
    Dns,
    /// Nobody listens there.
    Refused,
    /// The certificate or handshake failed.
    Tls,
    /// No answer in time.
    Timeout,
    /// The connection broke.
    Broken,
}

impl fmt::Display for NetworkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "the host name does not resolve; check the region and the network",
            Self::Refused => "the connection is refused; check --endpoint-url",
            Self::Tls => "the TLS handshake failed; check proxies and AWS_CA_BUNDLE",
            Self::Timeout => "no answer in time",
            Self::Broken => "the connection broke",
        })
    }
}

impl AwsError {
    /// Whether the same call can succeed later with nothing done.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Throttled { .. }
                | Self::Service { .. }
                | Self::Network { .. }
                | Self::NotAws { .. }
                | Self::Unparsable { .. }
        )
    }

    /// Whether new credentials would help.
    pub fn is_about_credentials(&self) -> bool {
        matches!(
            self,
            Self::CredentialsMissing { .. }
                | Self::CredentialsExpired { .. }
                | Self::CredentialsRejected { .. }
        )
    }

    /// The command that gives new credentials, where one would help.
    pub fn command(&self) -> Option<&str> {
        match self {
            Self::CredentialsMissing { command, .. }
            | Self::CredentialsExpired { command, .. }
            | Self::CredentialsRejected { command, .. } => Some(command),
            _ => None,
        }
    }
}

/// `aws sso login`, for this profile.
pub fn login_command(profile: Option<&str>) -> String {
    with_profile("aws sso login", profile)
}

fn with_profile(command: &str, profile: Option<&str>) -> String {
    match profile {
        Some(profile) => format!("{command} --profile {profile}"),
        None => command.to_owned(),
    }
}

fn for_profile(profile: Option<&str>) -> String {
    profile.map_or_else(String::new, |profile| format!(" for profile {profile}"))
}

fn place(region: &str) -> &str {
    if region.is_empty() {
        "this region"
    } else {
        region
    }
}
