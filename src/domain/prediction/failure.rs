//! Who said no, and why: API Gateway's own bodies byte for byte, the handler's JSON, FastAPI's validation, a web page.

use std::fmt;

use serde_json::Value;

use super::{Answer, printable};

/// An answer with a status other than 200, classified.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Status code.
    pub status: u16,
    /// Who wrote the answer.
    pub origin: Origin,
    /// What it means, in words.
    pub message: String,
    /// What to do next.
    pub next: Next,
}

/// Who wrote an error answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// API Gateway itself: the function may never have been called.
    Gateway,
    /// The function's own code.
    Handler,
    /// The FastAPI twin's validation.
    Validation,
    /// A web page: a proxy, a login wall, the wrong host.
    Page,
    /// A redirect, which is not followed.
    Redirect,
    /// None of these.
    Unknown,
}

/// What helps with a failure; a screen turns it into the key that does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Run the diagnosis.
    Doctor,
    /// Look at the function's log lines.
    Logs,
    /// Correct the inputs.
    Fields,
    /// Correct the endpoint in the target.
    Target,
    /// Wait a moment and send again.
    Retry,
}

/// API Gateway (HTTP API) writes these bodies itself, byte for byte.
const GATEWAY: [(u16, &str, &str, Next); 6] = [
    (
        500,
        "Internal Server Error",
        "API Gateway could not get an answer from the function: no invoke permission, a crash, a timeout or a malformed reply",
        Next::Doctor,
    ),
    (
        503,
        "Service Unavailable",
        "API Gateway gave up waiting for the function (30 s limit), or Lambda throttled it",
        Next::Doctor,
    ),
    (
        429,
        "Too Many Requests",
        "API Gateway throttles this stage or account; Lambda is not involved",
        Next::Retry,
    ),
    (
        404,
        "Not Found",
        "API Gateway has no route for this method and path, or the stage is not deployed",
        Next::Target,
    ),
    (
        403,
        "Forbidden",
        "API Gateway refuses: authorizer, disabled default endpoint or domain mapping",
        Next::Doctor,
    ),
    (
        401,
        "Unauthorized",
        "API Gateway wants a valid token",
        Next::Target,
    ),
];

impl Failure {
    /// What this answer (status other than 200) says, and who says it.
    pub fn classify(answer: &Answer) -> Self {
        let status = answer.status;
        let of = |origin, message: String, next| Self {
            status,
            origin,
            message,
            next,
        };
        if let Some((message, next)) = gateway_says(answer) {
            return of(Origin::Gateway, message, next);
        }
        if (300..400).contains(&status) {
            let to = answer.location.map_or_else(String::new, |location| {
                format!(" to {}", printable(location))
            });
            return of(
                Origin::Redirect,
                format!("redirects{to}; redirects are not followed"),
                Next::Target,
            );
        }
        if is_page(answer.body) {
            let message =
                "an HTML page instead of JSON: a proxy, a login page or the wrong host".to_owned();
            return of(Origin::Page, message, Next::Target);
        }
        if answer.cut {
            let message = format!(
                "a body larger than the {} bytes that are read",
                answer.body.len()
            );
            return of(Origin::Unknown, message, Next::Target);
        }
        match serde_json::from_slice::<Value>(answer.body) {
            Ok(Value::Object(body)) => {
                let body = Value::Object(body);
                if let Some(message) = validation(&body) {
                    return match status {
                        400 | 422 => of(Origin::Validation, message, Next::Fields),
                        _ => of(Origin::Handler, message, handler_next(status)),
                    };
                }
                match handler(&body) {
                    Some(message) => of(Origin::Handler, message, handler_next(status)),
                    None => of(
                        Origin::Unknown,
                        format!("an answer in no known shape: {}", shown(answer.body)),
                        by_status(status),
                    ),
                }
            }
            _ if answer.body.is_empty() => of(
                Origin::Unknown,
                "an empty body".to_owned(),
                by_status(status),
            ),
            _ => of(
                Origin::Unknown,
                format!("not JSON: {}", shown(answer.body)),
                by_status(status),
            ),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.origin {
            Origin::Gateway => " from API Gateway",
            Origin::Handler => " from the handler",
            Origin::Validation => ", input refused",
            Origin::Page | Origin::Redirect | Origin::Unknown => "",
        };
        write!(f, "{}{who}: {}", self.status, self.message)
    }
}

impl Next {
    /// What to do, without naming a key.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Doctor => "run the doctor",
            Self::Logs => "look at the log lines",
            Self::Fields => "correct the inputs",
            Self::Target => "check the target's endpoint",
            Self::Retry => "wait a moment and send again",
        }
    }
}

/// Whether a body is a web page.
pub(super) fn is_page(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    let begins = |tag: &str| {
        start
            .get(..tag.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(tag.as_bytes()))
    };
    ["<!doctype", "<html", "<head", "<?xml", "<body"]
        .into_iter()
        .any(begins)
}

