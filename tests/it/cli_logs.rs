//! `vintner logs` as scripts use it: data on stdout, notes on stderr, exit codes; against a sandbox as if it were AWS.

mod files;
mod followed;
mod reads;
mod refusals;

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use vintner::sandbox::{Options, Sandbox, ServedModel};

use crate::support::{DEMO, binary};

/// A sandbox, and a home for the commands that read it.
struct Scene {
    sandbox: Sandbox,
    home: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let model = ServedModel::ready("v1.0", Arc::new(|row: &[f32]| row[10] / 2.0));
        let sandbox = Sandbox::start(Options::quiet(), model).await.unwrap();
        Self {
            sandbox,
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// Makes calls and waits until their lines are visible.
    async fn after_calls(calls: usize) -> Self {
        let scene = Self::new().await;
        assert_eq!(scene.call(calls).await, vec![200; calls]);
        for _ in 0..100 {
            let output = scene.logs(&["--since", "1h", "--requests", "--json"]).await;
            if objects(&output)
                .iter()
                .filter(|row| row["status"] == "ok")
                .count()
                == calls
            {
                return scene;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the lines of {calls} calls never came");
    }

    /// Calls the function, and gives the status of each answer.
    async fn call(&self, calls: usize) -> Vec<u16> {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut answers = Vec::new();
        for _ in 0..calls {
            let call = http.post(self.sandbox.endpoint()).body(DEMO);
            answers.push(call.send().await.unwrap().status().as_u16());
        }
        answers
    }

    /// Everything from flags and environment, as against AWS.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = vintner(self.home.path());
        command
            .args([
                "logs",
                "--target",
                "aws",
                "--region",
                "us-east-2",
                "--endpoint-url",
            ])
            .arg(self.sandbox.aws_endpoint())
            .args(["--log-group", &self.sandbox.log_group()])
            .args(arguments)
            .env("AWS_ACCESS_KEY_ID", "key")
            .env("AWS_SECRET_ACCESS_KEY", "secret");
        command
    }

    async fn logs(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }
}

fn vintner(home: &Path) -> Command {
    let mut command = binary(home);
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn objects(output: &Output) -> Vec<Value> {
    text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
