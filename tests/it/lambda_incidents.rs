//! A service that fails must not look well: incidents through the real tab and the real command.

use std::path::Path;
use std::process::Output;

use vintner::config::Flags;
use vintner::sandbox::Incident;

use crate::support::binary;
use crate::support::journey::journey;

fn during(incident: Incident) -> Flags {
    Flags {
        incident: Some(incident),
        ..Flags::default()
    }
}

fn lambda(home: &Path, arguments: &[&str]) -> Output {
    let mut command = binary(home);
    command.arg("lambda").args(arguments).output().unwrap()
}

/// The text report says no word about a handler's exception in its REPORT line.
#[test]
fn a_handler_that_crashes_is_red_on_screen_with_its_n() {
    journey(
        (120, 40),
        during(Incident::HandlerCrash),
        |hand| async move {
            hand.see("SANDBOX").await;
            hand.press("3");
            hand.see("errors: gateway 5xx").await;
            let text = hand.text();
            assert!(text.contains("✗ errors"), "{text}");
            let reason = text.lines().find(|l| l.contains("errors: ")).unwrap();
            let parts = ["gateway 5xx", "Lambda Errors", "in the log", " of "];
            for part in parts {
                assert!(reason.contains(part), "{reason}");
            }
            // The chart draws them, and the alert fires on them.
            assert!(text.contains("│failed"), "{text}");
            assert!(text.contains("✗ error rate"), "{text}");
        },
    );
}

/// A missing permission moves no metric of Lambda's own: only the gateway's 5xx tells.
#[test]
fn a_gateway_that_may_not_invoke_is_red_though_the_function_saw_nothing() {
    journey(
        (120, 40),
        during(Incident::PermissionMissing),
        |hand| async move {
            hand.see("SANDBOX").await;
            hand.press("3");
            hand.see("gateway 5xx").await;
            hand.see("✗ errors").await;
            hand.see("gw 5xx").await;
            hand.see("✗ error rate").await;
        },
    );
}

#[test]
fn the_command_says_so_too_and_fails() {
    let home = tempfile::tempdir().unwrap();
    for (name, source) in [
        ("handler-crash", "in the log"),
        ("permission-missing", "gateway 5xx"),
    ] {
        let output = lambda(home.path(), &["--incident", name]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{name}: {text}");
        let lamp = text
            .lines()
            .find(|l| l.contains(" errors ") || l.starts_with("BAD errors"));
        let lamp = lamp.unwrap_or_else(|| panic!("{text}"));
        assert!(
            lamp.starts_with("BAD") && lamp.contains(source),
            "{name}: {lamp}"
        );
        let json = lambda(home.path(), &["--incident", name, "--json"]);
        let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
        let rows = json["vitals"]["failures"].as_array().unwrap();
        let row = rows.iter().find(|row| row["what"] == source).unwrap();
        assert!(row["failed"].as_f64() > Some(0.0), "{name}: {row}");
        assert!(row["n"].as_f64() >= row["failed"].as_f64(), "{name}: {row}");
    }
}

#[test]
fn a_recorded_session_replays_to_its_alerts() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("session.jsonl");
    let start = 1_790_000_000_000_i64;
    let event = |at: i64, message: &str| serde_json::json!({"timestamp": at, "ingestionTime": at, "logGroupName": "g", "logStreamName": "s", "message": message});
    let mut lines = String::new();
    for call in 0..100_i64 {
        let at = start + call * 6_000;
        lines += &format!("{}\n", event(at - 2, "[ERROR] KeyError: 'x'\rTraceback"));
        let report = format!(
            "REPORT RequestId: d602a1ed-0000-4000-8000-{call:012}\tDuration: 5.00 ms\tBilled Duration: 5 ms\tMemory Size: 1024 MB\tMax Memory Used: 237 MB\t"
        );
        lines += &format!("{}\n", event(at, &report));
    }
    std::fs::write(&file, lines).unwrap();
    let file = file.to_str().unwrap();
    let output = lambda(home.path(), &["--replay", file]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in [
        "200 events",
        "100 calls, 100 failed",
        "error rate 100.0 % > 1.00 %",
        "still so at the end",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json = lambda(home.path(), &["--replay", file, "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["alerts"]["history"][0]["signal"], "error-rate");
    let missing = lambda(home.path(), &["--replay", "nowhere.jsonl"]);
    assert_eq!(missing.status.code(), Some(2));
}
