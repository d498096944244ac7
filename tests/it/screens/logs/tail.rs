//! What the tail says and what is kept of it.

use super::*;

#[test]
fn live_tail_and_looking_again_keep_lines_and_marks() {
    let mut stage = stage();
    stage.press("k k m");
    let mut effects = stage.press("shift-l r");
    let mut wishes = effects.drain(..).filter_map(|effect| match effect {
        Effect::Logs(LogsEffect::Wish(wishes)) => Some((wishes.live_tail, wishes.looks)),
        Effect::Logs(LogsEffect::Tail(..)) => panic!("the tail goes on"),
        _ => None,
    });
    assert_eq!(wishes.next(), Some((true, 0)));
    assert_eq!(wishes.next(), Some((true, 1)));
    assert!(stage.text().contains("174 lines"), "{}", stage.text());
}

#[test]
fn answers_of_an_older_tail_are_dropped() {
    let mut stage = stage();
    stage.press("shift-f x enter");
    tell(&mut stage, batch(Phase::Live, session()));
    let text = stage.text();
    assert!(text.contains("174 lines"), "{text}");
    assert!(text.contains("this target names no log group"), "{text}");
}

#[test]
fn an_empty_list_counts_down_to_the_next_attempt() {
    let mut stage = plain();
    let retry_at = stage.now().wall.as_millisecond() + 3_500;
    tell(
        &mut stage,
        TailUpdate::Status(Status::Throttled { retry_at }),
    );
    let text = stage.text();
    assert_eq!(text.matches("THROTTLED, retry in 4 s").count(), 2, "{text}");
}

#[test]
fn trouble_with_the_disk_leaves_the_chips_alone() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    stage.block_state();
    open(&mut stage);
    press(&mut stage, "& s c o r e d enter");
    let text = stage.text();
    assert!(text.contains("cannot spool: "), "{text}");
    assert!(
        text.contains("& scored") && text.contains("40 of 174 lines"),
        "{text}"
    );
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    stage.block_state();
    open(&mut stage);
    insta::assert_debug_snapshot!("logs-no-spool-80x24", stage.buffer());
}
