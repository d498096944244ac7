//! The target overlay: four lists, what was asked for them, and where Enter leads.

use vintner::client::destination::Destination;
use vintner::client::profiles::Profile;
use vintner::effects::Effect;
use vintner::effects::target::{Effect as Asked, Event};
use vintner::ui::theme::ThemeName;

use crate::support::stage::Stage;

fn profiles() -> Event {
    let profile = |name: &str, region: Option<&str>, source: &str| Profile {
        name: name.into(),
        region: region.map(Into::into),
        source: source.into(),
    };
    Event::Profiles(Ok(vec![
        profile("default", Some("us-east-2"), "access key"),
        profile("prod", Some("eu-west-1"), "SSO corp, account 123456789012"),
    ]))
}

/// The target `aws` with its functions asked for.
fn asked(stage: &mut Stage) -> Vec<Effect> {
    stage.connect();
    stage.press("shift-t");
    stage.event(profiles());
    stage.press("g");
    stage.press("backtab")
}

fn functions(names: Result<Vec<String>, String>) -> Event {
    Event::Functions {
        place: Destination::from("aws"),
        names,
    }
}

fn many() -> Vec<String> {
    (0..60).map(|n| format!("function-{n:02}")).collect()
}

#[test]
fn the_lists_look_right() {
    crate::assert_screens!("target", |stage| {
        stage.connect();
        stage.press("shift-t");
        stage.event(profiles());
    });
    crate::assert_screens!("target-profiles", |stage| {
        stage.connect();
        stage.press("shift-t g tab");
        stage.event(profiles());
        stage.press("down down");
    });
    crate::assert_screens!("target-regions", |stage| {
        stage.connect();
        stage.press("shift-t g tab tab pagedown");
    });
    crate::assert_screens!("target-functions", |stage| {
        asked(stage);
        stage.event(functions(Ok(many())));
        stage.press("pagedown pagedown");
    });
    crate::assert_screens!("target-expired", |stage| {
        asked(stage);
        stage.event(functions(Err(
            "credentials expired for profile prod: run `aws sso login --profile prod`".into(),
        )));
    });
}

#[test]
fn what_is_chosen_is_where_enter_leads() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    stage.connect();
    assert_eq!(stage.press("shift-t"), [Asked::Profiles.into()]);
    stage.event(profiles());
    stage.press("g tab down down tab down");
    let place = Destination {
        target: "aws".into(),
        profile: Some("prod".into()),
        region: Some("us-east-1".into()),
        function: None,
    };
    assert_eq!(stage.press("tab"), [Asked::Functions(place.clone()).into()]);
    stage.event(Event::Functions {
        place: place.clone(),
        names: Ok(vec!["billing".into(), "wine-quality-predictor".into()]),
    });
    let text = stage.text();
    assert!(text.contains("2 functions, now"), "{text}");
    stage.press("down");
    assert!(
        stage.text().contains("without the endpoint"),
        "{}",
        stage.text()
    );
    let chosen = Destination {
        function: Some("billing".into()),
        ..place
    };
    assert_eq!(stage.press("enter"), [Effect::Connect(chosen.clone())]);
    // Opened again, it stands where it was left.
    stage.press("shift-t");
    assert_eq!(stage.press("enter"), [Effect::Connect(chosen)]);
}

#[test]
fn a_list_of_another_place_is_never_shown_and_a_failed_one_is_asked_again() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    asked(&mut stage);
    stage.event(functions(Err(
        "credentials expired: run `aws sso login`".into()
    )));
    assert!(stage.text().contains("aws sso login"), "{}", stage.text());
    assert_eq!(stage.press("y"), [Effect::Copy("aws sso login".into())]);
    assert_eq!(
        stage.press("r"),
        [Asked::Functions(Destination::from("aws")).into()]
    );
    // Another region meanwhile: the answer is of no use.
    stage.press("backtab down");
    stage.event(functions(Ok(many())));
    let again = stage.press("tab");
    assert!(
        matches!(&again[..], [Effect::Target(Asked::Functions(place))] if place.region.is_some()),
        "{again:?}"
    );
    assert!(!stage.text().contains("function-"), "{}", stage.text());
}

#[test]
fn the_sandbox_and_an_endpoint_without_aws_say_that_there_is_nothing_to_choose() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    stage.connect();
    stage.press("shift-t tab");
    assert!(
        stage.text().contains("the sandbox has an account"),
        "{}",
        stage.text()
    );
    stage.press("backtab up tab tab tab");
    assert!(
        stage.text().contains("no AWS behind it"),
        "{}",
        stage.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandboxs_functions_are_listed_over_the_wire() {
    use std::sync::Arc;
    use vintner::client::lambda::Lambda;
    use vintner::client::link::Link;
    use vintner::domain::schema::Schema;

    let home = tempfile::tempdir().unwrap();
    let settings = crate::support::settings(home.path(), vintner::config::Flags::default());
    let schema = Arc::new(Schema::wine_quality().clone());
    let link = Link::connect(&settings, &schema, "sandbox").await.unwrap();
    let aws = link.aws_again().await.unwrap();
    let listed = Lambda::new(&aws.config, "", None, None)
        .list_functions(10)
        .await;
    assert!(listed.known().unwrap().contains(&link.session.function));
}
