//! The prediction endpoint: where it is, and one call to it with its phases and its meaning.

use hyper::body::Bytes;
use serde::Serialize;
use url::Url;

use super::wire::{Call, Exchange, Limits, Wire, WireError};
use crate::domain::prediction::{Answer, Outcome};
use crate::domain::schema::Schema;

/// The address of a prediction endpoint: `https://host/` (gateway) or `http://localhost:8000/predict` (FastAPI twin).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// An address that is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("endpoint `{text}`: {why}")]
pub struct EndpointError {
    /// As the user wrote it, without a password.
    pub text: String,
    /// What is wrong and what would be right.
    pub why: String,
}

impl Endpoint {
    /// Reads an address; without a scheme, `http` for this machine and `https` for any other.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let text = text.trim();
        let full = if text.contains("://") {
            text.to_owned()
        } else {
            format!("{}://{text}", default_scheme(text))
        };
        let error = |why: &str| EndpointError {
            text: without_secrets(text),
            why: why.to_owned(),
        };
        let url = Url::parse(&full)
            .map_err(|parse| error(&format!("{parse}; write it like https://host/path")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(error("only http:// and https:// are spoken"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(error(
                "a user name or password in the address would end up in logs; remove it",
            ));
        }
        Ok(Self(url))
    }

    /// The address.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Path and query, as in a request line.
    pub fn path(&self) -> String {
        let query = self
            .0
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        format!("{}{query}", self.0.path())
    }

    /// `host` or `host:port`.
    pub fn authority(&self) -> String {
        super::wire::authority(&self.0)
    }

    /// The path of a sibling: `/health` next to `/predict`, or below the stage next to `/prod/`.
    pub fn sibling(&self, name: &str) -> String {
        let base = self.0.path().trim_end_matches('/');
        let base = base.strip_suffix("/predict").unwrap_or(base);
        format!("{base}/{name}")
    }

    /// The `curl` line that sends these bytes.
    pub fn curl(&self, body: &str) -> String {
        let body = body.replace('\'', "'\\''");
        format!(
            "curl -sS -X POST '{}' -H 'Content-Type: application/json' -d '{body}'",
            self.0
        )
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A client of one prediction endpoint.
#[derive(Debug)]
pub struct PredictClient {
    endpoint: Endpoint,
    wire: Wire,
}

/// An answer and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The answer and its phases.
    pub exchange: Exchange,
    /// What it means under the schema.
    pub outcome: Outcome,
}

/// `GET /health`: whether the service says that it is well.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Health {
    /// Status code.
    pub status: u16,
    /// The body as JSON, or as text.
    pub body: serde_json::Value,
}

impl PredictClient {
    /// A client for this endpoint; nothing is opened yet.
    pub fn new(endpoint: Endpoint, limits: Limits) -> Self {
        let wire = Wire::new(endpoint.url(), limits);
        Self { endpoint, wire }
    }

    /// Where it sends.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends a body as it is and reads the answer under the schema. `fresh` opens a new connection.
    pub async fn predict(
        &self,
        schema: &Schema,
        body: impl Into<Bytes>,
        fresh: bool,
    ) -> Result<Reply, WireError> {
        let mut call = Self::signed(Call::post_json(self.endpoint.path(), body));
        call.fresh = fresh;
        let exchange = self.wire.send(&call).await?;
        let outcome = Outcome::read(schema, &exchange.answer());
        Ok(Reply { exchange, outcome })
    }

    /// `GET /health` or `GET /model/info` beside the endpoint.
    pub async fn get(&self, name: &str) -> Result<Health, WireError> {
        let exchange = self
            .wire
            .send(&Self::signed(Call::get(self.endpoint.sibling(name))))
            .await?;
        let text = || serde_json::Value::from(String::from_utf8_lossy(&exchange.body).into_owned());
        let body = serde_json::from_slice(&exchange.body).unwrap_or_else(|_| text());
        Ok(Health {
            status: exchange.status,
            body,
        })
    }

    fn signed(mut call: Call) -> Call {
        let agent = concat!("vintner/", env!("CARGO_PKG_VERSION"));
        call.headers.push((
            hyper::header::USER_AGENT,
            hyper::header::HeaderValue::from_static(agent),
        ));
        call.headers.push((
            hyper::header::ACCEPT,
            hyper::header::HeaderValue::from_static("application/json"),
        ));
        call
    }
}

impl Exchange {
    /// What the meaning of this answer depends on.
    pub fn answer(&self) -> Answer<'_> {
        Answer {
            status: self.status,
            body: &self.body,
            cut: self.cut,
            location: self.header("location"),
        }
    }
}

fn default_scheme(text: &str) -> &'static str {
    let host = text.split(['/', ':']).next().unwrap_or_default();
    if matches!(host, "localhost" | "127.0.0.1" | "[") {
        "http"
    } else {
        "https"
    }
}

