//! How long a frame takes: every tab in every size, and Logs with a million lines while more come, beside an empty screen
//! of the same size.

#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use crossterm::event::{Event as TermEvent, KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::time::Instant;
use vintner::app::{App, Msg};
use vintner::client::tail::{Batch, Phase, TailUpdate};
use vintner::config::{Flags, Settings};
use vintner::domain::line::LogEvent;
use vintner::domain::schema::Schema;
use vintner::effects::logs;
use vintner::keys::Keymap;
use vintner::tabs::Now;
use vintner::ui;

#[path = "support/lambda_log.rs"]
#[allow(dead_code)]
mod lambda_log;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn app(size: Rect) -> App {
    let settings = Settings::load(Flags::default(), &|_| None).unwrap();
    let schema = Arc::new(Schema::wine_quality().clone());
    App::new(Arc::new(settings), schema, Keymap::default(), size)
}

fn frame(c: &mut Criterion) {
    let now = Now {
        mono: Instant::now(),
        wall: Timestamp::now(),
    };
    let mut group = c.benchmark_group("frame");
    for (width, height) in SIZES {
        let size = Rect::new(0, 0, width, height);
        group.bench_function(
            BenchmarkId::new("empty", format!("{width}x{height}")),
            |b| {
                b.iter(|| black_box(Buffer::empty(size)));
            },
        );
        for tab in ['1', '2', '3', '4'] {
            let mut app = app(size);
            app.update(press(tab), now);
            group.bench_function(
                BenchmarkId::new(format!("tab {tab}"), format!("{width}x{height}")),
                |b| {
                    b.iter(|| {
                        let mut buffer = Buffer::empty(size);
                        black_box(ui::render(&app, now, size, &mut buffer));
                        buffer
                    });
                },
            );
        }
    }
    group.finish();
}

/// Lines in the log, and how many more come with each update: a thousand a second come in ten pages.
const LINES: usize = 1_000_000;
const PAGE: usize = 100;

fn a_million_lines(c: &mut Criterion) {
    let now = Now {
        mono: Instant::now(),
        wall: Timestamp::now(),
    };
    let size = Rect::new(0, 0, 200, 60);
    let mut app = app(size);
    app.update(press('2'), now);
    let mut text = Vec::new();
    lambda_log::write(&mut text, LINES, 42).unwrap();
    let text = String::from_utf8(text).unwrap();
    let mut lines = text.lines().cycle().zip(1_i64..);
    let mut come = |app: &mut App, count: usize| {
        let events = lines.by_ref().take(count).map(event).collect();
        let batch = Batch {
            group: "/aws/lambda/wine".into(),
            phase: Phase::Live,
            events,
        };
        let event = logs::Event::Tail(0, TailUpdate::Events(batch));
        app.update(Msg::Event(event.into()), now);
    };
    for _ in 0..LINES / 5_000 {
        come(&mut app, 5_000);
    }
    let draw = |app: &App| {
        let mut buffer = Buffer::empty(size);
        black_box(ui::render(app, now, size, &mut buffer));
        buffer
    };
    let mut group = c.benchmark_group("frame with 1 M lines, 200x60");
    group.bench_function("drawn", |b| b.iter(|| draw(&app)));
    group.bench_function("100 more lines, then drawn", |b| {
        b.iter(|| {
            come(&mut app, PAGE);
            draw(&app)
        });
    });
    group.bench_function("a page up or down, then drawn", |b| {
        let mut up = false;
        b.iter(|| {
            up = !up;
            let key = if up {
                KeyCode::PageUp
            } else {
                KeyCode::PageDown
            };
            let key = KeyEvent::new(key, KeyModifiers::NONE);
            app.update(Msg::Term(TermEvent::Key(key)), now);
            draw(&app)
        });
    });
    group.finish();
}

/// A line as the tail brings it.
fn event((line, n): (&str, i64)) -> LogEvent {
    LogEvent {
        timestamp: 1_791_000_000_000 + n,
        ingestion_time: 1_791_000_000_400 + n,
        group: "/aws/lambda/wine".into(),
        stream: "2026/10/08/[$LATEST]0a1b".into(),
        event_id: Some(format!("{n:056}").into()),
        message: line.to_owned(),
    }
}

fn press(key: char) -> Msg {
    Msg::Term(TermEvent::Key(KeyEvent::new(
        KeyCode::Char(key),
        KeyModifiers::NONE,
    )))
}

criterion_group!(benches, frame, a_million_lines);
criterion_main!(benches);
