//! `vintner models` with servers elsewhere: MLflow's queue, GitHub's answers, an S3 race.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Method, Response};
use serde_json::{Value, json};
use vintner::sandbox::{Options, Sandbox, ServedModel};

use crate::models::Cellar;
use crate::support::loopback::{self, Heard, Loopback};
use crate::support::pty::Pty;

/// A multi-threaded runtime: the binary runs beside the servers.
fn on_a_runtime<F: Future<Output = ()>>(test: F) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(test);
}

/// A tracking server that keeps what it is told, as far as the client looks at it.
#[derive(Default)]
struct Books {
    runs: Vec<Value>,
    versions: Vec<Value>,
    champion: Value,
}

impl Books {
    /// Empty ones, and the server that keeps them.
    async fn opened() -> (Arc<Mutex<Self>>, Loopback) {
        let books = Arc::new(Mutex::new(Self::default()));
        let kept = Arc::clone(&books);
        let server = Loopback::start(move |heard| {
            let answer = kept.lock().unwrap().answer(&heard);
            async move { answer }
        });
        (books, server.await)
    }

    fn answer(&mut self, heard: &Heard) -> Response<Body> {
        let (path, body) = (heard.path.split('?').next().unwrap(), heard.json());
        let answer = match path.rsplit("mlflow/").next().unwrap() {
            "experiments/get-by-name" => json!({ "experiment": { "experiment_id": "1" } }),
            "runs/search" => {
                let filter = body["filter"].as_str().unwrap();
                let has_key = |run: &&Value| {
                    let tags = run["tags"].as_array().unwrap();
                    tags.iter().any(|tag| {
                        tag["key"] == "vintner.key"
                            && filter.contains(tag["value"].as_str().unwrap())
                    })
                };
                let found: Vec<&Value> = self.runs.iter().filter(has_key).collect();
                json!({ "runs": found })
            }
            "runs/create" => {
                let id = format!("run{}", self.runs.len());
                let info = json!({ "run_id": id, "status": "RUNNING" });
                self.runs
                    .push(json!({ "info": info, "tags": body["tags"], "metrics": [] }));
                json!({ "run": { "info": info } })
            }
            "runs/log-batch" => {
                let metrics = body["metrics"].as_array().cloned().unwrap_or_default();
                let run = self.run(&body["run_id"]);
                run["metrics"].as_array_mut().unwrap().extend(metrics);
                json!({})
            }
            "runs/update" => {
                self.run(&body["run_id"])["info"]["status"] = body["status"].clone();
                json!({})
            }
            "registered-models/create" => {
                return loopback::json(400, &json!({ "error_code": "RESOURCE_ALREADY_EXISTS" }));
            }
            "model-versions/search" => {
                let of =
                    |version: &&Value| heard.path.contains(version["run_id"].as_str().unwrap());
                let found: Vec<&Value> = self.versions.iter().filter(of).collect();
                json!({ "model_versions": found })
            }
            "model-versions/create" => {
                let number = (self.versions.len() + 1).to_string();
                let version = json!({ "version": number, "run_id": body["run_id"] });
                self.versions.push(version.clone());
                json!({ "model_version": version })
            }
            "registered-models/alias" => {
                self.champion = body["version"].clone();
                json!({})
            }
            _ => json!({}),
        };
        loopback::json(200, &answer)
    }

    fn run(&mut self, id: &Value) -> &mut Value {
        let of = |run: &&mut Value| run["info"]["run_id"] == *id;
        self.runs.iter_mut().find(of).unwrap()
    }
}

