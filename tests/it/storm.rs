//! Ten thousand random keys, pastes, clicks and resizes: whatever comes, no panic, and quitting still works.

use crossterm::event::{
    Event as TermEvent, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vintner::config::Flags;
use vintner::effects::Effect;
use vintner::ui::theme::ThemeName;

use crate::support::journey::journey;
use crate::support::stage::Stage;

const PASTES: [&str; 9] = [
    "",
    "{\"alcohol\": 1e999, \"pH\": \"x\"}",
    "curl -X POST https://x -d '{\"alcohol\":12}'",
    "7.4;0.7;0;1.9;0.076;11;34;0.9978;3.51;0.56;9.4;0",
    "\u{1b}[31m\u{202e}evil\u{7}\0",
    "日本語のペースト 🍷 e\u{301}",
    "a\r\nb\r\n\r\nc",
    "alcohol=12 nonsense==",
    "((((((((((((((((((((((((",
];

fn any_event(rng: &mut ChaCha8Rng) -> TermEvent {
    match rng.gen_range(0..100) {
        0..=2 => TermEvent::Resize(rng.gen_range(0..260), rng.gen_range(0..90)),
        3..=5 => TermEvent::Paste((*PASTES.choose(rng).unwrap()).to_owned()),
        6..=9 => TermEvent::Mouse(any_mouse(rng)),
        _ => TermEvent::Key(any_key(rng)),
    }
}

fn any_mouse(rng: &mut ChaCha8Rng) -> MouseEvent {
    let kinds = [
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::ScrollDown,
        MouseEventKind::ScrollUp,
    ];
    MouseEvent {
        kind: *kinds.choose(rng).unwrap(),
        column: rng.gen_range(0..300),
        row: rng.gen_range(0..100),
        modifiers: KeyModifiers::NONE,
    }
}

/// Any key but those that would end the storm.
fn any_key(rng: &mut ChaCha8Rng) -> KeyEvent {
    use KeyCode::{
        BackTab, Backspace, Delete, Down, End, Enter, Esc, F, Home, Insert, Left, PageDown, PageUp,
        Right, Tab, Up,
    };
    let named = [
        Up,
        Down,
        Left,
        Right,
        Home,
        End,
        PageUp,
        PageDown,
        Enter,
        Esc,
        Tab,
        BackTab,
        Backspace,
        Delete,
        Insert,
        F(1),
        F(12),
    ];
    let code = if rng.gen_bool(0.4) {
        *named.choose(rng).unwrap()
    } else {
        KeyCode::Char(any_char(rng))
    };
    let modifiers = [
        KeyModifiers::NONE,
        KeyModifiers::NONE,
        KeyModifiers::NONE,
        KeyModifiers::SHIFT,
        KeyModifiers::CONTROL,
        KeyModifiers::ALT,
    ];
    let key = KeyEvent::new(code, *modifiers.choose(rng).unwrap());
    let ends = key.modifiers == KeyModifiers::CONTROL
        && matches!(key.code, KeyCode::Char('c' | 'C' | 'z' | 'Z'));
    if ends {
        KeyEvent::new(Esc, KeyModifiers::NONE)
    } else {
        key
    }
}

fn any_char(rng: &mut ChaCha8Rng) -> char {
    match rng.gen_range(0..10) {
        0 => *['é', '日', '🍷', '\u{301}', '\u{202e}']
            .choose(rng)
            .unwrap(),
        _ => char::from(rng.gen_range(b' '..=b'~')),
    }
}

#[test]
fn ten_thousand_random_events_on_stage() {
    let mut stage = Stage::new((120, 36), ThemeName::Dark);
    stage.start();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for turn in 0..10_000 {
        stage.term(any_event(&mut rng));
        if turn % 7 == 0 {
            stage.buffer();
        }
    }
    assert!(stage.press("ctrl-c").contains(&Effect::Quit));
}

#[test]
fn three_thousand_random_events_on_what_lies_on_top_and_nothing_but_ascii() {
    let flags = Flags {
        ascii: true,
        ..Flags::default()
    };
    let mut stage = Stage::with((80, 24), flags);
    stage.connect();
    let mut rng = ChaCha8Rng::seed_from_u64(23);
    let doors = [
        ":",
        ": t h e m e enter",
        "shift-t",
        "?",
        "shift-d",
        "shift-a",
        "p",
        "y",
    ];
    for turn in 0..3000 {
        if turn % 12 == 0 {
            stage.press("esc esc esc esc");
            let tab = rng.gen_range(1..=4);
            stage.press(&format!("{tab} {}", doors.choose(&mut rng).unwrap()));
        }
        stage.term(any_event(&mut rng));
        if turn % 5 == 0 {
            let text = stage.text();
            assert!(text.is_ascii(), "{text}");
        }
    }
    assert!(stage.press("ctrl-c").contains(&Effect::Quit));
}

#[test]
fn a_storm_over_the_running_sandbox() {
    let flags = Flags {
        speed: Some(50.0),
        rate: Some(20.0),
        ..Flags::default()
    };
    journey((120, 36), flags, |hand| async move {
        hand.see("SANDBOX").await;
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        for _ in 0..1500 {
            let event = any_event(&mut rng);
            let quits = matches!(
                event,
                TermEvent::Key(KeyEvent {
                    code: KeyCode::Char('q'),
                    ..
                })
            );
            if !quits && !matches!(event, TermEvent::Resize(..)) {
                hand.send(event);
            }
            tokio::task::yield_now().await;
        }
        hand.press("esc esc esc esc shift-t");
        hand.see("SANDBOX").await;
    });
}
