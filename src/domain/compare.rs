//! The same inputs sent three ways, side by side, and one sentence on what the differences mean.

use super::prediction::{Answer, Outcome};
use super::report::Report;
use super::schema::Schema;

/// Scores that differ by less come from the same model: services print and parse decimals.
const SAME: f64 = 1e-4;

/// What came back one way.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// The answer's meaning, or why there is none.
    pub result: Result<Outcome, String>,
    /// From call to answer, milliseconds.
    pub total_ms: f64,
    /// The REPORT line of the invocation, where the log tail came with the answer, or the log tells which one it is.
    pub report: Option<Report>,
    /// The request id that came with the answer.
    pub request_id: Option<String>,
    /// The local model's version; remote ones are in the outcome.
    pub version: Option<String>,
}

/// The same inputs sent up to three ways; `None` where a way was not taken.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    /// Over HTTP to the endpoint.
    pub gateway: Option<Way>,
    /// Straight to the function.
    pub invoke: Option<Way>,
    /// The local champion.
    pub local: Option<Way>,
}

impl Way {
    /// The score, if there is one to trust.
    pub fn score(&self) -> Option<f64> {
        self.result.as_ref().ok().and_then(Outcome::score)
    }

    /// Why there is no score.
    pub fn fault(&self) -> Option<String> {
        match &self.result {
            Ok(outcome) => outcome.fault(),
            Err(error) => Some(error.clone()),
        }
    }

    /// The status code, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        match &self.result {
            Ok(Outcome::Failed(failure)) => Some(failure.status),
            Ok(_) => Some(200),
            Err(_) => None,
        }
    }
}

impl Comparison {
    /// What the differences mean, in one sentence; `None` while a remote way is missing.
    pub fn verdict(&self) -> Option<String> {
        let (gateway, invoke) = (self.gateway.as_ref()?, self.invoke.as_ref()?);
        Some(match (gateway.score(), invoke.score()) {
            (Some(through), Some(direct)) if (through - direct).abs() > SAME => {
                format!(
                    "gateway says {through:.3}, the function {direct:.3}: the gateway leads to another version"
                )
            }
            (Some(score), Some(_)) => match self.local_differs(score) {
                Some(said) => said,
                None => overhead(gateway, invoke),
            },
            (None, Some(_)) => {
                let failing = failing("gateway", gateway);
                // Nothing is known of permissions and integration where no answer came.
                let cause = match gateway.status() {
                    Some(_) => "a permission or the integration is broken; run the doctor",
                    None => {
                        "the endpoint's address (--endpoint) is wrong, or the way to it is broken"
                    }
                };
                format!("{failing}, but the function answers: {cause}")
            }
            // Its own words name the cause: a missing permission, no such function, no credentials.
            (Some(_), None) => format!(
                "the gateway answers, but {}",
                failing("direct invoke", invoke)
            ),
            (None, None) => {
                let direct = failing("direct invoke", invoke);
                let ran = invoke.status().is_some() || invoke.report.is_some();
                if ran {
                    format!("both fail: {direct}; look at the function's log")
                } else {
                    format!("both fail: {direct}; {}", failing("gateway", gateway))
                }
            }
        })
    }

    fn local_differs(&self, score: f64) -> Option<String> {
        let local = self.local.as_ref()?;
        let said = local.score()?;
        let version = local.version.as_deref().unwrap_or("the local champion");
        ((said - score).abs() > SAME).then(|| {
            format!("the served model is not {version}: it says {score:.3}, {version} {said:.3}")
        })
    }
}

fn overhead(gateway: &Way, invoke: &Way) -> String {
    let difference = gateway.total_ms - invoke.total_ms;
    let cold = [gateway, invoke].into_iter().any(|way| {
        way.report
            .as_ref()
            .is_some_and(|report| report.init_ms.is_some())
    });
    let caution = if cold {
        "; one of them was a cold start"
    } else {
        ", of one call each"
    };
    if difference >= 0.0 {
        format!("same score; the gateway took {difference:.0} ms longer{caution}")
    } else {
        format!(
            "same score; the direct invoke took {:.0} ms longer{caution}",
            -difference
        )
    }
}

fn failing(name: &str, way: &Way) -> String {
    match (way.status(), &way.result) {
        (Some(200), _) => format!("{name} 200 without a prediction"),
        (Some(status), _) => format!("{name} {status}"),
        (None, Err(error)) => format!("{name}: {error}"),
        (None, Ok(_)) => format!("{name} fails"),
    }
}

/// The event that API Gateway (payload format 2.0) would hand to the function for this body.
pub fn gateway_event(body: &str) -> serde_json::Value {
    serde_json::json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": { "content-type": "application/json" },
        "requestContext": { "http": { "method": "POST", "path": "/" } },
        "body": body,
        "isBase64Encoded": false,
    })
}

