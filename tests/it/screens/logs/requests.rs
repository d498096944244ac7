//! Requests, and the figures that lead to them.

use super::*;

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
fn following_among_requests_leaves_the_lines_alone() {
    let mut stage = stage();
    stage.press("v right j j f v v");
    assert!(stage.text().contains("LIVE"), "{}", stage.text());
    stage.press("v");
    assert!(stage.text().contains("started▼"), "{}", stage.text());
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
