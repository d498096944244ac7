//! `vintner models` against a registry made by the sandbox's first start.

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

use crate::support;

/// A home with a first champion in its registry.
pub struct Cellar(pub TempDir);

impl Cellar {
    pub fn new() -> Self {
        let cellar = Self(tempfile::tempdir().unwrap());
        let served = cellar.json(&["served"], 0);
        assert_eq!(served["served"], serde_json::json!(["v0001"]), "{served}");
        assert_eq!(served["champion_is_served"], true);
        cellar
    }

    /// Another version: a small model of this family.
    pub fn train(&self, family: &str) {
        self.training(family).assert().code(0);
    }

    /// The command that makes it.
    pub fn training(&self, family: &str) -> Command {
        let mut command = self.vintner();
        command.args(["train", "--folds", "0", "--json", "--family", family]);
        let trees = ["--set", "n_estimators=12", "--set", "max_depth=4"];
        let has_trees = !matches!(family, "linear" | "decision-tree");
        command.args(trees.iter().filter(|_| has_trees));
        command
    }

    /// The binary at home here, with nothing else in its environment.
    pub fn vintner(&self) -> Command {
        let mut command = support::vintner(self.0.path());
        command.current_dir(self.0.path());
        command
    }

    pub fn run(&self, args: &[&str]) -> assert_cmd::assert::Assert {
        let mut command = self.vintner();
        command
            .args(["models", "--speed", "1000", "--rate", "0"])
            .args(args)
            .assert()
    }

    pub fn json(&self, args: &[&str], code: i32) -> Value {
        let assert = self.run(&[args, &["--json"]].concat()).code(code);
        serde_json::from_slice(&assert.get_output().stdout).unwrap()
    }

    pub fn error(&self, args: &[&str], code: i32) -> String {
        String::from_utf8(self.run(args).code(code).get_output().stderr.clone()).unwrap()
    }
}

#[test]
fn a_version_can_be_listed_shown_verified_exported_pushed_and_recognised() {
    let cellar = Cellar::new();
    let list = cellar.json(&["list"], 0);
    assert_eq!(list["champion"]["version"], "v0001");
    assert_eq!(list["versions"][0]["plan"]["params"]["n_estimators"], 138);
    assert_eq!(cellar.json(&["show"], 0)["sound"], true);
    assert_eq!(cellar.json(&["verify"], 0)[0]["sound"], true);

    cellar
        .run(&["export", "--onnx", "-o", "model.onnx"])
        .code(0);
    let onnx = std::fs::read(cellar.0.path().join("model.onnx")).unwrap();
    assert!(
        onnx.windows(22)
            .any(|window| window == b"TreeEnsembleRegressor\""
                || window.starts_with(b"TreeEnsembleRegressor"))
    );
    cellar
        .run(&["export", "--sklearn", "-o", "forest.json"])
        .code(0);
    assert!(cellar.0.path().join("forest_to_sklearn.py").exists());

    let pushed = cellar.json(&["push"], 0);
    assert_eq!(pushed["current"], serde_json::json!(["model.onnx"]));
    assert_eq!(
        (&pushed["new_files"], &pushed["previous"]),
        (&serde_json::json!(3), &Value::Null)
    );
    let log = String::from_utf8(cellar.run(&["log"]).code(0).get_output().stdout.clone()).unwrap();
    assert!(
        log.contains("promoted    v0001") && log.contains("pushed      v0001"),
        "{log}"
    );
}

#[test]
fn what_cannot_be_done_says_why() {
    let cellar = Cellar::new();
    let unknown = cellar.error(&["promote", "v9"], 2);
    assert!(
        unknown.contains("no version v0009; there are: v0001"),
        "{unknown}"
    );
    let odd = cellar.error(&["show", "../../etc/passwd"], 2);
    assert!(odd.contains("not a version"), "{odd}");
    let again = cellar.error(&["promote", "v1"], 1);
    assert!(again.contains("champion already"), "{again}");
    let back = cellar.error(&["rollback"], 1);
    assert!(back.contains("no earlier champion"), "{back}");
    let away = cellar.error(&["mlflow"], 2);
    assert!(away.contains("MLFLOW_TRACKING_URI"), "{away}");
    let bucket = cellar.error(&["push", "--bucket", "nobodys"], 1);
    assert!(
        bucket.contains("NoSuchBucket") && bucket.contains("--bucket"),
        "{bucket}"
    );
}

#[test]
fn a_damaged_model_is_corrupt_everywhere() {
    let cellar = Cellar::new();
    let model = cellar
        .0
        .path()
        .join(".local/share/vintner/registry/versions/v0001/forest.bin");
    let mut bytes = std::fs::read(&model).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(&model, bytes).unwrap();
    assert_eq!(cellar.json(&["verify"], 1)[0]["sound"], false);
    assert_eq!(cellar.json(&["show"], 1)["sound"], false);
    let export = cellar.error(&["export"], 1);
    assert!(export.contains("v0001 is CORRUPT"), "{export}");
}

