//! Lambda: the only file that names its SDK crate. Reads, and Invoke without retries (a retried Invoke runs the model twice).

use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::operation::invoke::{InvokeError, InvokeOutput};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{AliasConfiguration, FunctionConfiguration, InvocationType, LogType};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use base64::Engine as _;

use crate::client::errors::{AwsError, Call};
use crate::client::refusal;
use crate::domain::doctor::facts::{Concurrency, Fact, Invocation, Invoke};
use crate::domain::function::{Alias, FunctionConfig, Secret, Version};
use crate::domain::report::Report;

/// A function to look at: its name or ARN, and an alias or version if calls are to go there.
#[derive(Debug, Clone)]
pub struct Lambda {
    client: aws_sdk_lambda::Client,
    function: String,
    qualifier: Option<String>,
    region: String,
    profile: Option<String>,
}

impl Lambda {
    /// A client for one function. The profile is for messages that say how to log in again.
    pub fn new(
        config: &SdkConfig,
        function: &str,
        qualifier: Option<&str>,
        profile: Option<&str>,
    ) -> Self {
        Lambda {
            client: aws_sdk_lambda::Client::new(config),
            function: function.to_owned(),
            qualifier: qualifier.map(str::to_owned),
            region: config.region().map(ToString::to_string).unwrap_or_default(),
            profile: profile.map(str::to_owned),
        }
    }

