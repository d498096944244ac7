//! The Predict tab and `vintner predict`: keys to effects, screens, the real loop, exit codes.

use std::path::Path;
use std::sync::OnceLock;

use assert_cmd::Command;
use crossterm::event::{Event as TermEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use hyper::HeaderMap;
use predicates::prelude::*;
use predicates::str::contains;
use vintner::batch::Tally;
use vintner::champion::{self, Local};
use vintner::client::bench::{Plan, Timed, Via as Route};
use vintner::client::link::Session;
use vintner::client::predict::Reply;
use vintner::client::tail::{Batch, Phase, TailUpdate};
use vintner::client::wire::{Connection, Exchange, Phases};
use vintner::config::Flags;
use vintner::domain::compare::{Comparison, Way};
use vintner::domain::doctor::Fact;
use vintner::domain::features::Features;
use vintner::domain::line::LogEvent;
use vintner::domain::prediction::Outcome;
use vintner::domain::report::Report;
use vintner::domain::schema::Schema;
use vintner::domain::what_if;
use vintner::effects::lambda::Event as Described;
use vintner::effects::logs::Event as Logged;
use vintner::effects::predict::{Effect as Asked, Event as Heard, remembered};
use vintner::effects::{Effect, Event};
use vintner::history::{History, Via};
use vintner::ui::theme::ThemeName;

use crate::support::journey::{journey, journey_in};
use crate::support::stage::Stage;

const DEMO: &str = r#"{"fixed_acidity":7.4,"volatile_acidity":0.7,"citric_acid":0,"residual_sugar":1.9,"chlorides":0.076,"free_sulfur_dioxide":11,"total_sulfur_dioxide":34,"density":0.9978,"pH":3.51,"sulphates":0.56,"alcohol":9.4,"wine_type_encoded":0}"#;

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
    stage.event(Heard::Answered {
        ticket,
        entry: Box::new(entry),
        reply: reply.map(Box::new),
    });
}

pub const GOOD: &str = r#"{"prediction":5.175872006658752,"wine_quality_score":5.175872006658752,"quality_rating":"Average","model_version":"v1.0","message":"Prediction successful"}"#;

#[test]
fn enter_sends_the_demo_sample_byte_for_byte() {
    assert_eq!(sent(stage().press("enter")), [DEMO]);
}

