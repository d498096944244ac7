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

mod errors;
mod files;
mod filters;
mod followed;
mod handoff;
mod insights;
mod lines;
mod requests;
mod tail;

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

/// Is connected to a target with a log group, and has a session's lines.
fn connected(size: (u16, u16), ascii: bool) -> Stage {
    let flags = Flags {
        ascii,
        ..Flags::default()
    };
    let mut stage = Stage::with(size, flags);
    open_connected(&mut stage);
    stage.event(LogsEvent::Tail(1, batch(Phase::History, session())));
    stage
}

fn open_connected(stage: &mut Stage) {
    let mut link = Link::default();
    "us-east-2".clone_into(&mut link.session.region);
    link.log_groups = vec!["/aws/lambda/wine-quality-predictor".to_owned()];
    stage.event(Event::Connected(link));
    stage.press("2");
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

fn plain() -> Stage {
    let mut stage = Stage::new((120, 24), ThemeName::Dark);
    stage.press("2");
    tell(
        &mut stage,
        TailUpdate::Status(Status::Live(Progress::default())),
    );
    stage
}
