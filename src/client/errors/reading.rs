//! From the SDK's errors to [`AwsError`]: codes, credentials, the network, and answers that are not AWS's.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::{AwsError, Call, NetworkFault, login_command, with_profile};

/// Longest remote text kept in an error, in characters.
const DETAIL_LIMIT: usize = 400;

impl AwsError {
    /// Reads any SDK error. `call` supplies the names.
    pub fn from_sdk<E>(error: &SdkError<E, HttpResponse>, call: &Call) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        match error {
            SdkError::ServiceError(_) => Self::from_service(error, call),
            SdkError::ResponseError(_) => match error.raw_response().filter(|r| is_html(r)) {
                Some(raw) => Self::not_aws(raw, call),
                None => Self::Unparsable {
                    action: call.action.to_owned(),
                    detail: chain_text(error),
                },
            },
            _ => Self::from_dispatch(error, call),
        }
    }

    fn from_service<E>(error: &SdkError<E, HttpResponse>, call: &Call) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let raw = error.raw_response();
        let status = raw.map_or(0, |raw| raw.status().as_u16());
        let Some(code) = error.code() else {
            return Self::without_code(error, raw, status, call);
        };
        let code = plain_text(code.rsplit('#').next().unwrap_or(code));
        let detail = plain_text(error.message().unwrap_or_default());
        Self::from_code(code, detail, status, call)
    }

    /// The table of codes. AWS spells the same trouble differently per protocol.
    pub(crate) fn from_code(code: String, detail: String, status: u16, call: &Call) -> Self {
        let profile = call.profile.clone();
        match code.as_str() {
            "ExpiredTokenException"
            | "ExpiredToken"
            | "TokenRefreshRequired"
            | "RequestExpired" => Self::CredentialsExpired {
                command: login_command(call.profile.as_deref()),
                profile,
            },
            "RequestTimeTooSkewed" | "SignatureNotYetCurrent" => Self::ClockSkew { detail },
            "InvalidSignatureException" | "SignatureDoesNotMatch" if speaks_of_time(&detail) => {
                Self::ClockSkew { detail }
            }
            "InvalidSignatureException" | "SignatureDoesNotMatch"
                if detail.contains("scoped to a valid region") =>
            {
                Self::WrongRegion {
                    subject: call.subject.clone(),
                    region: call.region.clone(),
                    right: "the one of the endpoint".to_owned(),
                }
            }
            "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException" => Self::CredentialsRejected {
                command: with_profile("aws sts get-caller-identity", call.profile.as_deref()),
                profile,
                code,
            },
            "AccessDeniedException"
            | "AccessDenied"
            | "UnauthorizedOperation"
            | "AuthorizationError"
            | "NotAuthorized" => Self::AccessDenied {
                action: action_in(&detail).unwrap_or(call.action).to_owned(),
                subject: call.subject.clone(),
                detail,
            },
            "ResourceNotFoundException"
            | "ResourceNotFound"
            | "NotFoundException"
            | "NoSuchEntity"
            | "NoSuchBucket"
            | "NoSuchKey"
            | "RepositoryNotFoundException"
            | "ImageNotFoundException"
            | "RepositoryPolicyNotFoundException" => Self::NotFound {
                subject: call.subject.clone(),
                region: call.region.clone(),
            },
            "PermanentRedirect"
            | "AuthorizationHeaderMalformed"
            | "IllegalLocationConstraintException" => Self::WrongRegion {
                subject: call.subject.clone(),
                region: call.region.clone(),
                right: region_in(&detail)
                    .unwrap_or("the one of the resource")
                    .to_owned(),
            },
            _ if is_throttling(&code) || status == 429 => Self::Throttled {
                action: call.action.to_owned(),
                code,
            },
            "RequestTimeout" | "RequestTimeoutException" => Self::service(code, detail, call),
            _ if status >= 500 || status == 0 => Self::service(code, detail, call),
            _ => Self::Invalid {
                action: call.action.to_owned(),
                subject: call.subject.clone(),
                code,
                detail,
            },
        }
    }

    /// An answer without an AWS error code: a proxy, an emulator's 404, or a success that cannot be read.
    fn without_code(
        error: &dyn StdError,
        raw: Option<&HttpResponse>,
        status: u16,
        call: &Call,
    ) -> Self {
        match raw {
            Some(raw) if is_html(raw) => Self::not_aws(raw, call),
            _ if status == 429 => Self::Throttled {
                action: call.action.to_owned(),
                code: "HTTP 429".to_owned(),
            },
            _ if status >= 500 => {
                Self::service(format!("HTTP {status}"), "no error code".to_owned(), call)
            }
            _ if (200..300).contains(&status) => Self::Unparsable {
                action: call.action.to_owned(),
                detail: chain_text(error),
            },
            _ => Self::Invalid {
                action: call.action.to_owned(),
                subject: call.subject.clone(),
                code: format!("HTTP {status}"),
                detail: chain_text(error),
            },
        }
    }

    /// Errors before an answer: configuration, credentials, network.
    fn from_dispatch(error: &(dyn StdError + 'static), call: &Call) -> Self {
        let profile = call.profile.clone();
        let detail = chain_text(error);
        if detail.contains("Missing Region") {
            return Self::NoRegion;
        }
        if let Some(credentials) = find_in_chain::<CredentialsError>(error) {
            let misconfigured = matches!(credentials, CredentialsError::InvalidConfiguration(_));
            return Self::from_credentials(misconfigured, detail, call);
        }
        let unsendable = [
            "Invalid Configuration",
            "cargo feature",
            "failed to construct request",
        ];
        if unsendable.iter().any(|text| detail.contains(text)) {
            return Self::Configuration { profile, detail };
        }
        Self::Network {
            subject: call.subject.clone(),
            fault: network_fault(&detail),
            detail,
        }
    }

    /// The SDK has no codes for these; its texts tell the remedies apart.
    fn from_credentials(misconfigured: bool, detail: String, call: &Call) -> Self {
        let profile = call.profile.clone();
        let login = login_command(call.profile.as_deref());
        if detail.contains("was not defined") {
            let detail =
                "there is no such profile; `aws configure list-profiles` names those there are";
            return Self::Configuration {
                profile,
                detail: detail.to_owned(),
            };
        }
        if let Some((_, said)) = detail.split_once("external process") {
            return Self::Configuration {
                profile,
                detail: format!("its credential_process{}", said.trim_end()),
            };
        }
        if misconfigured {
            return Self::Configuration { profile, detail };
        }
        if detail.contains("expired") {
            return Self::CredentialsExpired {
                profile,
                command: login,
            };
        }
        if detail.contains("no credentials found in chain") {
            return Self::CredentialsMissing {
                command: with_profile("aws configure", call.profile.as_deref()),
                profile,
                detail: "nothing in the environment, the profile or the container".to_owned(),
            };
        }
        Self::CredentialsMissing {
            profile,
            command: login,
            detail,
        }
    }

    fn not_aws(raw: &HttpResponse, call: &Call) -> Self {
        Self::NotAws {
            subject: call.subject.clone(),
            status: raw.status().as_u16(),
        }
    }

    fn service(code: String, detail: String, call: &Call) -> Self {
        Self::Service {
            action: call.action.to_owned(),
            code,
            detail,
        }
    }
}

