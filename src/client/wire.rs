//! One instrumented connection to an HTTP server: every request comes back with the phases it really went through.
//!
//! Nothing is spawned: the connection's driver is polled by the call that uses it, so dropping a call cancels
//! everything it started. Connections are kept for reuse; a request on a kept one reports no DNS, TCP or TLS.

mod connect;
mod error;
mod meter;
#[cfg(test)]
mod tests;

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::Poll;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::rustls::ClientConfig;
use url::Url;

pub use error::{Phase, WireError};

use connect::{Driver, Link, Sender};

/// A kept connection older than this is not trusted: gateways and NATs drop idle ones after 60 s.
const KEEP: Duration = Duration::from_secs(50);
/// Kept connections at most.
const KEPT: usize = 32;

/// What a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For each of DNS, TCP and TLS.
    pub connect: Duration,
    /// From the first phase to the last byte.
    pub total: Duration,
    /// Bytes of the body that are read.
    pub body: usize,
}

impl Default for Limits {
    /// 5 s to connect, 35 s in all (the function may take 30), 1 MiB.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            total: Duration::from_secs(35),
            body: 1 << 20,
        }
    }
}

/// A client for one origin (scheme, host, port).
pub struct Wire {
    url: Url,
    limits: Limits,
    tls: OnceLock<Arc<ClientConfig>>,
    kept: Mutex<Vec<(Link, Instant)>>,
}

/// A request, apart from its origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// `POST`, `GET`, …
    pub method: Method,
    /// Path and query, beginning with `/`.
    pub path: String,
    /// Headers besides `Host` and `Content-Length`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body, perhaps empty.
    pub body: Bytes,
    /// Open a new connection even if one is kept.
    pub fresh: bool,
}

/// An answer and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// Status code.
    pub status: u16,
    /// `HTTP/1.1` or `HTTP/2`.
    pub version: &'static str,
    /// Headers of the answer.
    pub headers: HeaderMap,
    /// The body, cut at [`Limits::body`].
    pub body: Bytes,
    /// Whether the body was longer than is read.
    pub cut: bool,
    /// Where the time went.
    pub phases: Phases,
    /// What it went over.
    pub connection: Connection,
}

/// Where the time of a request went, in milliseconds; `None` for a phase that did not happen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Phases {
    /// Resolving the host's name.
    #[serde(rename = "dns_ms")]
    pub dns: Option<f64>,
    /// Connecting.
    #[serde(rename = "tcp_ms")]
    pub tcp: Option<f64>,
    /// The TLS handshake.
    #[serde(rename = "tls_ms")]
    pub tls: Option<f64>,
    /// Writing the request.
    #[serde(rename = "send_ms")]
    pub send: Option<f64>,
    /// From the request's last byte to the answer's head (time to first byte).
    #[serde(rename = "wait_ms")]
    pub wait: Option<f64>,
    /// Reading the body.
    #[serde(rename = "body_ms")]
    pub body: Option<f64>,
    /// From the start of the call to the last byte.
    #[serde(rename = "total_ms")]
    pub total: f64,
}

/// What a request went over.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Opened for this request, or kept from an earlier one.
    pub fresh: bool,
    /// The server's address.
    pub remote: SocketAddr,
    /// Days until the server's certificate expires (negative: ago); `None` without TLS.
    pub certificate_days: Option<i64>,
}

impl Phases {
    /// The phases in order, with their names.
    pub fn named(&self) -> [(&'static str, Option<f64>); 6] {
        [
            ("DNS", self.dns),
            ("TCP", self.tcp),
            ("TLS", self.tls),
            ("send", self.send),
            ("wait", self.wait),
            ("body", self.body),
        ]
    }
}

impl Call {
    /// A POST of a JSON body.
    pub fn post_json(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        let json = HeaderValue::from_static("application/json");
        Self {
            method: Method::POST,
            path: path.into(),
            headers: vec![(hyper::header::CONTENT_TYPE, json)],
            body: body.into(),
            fresh: false,
        }
    }

    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            headers: Vec::new(),
            body: Bytes::new(),
            fresh: false,
        }
    }

    /// On a connection of its own.
    #[must_use]
    pub fn on_fresh_connection(mut self) -> Self {
        self.fresh = true;
        self
    }
}

