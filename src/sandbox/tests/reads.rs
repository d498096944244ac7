//! STS, CloudWatch, IAM, ECR, API Gateway and the model store.

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use aws_sdk_lambda::error::ProvideErrorMetadata;
use serde_json::{Value, json};

use super::super::{Incident, Sandbox};
use super::{DEMO, clients, quiet};

const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-2/SERVICE/aws4_request, SignedHeaders=host, Signature=0";

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn signed(request: reqwest::RequestBuilder, service: &str) -> reqwest::RequestBuilder {
    request.header("authorization", AUTHORIZATION.replace("SERVICE", service))
}

async fn predict(sandbox: &Sandbox, times: usize) {
    for _ in 0..times {
        http()
            .post(sandbox.endpoint())
            .body(DEMO)
            .send()
            .await
            .unwrap();
    }
}

/// Total of a metric over the last ten minutes, through rpc-v2-cbor.
async fn total(sandbox: &Sandbox, metric: &str, stat: &str) -> f64 {
    let (namespace, dimension, value) = match metric {
        "Count" | "4xx" | "5xx" | "Latency" | "IntegrationLatency" => {
            ("AWS/ApiGateway", "ApiId", "sandbox0api")
        }
        _ => ("AWS/Lambda", "FunctionName", sandbox.function()),
    };
    let metric = Metric::builder()
        .namespace(namespace)
        .metric_name(metric)
        .dimensions(Dimension::builder().name(dimension).value(value).build())
        .build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(60)
        .stat(stat)
        .build();
    let now = super::super::world::now_ms() / 1000;
    let output = aws_sdk_cloudwatch::Client::new(&clients::config(sandbox))
        .get_metric_data()
        .start_time(DateTime::from_secs(now - 600))
        .end_time(DateTime::from_secs(now + 60))
        .metric_data_queries(
            MetricDataQuery::builder()
                .id("m1")
                .metric_stat(stat)
                .build(),
        )
        .send()
        .await
        .unwrap();
    output.metric_data_results()[0].values().iter().sum()
}

#[tokio::test]
async fn metrics_count_what_happened() {
    let sandbox = quiet().await;
    predict(&sandbox, 5).await;
    sandbox.set_incident(Some(Incident::PermissionMissing));
    predict(&sandbox, 3).await;
    sandbox.set_incident(Some(Incident::HandlerCrash));
    predict(&sandbox, 2).await;
    sandbox.set_incident(Some(Incident::ReservedZero));
    predict(&sandbox, 1).await;
    sandbox.set_incident(Some(Incident::RouteMissing));
    predict(&sandbox, 1).await;
    sandbox.set_incident(None);
    for (metric, stat, expected) in [
        ("Count", "Sum", 12.0),
        ("5xx", "Sum", 6.0),
        ("4xx", "Sum", 1.0),
        ("Invocations", "Sum", 7.0),
        ("Errors", "Sum", 2.0),
        ("Throttles", "Sum", 1.0),
    ] {
        let found = total(&sandbox, metric, stat).await;
        assert!(
            (found - expected).abs() < 1e-9,
            "{metric}: {found}, not {expected}"
        );
    }
    let slowest = total(&sandbox, "Duration", "Maximum").await;
    assert!(slowest > 100.0, "{slowest}");
    assert!(total(&sandbox, "Latency", "Maximum").await > slowest);
}

#[tokio::test]
async fn boto3s_protocol_gives_the_same_metrics() {
    let sandbox = quiet().await;
    predict(&sandbox, 2).await;
    let now = super::super::world::now_ms() / 1000;
    let query = json!({
        "StartTime": now - 600, "EndTime": now + 60,
        "MetricDataQueries": [{"Id": "m1", "MetricStat": {
            "Metric": {"Namespace": "AWS/Lambda", "MetricName": "Invocations", "Dimensions": [{"Name": "FunctionName", "Value": sandbox.function()}]},
            "Period": 3600, "Stat": "Sum",
        }}],
    });
    let request = http()
        .post(sandbox.aws_endpoint())
        .header(
            "x-amz-target",
            "GraniteServiceVersion20100801.GetMetricData",
        )
        .header("content-type", "application/x-amz-json-1.0")
        .body(query.to_string());
    let body: Value = signed(request, "monitoring")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let total: f64 = body["MetricDataResults"][0]["Values"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_f64)
        .sum();
    assert!((total - 2.0).abs() < 1e-9, "{body}");
}

