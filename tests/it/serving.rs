//! Who reigns and what is served: the header, and a champion that another process crowns.

use std::sync::Arc;

use crossterm::event::Event as TermEvent;
use vintner::champion;
use vintner::client::fingerprint::Served;
use vintner::client::link::Link;
use vintner::config::Flags;
use vintner::domain::schema::Schema;
use vintner::effects::retrain::{Effect, Event, Shelf};
use vintner::keys::Keymap;
use vintner::registry::Move;
use vintner::ui::theme::ThemeName;

use crate::models::Cellar;
use crate::predict::command::TEA;
use crate::support;
use crate::support::journey::journey_in;
use crate::support::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn another_models_champion_is_not_this_ones() {
    let home = tempfile::tempdir().unwrap();
    let settings = support::settings(home.path(), Flags::default());
    let registry = champion::registry(&settings);
    champion::establish(&registry).unwrap();
    let shelf = Shelf::look(&registry, false).unwrap();
    let header = async |schema: Schema| {
        let schema = Arc::new(schema);
        let link = Link::connect(&settings, &schema, "sandbox").await.unwrap();
        let mut stage = Stage::of((120, 36), Flags::default(), schema, Keymap::default());
        stage.event(vintner::effects::Event::Connected(link));
        stage.event(Event::Shelf(Ok(Box::new(shelf.clone()))));
        let text = stage.text();
        text.lines().take(2).collect::<Vec<_>>().join("\n")
    };
    let wine = header(Schema::wine_quality().clone()).await;
    assert!(wine.contains("champion v0001"), "{wine}");
    let tea = header(Schema::parse(TEA, "tea.toml").unwrap()).await;
    assert!(tea.contains("SANDBOX") && !tea.contains("v0001"), "{tea}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_header_says_when_the_endpoint_serves_another_version() {
    let home = tempfile::tempdir().unwrap();
    let settings = support::settings(home.path(), Flags::default());
    let registry = champion::registry(&settings);
    let reigning = champion::establish(&registry).unwrap();
    let link = Link::connect(
        &settings,
        &Arc::new(Schema::wine_quality().clone()),
        "sandbox",
    )
    .await
    .unwrap();
    let mut stage = Stage::new((120, 36), ThemeName::Dark);
    stage.event(vintner::effects::Event::Connected(link));
    assert!(stage.text().contains("champion v0001"), "{}", stage.text());

    let served = |versions: &[&str]| {
        let served = versions.iter().map(|version| version.parse().unwrap());
        Event::Served(Ok(Box::new(Served {
            endpoint: "http://h/".to_owned(),
            champion: reigning.version,
            served: served.collect(),
            champion_is_served: versions.contains(&"v0001"),
            canaries: 16,
            versions: Vec::new(),
        })))
    };
    stage.event(served(&["v0001"]));
    assert!(!stage.text().contains("serves"), "{}", stage.text());
    stage.event(served(&["v0003"]));
    let text = stage.text();
    assert!(text.contains("serves v0003, champion v0001"), "{text}");
    // On a small screen it stands at the end of the second line, and an incident with it.
    for width in [80, 60] {
        stage.term(TermEvent::Resize(width, 24));
        let text = stage.text();
        let second = text.lines().nth(1).unwrap();
        assert!(second.contains("4 Retrain"), "{text}");
        assert!(
            width < 80 || second.ends_with("serves v0003, champion v0001"),
            "{text}"
        );
    }
    stage.term(TermEvent::Resize(120, 36));
    stage.event(served(&[]));
    let text = stage.text();
    assert!(text.contains("serves no version known here"), "{text}");

    // After a promotion the sandbox is asked by itself.
    let asked = stage.event(Event::Moved(Ok(Box::new(reigning.clone()))));
    let schema = Arc::new(Schema::wine_quality().clone());
    assert!(
        asked.contains(&Effect::Recognise { schema }.into()),
        "{asked:?}"
    );
}

#[test]
fn the_screen_follows_a_champion_that_another_process_crowned() {
    let cellar = Cellar::new();
    cellar.train("random-forest");
    let registry = champion::registry(&support::settings(cellar.0.path(), Flags::default()));
    journey_in(&cellar.0, (120, 36), Flags::default(), |hand| async move {
        hand.see("champion v0001").await;
        let reigning = registry.champion().unwrap();
        let wish = Move::seen(reigning.as_ref(), "from elsewhere");
        registry.promote("v0002".parse().unwrap(), wish).unwrap();
        hand.see("champion v0002").await;
    });
}
