//! What the service refuses, and a network that is gone.

use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata;

use super::super::{clients, half_the_alcohol, quiet};
use crate::sandbox::{Incident, Lag, Options, Sandbox};

#[tokio::test]
async fn the_service_refuses_as_the_real_one_does() {
    let sandbox = quiet().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = async |authorized: bool, body: &str| {
        let mut request = http
            .post(sandbox.aws_endpoint())
            .header("x-amz-target", "Logs_20140328.FilterLogEvents")
            .header("content-type", "application/x-amz-json-1.1")
            .body(body.to_owned());
        if authorized {
            request = request.header("authorization", "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-2/logs/aws4_request, SignedHeaders=host, Signature=0");
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let body: serde_json::Value = response.json().await.unwrap();
        (status, body["__type"].as_str().unwrap().to_owned())
    };
    let group = sandbox.log_group();
    assert_eq!(
        ask(false, "{}").await,
        (400, "MissingAuthenticationTokenException".into())
    );
    assert_eq!(
        ask(true, "not json").await,
        (400, "SerializationException".into())
    );
    assert_eq!(
        ask(true, "{}").await,
        (400, "InvalidParameterException".into())
    );
    assert_eq!(
        ask(true, &format!(r#"{{"logGroupName":"{group}","limit":0}}"#)).await,
        (400, "InvalidParameterException".into())
    );
    assert_eq!(
        ask(
            true,
            &format!(r#"{{"logGroupName":"{group}","startTime":"now"}}"#)
        )
        .await,
        (400, "SerializationException".into())
    );
    sandbox.set_incident(Some(Incident::Throttling));
    assert_eq!(
        ask(true, &format!(r#"{{"logGroupName":"{group}"}}"#)).await,
        (400, "ThrottlingException".into())
    );
}

#[tokio::test]
async fn an_unplugged_cable_cuts_calls_and_the_next_ones_work_again() {
    let options = Options {
        lag: Lag::None,
        ..Options::quiet()
    };
    let sandbox = Sandbox::start(options, half_the_alcohol()).await.unwrap();
    let client = clients::logs(&sandbox);
    let groups = || client.describe_log_groups().send();
    assert!(groups().await.is_ok());
    sandbox.unplug(true);
    let error = groups().await.unwrap_err();
    assert!(error.code().is_none(), "{error:?}");
    sandbox.unplug(false);
    assert!(groups().await.is_ok());
}
