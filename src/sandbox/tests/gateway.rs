//! The prediction endpoint and Invoke, over HTTP.

use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{InvocationType, LogType};
use base64::Engine as _;
use serde_json::{Value, json};

use super::super::{Incident, ModelSlot, Options, Sandbox, ServedModel};
use super::{DEMO, clients, quiet};

async fn post(sandbox: &Sandbox, path: &str, body: &str) -> reqwest::Response {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client
        .post(sandbox.endpoint().join(path).unwrap())
        .body(body.to_owned())
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_prediction_answers_in_the_services_shape() {
    let sandbox = quiet().await;
    let response = post(&sandbox, "/", DEMO).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["apigw-requestid"].len(), 16);
    let body: Value = response.json().await.unwrap();
    assert!((body["prediction"].as_f64().unwrap() - 4.7).abs() < 1e-6);
    assert_eq!(
        (&body["quality_rating"], &body["model_version"]),
        (&json!("Poor"), &json!("v1.0"))
    );
    assert_eq!(body["message"], "Prediction successful");
}

#[tokio::test]
async fn a_wrong_value_is_the_handlers_error_and_an_unknown_path_the_gateways() {
    let sandbox = quiet().await;
    let response = post(&sandbox, "/", r#"{"alcohol":"strong"}"#).await;
    assert_eq!(response.status(), 500);
    assert_eq!(
        response.text().await.unwrap(),
        r#"{"error":"could not convert string to float: 'strong'","message":"Prediction failed"}"#
    );
    let response = post(&sandbox, "/nowhere", DEMO).await;
    assert_eq!(
        (response.status().as_u16(), response.text().await.unwrap()),
        (404, r#"{"message":"Not Found"}"#.into())
    );
    let response = post(&sandbox, "/predict", r#"{"alcohol":9.5}"#).await;
    assert_eq!(response.status(), 422);
    let detail: Value = response.json().await.unwrap();
    assert_eq!(detail["detail"][0]["loc"], json!(["body", "fixed_acidity"]));
}

#[tokio::test]
async fn each_incident_gives_the_gateways_own_answer() {
    let sandbox = quiet().await;
    let answers: [(u16, &str, &[Incident]); 6] = [
        (
            500,
            r#"{"message":"Internal Server Error"}"#,
            &[
                Incident::PermissionMissing,
                Incident::PermissionWrongSourceArn,
                Incident::WrongIntegration,
                Incident::HandlerCrash,
                Incident::Timeout,
                Incident::OutOfMemory,
                Incident::MalformedProxyResponse,
                Incident::ImageDeleted,
            ],
        ),
        (
            503,
            r#"{"message":"Service Unavailable"}"#,
            &[
                Incident::IntegrationTimeout,
                Incident::ThrottledConcurrency,
                Incident::ReservedZero,
            ],
        ),
        (
            429,
            r#"{"message":"Too Many Requests"}"#,
            &[Incident::StageThrottle],
        ),
        (404, r#"{"message":"Not Found"}"#, &[Incident::RouteMissing]),
        (
            403,
            r#"{"message":"Forbidden"}"#,
            &[Incident::EndpointDisabled],
        ),
        (
            200,
            r#"{"error":"'NoneType' object has no attribute 'predict'","message":"Prediction failed"}"#,
            &[Incident::Silent200],
        ),
    ];
    for (status, body, incidents) in answers {
        for incident in incidents {
            sandbox.set_incident(Some(*incident));
            let response = post(&sandbox, "/", DEMO).await;
            let found = (response.status().as_u16(), response.text().await.unwrap());
            assert_eq!(found, (status, body.to_owned()), "{incident}");
        }
    }
    for incident in [
        Incident::BadDeploy,
        Incident::EcrDenied,
        Incident::TagDrift,
        Incident::CredentialsExpired,
        Incident::SlowDependency,
    ] {
        sandbox.set_incident(Some(incident));
        assert_eq!(post(&sandbox, "/", DEMO).await.status(), 200, "{incident}");
    }
}

#[tokio::test]
async fn invoke_returns_the_proxy_response_and_the_log_tail() {
    let sandbox = quiet().await;
    let event = json!({"body": DEMO});
    let output = clients::lambda(&sandbox)
        .invoke()
        .function_name(sandbox.function())
        .log_type(LogType::Tail)
        .payload(Blob::new(event.to_string()))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (
            output.status_code(),
            output.executed_version(),
            output.function_error()
        ),
        (200, Some("$LATEST"), None)
    );
    let payload: Value = serde_json::from_slice(output.payload().unwrap().as_ref()).unwrap();
    assert_eq!(payload["statusCode"], 200);
    let body: Value = serde_json::from_str(payload["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["quality_rating"], "Poor");
    let log = base64::engine::general_purpose::STANDARD
        .decode(output.log_result().unwrap())
        .unwrap();
    let log = String::from_utf8(log).unwrap();
    assert!(
        log.starts_with("START RequestId: ") && log.contains("\tInit Duration: "),
        "{log}"
    );
}

#[tokio::test]
async fn a_crash_is_a_200_with_a_function_error_and_a_throttle_a_429_with_its_reason() {
    let sandbox = quiet().await;
    let client = clients::lambda(&sandbox);
    let invoke = || {
        client
            .invoke()
            .function_name(sandbox.function())
            .payload(Blob::new("{}"))
    };
    sandbox.set_incident(Some(Incident::HandlerCrash));
    let output = invoke().send().await.unwrap();
    assert_eq!(output.function_error(), Some("Unhandled"));
    let payload: Value = serde_json::from_slice(output.payload().unwrap().as_ref()).unwrap();
    assert_eq!(payload["errorType"], "ValueError");

    sandbox.set_incident(Some(Incident::ReservedZero));
    let error = invoke().send().await.unwrap_err().into_service_error();
    assert!(error.is_too_many_requests_exception(), "{error:?}");
    assert_eq!(error.code(), Some("TooManyRequestsException"));

    sandbox.set_incident(None);
    assert_eq!(
        invoke()
            .invocation_type(InvocationType::DryRun)
            .send()
            .await
            .unwrap()
            .status_code(),
        204
    );
    assert_eq!(
        invoke()
            .invocation_type(InvocationType::Event)
            .send()
            .await
            .unwrap()
            .status_code(),
        202
    );
    let error = client
        .invoke()
        .function_name("another")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(error.is_resource_not_found_exception(), "{error:?}");
}

#[tokio::test]
async fn what_lambda_tells_follows_the_incident() {
    let sandbox = quiet().await;
    let client = clients::lambda(&sandbox);
    let function = client
        .get_function()
        .function_name(sandbox.function())
        .send()
        .await
        .unwrap();
    let configuration = function.configuration().unwrap();
    assert_eq!(
        (configuration.memory_size(), configuration.timeout()),
        (Some(1024), Some(30))
    );
    assert_eq!(
        configuration.last_update_status().unwrap().as_str(),
        "Successful"
    );
    assert!(
        function
            .code()
            .unwrap()
            .resolved_image_uri()
            .unwrap()
            .contains("@sha256:")
    );
    let policy = client
        .get_policy()
        .function_name(sandbox.function())
        .send()
        .await
        .unwrap();
    assert!(
        policy
            .policy()
            .unwrap()
            .contains("apigateway.amazonaws.com")
    );

    sandbox.set_incident(Some(Incident::PermissionMissing));
    let error = client
        .get_policy()
        .function_name(sandbox.function())
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(error.is_resource_not_found_exception());

    sandbox.set_incident(Some(Incident::BadDeploy));
    let configuration = client
        .get_function_configuration()
        .function_name(sandbox.function())
        .send()
        .await
        .unwrap();
    assert_eq!(
        configuration.last_update_status().unwrap().as_str(),
        "Failed"
    );
    assert_eq!(
        configuration
            .last_update_status_reason_code()
            .unwrap()
            .as_str(),
        "InvalidImage"
    );

    sandbox.set_incident(Some(Incident::CredentialsExpired));
    let error = client
        .list_functions()
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert_eq!(error.code(), Some("ExpiredTokenException"));

    sandbox.set_incident(None);
    assert_eq!(
        client
            .list_functions()
            .send()
            .await
            .unwrap()
            .functions()
            .len(),
        2
    );
    assert_eq!(
        client
            .list_versions_by_function()
            .function_name(sandbox.function())
            .send()
            .await
            .unwrap()
            .versions()
            .len(),
        3
    );
    assert_eq!(
        client
            .list_aliases()
            .function_name(sandbox.function())
            .send()
            .await
            .unwrap()
            .aliases()
            .len(),
        1
    );
    let concurrency = client
        .get_function_concurrency()
        .function_name(sandbox.function())
        .send()
        .await
        .unwrap();
    assert_eq!(concurrency.reserved_concurrent_executions(), None);
    let account = client.get_account_settings().send().await.unwrap();
    assert_eq!(
        account.account_limit().unwrap().concurrent_executions(),
        1000
    );
    let url = client
        .get_function_url_config()
        .function_name(sandbox.function())
        .send()
        .await
        .unwrap_err();
    assert!(url.into_service_error().is_resource_not_found_exception());
    let provisioned = client
        .list_provisioned_concurrency_configs()
        .function_name(sandbox.function())
        .send()
        .await
        .unwrap();
    assert!(provisioned.provisioned_concurrency_configs().is_empty());
    let tags = client
        .list_tags()
        .resource(configuration.function_arn().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(tags.tags().unwrap()["stage"], "production");
}

#[tokio::test]
async fn a_call_waits_for_a_model_that_is_not_ready_and_a_deploy_replaces_it() {
    let (slot, model): (ModelSlot, ServedModel) = ServedModel::pending();
    let sandbox = Sandbox::start(Options::quiet(), model).await.unwrap();
    let early = post(&sandbox, "/", DEMO);
    slot.fill("v1", std::sync::Arc::new(|_: &[f32]| 6.5));
    let body: Value = early.await.json().await.unwrap();
    assert_eq!(
        (&body["model_version"], &body["quality_rating"]),
        (&json!("v1"), &json!("Good"))
    );
    sandbox.serve("v2", std::sync::Arc::new(|_: &[f32]| 7.5));
    let body: Value = post(&sandbox, "/", DEMO).await.json().await.unwrap();
    assert_eq!(
        (&body["model_version"], &body["quality_rating"]),
        (&json!("v2"), &json!("Excellent"))
    );
}

#[tokio::test]
async fn starting_waits_for_no_model_and_stopping_frees_the_port() {
    let (_never_filled, model) = ServedModel::pending();
    let sandbox = Sandbox::start(Options::default(), model).await.unwrap();
    let address = sandbox.address;
    sandbox.shutdown().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
