//! Answers and errors in the shapes of AWS's protocols.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

/// How a service frames requests, answers and errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// `X-Amz-Target` and JSON, version 1.0 or 1.1.
    AwsJson(&'static str),
    /// Paths and JSON.
    RestJson,
    /// Form in, XML out.
    Query,
    /// Paths and XML: S3.
    RestXml,
    /// Smithy RPC v2 with CBOR.
    Cbor,
}

/// An error a service answers with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub code: &'static str,
    pub message: String,
    pub status: u16,
    /// A further member of the error: its name and value.
    pub detail: Option<Box<(&'static str, Value)>>,
}

impl Fault {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            status,
            detail: None,
        }
    }

    /// A 400 for a parameter the service rejects.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidParameterException", message)
    }

    pub fn serialization(message: impl Into<String>) -> Self {
        Self::new(400, "SerializationException", message)
    }

    /// The error as `protocol` writes it.
    pub fn render(self, protocol: Protocol, request_id: &str) -> Response<Body> {
        let Self {
            code,
            message,
            status,
            detail,
        } = self;
        match protocol {
            Protocol::AwsJson(version) => {
                let mut body = json!({"__type": code, "message": message});
                if let Some((name, value)) = detail.map(|member| *member) {
                    body[name] = value;
                }
                respond(
                    status,
                    &format!("application/x-amz-json-{version}"),
                    body.to_string(),
                )
            }
            Protocol::RestJson => {
                let mut body = json!({"message": message});
                if status < 500 {
                    body["Type"] = json!("User");
                }
                if let Some((name, value)) = detail.map(|member| *member) {
                    body[name] = value;
                }
                let mut response = respond(status, "application/json", body.to_string());
                response
                    .headers_mut()
                    .insert("x-amzn-errortype", HeaderValue::from_static(code));
                response
            }
            Protocol::Query => {
                let kind = if status < 500 { "Sender" } else { "Receiver" };
                let body = format!(
                    "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>{kind}</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
                    query_code(code),
                    escape(&message)
                );
                respond(status, "text/xml", body)
            }
            Protocol::RestXml => {
                let body = format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message><RequestId>{request_id}</RequestId></Error>",
                    s3_code(code),
                    escape(&message)
                );
                respond(status, "application/xml", body)
            }
            Protocol::Cbor => {
                let body =
                    super::metrics::cbor::encode(&json!({"__type": code, "message": message}));
                let mut response = respond(status, "application/cbor", body);
                response
                    .headers_mut()
                    .insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
                response
            }
        }
    }
}

/// The older protocols name the common errors without `Exception`.
fn query_code(code: &'static str) -> &'static str {
    match code {
        "InvalidSignatureException" => "SignatureDoesNotMatch",
        "UnrecognizedClientException" => "InvalidClientTokenId",
        other => other.strip_suffix("Exception").unwrap_or(other),
    }
}

fn s3_code(code: &'static str) -> &'static str {
    match code {
        "InvalidSignatureException" => "RequestTimeTooSkewed",
        "MissingAuthenticationTokenException" => "AccessDenied",
        other => query_code(other),
    }
}

/// A response with a body and its type.
pub(super) fn respond(status: u16, content_type: &str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(value) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}

pub(super) fn json(status: u16, body: &Value) -> Response<Body> {
    respond(status, "application/json", body.to_string())
}

pub(super) fn aws_json(body: &Value) -> Response<Body> {
    respond(200, "application/x-amz-json-1.1", body.to_string())
}

/// Text made safe inside XML.
pub(super) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}
