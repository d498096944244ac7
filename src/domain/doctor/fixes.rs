//! The exact commands that mend what Doctor finds. Text to copy: vintner never runs them.

use super::facts::{Facts, Function};
use crate::domain::alerts::alarm::quote;

/// The region and profile flags that repeat the session's own.
fn flags(facts: &Facts) -> String {
    let profile = facts
        .subject
        .profile
        .as_ref()
        .map(|p| format!(" --profile {}", quote(p)))
        .unwrap_or_default();
    format!("--region {}{profile}", quote(&facts.subject.region))
}

fn function(facts: &Facts) -> String {
    quote(&facts.subject.function)
}

/// Partition and account, from the function's ARN or the identity.
fn partition_and_account(facts: &Facts) -> (String, String) {
    let from_function = facts.function.known().map(|f| f.arn.as_str());
    let arn = from_function
        .or(facts.identity.known().map(|i| i.arn.as_str()))
        .unwrap_or_default();
    let part = |index: usize| {
        arn.split(':')
            .nth(index)
            .filter(|p| !p.is_empty())
            .map(str::to_owned)
    };
    let account = part(4).or_else(|| facts.identity.known().map(|i| i.account.clone()));
    (
        part(1).unwrap_or_else(|| "aws".to_owned()),
        account.unwrap_or_else(|| "ACCOUNT".to_owned()),
    )
}

/// The ARN that API Gateway presents when it invokes the function for this prediction.
pub fn source_arn(facts: &Facts) -> Option<String> {
    let subject = &facts.subject;
    let api_id = subject.api_id.as_ref()?;
    let region = subject.endpoint_region.as_ref().unwrap_or(&subject.region);
    let (partition, account) = partition_and_account(facts);
    let stage = "$default";
    let route = match facts.route() {
        Some(route) if route.key == "$default" => "$default".to_owned(),
        Some(route) => match route.key.split_once(' ') {
            Some((_, path)) => format!("{}{path}", subject.method),
            None => format!("{}{}", subject.method, subject.path),
        },
        None => format!("{}{}", subject.method, subject.path),
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
    let api_id = facts.subject.api_id.as_deref().unwrap_or("API_ID");
    let source = format!("arn:{partition}:execute-api:{region}:{account}:{api_id}/*/*");
    let qualifier = facts
        .subject
        .qualifier
        .as_ref()
        .map(|q| format!(" --qualifier {}", quote(q)))
        .unwrap_or_default();
    format!(
        "aws lambda add-permission {} --function-name {}{qualifier} --statement-id apigateway-invoke-{} \
         --action lambda:InvokeFunction --principal apigateway.amazonaws.com --source-arn {}",
        flags(facts),
        function(facts),
        quote(api_id),
        quote(&source)
    )
}

/// Replaces a deploy that failed by a working image.
pub fn redeploy(facts: &Facts) -> String {
    let image = facts
        .function
        .known()
        .and_then(|f| f.image_uri.as_deref())
        .unwrap_or("IMAGE_URI");
    format!(
        "aws lambda update-function-code {} --function-name {} --image-uri {}",
        flags(facts),
        function(facts),
        quote(image)
    )
}

/// Lets Lambda pull from the repository. The execution role has no part in this.
pub fn repository_policy(facts: &Facts) -> String {
    let repository = facts
        .function
        .known()
        .and_then(repository)
        .unwrap_or_else(|| "REPOSITORY".to_owned());
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "LambdaECRImageRetrievalPolicy", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]}]});
    format!(
        "aws ecr set-repository-policy {} --repository-name {} --policy-text {}\n{}",
        flags(facts),
        quote(&repository),
        quote(&policy.to_string()),
        redeploy(facts)
    )
}

/// The repository part of the image URI.
pub fn repository(function: &Function) -> Option<String> {
    let image = function.image_uri.as_deref()?;
    let path = image.split_once('/')?.1;
    let name = path.split_once('@').map_or(path, |(name, _)| name);
    Some(
        name.split_once(':')
            .map_or(name, |(name, _)| name)
            .to_owned(),
    )
}

/// Gives the function its concurrency back.
pub fn free_concurrency(facts: &Facts) -> String {
    format!(
        "aws lambda delete-function-concurrency {} --function-name {}",
        flags(facts),
        function(facts)
    )
}

