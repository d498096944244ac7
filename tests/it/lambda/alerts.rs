//! The alert rules on screen: drift, the list that lives, silence.

use super::*;

#[test]
fn drift_is_collected_and_then_suggests_a_retraining() {
    use vintner::domain::drift::{Drift, Reference};
    use vintner::effects::lambda::Drifted;
    let alcohol: Vec<f32> = (0..1000).map(|row| 8.0 + row as f32 * 0.006).collect();
    let reference = Reference::of([("alcohol".to_owned(), alcohol)]);
    let drifted = |rows: usize| {
        let report = reference.compare(&[vec![13.9; rows]]).unwrap();
        let version = vintner::registry::Version::FIRST;
        (
            report.drift,
            Event::Drifted(Ok(Box::new(Drifted {
                version,
                report,
                in_sample: false,
            }))),
        )
    };
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    fill(&mut stage);
    let (drift, news) = drifted(37);
    assert_eq!(drift, Drift::Collecting);
    stage.event(news);
    assert!(
        stage.text().contains("collecting 37/50"),
        "{}",
        stage.text()
    );
    let (drift, news) = drifted(200);
    assert_eq!(drift, Drift::Alert);
    let effects = stage.event(news);
    assert!(
        stage.text().contains("retrain suggested"),
        "{}",
        stage.text()
    );
    let told = |effect: &Effect| matches!(effect, Effect::Notify(text) if text.contains("retrain"));
    assert!(effects.iter().any(told), "{effects:?}");
}

#[test]
fn the_alert_list_lives_and_keeps_what_is_over() {
    for size in SIZES {
        let mut stage = Stage::new(size, ThemeName::Dark);
        fill(&mut stage);
        stage.press("shift-a");
        assert!(
            stage.text().contains("nothing has fired"),
            "{}",
            stage.text()
        );
        let now = stage.now().wall.as_millisecond();
        let hear = |stage: &mut Stage, lines: Vec<CallLine>| {
            let reports = Reports {
                lines,
                since_ms: now - 3_600_000,
                cut: false,
            };
            let reports = Fact::Known(reports);
            stage.event(Event::Reports { ticket: 0, reports });
        };
        hear(&mut stage, vec![full(now - 1000, 1, 1000)]);
        let text = stage.text();
        assert!(text.contains("now: memory used 98 %"), "{size:?}: {text}");
        stage.wait(std::time::Duration::from_mins(10));
        let later = stage.now().wall.as_millisecond() - 1000;
        hear(&mut stage, vec![full(later, 2, 237)]);
        let text = stage.text();
        assert!(
            text.contains("10 min ago: memory used 98 %") && text.contains("over after 10 min"),
            "{size:?}: {text}"
        );
        stage.press("down down down down down");
        assert!(
            stage.text().contains("needs Lambda Insights"),
            "{}",
            stage.text()
        );
    }
}

#[test]
fn a_silence_that_began_before_the_window_is_noticed() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    stage.press("3");
    stage.event(Event::Described {
        ticket: 0,
        overview: Ok(Box::new(overview())),
    });
    let since_ms = stage.now().wall.as_millisecond() - 3_600_000;
    let nothing = Reports {
        since_ms,
        ..Reports::default()
    };
    stage.event(Event::Reports {
        ticket: 0,
        reports: Fact::Known(nothing),
    });
    let text = stage.text();
    assert!(
        text.contains("no events for 60 min (limit 15 min)"),
        "{text}"
    );
}

#[test]
fn an_alarm_that_has_no_room_says_how_much_is_missing() {
    let mut stage = Stage::new(SIZES[0], ThemeName::Dark);
    fill(&mut stage);
    stage.press("shift-a");
    let text = stage.text();
    assert!(text.contains("aws cloudwatch put-metric-alarm"), "{text}");
    assert!(text.contains("lines more: y copies all)"), "{text}");
}
