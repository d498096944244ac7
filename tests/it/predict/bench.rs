//! The bench: planned, asked about, shown, stopped.

use vintner::client::bench::{Plan, Via as Route};
use vintner::effects::Effect;
use vintner::effects::predict::{Effect as Asked, Event as Heard};
use vintner::history::History;

use super::{PLAN, began, elsewhere, stage, vintner};

#[test]
fn a_declined_question_leaves_nothing_behind() {
    let mut stage = stage();
    stage.connect_to(elsewhere());
    for key in ["b", "a"] {
        assert!(stage.press(key).is_empty(), "it asks first");
        assert!(began(&stage.press("esc")).is_empty());
        assert!(stage.text().contains("Answer"), "{}", stage.text());
    }
    stage.event(Heard::HistoryLoaded(History::default()));
    let now = stage.now();
    assert_eq!(stage.app.wake_at(now), None, "nothing to wait for");
}

#[test]
fn a_bench_is_shown_from_its_start_and_stops_with_its_target() {
    let mut stage = stage();
    stage.connect();
    stage.press("b");
    let ticket = began(&stage.press("y"))[0];
    stage.event(Heard::BenchBegan { ticket, plan: PLAN });
    assert!(stage.text().contains("0 of 50") && stage.text().contains("Esc stops"));
    stage.connect_to(elsewhere());
    assert!(stage.text().contains("stopped"), "{}", stage.text());
    let ticket = {
        stage.connect();
        began(&stage.press("a"))[0]
    };
    stage.event(Heard::CompareBegan { ticket });
    assert!(stage.text().contains("Three ways"));
    stage.connect_to(elsewhere());
    assert!(!stage.text().contains("Three ways"), "{}", stage.text());
}

#[test]
fn a_bench_is_planned_by_calls_or_by_time_and_says_what_it_costs() {
    let mut stage = stage();
    stage.connect();
    let plan = |effects: &[Effect]| match effects {
        [Effect::Predict(Asked::Bench { plan, .. })] => *plan,
        other => panic!("{other:?}"),
    };
    stage.press("b");
    assert!(
        stage
            .text()
            .contains("51 calls with the warm-up, $0.000061"),
        "{}",
        stage.text()
    );
    assert!(stage.text().contains("too few for p99"));
    assert_eq!(plan(&stage.press("enter")), PLAN);
    stage.press("b down right right down right");
    assert!(stage.text().contains("enough for p99"), "{}", stage.text());
    let timed = plan(&stage.press("enter"));
    assert_eq!((timed.n, timed.rate), (300, 10.0), "30 s at 10 a second");
    stage.press("b up right down down down right");
    let text = stage.text();
    assert!(
        text.contains("invoke wine-quality-predictor") && text.contains("101 calls"),
        "{text}"
    );
    assert!(
        text.contains("$0.000020"),
        "no gateway, no gateway's charge: {text}"
    );
    assert_eq!(
        plan(&stage.press("y")),
        Plan {
            n: 100,
            via: Route::Invoke,
            ..PLAN
        }
    );
}

#[test]
fn a_bench_by_time_through_the_function_tells_cold_from_warm() {
    let home = tempfile::tempdir().unwrap();
    // The model is there before anything is timed.
    let trained = vintner(home.path())
        .args(["predict", "--via", "local"])
        .assert();
    trained.success();
    let bench = |args: &[&str]| {
        let output = vintner(home.path())
            .args([
                "bench",
                "--duration",
                "1s",
                "--per-second",
                "10",
                "--speed",
                "20",
            ])
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let json: serde_json::Value =
        serde_json::from_str(&bench(&["--via", "invoke", "--json"])).unwrap();
    assert_eq!(
        (&json["measured"]["n"], &json["via"]),
        (&10.into(), &"invoke".into())
    );
    assert!(json["measured"]["cold_starts"].is_u64(), "{json}");
    let text = bench(&["alcohol=12"]);
    assert!(
        text.contains("10 calls at 10/s") && text.contains("the gateway does not tell"),
        "{text}"
    );
}

#[test]
fn a_file_that_cannot_be_written_is_named_before_the_calls_or_after_the_table() {
    let home = tempfile::tempdir().unwrap();
    let nowhere = home.path().join("nope/b").display().to_string();
    for flag in ["--csv", "--markdown"] {
        let bench = |path: &str, code: i32| {
            let mut command = vintner(home.path());
            command.args(["bench", "-n", "1", "--warm-up", "0", flag, path]);
            let assert = command.assert().code(code);
            let output = assert.get_output();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            (text(&output.stdout), text(&output.stderr))
        };
        for path in [nowhere.as_str(), home.path().to_str().unwrap()] {
            let (table, why) = bench(path, 2);
            assert!(table.is_empty(), "{table}");
            let named = format!("{flag}: cannot write {path}: ");
            assert!(why.contains(&named), "{why}");
        }
        let (table, why) = bench("/dev/full", 1);
        assert!(table.contains("1 call at 5/s"), "{table}");
        assert!(why.contains("cannot write /dev/full"), "{why}");
    }
}