impl Exchange {
    /// A header's value, if it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The id under which API Gateway or Lambda logged this request.
    pub fn request_id(&self) -> Option<&str> {
        [
            "apigw-requestid",
            "x-amzn-requestid",
            "x-amz-apigw-id",
            "x-request-id",
        ]
        .into_iter()
        .find_map(|name| self.header(name))
    }
}

impl Wire {
    /// A client for the origin of this `http` or `https` address; nothing is opened yet.
    pub fn new(url: &Url, limits: Limits) -> Self {
        Self {
            url: url.clone(),
            limits,
            tls: OnceLock::new(),
            kept: Mutex::new(Vec::new()),
        }
    }

    /// The same with a TLS configuration of the caller's instead of the system's trust store.
    #[must_use]
    pub fn with_tls(self, config: Arc<ClientConfig>) -> Self {
        let _ = self.tls.set(config);
        self
    }

    /// Sends a request and reads the answer. A kept connection that the server closed meanwhile is replaced once,
    /// silently; redirects are not followed.
    pub async fn send(&self, call: &Call) -> Result<Exchange, WireError> {
        let tls = self.tls_config()?;
        let start = Instant::now();
        let deadline = start + self.limits.total;
        let mut phases = Phases::default();
        if !call.fresh
            && let Some(mut link) = self.take_kept().await
        {
            match self
                .exchange(&mut link, call, start, deadline, phases)
                .await
            {
                Err(error) if error.lost_connection => {}
                result => return result.inspect(|_| self.keep(link)),
            }
        }
        let mut link =
            connect::open(&self.url, tls, self.limits.connect, deadline, &mut phases).await?;
        let result = self
            .exchange(&mut link, call, start, deadline, phases)
            .await;
        result.inspect(|_| self.keep(link))
    }

