//! The Predict tab and `vintner predict`: keys to effects, screens, the real loop, exit codes.

mod answers;
mod batch;
mod bench;
mod charts;
pub mod command;
mod form;
mod journeys;
mod ways;

use std::sync::OnceLock;

use hyper::HeaderMap;
use vintner::batch::Tally;
use vintner::champion;
use vintner::champion::Local;
use vintner::client::bench::{Plan, Timed, Via as Route};
use vintner::client::link::Session;
use vintner::client::predict::Reply;
use vintner::client::wire::{Connection, Exchange, Phases};
use vintner::config::Flags;
use vintner::domain::compare::{Comparison, Way};
use vintner::domain::prediction::Outcome;
use vintner::domain::report::Report;
use vintner::domain::schema::Schema;
use vintner::domain::what_if;
use vintner::effects::Effect;
use vintner::effects::predict::{Effect as Asked, Event as Heard, remembered};
use vintner::history::{History, Via};
use vintner::ui::theme::ThemeName;

use crate::support::stage::Stage;
use crate::support::{DEMO, vintner};

fn stage() -> Stage {
    Stage::new((80, 24), ThemeName::Dark)
}

/// The bodies that these effects send.
fn sent(effects: Vec<Effect>) -> Vec<String> {
    let body = |effect| match effect {
        Effect::Predict(Asked::Send { body, .. }) => Some(body),
        _ => None,
    };
    effects.into_iter().filter_map(body).collect()
}

/// An answer as the service gives it.
pub fn answer(status: u16, body: &str) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert("apigw-requestid", "JKvX2hdTiYcEJtw=".parse().unwrap());
    let phases = Phases {
        dns: None,
        tcp: Some(11.2),
        tls: Some(24.1),
        send: Some(0.1),
        wait: Some(146.3),
        body: Some(0.2),
        total: 182.4,
    };
    let exchange = Exchange {
        status,
        version: "HTTP/1.1",
        headers,
        body: body.to_owned().into(),
        cut: false,
        phases,
        connection: Connection {
            fresh: true,
            remote: "127.0.0.1:4711".parse().unwrap(),
            certificate_days: Some(90),
        },
    };
    let outcome = Outcome::read(Schema::wine_quality(), &exchange.answer());
    Reply { exchange, outcome }
}

/// Presses Enter and lets this answer come back.
pub fn answered(stage: &mut Stage, reply: Result<Reply, String>) {
    let effects = stage.press("enter");
    let ticket = effects
        .iter()
        .find_map(|effect| match effect {
            Effect::Predict(Asked::Send { ticket, .. }) => Some(*ticket),
            _ => None,
        })
        .unwrap();
    stage.event(came_back(stage, ticket, reply));
}

/// The answer to the demo sample that was sent with this ticket.
fn came_back(stage: &Stage, ticket: u64, reply: Result<Reply, String>) -> Heard {
    let at = stage.now().wall;
    let mut entry = remembered(
        Schema::wine_quality(),
        at,
        "sandbox".into(),
        Via::Gateway,
        DEMO.into(),
        &reply,
    );
    entry.id = format!("{ticket:026}");
    Heard::Answered {
        ticket,
        entry: Box::new(entry),
        reply: reply.map(Box::new),
    }
}

pub const GOOD: &str = r#"{"prediction":5.175872006658752,"wine_quality_score":5.175872006658752,"quality_rating":"Average","model_version":"v1.0","message":"Prediction successful"}"#;

/// The tickets of the effects that ask for a bench or a comparison.
fn began(effects: &[Effect]) -> Vec<u64> {
    let ticket = |effect: &Effect| match effect {
        Effect::Predict(Asked::Bench { ticket, .. } | Asked::Compare { ticket, .. }) => {
            Some(*ticket)
        }
        _ => None,
    };
    effects.iter().filter_map(ticket).collect()
}

const PLAN: Plan = Plan {
    n: 50,
    rate: 5.0,
    warm_up: 1,
    via: Route::Gateway,
};

fn elsewhere() -> Session {
    Session {
        target: "prod".into(),
        function: "wine".into(),
        endpoint: "http://127.0.0.1:9/".into(),
        ..Session::default()
    }
}

