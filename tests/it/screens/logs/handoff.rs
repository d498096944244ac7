//! What leaves the tab: links and commands.

use super::*;

#[test]
fn a_view_is_copied_as_a_command_of_the_aws_cli() {
    let copied = |stage: &mut Stage, keys: &str| {
        let effects = stage.press(keys);
        let copied = effects.into_iter().find_map(|effect| match effect {
            Effect::Copy(text) => Some(text),
            _ => None,
        });
        copied.expect("something is copied")
    };
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    open_connected(&mut stage);
    stage.event(LogsEvent::Tail(1, batch(Phase::Live, session())));
    assert_eq!(
        copied(&mut stage, "a"),
        "aws logs tail /aws/lambda/wine-quality-predictor --follow --since 1h --format short --region us-east-2"
    );
    let request = copied(&mut stage, "v right a");
    assert_eq!(
        request,
        format!(
            "aws logs filter-log-events --log-group-name /aws/lambda/wine-quality-predictor --start-time {} --end-time {} --filter-pattern '\"{}\"' --region us-east-2",
            START + 43_000 - 60_000,
            START + 53_002 + 60_000,
            id(101)
        )
    );
    ask(&mut stage, "-15m fields @message | limit 1");
    let query = copied(&mut stage, "a");
    assert!(
        query.starts_with("aws logs start-query --log-group-names /aws/lambda/wine-quality-predictor --start-time ")
            && query.contains(" --query-string 'fields @message | limit 1'"),
        "{query}"
    );
}

#[test]
fn a_copied_command_has_no_password() {
    let flags = Flags {
        target: Some("aws".into()),
        endpoint_url: Some("http://me:hunter2@127.0.0.1:9".into()),
        ..Flags::default()
    };
    let mut stage = Stage::with((120, 40), flags);
    let mut link = Link::default();
    "aws".clone_into(&mut link.session.target);
    link.log_groups = vec!["/aws/lambda/wine".to_owned()];
    stage.event(Event::Connected(link));
    let copied = stage.press("2 a");
    let [Effect::Copy(command)] = copied.as_slice() else {
        panic!("{copied:?}")
    };
    assert!(
        command.ends_with("--endpoint-url http://…@127.0.0.1:9"),
        "{command}"
    );
}

#[test]
fn the_console_link_is_a_link_on_screen_where_the_terminal_takes_one() {
    let mut stage = connected((80, 24), false);
    let asked = stage.press("o");
    let Some(Effect::Copy(address)) = asked.first() else {
        panic!("{asked:?}");
    };
    assert!(address.starts_with("https://us-east-2.console.aws.amazon.com/cloudwatch/"));
    let buffer = stage.buffer();
    let row: Vec<&str> = (0..80).map(|x| buffer[(x, 23)].symbol()).collect();
    for (cell, sign) in row[1..].iter().zip("copied the console link".chars()) {
        let linked = format!("\u{1b}]8;id=vintner;{address}\u{1b}\\{sign}\u{1b}]8;;\u{1b}\\");
        assert_eq!(*cell, linked);
    }
    assert_eq!(row[24], " ", "the link ends with its text");
    stage.wait(std::time::Duration::from_secs(11));
    assert!(
        stage.buffer()[(1, 23)].symbol().contains("]8;"),
        "time to click"
    );

    let mut stage = connected((80, 24), true);
    stage.press("o");
    assert!(stage.text().contains(" copied the console link"));
    assert!(!stage.text().contains('\u{1b}'));
}

#[test]
fn two_exports_in_one_second_go_into_two_files() {
    let mut stage = stage();
    let path = |stage: &mut Stage| {
        let asked = stage.press("shift-e");
        asked.into_iter().find_map(|effect| match effect {
            Effect::Logs(LogsEffect::Export(save)) => Some(save.path),
            _ => None,
        })
    };
    let first = path(&mut stage).expect("an export");
    stage.wait(std::time::Duration::from_millis(5));
    assert_ne!(path(&mut stage), Some(first));
}