/// The names AWS services give to "slow down" (the SDK's own list plus the ones of Lambda and Logs).
fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "LimitExceededException"
            | "BandwidthLimitExceeded"
            | "SlowDown"
            | "PriorRequestNotComplete"
            | "ProvisionedThroughputExceededException"
            | "EC2ThrottledException"
    )
}

fn speaks_of_time(detail: &str) -> bool {
    ["expired", "yet current", "time"]
        .iter()
        .any(|word| detail.contains(word))
}

/// The action in "… is not authorized to perform: logs:FilterLogEvents on resource: …".
fn action_in(detail: &str) -> Option<&str> {
    let rest = detail.split("not authorized to perform: ").nth(1)?;
    rest.split_whitespace()
        .next()
        .filter(|action| action.contains(':'))
}

/// The region in "the region 'us-east-1' is wrong; expecting 'us-east-2'".
fn region_in(detail: &str) -> Option<&str> {
    detail.split("expecting '").nth(1)?.split('\'').next()
}

fn network_fault(detail: &str) -> NetworkFault {
    let detail = detail.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| detail.contains(word));
    if says(&["dns error", "failed to lookup", "name resolution"]) {
        NetworkFault::Dns
    } else if says(&["refused"]) {
        NetworkFault::Refused
    } else if says(&["certificate", "tls", "handshake"]) {
        NetworkFault::Tls
    } else if says(&["timeout", "timed out"]) {
        NetworkFault::Timeout
    } else {
        NetworkFault::Broken
    }
}

fn is_html(raw: &HttpResponse) -> bool {
    let typed = raw
        .headers()
        .get("content-type")
        .is_some_and(|kind| kind.starts_with("text/html"));
    let looks = raw.body().bytes().is_some_and(|body| {
        body.trim_ascii_start()
            .first_chunk::<5>()
            .is_some_and(|head| {
                head.eq_ignore_ascii_case(b"<html") || head.eq_ignore_ascii_case(b"<!doc")
            })
    });
    typed || looks
}

