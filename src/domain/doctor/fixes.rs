//! The exact commands that mend what Doctor finds. Text to copy: vintner never runs them.

mod gateway;
mod image;
mod permissions;
mod size;

use super::facts::Facts;
use crate::domain::alerts::alarm::quote;
use crate::domain::arn::FunctionName;

pub use gateway::{
    add_route, enable_endpoint, lift_throttle, longer_integration, point_integration,
};
pub use image::{redeploy, replace_deploy, repository_policy, restore_tag};
pub use permissions::{add_permission, allow_logs, grant, remove_permission, sign_in, source_arn};
pub use size::{free_concurrency, keep_warm, more_concurrency, more_memory, more_time};

fn profile(facts: &Facts) -> String {
    let profile = facts.subject.profile.as_ref();
    profile
        .map(|p| format!(" --profile {}", quote(p)))
        .unwrap_or_default()
}

/// The region and profile flags that repeat the session's own.
fn flags(facts: &Facts) -> String {
    format!(
        "--region {}{}",
        quote(&facts.subject.region),
        profile(facts)
    )
}

fn function(facts: &Facts) -> String {
    quote(&facts.subject.function)
}

/// Alias or version that the gateway calls, as a flag.
fn qualifier(facts: &Facts) -> String {
    facts
        .called_qualifier()
        .map(|q| format!(" --qualifier {}", quote(q)))
        .unwrap_or_default()
}

/// The longest an HTTP API waits, seconds.
const GATEWAY_LIMIT_S: u32 = 30;

/// Shows the errors of the last half hour.
pub fn read_errors(facts: &Facts) -> String {
    let group = log_group(facts);
    format!(
        "vintner logs --since 30m\naws logs tail {} {} --since 30m --filter-pattern '?ERROR ?Error ?Traceback'",
        quote(&group),
        flags(facts)
    )
}

/// The function's log group, as configured or by Lambda's default.
pub fn log_group(facts: &Facts) -> String {
    let configured = facts.function.known().and_then(|f| f.log_group.clone());
    configured.unwrap_or_else(|| {
        format!(
            "/aws/lambda/{}",
            FunctionName::of(&facts.subject.function).name
        )
    })
}

/// Shows where AWS is looked for, and asks the silent part of it the smallest question.
pub fn find_aws(facts: &Facts) -> String {
    let mut commands =
        "vintner config   # region, profile, endpoint_url: how AWS is asked".to_owned();
    if facts.subject.region.is_empty() {
        return commands;
    }
    commands.push('\n');
    commands.push_str(&match facts.identity.known() {
        Some(_) => format!(
            "aws lambda get-function-configuration {} --function-name {}",
            flags(facts),
            function(facts)
        ),
        None => format!("aws sts get-caller-identity {}", flags(facts)),
    });
    commands
}

/// Finds where the function, or its alias, lives.
pub fn find_function(facts: &Facts) -> String {
    let region = facts
        .subject
        .endpoint_region
        .as_ref()
        .filter(|r| **r != facts.subject.region);
    match region {
        Some(region) => format!(
            "aws lambda get-function --function-name {} --region {}{}",
            function(facts),
            quote(region),
            profile(facts)
        ),
        None if facts.subject.qualifier.is_some() => format!(
            "aws lambda list-aliases {} --function-name {}",
            flags(facts),
            function(facts)
        ),
        None => format!(
            "aws lambda list-functions {} --query 'Functions[].FunctionName'   # then --function NAME or --region REGION",
            flags(facts)
        ),
    }
}
