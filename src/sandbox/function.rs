//! The Lambda function: execution environments that start cold, run warm, expire, and write the log lines Lambda writes.

mod fate;
mod fleet;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::domain::report::Report;
use crate::domain::request_id::RequestId;

use super::handler::{self, Handled};
use super::incident::Incident;
use super::latency;
use super::ledger::FunctionCall;
use super::lines;
use super::model::Served;
use super::streams::Delivery;
use super::world::{World, lock, now_ms};

pub(super) use fate::{Fate, duration_ms};
pub(super) use fleet::{Environment, Fleet};

/// Memory of the function, in MB.
pub(super) const MEMORY_MB: u32 = 1024;

/// How long a cold start waits for a model that is still being trained.
const MODEL_PATIENCE: Duration = Duration::from_secs(30);

/// Lambda would not run the function at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 429, with the `Reason` it carries.
    Throttled(&'static str),
    /// The function's state is Failed.
    Failed,
}

/// What one call will be like, decided when it begins.
#[derive(Debug)]
pub(super) struct Running {
    world: Arc<World>,
    pub request_id: RequestId,
    environment: Environment,
    model: Option<Served>,
    event: Value,
    fate: Fate,
    init_ms: Option<f64>,
    duration_ms: f64,
    concurrent: u32,
}

/// A finished call.
#[derive(Debug, Clone)]
pub(super) struct Invocation {
    pub payload: Value,
    /// The call failed as a function (crash, timeout, out of memory), whatever HTTP says.
    pub unhandled: bool,
    pub log: String,
}

/// The function's timeout in seconds, as configured now.
pub(super) fn timeout_seconds(world: &World) -> u32 {
    fate::timeout_seconds(world.incident())
}

/// Take an environment and decide how the call will go. Waits for the model when the start is cold.
pub(super) async fn begin(world: &Arc<World>, event: Value) -> Result<Running, Refusal> {
    refuse(world)?;
    // The environments of the hours before are as warm for this call as they were for the last.
    world.history().await;
    // Wait before taking an environment: a caller who gives up meanwhile must not keep one.
    let loaded = tokio::time::timeout(MODEL_PATIENCE, world.model.loaded())
        .await
        .ok()
        .flatten();
    let (environment, cold, concurrent) = {
        let mut fleet = lock(&world.function);
        let (environment, cold) = fleet.acquire(now_ms(), world.is(Incident::ColdStartStorm));
        (environment, cold, fleet.busy)
    };
    let model = environment.model.clone().or(loaded);
    let incident = world.incident();
    let fate = Fate::during(incident);
    let (init_ms, duration_ms) = {
        let mut dice = lock(&world.dice);
        let init = cold.then(|| latency::init(&mut *dice));
        (init, fate::duration_ms(incident, cold, &mut *dice))
    };
    let request_id = lock(&world.function).request_id();
    Ok(Running {
        world: Arc::clone(world),
        request_id,
        environment,
        model,
        event,
        fate,
        init_ms,
        duration_ms,
        concurrent,
    })
}

fn refuse(world: &World) -> Result<(), Refusal> {
    match refusal(world.incident()) {
        None => Ok(()),
        Some(refusal) => {
            if matches!(refusal, Refusal::Throttled(_)) {
                lock(&world.ledger).throttles.push(now_ms());
            }
            Err(refusal)
        }
    }
}

/// What Lambda answers instead of running the function during this incident.
pub(super) fn refusal(incident: Option<Incident>) -> Option<Refusal> {
    match incident? {
        Incident::ThrottledConcurrency => {
            Some(Refusal::Throttled("ConcurrentInvocationLimitExceeded"))
        }
        Incident::ReservedZero => Some(Refusal::Throttled(
            "ReservedFunctionConcurrentInvocationLimitExceeded",
        )),
        Incident::ImageDeleted => Some(Refusal::Failed),
        _ => None,
    }
}

impl Running {
    /// What the caller will wait, in the service's milliseconds.
    pub fn total_ms(&self) -> f64 {
        self.init_ms.unwrap_or(0.0) + self.duration_ms
    }

    /// Run to the end, whether or not anyone still waits for the answer.
    pub async fn finish(mut self) -> Invocation {
        let mut log = String::new();
        if let Some(init) = self.init_ms {
            self.write(&lines::init_start(&self.world.options.region));
            self.world.wait(init).await;
            if self.model.is_some() {
                for line in lines::model_loaded(&self.world.options.bucket) {
                    self.write(&line);
                }
            } else {
                self.write("❌ Error loading model: no model has been promoted\n");
            }
        }
        self.say(&mut log, &lines::start(self.request_id));
        let (payload, printed) = self.outcome();
        self.world.wait(self.duration_ms).await;
        if let Some(line) = printed {
            self.say(&mut log, &line);
        }
        self.say(&mut log, &lines::end(self.request_id));
        let report = self.report();
        self.say(&mut log, &report.to_string());
        let unhandled = self.fate.unhandled();
        self.environment.model = self.model.take();
        let now = now_ms();
        lock(&self.world.function).release(self.environment, now, self.fate.kills());
        lock(&self.world.ledger).function.push(FunctionCall {
            at: now,
            duration_ms: self.duration_ms,
            failed: unhandled,
            concurrent: self.concurrent,
        });
        Invocation {
            payload,
            unhandled,
            log,
        }
    }

    /// What the caller gets.
    fn outcome(&self) -> (Value, Option<String>) {
        let handled = match &self.model {
            Some(model) => handler::handle(&self.event, model, &self.world.options.schema),
            None => Handled {
                status: 500,
                body: json!({"error": "Model not loaded", "message": "Prediction failed"}),
                printed: Some("❌ Error: Model not loaded\n".into()),
            },
        };
        let id = self.request_id;
        let payload = match self.fate {
            Fate::Answers => handler::proxy_response(&handled),
            Fate::AnswersWithoutProxyShape => handled.body,
            Fate::ReturnsAnErrorObject => {
                json!({"error": fate::NO_MODEL, "message": "Prediction failed"})
            }
            Fate::Crashes => {
                json!({"errorMessage": fate::CRASH, "errorType": "ValueError", "requestId": id.to_string(), "stackTrace": [fate::TRACE]})
            }
            Fate::TimesOut => {
                let line = self.fate.line(None, id, now_ms(), self.duration_ms);
                json!({"errorMessage": line.unwrap_or_default().trim_end(), "errorType": "Sandbox.Timedout"})
            }
            Fate::RunsOutOfMemory => {
                json!({"errorType": "Runtime.ExitError", "errorMessage": format!("RequestId: {id} Error: Runtime exited with error: signal: killed")})
            }
        };
        let line = self
            .fate
            .line(handled.printed, id, now_ms(), self.duration_ms);
        (payload, line)
    }

    fn report(&self) -> Report {
        self.fate.report(
            self.request_id,
            &self.environment,
            self.duration_ms,
            self.init_ms,
        )
    }

    fn say(&self, log: &mut String, line: &str) {
        log.push_str(line);
        self.write(line);
    }

    fn write(&self, line: &str) {
        let world = &self.world;
        let delivery = Delivery {
            lag: world.incident().and_then(Incident::lag),
            dropped: world.is(Incident::RoleCannotLog),
        };
        lock(&world.logs).write(
            &world.log_group(),
            &self.environment.stream,
            now_ms(),
            line,
            delivery,
        );
    }
}
