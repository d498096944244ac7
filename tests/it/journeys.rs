//! The real loop with the real sandbox: a person presses keys and looks.

use vintner::config::Flags;

use crate::support::journey::journey;

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