fn gateway_says(answer: &Answer) -> Option<(String, Next)> {
    let says = |text: &str| answer.body == format!(r#"{{"message":"{text}"}}"#).as_bytes();
    if says("Missing Authentication Token") {
        let message = "a REST API has no such resource or method, or wants a signature".to_owned();
        return Some((message, Next::Target));
    }
    // Some API types answer 504 where HTTP APIs answer 503.
    if answer.status == 504 && (says("Endpoint request timed out") || says("Gateway Timeout")) {
        return Some((GATEWAY[1].2.to_owned(), Next::Doctor));
    }
    GATEWAY
        .into_iter()
        .find(|(status, text, ..)| *status == answer.status && says(text))
        .map(|(_, _, message, next)| (message.to_owned(), next))
}

/// FastAPI's 422: `{"detail":[{"loc":["body","alcohol"],"msg":"field required"}]}` or `{"detail":"text"}`.
fn validation(body: &Value) -> Option<String> {
    match body.get("detail")? {
        Value::String(text) => Some(printable(text)),
        Value::Array(items) => {
            let said: Vec<String> = items.iter().take(4).map(validation_item).collect();
            let more = if items.len() > 4 {
                format!("; {} more", items.len() - 4)
            } else {
                String::new()
            };
            Some(format!("{}{more}", said.join("; ")))
        }
        _ => None,
    }
}

fn validation_item(item: &Value) -> String {
    let message = item.get("msg").and_then(Value::as_str).unwrap_or("invalid");
    let field = item
        .get("loc")
        .and_then(Value::as_array)
        .and_then(|path| path.last());
    match field {
        Some(Value::String(field)) => format!("{}: {}", printable(field), printable(message)),
        _ => printable(message),
    }
}

/// The handler's own error, or Lambda's error object passed through.
fn handler(body: &Value) -> Option<String> {
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(printable);
    match (text("error"), text("errorMessage"), text("message")) {
        (Some(error), _, _) => Some(error),
        (None, Some(message), _) => Some(match text("errorType") {
            Some(kind) => format!("{kind}: {message}"),
            None => message,
        }),
        (None, None, message) => message,
    }
}

fn handler_next(status: u16) -> Next {
    if (400..500).contains(&status) {
        Next::Fields
    } else {
        Next::Logs
    }
}

fn by_status(status: u16) -> Next {
    match status {
        429 => Next::Retry,
        400..=499 => Next::Target,
        _ => Next::Doctor,
    }
}

fn shown(body: &[u8]) -> String {
    printable(&String::from_utf8_lossy(&body[..body.len().min(1024)]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn classify(status: u16, body: &str) -> Failure {
        Failure::classify(&Answer {
            status,
            body: body.as_bytes(),
            cut: false,
            location: None,
        })
    }

    #[test]
    fn the_gateways_own_bodies_are_told_from_the_handlers() {
        // Lengths as in a public access log and the AWS documentation: 35 bytes is the gateway speaking.
        let own = [
            (
                500,
                r#"{"message":"Internal Server Error"}"#,
                35,
                Next::Doctor,
            ),
            (
                503,
                r#"{"message":"Service Unavailable"}"#,
                33,
                Next::Doctor,
            ),
            (429, r#"{"message":"Too Many Requests"}"#, 31, Next::Retry),
            (404, r#"{"message":"Not Found"}"#, 23, Next::Target),
            (403, r#"{"message":"Forbidden"}"#, 23, Next::Doctor),
        ];
        for (status, body, length, next) in own {
            assert_eq!(body.len(), length);
            let failure = classify(status, body);
            assert_eq!(
                (failure.origin, failure.next),
                (Origin::Gateway, next),
                "{body}"
            );
        }
        let handler = classify(
            500,
            r#"{"error":"could not convert string to float: 'high'","message":"Prediction failed"}"#,
        );
        assert_eq!(
            (handler.origin, handler.next),
            (Origin::Handler, Next::Logs)
        );
        assert_eq!(
            handler.to_string(),
            "500 from the handler: could not convert string to float: 'high'"
        );
        // One byte more and it is not the gateway's.
        assert_eq!(
            classify(500, r#"{"message": "Internal Server Error"}"#).origin,
            Origin::Handler
        );
        assert_eq!(
            classify(404, r#"{"message":"Internal Server Error"}"#).origin,
            Origin::Handler
        );
    }

    #[test]
    fn fastapi_names_the_fields_it_refuses() {
        let body = r#"{"detail":[{"loc":["body","alcohol"],"msg":"Field required","type":"missing"},{"loc":["body","pH"],"msg":"Input should be a valid number"}]}"#;
        let failure = classify(422, body);
        assert_eq!(
            (failure.origin, failure.next),
            (Origin::Validation, Next::Fields)
        );
        assert_eq!(
            failure.message,
            "alcohol: Field required; pH: Input should be a valid number"
        );
        let down = classify(503, r#"{"detail":"Model not loaded"}"#);
        assert_eq!(down.to_string(), "503 from the handler: Model not loaded");
    }

    #[test]
    fn pages_redirects_and_garbage_are_named() {
        assert_eq!(
            classify(502, "\n<HTML><body>Bad Gateway").origin,
            Origin::Page
        );
        let moved = Failure::classify(&Answer {
            status: 302,
            body: b"",
            cut: false,
            location: Some("https://login\r\n"),
        });
        assert_eq!(
            moved.to_string(),
            "302: redirects to https://login; redirects are not followed"
        );
        assert_eq!(
            classify(500, "\u{1b}[31mboom").message,
            "not JSON: [31mboom"
        );
        assert_eq!(classify(500, "").message, "an empty body");
        assert_eq!(classify(418, r#"{"tea":true}"#).origin, Origin::Unknown);
    }
}
