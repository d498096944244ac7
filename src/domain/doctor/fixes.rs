//! The exact commands that mend what Doctor finds. Text to copy: vintner never runs them.

use super::facts::{Facts, Function};
use crate::domain::alerts::alarm::quote;
use crate::domain::arn::{self, FunctionName};

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

/// A line that finds the API's id where only a custom domain is known, and the id or the variable that line sets.
fn api_id(facts: &Facts) -> (String, String) {
    if let Some(id) = &facts.subject.api_id {
        return (String::new(), id.clone());
    }
    let host = facts
        .subject
        .endpoint
        .split_once("://")
        .map_or("", |(_, rest)| rest);
    let host = host.split(['/', ':', '?']).next().unwrap_or_default();
    let find = format!(
        "API_ID=$(aws apigatewayv2 get-api-mappings {} --domain-name {} --query 'Items[0].ApiId' --output text)\n",
        flags(facts),
        quote(host)
    );
    (find, "$API_ID".to_owned())
}

/// Quoted so that the variable of [`api_id`] is still filled in.
fn shell_word(text: &str) -> String {
    if text.contains("$API_ID") {
        format!("\"{text}\"")
    } else {
        quote(text)
    }
}

fn image(facts: &Facts) -> Option<&str> {
    facts.function.known()?.image_uri.as_deref()
}

fn deploy(facts: &Facts, image: &str) -> String {
    format!(
        "aws lambda update-function-code {} --function-name {} --image-uri {}",
        flags(facts),
        function(facts),
        quote(image)
    )
}

/// Deploys the image that the function's tag names.
pub fn redeploy(facts: &Facts) -> String {
    match image(facts) {
        Some(image) => deploy(facts, image),
        None => format!(
            "aws lambda get-function {} --function-name {}",
            flags(facts),
            function(facts)
        ),
    }
}

/// Replaces a deploy that failed. The same image would fail again: one for the wrong processor is built anew.
pub fn replace_deploy(facts: &Facts) -> String {
    let function = facts.function.known();
    let reason = function
        .and_then(|f| f.last_update_reason.as_deref())
        .unwrap_or_default();
    let code = function
        .and_then(|f| f.last_update_code.as_deref())
        .unwrap_or_default();
    let (Some(image), true) = (image(facts), code.contains("Image")) else {
        return redeploy(facts);
    };
    let platform = match function.map(|f| f.architecture.as_str()) {
        Some("arm64") => "linux/arm64",
        _ => "linux/amd64",
    };
    let why = if reason.contains("architecture") {
        "# the image was built for another processor: build and push it for the function's, then deploy it"
    } else {
        "# the image itself is refused: build and push it again, then deploy it"
    };
    let tagged = image.split_once('@').map_or(image, |(name, _)| name);
    format!(
        "{why}\ndocker buildx build --platform {platform} --provenance=false --push -t {} .\n{}",
        quote(tagged),
        deploy(facts, tagged)
    )
}

