//! Answers and the history: stale, hostile, from another target.

use vintner::config::Flags;
use vintner::effects::Effect;
use vintner::effects::predict::Effect as Asked;
use vintner::ui::theme::ThemeName;

use super::{DEMO, GOOD, answer, answered, came_back, elsewhere, sent, stage};
use crate::support::stage::Stage;

#[test]
fn a_stale_answer_is_remembered_but_not_shown() {
    let mut stage = stage();
    stage.press("enter");
    let late = came_back(&stage, 1, Ok(answer(200, GOOD)));
    stage.press("enter");
    stage.event(late);
    assert!(stage.text().contains("History · 1") && stage.text().contains("waiting"));
}

#[test]
fn history_loads_replays_pins_and_filters() {
    let mut stage = stage();
    answered(&mut stage, Ok(answer(200, GOOD)));
    stage.press("right");
    answered(&mut stage, Err("TCP to x failed".into()));
    stage.press("tab down enter");
    assert!(
        stage.text().contains("request of 12:00:00 UTC"),
        "{}",
        stage.text()
    );
    assert_eq!(sent(stage.press("tab r")), [DEMO]);
    assert!(matches!(
        stage.press("*")[..],
        [Effect::Predict(Asked::Keep(_))]
    ));
    for word in ["t c p", "5 . 1 7 6", "a v e r a g e"] {
        stage.press(&format!("/ {word} enter"));
        assert!(stage.text().contains("1 of 2"), "{word}: {}", stage.text());
        stage.press("/ esc");
    }
    stage.press("esc d");
    assert!(stage.text().contains("Difference"), "{}", stage.text());
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
fn nothing_of_an_answer_is_cut_on_a_small_screen() {
    let better = GOOD
        .replace("5.175872006658752", "6.1")
        .replace("Average", "Good");
    for (size, change) in [
        ((80, 24), "Good   +0.924"),
        ((120, 36), "+0.924 to the last"),
    ] {
        let mut stage = Stage::new(size, ThemeName::Dark);
        stage.connect();
        answered(&mut stage, Ok(answer(200, GOOD)));
        answered(&mut stage, Ok(answer(200, &better)));
        let text = stage.text();
        assert!(text.contains(change), "{text}");
        assert_eq!(text.contains("to the"), size.0 > 80, "{text}");
        assert!(text.contains("182 ms v1.0"), "{text}");
        stage.connect_to(elsewhere());
        let text = stage.text();
        let (row, target) = ("182 ms sandbox", size.0 > 80);
        assert_eq!(text.contains(row), target, "{text}");
        assert!(text.contains("182 ms san"), "{text}");
        stage.press("down 4 5");
        let remark = "extrapolating: trained on 0.08 to 1.58";
        assert!(stage.text().contains(remark), "{}", stage.text());
    }
}
