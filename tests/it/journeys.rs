//! The real loop with the real sandbox: a person presses keys and looks.

use vintner::config::Flags;

use std::time::Duration;

use crate::support::journey::{Hand, journey, journey_without_a_server};

/// A fast sandbox where nothing happens but what the person does.
fn quiet() -> Flags {
    Flags {
        speed: Some(50.0),
        rate: Some(0.0),
        ..Flags::default()
    }
}

/// How many lines the Logs tab says it has: the number at the end of a row, before the word.
fn lines(hand: &Hand) -> Option<usize> {
    let text = hand.text();
    let row = text.lines().find_map(|row| {
        let row = row.trim_matches(['"', ' ']).strip_suffix(" lines")?;
        row.ends_with(|c: char| c.is_ascii_digit()).then_some(row)
    })?;
    let (_, count) = row.rsplit_once("  ")?;
    count.replace(' ', "").parse().ok()
}

/// Waits for a condition on the screen, or fails with the screen.
async fn until(hand: &Hand, what: &str, condition: impl Fn() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(waited.await.is_ok(), "never saw {what}:\n{}", hand.text());
}

/// Waits until the tail is live and has read the history; says how many lines there are.
async fn settled(hand: &Hand) -> usize {
    hand.see("LIVE").await;
    until(hand, "a number of lines", || lines(hand).is_some()).await;
    // The sandbox is quiet: a second without a new line means that all are there.
    let mut last = lines(hand);
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = lines(hand);
        if now.is_some() && now == last {
            return now.unwrap_or_default();
        }
        last = now;
    }
}

#[test]
fn it_connects_to_the_sandbox_and_walks_the_tabs() {
    journey((120, 36), Flags::default(), |hand| async move {
        hand.see("SANDBOX").await;
        hand.press("2");
        hand.see("Logs").await;
        hand.press("?");
        hand.see("Keys · Logs").await;
        hand.press("esc : q u i t");
        hand.see("> quit").await;
    });
}

#[test]
fn a_prediction_leaves_its_lines_in_the_logs() {
    journey((120, 36), quiet(), |hand| async move {
        hand.see("SANDBOX").await;
        hand.press("2");
        let before = settled(&hand).await;
        hand.press("1 enter");
        hand.see("Average").await;
        hand.press("2 shift-g");
        let more = || lines(&hand).is_some_and(|now| now >= before + 3);
        until(&hand, "START, END and REPORT", more).await;
        hand.see("REPORT").await;
    });
}

#[test]
fn a_missing_permission_is_diagnosed_with_its_fix() {
    journey((120, 36), quiet(), |hand| async move {
        hand.see("SANDBOX").await;
        hand.press(": p e r m i s s i o n - m i s s i n g enter");
        hand.see("incident: permission-missing").await;
        hand.press("1 enter");
        hand.see("500").await;
        hand.press("shift-d");
        hand.see("add-permission").await;
        hand.press("y");
        until(&hand, "the copy", || !hand.copied().is_empty()).await;
        assert!(
            hand.copied()[0].contains("aws lambda add-permission"),
            "{:?}",
            hand.copied()
        );
    });
}

#[test]
fn a_promoted_model_is_served_and_a_rollback_brings_the_old_one_back() {
    journey((120, 40), quiet(), |hand| async move {
        hand.see("champion v0001").await;
        hand.press("4 enter");
        hand.see("Verdict on v0002").await;
        hand.press("shift-p");
        hand.see("Confirm").await;
        hand.press("y");
        hand.see("champion v0002").await;
        hand.press("1 enter");
        hand.see("model v0002").await;
        hand.see("local v0002").await;
        hand.press("4 shift-b");
        hand.see("Confirm").await;
        hand.press("y");
        hand.see("champion v0001").await;
        hand.press("1 enter");
        hand.see("model v0001").await;
        hand.see("local v0001").await;
    });
}

#[test]
fn an_idle_screen_is_not_drawn_and_a_sentence_goes_by_itself() {
    let home = tempfile::tempdir().unwrap();
    journey_without_a_server(&home, (120, 36), |hand| async move {
        hand.see("local").await;
        hand.see("What if · Fixed acidity").await;
        tokio::time::sleep(Duration::from_mins(1)).await;
        let before = hand.drawn();
        tokio::time::sleep(Duration::from_hours(1)).await;
        assert_eq!(hand.drawn(), before, "{}", hand.text());
        hand.press("0");
        hand.see("is 7.4 already").await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(hand.text().contains("is 7.4 already"), "{}", hand.text());
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(!hand.text().contains("is 7.4 already"), "{}", hand.text());
    });
}

#[test]
fn an_age_is_drawn_every_second_at_first_and_every_minute_later() {
    let home = tempfile::tempdir().unwrap();
    journey_without_a_server(&home, (120, 36), |hand| async move {
        hand.see("What if · Fixed acidity").await;
        hand.press("enter");
        hand.see("History · 1").await;
        let seconds = Duration::from_secs(100);
        let before = hand.drawn();
        tokio::time::sleep(seconds).await;
        let each_second = hand.drawn() - before;
        assert!((98..=102).contains(&each_second), "{each_second}");
        tokio::time::sleep(Duration::from_mins(2)).await;
        let before = hand.drawn();
        tokio::time::sleep(Duration::from_hours(1)).await;
        let each_minute = hand.drawn() - before;
        assert!((59..=61).contains(&each_minute), "{each_minute}");
    });
}
