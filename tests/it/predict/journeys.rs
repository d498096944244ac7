//! The tab in the real loop with the real sandbox.

use vintner::config::Flags;

use super::DEMO;
use crate::support::journey::{journey, journey_in};

#[test]
fn a_prediction_through_the_real_loop_survives_a_restart() {
    let home = tempfile::tempdir().unwrap();
    journey_in(&home, (120, 36), Flags::default(), |hand| async move {
        hand.see("SANDBOX").await;
        hand.press("enter");
        hand.see("JSON").await;
        hand.see("History · 1").await;
        hand.press("y j enter");
        hand.see("copied the body").await;
        assert_eq!(hand.copied(), [DEMO]);
    });
    journey_in(&home, (120, 36), Flags::default(), |hand| async move {
        hand.see("History · 1").await;
        hand.press("tab enter");
        hand.see("request of").await;
    });
}

#[test]
fn a_comparison_does_not_cancel_the_prediction_before_it() {
    journey((120, 36), Flags::default(), |hand| async move {
        hand.see("SANDBOX").await;
        hand.press("enter a");
        hand.see("same score").await;
        hand.see("History · 1").await;
    });
}

#[test]
fn three_ways_agree_in_the_sandbox() {
    journey((120, 36), Flags::default(), |hand| async move {
        hand.see("SANDBOX").await;
        hand.see("What if · Fixed acidity").await;
        hand.press("a");
        hand.see("same score").await;
        hand.press("esc shift-w");
        hand.see("Tornado").await;
    });
}
