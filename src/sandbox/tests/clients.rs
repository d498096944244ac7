//! The real SDK clients, pointed at a sandbox.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudwatchlogs as logs;
use aws_sdk_lambda as lambda;
use aws_smithy_types::retry::RetryConfig;

use super::super::Sandbox;
use crate::client::logs::wire::NoHostPrefix;

pub(super) fn config(sandbox: &Sandbox) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(sandbox.aws_endpoint())
        .region(Region::new(sandbox.region().to_owned()))
        .credentials_provider(
            aws_credential_types::provider::SharedCredentialsProvider::new(sandbox.credentials()),
        )
        .retry_config(RetryConfig::disabled())
        .build()
}

pub(super) fn logs(sandbox: &Sandbox) -> logs::Client {
    logs::Client::from_conf(
        logs::config::Builder::from(&config(sandbox))
            .interceptor(NoHostPrefix)
            .build(),
    )
}

pub(super) fn lambda(sandbox: &Sandbox) -> lambda::Client {
    lambda::Client::new(&config(sandbox))
}