#[test]
fn drift_is_judged_only_with_enough_rows_and_seen_when_it_is_there() {
    let cellar = Cellar::new();
    let header = "fixed_acidity,volatile_acidity,citric_acid,residual_sugar,chlorides,free_sulfur_dioxide,total_sulfur_dioxide,density,pH,sulphates,alcohol,wine_type_encoded";
    let row = "7.4,0.7,0,1.9,0.076,11,34,0.9978,3.51,0.56,9.4,0";
    let file = |rows: usize| {
        let path = cellar.0.path().join(format!("{rows}.csv"));
        std::fs::write(
            &path,
            format!("{header}\n{}", format!("{row}\n").repeat(rows)),
        )
        .unwrap();
        path.display().to_string()
    };
    assert_eq!(
        cellar.json(&["drift", "--data", &file(20)], 0)["report"]["drift"],
        "collecting"
    );
    assert_eq!(
        cellar.json(&["drift", "--data", &file(200)], 1)["report"]["drift"],
        "alert"
    );
    let said = cellar.run(&["drift", "--data", &file(200)]).code(1);
    let said = String::from_utf8(said.get_output().stdout.clone()).unwrap();
    for part in [
        "ALERT: inputs have moved far, predictions have moved far; retrain suggested",
        "200 rows: inputs against the 4256 training rows of v0001, predictions against its answers for 1064 rows it had not learned",
    ] {
        assert!(said.contains(part), "{said}");
    }
    std::fs::write(
        cellar.0.path().join("bad.csv"),
        format!("{header}\n{}\n", row.replace("3.51", "acid")),
    )
    .unwrap();
    let bad = cellar.error(&["drift", "--data", "bad.csv"], 2);
    assert!(
        bad.contains("line 2, column pH") && bad.contains("acid"),
        "{bad}"
    );
}

#[test]
fn an_export_is_what_was_asked_for_or_nothing() {
    let cellar = Cellar::new();
    let read = |name: &str| std::fs::read(cellar.0.path().join(name)).unwrap();
    cellar.run(&["export", "--onnx", "-o", "model.bin"]).code(0);
    cellar.run(&["export", "-o", "model.onnx"]).code(0);
    assert_eq!(read("model.bin"), read("model.onnx"));
    cellar.run(&["export", "--sklearn", "-o", "trees"]).code(0);
    cellar.run(&["export", "-o", "model.json"]).code(0);
    assert_eq!(read("trees"), read("model.json"));
    assert!(serde_json::from_slice::<Value>(&read("trees")).is_ok());

    for (form, name) in [
        ("--sklearn", "x.onnx"),
        ("--sklearn", "x.pkl"),
        ("--onnx", "x.json"),
    ] {
        let why = cellar.error(&["export", form, "-o", name], 2);
        assert!(why.contains("name the file"), "{why}");
        assert!(!cellar.0.path().join(name).exists());
    }

    cellar.train("linear");
    let why = cellar.error(&["export", "v2", "--sklearn", "-o", "linear.json"], 1);
    assert!(
        why.contains("v0002 is a linear model") && why.contains("--onnx"),
        "{why}"
    );
    assert!(!cellar.0.path().join("linear.json").exists());
    cellar
        .run(&["export", "v2", "--onnx", "-o", "linear.onnx"])
        .code(0);
}

#[test]
fn a_running_sandbox_serves_a_champion_that_another_process_crowned() {
    let cellar = Cellar::new();
    cellar.train("random-forest");
    let mut sandbox = support::binary(cellar.0.path())
        .args(["sandbox", "--json", "--history", "0"])
        .args(["--speed", "1000", "--rate", "0"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut facts =
        serde_json::Deserializer::from_reader(sandbox.stdout.take().unwrap()).into_iter::<Value>();
    let endpoint = facts.next().unwrap().unwrap()["endpoint"].clone();
    let served = |code| cellar.json(&["served", "--endpoint", endpoint.as_str().unwrap()], code);
    assert_eq!(served(0)["served"], serde_json::json!(["v0001"]));
    cellar
        .run(&[
            "promote",
            "v2",
            "--override",
            "--reason",
            "to see it served",
        ])
        .code(0);
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let mut command = cellar.vintner();
    command.args(["models", "served", "--json", "--endpoint"]);
    command.arg(endpoint.as_str().unwrap());
    while command.output().unwrap().status.code() != Some(0) {
        assert!(
            std::time::Instant::now() < patience,
            "it still serves {:?}",
            served(1)["served"]
        );
    }
    assert_eq!(served(0)["served"], serde_json::json!(["v0002"]));
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
}

#[test]
fn a_version_is_made_again_bit_by_bit_or_exit_1_says_that_it_is_not() {
    let cellar = Cellar::new();
    cellar.train("decision-tree");
    assert_eq!(cellar.json(&["reproduce", "v1"], 0)["identical"], true);
    assert_eq!(cellar.json(&["reproduce", "v2"], 0)["identical"], true);
    let manifest = cellar
        .0
        .path()
        .join(".local/share/vintner/registry/versions/v0001/manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let other = text.replacen("\"seed\": 42", "\"seed\": 43", 1);
    assert_ne!(text, other);
    std::fs::write(&manifest, other).unwrap();
    let said = cellar.run(&["reproduce", "v1"]).code(1);
    let said = String::from_utf8(said.get_output().stdout.clone()).unwrap();
    assert!(said.contains("v0001 DIFFERENT"), "{said}");
}