#[test]
fn the_screens_look_right() {
    crate::assert_screens!("predict-empty", |stage| {
        stage.press("esc");
    });
    crate::assert_screens!("predict-answered", |stage| {
        stage.event(Heard::HistoryLoaded(History::default()));
        answered(stage, Ok(answer(200, GOOD)));
        stage.press("down down down 4 0 down");
    });
    crate::assert_screens!("predict-failed", |stage| {
        answered(
            stage,
            Ok(answer(500, r#"{"message":"Internal Server Error"}"#)),
        );
    });
    crate::assert_screens!("predict-unreachable", |stage| {
        let error = "TCP to localhost:8000 failed: connection refused; nothing listens there: start the service or correct the port";
        answered(stage, Err(error.into()));
    });
}

/// A model for what-if: the one that a first start trains. One for all tests.
fn local() -> Local {
    static LOCAL: OnceLock<Local> = OnceLock::new();
    let train = || {
        let home = tempfile::tempdir().unwrap();
        let settings = crate::support::settings(home.path(), Flags::default());
        champion::local(&settings, Schema::wine_quality()).unwrap()
    };
    LOCAL.get_or_init(train).clone()
}

/// Has the local model, and the mean curve of the selected feature.
pub fn informed(stage: &mut Stage) {
    stage.connect();
    let effects = stage.event(Heard::LocalReady(Ok(local())));
    mean_curves(stage, effects);
}

/// Does what the effects ask about mean curves, on a few rows that are made up.
fn mean_curves(stage: &mut Stage, effects: Vec<Effect>) {
    let schema = Schema::wine_quality();
    for effect in effects {
        let Effect::Predict(Asked::Dependence { field, local, .. }) = effect else {
            continue;
        };
        let rows: Vec<Vec<f32>> = (schema.presets.iter())
            .map(|preset| preset.values.iter().map(|value| *value as f32).collect())
            .collect();
        let values = what_if::values(&schema.features[field], what_if::POINTS);
        let points = what_if::dependence(&|row| local.0.predict(row), &rows, field, &values);
        stage.event(Heard::Dependence {
            version: local.0.version,
            field,
            n: rows.len(),
            points,
        });
    }
}

/// What came back three ways, the direct invocation a cold start.
fn three_ways() -> Comparison {
    let report = "REPORT RequestId: 8f5d9e9c-6c3a-4d0e-9a43-0d5f6a7b8c9d\tDuration: 158.42 ms\tBilled Duration: 1559 ms\tMemory Size: 1024 MB\tMax Memory Used: 236 MB\tInit Duration: 1400.11 ms\t";
    let way = |total_ms, report: Option<&str>, version: Option<&str>| Way {
        result: Ok(answer(200, GOOD).outcome),
        total_ms,
        report: report.and_then(Report::parse),
        request_id: None,
        version: version.map(str::to_owned),
    };
    Comparison {
        gateway: Some(way(186.2, None, None)),
        invoke: Some(way(1602.8, Some(report), None)),
        local: Some(way(0.14, None, Some("v0001"))),
    }
}

/// Starts a bench of 300 calls and lets some of them come back, a few cold and a few failed.
fn measure(stage: &mut Stage, via: Route, calls: u32) -> u64 {
    stage.connect();
    stage.press("b");
    let ticket = began(&stage.press("y"))[0];
    let plan = Plan {
        n: 300,
        via,
        ..PLAN
    };
    stage.event(Heard::BenchBegan { ticket, plan });
    for n in 0..calls {
        let cold = n % 97 == 5;
        let service_ms = if cold { 1560.0 } else { 150.0 } + f64::from(n * n % 37);
        let call = Timed {
            at: f64::from(n) / 5.0,
            service_ms,
            response_ms: service_ms + 0.4,
            status: Some(if n % 50 == 7 { 500 } else { 200 }),
            ok: n % 50 != 7,
            fresh: (via == Route::Gateway).then_some(n == 0),
            cold: (via == Route::Invoke).then_some(cold),
        };
        stage.event(Heard::BenchTimed { ticket, call });
    }
    ticket
}

/// A quarter of a table, ten seconds after its start.
fn tally() -> Tally {
    let pairs = [(5.2, 5.0), (4.8, 5.0), (6.3, 6.0), (6.1, 7.0), (5.9, 6.0)];
    Tally {
        rows: 1599,
        done: 400,
        resumed: 0,
        sent: 400,
        failed: 2,
        pairs: pairs.into_iter().cycle().take(398).collect(),
        took: std::time::Duration::from_secs(10),
    }
}

#[test]
fn the_charts_and_menus_look_right() {
    crate::assert_screens!("predict-what-if", |stage| {
        informed(stage);
        let effects = stage.press("w g end up");
        mean_curves(stage, effects);
    });
    crate::assert_screens!("predict-tornado", |stage| {
        informed(stage);
        stage.press("shift-w");
    });
    crate::assert_screens!("predict-explained", |stage| {
        informed(stage);
        stage.press("x");
    });
    crate::assert_screens!("predict-presets", |stage| {
        informed(stage);
        stage.press("p");
    });
    crate::assert_screens!("predict-copy", |stage| {
        stage.press("y");
    });
    crate::assert_screens!("predict-three-ways", |stage| {
        stage.connect();
        let ticket = began(&stage.press("a"))[0];
        stage.event(Heard::CompareBegan { ticket });
        let comparison = Box::new(three_ways());
        stage.event(Heard::Compared { ticket, comparison });
    });
    crate::assert_screens!("predict-bench-asked", |stage| {
        stage.connect();
        stage.press("b");
    });
    crate::assert_screens!("predict-bench-running", |stage| {
        measure(stage, Route::Gateway, 20);
    });
    crate::assert_screens!("predict-bench-done", |stage| {
        let ticket = measure(stage, Route::Invoke, 300);
        stage.event(Heard::BenchEnded {
            ticket,
            error: None,
        });
    });
    crate::assert_screens!("predict-batch", |stage| {
        informed(stage);
        let to = "/tables/wines-scored.csv".into();
        stage.event(Heard::BatchBegan { ticket: 1, to });
        stage.event(Heard::BatchScored {
            ticket: 1,
            tally: Box::new(tally()),
        });
    });
    crate::assert_screens!("predict-batch-asked", |stage| {
        informed(stage);
        stage.press("c");
        stage.paste("/tables/wines.csv");
        stage.event(Heard::TableRead {
            ticket: 1,
            rows: Ok(1599),
        });
    });
    crate::assert_screens!("predict-diff", |stage| {
        stage.connect();
        answered(stage, Ok(answer(200, GOOD)));
        stage.wait(std::time::Duration::from_secs(5));
        answered(
            stage,
            Ok(answer(500, r#"{"message":"Internal Server Error"}"#)),
        );
        stage.press("d");
    });
    crate::assert_screens!("predict-filter", |stage| {
        stage.connect();
        answered(stage, Ok(answer(200, GOOD)));
        answered(
            stage,
            Err("TCP to localhost:8000 failed: connection refused".into()),
        );
        stage.press("tab / o k");
    });
}
