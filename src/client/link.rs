//! The connection to a target: everything the clients need, resolved once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow};
use aws_config::default_provider::region::DefaultRegionChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;

use crate::champion;
use crate::client::destination::{Destination, region_of};
use crate::client::endpoints::{self, NoEndpoint, endpoint_of};
use crate::client::logs::LogsClient;
use crate::client::predict::Endpoint;
use crate::client::tail::Connect;
use crate::config::{SANDBOX, Settings, Target};
use crate::domain::arn::FunctionName;
use crate::domain::function::Overview;
use crate::domain::schema::Schema;
use crate::sandbox::{Options, Sandbox};

/// A connected target. Cheap to clone; the sandbox stops with its last clone.
#[derive(Debug, Clone, Default)]
pub struct Link {
    /// What the header says.
    pub session: Session,
    /// What was asked for.
    pub destination: Destination,
    /// The configured target with the choices in it.
    target: Target,
    /// Where predictions are `POSTed`; `None` when the target has no endpoint.
    pub endpoint: Option<Endpoint>,
    /// The AWS account behind it, if there is one.
    pub aws: Option<Aws>,
    /// Why there is none, where there should be one.
    no_aws: Option<String>,
    /// Log groups to tail, names or ARNs.
    pub log_groups: Vec<String>,
    /// The embedded sandbox, if this is it.
    pub sandbox: Option<Arc<Sandbox>>,
}

/// How to reach AWS.
#[derive(Debug, Clone)]
pub struct Aws {
    /// Region, credentials, endpoint, retries and time limits for every SDK client.
    pub config: SdkConfig,
    /// Whether the services are somewhere else than AWS: host prefixes must then be left out.
    pub custom_endpoint: bool,
    /// The profile's name, for messages that say how to log in again.
    pub profile: String,
}

/// Who and where we are connected to, for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Session {
    /// The target's name.
    pub target: String,
    /// The AWS profile, where another than the configured one was chosen.
    pub profile: Option<String>,
    /// The AWS account, once the identity is known.
    pub account: Option<String>,
    /// The AWS region; empty without AWS.
    pub region: String,
    /// The Lambda function; empty without one.
    pub function: String,
    /// Where predictions go; empty without an endpoint.
    pub endpoint: String,
    /// Whether this is the embedded sandbox.
    pub sandbox: bool,
    /// The registry's champion on this machine.
    pub champion: Option<String>,
    /// Versions whose answers the endpoint gave when it was last asked; `None` before.
    pub serves: Option<Vec<String>>,
}

impl Session {
    /// Account and region as `123456789012/us-east-2`, or what of it is known.
    pub fn place(&self) -> String {
        match (&self.account, self.region.as_str()) {
            (Some(account), "") => account.clone(),
            (Some(account), region) => format!("{account}/{region}"),
            (None, region) => region.to_owned(),
        }
    }
}

impl Link {
    /// Connects to a target: starts the sandbox, or loads the AWS configuration.
    /// Talks to no AWS service yet; may wait for credentials files and SSO caches.
    pub async fn connect(
        settings: &Arc<Settings>,
        schema: &Arc<Schema>,
        destination: impl Into<Destination>,
    ) -> anyhow::Result<Self> {
        let destination = destination.into();
        let target = resolved(settings, &destination)?;
        let mut link = if destination.target == SANDBOX {
            let mut link = sandboxed(settings, schema).await?;
            if let Some(function) = &destination.function {
                link.move_to(function);
            }
            link
        } else {
            remote(&destination, &target).await?
        };
        (link.destination, link.target) = (destination, target);
        link.session.champion = champion::version(settings, schema);
        Ok(link)
    }

    /// Another function of the sandbox: the endpoint and the log group are not its.
    fn move_to(&mut self, function: &str) {
        if function == self.session.function {
            return;
        }
        function.clone_into(&mut self.session.function);
        self.session.endpoint.clear();
        self.endpoint = None;
        self.log_groups = vec![format!("/aws/lambda/{}", FunctionName::of(function).name)];
    }

