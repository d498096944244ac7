//! Latency under a steady rate. Open loop: calls leave on schedule whether or not earlier ones have come back, and the
//! response time counts from the schedule, so a stall is not hidden (coordinated omission).

use std::ops::ControlFlow;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use super::predict::PredictClient;
use crate::domain::latency::Ladder;
use crate::domain::schema::Schema;

/// Calls a second above which somebody has to say that the endpoint is theirs.
pub const POLITE: f64 = 20.0;
/// Calls under way at once at most; beyond, the schedule waits and the response time shows it.
const OPEN: usize = 256;

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Calls that count.
    pub n: usize,
    /// Calls a second.
    pub rate: f64,
    /// Calls before them that do not.
    pub warm_up: usize,
}

/// One call.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Timed {
    /// When it should have left, seconds after the start.
    pub at: f64,
    /// From leaving to the last byte, milliseconds.
    pub service_ms: f64,
    /// From the schedule to the last byte, milliseconds.
    pub response_ms: f64,
    /// The status; `None` when there was no answer.
    pub status: Option<u16>,
    /// Whether it was a prediction.
    pub ok: bool,
    /// Whether it opened a connection.
    pub fresh: bool,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// Calls in the order in which they came back.
    #[serde(skip)]
    pub calls: Vec<Timed>,
    /// Calls that counted.
    pub n: usize,
    /// Calls that were no predictions.
    pub failed: usize,
    /// From the first call's schedule to the last answer, seconds.
    pub seconds: f64,
    /// Service time of the calls that succeeded.
    pub service: Option<Ladder>,
    /// Response time of the calls that succeeded.
    pub response: Option<Ladder>,
    /// Service time of the calls that failed.
    pub failures: Option<Ladder>,
    /// 95 % confidence interval of the mean service time (normal approximation), half its width in milliseconds.
    pub mean_plus_minus: Option<f64>,
}

impl Measured {
    /// The figures of these calls.
    pub fn of(calls: Vec<Timed>, seconds: f64) -> Self {
        let service = |ok: bool| {
            calls
                .iter()
                .filter(move |call| call.ok == ok)
                .map(|call| call.service_ms)
        };
        let response = calls
            .iter()
            .filter(|call| call.ok)
            .map(|call| call.response_ms);
        Self {
            n: calls.len(),
            failed: calls.iter().filter(|call| !call.ok).count(),
            seconds,
            service: Ladder::of(service(true)),
            response: Ladder::of(response),
            failures: Ladder::of(service(false)),
            mean_plus_minus: half_interval(&service(true).collect::<Vec<_>>()),
            calls,
        }
    }
}

/// 1.96 standard errors of the mean.
fn half_interval(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    if values.len() < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let variance = values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / (n - 1.0);
    Some(1.96 * (variance / n).sqrt())
}

/// Runs the plan; `progress` hears every counted call and may stop the run, which keeps what was measured.
pub async fn run(
    client: &PredictClient,
    schema: &Schema,
    body: &str,
    plan: Plan,
    mut progress: impl FnMut(&Timed) -> ControlFlow<()>,
) -> Measured {
    for _ in 0..plan.warm_up {
        let _ = client.predict(schema, body.to_owned(), false).await;
    }
    let start = Instant::now();
    let gap = Duration::from_secs_f64(1.0 / plan.rate);
    let mut open = FuturesUnordered::new();
    let mut calls = Vec::with_capacity(plan.n);
    let mut sent = 0;
    while calls.len() < plan.n {
        let due = start + gap * sent as u32;
        tokio::select! {
            () = sleep_until(due), if sent < plan.n && open.len() < OPEN => {
                open.push(call(client, schema, body, start, due));
                sent += 1;
            }
            Some(timed) = open.next() => {
                calls.push(timed);
                if progress(&timed).is_break() {
                    break;
                }
            }
        }
    }
    Measured::of(calls, start.elapsed().as_secs_f64())
}

async fn call(
    client: &PredictClient,
    schema: &Schema,
    body: &str,
    start: Instant,
    due: Instant,
) -> Timed {
    let left = Instant::now();
    let reply = client.predict(schema, body.to_owned(), false).await;
    let end = Instant::now();
    let answered = reply.as_ref().ok();
    Timed {
        at: (due - start).as_secs_f64(),
        service_ms: (end - left).as_secs_f64() * 1000.0,
        response_ms: (end - due).as_secs_f64() * 1000.0,
        status: answered.map(|reply| reply.exchange.status),
        ok: answered.is_some_and(|reply| reply.outcome.fault().is_none()),
        fresh: answered.is_some_and(|reply| reply.exchange.connection.fresh),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::client::predict::Endpoint;
    use crate::client::wire::Limits;

    /// Answers every request; the first one only after `stall`, and nothing else meanwhile.
    async fn stalling(stall: Duration) -> PredictClient {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint =
            Endpoint::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move {
            let mut first = true;
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut buffer = [0; 2048];
                // One connection at a time: a single-threaded server that hangs.
                let _ = stream.read(&mut buffer).await;
                if std::mem::take(&mut first) {
                    tokio::time::sleep(stall).await;
                }
                let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 18\r\n\r\n{\"prediction\":5.5}";
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        PredictClient::new(endpoint, Limits::default())
    }

    #[tokio::test]
    async fn a_stall_shows_in_the_response_time_of_every_call_that_waited() {
        let client = stalling(Duration::from_millis(300)).await;
        let plan = Plan {
            n: 20,
            rate: 100.0,
            warm_up: 0,
        };
        let measured = run(&client, Schema::wine_quality(), "{}", plan, |_| {
            ControlFlow::Continue(())
        })
        .await;
        assert_eq!((measured.n, measured.failed), (20, 0));
        // Twenty calls in 0.2 s all wait for the same 0.3 s stall: none of them is quick.
        assert!(
            measured.calls.iter().all(|call| call.response_ms >= 100.0),
            "{:?}",
            measured.calls
        );
        assert!(
            measured
                .calls
                .iter()
                .all(|call| call.response_ms >= call.service_ms - 0.01)
        );
    }

    #[tokio::test]
    async fn stopping_keeps_what_was_measured() {
        let client = stalling(Duration::ZERO).await;
        let plan = Plan {
            n: 1000,
            rate: 200.0,
            warm_up: 1,
        };
        let mut heard = 0;
        let measured = run(&client, Schema::wine_quality(), "{}", plan, |_| {
            heard += 1;
            if heard == 5 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .await;
        assert_eq!(measured.n, 5);
    }

    #[test]
    fn the_mean_has_an_interval() {
        // numpy: 1.96 * std(ddof=1) / sqrt(4) of [1, 2, 3, 4] is 1.2651745597...
        assert!((half_interval(&[1.0, 2.0, 3.0, 4.0]).unwrap() - 1.265_174_559_7).abs() < 1e-9);
        assert_eq!(half_interval(&[1.0]), None);
    }
}
