//! The account's other function: a scheduled retraining check, a zip on Python 3.12 that logs in JSON.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::lambda::facts;
use super::latency;
use super::lines;
use super::streams::Delivery;
use super::world::{World, lock};
use crate::domain::report::Report;
use crate::domain::request_id::RequestId;

/// Its name.
pub(super) const NAME: &str = "wine-quality-retrain";
/// It runs this often, ms.
pub(super) const EVERY_MS: i64 = 900_000;
const MEMORY_MB: u32 = 3008;

pub(super) fn log_group() -> String {
    format!("/aws/lambda/{NAME}")
}

/// `GetFunctionConfiguration`.
pub(super) fn configuration(world: &World) -> Value {
    let mut configuration = facts::configuration(world, facts::LATEST);
    let arn = world.function_arn().replace(&world.options.function, NAME);
    for (member, value) in [
        ("FunctionName", json!(NAME)),
        ("FunctionArn", json!(arn)),
        ("PackageType", json!("Zip")),
        ("Runtime", json!("python3.12")),
        ("Handler", json!("retrain.handler")),
        ("CodeSize", json!(4_815_162)),
        (
            "CodeSha256",
            json!("q0f3f5b4294a54b638d6b35f0f1f3a0f7AAAAAAAAAA="),
        ),
        (
            "Description",
            json!("Checks every quarter of an hour whether to retrain"),
        ),
        ("Timeout", json!(300)),
        ("MemorySize", json!(MEMORY_MB)),
        ("LastUpdateStatus", json!("Successful")),
        ("State", json!("Active")),
        (
            "LoggingConfig",
            json!({
                "LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", "LogGroup": log_group(),
            }),
        ),
    ] {
        configuration[member] = value;
    }
    for member in [
        "StateReason",
        "StateReasonCode",
        "LastUpdateStatusReason",
        "LastUpdateStatusReasonCode",
    ] {
        if let Some(members) = configuration.as_object_mut() {
            members.remove(member);
        }
    }
    configuration
}

/// `GetFunction`.
pub(super) fn function(world: &World) -> Value {
    json!({
        "Configuration": configuration(world),
        "Code": {"RepositoryType": "S3", "Location": format!("{}/{}/code/{NAME}.zip", world.origin(), world.options.bucket)},
        "Tags": facts::tags(),
    })
}

/// One run that began at `at` (ms since 1970): its lines go to a stream of their own. Returns what it answered.
pub(super) fn run(world: &World, at: i64, dice: &mut ChaCha8Rng) -> Value {
    let request_id = RequestId(dice.r#gen());
    let day = jiff::Timestamp::from_millisecond(at)
        .unwrap_or_default()
        .strftime("%Y/%m/%d");
    let stream = format!("{day}/{NAME}[$LATEST]{:032x}", dice.r#gen::<u128>());
    let (init_ms, duration_ms) = (
        latency::log_normal(dice, 2100.0, 0.1),
        latency::log_normal(dice, 9500.0, 0.2),
    );
    let (begin, end) = (at + init_ms as i64, at + (init_ms + duration_ms) as i64);
    let mse = latency::log_normal(dice, 0.402, 0.02);
    let better = mse < 0.385;
    let group = log_group();
    let mut logs = lock(&world.logs);
    let mut say = |at: i64, line: &Value| {
        logs.write(
            &group,
            &stream,
            at,
            &format!("{line}\n"),
            Delivery::default(),
        );
    };
    let app = |at: i64, level: &str, message: String| json!({"timestamp": stamp(at), "level": level, "message": message, "logger": "retrain", "requestId": request_id.to_string()});
    say(
        at,
        &platform(
            at,
            "initStart",
            &json!({"initializationType": "on-demand", "phase": "init", "runtimeVersion": "python:3.12.v30"}),
        ),
    );
    say(
        begin,
        &platform(
            begin,
            "start",
            &json!({"requestId": request_id.to_string(), "version": "$LATEST"}),
        ),
    );
    say(
        begin + 180,
        &app(
            begin + 180,
            "INFO",
            "Loaded 5320 rows, best_params.json found".into(),
        ),
    );
    say(
        end - 400,
        &app(
            end - 400,
            "INFO",
            format!("randomforest: 5-fold mse {mse:.4}, champion 0.3850"),
        ),
    );
    let (level, verdict) = if better {
        ("WARNING", "challenger is better: waiting for approval")
    } else {
        ("INFO", "champion stays")
    };
    say(end - 20, &app(end - 20, level, verdict.into()));
    let report = Report {
        duration_ms: (duration_ms * 1000.0).round() / 1000.0,
        billed_ms: lines::billed_ms(duration_ms, Some(init_ms)),
        memory_mb: MEMORY_MB,
        max_memory_mb: dice.gen_range(610..680),
        init_ms: Some((init_ms * 1000.0).round() / 1000.0),
        ..Report::empty(request_id)
    };
    logs.write(
        &group,
        &stream,
        end,
        &format!("{}\n", report.to_json(end)),
        Delivery::default(),
    );
    json!({"mse": mse, "verdict": verdict})
}

fn platform(at: i64, kind: &str, record: &Value) -> Value {
    json!({"time": stamp(at), "type": format!("platform.{kind}"), "record": record})
}

fn stamp(at: i64) -> String {
    format!(
        "{:.3}",
        jiff::Timestamp::from_millisecond(at).unwrap_or_default()
    )
}