    /// Closes the kept connections.
    pub fn close_kept(&self) {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    async fn exchange(
        &self,
        link: &mut Link,
        call: &Call,
        start: Instant,
        deadline: Instant,
        mut phases: Phases,
    ) -> Result<Exchange, WireError> {
        let Link {
            sender,
            driver,
            meter,
            connection,
            ..
        } = link;
        let request = self
            .request(call, sender)
            .map_err(|why| self.error(Phase::Send, &why))?;
        let began = Instant::now();
        meter.expect(call.body.len());
        let answer = drive(driver, sender.send(request));
        let response = match timeout_at(deadline, answer).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                return Err(WireError::from_hyper(
                    &self.url,
                    meter.sent_at().is_some(),
                    &error,
                ));
            }
            Err(_) => {
                let phase = if meter.sent_at().is_some() {
                    Phase::Wait
                } else {
                    Phase::Send
                };
                return Err(WireError::timeout(&self.url, phase, self.limits.total));
            }
        };
        let head = Instant::now();
        let sent = meter.sent_at().unwrap_or(began);
        phases.send = Some(millis(sent.saturating_duration_since(began)));
        phases.wait = Some(millis(head.saturating_duration_since(sent)));
        let (parts, body) = response.into_parts();
        let (body, cut) =
            match timeout_at(deadline, drive(driver, read(body, self.limits.body))).await {
                Ok(Ok(read)) => read,
                Ok(Err(error)) => return Err(WireError::cut_short(&self.url, &error)),
                Err(_) => {
                    return Err(WireError::timeout(
                        &self.url,
                        Phase::Body,
                        self.limits.total,
                    ));
                }
            };
        let end = Instant::now();
        phases.body = Some(millis(end - head));
        phases.total = millis(end - start);
        let exchange = Exchange {
            status: parts.status.as_u16(),
            version: sender.version(),
            headers: parts.headers,
            body,
            cut,
            phases,
            connection: connection.clone(),
        };
        connection.fresh = false;
        link.spent |= exchange.cut;
        Ok(exchange)
    }

    fn request(&self, call: &Call, sender: &Sender) -> Result<Request<Full<Bytes>>, String> {
        let authority = authority(&self.url);
        let mut request = Request::builder().method(call.method.clone());
        // HTTP/2 wants the whole address and makes `:authority` of it; HTTP/1 the path and a Host header.
        request = match sender {
            Sender::H1(_) => request.uri(&call.path).header(HOST, &authority),
            Sender::H2(_) => {
                request.uri(format!("{}://{authority}{}", self.url.scheme(), call.path))
            }
        };
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        request
            .body(Full::new(call.body.clone()))
            .map_err(|error| error.to_string())
    }

    fn tls_config(&self) -> Result<Option<Arc<ClientConfig>>, WireError> {
        if self.url.scheme() != "https" {
            return Ok(None);
        }
        if let Some(config) = self.tls.get() {
            return Ok(Some(config.clone()));
        }
        let config =
            connect::system_tls().map_err(|error| self.error(Phase::Tls, &error.to_string()))?;
        Ok(Some(self.tls.get_or_init(|| config).clone()))
    }

    fn error(&self, phase: Phase, why: &str) -> WireError {
        WireError::new(&self.url, phase, why, "")
    }

    /// A kept connection that is still alive.
    async fn take_kept(&self) -> Option<Link> {
        loop {
            let (mut link, since) = self
                .kept
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop()?;
            if since.elapsed() > KEEP {
                continue;
            }
            // Poll the driver once: it sees whether the server has closed.
            let Link { sender, driver, .. } = &mut link;
            let ready = drive(driver, sender.ready());
            if timeout_at(Instant::now() + Duration::from_millis(20), ready)
                .await
                .is_ok_and(|ready| ready)
            {
                return Some(link);
            }
        }
    }

    fn keep(&self, link: Link) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !link.spent && link.driver.is_some() && kept.len() < KEPT {
            kept.push((link, Instant::now()));
        }
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Wire({})", authority(&self.url))
    }
}

impl Sender {
    fn version(&self) -> &'static str {
        match self {
            Self::H1(_) => "HTTP/1.1",
            Self::H2(_) => "HTTP/2",
        }
    }

    fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = hyper::Result<Response<Incoming>>> + Send>> {
        match self {
            Self::H1(sender) => Box::pin(sender.send_request(request)),
            Self::H2(sender) => Box::pin(sender.send_request(request)),
        }
    }

    /// Whether another request can go out.
    async fn ready(&mut self) -> bool {
        match self {
            Self::H1(sender) => sender.ready().await.is_ok(),
            Self::H2(sender) => sender.ready().await.is_ok(),
        }
    }
}

/// Does `work` while keeping the connection going; the driver goes first, so that `work` sees a closed connection.
async fn drive<T>(driver: &mut Driver, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|cx| {
        if let Some(running) = driver
            && running.as_mut().poll(cx).is_ready()
        {
            *driver = None;
        }
        match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// The body up to `limit` bytes, and whether there was more.
async fn read(mut body: Incoming, limit: usize) -> hyper::Result<(Bytes, bool)> {
    let mut read: Vec<u8> = Vec::with_capacity(body.size_hint().lower().min(limit as u64) as usize);
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            let room = limit - read.len();
            if data.len() > room {
                read.extend_from_slice(&data[..room]);
                return Ok((read.into(), true));
            }
            read.extend_from_slice(&data);
        }
    }
    Ok((read.into(), false))
}

/// `host` or `host:port`, as in a Host header.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn millis(duration: Duration) -> f64 {
    // Microseconds are what the clock can honestly tell.
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
