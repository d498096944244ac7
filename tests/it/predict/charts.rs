//! What-if, tornado, explanation, and the sweep over the endpoint.

use vintner::domain::features::Features;
use vintner::domain::schema::Schema;
use vintner::effects::predict::{Effect as Asked, Event as Heard};
use vintner::effects::{Effect, Event};
use vintner::ui::theme::ThemeName;

use super::{informed, local, stage, vintner};
use crate::support::stage::Stage;

#[test]
fn a_new_champion_is_loaded_for_what_if_once_the_tab_is_open() {
    let mut stage = stage();
    let champion = || Event::Champion(Some("v0002".into()));
    assert_eq!(stage.event(champion()), [], "nothing is loaded yet");
    stage.start();
    assert_eq!(stage.event(champion()), [Asked::LoadLocal.into()]);
}

#[test]
fn charts_open_where_they_can_be_seen_and_close_again() {
    for (size, place) in [
        ((80, 24), "Answer"),
        ((120, 36), "History"),
        ((200, 60), "now 5.134"),
    ] {
        let mut stage = Stage::new(size, ThemeName::Dark);
        stage.start();
        informed(&mut stage);
        for (key, title) in [
            ("w", "What if · Fixed acidity"),
            ("shift-w", "Tornado"),
            ("x", "Explanation"),
        ] {
            let before = stage.text();
            stage.press(key);
            let text = stage.text();
            assert!(
                text.contains(title) && text != before,
                "{size:?} {key}\n{text}"
            );
            stage.press("esc");
            assert_eq!(stage.text(), before, "{key} {place}");
        }
    }
}

#[test]
fn an_explanation_leads_from_the_mean_to_the_local_score() {
    let mut stage = stage();
    informed(&mut stage);
    stage.press("x");
    let text = stage.text();
    let explanation = local()
        .explain(
            &Features::from_values(
                Schema::wine_quality(),
                &Schema::wine_quality().presets[0].values,
            )
            .unwrap(),
        )
        .unwrap();
    let (mean, score) = (explanation.base, explanation.score());
    assert!(
        text.contains(&format!("mean prediction  {mean:>6.3}")),
        "{text}"
    );
    assert!(
        text.contains(&format!("score            {score:>6.3}")),
        "{text}"
    );
    let (top, part) = explanation.ranked()[0];
    let label = &Schema::wine_quality().features[top].label;
    assert!(
        text.contains(&format!("{label:<16} {part:>+6.3}")),
        "{text}"
    );
}

#[test]
fn a_sweep_of_the_endpoint_asks_first_and_is_shown_while_the_form_says_the_same() {
    let mut stage = Stage::new((120, 36), ThemeName::Dark);
    stage.start();
    informed(&mut stage);
    assert!(stage.press("s").is_empty());
    assert!(
        stage
            .text()
            .contains("with 21 predictions by 127.0.0.1:4711?"),
        "{}",
        stage.text()
    );
    assert!(
        stage
            .text()
            .contains("$0.000025 at list price plus compute"),
        "{}",
        stage.text()
    );
    let effects = stage.press("y");
    let [
        Effect::Predict(Asked::Sweep {
            ticket,
            features,
            field,
            ..
        }),
    ] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    let (ticket, field) = (*ticket, *field);
    stage.event(Heard::SweepBegan {
        ticket,
        features: Box::new(features.clone()),
        field,
        total: 21,
    });
    for n in 0..3 {
        let score = if n == 1 {
            Err("500".into())
        } else {
            Ok(5.0 + f64::from(n))
        };
        stage.event(Heard::Swept {
            ticket,
            value: 6.0 + f64::from(n),
            score,
        });
    }
    stage.event(Heard::Swept {
        ticket: ticket + 1,
        value: 9.0,
        score: Ok(1.0),
    });
    assert!(
        stage.text().contains("endpoint 3 of 21, 1 failed"),
        "{}",
        stage.text()
    );
    stage.press("right");
    assert!(
        stage.text().contains("endpoint 3 of 21"),
        "the swept value is no part of it"
    );
    stage.press("down right");
    assert!(
        !stage.text().contains("endpoint 3 of 21"),
        "{}",
        stage.text()
    );
    stage.press("left up");
    assert!(stage.text().contains("endpoint 3 of 21"));
    assert_eq!(stage.press("esc esc"), [Asked::StopSweep.into()]);
    stage.event(Heard::SweepEnded {
        ticket,
        error: None,
    });
}

#[test]
fn a_sweep_prints_the_same_scores_locally_and_over_the_endpoint() {
    let home = tempfile::tempdir().unwrap();
    let sweep = |args: &[&str]| {
        let output = vintner(home.path())
            .args([
                "sweep", "alcohol", "--points", "3", "pH=3.2", "--speed", "20",
            ])
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let json: serde_json::Value = serde_json::from_str(&sweep(&["--json"])).unwrap();
    let values: Vec<f64> = (json["points"].as_array().unwrap().iter())
        .map(|point| point["value"].as_f64().unwrap())
        .collect();
    assert_eq!(values, [8.7, 11.05, 13.4]);
    assert_eq!(
        (&json["model_version"], &json["here"]["value"]),
        (&"v0001".into(), &9.4.into())
    );
    let table = sweep(&["--via", "gateway", "--csv"]);
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows[0], "alcohol,prediction,quality_rating,error");
    for (row, point) in rows[1..].iter().zip(json["points"].as_array().unwrap()) {
        let score: f64 = row.split(',').nth(1).unwrap().parse().unwrap();
        assert!(
            (score - point["prediction"].as_f64().unwrap()).abs() < 1e-6,
            "{table}"
        );
    }
    assert!(sweep(&["--via", "invoke"]).starts_with("alcohol on the function v0001"));
}