#[test]
fn arrows_step_typing_replaces_and_zero_goes_back() {
    let mut stage = stage();
    let body = |stage: &mut Stage| sent(stage.press("enter")).remove(0);
    stage.press("right right shift-right");
    assert!(body(&mut stage).starts_with(r#"{"fixed_acidity":8.6,"#));
    stage.press("u");
    assert_eq!(body(&mut stage), DEMO, "one run of steps is one undo");
    stage.press("down 0 . 8 5");
    assert!(body(&mut stage).contains(r#""volatile_acidity":0.85,"#));
    stage.press("up down 0");
    assert_eq!(body(&mut stage), DEMO);
    stage.press("end space");
    assert!(body(&mut stage).ends_with(r#""wine_type_encoded":1}"#));
}

#[test]
fn typing_begins_on_a_fresh_form_with_what_opens_no_tab() {
    for (keys, sent_as) in [("7 . 5", "7.5"), (". 5", "0.5"), ("backspace 1 2", "12")] {
        let mut stage = stage();
        stage.press(keys);
        let body = sent(stage.press("enter")).remove(0);
        let expected = format!(r#"{{"fixed_acidity":{sent_as},"#);
        assert!(body.starts_with(&expected), "{keys}: {body}");
    }
    let mut stage = stage();
    stage.press("e");
    assert!(
        stage.text().contains("puts the old value back"),
        "{}",
        stage.text()
    );
    stage.press("backspace 5 esc");
    assert_eq!(sent(stage.press("enter")), [DEMO]);
}

#[test]
fn a_reset_is_said_and_undone_and_none_is_no_change() {
    let mut stage = stage();
    stage.press("0");
    assert!(stage.text().contains("is 7.4 already"), "{}", stage.text());
    stage.press("right 0");
    assert!(
        stage
            .text()
            .contains("Fixed acidity is back to 7.4 (Demo sample)"),
        "{}",
        stage.text()
    );
    stage.press("u");
    assert!(
        sent(stage.press("enter"))
            .remove(0)
            .starts_with(r#"{"fixed_acidity":7.5,"#)
    );
}

#[test]
fn tab_leaves_an_open_field_for_the_other_pane_and_keeps_what_was_typed() {
    let mut stage = stage();
    answered(&mut stage, Ok(answer(200, GOOD)));
    stage.press("9 tab d");
    assert!(
        stage.text().contains("needs two requests"),
        "{}",
        stage.text()
    );
    assert!(
        sent(stage.press("tab enter"))
            .remove(0)
            .starts_with(r#"{"fixed_acidity":9,"#)
    );
}

#[test]
fn a_pasted_number_replaces_the_selected_one_and_a_paste_into_the_filter_stays_there() {
    let mut stage = stage();
    stage.press("down");
    stage.paste("0.55\n");
    assert!(
        sent(stage.press("enter"))
            .remove(0)
            .contains(r#""volatile_acidity":0.55,"#)
    );
    stage.press("space 9");
    stage.paste("0.6");
    assert!(
        sent(stage.press("enter"))
            .remove(0)
            .contains(r#""volatile_acidity":0.6,"#)
    );
    answered(&mut stage, Ok(answer(200, GOOD)));
    stage.press("tab /");
    stage.paste("alcohol=12");
    assert!(stage.text().contains("/ alcohol=12"), "{}", stage.text());
    assert!(stage.text().contains("nothing passes the filter"));
}

/// Clicks where the screen first says `text`.
fn click(stage: &mut Stage, text: &str) {
    let screen = stage.text();
    let (row, line) = (screen.lines().enumerate())
        .find(|(_, line)| line.contains(text))
        .unwrap_or_else(|| panic!("no {text:?} in\n{screen}"));
    let before = line.split(text).next().unwrap();
    stage.term(TermEvent::Mouse(MouseEvent {
        kind: MouseEventKind::Down(MouseButton::Left),
        column: before.chars().count() as u16,
        row: row as u16,
        modifiers: KeyModifiers::NONE,
    }));
}

#[test]
fn clicks_choose_a_word_and_select_a_request() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    stage.start();
    click(&mut stage, "( ) white");
    assert!(
        sent(stage.press("enter"))
            .remove(0)
            .ends_with(r#""wine_type_encoded":1}"#)
    );
    click(&mut stage, "( ) red");
    assert_eq!(sent(stage.press("enter")), [DEMO]);
    answered(&mut stage, Ok(answer(200, GOOD)));
    answered(&mut stage, Err("TCP to x failed".into()));
    click(&mut stage, "5.176 Average");
    assert!(matches!(
        &stage.press("*")[..],
        [Effect::Predict(Asked::Keep(entry))] if entry.score.is_some()
    ));
}

#[test]
fn figures_switch_tabs_until_the_form_is_touched() {
    let mut stage = stage();
    stage.press("down 1 2");
    assert!(stage.text().contains("12"));
    assert_eq!(sent(stage.press("enter")).len(), 1);
    stage.press("2");
    assert!(
        sent(stage.press("enter")).is_empty(),
        "the Logs tab is open"
    );
}

#[test]
fn what_cannot_be_sent_is_named_and_sent_only_on_purpose() {
    let mut stage = stage();
    stage.press("down 9 x");
    assert!(sent(stage.press("enter")).is_empty());
    assert!(
        stage.text().contains("`9x` is not a number"),
        "{}",
        stage.text()
    );
    let body = sent(stage.press("!")).remove(0);
    assert!(body.contains(r#""volatile_acidity":"9x","#), "{body}");
}

#[test]
fn a_paste_fills_the_form() {
    let mut stage = stage();
    let line = DEMO.replace("9.4", "12.5");
    stage.paste(&format!("curl -X POST https://x/ -d '{line}'"));
    assert!(
        stage.text().contains("curl line: 12 of 12 fields"),
        "{}",
        stage.text()
    );
    assert_eq!(sent(stage.press("enter")), [line]);
}

#[test]
fn a_stale_answer_is_remembered_but_not_shown() {
    let mut stage = stage();
    stage.press("enter");
    let reply = Ok(answer(200, GOOD));
    let at = stage.now().wall;
    let mut entry = remembered(
        Schema::wine_quality(),
        at,
        "sandbox".into(),
        Via::Gateway,
        DEMO.into(),
        &reply,
    );
    entry.id = "0".into();
    stage.press("enter");
    stage.event(Heard::Answered {
        ticket: 1,
        entry: Box::new(entry),
        reply: reply.map(Box::new),
    });
    assert!(stage.text().contains("History · 1") && stage.text().contains("waiting"));
}

#[test]
fn history_loads_replays_pins_and_filters() {
    let mut stage = stage();
    answered(&mut stage, Ok(answer(200, GOOD)));
    stage.press("right");
    answered(&mut stage, Err("TCP to x failed".into()));
    stage.press("tab down enter");
    assert!(stage.text().contains("request of now"), "{}", stage.text());
    assert_eq!(sent(stage.press("tab r")), [DEMO]);
    assert!(matches!(
        stage.press("*")[..],
        [Effect::Predict(Asked::Keep(_))]
    ));
    stage.press("/ t c p enter");
    assert!(stage.text().contains("1 of 2"), "{}", stage.text());
    stage.press("esc d");
    assert!(stage.text().contains("Difference"), "{}", stage.text());
}

#[test]
fn a_new_champion_is_loaded_for_what_if_once_the_tab_is_open() {
    let mut stage = stage();
    let champion = || Event::Champion(Some("v0002".into()));
    assert_eq!(stage.event(champion()), [], "nothing is loaded yet");
    stage.start();
    assert_eq!(stage.event(champion()), [Asked::LoadLocal.into()]);
}

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
fn another_target_is_named_while_it_connects_and_old_answers_say_where_they_are_from() {
    let mut stage = stage();
    stage.connect();
    answered(&mut stage, Ok(answer(200, GOOD)));
    assert!(!stage.text().contains("Answer · sandbox"));
    stage.press("shift-t up up up enter");
    stage.wait(std::time::Duration::from_secs(1));
    assert!(
        stage.text().contains("connecting to aws"),
        "{}",
        stage.text()
    );
    stage.connect_to(elsewhere());
    let text = stage.text();
    assert!(
        text.contains("prod · wine") && text.contains("Answer · sandbox"),
        "{text}"
    );
}

#[test]
fn the_incident_in_the_header_is_the_connected_sandboxs() {
    let mut stage = Stage::with(
        (120, 36),
        Flags {
            incident: Some(vintner::sandbox::Incident::HandlerCrash),
            ..Flags::default()
        },
    );
    assert!(stage.text().contains("incident: handler-crash"));
    stage.connect_to(elsewhere());
    assert!(!stage.text().contains("incident"), "{}", stage.text());
}

#[test]
fn a_hostile_answer_reaches_no_cell() {
    let mut stage = stage();
    answered(&mut stage, Ok(answer(500, "\u{1b}[2J\u{202e}boom")));
    let buffer = stage.buffer();
    let hostile = |symbol: &str| symbol.chars().any(|c| c.is_control() || c == '\u{202e}');
    assert!(buffer.content().iter().all(|cell| !hostile(cell.symbol())));
    assert!(stage.text().contains("boom"));
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
fn a_table_is_counted_then_asked_about_then_scored() {
    let mut stage = stage();
    informed(&mut stage);
    stage.press("c");
    stage.paste("'/tables/wines.csv'\n");
    let effects = stage.press("enter");
    let [Effect::Predict(Asked::ReadTable { ticket, from, .. })] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(from, Path::new("/tables/wines.csv"));
    let ticket = *ticket;
    let rows = Err("cannot read it".to_owned());
    stage.event(Heard::TableRead { ticket, rows });
    assert!(stage.text().contains("cannot read it"), "{}", stage.text());
    stage.event(Heard::TableRead {
        ticket,
        rows: Ok(1599),
    });
    assert!(
        stage.text().contains("1 599 rows, $0.0019 at list price"),
        "{}",
        stage.text()
    );
    stage.press("tab");
    assert!(stage.text().contains("nothing is sent"), "{}", stage.text());
    let effects = stage.press("enter");
    let [
        Effect::Predict(Asked::Batch {
            to, local: Some(_), ..
        }),
    ] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(to, Path::new("/tables/wines-scored.csv"));
    stage.event(Heard::BatchBegan {
        ticket,
        to: to.clone(),
    });
    stage.event(Heard::BatchScored {
        ticket,
        tally: Box::new(tally()),
    });
    let text = stage.text();
    assert!(
        text.contains("400 of 1599") && text.contains("30 s left"),
        "{text}"
    );
    assert_eq!(stage.press("esc"), [Asked::StopBatch.into()]);
    assert!(stage.text().contains("stopped"), "{}", stage.text());
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
fn charts_open_where_they_can_be_seen_and_close_again() {
    for (size, place) in [
        ((80, 24), "Answer"),
        ((120, 36), "History"),
        ((200, 60), "now 5.134"),
    ] {
        let mut stage = Stage::new(size, ThemeName::Dark);
        stage.start();
        informed(&mut stage);
        for (key, title) in [
            ("w", "What if · Fixed acidity"),
            ("shift-w", "Tornado"),
            ("x", "Explanation"),
        ] {
            let before = stage.text();
            stage.press(key);
            let text = stage.text();
            assert!(
                text.contains(title) && text != before,
                "{size:?} {key}\n{text}"
            );
            stage.press("esc");
            assert_eq!(stage.text(), before, "{key} {place}");
        }
    }
}

#[test]
fn an_explanation_leads_from_the_mean_to_the_local_score() {
    let mut stage = stage();
    informed(&mut stage);
    stage.press("x");
    let text = stage.text();
    let explanation = local()
        .explain(
            &Features::from_values(
                Schema::wine_quality(),
                &Schema::wine_quality().presets[0].values,
            )
            .unwrap(),
        )
        .unwrap();
    let (mean, score) = (explanation.base, explanation.score());
    assert!(
        text.contains(&format!("mean prediction  {mean:>6.3}")),
        "{text}"
    );
    assert!(
        text.contains(&format!("score            {score:>6.3}")),
        "{text}"
    );
    let (top, part) = explanation.ranked()[0];
    let label = &Schema::wine_quality().features[top].label;
    assert!(
        text.contains(&format!("{label:<16} {part:>+6.3}")),
        "{text}"
    );
}

#[test]
fn a_sweep_of_the_endpoint_asks_first_and_is_shown_while_the_form_says_the_same() {
    let mut stage = Stage::new((120, 36), ThemeName::Dark);
    stage.start();
    informed(&mut stage);
    assert!(stage.press("s").is_empty());
    assert!(
        stage
            .text()
            .contains("with 21 predictions by 127.0.0.1:4711?"),
        "{}",
        stage.text()
    );
    assert!(
        stage
            .text()
            .contains("$0.000025 at list price plus compute"),
        "{}",
        stage.text()
    );
    let effects = stage.press("y");
    let [
        Effect::Predict(Asked::Sweep {
            ticket,
            features,
            field,
            ..
        }),
    ] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    let (ticket, field) = (*ticket, *field);
    stage.event(Heard::SweepBegan {
        ticket,
        features: Box::new(features.clone()),
        field,
        total: 21,
    });
    for n in 0..3 {
        let score = if n == 1 {
            Err("500".into())
        } else {
            Ok(5.0 + f64::from(n))
        };
        stage.event(Heard::Swept {
            ticket,
            value: 6.0 + f64::from(n),
            score,
        });
    }
    stage.event(Heard::Swept {
        ticket: ticket + 1,
        value: 9.0,
        score: Ok(1.0),
    });
    assert!(
        stage.text().contains("endpoint 3 of 21, 1 failed"),
        "{}",
        stage.text()
    );
    stage.press("right");
    assert!(
        stage.text().contains("endpoint 3 of 21"),
        "the swept value is no part of it"
    );
    stage.press("down right");
    assert!(
        !stage.text().contains("endpoint 3 of 21"),
        "{}",
        stage.text()
    );
    stage.press("left up");
    assert!(stage.text().contains("endpoint 3 of 21"));
    assert_eq!(stage.press("esc esc"), [Asked::StopSweep.into()]);
    stage.event(Heard::SweepEnded {
        ticket,
        error: None,
    });
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

#[test]
fn a_prediction_through_the_real_loop_survives_a_restart() {
    let home = tempfile::tempdir().unwrap();
    journey_in(&home, (120, 36), Flags::default(), |hand| async move {
        hand.see("SANDBOX").await;
        hand.press("enter");
        hand.see("JSON").await;
        hand.see("History · 1").await;
        hand.press("y j enter");
        hand.see("copied the body").await;
        assert_eq!(hand.copied(), [DEMO]);
    });
    journey_in(&home, (120, 36), Flags::default(), |hand| async move {
        hand.see("History · 1").await;
        hand.press("tab enter");
        hand.see("request of").await;
    });
}

/// What a running tail brings.
fn logged(stage: &mut Stage, messages: &[&str]) {
    let at = stage.now().wall.as_millisecond();
    let events = messages.iter().map(|message| LogEvent {
        timestamp: at,
        ingestion_time: at,
        group: "g".into(),
        stream: "a".into(),
        event_id: None,
        message: (*message).to_owned(),
    });
    let batch = Batch {
        group: "g".into(),
        phase: Phase::Live,
        events: events.collect(),
    };
    stage.event(Logged::Tail(1, TailUpdate::Events(batch)));
}

/// The gateway's id is none of Lambda's: only a log that puts both together tells a cold start from a warm one.
#[test]
fn an_answer_through_the_gateway_is_cold_or_warm_where_the_log_says_which_report_is_its() {
    let report = |cold: &str| {
        format!(
            "REPORT RequestId: 8f5d9e9c-6c3a-4d0e-9a43-0d5f6a7b8c9d\tDuration: 158.42 ms\tBilled Duration: 1559 ms\tMemory Size: 1024 MB\tMax Memory Used: 236 MB\t{cold}"
        )
    };
    let cold = report("Init Duration: 1400.11 ms\t");
    let both = r#"{"level":"INFO","function_request_id":"8f5d9e9c-6c3a-4d0e-9a43-0d5f6a7b8c9d","correlation_id":"JKvX2hdTiYcEJtw="}"#;
    let mut stage = stage();
    stage.connect();
    answered(&mut stage, Ok(answer(200, GOOD)));
    logged(&mut stage, &["Model loaded successfully", &cold]);
    assert!(stage.text().contains("cold or warm: "), "{}", stage.text());
    logged(&mut stage, &[both]);
    let text = stage.text();
    assert!(text.contains("cold: init 1.40 s + 158 ms (log)"), "{text}");
    // The next answer is not the last one's.
    answered(&mut stage, Ok(answer(200, GOOD)));
    assert!(stage.text().contains("cold or warm: "), "{}", stage.text());
    logged(&mut stage, &[both, &report("")]);
    let text = stage.text();
    assert!(text.contains("warm: handler 158 ms"), "{text}");
}

/// A million calls of 1559 ms billed with 1 GB: 25.98 of compute on x86, 20.79 on arm64, and 0.20 for the requests.
#[test]
fn three_ways_are_priced_by_the_functions_architecture_and_a_direct_call_pays_no_api() {
    let mut stage = stage();
    stage.connect();
    let ticket = began(&stage.press("a"))[0];
    stage.event(Heard::CompareBegan { ticket });
    let comparison = Box::new(three_ways());
    stage.event(Heard::Compared { ticket, comparison });
    let said = |stage: &Stage, row: &str| {
        let text = stage.text();
        let line = text.lines().find(|line| line.contains(row));
        line.map(str::to_owned).unwrap_or_default()
    };
    assert!(
        said(&stage, "x86/1M").contains("$26.18"),
        "{}",
        stage.text()
    );
    assert!(
        said(&stage, "arm/1M").contains("$20.99"),
        "{}",
        stage.text()
    );
    for (architecture, price) in [("arm64", "$20.99"), ("x86_64", "$26.18")] {
        let mut overview = crate::lambda::overview();
        if let Fact::Known(config) = &mut overview.config {
            config.architecture = architecture.into();
        }
        stage.event(Described::Described {
            ticket: 0,
            overview: Ok(Box::new(overview)),
        });
        assert!(said(&stage, "cost/1M").contains(price), "{}", stage.text());
    }
    assert!(stage.text().contains("on x86, "), "{}", stage.text());
}

#[test]
fn a_comparison_does_not_cancel_the_prediction_before_it() {
    journey((120, 36), Flags::default(), |hand| async move {
        hand.see("SANDBOX").await;
        hand.press("enter a");
        hand.see("same score").await;
        hand.see("History · 1").await;
    });
}

#[test]
fn a_table_is_scored_through_the_real_loop() {
    let home = tempfile::tempdir().unwrap();
    let from = home.path().join("wines.csv");
    let header = "fixed acidity,volatile acidity,citric acid,residual sugar,chlorides,free sulfur dioxide,total sulfur dioxide,density,pH,sulphates,alcohol,quality";
    let row = "7.4,0.7,0,1.9,0.076,11,34,0.9978,3.51,0.56,9.4,5";
    std::fs::write(&from, format!("{header}\n{row}\n{row}\n")).unwrap();
    let path = from.display().to_string();
    journey_in(&home, (120, 36), Flags::default(), |hand| async move {
        hand.see("SANDBOX").await;
        hand.press("c");
        hand.see("Score a CSV file").await;
        hand.send(TermEvent::Paste(path));
        hand.press("enter");
        hand.see("2 rows").await;
        hand.press("enter");
        hand.see("done in").await;
        hand.see("0 without a score").await;
        hand.see("MAE").await;
    });
    let scored = std::fs::read_to_string(home.path().join("wines-scored.csv")).unwrap();
    assert_eq!(scored.matches(",200,").count(), 2, "{scored}");
}

#[test]
fn three_ways_agree_in_the_sandbox() {
    journey((120, 36), Flags::default(), |hand| async move {
        hand.see("SANDBOX").await;
        hand.see("What if · Fixed acidity").await;
        hand.press("a");
        hand.see("same score").await;
        hand.press("esc shift-w");
        hand.see("Tornado").await;
    });
}

fn vintner(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vintner"));
    command
        .env_clear()
        .env("HOME", home)
        .env("LANG", "C.UTF-8")
        .timeout(std::time::Duration::from_mins(1));
    command
}

#[test]
fn the_command_predicts_and_its_exit_code_says_how_it_went() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let output = vintner(home)
        .args(["predict", "alcohol=12", "--speed", "20", "--json"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        json["prediction"].is_f64() && json["quality_rating"].is_string() && json["status"] == 200,
        "{json}"
    );
    assert!(json["timing"]["total_ms"].is_f64() && json["timing"]["dns_ms"].is_null());
    assert_eq!(json["request"]["alcohol"], 12.0);
    let output = vintner(home)
        .args(["predict", "alcohol=12", "--explain", "--json"])
        .output()
        .unwrap();
    let explained: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let parts = explained["contributions"].as_array().unwrap();
    let sum: f64 = parts
        .iter()
        .map(|part| part["contribution"].as_f64().unwrap())
        .sum();
    let score = explained["prediction"].as_f64().unwrap();
    assert_eq!(parts.len(), 12);
    assert!(
        (explained["base"].as_f64().unwrap() + sum - score).abs() < 1e-4,
        "{explained}"
    );
    assert!(
        (score - json["prediction"].as_f64().unwrap()).abs() < 1e-4,
        "{explained}"
    );
    let fails = |args: &[&str], code: i32, said: &'static str| {
        let all = contains(said);
        let output = vintner(home).args(args).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        assert_eq!(
            output.status.code(),
            Some(code),
            "{}",
            String::from_utf8_lossy(&text)
        );
        assert!(
            all.eval(&String::from_utf8_lossy(&text)),
            "{}",
            String::from_utf8_lossy(&text)
        );
    };
    fails(&["predict", "alcool=12"], 2, "there is no feature `alcool`");
    fails(
        &["predict", "alcohol=high"],
        2,
        "alcohol: `high` is not a number",
    );
    fails(
        &["predict", "--preset", "x"],
        2,
        "the presets are demo, low, high",
    );
    fails(
        &[
            "predict",
            "--endpoint",
            "http://127.0.0.1:9/",
            "--region",
            "us-east-2",
        ],
        3,
        "connection refused; nothing listens there",
    );
    fails(
        &["predict", "--raw", "alcohol=high", "--speed", "20"],
        1,
        "500",
    );
    fails(&["bench", "--per-second", "50"], 2, "--i-own-this");
    fails(&["bench", "--duration", "0s"], 2, "must be 1 to 100000");
    fails(
        &["bench", "--duration", "30s", "-n", "3"],
        2,
        "cannot be used with",
    );
    fails(&["bench", "--duration", "soon"], 2, "--duration");
    fails(&["sweep", "alcool"], 2, "there is no feature `alcool`");
    fails(
        &["sweep", "pH", "--from", "4", "--to", "3"],
        2,
        "must be below",
    );
    fails(
        &["sweep", "wine_type_encoded", "--from", "0"],
        2,
        "is a choice",
    );
    let elsewhere = ["--endpoint", "http://192.0.2.1/", "--region", "us-east-2"];
    let asking = [&["sweep", "pH", "--via", "gateway"][..], &elsewhere].concat();
    fails(
        &asking,
        2,
        "22 calls to 192.0.2.1, $0.000026 at list price plus compute: say --yes",
    );
    let nobody = ["--endpoint", "http://127.0.0.1:9/", "--region", "us-east-2"];
    let unreached = [&["sweep", "pH", "--via", "gateway"][..], &nobody].concat();
    fails(&unreached, 3, "connection refused");
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
fn a_sweep_prints_the_same_scores_locally_and_over_the_endpoint() {
    let home = tempfile::tempdir().unwrap();
    let sweep = |args: &[&str]| {
        let output = vintner(home.path())
            .args([
                "sweep", "alcohol", "--points", "3", "pH=3.2", "--speed", "20",
            ])
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let json: serde_json::Value = serde_json::from_str(&sweep(&["--json"])).unwrap();
    let values: Vec<f64> = (json["points"].as_array().unwrap().iter())
        .map(|point| point["value"].as_f64().unwrap())
        .collect();
    assert_eq!(values, [8.7, 11.05, 13.4]);
    assert_eq!(
        (&json["model_version"], &json["here"]["value"]),
        (&"v0001".into(), &9.4.into())
    );
    let table = sweep(&["--via", "gateway", "--csv"]);
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows[0], "alcohol,prediction,quality_rating,error");
    for (row, point) in rows[1..].iter().zip(json["points"].as_array().unwrap()) {
        let score: f64 = row.split(',').nth(1).unwrap().parse().unwrap();
        assert!(
            (score - point["prediction"].as_f64().unwrap()).abs() < 1e-6,
            "{table}"
        );
    }
    assert!(sweep(&["--via", "invoke"]).starts_with("alcohol on the function v0001"));
}

#[test]
fn a_table_is_scored_and_a_second_run_finds_it_done() {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("in.csv"), home.path().join("out.csv"));
    let header = "fixed acidity;volatile acidity;citric acid;residual sugar;chlorides;free sulfur dioxide;total sulfur dioxide;density;pH;sulphates;alcohol;quality";
    std::fs::write(&from, format!("{header}\n7.4;0.7;0;1.9;0.076;11;34;0.9978;3.51;0.56;9.4;5\n7.8;x;0;2.6;0.098;25;67;0.9968;3.2;0.68;9.8;5\n7.4;0.3;0.4;1.9;0.076;11;34;0.9978;3.51;0.56;12;6\n")).unwrap();
    let args = [
        "predict",
        "--via",
        "local",
        "--csv",
        from.to_str().unwrap(),
        "--out",
        to.to_str().unwrap(),
    ];
    vintner(home.path()).args(args).assert().code(1).stdout(
        contains("3 rows")
            .and(contains("1 failed"))
            .and(contains("MAE"))
            .and(contains("2 of 2 in the same band")),
    );
    let scored = std::fs::read_to_string(&to).unwrap();
    assert!(
        scored
            .lines()
            .nth(2)
            .unwrap()
            .contains("not sent,volatile_acidity: `x` is not a number"),
        "{scored}"
    );
    vintner(home.path())
        .args(args)
        .assert()
        .code(1)
        .stdout(contains("0 rows").and(contains("(3 were there already)")));
    assert_eq!(std::fs::read_to_string(&to).unwrap(), scored);
}

#[test]
fn a_torn_or_unanswered_table_is_mended_by_the_next_run() {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("in.csv"), home.path().join("out.csv"));
    let header = "fixed acidity,volatile acidity,citric acid,residual sugar,chlorides,free sulfur dioxide,total sulfur dioxide,density,pH,sulphates,alcohol";
    // The second row is ragged: it has one cell more than the header.
    std::fs::write(&from, format!("{header}\n7.4,0.7,0,1.9,0.076,11,34,0.9978,3.51,0.56,9.4\n7.4,0.3,0.4,1.9,0.076,11,34,0.9978,3.51,0.56,12,extra\n7.8,0.9,0,2.6,0.098,25,67,0.9968,3.2,0.68,9.8\n")).unwrap();
    let run = |args: &[&str]| {
        let mut command = vintner(home.path());
        command
            .args(["predict", "--csv", from.to_str().unwrap()])
            .args(["--out", to.to_str().unwrap()])
            .args(args);
        command.assert()
    };
    let local = ["--via", "local"];
    let read = || std::fs::read_to_string(&to).unwrap();
    run(&local).success();
    let whole = read();
    assert_eq!(whole.lines().count(), 4, "{whole}");
    for end in [whole.len() - 1, whole.len() - 30, header.len() - 4] {
        std::fs::write(&to, &whole[..end]).unwrap();
        run(&local).success();
        assert_eq!(read(), whole, "cut at {end}");
    }
    std::fs::remove_file(&to).unwrap();
    run(&["--endpoint", "http://127.0.0.1:9/"])
        .code(1)
        .stdout(contains("3 failed"));
    assert_eq!(read().matches(",no answer,").count(), 3);
    run(&local)
        .success()
        .stdout(contains("3 rows").and(contains("0 failed")));
    assert_eq!(read(), whole);
}

#[test]
fn a_request_file_is_whole_and_names_its_mistakes() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("request.json");
    let fails = |text: &str, said: &'static str| {
        std::fs::write(&file, text).unwrap();
        let run = vintner(home.path())
            .args(["predict", "--via", "local", "--json"])
            .arg(&file)
            .assert();
        run.code(2)
            .stderr(contains(said).and(contains("request.json")));
    };
    fails(
        &DEMO.replace("alcohol", "alcool"),
        "has no feature `alcool`",
    );
    fails(r#"{"alcohol": 12, "pH": 3}"#, "lacks fixed_acidity");
    fails("{\"alcohol\":", "begins like JSON but is not");
    fails("hello", "not understood");
}

/// Another model than the wine's.
pub const TEA: &str = r#"
name = "tea"
title = "Tea"
[score]
label = "strength"
min = 0.0
max = 2.0
fields = ["strength"]
band_field = "word"
[[bands]]
name = "weak"
below = 1.0
[[bands]]
name = "strong"
[[features]]
name = "minutes"
label = "Minutes"
min = 0.0
p1 = 1.0
p50 = 3.0
p99 = 8.0
max = 10.0
step = 0.5
[[features]]
name = "grams"
label = "Grams"
min = 0.0
p1 = 1.0
p50 = 2.0
p99 = 5.0
max = 6.0
step = 0.1
[[features]]
name = "temperature"
label = "Temperature"
min = 50.0
p1 = 60.0
p50 = 90.0
p99 = 99.0
max = 100.0
step = 1.0
[[presets]]
name = "usual"
label = "Usual"
values = { minutes = 5, grams = 3, temperature = 75 }
"#;

#[test]
fn another_models_schema_gets_a_stand_in_and_never_the_wine_model() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("tea.toml");
    std::fs::write(&file, TEA).unwrap();
    let run = |args: &[&str]| {
        let mut command = vintner(home.path());
        command.args(args).arg("--model").arg(&file).assert()
    };
    let none = "no champion takes this model schema's inputs";
    run(&["predict", "--via", "local"])
        .code(1)
        .stderr(contains(none));
    // Where wines are predicted too, their champion is no help either.
    vintner(home.path())
        .args(["predict", "--via", "local"])
        .assert()
        .success();
    run(&["predict", "--via", "local"])
        .code(1)
        .stderr(contains("champion v0001 predicts other inputs"));
    let answer = run(&["predict", "--speed", "20", "--json"]).success();
    let json: serde_json::Value = serde_json::from_slice(&answer.get_output().stdout).unwrap();
    assert_eq!(
        (&json["prediction"], &json["word"], &json["model_version"]),
        (&1.0.into(), &"strong".into(), &"stand-in".into()),
        "{json}"
    );
}

#[test]
fn the_first_call_of_a_sandbox_is_warm_and_the_same_for_the_same_seed() {
    let home = tempfile::tempdir().unwrap();
    let report = |args: &[&str]| {
        let output = vintner(home.path())
            .args(["predict", "--via", "invoke", "--json", "--speed", "20"])
            .args(args)
            .output()
            .unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["report"].clone()
    };
    let first = report(&[]);
    assert!(first["init_ms"].is_null(), "{first}");
    assert_eq!(first["duration_ms"], report(&[])["duration_ms"]);
}

#[test]
fn a_sandbox_that_starts_with_an_incident_has_had_it_for_a_while() {
    let home = tempfile::tempdir().unwrap();
    let logs = |incident: &str| {
        let args = ["logs", "--errors", "--since", "1h", "--incident", incident];
        let output = vintner(home.path()).args(args).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(logs("handler-crash").contains("ValueError: X has"));
    assert!(logs("timeout").contains("timed out"));
}
