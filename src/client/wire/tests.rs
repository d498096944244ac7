//! The connection against real servers on the loopback: good, slow, broken and hostile ones.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod tls;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::*;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nApigw-Requestid: abc=\r\nContent-Length: 2\r\n\r\n{}";

/// A server that answers each request on each connection with the next of `answers`, then closes the connection.
/// Returns its address.
async fn server(connections: Vec<Vec<String>>) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        for answers in connections {
            let (mut stream, _) = listener.accept().await.unwrap();
            for answer in answers {
                request(&mut stream).await;
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    url
}

/// Reads one request with a body `x` and returns its head.
async fn request(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\nx") {
        let mut buffer = [0; 1024];
        let n = stream.read(&mut buffer).await.unwrap();
        if n == 0 {
            break;
        }
        read.extend_from_slice(&buffer[..n]);
    }
    String::from_utf8(read).unwrap()
}

fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(2),
        total: Duration::from_secs(5),
        body: 100,
    }
}

fn call() -> Call {
    Call::post_json("/predict", "x")
}

async fn one(answer: &str) -> Result<Exchange, WireError> {
    let url = server(vec![vec![answer.to_owned()]]).await;
    Wire::new(&url, limits()).send(&call()).await
}

#[tokio::test]
async fn a_fresh_connection_reports_its_phases_and_a_kept_one_only_what_happened() {
    let url = server(vec![vec![OK.to_owned(), OK.to_owned()]]).await;
    let wire = Wire::new(&url, limits());
    let first = wire.send(&call()).await.unwrap();
    assert_eq!(
        (first.status, first.version, first.body.as_ref(), first.cut),
        (200, "HTTP/1.1", &b"{}"[..], false)
    );
    assert_eq!(first.request_id(), Some("abc="));
    assert!(first.connection.fresh && first.connection.remote.ip().is_loopback());
    assert_eq!(
        (first.phases.dns, first.phases.tls),
        (None, None),
        "an IP over http has neither name nor TLS"
    );
    assert!(first.phases.tcp.is_some());
    let second = wire.send(&call()).await.unwrap();
    assert!(!second.connection.fresh);
    assert_eq!(
        (second.phases.dns, second.phases.tcp, second.phases.tls),
        (None, None, None)
    );
    for exchange in [&first, &second] {
        let sum: f64 = exchange
            .phases
            .named()
            .iter()
            .filter_map(|(_, phase)| *phase)
            .sum();
        assert!(sum <= exchange.phases.total + 0.01, "{:?}", exchange.phases);
        assert!(
            exchange.phases.send.is_some()
                && exchange.phases.wait.is_some()
                && exchange.phases.body.is_some()
        );
    }
}

#[tokio::test]
async fn a_host_name_is_a_dns_phase() {
    let mut url = server(vec![vec![OK.to_owned()]]).await;
    url.set_host(Some("localhost")).unwrap();
    let exchange = Wire::new(&url, limits()).send(&call()).await.unwrap();
    assert!(exchange.phases.dns.is_some());
}

#[tokio::test]
async fn the_request_is_what_was_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = request(&mut stream).await;
        stream.write_all(OK.as_bytes()).await.unwrap();
        head
    });
    let url = Url::parse(&format!("http://{address}/")).unwrap();
    Wire::new(&url, limits()).send(&call()).await.unwrap();
    let head = served.await.unwrap();
    assert!(head.starts_with("POST /predict HTTP/1.1\r\n"), "{head}");
    assert!(
        head.contains(&format!("host: {address}\r\n")) && head.contains("content-length: 1\r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn a_kept_connection_that_the_server_closed_is_replaced_silently() {
    let url = server(vec![vec![OK.to_owned()], vec![OK.to_owned()]]).await;
    let wire = Wire::new(&url, limits());
    assert!(wire.send(&call()).await.unwrap().connection.fresh);
    assert!(
        wire.send(&call()).await.unwrap().connection.fresh,
        "the server closed after one answer"
    );
}

#[tokio::test]
async fn a_fresh_connection_can_be_asked_for() {
    let two = vec![OK.to_owned(), OK.to_owned()];
    let url = server(vec![two.clone(), two]).await;
    let wire = Wire::new(&url, limits());
    wire.send(&call()).await.unwrap();
    assert!(!wire.send(&call()).await.unwrap().connection.fresh);
    assert!(
        wire.send(&call().on_fresh_connection())
            .await
            .unwrap()
            .connection
            .fresh
    );
}

#[tokio::test]
async fn wait_is_where_a_slow_server_shows() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await;
        tokio::time::sleep(Duration::from_millis(120)).await;
        let (head, body) = OK.split_at(OK.len() - 2);
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
        stream.write_all(body.as_bytes()).await.unwrap();
    });
    let phases = Wire::new(&url, limits())
        .send(&call())
        .await
        .unwrap()
        .phases;
    assert!(phases.wait.unwrap() >= 119.0, "{phases:?}");
    assert!(phases.body.unwrap() >= 59.0, "{phases:?}");
    assert!(phases.send.unwrap() < 60.0, "{phases:?}");
}

