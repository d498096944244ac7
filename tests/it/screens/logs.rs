//! The Logs tab: each view, and what keys do to it, on a fixed session.

use std::sync::Arc;

use vintner::client::link::Link;
use vintner::client::logs::QueryResults;
use vintner::client::tail::{Batch, Phase, Progress, Status, TailUpdate};
use vintner::config::{Flags, LogFile};
use vintner::domain::doctor::Fact;
use vintner::domain::line::LogEvent;
use vintner::effects::lambda;
use vintner::effects::logs::open;
use vintner::effects::logs::sift::Sifted;
use vintner::effects::logs::{Effect as LogsEffect, Event as LogsEvent};
use vintner::effects::{Effect, Event, Outbox};
use vintner::ui::theme::ThemeName;

use crate::support::stage::Stage;

/// 2026-11-23T11:59:00Z, a minute before the stage's noon.
const START: i64 = 1_795_435_140_000;

fn event(after: i64, stream: &str, message: String) -> LogEvent {
    LogEvent {
        timestamp: START + after,
        ingestion_time: START + after + 400,
        group: "/aws/lambda/wine-quality-predictor".into(),
        stream: format!("2026/11/23/[$LATEST]{stream}").into(),
        event_id: Some(after.to_string().into()),
        message,
    }
}

fn id(n: u32) -> String {
    format!("{n:08x}-1c2d-4e3f-8a9b-0c1d2e3f4a5b")
}

fn report(n: u32, duration: f64, rest: &str) -> String {
    format!(
        "REPORT RequestId: {}\tDuration: {duration:.2} ms\tBilled Duration: {} ms\tMemory Size: 1024 MB\tMax Memory Used: 237 MB\t{rest}",
        id(n),
        duration.ceil()
    )
}

