//! The lines Lambda itself writes around a handler's own; REPORT is written by [`crate::domain::report`].

use crate::domain::request_id::RequestId;

pub(super) fn init_start(region: &str) -> String {
    format!(
        "INIT_START Runtime Version: python:3.12.v30\tRuntime Version ARN: arn:aws:lambda:{region}::runtime:7d3b1a6d1c2e0ba1c41a8be0e8d3e1b9a86a6e0c9f6c3b7a5e7d1f0a2b4c6d8e\n"
    )
}

/// What the handler prints while it is imported, when all goes well.
pub(super) fn model_loaded(bucket: &str) -> [String; 2] {
    [
        format!("✅ Downloaded model from s3://{bucket}/models/model.pkl\n"),
        "✅ Model loaded successfully\n".into(),
    ]
}

pub(super) fn start(request_id: RequestId) -> String {
    format!("START RequestId: {request_id} Version: $LATEST\n")
}

pub(super) fn end(request_id: RequestId) -> String {
    format!("END RequestId: {request_id}\n")
}

/// The line of a call that ran into the function's timeout. `at` is RFC 3339 with milliseconds.
pub(super) fn timed_out(at: &str, request_id: RequestId, seconds: f64) -> String {
    format!("{at} {request_id} Task timed out after {seconds:.2} seconds\n\n")
}

/// The line of a runtime that the kernel killed.
pub(super) fn killed(request_id: RequestId) -> String {
    format!(
        "RequestId: {request_id} Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n"
    )
}

/// Billed Duration in ms: Duration and Init together, rounded up once (AWS, since 1 August 2025).
pub(super) fn billed_ms(duration_ms: f64, init_ms: Option<f64>) -> u64 {
    // Rounded as the line prints them, so that a reader of the line comes to the same sum.
    let printed = |ms: f64| (ms * 100.0).round() / 100.0;
    (printed(duration_ms) + init_ms.map_or(0.0, printed)).ceil() as u64
}