    fn refused<T, E>(&self, action: &'static str, error: &SdkError<E, HttpResponse>) -> Fact<T>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let call = Call {
            action,
            subject: format!("function {}", self.function),
            region: self.region.clone(),
            profile: self.profile.clone(),
        };
        refusal::fact(&AwsError::from_sdk(error, &call))
    }

    /// GetFunction: configuration, image by tag and by digest, tags.
    pub async fn function(&self) -> Fact<FunctionConfig> {
        let call = self
            .client
            .get_function()
            .function_name(&self.function)
            .set_qualifier(self.qualifier.clone());
        let output = match call.send().await {
            Ok(output) => output,
            Err(error) => return self.refused("lambda:GetFunction", &error),
        };
        let Some(configuration) = output.configuration else {
            return Fact::Failed("lambda:GetFunction: the answer has no configuration".to_owned());
        };
        let mut config = read_configuration(&configuration);
        if let Some(code) = output.code {
            config.image_uri = code.image_uri;
            config.resolved_image_uri = code.resolved_image_uri;
        }
        config.tags = output.tags.unwrap_or_default().into_iter().collect();
        config.tags.sort();
        Fact::Known(config)
    }

    /// GetPolicy: the resource policy of the function, or of an alias or version, as JSON text; `Missing` when there is none.
    pub async fn policy(&self, qualifier: Option<&str>) -> Fact<String> {
        let call = self
            .client
            .get_policy()
            .function_name(&self.function)
            .set_qualifier(qualifier.map(str::to_owned));
        match call.send().await {
            Ok(output) => output
                .policy
                .map_or_else(|| Fact::Missing("no policy".to_owned()), Fact::Known),
            Err(error) => absent(
                self.refused("lambda:GetPolicy", &error),
                "no resource policy",
            ),
        }
    }

    /// ListAliases, all pages.
    pub async fn aliases(&self) -> Fact<Vec<Alias>> {
        let pages = self
            .client
            .list_aliases()
            .function_name(&self.function)
            .into_paginator()
            .items()
            .send();
        match pages.collect::<Result<Vec<_>, _>>().await {
            Ok(found) => Fact::Known(found.iter().map(read_alias).collect()),
            Err(error) => self.refused("lambda:ListAliases", &error),
        }
    }

    /// ListVersionsByFunction, all pages.
    pub async fn versions(&self) -> Fact<Vec<Version>> {
        let pages = self
            .client
            .list_versions_by_function()
            .function_name(&self.function)
            .into_paginator()
            .items()
            .send();
        match pages.collect::<Result<Vec<_>, _>>().await {
            Ok(found) => Fact::Known(found.iter().map(read_version).collect()),
            Err(error) => self.refused("lambda:ListVersionsByFunction", &error),
        }
    }

    /// The configuration of one version, for a diff.
    pub async fn version(&self, version: &str) -> Fact<FunctionConfig> {
        let other = Lambda {
            qualifier: Some(version.to_owned()),
            ..self.clone()
        };
        other.function().await
    }

    /// Reserved concurrency and the account's limit. The limit alone may be refused: it says why.
    pub async fn concurrency(&self) -> Fact<Concurrency> {
        let (reserved, account) = tokio::join!(
            self.client
                .get_function_concurrency()
                .function_name(&self.function)
                .send(),
            self.client.get_account_settings().send()
        );
        match reserved {
            Ok(output) => Fact::Known(Concurrency {
                reserved: output
                    .reserved_concurrent_executions
                    .and_then(|n| u32::try_from(n).ok()),
                account_limit: match account {
                    Ok(account) => account
                        .account_limit
                        .and_then(|l| u32::try_from(l.concurrent_executions).ok())
                        .map_or(Fact::NotAsked, Fact::Known),
                    Err(error) => self.refused("lambda:GetAccountSettings", &error),
                },
            }),
            Err(error) => self.refused("lambda:GetFunctionConcurrency", &error),
        }
    }

    /// ListProvisionedConcurrencyConfigs: (qualifier, requested executions).
    pub async fn provisioned(&self) -> Fact<Vec<(String, u32)>> {
        let call = self
            .client
            .list_provisioned_concurrency_configs()
            .function_name(&self.function);
        match call.send().await {
            Ok(output) => Fact::Known(
                output
                    .provisioned_concurrency_configs()
                    .iter()
                    .map(|c| {
                        let arn = c.function_arn().unwrap_or_default();
                        let qualifier = arn.rsplit(':').next().unwrap_or_default().to_owned();
                        (
                            qualifier,
                            c.requested_provisioned_concurrent_executions()
                                .unwrap_or(0)
                                .unsigned_abs(),
                        )
                    })
                    .collect(),
            ),
            Err(error) => self.refused("lambda:ListProvisionedConcurrencyConfigs", &error),
        }
    }

    /// GetFunctionUrlConfig; `Missing` when there is no URL.
    pub async fn url(&self) -> Fact<String> {
        let call = self
            .client
            .get_function_url_config()
            .function_name(&self.function)
            .set_qualifier(self.qualifier.clone());
        match call.send().await {
            Ok(output) => Fact::Known(output.function_url),
            Err(error) => absent(
                self.refused("lambda:GetFunctionUrlConfig", &error),
                "no function URL",
            ),
        }
    }

    /// ListEventSourceMappings: ARNs with their state.
    pub async fn event_sources(&self) -> Fact<Vec<String>> {
        match self
            .client
            .list_event_source_mappings()
            .function_name(&self.function)
            .send()
            .await
        {
            Ok(output) => Fact::Known(
                output
                    .event_source_mappings()
                    .iter()
                    .map(|m| {
                        format!(
                            "{} ({})",
                            m.event_source_arn().unwrap_or("?"),
                            m.state().unwrap_or("?")
                        )
                    })
                    .collect(),
            ),
            Err(error) => self.refused("lambda:ListEventSourceMappings", &error),
        }
    }

    /// Names of the functions in this account and region, sorted; to choose from. At most `limit`.
    pub async fn list_functions(&self, limit: usize) -> Fact<Vec<String>> {
        let mut pages = self.client.list_functions().into_paginator().items().send();
        let mut names = Vec::new();
        while let Some(item) = pages.next().await {
            match item {
                Ok(function) => names.extend(function.function_name),
                Err(error) => return self.refused("lambda:ListFunctions", &error),
            }
            if names.len() >= limit {
                break;
            }
        }
        names.sort();
        Fact::Known(names)
    }

    /// Invokes with the log tail, once, and waits at most `limit`. A refused caller is told without running anything.
    pub async fn invoke(&self, payload: &serde_json::Value, limit: Duration) -> Fact<Invoke> {
        let once = aws_sdk_lambda::config::Builder::new()
            .retry_config(RetryConfig::disabled())
            .timeout_config(within(limit));
        let call = self
            .client
            .invoke()
            .function_name(&self.function)
            .set_qualifier(self.qualifier.clone())
            .invocation_type(InvocationType::RequestResponse)
            .log_type(LogType::Tail)
            .payload(Blob::new(payload.to_string()))
            .customize()
            .config_override(once);
        let began = Instant::now();
        let outcome = call.send().await;
        let elapsed_ms = began.elapsed().as_secs_f64() * 1000.0;
        match outcome {
            Ok(output) => Fact::Known(Invoke::Answered(read_invocation(&output, elapsed_ms))),
            Err(error) => self.uninvoked(&error, elapsed_ms),
        }
    }

    /// Would an invocation be let in? Runs nothing, so one answer serves every payload.
    pub async fn dry_run(&self, limit: Duration) -> Fact<()> {
        let once = aws_sdk_lambda::config::Builder::new()
            .retry_config(RetryConfig::disabled())
            .timeout_config(within(limit));
        let call = self
            .client
            .invoke()
            .function_name(&self.function)
            .set_qualifier(self.qualifier.clone())
            .invocation_type(InvocationType::DryRun)
            .customize()
            .config_override(once);
        match call.send().await {
            Ok(_) => Fact::Known(()),
            Err(error) => self.refused("lambda:InvokeFunction", &error),
        }
    }

    /// Throttled and too slow are outcomes of their own; everything else is a refusal.
    fn uninvoked(
        &self,
        error: &SdkError<InvokeError, HttpResponse>,
        elapsed_ms: f64,
    ) -> Fact<Invoke> {
        if let Some(InvokeError::TooManyRequestsException(throttled)) = error.as_service_error() {
            let reason = throttled.reason().map(|r| r.as_str().to_owned());
            return Fact::Known(Invoke::Throttled {
                reason: reason
                    .or_else(|| throttled.message().map(str::to_owned))
                    .unwrap_or_else(|| "TooManyRequests".to_owned()),
            });
        }
        let timed_out = match error {
            SdkError::TimeoutError(_) => true,
            SdkError::DispatchFailure(failure) => failure.is_timeout(),
            _ => false,
        };
        if timed_out && error.code().is_none() {
            return Fact::Known(Invoke::TimedOut {
                after_ms: elapsed_ms,
            });
        }
        self.refused("lambda:InvokeFunction", error)
    }
}