/// Gives the image that runs its tag back.
pub fn restore_tag(facts: &Facts) -> String {
    let function = facts.function.known();
    let digest = function
        .and_then(|f| f.resolved_image_uri.as_deref())
        .and_then(|uri| uri.split_once('@'))
        .map(|(_, digest)| digest);
    let tag = image(facts)
        .and_then(|uri| uri.rsplit('/').next())
        .and_then(|name| name.split_once(':'))
        .map_or("latest", |(_, tag)| tag);
    let (Some(digest), Some(repository)) = (digest, function.and_then(repository)) else {
        return String::new();
    };
    let (flags, repository) = (flags(facts), quote(&repository));
    format!(
        "aws ecr put-image {flags} --repository-name {repository} --image-tag {} --image-manifest \"$(aws ecr batch-get-image {flags} \
         --repository-name {repository} --image-ids imageDigest={} --query 'images[0].imageManifest' --output text)\"",
        quote(tag),
        quote(digest)
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

/// Raises the limit that was hit: the function's own reservation, else the account's.
pub fn more_concurrency(facts: &Facts) -> String {
    let concurrency = facts.concurrency.known();
    if let Some(reserved) = concurrency.and_then(|c| c.reserved) {
        return format!(
            "aws lambda put-function-concurrency {} --function-name {} --reserved-concurrent-executions {}",
            flags(facts),
            function(facts),
            reserved.saturating_mul(2).max(1)
        );
    }
    let limit = concurrency.and_then(|c| c.account_limit.known().copied());
    format!(
        "aws service-quotas request-service-quota-increase {} --service-code lambda --quota-code L-B99A9384 --desired-value {}",
        flags(facts),
        limit.unwrap_or_default().saturating_mul(2).max(1000)
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

/// The longest an HTTP API waits, seconds.
const GATEWAY_LIMIT_S: u32 = 30;

/// Raises the timeout to the gateway's 30 s, or says that it is there already.
pub fn more_time(facts: &Facts) -> String {
    if facts
        .function
        .known()
        .is_some_and(|f| f.timeout_s >= GATEWAY_LIMIT_S)
    {
        return format!(
            "# an HTTP API waits {GATEWAY_LIMIT_S} s at most: find what takes so long\n{}",
            read_errors(facts)
        );
    }
    format!(
        "aws lambda update-function-configuration {} --function-name {} --timeout {GATEWAY_LIMIT_S}",
        flags(facts),
        function(facts)
    )
}

/// Lets the integration wait as long as an HTTP API can.
pub fn longer_integration(facts: &Facts) -> String {
    let most = GATEWAY_LIMIT_S * 1000;
    match facts.integration().filter(|i| i.timeout_ms < most) {
        Some(integration) => {
            let (before, id) = api_id(facts);
            format!(
                "{before}aws apigatewayv2 update-integration {} --api-id {} --integration-id {} --timeout-in-millis {most}",
                flags(facts),
                shell_word(&id),
                quote(&integration.id)
            )
        }
        None => format!(
            "# make the call faster or asynchronous: an HTTP API waits {GATEWAY_LIMIT_S} s at most"
        ),
    }
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
    configured.unwrap_or_else(|| {
        format!(
            "/aws/lambda/{}",
            FunctionName::of(&facts.subject.function).name
        )
    })
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

/// One apigatewayv2 command about this API.
fn api_command(facts: &Facts, verb: &str, arguments: &str) -> String {
    let (before, id) = api_id(facts);
    format!(
        "{before}aws apigatewayv2 {verb} {} --api-id {} {arguments}",
        flags(facts),
        shell_word(&id)
    )
}

/// Adds the missing route, to the integration that is there or to one made for it.
pub fn add_route(facts: &Facts) -> String {
    let route = quote(&format!(
        "{} {}",
        facts.subject.method,
        facts.stage_and_path().1
    ));
    let integration = facts.api.known().and_then(|a| a.integrations.first());
    match integration {
        Some(integration) => api_command(
            facts,
            "create-route",
            &format!(
                "--route-key {route} --target {}",
                quote(&format!("integrations/{}", integration.id))
            ),
        ),
        None => api_command(facts, "get-integrations", "")
            .trim_end()
            .to_owned(),
    }
}

/// Switches the default endpoint on.
pub fn enable_endpoint(facts: &Facts) -> String {
    api_command(facts, "update-api", "--no-disable-execute-api-endpoint")
}

/// Lifts the throttle of the stage that predictions go through.
pub fn lift_throttle(facts: &Facts) -> String {
    let (stage, _) = facts.stage_and_path();
    let arguments = format!(
        "--stage-name {} --default-route-settings ThrottlingRateLimit=100,ThrottlingBurstLimit=200",
        quote(stage)
    );
    api_command(facts, "update-stage", &arguments)
}

/// Points the integration at the function.
pub fn point_integration(facts: &Facts) -> String {
    let (Some(integration), Some(function)) = (facts.integration(), facts.function.known()) else {
        return api_command(facts, "get-integrations", "")
            .trim_end()
            .to_owned();
    };
    let arguments = format!(
        "--integration-id {} --integration-uri {}",
        quote(&integration.id),
        quote(&function.arn)
    );
    api_command(facts, "update-integration", &arguments)
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

/// Keeps environments warm: behind the alias that is called, else behind a version made for it.
pub fn keep_warm(facts: &Facts) -> String {
    let aliases = facts.aliases.known();
    let called = facts
        .called_qualifier()
        .or_else(|| aliases.and_then(|a| a.first()).map(String::as_str));
    let qualifier = called.map_or_else(|| {
        format!(
            "\"$(aws lambda publish-version {} --function-name {} --query Version --output text)\"",
            flags(facts),
            function(facts)
        )
    }, quote);
    format!(
        "aws lambda put-provisioned-concurrency-config {} --function-name {} --qualifier {qualifier} --provisioned-concurrent-executions 1",
        flags(facts),
        function(facts)
    )
}
