//! Errors, grouped.

use super::*;

#[test]
fn errors_are_grouped_and_lead_to_their_lines() {
    let mut stage = stage();
    press(&mut stage, "e");
    let text = stage.text();
    assert!(
        text.contains("could not convert string to float: <str>"),
        "{text}"
    );
    press(&mut stage, "enter");
    assert!(stage.text().contains("1 of 174 lines"), "{}", stage.text());
}

#[test]
fn errors_that_a_deploy_brought_are_marked() {
    let mut stage = stage();
    stage.press("e");
    let row = |stage: &Stage, error: &str| {
        let text = stage.text();
        let row = text.lines().find(|line| line.contains(error));
        row.unwrap_or_else(|| panic!("{error}: {text}")).to_owned()
    };
    assert!(!row(&stage, "timed out").contains("new"));
    let deployed = |stage: &mut Stage, at: &str| {
        let mut overview = crate::lambda::overview();
        let Fact::Known(config) = &mut overview.config else {
            panic!("the overview has a configuration")
        };
        at.clone_into(&mut config.last_modified);
        stage.event(lambda::Event::Described {
            ticket: 0,
            overview: Ok(Box::new(overview)),
        });
    };
    deployed(&mut stage, "2026-11-23T11:59:50.000+0000");
    assert!(row(&stage, "timed out").contains(" new "));
    assert!(!row(&stage, "could not convert").contains(" new "));
    assert!(
        stage.text().contains("since the deploy at 11:59"),
        "{}",
        stage.text()
    );

    // Lines from before the deploy were never asked for: an old error would look new.
    open_connected(&mut stage);
    let lines = batch(Phase::History, session());
    stage.event(LogsEvent::Tail(1, lines));
    deployed(&mut stage, "2026-11-21T08:00:00.000+0000");
    assert!(!row(&stage, "timed out").contains(" new "));
    assert!(
        stage.text().contains("deployed before the first line read"),
        "{}",
        stage.text()
    );
}