/// This limit alone: the shorter one of an attempt, meant for small reads, would stay in force otherwise.
fn within(limit: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_timeout(limit)
        .operation_attempt_timeout(limit)
        .build()
}

fn read_invocation(output: &InvokeOutput, elapsed_ms: f64) -> Invocation {
    let tail = output
        .log_result()
        .and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let report = tail.lines().rev().find_map(Report::parse);
    Invocation {
        status: u16::try_from(output.status_code()).unwrap_or_default(),
        function_error: output.function_error().map(str::to_owned),
        payload: output
            .payload()
            .map(|b| String::from_utf8_lossy(b.as_ref()).into_owned())
            .unwrap_or_default(),
        elapsed_ms,
        duration_ms: report.as_ref().map(|r| r.duration_ms),
        init_ms: report.as_ref().and_then(|r| r.init_ms),
        log_tail: tail,
    }
}

fn text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}

fn read_configuration(c: &FunctionConfiguration) -> FunctionConfig {
    let name = text(c.function_name());
    let logging = c.logging_config();
    let mut environment: Vec<(String, Secret)> = c
        .environment()
        .and_then(|e| e.variables())
        .map(|vars| {
            vars.iter()
                .map(|(k, v)| (k.clone(), Secret::new(v.clone())))
                .collect()
        })
        .unwrap_or_default();
    environment.sort_by(|a, b| a.0.cmp(&b.0));
    FunctionConfig {
        arn: text(c.function_arn()),
        description: text(c.description()),
        version: text(c.version()),
        package_type: c
            .package_type()
            .map_or_else(|| "Zip".to_owned(), |p| p.as_str().to_owned()),
        image_uri: None,
        resolved_image_uri: None,
        runtime: c.runtime().map(|r| r.as_str().to_owned()),
        handler: c.handler().map(str::to_owned),
        architecture: c
            .architectures()
            .first()
            .map_or_else(|| "x86_64".to_owned(), |a| a.as_str().to_owned()),
        memory_mb: c.memory_size().unwrap_or(128).unsigned_abs(),
        timeout_s: c.timeout().unwrap_or(3).unsigned_abs(),
        ephemeral_mb: c
            .ephemeral_storage()
            .map_or(512, |e| e.size().unsigned_abs()),
        role: text(c.role()),
        vpc: c
            .vpc_config()
            .and_then(|v| v.vpc_id())
            .filter(|id| !id.is_empty())
            .map(str::to_owned),
        layers: c
            .layers()
            .iter()
            .filter_map(|l| l.arn().map(str::to_owned))
            .collect(),
        tracing: c
            .tracing_config()
            .and_then(|t| t.mode())
            .map_or_else(|| "PassThrough".to_owned(), |m| m.as_str().to_owned()),
        log_group: logging
            .and_then(|l| l.log_group())
            .map_or_else(|| format!("/aws/lambda/{name}"), str::to_owned),
        log_format: logging
            .and_then(|l| l.log_format())
            .map_or_else(|| "Text".to_owned(), |f| f.as_str().to_owned()),
        environment,
        last_modified: text(c.last_modified()),
        code_sha256: text(c.code_sha256()),
        code_size: c.code_size().unsigned_abs(),
        state: c
            .state()
            .map_or_else(String::new, |s| s.as_str().to_owned()),
        state_reason: said(c.state_reason()),
        last_update_status: c
            .last_update_status()
            .map_or_else(String::new, |s| s.as_str().to_owned()),
        last_update_code: said(
            c.last_update_status_reason_code()
                .map(aws_sdk_lambda::types::LastUpdateStatusReasonCode::as_str),
        ),
        last_update_reason: said(c.last_update_status_reason()),
        tags: Vec::new(),
        name,
    }
}

