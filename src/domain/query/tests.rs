//! What each form finds, and that no input breaks it.

#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;
use proptest::prelude::*;

fn holds(query: &str, message: &str) -> bool {
    let query = Query::parse(query).unwrap();
    query
        .conditions
        .iter()
        .all(|c| c.term.matches_text(message.as_bytes()) != c.negated)
}

#[test]
fn words_join_to_one_text_with_smart_case() {
    assert!(holds("timed out", "Task Timed Out after 3 s"));
    assert!(!holds("timed out", "out of time, timed"));
    assert!(!holds("Timed", "timed out"));
    assert!(holds("12:30 https://x", "at 12:30 https://x/y"));
    assert!(holds("Error: boom", "Error: boom"));
    assert!(holds("\"a:b\"", "x a:b"));
    assert!(holds("!health ok", "ok then"));
    assert!(!holds("!health ok", "ok /health"));
}

#[test]
fn fields_compare_in_json_and_text() {
    let json = r#"{"level":"INFO","n":12.5,"deep":{"user":"Ada L"},"message":"x"}"#;
    for (query, want) in [
        ("n>12", true),
        ("n>=12.5", true),
        ("n<12", false),
        ("n:12.5", true),
        ("n!=3", true),
        ("missing!=3", true),
        ("missing:3", false),
        ("deep.user:ada", true),
        ("deep.user=ada", false),
        ("deep.user=\"Ada L\"", true),
        ("message>5", false),
    ] {
        assert_eq!(holds(query, json), want, "{query}");
    }
    let report = "REPORT RequestId: x\tDuration: 41.75 ms\tMemory Size: 1024 MB\tStatus: timeout";
    assert!(
        holds("duration>40", report)
            && holds("status:timeout", report)
            && !holds("duration>42", report)
    );
    assert!(
        holds("code=503", "level=error code=503 msg=\"no route\"")
            && holds("msg:\"no route\"", "msg=\"no route\"")
    );
}

#[test]
fn levels_requests_and_streams_are_terms() {
    let query = Query::parse("level>=warn request:79b5 stream:abc").unwrap();
    assert!(matches!(
        query.conditions[0].term,
        Term::Level(Compare::AtLeast, Level::Warn)
    ));
    assert!(matches!(&query.conditions[1].term, Term::Request(id) if id == "79b5"));
    assert!(matches!(&query.conditions[2].term, Term::Stream(name) if name == "abc"));
    assert!(level_matches(Level::Error, Compare::AtLeast, Level::Warn));
    assert_eq!(
        Query::parse("level:loud").unwrap_err(),
        QueryError::Level("loud".to_owned())
    );
}

#[test]
fn a_bad_expression_says_where() {
    let error = Query::parse("/time(d out/").unwrap_err();
    let QueryError::Regex {
        pattern,
        at,
        reason,
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!((pattern.as_str(), *at), ("time(d out", 5));
    assert!(reason.contains("unclosed group"), "{reason}");
    assert!(holds("/time(d)? out/", "timed out") && holds("~^a b$", "a b"));
}

proptest! {
    #[test]
    fn any_query_is_safe(input in "\\PC{0,40}", message in "\\PC{0,60}") {
        if let Ok(query) = Query::parse(&input) {
            for condition in &query.conditions {
                let _ = condition.term.matches_text(message.as_bytes());
            }
        }
    }

    #[test]
    fn a_quoted_text_finds_itself(text in "[^\"\\s\\\\/]{1,20}") {
        let query = format!("\"{text}\"");
        let line = format!("before {text} after");
        prop_assert!(holds(&query, &line));
    }
}

#[test]
fn what_was_found_is_shown_where_it_stands() {
    let shown = |query: &str, text: &str| {
        let ranges = Query::parse(query).unwrap().ranges(text);
        ranges
            .into_iter()
            .map(|range| text[range].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(shown("über", "Über, über"), ["Über", "über"]);
    assert_eq!(shown("/t[io]m/", "tim tom"), ["tim", "tom"]);
    assert_eq!(shown("user:ada", "user=Ada L"), ["Ada"]);
    assert_eq!(shown("!user", "user"), [""; 0]);
    assert_eq!(shown("level>=warn out", "time out"), ["out"]);
    assert_eq!(shown("/aa|a/ a", "aaa"), ["aa", "a"]);
}