/// An address as it may be shown: without the user and password before its host. Where it is no address, without
/// anything before the last `@`, since a password may be part of what makes it none.
pub fn without_secrets(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).collect();
    let start = clean.find("://").map_or(0, |scheme| scheme + 3);
    let rest = &clean[start..];
    let authority = match Url::parse(&clean) {
        Ok(url) if url.has_host() => rest.find(['/', '?', '#']).unwrap_or(rest.len()),
        _ => rest.len(),
    };
    let shown = match rest[..authority].rfind('@') {
        Some(at) => format!("{}…{}", &clean[..start], &rest[at..]),
        None => clean,
    };
    shown.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn endpoints_are_written_as_people_write_them() {
        let url = |text: &str| Endpoint::parse(text).unwrap().to_string();
        assert_eq!(
            url("localhost:8000/predict"),
            "http://localhost:8000/predict"
        );
        assert_eq!(
            url("abc.execute-api.us-east-2.amazonaws.com"),
            "https://abc.execute-api.us-east-2.amazonaws.com/"
        );
        assert_eq!(Endpoint::parse("http://h/a?b=1").unwrap().path(), "/a?b=1");
    }

    #[test]
    fn what_is_no_endpoint_says_why_and_keeps_no_password() {
        let why = |text: &str| Endpoint::parse(text).unwrap_err().to_string();
        assert!(why("ftp://h").contains("only http:// and https://"));
        assert!(why("http://").contains("empty host"));
        let secret = why("https://me:hunter2@h/");
        assert!(
            secret.contains("remove it") && !secret.contains("hunter2"),
            "{secret}"
        );
    }

    #[test]
    fn no_part_of_a_password_is_shown() {
        let long = format!("http://me:{}@h:1", "x".repeat(300));
        for (text, shown) in [
            ("http://me:p@ss@h:1/a?b=c@d", "http://…@h:1/a?b=c@d"),
            ("http://token@h", "http://…@h"),
            ("http://me:p/w@h:1", "http://…@h:1"),
            ("me:p@h:1/x", "…@h:1/x"),
            ("https://h/a@b", "https://h/a@b"),
            (&long, "http://…@h:1"),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
    }

    #[test]
    fn siblings_stand_beside_the_endpoint() {
        let sibling = |text: &str| Endpoint::parse(text).unwrap().sibling("health");
        assert_eq!(sibling("http://h:8000/predict"), "/health");
        assert_eq!(sibling("https://h/"), "/health");
        assert_eq!(sibling("https://h/prod/"), "/prod/health");
    }

    #[test]
    fn the_curl_line_survives_a_quote() {
        let curl = Endpoint::parse("http://h/")
            .unwrap()
            .curl(r#"{"a":"it's"}"#);
        assert_eq!(
            shell_words::split(&curl).unwrap().last().unwrap(),
            r#"{"a":"it's"}"#
        );
    }
}