#[tokio::test]
async fn a_signature_for_another_region_is_refused_as_each_service_refuses_it() {
    let sandbox = quiet().await;
    let elsewhere = clients::config(&sandbox)
        .into_builder()
        .region(aws_config::Region::new("eu-west-1"))
        .build();
    let lambda = aws_sdk_lambda::Client::new(&elsewhere);
    let error = lambda.list_functions().send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidSignatureException"));
    assert!(
        error.message().unwrap().contains("valid region"),
        "{error:?}"
    );
    let logs = aws_sdk_cloudwatchlogs::Client::new(&elsewhere);
    let error = logs.describe_log_groups().send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidSignatureException"));
    let sts = aws_sdk_sts::Client::new(&elsewhere);
    let error = sts.get_caller_identity().send().await.unwrap_err();
    assert_eq!(error.code(), Some("SignatureDoesNotMatch"));
    // The global services sign for us-east-1 wherever they are called from.
    let global = elsewhere
        .into_builder()
        .region(aws_config::Region::new("us-east-1"))
        .build();
    let sts = aws_sdk_sts::Client::new(&global);
    assert!(sts.get_caller_identity().send().await.is_ok());
    let lambda = aws_sdk_lambda::Client::new(&global);
    assert!(lambda.list_functions().send().await.is_err());
}

#[tokio::test]
async fn who_am_i_and_what_may_i() {
    let sandbox = quiet().await;
    let sts = aws_sdk_sts::Client::new(&clients::config(&sandbox));
    let identity = sts.get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some(sandbox.account()));
    for (incident, code) in [
        (Incident::CredentialsExpired, "ExpiredToken"),
        (Incident::ClockSkew, "SignatureDoesNotMatch"),
    ] {
        sandbox.set_incident(Some(incident));
        let error = sts.get_caller_identity().send().await.unwrap_err();
        assert_eq!(error.code(), Some(code));
    }
    sandbox.set_incident(Some(Incident::AccessDenied));
    assert!(
        sts.get_caller_identity().send().await.is_ok(),
        "GetCallerIdentity needs no permission"
    );
    let lambda = clients::lambda(&sandbox);
    let function = || lambda.get_function().function_name(sandbox.function());
    let error = function().send().await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDeniedException"));
    assert!(
        error.message().unwrap().contains("lambda:GetFunction"),
        "{error:?}"
    );
    sandbox.set_incident(None);
    sandbox.deny(vec!["lambda:GetPolicy".into()]);
    assert!(function().send().await.is_ok());
    let error = lambda
        .get_policy()
        .function_name(sandbox.function())
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("AccessDeniedException"));
}

#[tokio::test]
async fn iam_simulates_the_role() {
    let sandbox = quiet().await;
    let simulate = async || {
        let form = "Action=SimulatePrincipalPolicy&Version=2010-05-08&ActionNames.member.1=logs%3APutLogEvents&ActionNames.member.2=ec2%3ARunInstances\
                    &PolicySourceArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fwine-quality-lambda-role";
        let request = http()
            .post(sandbox.aws_endpoint())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let text = signed(request, "iam")
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        (
            text.matches("<EvalDecision>allowed<").count(),
            text.matches("<EvalDecision>implicitDeny<").count(),
        )
    };
    assert_eq!(simulate().await, (1, 1));
    sandbox.set_incident(Some(Incident::RoleCannotLog));
    assert_eq!(simulate().await, (0, 2));
}

