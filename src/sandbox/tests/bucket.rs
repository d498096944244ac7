//! What the model store takes, and what is too much for it.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::quiet;

const SCOPE: &str =
    "Credential=a/20260101/us-east-2/s3/aws4_request, SignedHeaders=host, Signature=c";

#[tokio::test]
async fn a_pickle_of_a_deep_forest_is_taken_and_comes_back() {
    let sandbox = quiet().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/wine-quality-mlops/model.pkl", sandbox.aws_endpoint());
    let pickle = vec![b'.'; 48 << 20];
    let put = http.put(&url).header("authorization", SCOPE);
    let answer = put.body(pickle.clone()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let got = http.get(&url).header("authorization", SCOPE).send().await;
    assert!(got.unwrap().bytes().await.unwrap() == pickle);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn more_than_the_store_holds_is_refused_in_s3s_words_before_it_is_sent() {
    let sandbox = quiet().await;
    let authority = sandbox
        .aws_endpoint()
        .trim_start_matches("http://")
        .to_owned();
    let mut socket = tokio::net::TcpStream::connect(&authority).await.unwrap();
    let head = format!(
        "PUT /wine-quality-mlops/model.pkl HTTP/1.1\r\nHost: {authority}\r\nAuthorization: AWS4-HMAC-SHA256 {SCOPE}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        1_u64 << 40
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("<Code>EntityTooLarge</Code>"), "{answer}");
    sandbox.shutdown().await;
}