/// The first error of type `T` among the causes.
fn find_in_chain<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// All causes in one line, outermost first, each said once.
fn chain_text(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = cause.source();
    }
    plain_text(&text)
}

/// Remote text made safe for one line of a screen: control characters become spaces, and it is bounded.
fn plain_text(text: &str) -> String {
    let mut plain: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(DETAIL_LIMIT)
        .collect();
    plain.truncate(plain.trim_end().len());
    plain
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn call() -> Call {
        Call {
            action: "logs:FilterLogEvents",
            subject: "log group /aws/lambda/x".to_owned(),
            region: "us-east-2".to_owned(),
            profile: Some("prod".to_owned()),
        }
    }

    fn text(code: &str, detail: &str, status: u16) -> String {
        AwsError::from_code(code.to_owned(), detail.to_owned(), status, &call()).to_string()
    }

    #[test]
    fn every_code_names_its_remedy() {
        for (code, detail, status, wanted) in [
            (
                "ExpiredTokenException",
                "",
                400,
                "aws sso login --profile prod",
            ),
            ("ExpiredToken", "", 403, "aws sso login --profile prod"),
            (
                "UnrecognizedClientException",
                "",
                403,
                "aws sts get-caller-identity --profile prod",
            ),
            (
                "InvalidSignatureException",
                "Signature expired: 2026 is now earlier",
                403,
                "clock",
            ),
            (
                "InvalidSignatureException",
                "The request signature we calculated does not match",
                403,
                "access key",
            ),
            (
                "AccessDeniedException",
                "User: arn:aws:iam::1:user/a is not authorized to perform: logs:StartLiveTail on resource: x",
                400,
                "needs logs:StartLiveTail",
            ),
            ("AccessDenied", "no", 403, "needs logs:FilterLogEvents"),
            (
                "ResourceNotFoundException",
                "",
                400,
                "log group /aws/lambda/x not found in us-east-2",
            ),
            (
                "AuthorizationHeaderMalformed",
                "the region 'us-east-2' is wrong; expecting 'eu-west-1'",
                400,
                "--region eu-west-1",
            ),
            (
                "InvalidSignatureException",
                "Credential should be scoped to a valid region.",
                400,
                "not in us-east-2: use --region the one of the endpoint",
            ),
            ("ThrottlingException", "Rate exceeded", 400, "throttled"),
            ("LimitExceededException", "", 400, "throttled"),
            ("ServiceUnavailableException", "", 503, "service's side"),
            (
                "InvalidParameterException",
                "Invalid filter pattern",
                400,
                "Invalid filter pattern",
            ),
        ] {
            let said = text(code, detail, status);
            assert!(said.contains(wanted), "{code}: {said}");
        }
    }

    #[test]
    fn missing_credentials_are_told_apart_by_their_remedy() {
        for (detail, wanted) in [
            (
                "profile `nosuch` was not defined: could not find source profile",
                "aws configure list-profiles",
            ),
            (
                "Error retrieving credentials: external process exited with code exit status: 1. Stderr: ",
                "its credential_process exited with code exit status: 1",
            ),
            (
                "no credentials found in chain. Attempted: Environment: …",
                "run `aws configure --profile prod`",
            ),
            (
                "an error occurred while loading an access token: failed to load the cached SSO token",
                "run `aws sso login --profile prod`",
            ),
            ("the SSO token has expired", "credentials expired"),
        ] {
            let said = AwsError::from_credentials(false, detail.to_owned(), &call()).to_string();
            assert!(said.contains(wanted), "{said}");
        }
    }

    #[test]
    fn remote_text_is_defused_and_bounded() {
        let said = plain_text(&format!("\u{1b}[31mred\u{7}\r\n{}", "x".repeat(10_000)));
        assert!(said.chars().all(|c| !c.is_control()) && said.len() <= DETAIL_LIMIT);
    }

    #[test]
    fn network_faults_are_told_apart() {
        for (text, fault) in [
            (
                "client error (Connect): dns error: failed to lookup address",
                NetworkFault::Dns,
            ),
            (
                "tcp connect error: Connection refused (os error 111)",
                NetworkFault::Refused,
            ),
            ("invalid peer certificate: UnknownIssuer", NetworkFault::Tls),
            ("request has timed out", NetworkFault::Timeout),
            (
                "connection closed before message completed",
                NetworkFault::Broken,
            ),
        ] {
            assert_eq!(network_fault(text), fault, "{text}");
        }
    }
}