#[tokio::test]
async fn a_huge_body_is_cut_and_its_connection_not_reused() {
    let huge = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{}",
        "a".repeat(100_000)
    );
    let url = server(vec![vec![huge], vec![OK.to_owned()]]).await;
    let wire = Wire::new(&url, limits());
    let exchange = wire.send(&call()).await.unwrap();
    assert_eq!((exchange.body.len(), exchange.cut), (100, true));
    assert!(wire.send(&call()).await.unwrap().connection.fresh);
}

#[tokio::test]
async fn errors_and_redirects_are_answers_like_any_other() {
    let exchange =
        one("HTTP/1.1 302 Found\r\nLocation: https://login/\r\nContent-Length: 0\r\n\r\n")
            .await
            .unwrap();
    assert_eq!(
        (exchange.status, exchange.header("location")),
        (302, Some("https://login/"))
    );
    let exchange = one("HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nboom")
        .await
        .unwrap();
    assert_eq!(
        (exchange.status, exchange.body.as_ref()),
        (500, &b"boom"[..])
    );
}

#[tokio::test]
async fn refused_names_the_phase_and_the_remedy() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = Url::parse(&format!("http://{address}/")).unwrap();
    let error = Wire::new(&url, limits()).send(&call()).await.unwrap_err();
    assert_eq!(error.phase, Phase::Tcp);
    let text = error.to_string();
    assert!(
        text.starts_with(&format!(
            "TCP to {address} failed: connection refused; nothing listens there"
        )),
        "{text}"
    );
}

#[tokio::test]
async fn a_name_that_does_not_resolve_says_so() {
    let url = Url::parse("http://nowhere.invalid/").unwrap();
    let error = Wire::new(&url, limits()).send(&call()).await.unwrap_err();
    assert_eq!(error.phase, Phase::Dns);
    assert!(
        error.to_string().contains("cannot resolve nowhere.invalid"),
        "{error}"
    );
}

#[tokio::test]
async fn garbage_is_not_http() {
    let error = one("\u{1b}[2J SSH-2.0-OpenSSH_9.6\r\n\r\n")
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("the answer is not HTTP"),
        "{error}"
    );
    assert!(!error.to_string().chars().any(char::is_control));
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_says_so() {
    let url = server(vec![vec![], vec![String::new()], vec![String::new()]]).await;
    let error = Wire::new(&url, limits()).send(&call()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("closed the connection without an answer"),
        "{error}"
    );
}

#[tokio::test]
async fn a_body_that_ends_early_is_an_error_in_its_phase() {
    let error = one("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"pred")
        .await
        .unwrap_err();
    assert_eq!(error.phase, Phase::Body);
}

#[tokio::test]
async fn silence_times_out_in_the_wait_phase() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let (done, hold) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await;
        let _ = hold.await;
    });
    let limits = Limits {
        total: Duration::from_millis(150),
        ..limits()
    };
    let error = Wire::new(&url, limits).send(&call()).await.unwrap_err();
    assert_eq!(error.phase, Phase::Wait);
    assert!(
        error.to_string().contains("no answer within 0.15 s"),
        "{error}"
    );
    drop(done);
}

#[tokio::test]
async fn dropping_a_call_closes_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let (arrived, started) = oneshot::channel();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await;
        arrived.send(()).unwrap();
        stream.read(&mut [0; 16]).await.unwrap()
    });
    let wire = Wire::new(&url, limits());
    let asked = call();
    tokio::select! {
        _ = wire.send(&asked) => panic!("the server never answers"),
        _ = started => {}
    }
    assert_eq!(
        server.await.unwrap(),
        0,
        "the server sees the connection closed"
    );
}
