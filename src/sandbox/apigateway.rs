//! API Gateway v2's control plane over restJson1: the API, its routes, integrations and stages.

use axum::body::Body;
use axum::http::{Method, Response};
use serde_json::{Value, json};

use super::gateway;
use super::incident::Incident;
use super::reply::{self, Fault};
use super::server::{Incoming, admit};
use super::world::World;

const INTEGRATION: &str = "i7wq0pr";

pub(super) fn serve(world: &World, incoming: &Incoming) -> Result<Response<Body>, Fault> {
    let parts: Vec<&str> = incoming.path().trim_matches('/').split('/').collect();
    let resource = format!(
        "arn:aws:apigateway:{}::/{}",
        world.options.region,
        parts.get(1..).unwrap_or_default().join("/")
    );
    admit(world, incoming, "apigateway:GET", &resource)?;
    let not_found = || Fault::new(404, "NotFoundException", "Invalid API identifier specified");
    if incoming.parts.method != Method::GET {
        return Err(Fault::new(
            403,
            "AccessDeniedException",
            "The sandbox's API is read-only",
        ));
    }
    if let Some(id) = parts.get(2)
        && (*id != world.options.api_id || world.is(Incident::WrongRegion))
    {
        return Err(not_found());
    }
    let output = match parts.get(1..).unwrap_or_default() {
        ["apis"] if world.is(Incident::WrongRegion) => json!({"items": []}),
        ["apis"] => json!({"items": [api(world)]}),
        ["apis", _] => api(world),
        ["apis", _, "routes"] => json!({"items": routes(world)}),
        ["apis", _, "integrations"] => json!({"items": [integration(world)]}),
        ["apis", _, "integrations", INTEGRATION] => integration(world),
        ["apis", _, "stages"] => json!({"items": [stage(world)]}),
        ["apis", _, "stages", name] if matches!(*name, "$default" | "%24default") => stage(world),
        _ => return Err(not_found()),
    };
    Ok(reply::json(200, &output))
}

fn api(world: &World) -> Value {
    json!({
        "apiId": world.options.api_id,
        "name": "wine-quality-api",
        "protocolType": "HTTP",
        "apiEndpoint": world.origin(),
        "createdDate": "2025-12-20T16:02:41Z",
        "disableExecuteApiEndpoint": world.is(Incident::EndpointDisabled),
        "routeSelectionExpression": "$request.method $request.path",
        "apiKeySelectionExpression": "$request.header.x-api-key",
    })
}

fn routes(world: &World) -> Vec<Value> {
    let keys: &[&str] = if world.is(Incident::RouteMissing) {
        &["GET /health", "GET /model/info"]
    } else {
        &["POST /", "POST /predict", "GET /health", "GET /model/info"]
    };
    keys.iter()
        .enumerate()
        .map(|(index, key)| {
            json!({
                "routeId": format!("r{index}x4k2p"), "routeKey": key, "target": format!("integrations/{INTEGRATION}"),
                "authorizationType": "NONE", "apiKeyRequired": false,
            })
        })
        .collect()
}

fn integration(world: &World) -> Value {
    let function = if world.is(Incident::WrongIntegration) {
        format!("{}-old", world.function_arn())
    } else {
        world.function_arn()
    };
    json!({
        "integrationId": INTEGRATION,
        "integrationType": "AWS_PROXY",
        "integrationMethod": "POST",
        "connectionType": "INTERNET",
        "integrationUri": function,
        "payloadFormatVersion": gateway::payload_format(world),
        "timeoutInMillis": gateway::integration_timeout_ms(world),
    })
}

fn stage(world: &World) -> Value {
    let mut stage = json!({
        "stageName": "$default",
        "autoDeploy": true,
        "createdDate": "2025-12-20T16:02:42Z",
        "lastUpdatedDate": "2025-12-23T17:40:10Z",
        "deploymentId": "d3pl0y",
        "lastDeploymentStatusMessage": "Successfully deployed stage with deployment ID 'd3pl0y'",
        "defaultRouteSettings": {"detailedMetricsEnabled": false},
        "routeSettings": {},
        "stageVariables": {},
    });
    if world.is(Incident::StageThrottle) {
        stage["defaultRouteSettings"]["throttlingBurstLimit"] = json!(0);
        stage["defaultRouteSettings"]["throttlingRateLimit"] = json!(0.0);
    }
    stage
}