#[tokio::test]
async fn ecr_knows_the_image_and_who_may_pull_it() {
    let sandbox = quiet().await;
    let ask = async |operation: &str, input: Value| -> Value {
        let request = http()
            .post(sandbox.aws_endpoint())
            .header(
                "x-amz-target",
                format!("AmazonEC2ContainerRegistry_V20150921.{operation}"),
            )
            .body(input.to_string());
        signed(request, "ecr")
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    };
    let tag =
        json!({"repositoryName": "wine-quality-lambda", "imageIds": [{"imageTag": "latest"}]});
    let serving =
        ask("DescribeImages", tag.clone()).await["imageDetails"][0]["imageDigest"].clone();
    let function = clients::lambda(&sandbox)
        .get_function()
        .function_name(sandbox.function())
        .send()
        .await
        .unwrap();
    assert!(
        function
            .code()
            .unwrap()
            .resolved_image_uri()
            .unwrap()
            .ends_with(serving.as_str().unwrap())
    );
    sandbox.set_incident(Some(Incident::TagDrift));
    assert_ne!(
        ask("DescribeImages", tag.clone()).await["imageDetails"][0]["imageDigest"],
        serving
    );
    sandbox.set_incident(Some(Incident::ImageDeleted));
    assert_eq!(
        ask("DescribeImages", tag).await["__type"],
        "ImageNotFoundException"
    );
    let repository = json!({"repositoryName": "wine-quality-lambda"});
    assert!(
        ask("GetRepositoryPolicy", repository.clone()).await["policyText"]
            .as_str()
            .unwrap()
            .contains("lambda.amazonaws.com")
    );
    sandbox.set_incident(Some(Incident::EcrDenied));
    assert_eq!(
        ask("GetRepositoryPolicy", repository).await["__type"],
        "RepositoryPolicyNotFoundException"
    );
}

#[tokio::test]
async fn the_gateways_wiring_shows_the_incident() {
    let sandbox = quiet().await;
    let ask = async |path: &str| -> Value {
        let request = http().get(format!("{}{path}", sandbox.aws_endpoint()));
        signed(request, "apigateway")
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    };
    let api = ask("/v2/apis").await["items"][0].clone();
    assert_eq!(
        (&api["protocolType"], &api["disableExecuteApiEndpoint"]),
        (&json!("HTTP"), &json!(false))
    );
    let base = format!("/v2/apis/{}", api["apiId"].as_str().unwrap());
    assert_eq!(
        ask(&format!("{base}/routes")).await["items"][0]["routeKey"],
        "POST /"
    );
    sandbox.set_incident(Some(Incident::WrongIntegration));
    assert!(
        ask(&format!("{base}/integrations")).await["items"][0]["integrationUri"]
            .as_str()
            .unwrap()
            .ends_with("-old")
    );
    sandbox.set_incident(Some(Incident::StageThrottle));
    assert_eq!(
        ask(&format!("{base}/stages")).await["items"][0]["defaultRouteSettings"]["throttlingBurstLimit"],
        0
    );
    sandbox.set_incident(Some(Incident::RouteMissing));
    assert_eq!(
        ask(&format!("{base}/routes")).await["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        ask("/v2/apis/other").await["message"],
        "Invalid API identifier specified"
    );
}

#[tokio::test]
async fn the_store_keeps_conditions() {
    let sandbox = quiet().await;
    let object = format!(
        "{}/wine-quality-mlops/models/v2.onnx",
        sandbox.aws_endpoint()
    );
    let put = |name: &'static str, value: String| {
        signed(http().put(&object).header(name, value).body("model"), "s3").send()
    };
    let first = put("if-none-match", "*".into()).await.unwrap();
    let etag = first.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(first.status(), 200);
    assert_eq!(
        put("if-none-match", "*".into()).await.unwrap().status(),
        412
    );
    assert_eq!(
        put("if-match", "\"another\"".into())
            .await
            .unwrap()
            .status(),
        412
    );
    assert_eq!(put("if-match", etag).await.unwrap().status(), 200);
    let got = signed(http().get(&object), "s3").send().await.unwrap();
    assert_eq!(got.text().await.unwrap(), "model");
    let list = format!(
        "{}/wine-quality-mlops?list-type=2&prefix=models/",
        sandbox.aws_endpoint()
    );
    let text = signed(http().get(list), "s3")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(text.contains("<Key>models/v2.onnx</Key>"), "{text}");
    let head = signed(http().head(&object), "s3").send().await.unwrap();
    assert_eq!(head.headers()["content-length"], "5");
}