/// `vintner models mlflow` with this tracking server.
fn mlflow(cellar: &Cellar, uri: &str, args: &[&str], code: i32) -> Value {
    let mut command = cellar.vintner();
    command
        .args(["models", "mlflow", "--json"])
        .args(args)
        .env("MLFLOW_TRACKING_URI", uri);
    let assert = command.assert().code(code);
    let output = assert.get_output();
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
    assert!(!said.contains("hunter2"), "{said}");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

#[test]
fn a_version_is_one_run_in_mlflow_however_often_it_is_logged() {
    on_a_runtime(async {
        let cellar = Cellar::new();
        // A port nobody listens on.
        let nobody = "http://me:hunter2@127.0.0.1:9";
        for _ in 0..3 {
            mlflow(&cellar, nobody, &["v1"], 3);
        }
        mlflow(&cellar, nobody, &["--drain"], 3);

        let (books, server) = Books::opened().await;
        let drained = mlflow(&cellar, &server.url(), &["--drain"], 0);
        assert_eq!(
            (&drained["sent"], &drained["queued"], &drained["champion"]),
            (&json!(1), &json!(0), &json!("1")),
            "{drained}"
        );
        let again = mlflow(&cellar, &server.url(), &["v1"], 0);
        assert_eq!(
            (&again["sent"], &again["known"]),
            (&json!(0), &json!(1)),
            "{again}"
        );
        let books = books.lock().unwrap();
        assert_eq!((books.runs.len(), books.versions.len()), (1, 1));
        assert_eq!(books.runs[0]["info"]["status"], "FINISHED");
        let metrics = books.runs[0]["metrics"].as_array().unwrap();
        assert!(metrics.iter().any(|metric| metric["key"] == "holdout_r2"));
        assert_eq!(books.champion, "1");
    });
}

#[test]
fn the_alias_champion_follows_promote_and_rollback() {
    on_a_runtime(async {
        let cellar = Cellar::new();
        let (books, server) = Books::opened().await;
        mlflow(&cellar, &server.url(), &["v1"], 0);
        // A training is logged by itself.
        let mut training = cellar.training("random-forest");
        training.env("MLFLOW_TRACKING_URI", server.url());
        training.assert().code(0);
        assert_eq!(books.lock().unwrap().runs.len(), 2);
        assert_eq!(books.lock().unwrap().champion, "1");
        let models = |args: &[&str]| {
            let mut command = cellar.vintner();
            command.arg("models").args(args);
            command.env("MLFLOW_TRACKING_URI", server.url());
            command.assert().code(0);
        };
        models(&[
            "promote",
            "v2",
            "--override",
            "--reason",
            "to see the alias",
        ]);
        assert_eq!(books.lock().unwrap().champion, "2");
        models(&["rollback"]);
        assert_eq!(books.lock().unwrap().champion, "1");
        assert_eq!(books.lock().unwrap().versions.len(), 2);
    });
}

/// `vintner models dispatch` of ann/wine at this API.
fn dispatch(cellar: &Cellar, api: &str, args: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = cellar.vintner();
    command.args(["models", "dispatch", "--repo", "ann/wine", "--api-url", api]);
    command.args(args).env("GH_TOKEN", "hunter2");
    command.assert()
}

#[test]
fn a_dispatch_starts_the_workflow_as_github_wants_it() {
    on_a_runtime(async {
        let cellar = Cellar(tempfile::tempdir().unwrap());
        let page = "https://github.com/ann/wine/actions/runs/7";
        // As a GitHub Enterprise from before the question for the run.
        let server = Loopback::start(move |heard: Heard| async move {
            match heard.json()["return_run_details"] {
                Value::Null if heard.json()["ref"] == "old" => {
                    Response::builder().status(204).body(Body::empty()).unwrap()
                }
                _ if heard.json()["ref"] == "old" => loopback::json(
                    422,
                    &json!({ "message": "\"return_run_details\" is not a permitted key" }),
                ),
                _ => loopback::json(200, &json!({ "workflow_run_id": 7, "html_url": page })),
            }
        })
        .await;
        let inputs = [
            "--yes",
            "--model-name",
            "randomforest",
            "--deploy-threshold",
            "5.5",
        ];
        let said = dispatch(&cellar, &server.url(), &inputs).code(0);
        let said = String::from_utf8(said.get_output().stdout.clone()).unwrap();
        assert!(said.contains("retrain-and-deploy.yml of ann/wine on main with model_name=randomforest, deploy_threshold=5.5"), "{said}");
        assert!(said.contains(page), "{said}");
        let asked = &server.heard()[0];
        assert_eq!(
            (&asked.method, asked.path.as_str()),
            (
                &Method::POST,
                "/repos/ann/wine/actions/workflows/retrain-and-deploy.yml/dispatches"
            )
        );
        assert_eq!(
            asked.json()["inputs"],
            json!({ "model_name": "randomforest", "deploy_threshold": "5.5" })
        );
        assert_eq!(asked.json()["ref"], "main");
        assert_eq!(asked.header("authorization"), "Bearer hunter2");
        assert_eq!(asked.header("accept"), "application/vnd.github+json");
        assert_eq!(asked.header("x-github-api-version"), "2022-11-28");
        assert!(asked.header("user-agent").starts_with("vintner/"));

        dispatch(&cellar, &server.url(), &["--yes", "--ref", "old"]).code(0);
        assert_eq!(server.heard().len(), 3);
    });
}

#[test]
fn a_dispatch_asks_on_a_terminal_and_takes_only_a_yes() {
    on_a_runtime(async {
        let home = tempfile::tempdir().unwrap();
        let server = Loopback::start(|_| async { loopback::json(200, &json!({})) }).await;
        let url = server.url();
        let words = [
            "models",
            "dispatch",
            "--repo",
            "ann/wine",
            "--api-url",
            &url,
        ];
        // Whatever is not a yes is a no; Enter alone is one.
        for (answer, code, said, calls) in [
            ("n\r", 1, "nothing was started", 0),
            ("\r", 1, "nothing was started", 0),
            ("perhaps\r", 1, "nothing was started", 0),
            ("y\r", 0, "started retrain-and-deploy.yml of ann/wine", 1),
            ("YES\r", 0, "started retrain-and-deploy.yml of ann/wine", 2),
        ] {
            let mut pty = Pty::vintner(home.path(), &words, &[("GH_TOKEN", "hunter2")]);
            pty.see("start retrain-and-deploy.yml of ann/wine on main? It retrains and may deploy. [y/N]");
            assert_eq!(server.heard().len(), calls - usize::from(code == 0));
            pty.send(answer);
            pty.see(said);
            assert_eq!(pty.end().exit_code(), code, "{answer:?}");
            assert_eq!(server.heard().len(), calls, "{answer:?}");
            assert!(!pty.raw().contains("hunter2"));
        }
    });
}

#[test]
fn a_dispatch_that_is_refused_says_what_to_do_and_never_the_token() {
    on_a_runtime(async {
        let cellar = Cellar(tempfile::tempdir().unwrap());
        for (status, remedy) in [
            (401, "expired"),
            (403, "Actions: write"),
            (404, "may not see"),
            (422, "workflow_dispatch"),
        ] {
            let server = Loopback::start(move |_| async move {
                loopback::json(status, &json!({ "message": "Said \u{1b}[31mno" }))
            })
            .await;
            let refused = dispatch(&cellar, &server.url(), &["--yes"]).code(1);
            let said = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
            assert!(said.contains(&format!("{status} Said [31mno")), "{said}");
            assert!(said.contains(remedy) && !said.contains("hunter2"), "{said}");
        }
        let away = dispatch(&cellar, "http://me:hunter2@127.0.0.1:9", &["--yes"]).code(3);
        let said = String::from_utf8_lossy(&away.get_output().stderr).into_owned();
        assert!(said.contains("cannot be reached"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
        let unasked = dispatch(&cellar, "http://127.0.0.1:9", &[]).code(2);
        assert!(String::from_utf8_lossy(&unasked.get_output().stderr).contains("--yes"));
        let plain = dispatch(&cellar, "http://api.github.com", &["--yes"]).code(2);
        assert!(String::from_utf8_lossy(&plain.get_output().stderr).contains("https://"));
        let mut command = cellar.vintner();
        command.args(["models", "dispatch", "--repo", "ann/wine", "--yes"]);
        let bare = command.assert().code(2);
        assert!(String::from_utf8_lossy(&bare.get_output().stderr).contains("GH_TOKEN"));
    });
}

/// `vintner models push` to the S3 at this address.
fn push(cellar: &Cellar, s3: &str, args: &[&str], code: i32) -> Value {
    let mut command = cellar.vintner();
    command
        .args(["models", "push", "--json", "--target", "aws"])
        .args(["--region", "us-east-2", "--endpoint-url", s3])
        .args(args)
        .env("AWS_ACCESS_KEY_ID", "a")
        .env("AWS_SECRET_ACCESS_KEY", "b");
    let assert = command.assert().code(code);
    serde_json::from_slice(&assert.get_output().stdout).unwrap_or_default()
}

/// An object of the sandbox's bucket.
async fn object(sandbox: &Sandbox, key: &str) -> Option<Vec<u8>> {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/wine-quality-mlops/{key}", sandbox.aws_endpoint());
    let scope = "Credential=a/20260101/us-east-2/s3/aws4_request, SignedHeaders=host, Signature=c";
    let answer = http
        .get(url)
        .header("authorization", format!("AWS4-HMAC-SHA256 {scope}"))
        .header("x-amz-date", "20260101T000000Z");
    let answer = answer.send().await.unwrap();
    let there = answer.status().is_success();
    let bytes = answer.bytes().await.unwrap();
    there.then(|| bytes.to_vec())
}

/// What the pointer names, and whether the copies are that version's.
async fn settled(sandbox: &Sandbox, name: &str) -> (Value, bool) {
    let pointer = object(sandbox, "models/registry.json").await.unwrap();
    let pointer: Value = serde_json::from_slice(&pointer).unwrap();
    let own = format!("{}/{name}", pointer["folder"].as_str().unwrap());
    let own = object(sandbox, &own).await.unwrap();
    let copy = object(sandbox, &format!("models/{name}")).await;
    (pointer["version"].clone(), copy == Some(own))
}

#[test]
fn of_two_racing_pushes_pointer_and_model_are_the_last_movers() {
    on_a_runtime(async {
        let cellar = Arc::new(Cellar::new());
        cellar.train("random-forest");
        let model = ServedModel::ready("v1.0", Arc::new(|row: &[f32]| row[10] / 2.0));
        let sandbox = Sandbox::start(Options::quiet(), model).await.unwrap();
        let s3 = sandbox.aws_endpoint();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let (other, behind, first) = (
            Arc::clone(&cellar),
            s3.clone(),
            Arc::new(AtomicBool::new(true)),
        );
        // S3 as the slower push meets it: right after its move of the pointer, another push comes and goes.
        let slow = Loopback::start(move |heard: Heard| {
            let (http, behind, other, first) = (
                http.clone(),
                behind.clone(),
                Arc::clone(&other),
                Arc::clone(&first),
            );
            async move {
                let moves = heard.method == Method::PUT && heard.path.ends_with("registry.json");
                let forwarded = http
                    .request(heard.method, format!("{behind}{}", heard.path))
                    .headers(heard.headers)
                    .body(heard.body)
                    .send()
                    .await
                    .unwrap();
                if moves && first.swap(false, Ordering::Relaxed) {
                    let direct = move || push(&other, &behind, &["v2"], 0);
                    tokio::task::spawn_blocking(direct).await.unwrap();
                }
                let mut response = Response::builder().status(forwarded.status());
                if let Some(etag) = forwarded.headers().get("etag") {
                    response = response.header("etag", etag);
                }
                response
                    .body(Body::from(forwarded.bytes().await.unwrap()))
                    .unwrap()
            }
        })
        .await;
        let overtaken = push(&cellar, &slow.url(), &["v1"], 0);
        assert_eq!(overtaken["points_to"], "v0002", "{overtaken}");
        assert_eq!(
            settled(&sandbox, "model.onnx").await,
            (json!("v0002"), true)
        );
    });
}

#[test]
fn the_lambdas_pickle_follows_the_pointer_and_its_absence_is_said() {
    on_a_runtime(async {
        let cellar = Cellar::new();
        cellar.train("random-forest");
        let model = ServedModel::ready("v1.0", Arc::new(|row: &[f32]| row[10] / 2.0));
        let sandbox = Sandbox::start(Options::quiet(), model).await.unwrap();
        let s3 = sandbox.aws_endpoint();
        let file = |name: &str, content: &[u8]| {
            std::fs::write(cellar.0.path().join(name), content).unwrap();
        };
        file("v1.pkl", b"\x80\x04the first.");
        file("v2.pkl", b"\x80\x04the second.");
        file("trees.pkl", b"{}");
        push(&cellar, &s3, &["v1", "--pkl", "trees.pkl"], 2);
        push(&cellar, &s3, &["v1", "--pkl", "v1.pkl"], 0);
        assert_eq!(settled(&sandbox, "model.pkl").await, (json!("v0001"), true));
        let without = push(&cellar, &s3, &["v2"], 0);
        assert_eq!(without["stale"], json!(["model.pkl"]), "{without}");
        push(&cellar, &s3, &["v2", "--pkl", "v2.pkl"], 0);
        assert_eq!(settled(&sandbox, "model.pkl").await, (json!("v0002"), true));
        // Another scikit-learn's pickle of the same version is not silently another one.
        push(&cellar, &s3, &["v2", "--pkl", "v1.pkl"], 1);
        // A rollback needs no pickle again.
        push(&cellar, &s3, &["v1"], 0);
        assert_eq!(settled(&sandbox, "model.pkl").await, (json!("v0001"), true));
    });
}
