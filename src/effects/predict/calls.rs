//! What goes over the wire for the Predict tab: one request, a comparison, a bench.

use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;
use ulid::Ulid;

use super::super::{Runner, Slot};
use super::{Event, LocalModel, endpoint, link};
use crate::client::bench::{Plan, Server};
use crate::client::predict::{PredictClient, Reply};
use crate::client::wire::{Limits, WireError};
use crate::client::{bench, ways};
use crate::domain::compare::{Comparison, Way};
use crate::domain::features::Features;
use crate::domain::schema::Schema;
use crate::history::{Entry, HistoryFile, Via};

pub(super) fn send(
    ticket: u64,
    body: String,
    schema: Arc<Schema>,
    file: HistoryFile,
    runner: &mut Runner,
) {
    let target = match &runner.link {
        Some(link) => link.session.target.clone(),
        None => runner.settings.target.clone(),
    };
    let client = endpoint(runner).map(|endpoint| runner.predict.client(&endpoint));
    runner.spawn_in(Slot::Predict, "predicting", |outbox, _| async move {
        let at = Timestamp::now();
        let reply = match client {
            Ok(client) => client
                .predict(&schema, body.clone(), false)
                .await
                .map_err(|error: WireError| error.to_string()),
            Err(error) => Err(error),
        };
        let entry = remembered(&schema, at, target, Via::Gateway, body, &reply);
        let kept = entry.clone();
        outbox
            .send(Event::Answered {
                ticket,
                entry: Box::new(entry),
                reply: reply.map(Box::new),
            })
            .await;
        let lost = tokio::task::spawn_blocking(move || file.append(&kept).err()).await;
        if let Ok(Some(error)) = lost {
            outbox.send(Event::HistoryLost(error.to_string())).await;
        }
    });
}

/// One way after the other: side by side, both could meet a cold start that neither would meet alone.
pub(super) fn compare(
    ticket: u64,
    features: Features,
    schema: Arc<Schema>,
    local: Option<LocalModel>,
    runner: &mut Runner,
) {
    let Some(link) = runner.link.clone() else {
        return;
    };
    let client = link
        .endpoint()
        .cloned()
        .map_err(|error| error.to_string())
        .map(|url| runner.predict.client(&url));
    runner.spawn_in(Slot::Compare, "comparing", move |outbox, _| async move {
        outbox.send(Event::CompareBegan { ticket }).await;
        let body = features.to_json(&schema);
        let gateway = match client {
            Ok(client) => ways::gateway(&client, &schema, &body).await,
            Err(error) => Way {
                result: Err(error),
                total_ms: 0.0,
                report: None,
                request_id: None,
                version: None,
            },
        };
        let comparison = Comparison {
            gateway: Some(gateway),
            invoke: Some(ways::invoke(&link, &schema, &body).await),
            local: local.map(|local| ways::local(&local.0, &schema, &features)),
        };
        outbox
            .send(Event::Compared {
                ticket,
                comparison: Box::new(comparison),
            })
            .await;
    });
}

/// Measures on connections of its own, so that an interactive call does not disturb the figures.
pub(super) fn measure(
    ticket: u64,
    body: String,
    schema: Arc<Schema>,
    plan: Plan,
    runner: &mut Runner,
) {
    let server = match plan.via {
        bench::Via::Gateway => endpoint(runner)
            .map(|url| Server::Gateway(Box::new(PredictClient::new(url, Limits::default())))),
        bench::Via::Invoke => link(runner).map(|link| Server::Function(Box::new(link.clone()))),
    };
    runner.spawn_in(Slot::Bench, "measuring", move |outbox, _| async move {
        outbox.send(Event::BenchBegan { ticket, plan }).await;
        let error = match server {
            Ok(server) => {
                let (timed, mut calls) = tokio::sync::mpsc::unbounded_channel();
                let run = bench::run(&server, &schema, &body, plan, |call| {
                    match timed.send(*call) {
                        Ok(()) => ControlFlow::Continue(()),
                        Err(_) => ControlFlow::Break(()),
                    }
                });
                let tell = async {
                    for _ in 0..plan.n {
                        let Some(call) = calls.recv().await else {
                            break;
                        };
                        outbox.send(Event::BenchTimed { ticket, call }).await;
                    }
                };
                tokio::join!(run, tell);
                None
            }
            Err(error) => Some(error),
        };
        outbox.send(Event::BenchEnded { ticket, error }).await;
    });
}

/// The history's entry for a request and what came of it.
pub fn remembered(
    schema: &Schema,
    at: Timestamp,
    target: String,
    via: Via,
    body: String,
    reply: &Result<Reply, String>,
) -> Entry {
    let answered = reply.as_ref().ok();
    let outcome = answered.map(|reply| &reply.outcome);
    Entry {
        id: Ulid::from_parts(at.as_millisecond().unsigned_abs(), rand::random()).to_string(),
        at,
        target,
        model: schema.name.clone(),
        via,
        body,
        status: answered.map(|reply| reply.exchange.status),
        score: outcome.and_then(crate::domain::prediction::Outcome::score),
        model_version: outcome
            .and_then(crate::domain::prediction::Outcome::model_version)
            .map(str::to_owned),
        request_id: answered
            .and_then(|reply| reply.exchange.request_id())
            .map(str::to_owned),
        fault: match reply {
            Ok(reply) => reply.outcome.fault(),
            Err(error) => Some(error.clone()),
        },
        phases: answered.map(|reply| reply.exchange.phases),
        pinned: false,
    }
}
