//! TLS and HTTP/2 against servers with a certificate of our own.

use std::convert::Infallible;
use std::sync::Arc;

use http_body_util::Full;
use hyper::Response;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, crypto};

use super::*;

/// Self-signed for localhost, valid from 2026 for a hundred years; it protects nothing.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIBpjCCAUygAwIBAgIUAvwy1NXypPBMXrvYBPBMqXLM6L8wCgYIKoZIzj0EAwIw
HjEcMBoGA1UEAwwTdmludG5lciB0ZXN0IHNlcnZlcjAgFw0yNjExMjMyMzAxNTBa
GA8yMTI2MTAzMDIzMDE1MFowHjEcMBoGA1UEAwwTdmludG5lciB0ZXN0IHNlcnZl
cjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNz6jcbYX2vDAWmao9+hnlU+Yh8K
t4DvB3YCLnw+M8YlwzbhRzEyB2vMxAaZeP3PvbvQa+FBRcvVc4JAnUC+FLSjZjBk
MB0GA1UdDgQWBBQxBFQ6eM9wP4vjew+SM3aqBGi9tDAfBgNVHSMEGDAWgBQxBFQ6
eM9wP4vjew+SM3aqBGi9tDAUBgNVHREEDTALgglsb2NhbGhvc3QwDAYDVR0TAQH/
BAIwADAKBggqhkjOPQQDAgNIADBFAiATrdctXY/dvDpwnnlExNX/MG6lVWY0klra
RMP8RqAOugIhAPXtgzh7d3H0X3san+EPOLnT6QYtgi+QQLC42WF64awG
-----END CERTIFICATE-----
";
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgdI6slqmQIwL8XPjC
+PsyzZ4hbluxz3Wz2Yo2YMollUShRANCAATc+o3G2F9rwwFpmqPfoZ5VPmIfCreA
7wd2Ai58PjPGJcM24UcxMgdrzMQGmXj9z7270GvhQUXL1XOCQJ1AvhS0
-----END PRIVATE KEY-----
";

/// An HTTPS server on localhost that offers this protocol and answers every request with `{}`.
async fn server(protocol: &'static str) -> Url {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        while let Ok((stream, _)) = listener.accept().await {
            // A client that refuses the certificate ends the handshake: the next one may come.
            let Ok(stream) = acceptor.accept(stream).await else {
                continue;
            };
            let io = TokioIo::new(stream);
            let answer = service_fn(async |_| {
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"{}"))))
            });
            if protocol == "h2" {
                tokio::spawn(
                    hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                        .serve_connection(io, answer),
                );
            } else {
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(io, answer),
                );
            }
        }
    });
    Url::parse(&format!("https://localhost:{port}/")).unwrap()
}

/// A client that trusts that certificate only.
fn trusting() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}

#[tokio::test]
async fn tls_is_a_phase_and_the_certificate_has_days_left() {
    for (protocol, version) in [("http/1.1", "HTTP/1.1"), ("h2", "HTTP/2")] {
        let wire = Wire::new(&server(protocol).await, limits()).with_tls(trusting());
        let first = wire.send(&call()).await.unwrap();
        assert_eq!(
            (first.version, first.status, first.body.as_ref()),
            (version, 200, &b"{}"[..])
        );
        assert!(
            first.phases.dns.is_some() && first.phases.tls.is_some(),
            "{:?}",
            first.phases
        );
        assert!(first.connection.certificate_days.unwrap() > 30_000);
        let second = wire.send(&call()).await.unwrap();
        assert!(
            !second.connection.fresh && second.phases.tls.is_none(),
            "{version}: {:?}",
            second.phases
        );
        let sum: f64 = second
            .phases
            .named()
            .iter()
            .filter_map(|(_, phase)| *phase)
            .sum();
        assert!(sum <= second.phases.total + 0.01, "{:?}", second.phases);
    }
}

#[tokio::test]
async fn a_certificate_nobody_signed_is_refused_with_a_remedy() {
    let error = Wire::new(&server("h2").await, limits())
        .send(&call())
        .await
        .unwrap_err();
    assert_eq!(error.phase, Phase::Tls);
    assert!(
        error.to_string().contains("not signed by an authority"),
        "{error}"
    );
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let mut url = server("h2").await;
    url.set_host(Some("127.0.0.1")).unwrap();
    let error = Wire::new(&url, limits())
        .with_tls(trusting())
        .send(&call())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("for another host"), "{error}");
}

#[tokio::test]
async fn https_to_a_server_without_tls_says_so() {
    let plain = super::server(vec![vec![OK.to_owned()]]).await;
    let url = Url::parse(&plain.as_str().replace("http:", "https:")).unwrap();
    // The server waits for a request that ends as ours would; it answers the handshake's bytes with nothing useful.
    let limits = Limits {
        connect: Duration::from_millis(300),
        ..limits()
    };
    let error = Wire::new(&url, limits)
        .with_tls(trusting())
        .send(&call())
        .await
        .unwrap_err();
    assert_eq!(error.phase, Phase::Tls);
}