    /// The AWS side, or a sentence for people.
    pub fn aws(&self) -> anyhow::Result<&Aws> {
        let name = &self.session.target;
        let none =
            || format!("the target `{name}` has no AWS behind it; choose another (--target)");
        let why = || anyhow!(self.no_aws.clone().unwrap_or_else(none));
        self.aws.as_ref().ok_or_else(why)
    }

    /// Why AWS cannot be asked, where the target should have it.
    pub fn no_aws(&self) -> Option<&str> {
        self.no_aws.as_deref()
    }

    /// The AWS side with files, SSO cache and environment read again: what a user has renewed meanwhile counts.
    pub async fn aws_again(&self) -> anyhow::Result<Aws> {
        let current = self.aws()?;
        if self.sandbox.is_some() {
            return Ok(current.clone());
        }
        aws(&self.target, self.endpoint.as_ref()).await
    }

    /// The AWS side of a destination without connecting to it.
    pub async fn reach(settings: &Settings, destination: &Destination) -> anyhow::Result<Aws> {
        let target = resolved(settings, destination)?;
        let endpoint = target
            .endpoint
            .as_deref()
            .map(Endpoint::parse)
            .transpose()?;
        aws(&target, endpoint.as_ref()).await
    }

    /// Makes CloudWatch Logs clients for a tail: the first from this connection, later ones with credentials read again.
    pub fn logs(&self) -> anyhow::Result<Connect> {
        let first = Arc::new(Mutex::new(Some(LogsClient::of(self.aws()?))));
        let link = self.clone();
        Ok(Arc::new(move || {
            let (first, link) = (Arc::clone(&first), link.clone());
            Box::pin(async move {
                let ready = first.lock().unwrap_or_else(PoisonError::into_inner).take();
                match ready {
                    Some(client) => Ok(client),
                    None => Ok(LogsClient::of(&link.aws_again().await?)),
                }
            })
        }))
    }

    /// The endpoint, or a sentence for people.
    pub fn endpoint(&self) -> anyhow::Result<&Endpoint> {
        let name = &self.session.target;
        let missing = || {
            anyhow!(
                "the target `{name}` has no prediction endpoint; give one with --endpoint or targets.{name}.endpoint"
            )
        };
        self.endpoint.as_ref().ok_or_else(missing)
    }

    /// The endpoint as text, empty when there is none.
    pub fn url(&self) -> String {
        let url = self.endpoint.as_ref().map(ToString::to_string);
        url.unwrap_or_default()
    }

    /// The log group that is named first, else the one the function writes to, else nothing.
    pub fn group_of(&self, overview: &Overview) -> String {
        let configured = overview.config.known().map(|config| &config.log_group);
        let group = self.log_groups.first().or(configured);
        group.cloned().unwrap_or_default()
    }

    /// The first log group, or a sentence for people.
    pub fn log_group(&self) -> anyhow::Result<&str> {
        let name = &self.session.target;
        let missing = || {
            anyhow!(
                "the target `{name}` names neither a function nor a log group; give --log-group or --function"
            )
        };
        self.log_groups
            .first()
            .map(String::as_str)
            .ok_or_else(missing)
    }
}