/// What a function's payload means: the proxy answer inside it, or its error object.
pub fn read_payload(
    schema: &Schema,
    payload: &str,
    function_error: Option<&str>,
) -> Result<Outcome, String> {
    let value: serde_json::Value = serde_json::from_str(payload).unwrap_or(serde_json::Value::Null);
    if let Some(kind) = function_error {
        let text = |key: &str| {
            value
                .get(key)
                .and_then(serde_json::Value::as_str)
                .map(super::prediction::printable)
        };
        let said = [text("errorType"), text("errorMessage")]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(": ");
        return Err(format!(
            "the function failed ({}): {said}",
            super::prediction::printable(kind)
        ));
    }
    let Some(status) = value.get("statusCode").and_then(serde_json::Value::as_u64) else {
        // Without a status the gateway takes the whole payload for a 200's body.
        return Ok(Outcome::read(
            schema,
            &Answer {
                status: 200,
                body: payload.as_bytes(),
                cut: false,
                location: None,
            },
        ));
    };
    let body = match value.get("body") {
        Some(serde_json::Value::String(body)) => body.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let status = u16::try_from(status).unwrap_or(0);
    Ok(Outcome::read(
        schema,
        &Answer {
            status,
            body: body.as_bytes(),
            cut: false,
            location: None,
        },
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::testing::outcome;

    fn way(status: u16, body: &str, total_ms: f64) -> Way {
        Way {
            result: Ok(outcome(status, body)),
            total_ms,
            report: None,
            request_id: None,
            version: None,
        }
    }

    fn verdict(gateway: Way, invoke: Way, local: Option<Way>) -> String {
        Comparison {
            gateway: Some(gateway),
            invoke: Some(invoke),
            local,
        }
        .verdict()
        .unwrap()
    }

    const GOOD: &str = r#"{"prediction":6.1}"#;

    #[test]
    fn the_verdict_names_what_differs() {
        let local = |score: &str| Way {
            version: Some("v0004".into()),
            ..way(200, score, 0.1)
        };
        assert_eq!(
            verdict(way(200, GOOD, 141.2), way(200, GOOD, 100.0), None),
            "same score; the gateway took 41 ms longer, of one call each"
        );
        let broken = way(500, r#"{"message":"Internal Server Error"}"#, 20.0);
        assert!(
            verdict(broken.clone(), way(200, GOOD, 100.0), None)
                .starts_with("gateway 500, but the function answers: a permission")
        );
        assert!(
            verdict(
                way(200, GOOD, 1.0),
                way(200, GOOD, 1.0),
                Some(local(r#"{"prediction":5.0}"#))
            )
            .starts_with("the served model is not v0004")
        );
        let denied = Way {
            result: Err("this identity lacks lambda:InvokeFunction".into()),
            ..way(200, "", 1.0)
        };
        assert_eq!(
            verdict(way(200, GOOD, 1.0), denied.clone(), None),
            "the gateway answers, but direct invoke: this identity lacks lambda:InvokeFunction"
        );
        let expired = Way {
            result: Err("credentials expired: run `aws sso login`".into()),
            ..denied.clone()
        };
        assert!(verdict(way(200, GOOD, 1.0), expired, None).ends_with("`aws sso login`"));
        assert_eq!(
            verdict(broken.clone(), denied, None),
            "both fail: direct invoke: this identity lacks lambda:InvokeFunction; gateway 500"
        );
        assert_eq!(
            verdict(broken.clone(), broken, None),
            "both fail: direct invoke 500; look at the function's log"
        );
    }

    /// What failed before anything answered says nothing of permissions.
    #[test]
    fn a_cause_is_named_only_where_it_was_seen() {
        let failed = |error: &str| Way {
            result: Err(error.into()),
            ..way(200, "", 1.0)
        };
        assert_eq!(
            verdict(
                way(200, GOOD, 1.0),
                failed("function nope not found in us-east-1: check the name"),
                None
            ),
            "the gateway answers, but direct invoke: function nope not found in us-east-1: check the name"
        );
        assert_eq!(
            verdict(failed("connection refused"), way(200, GOOD, 1.0), None),
            "gateway: connection refused, but the function answers: the endpoint's address (--endpoint) is wrong, \
             or the way to it is broken"
        );
    }

    #[test]
    fn a_payload_is_unwrapped() {
        let schema = Schema::wine_quality();
        let proxy = r#"{"statusCode":200,"headers":{},"body":"{\"prediction\":6.1}"}"#;
        assert_eq!(
            read_payload(schema, proxy, None).unwrap().score(),
            Some(6.1)
        );
        assert_eq!(
            read_payload(schema, r#"{"prediction":6.1}"#, None)
                .unwrap()
                .score(),
            Some(6.1)
        );
        let crash = r#"{"errorMessage":"boom","errorType":"KeyError"}"#;
        assert_eq!(
            read_payload(schema, crash, Some("Unhandled")).unwrap_err(),
            "the function failed (Unhandled): KeyError: boom"
        );
        let failed = r#"{"statusCode":500,"body":"{\"error\":\"no model\"}"}"#;
        assert_eq!(
            read_payload(schema, failed, None).unwrap().fault().unwrap(),
            "500 from the handler: no model"
        );
    }
}
