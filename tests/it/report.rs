//! `vintner report` and the key that writes it: the real binary, the real sandbox.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use serde_json::Value;
use vintner::sandbox::{Incident, Options, Sandbox, ServedModel};

use crate::support::binary;
use crate::support::pty::Pty;

/// `vintner report` against this sandbox as if it were AWS.
async fn report(sandbox: &Sandbox, home: &Path, arguments: &[&str]) -> Output {
    let mut command = binary(home);
    command
        .args(["report", "--target", "aws", "--region", "us-east-2"])
        .args(["--endpoint-url", &sandbox.aws_endpoint()])
        .args(["--endpoint", sandbox.endpoint().as_str()])
        .args(["--function", sandbox.function()])
        .args(arguments)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ACCESS_KEY_ID", "key")
        .env("AWS_SECRET_ACCESS_KEY", "secret");
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

async fn json(sandbox: &Sandbox, home: &Path) -> Value {
    let output = report(sandbox, home, &["--window", "1h", "--json"]).await;
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_grouped_with_an_example_or_say_why_not() {
    let home = tempfile::tempdir().unwrap();
    let options = Options {
        incident: Some(Incident::HandlerCrash),
        ..Options::quiet()
    };
    let model = ServedModel::ready("v1.0", Arc::new(|row: &[f32]| row[10] / 2.0));
    let sandbox = Sandbox::start(options, model).await.unwrap();
    // Each report's own calls crash too, and are seen by the next one once their lines are visible.
    let mut errors = Value::Null;
    for _ in 0..20 {
        errors = json(&sandbox, home.path()).await["errors"].take();
        if errors["groups"].as_array().is_some_and(|g| !g.is_empty()) {
            break;
        }
    }
    let first = &errors["groups"][0];
    assert!(
        first["template"].as_str().unwrap().contains("ValueError")
            && first["count"].as_u64() > Some(0),
        "{errors}"
    );
    sandbox.deny(vec!["logs:FilterLogEvents".to_owned()]);
    let unread = json(&sandbox, home.path()).await;
    let why = unread["errors"]["unread"].as_str().unwrap();
    assert!(why.contains("logs:FilterLogEvents"), "{why}");
}

#[test]
fn the_report_key_writes_a_file_and_the_screen_lives_on() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::vintner(home.path(), &[], &[]);
    pty.see("SANDBOX");
    pty.send("3");
    pty.see("Active");
    pty.send("p");
    pty.see("wrote vintner-report-");
    let reports: Vec<_> = std::fs::read_dir(home.path())
        .unwrap()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    let text = std::fs::read_to_string(&reports[0]).unwrap();
    assert!(text.starts_with("# wine-quality-predictor"), "{text}");
    pty.send("\x03");
    assert!(pty.end().success());
}
