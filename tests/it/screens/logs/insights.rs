//! Logs Insights.

use super::*;

fn found(status: &str, rows: usize) -> QueryResults {
    let row = |n: usize| {
        [
            ("@timestamp", format!("2026-11-23 11:{n:02}:00.000")),
            ("n", (n * 7).to_string()),
            ("@message", format!("scored {n}\tüber\u{1b}[31m a long text that goes on and on beyond any column's width")),
        ]
        .map(|(field, value)| (field.to_owned(), value))
        .to_vec()
    };
    QueryResults {
        status: status.to_owned(),
        rows: (0..rows).map(row).collect(),
        records_scanned: 12_345.0,
        records_matched: 400.0,
        bytes_scanned: 3.5e9,
    }
}

#[test]
fn an_insights_query_shows_progress_rows_and_price() {
    crate::assert_screens!("logs-insights-running", |stage| {
        open_connected(stage);
        let number = ask(stage, "-15m fields @message");
        stage.event(LogsEvent::QueryStarted(number, "q-1".into()));
        stage.event(LogsEvent::QueryResults(number, found("Running", 0)));
        stage.wait(std::time::Duration::from_secs(3));
    });
    crate::assert_screens!("logs-insights", |stage| {
        open_connected(stage);
        let number = ask(stage, "-15m fields @message");
        stage.event(LogsEvent::QueryResults(number, found("Complete", 50)));
        stage.press("j j enter");
    });
    crate::assert_screens!("logs-insights-refused", |stage| {
        open_connected(stage);
        let number = ask(stage, "-15m feilds @message");
        let why = "logs:StartQuery rejected the request (MalformedQueryException): unexpected symbol found feilds (at character 1)";
        stage.event(LogsEvent::QueryFailed(number, why.into()));
    });
}

#[test]
fn an_insights_query_asks_for_its_range_and_escape_stops_it_at_the_service() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    open_connected(&mut stage);
    stage.press("i ctrl-u");
    stage.paste("-15m fields @message");
    let asked = stage.press("enter");
    let query = asked.iter().find_map(|effect| match effect {
        Effect::Logs(LogsEffect::Query(_, query)) => Some(query.clone()),
        _ => None,
    });
    let query = query.expect("a query is asked");
    let now = stage.now().wall.as_millisecond();
    assert_eq!((query.start, query.end), (now - 900_000, now));
    assert_eq!(query.text, "fields @message");
    assert_eq!(query.groups, ["/aws/lambda/wine-quality-predictor"]);
    stage.event(LogsEvent::QueryStarted(1, "q-1".into()));
    stage.event(LogsEvent::QueryResults(1, found("Running", 3)));
    let stopped = stage.press("esc");
    let id = Some("q-1".to_owned());
    assert_eq!(stopped, [Effect::Logs(LogsEffect::StopQuery { id })]);
    let text = stage.text();
    assert!(
        text.contains("stopped · 3 rows") && text.contains("at $0.005 a GB"),
        "{text}"
    );
    stage.press("i");
    assert!(
        stage.text().contains("Insights  -15m fields @message"),
        "the last one is remembered"
    );
    stage.press("esc esc");
    assert!(
        stage.text().contains("0 lines"),
        "one step out: {}",
        stage.text()
    );
}

#[test]
fn insights_rows_are_copied_and_exported() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    open_connected(&mut stage);
    let number = ask(&mut stage, "fields n");
    stage.event(LogsEvent::QueryResults(number, found("Complete", 2)));
    let copied = stage.press("j y");
    assert!(
        copied
            .iter()
            .any(|effect| matches!(effect, Effect::Copy(text) if text.contains(r#""n":"7""#))),
        "{copied:?}"
    );
    let written = stage.press("shift-e");
    let lines = written.iter().find_map(|effect| match effect {
        Effect::Logs(LogsEffect::Write(_, text)) => Some(text.lines().count()),
        _ => None,
    });
    assert_eq!(lines, Some(2));
}

#[test]
fn the_last_query_of_an_earlier_session_is_where_the_prompt_begins() {
    let mut stage = connected((120, 40), false);
    let asked = stage.press("i");
    assert_eq!(asked, [Effect::Logs(LogsEffect::RecallQuery)]);
    stage.event(LogsEvent::QueryRecalled("-2h fields @message".to_owned()));
    assert!(
        stage.text().contains("-2h fields @message"),
        "{}",
        stage.text()
    );
    let asked = stage.press("enter");
    let kept = LogsEffect::KeepQuery("-2h fields @message".to_owned());
    assert!(asked.contains(&Effect::Logs(kept)), "{asked:?}");

    let mut stage = connected((120, 40), false);
    stage.press("i x");
    stage.event(LogsEvent::QueryRecalled("-2h fields @message".to_owned()));
    assert!(
        !stage.text().contains("-2h fields"),
        "typing goes on: {}",
        stage.text()
    );
    assert!(stage.press("esc i").is_empty(), "known now");
    assert!(stage.text().contains("-2h fields"), "{}", stage.text());
}