/// Reserves concurrency for the function, and says where the account's limit is raised.
pub fn more_concurrency(facts: &Facts) -> String {
    format!(
        "aws service-quotas request-service-quota-increase {} --service-code lambda --quota-code L-B99A9384 --desired-value 1000",
        flags(facts)
    )
}

/// Raises the memory to twice what it is.
pub fn more_memory(facts: &Facts) -> String {
    let memory = facts
        .function
        .known()
        .map_or(2048, |f| f.memory_mb.saturating_mul(2).clamp(128, 10_240));
    format!(
        "aws lambda update-function-configuration {} --function-name {} --memory-size {memory}",
        flags(facts),
        function(facts)
    )
}

/// Raises the timeout to the gateway's 30 s, or says that it is there already.
pub fn more_time(facts: &Facts) -> String {
    format!(
        "aws lambda update-function-configuration {} --function-name {} --timeout 30",
        flags(facts),
        function(facts)
    )
}

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
    configured.unwrap_or_else(|| format!("/aws/lambda/{}", facts.subject.function))
}

/// Attaches the managed policy that lets the execution role write logs.
pub fn allow_logs(facts: &Facts) -> String {
    let role = facts
        .function
        .known()
        .and_then(|f| f.role.rsplit('/').next())
        .unwrap_or("ROLE");
    format!(
        "aws iam attach-role-policy --role-name {} --policy-arn arn:{}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        quote(role),
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

/// A policy that lets the caller read what Doctor lacked.
pub fn grant(actions: &[&str]) -> String {
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]});
    format!(
        "aws iam put-user-policy --user-name USER --policy-name vintner-read --policy-document {}",
        quote(&policy.to_string())
    )
}

fn api(facts: &Facts) -> String {
    quote(facts.subject.api_id.as_deref().unwrap_or("API_ID"))
}

/// Adds the missing route.
pub fn add_route(facts: &Facts) -> String {
    let integration = facts
        .api
        .known()
        .and_then(|a| a.integrations.first())
        .map_or("INTEGRATION_ID", |i| i.id.as_str());
    format!(
        "aws apigatewayv2 create-route {} --api-id {} --route-key {} --target {}",
        flags(facts),
        api(facts),
        quote(&format!("{} {}", facts.subject.method, facts.subject.path)),
        quote(&format!("integrations/{integration}"))
    )
}

/// Switches the default endpoint on.
pub fn enable_endpoint(facts: &Facts) -> String {
    format!(
        "aws apigatewayv2 update-api {} --api-id {} --no-disable-execute-api-endpoint",
        flags(facts),
        api(facts)
    )
}

/// Lifts a stage's throttle.
pub fn lift_throttle(facts: &Facts) -> String {
    let stage = facts
        .api
        .known()
        .and_then(|a| a.stages.first())
        .map_or("$default", |s| s.name.as_str());
    format!(
        "aws apigatewayv2 update-stage {} --api-id {} --stage-name {} --default-route-settings ThrottlingRateLimit=100,ThrottlingBurstLimit=200",
        flags(facts),
        api(facts),
        quote(stage)
    )
}

/// Points the integration at the function.
pub fn point_integration(facts: &Facts) -> String {
    let integration = facts
        .integration()
        .map_or("INTEGRATION_ID", |i| i.id.as_str());
    let arn = facts
        .function
        .known()
        .map_or_else(|| "FUNCTION_ARN".to_owned(), |f| f.arn.clone());
    format!(
        "aws apigatewayv2 update-integration {} --api-id {} --integration-id {} --integration-uri {}",
        flags(facts),
        api(facts),
        quote(integration),
        quote(&arn)
    )
}

/// Finds where the function lives.
pub fn find_function(facts: &Facts) -> String {
    let region = facts
        .subject
        .endpoint_region
        .as_ref()
        .filter(|r| **r != facts.subject.region);
    match region {
        Some(region) => format!(
            "aws lambda get-function --function-name {} --region {}",
            function(facts),
            quote(region)
        ),
        None => format!(
            "aws lambda list-functions {} --query 'Functions[].FunctionName'   # then --function NAME or --region REGION",
            flags(facts)
        ),
    }
}

/// Keeps environments warm.
pub fn keep_warm(facts: &Facts) -> String {
    let qualifier = facts.subject.qualifier.as_deref().unwrap_or("ALIAS");
    format!(
        "aws lambda put-provisioned-concurrency-config {} --function-name {} --qualifier {} --provisioned-concurrent-executions 1",
        flags(facts),
        function(facts),
        quote(qualifier)
    )
}