/// AWS says of a thing which the function lacks that it was not found, in the words for a function that is not there.
fn absent<T>(fact: Fact<T>, what: &str) -> Fact<T> {
    match fact {
        Fact::Missing(_) => Fact::Missing(what.to_owned()),
        other => other,
    }
}

/// An empty text says nothing.
fn said(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

fn read_alias(alias: &AliasConfiguration) -> Alias {
    let mut weights: Vec<(String, f64)> = alias
        .routing_config()
        .and_then(|r| r.additional_version_weights())
        .map(|w| {
            w.iter()
                .map(|(version, share)| (version.clone(), *share))
                .collect()
        })
        .unwrap_or_default();
    weights.sort_by(|a, b| a.0.cmp(&b.0));
    Alias {
        name: text(alias.name()),
        version: text(alias.function_version()),
        weights,
    }
}

fn read_version(c: &FunctionConfiguration) -> Version {
    Version {
        version: text(c.version()),
        last_modified: text(c.last_modified()),
        code_sha256: text(c.code_sha256()),
        memory_mb: c.memory_size().unwrap_or(0).unsigned_abs(),
        timeout_s: c.timeout().unwrap_or(0).unsigned_abs(),
        description: text(c.description()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::{Read, Write};

    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;

    use super::*;

    /// Takes one request and answers `{}` after this time.
    fn slow(delay: Duration) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            // The service that is slow is what the tests are about.
            std::thread::sleep(delay);
            let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
            let _ = stream.write_all(answer.as_bytes());
        });
        url
    }

    #[tokio::test]
    async fn an_invocation_may_take_longer_than_a_small_read() {
        let reads = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_millis(50))
            .operation_timeout(Duration::from_millis(100))
            .build();
        let config = SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::new("us-east-2"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
            .endpoint_url(slow(Duration::from_millis(400)))
            .timeout_config(reads)
            .build();
        let lambda = Lambda::new(&config, "wine", None, None);
        let invoked = lambda
            .invoke(&serde_json::json!({}), Duration::from_secs(20))
            .await;
        assert!(
            matches!(invoked, Fact::Known(Invoke::Answered(_))),
            "{invoked:?}"
        );
    }
}
