//! Tables scored row by row, in the tab and by the command.

use std::path::Path;

use crossterm::event::Event as TermEvent;
use predicates::prelude::*;
use predicates::str::contains;
use vintner::config::Flags;
use vintner::effects::Effect;
use vintner::effects::predict::{Effect as Asked, Event as Heard};

use super::{informed, stage, tally, vintner};
use crate::support::journey::journey_in;

#[test]
fn a_table_is_counted_then_asked_about_then_scored() {
    let mut stage = stage();
    informed(&mut stage);
    stage.press("c");
    stage.paste("'/tables/wines.csv'\n");
    let effects = stage.press("enter");
    let [Effect::Predict(Asked::ReadTable { ticket, from, .. })] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(from, Path::new("/tables/wines.csv"));
    let ticket = *ticket;
    let rows = Err("cannot read it".to_owned());
    stage.event(Heard::TableRead { ticket, rows });
    assert!(stage.text().contains("cannot read it"), "{}", stage.text());
    stage.event(Heard::TableRead {
        ticket,
        rows: Ok(1599),
    });
    assert!(
        stage.text().contains("1 599 rows, $0.0019 at list price"),
        "{}",
        stage.text()
    );
    stage.press("tab");
    assert!(stage.text().contains("nothing is sent"), "{}", stage.text());
    let effects = stage.press("enter");
    let [
        Effect::Predict(Asked::Batch {
            to, local: Some(_), ..
        }),
    ] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(to, Path::new("/tables/wines-scored.csv"));
    stage.event(Heard::BatchBegan {
        ticket,
        to: to.clone(),
    });
    stage.event(Heard::BatchScored {
        ticket,
        tally: Box::new(tally()),
    });
    let text = stage.text();
    assert!(
        text.contains("400 of 1599") && text.contains("30 s left"),
        "{text}"
    );
    assert_eq!(stage.press("esc"), [Asked::StopBatch.into()]);
    assert!(stage.text().contains("stopped"), "{}", stage.text());
}

#[test]
fn a_table_is_scored_through_the_real_loop() {
    let home = tempfile::tempdir().unwrap();
    let from = home.path().join("wines.csv");
    let header = "fixed acidity,volatile acidity,citric acid,residual sugar,chlorides,free sulfur dioxide,total sulfur dioxide,density,pH,sulphates,alcohol,quality";
    let row = "7.4,0.7,0,1.9,0.076,11,34,0.9978,3.51,0.56,9.4,5";
    std::fs::write(&from, format!("{header}\n{row}\n{row}\n")).unwrap();
    let path = from.display().to_string();
    journey_in(&home, (120, 36), Flags::default(), |hand| async move {
        hand.see("SANDBOX").await;
        hand.press("c");
        hand.see("Score a CSV file").await;
        hand.send(TermEvent::Paste(path));
        hand.press("enter");
        hand.see("2 rows").await;
        hand.press("enter");
        hand.see("done in").await;
        hand.see("0 without a score").await;
        hand.see("MAE").await;
    });
    let scored = std::fs::read_to_string(home.path().join("wines-scored.csv")).unwrap();
    assert_eq!(scored.matches(",200,").count(), 2, "{scored}");
}

#[test]
fn a_table_is_scored_and_a_second_run_finds_it_done() {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("in.csv"), home.path().join("out.csv"));
    let header = "fixed acidity;volatile acidity;citric acid;residual sugar;chlorides;free sulfur dioxide;total sulfur dioxide;density;pH;sulphates;alcohol;quality";
    std::fs::write(&from, format!("{header}\n7.4;0.7;0;1.9;0.076;11;34;0.9978;3.51;0.56;9.4;5\n7.8;x;0;2.6;0.098;25;67;0.9968;3.2;0.68;9.8;5\n7.4;0.3;0.4;1.9;0.076;11;34;0.9978;3.51;0.56;12;6\n")).unwrap();
    let args = [
        "predict",
        "--via",
        "local",
        "--csv",
        from.to_str().unwrap(),
        "--out",
        to.to_str().unwrap(),
    ];
    vintner(home.path()).args(args).assert().code(1).stdout(
        contains("3 rows")
            .and(contains("1 failed"))
            .and(contains("MAE"))
            .and(contains("2 of 2 in the same band")),
    );
    let scored = std::fs::read_to_string(&to).unwrap();
    assert!(
        scored
            .lines()
            .nth(2)
            .unwrap()
            .contains("not sent,volatile_acidity: `x` is not a number"),
        "{scored}"
    );
    vintner(home.path())
        .args(args)
        .assert()
        .code(1)
        .stdout(contains("0 rows").and(contains("(3 were there already)")));
    assert_eq!(std::fs::read_to_string(&to).unwrap(), scored);
}

