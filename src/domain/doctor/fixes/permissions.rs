//! Commands on permissions: who may call, log, read, and sign in.

use super::super::facts::Facts;
use super::gateway::{api_id, shell_word};
use super::{flags, function, profile, qualifier};
use crate::domain::alerts::alarm::quote;
use crate::domain::arn;

/// Partition and account, from the function's ARN or the identity.
fn partition_and_account(facts: &Facts) -> (String, String) {
    let from_function = facts.function.known().map(|f| f.arn.as_str());
    let arn = from_function
        .or(facts.identity.known().map(|i| i.arn.as_str()))
        .unwrap_or_default();
    let account = arn::account(arn)
        .map(str::to_owned)
        .or_else(|| facts.identity.known().map(|i| i.account.clone()));
    (
        arn::partition(arn).unwrap_or("aws").to_owned(),
        account.unwrap_or_else(|| "ACCOUNT".to_owned()),
    )
}

/// The ARN that API Gateway presents when it invokes the function for this prediction.
pub fn source_arn(facts: &Facts) -> Option<String> {
    let subject = &facts.subject;
    let api_id = subject.api_id.as_ref()?;
    let region = subject.endpoint_region.as_ref().unwrap_or(&subject.region);
    let (partition, account) = partition_and_account(facts);
    let (stage, path) = facts.stage_and_path();
    let route = match facts.route() {
        Some(route) if route.key == "$default" => "$default".to_owned(),
        Some(route) => match route.key.split_once(' ') {
            Some((_, path)) => format!("{}{path}", subject.method),
            None => format!("{}{path}", subject.method),
        },
        None => format!("{}{path}", subject.method),
    };
    Some(format!(
        "arn:{partition}:execute-api:{region}:{account}:{api_id}/{stage}/{route}"
    ))
}

/// Grants API Gateway the invoke permission, for every stage and route of this API.
pub fn add_permission(facts: &Facts) -> String {
    let (partition, account) = partition_and_account(facts);
    let region = facts
        .subject
        .endpoint_region
        .as_ref()
        .unwrap_or(&facts.subject.region);
    let (before, api_id) = api_id(facts);
    let source = format!("arn:{partition}:execute-api:{region}:{account}:{api_id}/*/*");
    format!(
        "{before}aws lambda add-permission {} --function-name {}{} --statement-id apigateway-invoke \
         --action lambda:InvokeFunction --principal apigateway.amazonaws.com --source-arn {}",
        flags(facts),
        function(facts),
        qualifier(facts),
        shell_word(&source)
    )
}

/// Takes back the statement that denies.
pub fn remove_permission(facts: &Facts, sid: &str) -> String {
    format!(
        "aws lambda remove-permission {} --function-name {}{} --statement-id {}",
        flags(facts),
        function(facts),
        qualifier(facts),
        quote(sid)
    )
}

/// Attaches the managed policy that lets the execution role write logs.
pub fn allow_logs(facts: &Facts) -> String {
    let known = facts
        .function
        .known()
        .and_then(|f| f.role.rsplit('/').next());
    let role = known.map_or_else(|| {
        format!(
            "\"$(aws lambda get-function-configuration {} --function-name {} --query Role --output text | sed 's|.*/||')\"",
            flags(facts),
            function(facts)
        )
    }, quote);
    format!(
        "aws iam attach-role-policy{} --role-name {role} --policy-arn arn:{}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        profile(facts),
        partition_and_account(facts).0
    )
}

/// Signs in again.
pub fn sign_in(facts: &Facts) -> String {
    match &facts.subject.profile {
        Some(profile) => format!("aws sso login --profile {}", quote(profile)),
        None => "aws sso login   # or export fresh AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN".to_owned(),
    }
}

/// A policy that lets the caller read what Doctor lacked, attached to who it is.
pub fn grant(facts: &Facts, actions: &[&str]) -> String {
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]});
    let policy = quote(&policy.to_string());
    let arn = facts.identity.known().map(|i| i.arn.as_str());
    let resource = arn
        .and_then(|arn| arn.splitn(6, ':').nth(5))
        .unwrap_or_default();
    let mut path = resource.split('/');
    let (kind, second, last) = (path.next(), path.next(), resource.rsplit('/').next());
    let (command, flag, name) = match (kind, second, last) {
        (Some("assumed-role"), Some(role), _) if role.starts_with("AWSReservedSSO_") => {
            return format!(
                "# a permission set of IAM Identity Center: add this to its inline policy\n{policy}"
            );
        }
        (Some("assumed-role"), Some(role), _) => ("put-role-policy", "--role-name", role),
        (Some("user"), Some(_), Some(user)) => ("put-user-policy", "--user-name", user),
        _ => return format!("# add this to the policies of the identity in use\n{policy}"),
    };
    format!(
        "aws iam {command}{} {flag} {} --policy-name vintner-read --policy-document {policy}",
        profile(facts),
        quote(name)
    )
}
