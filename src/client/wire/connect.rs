//! Opening a connection phase by phase: DNS, TCP, TLS with ALPN, then HTTP/1.1 or HTTP/2.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig};
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::{Host, Url};

use super::error::{Phase, WireError};
use super::meter::{Meter, Metered};
use super::{Connection, Phases, millis};

/// The future that moves bytes for a connection; `None` once it has ended.
pub(super) type Driver = Option<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>;

/// An open connection.
pub(super) struct Link {
    pub sender: Sender,
    pub driver: Driver,
    pub meter: Meter,
    pub connection: Connection,
    /// Cannot be used again, e.g. because a body was not read to its end.
    pub spent: bool,
}

/// Where requests go in, by protocol.
pub(super) enum Sender {
    H1(http1::SendRequest<Full<Bytes>>),
    H2(http2::SendRequest<Full<Bytes>>),
}

/// The system's trust store, HTTP/2 preferred.
pub(super) fn system_tls() -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Opens a connection to the origin of `url`; the phases it took are written into `phases` as they end.
pub(super) async fn open(
    url: &Url,
    tls: Option<Arc<ClientConfig>>,
    limit: Duration,
    deadline: Instant,
    phases: &mut Phases,
) -> Result<Link, WireError> {
    let until = |phase: Instant| deadline.min(phase + limit);
    let start = Instant::now();
    let addresses = timeout_at(until(start), resolve(url))
        .await
        .map_err(|_| WireError::timeout(url, Phase::Dns, limit))?
        .map_err(|error| WireError::dns(url, &error))?;
    if matches!(url.host(), Some(Host::Domain(_))) {
        phases.dns = Some(millis(start.elapsed()));
    }
    let start = Instant::now();
    let stream = timeout_at(until(start), connect(&addresses))
        .await
        .map_err(|_| WireError::timeout(url, Phase::Tcp, limit))?
        .map_err(|error| WireError::tcp(url, &error))?;
    phases.tcp = Some(millis(start.elapsed()));
    let remote = stream
        .peer_addr()
        .map_err(|error| WireError::tcp(url, &error))?;
    let connection = Connection {
        fresh: true,
        remote,
        certificate_days: None,
    };
    let Some(config) = tls else {
        return handshake(url, stream, false, connection).await;
    };
    let start = Instant::now();
    let stream = timeout_at(until(start), secure(url, stream, config))
        .await
        .map_err(|_| WireError::timeout(url, Phase::Tls, limit))?
        .map_err(|error| WireError::tls(url, &error))?;
    phases.tls = Some(millis(start.elapsed()));
    let (_, session) = stream.get_ref();
    let h2 = session.alpn_protocol() == Some(b"h2");
    let certificate_days = session
        .peer_certificates()
        .and_then(|chain| days_left(chain.first()?));
    handshake(
        url,
        stream,
        h2,
        Connection {
            certificate_days,
            ..connection
        },
    )
    .await
}

async fn resolve(url: &Url) -> io::Result<Vec<SocketAddr>> {
    let port = url.port_or_known_default().unwrap_or(80);
    match url.host() {
        Some(Host::Ipv4(ip)) => Ok(vec![(ip, port).into()]),
        Some(Host::Ipv6(ip)) => Ok(vec![(ip, port).into()]),
        Some(Host::Domain(name)) => Ok(lookup_host((name, port)).await?.collect()),
        None => Err(io::Error::other("the address has no host")),
    }
}

/// The first address that answers, in the resolver's order.
async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Small requests must not wait for an acknowledgement.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn secure(
    url: &Url,
    stream: TcpStream,
    config: Arc<ClientConfig>,
) -> io::Result<TlsStream<TcpStream>> {
    let host = url
        .host_str()
        .unwrap_or_default()
        .trim_matches(['[', ']'])
        .to_owned();
    let name = ServerName::try_from(host).map_err(io::Error::other)?;
    TlsConnector::from(config).connect(name, stream).await
}

async fn handshake<S>(
    url: &Url,
    stream: S,
    h2: bool,
    connection: Connection,
) -> Result<Link, WireError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let meter = Meter::default();
    let io = TokioIo::new(Metered::new(stream, meter.clone()));
    let failed = |error: hyper::Error| WireError::from_hyper(url, false, &error);
    let (sender, driver): (Sender, Driver) = if h2 {
        let (sender, driver) = http2::handshake(TokioExecutor::new(), io)
            .await
            .map_err(failed)?;
        (Sender::H2(sender), Some(Box::pin(driver)))
    } else {
        let (sender, driver) = http1::handshake(io).await.map_err(failed)?;
        (Sender::H1(sender), Some(Box::pin(driver)))
    };
    Ok(Link {
        sender,
        driver,
        meter,
        connection,
        spent: false,
    })
}

fn days_left(certificate: &CertificateDer) -> Option<i64> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let seconds = parsed.validity().not_after.timestamp() - jiff::Timestamp::now().as_second();
    Some(seconds.div_euclid(86_400))
}
