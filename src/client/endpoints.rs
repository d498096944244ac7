//! Where a service is when it is not at AWS, for the clients that do not ask an SDK crate.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use url::Url;

use crate::client::predict::without_secrets;

/// The services that are asked: the id in the SDKs, and the variable that moves it.
pub const SERVICES: [(&str, &str); 8] = [
    ("Lambda", "AWS_ENDPOINT_URL_LAMBDA"),
    ("CloudWatch Logs", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"),
    ("CloudWatch", "AWS_ENDPOINT_URL_CLOUDWATCH"),
    ("ApiGatewayV2", "AWS_ENDPOINT_URL_APIGATEWAYV2"),
    ("ECR", "AWS_ENDPOINT_URL_ECR"),
    ("IAM", "AWS_ENDPOINT_URL_IAM"),
    ("STS", "AWS_ENDPOINT_URL_STS"),
    ("S3", "AWS_ENDPOINT_URL_S3"),
];

/// An endpoint for AWS that no request can be sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the endpoint `{url}` for {service} {WHAT_IS_NEEDED}")]
pub struct NoEndpoint {
    /// As configured, without a password.
    pub url: String,
    /// The service, or AWS as a whole.
    pub service: String,
}

/// What an AWS endpoint must look like.
pub const WHAT_IS_NEEDED: &str = "needs http:// or https:// in front, like https://host:port";

/// Whether requests can be sent to this address.
pub fn is_endpoint(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Refuses a configuration whose services are at an address that is none, wherever it comes from.
pub fn check(config: &SdkConfig) -> Result<(), NoEndpoint> {
    let for_all = config.endpoint_url().map(|url| ("AWS", url.to_owned()));
    let own = SERVICES
        .iter()
        .filter_map(|(service, _)| Some((*service, endpoint_of(config, service)?)));
    match for_all
        .into_iter()
        .chain(own)
        .find(|(_, url)| !is_endpoint(url))
    {
        None => Ok(()),
        Some((service, url)) => Err(NoEndpoint {
            url: without_secrets(&url),
            service: service.to_owned(),
        }),
    }
}

/// The endpoint that flag, environment or profile name for `service` (its id in the SDKs, as `CloudWatch Logs`);
/// `None` means AWS's own. In the order of the SDKs and the AWS CLI: an explicit one, `AWS_ENDPOINT_URL_<SERVICE>`,
/// the profile's `[services]`, then `AWS_ENDPOINT_URL` and the profile's `endpoint_url`.
pub fn endpoint_of(config: &SdkConfig, service: &str) -> Option<String> {
    let for_all = || config.endpoint_url().map(ToOwned::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return for_all();
    }
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let own = config.service_config().and_then(|own| own.load_config(key));
    own.or_else(for_all)
}