/// Starts the sandbox; its model loads or trains meanwhile.
async fn sandboxed(settings: &Arc<Settings>, schema: &Arc<Schema>) -> anyhow::Result<Link> {
    let wanted = &settings.sandbox;
    let options = Options {
        seed: wanted.seed,
        rate: wanted.rate,
        speed: wanted.speed,
        incident: wanted.incident,
        schema: Arc::clone(schema),
        ..Options::default()
    };
    let sandbox = Sandbox::start(options, champion::served(settings, schema))
        .await
        .context("the sandbox cannot start")?;
    // Nothing of the user's AWS files and variables may leak in here, so no loader.
    let config = aws_config::ConfigLoader::default()
        .behavior_version(BehaviorVersion::latest())
        .empty_test_environment()
        .region(Region::new(sandbox.region().to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(sandbox.credentials()))
        .endpoint_url(sandbox.aws_endpoint())
        .timeout_config(time_limits())
        .load()
        .await;
    let session = Session {
        target: SANDBOX.to_owned(),
        profile: None,
        account: Some(sandbox.account().to_owned()),
        region: sandbox.region().to_owned(),
        function: sandbox.function().to_owned(),
        endpoint: sandbox.endpoint().to_string(),
        sandbox: true,
        champion: None,
        serves: None,
    };
    Ok(Link {
        session,
        destination: Destination::default(),
        target: Target::default(),
        endpoint: Some(Endpoint::parse(sandbox.endpoint().as_str())?),
        no_aws: None,
        aws: Some(Aws {
            config,
            custom_endpoint: true,
            profile: SANDBOX.to_owned(),
        }),
        log_groups: vec![sandbox.log_group()],
        sandbox: Some(Arc::new(sandbox)),
    })
}

fn resolved(settings: &Settings, destination: &Destination) -> anyhow::Result<Target> {
    let target = destination.resolve(settings);
    target.ok_or_else(|| anyhow!("there is no target `{}`", destination.target))
}

async fn remote(destination: &Destination, target: &Target) -> anyhow::Result<Link> {
    let endpoint = target
        .endpoint
        .as_deref()
        .map(Endpoint::parse)
        .transpose()?;
    let reached = if target.has_aws() {
        aws(target, endpoint.as_ref()).await.map(Some)
    } else {
        Ok(None)
    };
    // Predictions need no AWS: what is missing there is said when it is asked for.
    let (aws, no_aws) = match reached {
        Ok(aws) => (aws, None),
        Err(error) if endpoint.is_some() && !error.is::<NoEndpoint>() => {
            (None, Some(format!("{error:#}")))
        }
        Err(error) => return Err(error),
    };
    let function = target.function.clone().unwrap_or_default();
    let region = aws
        .as_ref()
        .and_then(|aws| aws.config.region())
        .map(ToString::to_string)
        .unwrap_or_default();
    let mut log_groups = target.log_groups.clone();
    if log_groups.is_empty() && !function.is_empty() && aws.is_some() {
        log_groups.push(format!("/aws/lambda/{}", FunctionName::of(&function).name));
    }
    let session = Session {
        target: destination.target.clone(),
        profile: destination.profile.clone(),
        account: None,
        region,
        function,
        endpoint: endpoint
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        sandbox: false,
        champion: None,
        serves: None,
    };
    Ok(Link {
        session,
        destination: Destination::default(),
        target: Target::default(),
        endpoint,
        aws,
        no_aws,
        log_groups,
        sandbox: None,
    })
}

/// Reads credentials and region the way the AWS CLI does; flags and target keys win.
async fn aws(target: &Target, endpoint: Option<&Endpoint>) -> anyhow::Result<Aws> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(time_limits())
        .retry_config(RetryConfig::standard());
    if let Some(region) = &target.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &target.profile {
        loader = loader
            .profile_name(profile)
            .credentials_provider(credentials_of(profile, target.region.as_ref()).await);
    }
    if let Some(url) = &target.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    let mut config = loader.load().await;
    endpoints::check(&config)?;
    if config.region().is_none() {
        let no_region = || {
            anyhow!(
                "no AWS region: give --region, set AWS_REGION, or put `region` into the profile"
            )
        };
        let region = endpoint
            .and_then(|endpoint| region_of(endpoint.url()))
            .ok_or_else(no_region)?;
        config = config.into_builder().region(Region::new(region)).build();
    }
    let profile = target
        .profile
        .clone()
        .or_else(|| std::env::var("AWS_PROFILE").ok())
        .unwrap_or_else(|| "default".to_owned());
    Ok(Aws {
        custom_endpoint: endpoint_of(&config, "CloudWatch Logs").is_some(),
        config,
        profile,
    })
}

/// A profile asked for by name beats keys in the environment, as with the AWS CLI's `--profile`.
async fn credentials_of(profile: &str, region: Option<&String>) -> ProfileFileCredentialsProvider {
    let region = if let Some(region) = region {
        Some(Region::new(region.clone()))
    } else {
        let of_profile = DefaultRegionChain::builder().profile_name(profile);
        of_profile.build().region().await
    };
    ProfileFileCredentialsProvider::builder()
        .configure(&ProviderConfig::without_region().with_region(region))
        .profile_name(profile)
        .build()
}

/// For the small reads; an invocation sets its own.
fn time_limits() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(15))
        .build()
}
