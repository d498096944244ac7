//! Filters and searches: stacked, typed, composed, at CloudWatch.

use super::*;

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

#[test]
fn a_long_complaint_leaves_what_was_typed_in_view() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    open(&mut stage);
    press(&mut stage, "/");
    stage.paste("/one two three (four/");
    let text = stage.text();
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows[5], " /  /one two three (four/", "{text}");
    let complaint = " bad regular expression `one two three (four` at character 15: unclosed group";
    assert_eq!(rows[6], complaint, "{text}");
    press(&mut stage, "esc");
    assert!(!stage.text().contains("unclosed"));
}
