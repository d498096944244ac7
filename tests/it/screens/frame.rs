//! What surrounds the tabs: header, footer, sentences over it, palette, help, menus, questions; by key and by mouse.

use std::sync::Arc;

use crossterm::event::{Event as TermEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use vintner::client::link::Session;
use vintner::config::Flags;
use vintner::domain::schema::Schema;
use vintner::effects::{Effect, Event};
use vintner::keys::Keymap;
use vintner::sandbox::Incident;
use vintner::ui::theme::ThemeName;

use crate::lambda;
use crate::support::stage::{SIZES, Stage};

fn stage() -> Stage {
    Stage::new((80, 24), ThemeName::Dark)
}

/// The first lines of the screen.
fn header(stage: &Stage) -> String {
    stage.text().lines().take(2).collect::<Vec<_>>().join("\n")
}

fn last_line(stage: &Stage) -> String {
    stage.text().lines().last().unwrap_or_default().to_owned()
}

fn mouse(stage: &mut Stage, kind: MouseEventKind, (column, row): (u16, u16)) -> Vec<Effect> {
    stage.term(TermEvent::Mouse(MouseEvent {
        kind,
        column,
        row,
        modifiers: KeyModifiers::NONE,
    }))
}

/// Clicks where the screen says `text`.
fn click(stage: &mut Stage, text: &str) -> Vec<Effect> {
    let screen = stage.text();
    let found = screen.lines().enumerate().find_map(|(y, line)| {
        let at = line.find(text)?;
        Some((line[..at].chars().count() as u16, y as u16))
    });
    let at = found.unwrap_or_else(|| panic!("no {text:?} on\n{screen}"));
    mouse(stage, MouseEventKind::Down(MouseButton::Left), at)
}

#[test]
fn the_frame_looks_right() {
    crate::assert_screens!("connected", |stage| {
        stage.connect();
    });
    crate::assert_screens!("incident", |stage| {
        stage.connect();
        stage.event(Event::IncidentSet(Some(Incident::PermissionWrongSourceArn)));
        stage.wait(std::time::Duration::from_secs(5));
    });
    crate::assert_screens!("elsewhere", |stage| {
        stage.connect_to(elsewhere());
    });
    crate::assert_screens!("error", |stage| {
        stage.connect();
        stage.event(unreachable());
    });
}

#[test]
fn what_lies_on_top_looks_right() {
    crate::assert_screens!("help", |stage| {
        stage.press("2 ?");
    });
    crate::assert_screens!("palette", |stage| {
        stage.connect();
        stage.press(": t h e m e");
    });
    crate::assert_screens!("palette-incident", |stage| {
        stage.connect();
        stage.press(": m e m o r y");
    });
    crate::assert_screens!("confirm", |stage| {
        stage.connect_to(elsewhere());
        stage.press("b");
    });
    crate::assert_screens!("menu-presets", |stage| {
        stage.press("p down");
    });
    crate::assert_screens!("menu-copy", |stage| {
        stage.press("y");
    });
}

#[test]
fn ascii_is_ascii_with_the_lambda_tab_full() {
    for set in [lambda::diagnosed, lambda::fill] {
        crate::support::stage::assert_ascii(&set);
    }
}

fn elsewhere() -> Session {
    Session {
        target: "production".into(),
        account: Some("123456789012".into()),
        region: "ap-southeast-2".into(),
        function: "arn:aws:lambda:ap-southeast-2:123456789012:function:wine-quality-predictor:live"
            .into(),
        endpoint: "https://mc7310utyk.execute-api.ap-southeast-2.amazonaws.com/".into(),
        champion: Some("v0012".into()),
        serves: Some(vec!["v0011".into()]),
        ..Session::default()
    }
}

fn unreachable() -> Event {
    Event::Unconnected {
        target: "production".into(),
        error:
            "credentials expired for profile production: run `aws sso login --profile production`"
                .into(),
    }
}

#[test]
fn the_header_says_where_we_are_at_every_width_and_cuts_nothing_without_a_sign() {
    for width in 60..=200 {
        let mut stage = Stage::new((width, 24), ThemeName::Dark);
        stage.connect();
        stage.event(Event::IncidentSet(Some(Incident::PermissionWrongSourceArn)));
        let text = header(&stage);
        for fact in [
            "SANDBOX",
            "123456789012/us-east-2",
            "wine-quality-predictor",
        ] {
            assert!(text.contains(fact), "{width}: no {fact} in\n{text}");
        }
        assert!(
            !text.contains("sandbox"),
            "the sandbox is named twice:\n{text}"
        );
        let whole = text.contains("permission-wrong-source-arn") || text.contains('…');
        assert!(
            whole,
            "{width}: the incident is cut without a sign in\n{text}"
        );
        stage.connect_to(elsewhere());
        let text = header(&stage);
        assert!(
            text.contains("123456789012/ap-southeast-2"),
            "{width}:\n{text}"
        );
        assert!(
            text.contains("v0011") || text.contains('…') || text.contains("not v0012"),
            "{width}:\n{text}"
        );
    }
}

#[test]
fn bad_news_stays_until_escape_and_hides_no_line_of_the_tab() {
    let mut stage = stage();
    stage.connect();
    stage.event(unreachable());
    stage.wait(std::time::Duration::from_hours(1));
    stage.press("down");
    let text = stage.text();
    assert!(
        text.contains("aws sso") && text.contains("login --profile production"),
        "{text}"
    );
    assert!(
        text.contains("median"),
        "the last line of the form can be read:\n{text}"
    );
    stage.press("esc");
    assert!(!stage.text().contains("sso login"), "{}", stage.text());
    assert!(last_line(&stage).contains("? help"), "{}", stage.text());
}

#[test]
fn news_goes_by_itself() {
    let mut stage = stage();
    stage.connect();
    stage.event(Event::IncidentSet(None));
    assert!(
        last_line(&stage).contains("healthy again"),
        "{}",
        stage.text()
    );
    stage.wait(std::time::Duration::from_secs(5));
    stage.press("down");
    assert!(last_line(&stage).contains("? help"), "{}", stage.text());
}

#[test]
fn the_palette_opens_tabs_fills_presets_and_changes_colours() {
    let mut stage = stage();
    stage.connect();
    stage.press(": t a b space l o g s enter");
    assert!(stage.text().contains("lines"), "{}", stage.text());
    let preset = vintner::domain::schema::Schema::wine_quality().presets[1]
        .label
        .clone();
    stage.press(":");
    stage.paste(&format!("preset {preset}"));
    stage.press("enter");
    assert!(
        stage.text().contains(&format!("Request · {preset}")),
        "{}",
        stage.text()
    );
    let coloured = |stage: &Stage| {
        let buffer = stage.buffer();
        buffer
            .content
            .iter()
            .any(|cell| cell.fg != ratatui::style::Color::Reset)
    };
    assert!(coloured(&stage));
    stage.press(": t h e m e space m o n o enter");
    assert!(!coloured(&stage));
    stage.press(":");
    stage.paste("is killed for using");
    assert_eq!(
        stage.press("enter"),
        [Effect::Incident(Some(Incident::OutOfMemory))]
    );
}

#[test]
fn keys_of_ones_own_are_shown_and_heard_everywhere() {
    let mine = "[global]\nback = [\"f12\"]\nsubmit = [\"f2\"]\n[predict]\nsend-raw = [\"ctrl-s\"]";
    let mut keymap = Keymap::default();
    keymap.merge(Keymap::parse(mine, "keys.toml").unwrap());
    let schema = Arc::new(Schema::wine_quality().clone());
    let mut stage = Stage::of((120, 40), Flags::default(), schema, keymap);
    stage.connect();
    for (keys, hint) in [
        ("p", "F2 or its number chooses  F12 closes"),
        ("b", "F2 starts  ↑↓ choose  ←→ change  F12 no"),
        ("c", "F2 reads it  Tab gateway or local  F12 no"),
        ("shift-t", "F2 connect"),
        ("shift-a", "F12 close"),
        ("e", "F12 puts the old value back"),
    ] {
        stage.press(keys);
        let text = stage.text();
        assert!(text.contains(hint), "{keys}: no {hint:?} in\n{text}");
        assert!(
            !text.contains("Esc") && !text.contains("Enter"),
            "{keys}:\n{text}"
        );
        stage.press("f12");
        assert!(!stage.text().contains(hint), "{keys}:\n{text}");
    }
    stage.press(": f 2 esc");
    assert!(stage.text().contains("> f2"), "{}", stage.text());
    stage.press("f12 backspace f2");
    assert!(
        stage.text().contains("^S sends it anyway"),
        "{}",
        stage.text()
    );
}

#[test]
fn help_scrolls_to_its_end_and_says_what_is_below() {
    let mut stage = stage();
    stage.press("?");
    assert!(stage.text().contains("▼"), "{}", stage.text());
    assert!(
        stage.text().contains("send the inputs to the endpoint"),
        "{}",
        stage.text()
    );
    stage.press("down down");
    stage.press("shift-g");
    let end = stage.text();
    assert!(
        end.contains("quit from anywhere") && !end.contains("▼"),
        "{end}"
    );
    stage.press("up");
    assert_ne!(stage.text(), end, "one key up from the end moves");
    mouse(&mut stage, MouseEventKind::ScrollUp, (40, 10));
    stage.press("g");
    assert!(stage.text().contains("measure latency"), "{}", stage.text());
}

#[test]
fn clicks_do_what_the_screen_says_there() {
    let mut stage = stage();
    stage.connect();
    click(&mut stage, "2 Logs");
    assert!(
        stage.text().contains("requests  errors"),
        "{}",
        stage.text()
    );
    click(&mut stage, "? help");
    assert!(stage.text().contains("Keys · Logs"), "{}", stage.text());
    mouse(&mut stage, MouseEventKind::Down(MouseButton::Left), (0, 0));
    assert!(!stage.text().contains("Keys · Logs"), "{}", stage.text());
    click(&mut stage, ": commands");
    stage.press("t h e m e");
    click(&mut stage, "theme mono");
    assert!(!stage.text().contains("Commands"), "{}", stage.text());
}

#[test]
fn the_wheel_moves_what_lies_on_top_and_never_what_is_under_it() {
    let mut stage = stage();
    stage.press("?");
    let before = stage.text();
    mouse(&mut stage, MouseEventKind::ScrollDown, (40, 10));
    assert_ne!(stage.text(), before);
    stage.press("esc");
    let form = stage.text();
    stage.press(":");
    mouse(&mut stage, MouseEventKind::ScrollDown, (10, 8));
    stage.press("esc");
    assert_eq!(stage.text(), form);
}

#[test]
fn each_list_marks_its_cursor_the_same_way() {
    let mut stage = Stage::with(
        SIZES[0],
        Flags {
            theme: Some(ThemeName::Dark),
            ..Flags::default()
        },
    );
    stage.connect();
    for keys in [":", "shift-t", "p", "shift-a"] {
        stage.press(keys);
        let buffer = stage.buffer();
        let marked = (2..23_u16).find(|y| {
            let row: Vec<_> = (20..60_u16).map(|x| &buffer[(x, *y)]).collect();
            row.iter().all(|cell| {
                cell.modifier == ratatui::style::Modifier::REVERSED
                    && cell.fg == ratatui::style::Color::Reset
            })
        });
        assert!(marked.is_some(), "{keys}:\n{}", stage.text());
        stage.press("esc");
    }
}

#[test]
fn an_open_prompt_shows_its_own_keys_and_hears_a_click_on_them() {
    let mut stage = stage();
    stage.connect();
    stage.press("2 /");
    let text = stage.text();
    assert!(text.contains("Esc leave it as it was"), "{text}");
    assert!(
        !text.contains("? help"),
        "a question mark is typed here: {text}"
    );
    click(&mut stage, "Esc leave it");
    assert!(stage.text().contains("? help"), "{}", stage.text());
}
