//! The Lambda function: execution environments that start cold, run warm, expire, and write the log lines Lambda writes.

mod fleet;

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use serde_json::{Value, json};

use crate::domain::report::{Outcome, Report};
use crate::domain::request_id::RequestId;

use super::handler::{self, Handled};
use super::incident::Incident;
use super::latency;
use super::ledger::FunctionCall;
use super::lines;
use super::model::Served;
use super::streams::Delivery;
use super::world::{World, lock, now_ms};

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

/// How a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answers,
    Crashes,
    TimesOut,
    RunsOutOfMemory,
    AnswersWithoutProxyShape,
    ReturnsAnErrorObject,
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
    if world.is(Incident::Timeout) { 3 } else { 30 }
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
    let fate = match world.incident() {
        Some(Incident::HandlerCrash) => Fate::Crashes,
        Some(Incident::Timeout) => Fate::TimesOut,
        Some(Incident::OutOfMemory) => Fate::RunsOutOfMemory,
        Some(Incident::MalformedProxyResponse) => Fate::AnswersWithoutProxyShape,
        Some(Incident::Silent200) => Fate::ReturnsAnErrorObject,
        _ => Fate::Answers,
    };
    let (init_ms, duration_ms) = {
        let mut dice = lock(&world.dice);
        let init = cold.then(|| latency::init(&mut *dice));
        let duration = match world.incident() {
            Some(Incident::Timeout) => f64::from(timeout_seconds(world)) * 1000.0,
            Some(Incident::HandlerCrash) => dice.gen_range(3.0..9.0),
            Some(Incident::OutOfMemory) => dice.gen_range(420.0..700.0),
            Some(Incident::IntegrationTimeout) => dice.gen_range(3000.0..3400.0),
            Some(Incident::SlowDependency) => latency::slow(&mut *dice),
            _ if cold => latency::first(&mut *dice),
            _ => latency::warm(&mut *dice),
        };
        (init, duration)
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
    let reason = match world.incident() {
        Some(Incident::ThrottledConcurrency) => "ConcurrentInvocationLimitExceeded",
        Some(Incident::ReservedZero) => "ReservedFunctionConcurrentInvocationLimitExceeded",
        Some(Incident::ImageDeleted) => return Err(Refusal::Failed),
        _ => return Ok(()),
    };
    lock(&world.ledger).throttles.push(now_ms());
    Err(Refusal::Throttled(reason))
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
        for line in printed {
            self.say(&mut log, &line);
        }
        self.say(&mut log, &lines::end(self.request_id));
        let report = self.report();
        self.say(&mut log, &report.to_string());
        let unhandled = matches!(
            self.fate,
            Fate::Crashes | Fate::TimesOut | Fate::RunsOutOfMemory
        );
        self.environment.model = self.model.take();
        let dies = matches!(self.fate, Fate::TimesOut | Fate::RunsOutOfMemory);
        let now = now_ms();
        lock(&self.world.function).release(self.environment, now, dies);
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

    fn outcome(&self) -> (Value, Vec<String>) {
        let handled = match &self.model {
            Some(model) => handler::handle(&self.event, model, &self.world.options.schema),
            None => Handled {
                status: 500,
                body: json!({"error": "Model not loaded", "message": "Prediction failed"}),
                printed: Some("❌ Error: Model not loaded\n".into()),
            },
        };
        let id = self.request_id;
        match self.fate {
            Fate::Answers => (
                handler::proxy_response(&handled),
                handled.printed.into_iter().collect(),
            ),
            Fate::AnswersWithoutProxyShape => (handled.body, handled.printed.into_iter().collect()),
            Fate::ReturnsAnErrorObject => {
                let error = "'NoneType' object has no attribute 'predict'";
                (
                    json!({"error": error, "message": "Prediction failed"}),
                    vec![format!("❌ Error: {error}\n")],
                )
            }
            Fate::Crashes => {
                let message = "X has 12 features, but RandomForestRegressor is expecting 11 features as input.";
                let trace = [
                    "  File \"/var/task/lambda_function.py\", line 58, in lambda_handler\n    prediction = model.predict(features)[0]\n",
                ];
                let printed = format!(
                    "[ERROR] ValueError: {message}\rTraceback (most recent call last):\r{}\n",
                    trace[0].trim_end().replace('\n', "\r")
                );
                (
                    json!({"errorMessage": message, "errorType": "ValueError", "requestId": id.to_string(), "stackTrace": trace}),
                    vec![printed],
                )
            }
            Fate::TimesOut => {
                let seconds = self.duration_ms / 1000.0;
                let at = jiff::Timestamp::from_millisecond(now_ms()).unwrap_or_default();
                let line = lines::timed_out(&format!("{at:.3}"), id, seconds);
                (
                    json!({"errorMessage": line.trim_end(), "errorType": "Sandbox.Timedout"}),
                    vec![line],
                )
            }
            Fate::RunsOutOfMemory => {
                let message =
                    format!("RequestId: {id} Error: Runtime exited with error: signal: killed");
                (
                    json!({"errorType": "Runtime.ExitError", "errorMessage": message}),
                    vec![lines::killed(id)],
                )
            }
        }
    }

    fn report(&self) -> Report {
        let (max_memory_mb, status, error_type) = match self.fate {
            Fate::RunsOutOfMemory => (
                MEMORY_MB,
                Outcome::Error,
                Some("Runtime.OutOfMemory".to_owned()),
            ),
            Fate::TimesOut => (self.environment.memory_mb, Outcome::Timeout, None),
            _ => (self.environment.memory_mb, Outcome::Success, None),
        };
        Report {
            request_id: self.request_id,
            duration_ms: self.duration_ms,
            billed_ms: lines::billed_ms(self.duration_ms, self.init_ms),
            memory_mb: MEMORY_MB,
            max_memory_mb,
            init_ms: self.init_ms,
            restore_ms: None,
            billed_restore_ms: None,
            status,
            error_type,
            xray: None,
        }
    }

    fn say(&self, log: &mut String, line: &str) {
        log.push_str(line);
        self.write(line);
    }

    fn write(&self, line: &str) {
        let world = &self.world;
        let delivery = Delivery {
            late: world.is(Incident::LateArrivals),
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
