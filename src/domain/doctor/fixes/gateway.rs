//! Commands on the API: routes, integration, stage.

use super::super::facts::Facts;
use super::{GATEWAY_LIMIT_S, flags};
use crate::domain::alerts::alarm::quote;

/// A line that finds the API's id where only a custom domain is known, and the id or the variable that line sets.
pub(super) fn api_id(facts: &Facts) -> (String, String) {
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
pub(super) fn shell_word(text: &str) -> String {
    if text.contains("$API_ID") {
        format!("\"{text}\"")
    } else {
        quote(text)
    }
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
