//! Doctor's direct calls: a dry run, one call as the gateway would make it, and a few more only while they are cold or slow.

use serde_json::{Value, json};

use super::{Deadline, LIMIT};
use crate::client::lambda::Lambda;
use crate::domain::doctor::facts::{Fact, Invocation, Invoke, Repeat, Subject};
use crate::domain::doctor::proxy_violation;

/// So many warm calls tell a condition from a moment.
const WARM_ENOUGH: usize = 3;
/// So many calls right after another one, all cold, make a storm.
const COLD_ENOUGH: usize = 2;
/// At most so many calls follow the first.
const MOST_REPEATS: usize = 3;

/// What the direct calls brought.
#[derive(Debug, Default)]
pub(super) struct Direct {
    /// The call with the gateway's event.
    pub invoke: Fact<Invoke>,
    /// Those after it.
    pub repeats: Vec<Repeat>,
    /// A call with nothing but the features, made when the gateway's event was not understood.
    pub raw: Fact<Invoke>,
}

/// The event an HTTP API would send (payload 2.0), so that the direct call runs the same code. The path has the stage in
/// it unless that is the default one; the route has not.
pub fn gateway_event(subject: &Subject, stage: &str, route: &str, payload: &Value) -> Value {
    json!({
        "version": "2.0",
        "routeKey": format!("{} {route}", subject.method),
        "rawPath": subject.path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "user-agent": concat!("vintner/", env!("CARGO_PKG_VERSION"))},
        "requestContext": {"stage": stage, "http": {"method": subject.method, "path": subject.path, "protocol": "HTTP/1.1"}},
        "body": payload.to_string(),
        "isBase64Encoded": false,
    })
}

/// Calls the function. Predictions change nothing, yet each runs in production: a warm one quicker than `slow_ms` settles it.
pub(super) async fn call(
    lambda: &Lambda,
    event: &Value,
    features: &Value,
    slow_ms: f64,
    deadline: Deadline,
) -> Direct {
    let first = lambda.invoke(event, deadline.left()).await;
    let mut direct = Direct {
        repeats: repeats(lambda, event, answered(&first), slow_ms, deadline).await,
        ..Direct::default()
    };
    if not_understood(&first) && !deadline.left().is_zero() {
        direct.raw = lambda.invoke(features, deadline.left()).await;
    }
    direct.invoke = first;
    direct
}

/// Asks whether the caller may invoke, without running anything; `None` when it may, or when only a call can tell.
pub(super) async fn refused(lambda: &Lambda, deadline: Deadline) -> Option<Fact<Invoke>> {
    let refusal = deadline
        .ask("lambda:InvokeFunction", lambda.dry_run(LIMIT))
        .await;
    match refusal {
        Fact::Denied { .. } | Fact::Missing(_) | Fact::NoCredentials(_) => {
            Some(refusal.map(|()| Invoke::NotCalled))
        }
        Fact::Known(()) | Fact::Failed(_) | Fact::NotAsked => None,
    }
}

async fn repeats(
    lambda: &Lambda,
    event: &Value,
    first: Option<Repeat>,
    slow_ms: f64,
    deadline: Deadline,
) -> Vec<Repeat> {
    let mut repeats: Vec<Repeat> = Vec::new();
    let mut last = first;
    while let Some(call) = last.filter(|c| c.cold || c.duration_ms > slow_ms) {
        let warm = first.iter().chain(&repeats).filter(|c| !c.cold).count();
        let storm = repeats.len() >= COLD_ENOUGH && warm == 0;
        let settled = storm || warm >= WARM_ENOUGH || repeats.len() >= MOST_REPEATS;
        // Half a call's time is not worth beginning one.
        if settled || deadline.left().as_secs_f64() * 1000.0 < call.duration_ms {
            break;
        }
        let again = lambda.invoke(event, deadline.left()).await;
        last = answered(&again);
        repeats.extend(last);
    }
    repeats
}

fn invocation(invoke: &Fact<Invoke>) -> Option<&Invocation> {
    match invoke.known()? {
        Invoke::Answered(call) => Some(call),
        _ => None,
    }
}

/// Duration and coldness of a call that ran to its end.
fn answered(invoke: &Fact<Invoke>) -> Option<Repeat> {
    let call = invocation(invoke)?;
    let duration_ms = call.duration_ms.filter(|_| call.function_error.is_none())?;
    Some(Repeat {
        duration_ms,
        cold: call.init_ms.is_some(),
    })
}

/// The handler failed on the gateway's event, or answered something a gateway could not pass on.
fn not_understood(invoke: &Fact<Invoke>) -> bool {
    invocation(invoke).is_some_and(|call| {
        call.function_error.is_some() || proxy_violation(&call.payload).is_some()
    })
}
