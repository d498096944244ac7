//! How long a frame takes: every tab in every size, beside an empty screen of the same size.

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
use vintner::config::{Flags, Settings};
use vintner::domain::schema::Schema;
use vintner::keys::Keymap;
use vintner::tabs::Now;
use vintner::ui;

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
            let key = KeyEvent::new(KeyCode::Char(tab), KeyModifiers::NONE);
            app.update(Msg::Term(TermEvent::Key(key)), now);
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

criterion_group!(benches, frame);
criterion_main!(benches);
