//! The form: keys, clicks and pastes become the bytes that are sent.

use crossterm::event::{Event as TermEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use vintner::effects::Effect;
use vintner::effects::predict::Effect as Asked;
use vintner::ui::theme::ThemeName;

use super::{DEMO, GOOD, answer, answered, sent, stage};
use crate::support::stage::Stage;

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
