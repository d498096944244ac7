//! The configuration pane: masked values, and the comparison with a version or another target.

use super::*;

#[test]
fn values_of_the_environment_are_masked_until_asked_for() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    fill(&mut stage);
    stage.press("v v");
    stage.press("shift-g");
    let masked = stage.text();
    assert!(
        masked.contains("S3_BUCKET_NAME") && !masked.contains("wine-quality-mlops"),
        "{masked}"
    );
    stage.press("e");
    assert!(
        stage.text().contains("wine-quality-mlops"),
        "{}",
        stage.text()
    );
    assert!(
        !stage.text().contains("models/model.pkl"),
        "only the one asked for"
    );
    stage.press("e");
    assert!(!stage.text().contains("wine-quality-mlops"));
}

#[test]
fn a_version_is_compared_and_alerts_offer_their_alarm() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    fill(&mut stage);
    stage.press("d");
    let asked = stage.press("enter");
    let with = Other::Version("2".into());
    assert!(
        asked.contains(&Effect::Lambda(LambdaEffect::Compare {
            ticket: 0,
            with: with.clone()
        })),
        "{asked:?}"
    );
    let other = FunctionConfig {
        memory_mb: 512,
        ..config()
    };
    stage.event(Event::Compared {
        ticket: 0,
        with,
        overview: Ok(Box::new(Overview {
            config: Fact::Known(other),
            ..Overview::default()
        })),
    });
    assert!(
        stage.text().contains("512 MB → 1024 MB"),
        "{}",
        stage.text()
    );
    stage.press("shift-a");
    let copied = stage.press("y");
    assert!(
        copied
            .iter()
            .any(|e| matches!(e, Effect::Copy(text) if text.contains("put-metric-alarm"))),
        "{copied:?}"
    );
}

#[test]
fn two_targets_are_compared_without_giving_a_value_away() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    stage.connect();
    stage.press("3");
    fill_again(&mut stage, 1);
    stage.press("d");
    assert!(stage.text().contains("target aws"), "{}", stage.text());
    assert!(!stage.text().contains("target local"), "it has no AWS");
    let asked = stage.press("down down enter");
    let with = Other::Target("aws".into());
    assert!(
        asked.contains(&Effect::Lambda(LambdaEffect::Compare {
            ticket: 1,
            with: with.clone()
        })),
        "{asked:?}"
    );
    let mut there = overview();
    there.concurrency = Fact::Known(Concurrency {
        reserved: Some(5),
        account_limit: Fact::Known(1000),
    });
    there.config = Fact::Known(FunctionConfig {
        environment: vec![
            ("MODEL_KEY".into(), Secret::new("another-secret")),
            ("S3_BUCKET_NAME".into(), Secret::new("wine-quality-mlops")),
        ],
        ..config()
    });
    stage.event(Event::Compared {
        ticket: 1,
        with: with.clone(),
        overview: Ok(Box::new(there)),
    });
    let text = stage.text();
    for part in [
        "target aws → here: 2 differences",
        "env MODEL_KEY",
        "another value",
        "reserved         5 → none",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("another-secret"), "{text}");
    // Later comparisons that fail leave this one; "nothing" takes it away.
    stage.event(Event::Compared {
        ticket: 1,
        with,
        overview: Err("credentials expired".into()),
    });
    assert!(stage.text().contains("target aws: credentials expired"));
    stage.press("d shift-g down down down down down enter");
    assert!(
        !stage.text().contains("here: 2 differences"),
        "{}",
        stage.text()
    );
}

#[test]
fn a_long_environment_is_reached_and_revealed_at_its_end() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    fill(&mut stage);
    let mut described = overview();
    let variable = |n: usize| (format!("KEY_{n:03}"), Secret::new(format!("value-{n:03}")));
    described.config = Fact::Known(FunctionConfig {
        environment: (0..300).map(variable).collect(),
        ..config()
    });
    stage.event(Event::Described {
        ticket: 0,
        overview: Ok(Box::new(described)),
    });
    stage.press("v v shift-g e");
    assert!(
        stage.text().contains("KEY_299 = value-299"),
        "{}",
        stage.text()
    );
    stage.press("up up e");
    let text = stage.text();
    assert!(
        text.contains("KEY_297 = value-297") && text.contains("KEY_298 = •"),
        "{text}"
    );
    // From elsewhere the first press goes to the variables, the second shows one.
    stage.press("g e e");
    assert!(
        stage.text().contains("KEY_000 = value-000"),
        "{}",
        stage.text()
    );
}
