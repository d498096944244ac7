//! The three ways to a prediction: through the gateway, straight to the function, on this machine's model.

use std::time::{Duration, Instant};

use super::lambda::Lambda;
use super::link::Link;
use super::predict::PredictClient;
use crate::champion::Local;
use crate::domain::compare::{Way, gateway_event, read_payload};
use crate::domain::doctor::facts::{Fact, Invoke};
use crate::domain::features::Features;
use crate::domain::prediction::{Answer, Outcome};
use crate::domain::report::Report;
use crate::domain::schema::Schema;

/// How long a direct invocation may take: the function's longest timeout behind a gateway, and a little.
const INVOKE: Duration = Duration::from_secs(35);

/// Through the gateway.
pub async fn gateway(client: &PredictClient, schema: &Schema, body: &str) -> Way {
    let began = Instant::now();
    let result = client.predict(schema, body.to_owned(), false).await;
    let total_ms = result
        .as_ref()
        .map_or_else(|_| millis(began), |reply| reply.exchange.phases.total);
    let answered = result.as_ref().ok();
    let request_id = answered.and_then(|reply| reply.exchange.request_id());
    Way {
        request_id: request_id.map(str::to_owned),
        result: result
            .map(|reply| reply.outcome)
            .map_err(|error| error.to_string()),
        total_ms,
        report: None,
        version: None,
    }
}

/// Straight to the target's function with the event that the gateway would make of the body.
pub async fn invoke(link: &Link, schema: &Schema, body: &str) -> Way {
    let began = Instant::now();
    let failed = |error: String| Way {
        result: Err(error),
        total_ms: millis(began),
        report: None,
        request_id: None,
        version: None,
    };
    let aws = match link.aws() {
        Ok(aws) if !link.session.function.is_empty() => aws,
        Ok(_) => {
            return failed(format!(
                "the target `{}` names no function; give one with --function",
                link.session.target
            ));
        }
        Err(error) => return failed(format!("{error:#}")),
    };
    let lambda = Lambda::new(
        &aws.config,
        &link.session.function,
        None,
        Some(&aws.profile),
    );
    match lambda.invoke(&gateway_event(body), INVOKE).await {
        Fact::Known(Invoke::Answered(answer)) => Way {
            result: read_payload(schema, &answer.payload, answer.function_error.as_deref()),
            total_ms: answer.elapsed_ms,
            report: answer.log_tail.lines().rev().find_map(Report::parse),
            request_id: None,
            version: None,
        },
        Fact::Known(Invoke::Throttled { reason }) => failed(format!("throttled: {reason}")),
        Fact::Known(Invoke::TimedOut { after_ms }) => {
            failed(format!("no answer within {:.0} s", after_ms / 1000.0))
        }
        Fact::Known(Invoke::NotCalled) | Fact::NotAsked => {
            failed("the function was not called".to_owned())
        }
        Fact::Denied { action } => failed(format!("this identity lacks {action}")),
        Fact::Missing(what) | Fact::Failed(what) | Fact::NoCredentials(what) => failed(what),
    }
}

/// On this machine's model.
pub fn local(local: &Local, schema: &Schema, features: &Features) -> Way {
    let began = Instant::now();
    let row: Vec<f32> = features.row().iter().map(|&value| value as f32).collect();
    let score = f64::from(local.predict(&row));
    let total_ms = millis(began);
    let field = &schema.score.fields[0];
    let body = serde_json::json!({ field.as_str(): score }).to_string();
    let outcome = Outcome::read(
        schema,
        &Answer {
            status: 200,
            body: body.as_bytes(),
            cut: false,
            location: None,
        },
    );
    Way {
        result: Ok(outcome),
        total_ms,
        report: None,
        request_id: None,
        version: Some(local.version.clone()),
    }
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
