//! Latency under a steady rate. Open loop: calls leave on schedule whether or not earlier ones have come back, and the
//! response time counts from the schedule, so a stall is not hidden (coordinated omission).

use std::ops::ControlFlow;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use super::link::Link;
use super::predict::PredictClient;
use super::ways;
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
    /// Which way they go.
    pub via: Via,
}

impl Plan {
    /// How long the schedule is.
    pub fn length(&self) -> Duration {
        Duration::from_secs_f64(self.n as f64 / self.rate)
    }

    /// Calls in all.
    pub const fn calls(&self) -> usize {
        self.n + self.warm_up
    }
}

/// Which way calls go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// Over HTTP to the endpoint, which does not tell cold from warm
    #[default]
    Gateway,
    /// Straight to the function, whose log tail tells cold from warm
    Invoke,
}

/// Who is called.
#[derive(Debug)]
pub enum Server {
    /// The endpoint.
    Gateway(Box<PredictClient>),
    /// The target's function.
    Function(Box<Link>),
}

/// What came of one call.
struct Called {
    status: Option<u16>,
    ok: bool,
    fresh: Option<bool>,
    cold: Option<bool>,
}

impl Server {
    async fn call(&self, schema: &Schema, body: &str) -> Called {
        match self {
            Self::Gateway(client) => {
                let reply = client.predict(schema, body.to_owned(), false).await;
                let answered = reply.as_ref().ok();
                Called {
                    status: answered.map(|reply| reply.exchange.status),
                    ok: answered.is_some_and(|reply| reply.outcome.fault().is_none()),
                    fresh: answered.map(|reply| reply.exchange.connection.fresh),
                    cold: None,
                }
            }
            Self::Function(link) => {
                let way = ways::invoke(link, schema, body).await;
                Called {
                    status: way.status(),
                    ok: way.fault().is_none(),
                    fresh: None,
                    cold: way.report.map(|report| report.init_ms.is_some()),
                }
            }
        }
    }
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
    /// Whether it opened a connection, where that is known.
    pub fresh: Option<bool>,
    /// Whether it was a cold start, where that is known.
    pub cold: Option<bool>,
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
    /// Calls that were cold starts; `None` where no call told.
    pub cold_starts: Option<usize>,
    /// Service time of the cold starts that succeeded.
    pub cold: Option<Ladder>,
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
            cold_starts: (calls.iter().any(|call| call.cold.is_some()))
                .then(|| calls.iter().filter(|call| call.cold == Some(true)).count()),
            cold: Ladder::of(
                (calls
                    .iter()
                    .filter(|call| call.ok && call.cold == Some(true)))
                .map(|call| call.service_ms),
            ),
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
    server: &Server,
    schema: &Schema,
    body: &str,
    plan: Plan,
    mut progress: impl FnMut(&Timed) -> ControlFlow<()>,
) -> Measured {
    for _ in 0..plan.warm_up {
        server.call(schema, body).await;
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
                open.push(call(server, schema, body, start, due));
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

async fn call(server: &Server, schema: &Schema, body: &str, start: Instant, due: Instant) -> Timed {
    let left = Instant::now();
    let called = server.call(schema, body).await;
    let end = Instant::now();
    Timed {
        at: (due - start).as_secs_f64(),
        service_ms: (end - left).as_secs_f64() * 1000.0,
        response_ms: (end - due).as_secs_f64() * 1000.0,
        status: called.status,
        ok: called.ok,
        fresh: called.fresh,
        cold: called.cold,
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
    async fn stalling(stall: Duration) -> Server {
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
        Server::Gateway(Box::new(PredictClient::new(endpoint, Limits::default())))
    }

    #[tokio::test]
    async fn a_stall_shows_in_the_response_time_of_every_call_that_waited() {
        let client = stalling(Duration::from_millis(300)).await;
        let plan = Plan {
            n: 20,
            rate: 100.0,
            warm_up: 0,
            via: Via::Gateway,
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
            via: Via::Gateway,
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
    fn cold_starts_are_counted_only_where_calls_tell() {
        let call = |service_ms, cold| Timed {
            at: 0.0,
            service_ms,
            response_ms: service_ms,
            status: Some(200),
            ok: true,
            fresh: None,
            cold,
        };
        let told = vec![
            call(1500.0, Some(true)),
            call(150.0, Some(false)),
            call(160.0, Some(false)),
        ];
        let measured = Measured::of(told, 1.0);
        assert_eq!(measured.cold_starts, Some(1));
        assert!(
            measured
                .cold
                .is_some_and(|cold| cold.n == 1 && (cold.max - 1500.0).abs() < 1e-9)
        );
        let silent = Measured::of(vec![call(150.0, None)], 1.0);
        assert_eq!((silent.cold_starts, silent.cold), (None, None));
    }

    #[test]
    fn the_mean_has_an_interval() {
        // numpy: 1.96 * std(ddof=1) / sqrt(4) of [1, 2, 3, 4] is 1.2651745597...
        assert!((half_interval(&[1.0, 2.0, 3.0, 4.0]).unwrap() - 1.265_174_559_7).abs() < 1e-9);
        assert_eq!(half_interval(&[1.0]), None);
    }
}
