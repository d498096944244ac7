//! Signed requests to services of which a handful of reads is wanted. The SDK crates of IAM, ECR and API Gateway v2 were
//! measured at 79 CPU seconds of a cold build, unoptimised, and 225 MB of libraries; what they would replace is the 900 lines
//! of this file, `iam`, `ecr` and `gateway`.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use tokio::sync::OnceCell;

use crate::client::endpoints::endpoint_of;
use crate::client::errors::{AwsError, Call, login_command};
use crate::client::refusal;
use crate::domain::doctor::{Fact, one_line};

/// A service that is spoken to without its SDK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// API Gateway v2 (REST, JSON).
    ApiGateway,
    /// ECR (awsJson 1.1).
    Ecr,
    /// IAM (query, XML; one endpoint for the partition).
    Iam,
}

impl Service {
    /// Name in the signature.
    const fn signing_name(self) -> &'static str {
        match self {
            Service::ApiGateway => "apigateway",
            Service::Ecr => "ecr",
            Service::Iam => "iam",
        }
    }

    /// The service's id in the SDKs.
    const fn id(self) -> &'static str {
        match self {
            Service::ApiGateway => "ApiGatewayV2",
            Service::Ecr => "ECR",
            Service::Iam => "IAM",
        }
    }

    fn public_endpoint(self, region: &str) -> String {
        let suffix = if region.starts_with("cn-") {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        match self {
            Service::ApiGateway => format!("https://apigateway.{region}.{suffix}"),
            Service::Ecr => format!("https://api.ecr.{region}.{suffix}"),
            Service::Iam if region.starts_with("cn-") => format!("https://iam.cn-north-1.{suffix}"),
            Service::Iam if region.starts_with("us-gov-") => {
                "https://iam.us-gov.amazonaws.com".to_owned()
            }
            Service::Iam => "https://iam.amazonaws.com".to_owned(),
        }
    }

    /// IAM is global: its requests are signed for the partition's home region.
    fn signing_region(self, region: &str) -> &str {
        match self {
            Service::Iam if region.starts_with("cn-") => "cn-north-1",
            Service::Iam if region.starts_with("us-gov-") => "us-gov-west-1",
            Service::Iam => "us-east-1",
            _ => region,
        }
    }
}

/// One request before it is signed.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The service.
    pub service: Service,
    /// `GET` or `POST`.
    pub method: &'a str,
    /// Path and query, beginning with `/`.
    pub path: &'a str,
    /// Headers besides those of the signature.
    pub headers: &'a [(&'a str, &'a str)],
    /// Body, empty for GET.
    pub body: String,
    /// The IAM action, for the case that it is refused.
    pub action: &'static str,
    /// What it is about, in messages.
    pub subject: &'a str,
}

/// Signs and sends. One per examination: credentials are resolved once.
#[derive(Debug)]
pub struct Signed {
    http: reqwest::Client,
    config: SdkConfig,
    profile: Option<String>,
    credentials: OnceCell<Credentials>,
}

/// At most this much of an answer is read.
const ANSWER_LIMIT: usize = 4 << 20;

impl Signed {
    /// A signer with the region, credentials and endpoint of `config`. The profile is for messages.
    pub fn new(config: &SdkConfig, profile: Option<&str>) -> Self {
        let local = config.endpoint_url().is_some_and(is_loopback);
        let builder = reqwest::Client::builder().timeout(Duration::from_secs(10));
        // A proxy set for the world must not swallow the sandbox.
        let builder = if local { builder.no_proxy() } else { builder };
        Signed {
            http: builder.build().unwrap_or_default(),
            config: config.clone(),
            profile: profile.map(str::to_owned),
            credentials: OnceCell::new(),
        }
    }

    fn region(&self) -> &str {
        self.config.region().map_or("us-east-1", AsRef::as_ref)
    }

    fn endpoint(&self, service: Service) -> String {
        let base = endpoint_of(&self.config, service.id())
            .unwrap_or_else(|| service.public_endpoint(self.region()));
        base.trim_end_matches('/').to_owned()
    }

    async fn credentials(&self) -> Result<&Credentials, String> {
        let resolve = || async {
            let provider = self
                .config
                .credentials_provider()
                .ok_or_else(|| "no credentials are configured".to_owned())?;
            provider
                .provide_credentials()
                .await
                .map_err(|error| error.to_string())
        };
        self.credentials.get_or_try_init(resolve).await
    }

