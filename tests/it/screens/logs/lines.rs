//! The lines: scrolling, searching, context, columns, jumps.

use super::*;

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

/// Lines that only differ in their number, one a second.
fn numbered(stage: &mut Stage, from: i64, to: i64, word: &str) {
    let events = (from..to).map(|n| event(n * 1000, "aaaa", format!("{word} {n}")));
    tell(stage, batch(Phase::Live, events.collect()));
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
fn scrolling_right_ends_where_the_longest_line_on_screen_does() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    open(&mut stage);
    for _ in 0..20 {
        stage.press("right");
    }
    let text = stage.text();
    let rows = text.lines().skip(6).filter(|row| row.contains("11:5"));
    let longest = rows.max_by_key(|row| row.chars().count()).unwrap();
    assert!(longest.contains(" …") && !longest.ends_with('…'), "{text}");
    assert_eq!(longest.chars().count(), 80, "{text}");
    stage.press("left left left left");
    assert!(stage.text().contains("START  00000064"), "{}", stage.text());
}