#[test]
fn a_torn_or_unanswered_table_is_mended_by_the_next_run() {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("in.csv"), home.path().join("out.csv"));
    let header = "fixed acidity,volatile acidity,citric acid,residual sugar,chlorides,free sulfur dioxide,total sulfur dioxide,density,pH,sulphates,alcohol";
    // The second row is ragged: it has one cell more than the header.
    std::fs::write(&from, format!("{header}\n7.4,0.7,0,1.9,0.076,11,34,0.9978,3.51,0.56,9.4\n7.4,0.3,0.4,1.9,0.076,11,34,0.9978,3.51,0.56,12,extra\n7.8,0.9,0,2.6,0.098,25,67,0.9968,3.2,0.68,9.8\n")).unwrap();
    let run = |args: &[&str]| {
        let mut command = vintner(home.path());
        command
            .args(["predict", "--csv", from.to_str().unwrap()])
            .args(["--out", to.to_str().unwrap()])
            .args(args);
        command.assert()
    };
    let local = ["--via", "local"];
    let read = || std::fs::read_to_string(&to).unwrap();
    run(&local).success();
    let whole = read();
    assert_eq!(whole.lines().count(), 4, "{whole}");
    for end in [whole.len() - 1, whole.len() - 30, header.len() - 4] {
        std::fs::write(&to, &whole[..end]).unwrap();
        run(&local).success();
        assert_eq!(read(), whole, "cut at {end}");
    }
    std::fs::remove_file(&to).unwrap();
    run(&["--endpoint", "http://127.0.0.1:9/"])
        .code(1)
        .stdout(contains("3 failed"));
    assert_eq!(read().matches(",no answer,").count(), 3);
    let unanswered = read();
    // Answered, but with an error: sent again as well, while what has a score stays.
    for failed in [
        unanswered.replace(",no answer,", ",500,"),
        unanswered.clone(),
    ] {
        std::fs::write(&to, failed).unwrap();
        run(&local)
            .success()
            .stdout(contains("3 rows").and(contains("0 failed")));
        assert_eq!(read(), whole);
    }
    let sound: Vec<&str> = whole.lines().collect();
    let failed: Vec<&str> = unanswered.lines().collect();
    std::fs::write(&to, [sound[0], sound[1], failed[2], ""].join("\n")).unwrap();
    run(&local)
        .success()
        .stdout(contains("2 rows").and(contains("(1 were there already)")));
    assert_eq!(read(), whole, "in the table's order");
}

#[test]
fn a_column_that_is_there_twice_is_named_and_nothing_is_scored() {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("in.csv"), home.path().join("out.csv"));
    let header = "fixed acidity,volatile acidity,citric acid,residual sugar,chlorides,free sulfur dioxide,total sulfur dioxide,density,pH,sulphates,alcohol";
    let row = "7.4,0.7,0,1.9,0.076,11,34,0.9978,3.51,0.56,9.4";
    for (twice, named) in [("Alcohol", "alcohol"), ("quality,Quality", "quality")] {
        std::fs::write(&from, format!("{header},{twice}\n{row},5,6\n")).unwrap();
        let mut command = vintner(home.path());
        command
            .args(["predict", "--via", "local", "--csv"])
            .arg(&from);
        let at = if named == "alcohol" {
            "11 and 12"
        } else {
            "12 and 13"
        };
        let why = format!("in.csv: columns {at} are both {named}; keep one");
        command
            .arg("--out")
            .arg(&to)
            .assert()
            .code(2)
            .stderr(contains(why));
        assert!(!to.exists());
    }
}
