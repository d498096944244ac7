//! Where a service is when it is not at AWS, for the clients that do not ask an SDK crate.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

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
