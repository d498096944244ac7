//! The real SDK clients, pointed at a sandbox.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudwatchlogs as logs;
use aws_sdk_lambda as lambda;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::endpoint::EndpointPrefix;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::RetryConfig;

use super::super::Sandbox;

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

/// The SDK puts `stream-` before the host; on a loopback address that names nobody.
#[derive(Debug)]
struct NoHostPrefix;

#[dyn_dispatch_hint]
impl Intercept for NoHostPrefix {
    fn name(&self) -> &'static str {
        "NoHostPrefix"
    }

    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        bag.interceptor_state().unset::<EndpointPrefix>();
        Ok(())
    }
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
