//! What AWS's own files and variables add to a target: the SDK reads it, `vintner config` shows it.

use aws_config::meta::region::ProvideRegion;
use aws_config::profile::region::ProfileFileRegionProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use url::Url;

use crate::client::destination::region_of;
use crate::client::endpoints::{SERVICES, endpoint_of};
use crate::client::predict::without_secrets;
use crate::config::{Effective, Origin, SANDBOX, Settings, Target};

/// Region and endpoints of the chosen target that neither flags nor variables nor our own file give. Reads AWS's files,
/// asks no service.
pub async fn inherited(settings: &Settings) -> Vec<Effective> {
    let name = &settings.target;
    let Some(target) = settings.target(name) else {
        return Vec::new();
    };
    if name == SANDBOX || !target.has_aws() {
        return Vec::new();
    }
    let key = |field: &str| format!("targets.{name}.{field}");
    let noted = |field: &str| {
        settings
            .effective
            .iter()
            .any(|value| value.key == key(field))
    };
    let mut found = Vec::new();
    let mut add = |field: &str, value: &str, origin: Origin| {
        found.push(Effective {
            key: key(field),
            value: without_secrets(value),
            origin,
        });
    };
    if let (false, Some((region, origin))) = (noted("region"), region(target).await) {
        add("region", &region, origin);
    }
    let config = config(target).await;
    if let (false, Some(url)) = (noted("endpoint_url"), config.endpoint_url()) {
        add("endpoint_url", url, of_profile(target));
    }
    for (service, variable) in SERVICES {
        let Some(url) = endpoint_of(&config, service) else {
            continue;
        };
        if config.endpoint_url() != Some(url.as_str()) {
            let origin = match std::env::var(variable) {
                Ok(set) if set == url => Origin::Env(variable),
                _ => of_profile(target),
            };
            add(&format!("endpoint_url ({service})"), &url, origin);
        }
    }
    found
}

/// The profile's region, or else the one in the endpoint's host name.
async fn region(target: &Target) -> Option<(String, Origin)> {
    let mut file = ProfileFileRegionProvider::builder();
    if let Some(profile) = &target.profile {
        file = file.profile_name(profile);
    }
    if let Some(region) = file.build().region().await {
        return Some((region.to_string(), of_profile(target)));
    }
    let endpoint = Url::parse(target.endpoint.as_deref()?).ok()?;
    Some((region_of(&endpoint)?, Origin::Host))
}

async fn config(target: &Target) -> SdkConfig {
    // Any region: without one the loader would look for it in the network.
    let mut loader =
        aws_config::defaults(BehaviorVersion::latest()).region(Region::new("us-east-1"));
    if let Some(profile) = &target.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &target.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    loader.load().await
}

fn of_profile(target: &Target) -> Origin {
    let named = target.profile.clone();
    let name = named.or_else(|| std::env::var("AWS_PROFILE").ok());
    Origin::Profile(name.unwrap_or_else(|| "default".to_owned()))
}
