//! Who answered: API Gateway itself or the function behind it. Told by the exact short bodies of HTTP APIs.

use serde_json::Value;

use super::facts::GatewayCall;

/// The origin of an HTTP answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answerer {
    /// API Gateway's own message: the function's answer never came through.
    Gateway,
    /// The handler's body, good or bad.
    Handler,
    /// Neither is known to speak like this: a proxy, a load balancer, another server.
    Stranger,
}

/// The messages HTTP APIs send on their own account.
const GATEWAY_MESSAGES: [&str; 9] = [
    "Internal Server Error",
    "Service Unavailable",
    "Too Many Requests",
    "Not Found",
    "Forbidden",
    "Unauthorized",
    "Missing Authentication Token",
    "Request Entity Too Large",
    "Bad Request",
];

impl GatewayCall {
    /// Who wrote this body.
    pub fn answerer(&self) -> Answerer {
        let Ok(Value::Object(body)) = serde_json::from_str(&self.body) else {
            return Answerer::Stranger;
        };
        let message = body.get("message").and_then(Value::as_str);
        if body.len() == 1 && message.is_some_and(|m| GATEWAY_MESSAGES.contains(&m)) {
            Answerer::Gateway
        } else {
            Answerer::Handler
        }
    }

    /// A prediction came back.
    pub fn is_good(&self) -> bool {
        self.status == 200 && self.contract_violation.is_none()
    }

    /// One of API Gateway's own answers with this status.
    pub fn gateway_said(&self, status: u16) -> bool {
        self.status == status && self.answerer() == Answerer::Gateway
    }

    /// 500 or 502 in API Gateway's own words: the integration failed.
    pub fn integration_failed(&self) -> bool {
        self.gateway_said(500) || self.gateway_said(502)
    }
}

/// Why a function's return value is no proxy response, if it is none. Payload format 1.0 insists on one,
/// 2.0 wraps anything else into a 200.
pub fn proxy_violation(payload: &str) -> Option<&'static str> {
    let Ok(value) = serde_json::from_str::<Value>(payload) else {
        return Some("the payload is not JSON");
    };
    let Value::Object(response) = value else {
        return Some("the payload is not an object");
    };
    match (response.get("statusCode"), response.get("body")) {
        (None, _) => Some("`statusCode` is missing"),
        (Some(code), _) if !code.is_u64() => Some("`statusCode` is not an integer"),
        (_, Some(body)) if !body.is_string() && !body.is_null() => Some("`body` is not a string"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(status: u16, body: &str) -> GatewayCall {
        GatewayCall {
            status,
            body: body.to_owned(),
            ..GatewayCall::default()
        }
    }

    #[test]
    fn the_gateways_own_bodies_are_told_from_the_handlers() {
        assert!(call(500, r#"{"message":"Internal Server Error"}"#).integration_failed());
        assert!(
            !call(500, r#"{"error":"boom","message":"Prediction failed"}"#).integration_failed()
        );
        assert_eq!(
            call(404, r#"{"message":"Not Found"}"#).answerer(),
            Answerer::Gateway
        );
        assert_eq!(
            call(502, "<html>Bad gateway</html>").answerer(),
            Answerer::Stranger
        );
        assert_eq!(
            call(200, r#"{"prediction":5.1}"#).answerer(),
            Answerer::Handler
        );
    }

    #[test]
    fn proxy_responses_are_checked_as_payload_1_0_does() {
        assert_eq!(
            proxy_violation(r#"{"statusCode":200,"headers":{},"body":"{}"}"#),
            None
        );
        assert_eq!(
            proxy_violation(r#"{"prediction":5}"#),
            Some("`statusCode` is missing")
        );
        assert_eq!(
            proxy_violation(r#"{"statusCode":"200","body":"x"}"#),
            Some("`statusCode` is not an integer")
        );
        assert_eq!(
            proxy_violation(r#"{"statusCode":200,"body":{"a":1}}"#),
            Some("`body` is not a string")
        );
        assert_eq!(proxy_violation("5"), Some("the payload is not an object"));
    }
}
