//! Doctor's outermost checks: the network, one prediction through the gateway, the server's clock.

use std::time::Instant;

use super::{Deadline, Examination};
use crate::client::wire::{Call, Exchange, Limits, Phase, Wire};
use crate::domain::doctor::facts::{Fact, GatewayCall, Network};
use crate::domain::prediction::{Answer, Outcome};
use crate::domain::schema::Schema;

/// Connections that may break before the endpoint counts as unreachable.
const ATTEMPTS: u32 = 3;
/// How much of an answer is kept.
const BODY_LIMIT: usize = 64 * 1024;
/// How the contract's fault begins.
const NO_PREDICTION: &str = "200 but not a prediction: ";

/// Checks 0 to 2: one prediction on a fresh connection; its phases, its answer, its `Date`.
pub(super) async fn edge(
    examination: &Examination,
    deadline: Deadline,
) -> (Fact<Network>, Fact<GatewayCall>, Fact<f64>) {
    let Some(endpoint) = &examination.endpoint else {
        return (Fact::NotAsked, Fact::NotAsked, Fact::NotAsked);
    };
    let path = examination.path();
    let call = Call::post_json(path, examination.payload.to_string()).on_fresh_connection();
    let mut broken = 0;
    loop {
        let began = Instant::now();
        let limit = deadline.left();
        let limits = Limits {
            connect: limit,
            total: limit,
            body: BODY_LIMIT,
        };
        match Wire::new(endpoint, limits).send(&call).await {
            Ok(exchange) => {
                let gateway = Fact::Known(read_answer(&exchange, &examination.schema, broken));
                return (read_network(&exchange), gateway, clock_skew(&exchange));
            }
            Err(error) if error.phase >= Phase::Send && began.elapsed() >= limit => {
                let elapsed_ms = began.elapsed().as_secs_f64() * 1000.0;
                let call = GatewayCall {
                    timed_out: true,
                    elapsed_ms,
                    broken_attempts: broken,
                    ..GatewayCall::default()
                };
                return (Fact::NotAsked, Fact::Known(call), Fact::NotAsked);
            }
            // A prediction has no side effect, so it may be sent again.
            Err(error) => {
                broken += 1;
                if broken >= ATTEMPTS || deadline.left().is_zero() {
                    let network = if error.phase < Phase::Send {
                        Fact::Failed(error.to_string())
                    } else {
                        Fact::NotAsked
                    };
                    return (network, Fact::Failed(error.to_string()), Fact::NotAsked);
                }
            }
        }
    }
}

fn read_network(exchange: &Exchange) -> Fact<Network> {
    let phases = [
        exchange.phases.dns,
        exchange.phases.tcp,
        exchange.phases.tls,
    ];
    Fact::Known(Network {
        connect_ms: phases.into_iter().flatten().sum(),
        certificate_days: exchange.connection.certificate_days,
    })
}

fn read_answer(exchange: &Exchange, schema: &Schema, broken_attempts: u32) -> GatewayCall {
    let read = Answer {
        status: exchange.status,
        body: &exchange.body,
        cut: exchange.cut,
        location: None,
    };
    GatewayCall {
        status: exchange.status,
        body: String::from_utf8_lossy(&exchange.body).into_owned(),
        elapsed_ms: exchange.phases.total,
        wait_ms: exchange.phases.wait,
        contract_violation: if exchange.status == 200 {
            let fault = Outcome::read(schema, &read).fault();
            // The status is told anyway.
            fault.map(|why| why.trim_start_matches(NO_PREDICTION).to_owned())
        } else {
            None
        },
        timed_out: false,
        broken_attempts,
    }
}

/// Local clock minus the server's `Date`, seconds; whole seconds on the server's side.
fn clock_skew(exchange: &Exchange) -> Fact<f64> {
    let date = exchange
        .header("date")
        .and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
    date.map_or(Fact::NotAsked, |server| {
        Fact::Known((jiff::Timestamp::now() - server.timestamp()).as_secs_f64())
    })
}