    /// Sends a request; the body of a 2xx answer as text.
    pub async fn send(&self, request: Request<'_>) -> Fact<String> {
        let credentials = match self.credentials().await {
            Ok(credentials) => credentials.clone(),
            Err(why) => {
                let command = login_command(self.profile.as_deref());
                return Fact::NoCredentials(format!(
                    "no AWS credentials: run `{command}` ({})",
                    one_line(&why, 200)
                ));
            }
        };
        let failed =
            |why: String| Fact::Failed(format!("{}: {}", request.action, one_line(&why, 200)));
        let prepared = match self.prepare(&request, credentials) {
            Ok(prepared) => prepared,
            Err(why) => return failed(why),
        };
        let response = match self.http.execute(prepared).await {
            Ok(response) => response,
            Err(error) => return failed(root_cause(&error)),
        };
        let status = response.status();
        let code = response
            .headers()
            .get("x-amzn-errortype")
            .and_then(|v| v.to_str().ok())
            .map(str::to_owned);
        let body = match read_limited(response).await {
            Ok(body) => body,
            Err(why) => return failed(why),
        };
        if status.is_success() {
            return Fact::Known(body);
        }
        let (found, message) = error_of(&body);
        let code = code
            .map(|c| c.split(':').next().unwrap_or_default().to_owned())
            .or(found);
        let code = code.unwrap_or_else(|| format!("HTTP {}", status.as_u16()));
        let code = one_line(code.rsplit('#').next().unwrap_or_default(), 80);
        let call = Call {
            action: request.action,
            subject: request.subject.to_owned(),
            region: self.region().to_owned(),
            profile: self.profile.clone(),
        };
        refusal::fact(&AwsError::from_code(
            code,
            one_line(&message, 300),
            status.as_u16(),
            &call,
        ))
    }

    fn prepare(
        &self,
        request: &Request<'_>,
        credentials: Credentials,
    ) -> Result<reqwest::Request, String> {
        let url = format!("{}{}", self.endpoint(request.service), request.path);
        let identity = credentials.into();
        let region = request.service.signing_region(self.region());
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(request.service.signing_name())
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let signable = SignableRequest::new(
            request.method,
            &url,
            request.headers.iter().copied(),
            SignableBody::Bytes(request.body.as_bytes()),
        )
        .map_err(|error| error.to_string())?;
        let (instructions, _) = sign(signable, &params)
            .map_err(|error| error.to_string())?
            .into_parts();
        let method = if request.method == "GET" {
            reqwest::Method::GET
        } else {
            reqwest::Method::POST
        };
        let mut builder = self.http.request(method, &url).body(request.body.clone());
        for (name, value) in request
            .headers
            .iter()
            .copied()
            .chain(instructions.headers())
        {
            builder = builder.header(name, value);
        }
        builder.build().map_err(|error| error.to_string())
    }
}

/// True for an endpoint on this machine.
pub fn is_loopback(endpoint: &str) -> bool {
    url::Url::parse(endpoint).is_ok_and(|url| match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    })
}

/// The innermost cause: reqwest's own text says little more than "error sending request".
pub fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// Reads a body up to a limit; more is an error, so that a stranger cannot fill our memory.
pub(super) async fn read_limited(mut response: reqwest::Response) -> Result<String, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| root_cause(&error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > ANSWER_LIMIT {
            return Err("the answer is larger than 4 MB".to_owned());
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// (code, message) of an error body: `{"__type","message"}` or `<Error><Code/><Message/></Error>`.
fn error_of(body: &str) -> (Option<String>, String) {
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(body) {
        let field = |names: &[&str]| {
            names
                .iter()
                .find_map(|n| json.get(n)?.as_str().map(str::to_owned))
        };
        return (
            field(&["__type", "code", "Code"]),
            field(&["message", "Message"]).unwrap_or_default(),
        );
    }
    let tag = |name: &str| {
        let after = body.split_once(&format!("<{name}>"))?.1;
        Some(after.split_once(&format!("</{name}>"))?.0.to_owned())
    };
    (
        tag("Code"),
        tag("Message").unwrap_or_else(|| one_line(body, 120)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_from_json_and_xml() {
        let json = r#"{"__type":"com.amazonaws.ecr#ImageNotFoundException","message":"gone"}"#;
        assert_eq!(
            error_of(json),
            (
                Some("com.amazonaws.ecr#ImageNotFoundException".to_owned()),
                "gone".to_owned()
            )
        );
        let xml = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
        assert_eq!(
            error_of(xml),
            (Some("AccessDenied".to_owned()), "no".to_owned())
        );
        assert_eq!(error_of("<html>").0, None);
    }

    #[test]
    fn endpoints_and_signing_regions_follow_the_partition() {
        assert_eq!(
            Service::Ecr.public_endpoint("us-east-2"),
            "https://api.ecr.us-east-2.amazonaws.com"
        );
        assert_eq!(
            Service::Iam.public_endpoint("us-east-2"),
            "https://iam.amazonaws.com"
        );
        assert_eq!(Service::Iam.signing_region("us-east-2"), "us-east-1");
        assert_eq!(
            Service::ApiGateway.public_endpoint("cn-north-1"),
            "https://apigateway.cn-north-1.amazonaws.com.cn"
        );
    }

    #[test]
    fn loopback_is_recognised() {
        assert!(
            is_loopback("http://127.0.0.1:4566")
                && is_loopback("http://localhost:1")
                && is_loopback("http://[::1]:1")
        );
        assert!(!is_loopback("https://ecr.us-east-2.amazonaws.com") && !is_loopback("nonsense"));
    }
}
