//! Requests that got no answer: the phase that failed, why, and what to do about it.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use tokio_rustls::rustls::{self, CertificateError};
use url::Url;

use super::authority;

/// A phase of a request, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Resolving the host's name.
    Dns,
    /// Connecting.
    Tcp,
    /// The TLS handshake.
    Tls,
    /// Writing the request.
    Send,
    /// Waiting for the answer's head.
    Wait,
    /// Reading the body.
    Body,
}

/// A request without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireError {
    /// Where it ended.
    pub phase: Phase,
    /// `host` or `host:port`.
    pub to: String,
    /// What happened.
    pub why: String,
    /// What to do about it; perhaps empty.
    pub remedy: String,
    /// The server closed a kept connection before answering: worth one more try on a new one.
    pub(super) lost_connection: bool,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "DNS",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Send => "send",
            Self::Wait => "wait",
            Self::Body => "body",
        })
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {} failed: {}", self.phase, self.to, self.why)?;
        if self.remedy.is_empty() {
            Ok(())
        } else {
            write!(f, "; {}", self.remedy)
        }
    }
}

impl Error for WireError {}

impl WireError {
    pub(super) fn new(url: &Url, phase: Phase, why: &str, remedy: &str) -> Self {
        let why = why.chars().filter(|c| !c.is_control()).take(200).collect();
        Self {
            phase,
            to: authority(url),
            why,
            remedy: remedy.to_owned(),
            lost_connection: false,
        }
    }

    pub(super) fn timeout(url: &Url, phase: Phase, after: Duration) -> Self {
        let why = format!("no answer within {} s", after.as_secs_f64());
        let remedy = match phase {
            Phase::Dns => "check the network and its name server",
            Phase::Tcp => "a firewall, a VPN or the wrong address",
            Phase::Tls => "does the port speak TLS?",
            Phase::Send | Phase::Wait => "the function may be stuck: look at its log",
            Phase::Body => "the answer stopped half-way: look at the function's log",
        };
        Self::new(url, phase, &why, remedy)
    }

    pub(super) fn dns(url: &Url, error: &io::Error) -> Self {
        let host = url.host_str().unwrap_or_default();
        let remedy = if host.contains(".execute-api.") {
            "the API id or the region in the address is wrong, or the API was deleted"
        } else {
            "check the spelling of the endpoint and the network"
        };
        Self::new(
            url,
            Phase::Dns,
            &format!("cannot resolve {host}: {}", plain(error)),
            remedy,
        )
    }

    pub(super) fn tcp(url: &Url, error: &io::Error) -> Self {
        let mut remedy = match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                "nothing listens there: start the service or correct the port".to_owned()
            }
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
                "check the network or the VPN".to_owned()
            }
            _ => String::new(),
        };
        if std::env::var_os("HTTPS_PROXY")
            .or_else(|| std::env::var_os("https_proxy"))
            .is_some()
        {
            remedy += if remedy.is_empty() { "" } else { "; " };
            remedy += "HTTPS_PROXY is set, but phases are measured on a direct connection";
        }
        Self::new(url, Phase::Tcp, &plain(error), &remedy)
    }

    pub(super) fn tls(url: &Url, error: &io::Error) -> Self {
        let (why, remedy) = match error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        {
            Some(rustls::Error::InvalidCertificate(problem)) => certificate(problem),
            Some(rustls::Error::InvalidMessage(_)) => (
                "the server does not speak TLS".to_owned(),
                "use http:// or another port",
            ),
            Some(other) => (other.to_string(), ""),
            None => (plain(error), "does the port speak TLS?"),
        };
        Self::new(url, Phase::Tls, &why, remedy)
    }

    /// A request that failed before its answer's head; `sent` if it was written.
    pub(super) fn from_hyper(url: &Url, sent: bool, error: &hyper::Error) -> Self {
        let phase = if sent { Phase::Wait } else { Phase::Send };
        if error.is_parse() {
            let why = format!("the answer is not HTTP ({})", chain(error));
            let remedy = if url.scheme() == "http" {
                "another service on this port, or https:// needed"
            } else {
                "another service on this port"
            };
            return Self::new(url, phase, &why, remedy);
        }
        let lost = error.is_canceled()
            || error.is_closed()
            || error.is_incomplete_message()
            || is_reset(error);
        let why = if lost {
            "the server closed the connection without an answer".to_owned()
        } else {
            chain(error)
        };
        let remedy = if lost {
            "it may have crashed: look at its log"
        } else {
            ""
        };
        Self {
            lost_connection: lost,
            ..Self::new(url, phase, &why, remedy)
        }
    }

    pub(super) fn cut_short(url: &Url, error: &hyper::Error) -> Self {
        let why = format!(
            "the answer ended before its announced end ({})",
            chain(error)
        );
        Self::new(
            url,
            Phase::Body,
            &why,
            "the server or a proxy cut the connection",
        )
    }
}

fn certificate(problem: &CertificateError) -> (String, &'static str) {
    match problem {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            "the certificate is not signed by an authority that this machine trusts".to_owned(),
            "a proxy in between, or set SSL_CERT_FILE to the authority's certificate",
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "the certificate has expired".to_owned(),
            "renew it, or correct this machine's clock",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            "the certificate is not valid yet".to_owned(),
            "correct this machine's clock",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            "the certificate is for another host".to_owned(),
            "check the endpoint's spelling",
        ),
        other => (format!("the certificate is refused: {other:?}"), ""),
    }
}

fn is_reset(error: &hyper::Error) -> bool {
    let io = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>());
    io.is_some_and(|io| {
        matches!(
            io.kind(),
            io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionAborted
        )
    })
}

/// The error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = inner.source();
    }
    text
}

/// An I/O error without its "(os error 111)".
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    text.strip_prefix("failed to lookup address information: ")
        .unwrap_or(text)
        .to_lowercase()
}