/// A cold start, forty good requests, an error, a timeout, an out-of-memory kill and a hostile line.
fn session() -> Vec<LogEvent> {
    let mut events = vec![
        event(0, "aaaa", "INIT_START Runtime Version: python:3.12.v30\tRuntime Version ARN: arn:aws:lambda:us-east-2::runtime:0c".into()),
        event(900, "aaaa", "✅ Model loaded successfully".into()),
    ];
    for n in 0..40 {
        let at = 1_000 + i64::from(n) * 1_000;
        events.push(event(
            at,
            "aaaa",
            format!("START RequestId: {} Version: $LATEST", id(n)),
        ));
        events.push(event(at + 20, "aaaa", format!(
            r#"{{"timestamp":"2026-11-23T11:59:00.000Z","level":"INFO","requestId":"{}","message":"scored","prediction":5.17,"alcohol":{n}}}"#, id(n))));
        events.push(event(at + 90, "aaaa", format!("END RequestId: {}", id(n))));
        let init = if n == 0 {
            "Init Duration: 1398.44 ms\t"
        } else {
            ""
        };
        events.push(event(at + 91, "aaaa", report(n, 90.0 + f64::from(n), init)));
    }
    let lines = [
        (
            42_000,
            format!("START RequestId: {} Version: $LATEST", id(100)),
        ),
        (
            42_030,
            "❌ Error: could not convert string to float: 'x'".to_owned(),
        ),
        (42_040, report(100, 40.0, "")),
        (
            43_000,
            format!("START RequestId: {} Version: $LATEST", id(101)),
        ),
        (
            43_001,
            "\u{1b}[31mred\u{7} alert\u{202e} \u{1b}]0;owned\u{7}".to_owned(),
        ),
        (
            53_001,
            format!(
                "2026-11-23T11:59:53.001Z {} Task timed out after 10.00 seconds\n\n",
                id(101)
            ),
        ),
        (53_002, report(101, 10_000.0, "Status: timeout")),
        (
            54_000,
            format!("START RequestId: {} Version: $LATEST", id(102)),
        ),
        (
            54_500,
            format!(
                "RequestId: {} Error: Runtime exited with error: signal: killed\nRuntime.ExitError",
                id(102)
            ),
        ),
        (
            54_501,
            report(102, 500.0, "Status: error\tError Type: Runtime.OutOfMemory"),
        ),
        (
            55_000,
            format!("START RequestId: {} Version: $LATEST", id(103)),
        ),
    ];
    events.extend(lines.map(|(at, message)| event(at, "bbbb", message)));
    events
}

/// Number of the tail before the first connection.
const TAIL: u64 = 0;

fn tell(stage: &mut Stage, update: TailUpdate) {
    stage.event(LogsEvent::Tail(TAIL, update));
}

fn batch(phase: Phase, events: Vec<LogEvent>) -> TailUpdate {
    TailUpdate::Events(Batch {
        group: Arc::from("/aws/lambda/wine-quality-predictor"),
        phase,
        events,
    })
}

/// The Logs tab with a session in it.
pub fn open(stage: &mut Stage) {
    stage.press("2");
    let events = session();
    let (history, rest) = events.split_at(100);
    tell(stage, batch(Phase::History, history.to_vec()));
    tell(stage, batch(Phase::Live, rest.to_vec()));
    tell(
        stage,
        batch(
            Phase::Live,
            vec![event(50_000, "aaaa", "came seven seconds late".into())],
        ),
    );
    let progress = Progress {
        searched_to: stage.now().wall.as_millisecond() - 800,
        late: 1,
        ..Progress::default()
    };
    tell(stage, TailUpdate::Status(Status::Live(progress)));
    // The figures are counted a moment later.
    stage.press("1 2");
}

/// Presses keys and answers the filters they ask for, as the runner would.
fn press(stage: &mut Stage, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    for key in keys.split_whitespace() {
        let asked = stage.press(key);
        for effect in &asked {
            if let Effect::Logs(LogsEffect::Sift(sift)) = effect {
                stage.event(LogsEvent::Sifted(Sifted {
                    id: sift.id,
                    unhidden: sift.unhidden.as_ref().map(|scan| scan.matches()),
                    filter: sift.filter.as_ref().map(|scan| scan.matches()),
                    search: sift.search.as_ref().map(|scan| scan.matches()),
                    done: true,
                }));
            }
        }
        effects.extend(asked);
    }
    effects
}

#[test]
fn every_view_looks_right() {
    crate::assert_screens!("logs-lines", open);
    crate::assert_screens!("logs-requests", |stage| {
        open(stage);
        stage.press("v");
    });
    crate::assert_screens!("logs-errors", |stage| {
        open(stage);
        stage.press("e");
    });
    crate::assert_screens!("logs-expanded", |stage| {
        open(stage);
        press(stage, "& s c o r e d enter / a l c o h o l enter k k enter");
    });
    crate::assert_screens!("logs-empty", |stage| {
        stage.press("2");
    });
    crate::assert_screens!("logs-expired", |stage| {
        open(stage);
        let command = "aws sso login --profile x".to_owned();
        tell(
            stage,
            TailUpdate::Status(Status::CredentialsExpired { command }),
        );
    });
}

fn stage() -> Stage {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    open(&mut stage);
    stage
}

#[test]
fn hostile_lines_are_disarmed() {
    let stage = stage();
    let text = stage.text();
    assert!(text.contains("␛[31mred alert ␛]0;owned"), "{text}");
    assert!(!text.contains('\u{202e}') && !text.contains('\u{7}'));
}

#[test]
fn scrolling_up_pauses_and_new_lines_move_nothing() {
    let mut stage = stage();
    assert!(
        stage.text().contains("LIVE · behind 0.8 s"),
        "{}",
        stage.text()
    );
    stage.press("k k k");
    let row = |stage: &Stage| {
        stage
            .text()
            .lines()
            .position(|line| line.contains("came seven seconds late"))
    };
    let before = row(&stage).expect("the late line is on screen");
    assert!(stage.text().contains("PAUSED ▼ 0 new"));
    assert!(stage.text().contains("late +5s"), "{}", stage.text());
    let more = (0..7)
        .map(|n| event(56_000 + n, "bbbb", format!("new {n}")))
        .collect();
    tell(&mut stage, batch(Phase::Live, more));
    assert_eq!(row(&stage), Some(before));
    assert!(stage.text().contains("PAUSED ▼ 7 new"), "{}", stage.text());
    let history = (0..50)
        .map(|n| event(-1000 - n, "cccc", format!("old {n}")))
        .collect();
    tell(&mut stage, batch(Phase::History, history));
    assert_eq!(row(&stage), Some(before), "history fills in above");
    stage.press("shift-g");
    assert!(stage.text().contains("LIVE") && stage.text().contains("new 6"));
}

#[test]
fn filters_stack_and_come_off_one_by_one() {
    let mut stage = stage();
    press(&mut stage, "& s c o r e d enter");
    assert!(stage.text().contains("40 of 174 lines"), "{}", stage.text());
    press(&mut stage, "- a l c o h o l : 3 enter");
    assert!(stage.text().contains("39 of 174 lines"), "{}", stage.text());
    press(&mut stage, "esc");
    assert!(stage.text().contains("40 of 174 lines"));
    press(&mut stage, "esc + + +");
    assert!(stage.text().contains("level >= ERROR"), "{}", stage.text());
    assert!(stage.text().contains("5 of 174 lines"), "{}", stage.text());
}

#[test]
fn a_bad_expression_says_where_and_keeps_the_view() {
    let mut stage = stage();
    press(&mut stage, "/ / t i m e ( d /");
    assert!(
        stage
            .text()
            .contains("bad regular expression `time(d` at character 5"),
        "{}",
        stage.text()
    );
    press(&mut stage, "enter");
    assert!(
        stage.text().contains("bad regular expression"),
        "Enter does not swallow it"
    );
    press(&mut stage, "esc");
    assert!(stage.text().contains("LIVE"));
}

#[test]
fn a_search_counts_and_steps_through_its_matches() {
    let mut stage = stage();
    press(&mut stage, "/ t i m e d space o u t enter");
    assert!(stage.text().contains("1 of 1"), "{}", stage.text());
    assert!(stage.text().contains("PAUSED"));
    press(&mut stage, "n shift-n");
    assert!(stage.text().contains("Task timed out after 10.00 seconds"));
}

#[test]
fn a_request_opens_its_lines_and_escape_comes_back() {
    let mut stage = stage();
    press(&mut stage, "v right");
    let text = stage.text();
    let slowest = text
        .lines()
        .find(|line| line.contains("timeout"))
        .expect("the timeout is listed");
    assert!(
        slowest.contains("10.0 s") && slowest.contains("Task timed out"),
        "{text}"
    );
    press(&mut stage, "enter");
    assert!(stage.text().contains("4 of 174 lines"), "{}", stage.text());
    press(&mut stage, "esc");
    assert!(stage.text().contains("44 requests"), "{}", stage.text());
    let copied = stage.press("shift-y");
    assert!(
        copied.iter().any(|effect| matches!(effect, Effect::Copy(text) if text.contains("### Request `00000065-") && text.contains("timeout"))),
        "{copied:?}"
    );
}

#[test]
fn errors_are_grouped_and_lead_to_their_lines() {
    let mut stage = stage();
    press(&mut stage, "e");
    let text = stage.text();
    assert!(
        text.contains("could not convert string to float: <str>"),
        "{text}"
    );
    press(&mut stage, "enter");
    assert!(stage.text().contains("1 of 174 lines"), "{}", stage.text());
}

#[test]
fn fields_of_json_lines_become_columns() {
    let mut stage = stage();
    press(
        &mut stage,
        "& s c o r e d enter k shift-c a l c o h o l , p r e d i c t i o n enter",
    );
    let text = stage.text();
    let row = text.lines().find(|line| line.contains("alcohol=7 "));
    let row = row.unwrap_or_else(|| panic!("{text}"));
    assert!(
        row.contains("alcohol=7         prediction=5.17      scored"),
        "{row}"
    );
    // Tab offers the members of the line under the cursor that stand in no column yet.
    press(&mut stage, "shift-c tab enter");
    assert!(stage.text().contains("level=INFO"), "{}", stage.text());
    press(&mut stage, "shift-c ctrl-u enter");
    assert!(!stage.text().contains("prediction=5.17      scored"));
}

#[test]
fn errors_that_a_deploy_brought_are_marked() {
    let mut stage = stage();
    stage.press("e");
    let row = |stage: &Stage, error: &str| {
        let text = stage.text();
        let row = text.lines().find(|line| line.contains(error));
        row.unwrap_or_else(|| panic!("{error}: {text}")).to_owned()
    };
    assert!(!row(&stage, "timed out").contains("new"));
    let deployed = |stage: &mut Stage, at: &str| {
        let mut overview = crate::lambda::overview();
        let Fact::Known(config) = &mut overview.config else {
            panic!("the overview has a configuration")
        };
        at.clone_into(&mut config.last_modified);
        stage.event(lambda::Event::Described {
            ticket: 0,
            overview: Ok(Box::new(overview)),
        });
    };
    deployed(&mut stage, "2026-11-23T11:59:50.000+0000");
    assert!(row(&stage, "timed out").contains(" new "));
    assert!(!row(&stage, "could not convert").contains(" new "));
    assert!(
        stage.text().contains("since the deploy at 11:59"),
        "{}",
        stage.text()
    );

    // Lines from before the deploy were never asked for: an old error would look new.
    open_connected(&mut stage);
    let lines = batch(Phase::History, session());
    stage.event(LogsEvent::Tail(1, lines));
    deployed(&mut stage, "2026-11-21T08:00:00.000+0000");
    assert!(!row(&stage, "timed out").contains(" new "));
    assert!(
        stage.text().contains("deployed before the first line read"),
        "{}",
        stage.text()
    );
}

#[test]
fn another_pattern_keeps_the_filters_and_forgets_the_lines() {
    for (keys, left) in [
        ("& s c o r e d enter", "40 of 174 lines"),
        ("+ + +", "5 of 174 lines"),
        ("v right enter", "4 of 174 lines"),
        ("e enter", "1 of 174 lines"),
        ("/ s c o r e d enter", "40"),
        ("k k k m", "174 lines"),
    ] {
        let mut stage = stage();
        press(&mut stage, keys);
        let before = stage.text();
        assert!(before.contains(left), "{keys}: {before}");
        stage.press("shift-f x enter");
        let text = stage.text();
        assert!(
            text.contains(left),
            "{keys}: lines stay until there are others: {text}"
        );
        let none = TailUpdate::Status(Status::Live(Progress::default()));
        stage.event(LogsEvent::Tail(TAIL + 1, none));
        let text = stage.text();
        assert!(!text.contains("prediction"), "{keys}: {text}");
        stage.press("k k pageup shift-g");
        let again = batch(Phase::History, session());
        stage.event(LogsEvent::Tail(TAIL + 1, again));
        let left = left.replace("174", "173");
        assert!(stage.text().contains(&left), "{keys}: {}", stage.text());
    }
}

#[test]
fn a_rejected_pattern_comes_back_with_the_services_words_and_wipes_nothing() {
    let mut stage = stage();
    stage.press("shift-f { x enter");
    let why = Some("invalid filter pattern".to_owned());
    stage.event(LogsEvent::TailEnded(TAIL + 1, why));
    let text = stage.text();
    assert!(
        text.contains("invalid filter pattern") && text.contains("{x"),
        "{text}"
    );
    assert!(text.contains("Task timed out"), "{text}");
    stage.press("esc");
    let why = Some("no such region".to_owned());
    assert!(
        stage.event(LogsEvent::TailEnded(TAIL + 2, why)).is_empty(),
        "no second try"
    );
    assert!(
        stage.text().contains("STOPPED: no such region"),
        "{}",
        stage.text()
    );
}

fn found(status: &str, rows: usize) -> QueryResults {
    let row = |n: usize| {
        [
            ("@timestamp", format!("2026-11-23 11:{n:02}:00.000")),
            ("n", (n * 7).to_string()),
            ("@message", format!("scored {n}\tüber\u{1b}[31m a long text that goes on and on beyond any column's width")),
        ]
        .map(|(field, value)| (field.to_owned(), value))
        .to_vec()
    };
    QueryResults {
        status: status.to_owned(),
        rows: (0..rows).map(row).collect(),
        records_scanned: 12_345.0,
        records_matched: 400.0,
        bytes_scanned: 3.5e9,
    }
}

/// A connected stage where a query was asked: the number that answers carry.
fn ask(stage: &mut Stage, query: &str) -> u64 {
    stage.press("i ctrl-u");
    stage.paste(query);
    let asked = stage.press("enter");
    let number = asked.iter().find_map(|effect| match effect {
        Effect::Logs(LogsEffect::Query(number, _)) => Some(*number),
        _ => None,
    });
    number.unwrap_or_else(|| panic!("no query in {asked:?}"))
}

fn open_connected(stage: &mut Stage) {
    let mut link = Link::default();
    "us-east-2".clone_into(&mut link.session.region);
    link.log_groups = vec!["/aws/lambda/wine-quality-predictor".to_owned()];
    stage.event(Event::Connected(link));
    stage.press("2");
}

#[test]
fn an_insights_query_shows_progress_rows_and_price() {
    crate::assert_screens!("logs-insights-running", |stage| {
        open_connected(stage);
        let number = ask(stage, "-15m fields @message");
        stage.event(LogsEvent::QueryStarted(number, "q-1".into()));
        stage.event(LogsEvent::QueryResults(number, found("Running", 0)));
        stage.wait(std::time::Duration::from_secs(3));
    });
    crate::assert_screens!("logs-insights", |stage| {
        open_connected(stage);
        let number = ask(stage, "-15m fields @message");
        stage.event(LogsEvent::QueryResults(number, found("Complete", 50)));
        stage.press("j j enter");
    });
    crate::assert_screens!("logs-insights-refused", |stage| {
        open_connected(stage);
        let number = ask(stage, "-15m feilds @message");
        let why = "logs:StartQuery rejected the request (MalformedQueryException): unexpected symbol found feilds (at character 1)";
        stage.event(LogsEvent::QueryFailed(number, why.into()));
    });
}

#[test]
fn an_insights_query_asks_for_its_range_and_escape_stops_it_at_the_service() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    open_connected(&mut stage);
    stage.press("i ctrl-u");
    stage.paste("-15m fields @message");
    let asked = stage.press("enter");
    let query = asked.iter().find_map(|effect| match effect {
        Effect::Logs(LogsEffect::Query(_, query)) => Some(query.clone()),
        _ => None,
    });
    let query = query.expect("a query is asked");
    let now = stage.now().wall.as_millisecond();
    assert_eq!((query.start, query.end), (now - 900_000, now));
    assert_eq!(query.text, "fields @message");
    assert_eq!(query.groups, ["/aws/lambda/wine-quality-predictor"]);
    stage.event(LogsEvent::QueryStarted(1, "q-1".into()));
    stage.event(LogsEvent::QueryResults(1, found("Running", 3)));
    let stopped = stage.press("esc");
    let id = Some("q-1".to_owned());
    assert_eq!(stopped, [Effect::Logs(LogsEffect::StopQuery { id })]);
    let text = stage.text();
    assert!(
        text.contains("stopped · 3 rows") && text.contains("at $0.005 a GB"),
        "{text}"
    );
    stage.press("i");
    assert!(
        stage.text().contains("Insights  -15m fields @message"),
        "the last one is remembered"
    );
    stage.press("esc esc");
    assert!(
        stage.text().contains("0 lines"),
        "one step out: {}",
        stage.text()
    );
}

#[test]
fn insights_rows_are_copied_and_exported() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    open_connected(&mut stage);
    let number = ask(&mut stage, "fields n");
    stage.event(LogsEvent::QueryResults(number, found("Complete", 2)));
    let copied = stage.press("j y");
    assert!(
        copied
            .iter()
            .any(|effect| matches!(effect, Effect::Copy(text) if text.contains(r#""n":"7""#))),
        "{copied:?}"
    );
    let written = stage.press("shift-e");
    let lines = written.iter().find_map(|effect| match effect {
        Effect::Logs(LogsEffect::Write(_, text)) => Some(text.lines().count()),
        _ => None,
    });
    assert_eq!(lines, Some(2));
}

#[test]
fn live_tail_and_looking_again_keep_lines_and_marks() {
    let mut stage = stage();
    stage.press("k k m");
    let mut effects = stage.press("shift-l r");
    let mut wishes = effects.drain(..).filter_map(|effect| match effect {
        Effect::Logs(LogsEffect::Wish(wishes)) => Some((wishes.live_tail, wishes.looks)),
        Effect::Logs(LogsEffect::Tail(..)) => panic!("the tail goes on"),
        _ => None,
    });
    assert_eq!(wishes.next(), Some((true, 0)));
    assert_eq!(wishes.next(), Some((true, 1)));
    assert!(stage.text().contains("174 lines"), "{}", stage.text());
}

#[test]
fn a_time_is_jumped_to() {
    let mut stage = stage();
    press(&mut stage, "@ 1 1 : 5 9 : 3 0 enter");
    assert!(stage.text().contains("11:59:30.000"), "{}", stage.text());
    press(&mut stage, "@ s o o n enter");
    assert!(
        stage.text().contains("`soon` is no time"),
        "{}",
        stage.text()
    );
}

#[test]
fn answers_of_an_older_tail_are_dropped() {
    let mut stage = stage();
    stage.press("shift-f x enter");
    tell(&mut stage, batch(Phase::Live, session()));
    let text = stage.text();
    assert!(text.contains("174 lines"), "{text}");
    assert!(text.contains("this target names no log group"), "{text}");
}

/// Lines that only differ in their number, one a second.
fn numbered(stage: &mut Stage, from: i64, to: i64, word: &str) {
    let events = (from..to).map(|n| event(n * 1000, "aaaa", format!("{word} {n}")));
    tell(stage, batch(Phase::Live, events.collect()));
}

fn plain() -> Stage {
    let mut stage = Stage::new((120, 24), ThemeName::Dark);
    stage.press("2");
    tell(
        &mut stage,
        TailUpdate::Status(Status::Live(Progress::default())),
    );
    stage
}

#[test]
fn enter_goes_to_the_newest_match_and_stays_there() {
    let mut stage = plain();
    numbered(&mut stage, 0, 5, "apple");
    press(&mut stage, "/ a p p l e enter");
    assert!(stage.text().contains("5 of 5"), "{}", stage.text());
    press(&mut stage, "shift-n");
    assert!(stage.text().contains("4 of 5"), "{}", stage.text());
    press(&mut stage, "n");
    let text = stage.text();
    assert!(text.contains("5 of 5") && text.contains("PAUSED"), "{text}");
    press(&mut stage, "n");
    assert!(stage.text().contains("1 of 5"), "goes round");
    numbered(&mut stage, 5, 6, "apple");
    assert!(stage.text().contains("1 of 6"), "{}", stage.text());
}

#[test]
fn what_is_new_while_paused_is_counted_through_jumps_and_filters() {
    let mut stage = plain();
    numbered(&mut stage, 0, 50, "apple");
    stage.press("k k");
    numbered(&mut stage, 50, 57, "pear");
    assert!(stage.text().contains("PAUSED ▼ 7 new"), "{}", stage.text());
    press(&mut stage, "@ 1 1 : 5 9 : 0 5 enter");
    assert!(
        stage.text().contains("PAUSED ▼ 7 new"),
        "a jump reads none of them: {}",
        stage.text()
    );
    press(&mut stage, "& 5 enter");
    assert!(
        stage.text().contains("PAUSED ▼ 7 new"),
        "all of them have a 5: {}",
        stage.text()
    );
    press(&mut stage, "esc & a p p l e enter");
    assert!(stage.text().contains("PAUSED ▼ 0 new"), "{}", stage.text());
}

#[test]
fn escape_takes_off_what_was_put_on_last_and_then_goes_back() {
    let mut stage = stage();
    press(
        &mut stage,
        "v right enter & t i m e d enter + / o u t enter",
    );
    assert!(stage.text().contains("1 of 174 lines"), "{}", stage.text());
    press(&mut stage, "esc");
    assert!(!stage.text().contains("/ out"), "the search goes first");
    press(&mut stage, "esc");
    assert!(!stage.text().contains("& timed"), "then the filter");
    assert!(stage.text().contains("level >= INFO"));
    press(&mut stage, "esc");
    assert!(stage.text().contains("4 of 174 lines"), "{}", stage.text());
    press(&mut stage, "esc");
    assert!(stage.text().contains("44 requests"), "{}", stage.text());
    press(&mut stage, "esc");
    assert!(stage.text().contains(" 174 lines"), "{}", stage.text());
}

#[test]
fn another_request_takes_the_place_of_the_first() {
    let mut stage = stage();
    press(&mut stage, "& o u t enter v right enter v j enter");
    let text = stage.text();
    assert!(!text.contains("request 00000065"), "{text}");
    assert!(
        text.contains("request 00000066") && text.contains("& out"),
        "{text}"
    );
}

#[test]
fn context_brings_back_nothing_that_is_hidden_and_is_not_counted() {
    let mut stage = plain();
    let lines = ["one", "secret", "needle", "secret", "two"];
    let events = (0..)
        .zip(lines)
        .map(|(n, text)| event(n * 1000, "aaaa", text.to_owned()));
    tell(&mut stage, batch(Phase::Live, events.collect()));
    press(&mut stage, "& n e e d l e enter - s e c r e t enter c c");
    let text = stage.text();
    assert!(text.contains("1 and 2 around of 5 lines"), "{text}");
    assert!(text.contains(" one") && text.contains(" two"), "{text}");
    let list = text.split("lines around").nth(1).unwrap_or_default();
    assert!(!list.contains("secret"), "{text}");
}

#[test]
fn a_pattern_at_cloudwatch_is_on_screen_and_the_figures_say_so() {
    let mut stage = stage();
    stage.press("shift-f");
    stage.paste("{ $.level = \"ERROR\" }");
    stage.press("enter");
    let text = stage.text();
    assert!(
        text.contains("at CloudWatch: { $.level = \"ERROR\" }"),
        "{text}"
    );
    assert!(text.contains("of what passes the pattern"), "{text}");
}

#[test]
fn an_empty_list_counts_down_to_the_next_attempt() {
    let mut stage = plain();
    let retry_at = stage.now().wall.as_millisecond() + 3_500;
    tell(
        &mut stage,
        TailUpdate::Status(Status::Throttled { retry_at }),
    );
    let text = stage.text();
    assert_eq!(text.matches("THROTTLED, retry in 4 s").count(), 2, "{text}");
}

#[test]
fn a_jump_before_all_that_was_read_reads_from_there() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    open_connected(&mut stage);
    stage.event(LogsEvent::Tail(1, batch(Phase::Live, session())));
    let live = |history_from| {
        TailUpdate::Status(Status::Live(Progress {
            history_from,
            ..Progress::default()
        }))
    };
    stage.event(LogsEvent::Tail(1, live(None)));
    stage.press("@ - 3 h");
    let asked = stage.press("enter");
    let wanted = stage.now().wall.as_millisecond() - 3 * 3_600_000;
    let since = asked.iter().find_map(|effect| match effect {
        Effect::Logs(LogsEffect::Tail(2, request, _)) => Some(request.span.since),
        _ => None,
    });
    assert_eq!(since, Some(wanted - 60_000), "{asked:?}");
    assert!(
        stage.text().contains("reading back to 09:00"),
        "{}",
        stage.text()
    );
    stage.event(LogsEvent::Tail(2, batch(Phase::History, session())));
    stage.event(LogsEvent::Tail(2, live(Some(START))));
    assert!(stage.text().contains("reading back to 09:00"));
    let old = event(wanted + 5_000 - START, "aaaa", "three hours old".into());
    stage.event(LogsEvent::Tail(2, batch(Phase::History, vec![old])));
    stage.event(LogsEvent::Tail(2, live(None)));
    let text = stage.text();
    assert!(
        !text.contains("reading back") && text.contains("PAUSED"),
        "{text}"
    );
    assert!(text.contains("three hours old"), "{text}");
}

#[test]
fn following_among_requests_leaves_the_lines_alone() {
    let mut stage = stage();
    stage.press("v right j j f v v");
    assert!(stage.text().contains("LIVE"), "{}", stage.text());
    stage.press("v");
    assert!(stage.text().contains("started▼"), "{}", stage.text());
}

#[test]
fn what_is_cut_is_marked() {
    let mut stage = plain();
    let text = format!("begin {} end", "x".repeat(300));
    tell(&mut stage, batch(Phase::Live, vec![event(0, "aaaa", text)]));
    let row = |stage: &Stage| {
        let text = stage.text();
        let found = text.lines().find(|line| line.contains("xxx"));
        found.unwrap_or_default().to_owned()
    };
    assert!(
        row(&stage).contains("begin") && row(&stage).ends_with("x…"),
        "{}",
        row(&stage)
    );
    stage.press("right");
    assert!(
        row(&stage).contains(" …x") && row(&stage).ends_with("x…"),
        "{}",
        row(&stage)
    );
    stage.press("right right right right");
    assert!(
        row(&stage).contains(" …x") && row(&stage).ends_with("end"),
        "{}",
        row(&stage)
    );
}

#[test]
fn trouble_with_the_disk_leaves_the_chips_alone() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    stage.block_state();
    open(&mut stage);
    press(&mut stage, "& s c o r e d enter");
    let text = stage.text();
    assert!(text.contains("cannot spool: "), "{text}");
    assert!(
        text.contains("& scored") && text.contains("40 of 174 lines"),
        "{text}"
    );
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    stage.block_state();
    open(&mut stage);
    insta::assert_debug_snapshot!("logs-no-spool-80x24", stage.buffer());
}

/// A recording of the session: a file that `--record` would have made.
fn recording(dir: &std::path::Path) -> std::path::PathBuf {
    let path = dir.join("session.jsonl");
    let lines = session()
        .into_iter()
        .map(|event| serde_json::to_string(&event).unwrap() + "\n");
    std::fs::write(&path, lines.collect::<String>()).unwrap();
    path
}

/// Runs the effect that reads a file, as the runner would, and tells its event.
fn read_file(stage: &mut Stage, effects: &[Effect]) {
    let (number, path) = effects
        .iter()
        .find_map(|effect| match effect {
            Effect::Logs(LogsEffect::Open(number, path)) => Some((*number, path.clone())),
            _ => None,
        })
        .unwrap_or_else(|| panic!("no file is opened in {effects:?}"));
    let spool = tempfile::tempdir().unwrap();
    let (sender, mut inbox) = tokio::sync::mpsc::channel(1);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let spool_dir = spool.path().to_owned();
    let opened = runtime.unwrap().block_on(async {
        let outbox = Outbox::new(sender);
        tokio::spawn(open::read(number, path, spool_dir, outbox));
        inbox.recv().await
    });
    stage.event(opened.unwrap());
}

#[test]
fn a_file_on_the_command_line_opens_on_its_lines_and_stays_when_connected() {
    let dir = tempfile::tempdir().unwrap();
    let path = recording(dir.path());
    let set = |stage: &mut Stage| {
        let asked = stage.press("2");
        assert!(asked.is_empty(), "{asked:?}");
        stage.press("shift-o");
        stage.paste(path.to_str().unwrap());
        let asked = stage.press("enter");
        read_file(stage, &asked);
    };
    crate::assert_screens!("logs-file", set);
    let log_file = Some(LogFile { path, speed: None });
    let mut stage = Stage::with(
        (120, 40),
        Flags {
            log_file,
            ..Flags::default()
        },
    );
    let asked = stage.start();
    read_file(&mut stage, &asked);
    assert!(
        stage.text().contains("FILE session.jsonl"),
        "{}",
        stage.text()
    );
    assert!(stage.text().contains("173 lines"));
    assert!(
        stage.text().contains("n 43"),
        "the last minutes are the file's: {}",
        stage.text()
    );
    let mut link = Link::default();
    link.log_groups = vec!["/aws/lambda/x".to_owned()];
    let asked = stage.event(Event::Connected(link));
    let is_tail = |effect: &Effect| matches!(effect, Effect::Logs(LogsEffect::Tail(..)));
    assert!(!asked.iter().any(is_tail), "{asked:?}");
    assert!(stage.text().contains("173 lines"));
    let asked = stage.press("shift-o enter");
    assert!(asked.iter().any(is_tail), "back to the tail: {asked:?}");
}

#[test]
fn a_recording_plays_as_a_tail_would_come() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    stage.press("2 shift-o");
    stage.paste("sessions/session.jsonl 10x");
    let asked = stage.press("enter");
    let path = std::path::PathBuf::from("sessions/session.jsonl");
    assert!(
        asked.contains(&Effect::Logs(LogsEffect::Replay(1, path, 10.0))),
        "{asked:?}"
    );
    stage.event(LogsEvent::Tail(1, batch(Phase::Live, session())));
    assert!(
        stage.text().contains("REPLAY 10x session.jsonl "),
        "{}",
        stage.text()
    );
    stage.press("k k");
    let paused = "REPLAY 10x session.jsonl · PAUSED ▼ 0 new";
    assert!(stage.text().contains(paused), "{}", stage.text());
    stage.press("shift-g");
    stage.event(LogsEvent::TailEnded(1, None));
    assert!(
        stage.text().contains("REPLAY 10x session.jsonl · ended"),
        "{}",
        stage.text()
    );
    let asked = stage.press("shift-f");
    assert!(asked.is_empty() && stage.text().contains("a file is filtered here"));
}

#[tokio::test(start_paused = true)]
async fn a_recording_is_played_at_its_pace() {
    let dir = tempfile::tempdir().unwrap();
    let path = recording(dir.path());
    let (sender, mut inbox) = tokio::sync::mpsc::channel(64);
    let began = tokio::time::Instant::now();
    tokio::spawn(vintner::effects::logs::open::replay(
        7,
        path,
        10.0,
        Outbox::new(sender),
    ));
    let mut played = 0;
    loop {
        match inbox.recv().await {
            Some(Event::Logs(LogsEvent::Tail(7, TailUpdate::Events(batch)))) => {
                played += batch.events.len();
            }
            Some(Event::Logs(LogsEvent::TailEnded(7, ended))) => break assert_eq!(ended, None),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(played, 173);
    let took = began.elapsed().as_millis();
    assert!((5_490..5_510).contains(&took), "55 s at 10x took {took} ms");
}

#[test]
fn a_filter_shows_what_it_does_while_it_is_typed() {
    let mut stage = stage();
    press(&mut stage, "& s c o r e d");
    let text = stage.text();
    assert!(!text.contains("REPORT"), "{text}");
    press(&mut stage, "esc");
    assert!(stage.text().contains("REPORT"), "{}", stage.text());
    press(&mut stage, "- s c o r e d enter");
    assert!(
        stage.text().contains("134 of 174 lines"),
        "{}",
        stage.text()
    );
}

#[test]
fn a_filter_is_composed_from_the_members_of_a_line() {
    let mut stage = stage();
    press(&mut stage, "& s c o r e d enter k enter shift-f");
    let text = stage.text();
    assert!(
        text.contains("server-side pattern:  { $.level = \"INFO\" }"),
        "{text}"
    );
    stage.press("tab");
    assert!(stage.text().contains("{ $."), "{}", stage.text());
    assert!(!stage.text().contains("{ $.level"), "{}", stage.text());
    stage.press("esc");
    press(&mut stage, "esc & tab");
    assert!(stage.text().contains(" &  level=INFO"), "{}", stage.text());
}

#[test]
fn requests_are_chosen_by_what_they_are() {
    crate::assert_screens!("logs-requests-chosen", |stage| {
        open(stage);
        stage.press("v & f a i l e d space > 1 0 0 m s enter");
    });
    let mut stage = stage();
    stage.press("v & c o l d");
    assert!(stage.text().contains("1 of 44"), "{}", stage.text());
    stage.press("esc");
    assert!(stage.text().contains(" 44 requests"), "{}", stage.text());
    stage.press("+");
    let text = stage.text();
    assert!(
        text.contains("3 of 44 requests") && text.contains("& failed"),
        "{text}"
    );
    stage.press("& x enter");
    assert!(
        stage.text().contains("no request passes the filter"),
        "{}",
        stage.text()
    );
    stage.press("esc");
    assert!(stage.text().contains(" 44 requests"), "{}", stage.text());
}

#[test]
fn enter_on_a_figure_lists_the_requests_behind_it() {
    crate::assert_screens!("logs-figure", |stage| {
        open(stage);
        stage.press("tab tab tab");
    });
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    open(&mut stage);
    // n, p50, p95, p99 of the five minutes, errors.
    stage.press("tab tab tab tab tab enter");
    let text = stage.text();
    assert!(
        text.contains("3 of 44 requests") && text.contains("& failed"),
        "{text}"
    );
    assert!(text.contains("ended since 11:55:00"), "{text}");
    stage.press("tab tab enter");
    let text = stage.text();
    let slowest = text
        .lines()
        .find(|line| line.contains("✗") || line.contains("✓"));
    assert!(
        slowest.is_some_and(|line| line.contains("10.0 s")),
        "{text}"
    );
    assert!(text.contains("& >"), "{text}");
}

#[test]
fn a_figure_is_clicked_and_the_strip_scrolls_time() {
    use crossterm::event::{
        Event as TermEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
    };
    let mut stage = stage();
    let at = |stage: &Stage, word: &str| {
        let text = stage.text();
        let rows = text.lines().enumerate();
        let found = rows.filter_map(|(y, line)| Some((line.find(word)?, y, line.to_owned())));
        let (byte, y, line) = found.min_by_key(|(_, y, _)| *y).unwrap();
        (line[..byte].chars().count() as u16, y as u16)
    };
    let mouse = |kind, (column, row)| {
        TermEvent::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        })
    };
    let strip = at(&stage, "█");
    stage.term(mouse(MouseEventKind::ScrollUp, strip));
    assert!(stage.text().contains("PAUSED"), "{}", stage.text());
    let one = stage.buffer();
    stage.press("<");
    assert!(stage.buffer() != one, "{}", stage.text());
    let two = stage.buffer();
    stage.press(">");
    assert!(stage.buffer() != two, "{}", stage.text());
    let errors = at(&stage, "err ");
    stage.term(mouse(MouseEventKind::Down(MouseButton::Left), errors));
    assert!(
        stage.text().contains("3 of 44 requests"),
        "{}",
        stage.text()
    );
}

#[test]
fn a_view_is_copied_as_a_command_of_the_aws_cli() {
    let copied = |stage: &mut Stage, keys: &str| {
        let effects = stage.press(keys);
        let copied = effects.into_iter().find_map(|effect| match effect {
            Effect::Copy(text) => Some(text),
            _ => None,
        });
        copied.expect("something is copied")
    };
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    open_connected(&mut stage);
    stage.event(LogsEvent::Tail(1, batch(Phase::Live, session())));
    assert_eq!(
        copied(&mut stage, "a"),
        "aws logs tail /aws/lambda/wine-quality-predictor --follow --since 1h --format short --region us-east-2"
    );
    let request = copied(&mut stage, "v right a");
    assert_eq!(
        request,
        format!(
            "aws logs filter-log-events --log-group-name /aws/lambda/wine-quality-predictor --start-time {} --end-time {} --filter-pattern '\"{}\"' --region us-east-2",
            START + 43_000 - 60_000,
            START + 53_002 + 60_000,
            id(101)
        )
    );
    ask(&mut stage, "-15m fields @message | limit 1");
    let query = copied(&mut stage, "a");
    assert!(
        query.starts_with("aws logs start-query --log-group-names /aws/lambda/wine-quality-predictor --start-time ")
            && query.contains(" --query-string 'fields @message | limit 1'"),
        "{query}"
    );
}

#[test]
fn what_was_found_stands_out_whatever_was_asked() {
    let reversed = |keys: &str| {
        let mut stage = Stage::new((120, 40), ThemeName::Dark);
        open(&mut stage);
        press(&mut stage, keys);
        let buffer = stage.buffer();
        let list = (7..39).flat_map(|y| (0..120).map(move |x| (x, y)));
        let cells = list.map(|at| &buffer[at]);
        let marked = cells.filter(|cell| {
            cell.fg == ratatui::style::Color::Cyan
                && cell.modifier.contains(ratatui::style::Modifier::REVERSED)
        });
        marked
            .map(|cell| cell.symbol().to_owned())
            .collect::<String>()
    };
    assert!(reversed("/ / o u t . a f t e r / enter").contains("out after"));
    assert!(reversed("/ a l c o h o l = 3 9 enter").contains("39"));
}

/// Is connected to a target with a log group, and has a session's lines.
fn connected(size: (u16, u16), ascii: bool) -> Stage {
    let flags = Flags {
        ascii,
        ..Flags::default()
    };
    let mut stage = Stage::with(size, flags);
    let mut link = Link::default();
    link.session.region = "us-east-2".to_owned();
    link.log_groups = vec!["/aws/lambda/wine-quality-predictor".to_owned()];
    stage.event(Event::Connected(link));
    stage.press("2");
    stage.event(LogsEvent::Tail(1, batch(Phase::History, session())));
    stage
}

#[test]
fn the_console_link_is_a_link_on_screen_where_the_terminal_takes_one() {
    let mut stage = connected((80, 24), false);
    let asked = stage.press("o");
    let Some(Effect::Copy(address)) = asked.first() else {
        panic!("{asked:?}");
    };
    assert!(address.starts_with("https://us-east-2.console.aws.amazon.com/cloudwatch/"));
    let buffer = stage.buffer();
    let row: Vec<&str> = (0..80).map(|x| buffer[(x, 23)].symbol()).collect();
    for (cell, sign) in row[1..].iter().zip("copied the console link".chars()) {
        let linked = format!("\u{1b}]8;id=vintner;{address}\u{1b}\\{sign}\u{1b}]8;;\u{1b}\\");
        assert_eq!(*cell, linked);
    }
    assert_eq!(row[24], " ", "the link ends with its text");
    stage.wait(std::time::Duration::from_secs(11));
    assert!(
        stage.buffer()[(1, 23)].symbol().contains("]8;"),
        "time to click"
    );

    let mut stage = connected((80, 24), true);
    stage.press("o");
    assert!(stage.text().contains(" copied the console link"));
    assert!(!stage.text().contains('\u{1b}'));
}

#[test]
fn the_last_query_of_an_earlier_session_is_where_the_prompt_begins() {
    let mut stage = connected((120, 40), false);
    let asked = stage.press("i");
    assert_eq!(asked, [Effect::Logs(LogsEffect::RecallQuery)]);
    stage.event(LogsEvent::QueryRecalled("-2h fields @message".to_owned()));
    assert!(
        stage.text().contains("-2h fields @message"),
        "{}",
        stage.text()
    );
    let asked = stage.press("enter");
    let kept = LogsEffect::KeepQuery("-2h fields @message".to_owned());
    assert!(asked.contains(&Effect::Logs(kept)), "{asked:?}");

    let mut stage = connected((120, 40), false);
    stage.press("i x");
    stage.event(LogsEvent::QueryRecalled("-2h fields @message".to_owned()));
    assert!(
        !stage.text().contains("-2h fields"),
        "typing goes on: {}",
        stage.text()
    );
    assert!(stage.press("esc i").is_empty(), "known now");
    assert!(stage.text().contains("-2h fields"), "{}", stage.text());
}
