//! API Gateway v2: how the HTTP API in front of the function is wired.

use serde_json::Value;

use crate::client::signed::{Request, Service, Signed};
use crate::domain::doctor::facts::{Api, Fact, Integration, Route, Stage};

const ACTION: &str = "apigateway:GET";

/// The API's id: from `{id}.execute-api.{region}.…`, else the one API whose endpoint this is.
pub async fn find_id(signed: &Signed, endpoint: &str) -> Fact<String> {
    if let Some((id, _)) = id_and_region(endpoint) {
        return Fact::Known(id);
    }
    match items(signed, "/v2/apis").await {
        Fact::Known(apis) => {
            let host = host_of(endpoint);
            let ours = apis
                .iter()
                .find(|api| host.is_some() && host_of(text(api, "apiEndpoint")) == host);
            // A custom domain in front of the account's only API can mean no other.
            let only = if apis.len() == 1 { apis.first() } else { None };
            match ours.or(only) {
                Some(api) => Fact::Known(text(api, "apiId").to_owned()),
                None => Fact::Failed(format!(
                    "none of {} APIs has the endpoint {endpoint}",
                    apis.len()
                )),
            }
        }
        other => other.map(|_| String::new()),
    }
}

/// Id and region in the host name of an HTTP API's default endpoint.
pub fn id_and_region(endpoint: &str) -> Option<(String, String)> {
    let url = url::Url::parse(endpoint).ok()?;
    let mut labels = url.host_str()?.split('.');
    let (id, service, region) = (labels.next()?, labels.next()?, labels.next()?);
    (service == "execute-api").then(|| (id.to_owned(), region.to_owned()))
}

fn host_of(endpoint: &str) -> Option<(String, Option<u16>)> {
    let url = url::Url::parse(endpoint).ok()?;
    Some((url.host_str()?.to_owned(), url.port()))
}

/// Routes, integrations and stages of one API, read side by side.
pub async fn wiring(signed: &Signed, api_id: &str) -> Fact<Api> {
    let base = format!("/v2/apis/{api_id}");
    let part = |name: &str| format!("{base}/{name}");
    let (routes, integrations, stages) = (part("routes"), part("integrations"), part("stages"));
    let (api, routes, integrations, stages) = tokio::join!(
        get(signed, &base),
        items(signed, &routes),
        items(signed, &integrations),
        items(signed, &stages),
    );
    match (api, routes, integrations, stages) {
        (Fact::Known(api), Fact::Known(routes), Fact::Known(integrations), Fact::Known(stages)) => {
            Fact::Known(Api {
                endpoint_disabled: api
                    .get("disableExecuteApiEndpoint")
                    .and_then(Value::as_bool)
                    .unwrap_or(false),
                routes: routes.iter().map(read_route).collect(),
                integrations: integrations.iter().map(read_integration).collect(),
                stages: stages.iter().map(read_stage).collect(),
            })
        }
        (Fact::Known(_), Fact::Known(_), Fact::Known(_), other) => other.map(|_| Api::default()),
        (Fact::Known(_), Fact::Known(_), other, _) | (Fact::Known(_), other, _, _) => {
            other.map(|_| Api::default())
        }
        (other, _, _, _) => other.map(|_| Api::default()),
    }
}

async fn get(signed: &Signed, path: &str) -> Fact<Value> {
    let request = Request {
        service: Service::ApiGateway,
        method: "GET",
        path,
        headers: &[],
        body: String::new(),
        action: ACTION,
        subject: "the API's wiring",
    };
    match signed.send(request).await {
        Fact::Known(body) => serde_json::from_str(&body).map_or_else(
            |error| Fact::Failed(format!("{ACTION} {path}: the answer is not JSON: {error}")),
            Fact::Known,
        ),
        other => other.map(|_| Value::Null),
    }
}

/// All pages of a list.
async fn items(signed: &Signed, path: &str) -> Fact<Vec<Value>> {
    let mut found = Vec::new();
    let mut next: Option<String> = None;
    // Far more pages than any API has; a server that repeats its token must not hold us.
    for _ in 0..50 {
        let page = match &next {
            Some(token) => {
                let token: String =
                    url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
                format!("{path}?maxResults=500&nextToken={token}")
            }
            None => format!("{path}?maxResults=500"),
        };
        match get(signed, &page).await {
            Fact::Known(value) => {
                found.extend(
                    value
                        .get("items")
                        .and_then(Value::as_array)
                        .cloned()
                        .unwrap_or_default(),
                );
                next = value
                    .get("nextToken")
                    .and_then(Value::as_str)
                    .filter(|t| !t.is_empty())
                    .map(str::to_owned);
            }
            other => return other.map(|_| Vec::new()),
        }
        if next.is_none() {
            break;
        }
    }
    Fact::Known(found)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn optional(value: &Value, name: &str) -> Option<String> {
    Some(text(value, name))
        .filter(|t| !t.is_empty())
        .map(str::to_owned)
}

fn read_route(value: &Value) -> Route {
    let target = optional(value, "target");
    Route {
        key: text(value, "routeKey").to_owned(),
        integration_id: target.map(|t| t.rsplit('/').next().unwrap_or_default().to_owned()),
        authorization: optional(value, "authorizationType").unwrap_or_else(|| "NONE".to_owned()),
    }
}

fn read_integration(value: &Value) -> Integration {
    Integration {
        id: text(value, "integrationId").to_owned(),
        uri: text(value, "integrationUri").to_owned(),
        payload_format: optional(value, "payloadFormatVersion").unwrap_or_else(|| "1.0".to_owned()),
        timeout_ms: value
            .get("timeoutInMillis")
            .and_then(Value::as_u64)
            .and_then(|t| u32::try_from(t).ok())
            .unwrap_or(30_000),
        credentials_arn: optional(value, "credentialsArn"),
    }
}

fn read_stage(value: &Value) -> Stage {
    let limit = |name: &str| {
        value
            .get("defaultRouteSettings")
            .and_then(|s| s.get(name))
            .and_then(Value::as_f64)
    };
    Stage {
        name: text(value, "stageName").to_owned(),
        auto_deploy: value
            .get("autoDeploy")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        deployed: optional(value, "deploymentId").is_some(),
        rate_limit: limit("throttlingRateLimit"),
        burst_limit: limit("throttlingBurstLimit"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_names_id_and_region() {
        let found = id_and_region("https://mc7310utyk.execute-api.us-east-2.amazonaws.com/predict");
        assert_eq!(
            found,
            Some(("mc7310utyk".to_owned(), "us-east-2".to_owned()))
        );
        assert_eq!(id_and_region("http://localhost:8000"), None);
        assert_eq!(id_and_region("https://api.example.com"), None);
    }

    #[test]
    fn answers_are_read_with_their_defaults() {
        let route =
            read_route(&serde_json::json!({"routeKey": "POST /", "target": "integrations/abc"}));
        assert_eq!(
            (
                route.integration_id.as_deref(),
                route.authorization.as_str()
            ),
            (Some("abc"), "NONE")
        );
        let integration =
            read_integration(&serde_json::json!({"integrationId": "abc", "integrationUri": "arn"}));
        assert_eq!(
            (integration.payload_format.as_str(), integration.timeout_ms),
            ("1.0", 30_000)
        );
        let stage = read_stage(
            &serde_json::json!({"stageName": "$default", "autoDeploy": true, "defaultRouteSettings": {"throttlingRateLimit": 0}}),
        );
        assert_eq!(
            (stage.rate_limit, stage.burst_limit, stage.auto_deploy),
            (Some(0.0), None, true)
        );
    }
}
