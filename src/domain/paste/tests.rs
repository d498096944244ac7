#![allow(clippy::unwrap_used, clippy::expect_used)]
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::domain::features::Features;
use crate::testing::DEMO;

fn parse(text: &str) -> Result<Pasted, PasteError> {
    Pasted::parse(Schema::wine_quality(), text)
}

/// The body that the pasted fields would send.
fn body(text: &str) -> String {
    let schema = Schema::wine_quality();
    let fields: Vec<String> = parse(text)
        .unwrap()
        .fields
        .into_iter()
        .map(Option::unwrap_or_default)
        .collect();
    Features::parse(schema, &fields).unwrap().to_json(schema)
}

#[test]
fn a_curl_line_gives_back_its_body() {
    let single =
        format!("curl -X POST https://x.example/ -H 'Content-Type: application/json' -d '{DEMO}'");
    let lines = format!("$ curl -s \\\n  --json '{DEMO}' \\\n  http://localhost:8000/predict");
    let double = format!("curl --data-raw \"{}\" http://x", DEMO.replace('"', "\\\""));
    let glued = format!("curl http://x --data='{DEMO}'");
    for line in [single, lines, double, glued] {
        assert_eq!(body(&line), DEMO, "{line}");
        assert_eq!(parse(&line).unwrap().shape, Shape::Curl);
    }
}

#[test]
fn a_curl_line_without_a_body_says_so() {
    let message = |line| parse(line).unwrap_err().to_string();
    assert_eq!(
        message("curl http://x"),
        "the curl line has no body (-d, --data, --json)"
    );
    assert!(message("curl -d @body.json http://x").contains("from the file body.json"));
    assert!(message("curl -d '{").contains("quote that is never closed"));
}

#[test]
fn json_may_be_pretty_python_or_wrapped_in_an_event() {
    let pretty =
        serde_json::to_string_pretty(&serde_json::from_str::<Value>(DEMO).unwrap()).unwrap();
    let event = serde_json::json!({ "version": "2.0", "body": DEMO }).to_string();
    let python = DEMO.replace('"', "'");
    for text in [DEMO.to_owned(), pretty, event, python] {
        assert_eq!(body(&text), DEMO);
    }
}

#[test]
fn a_bad_payload_is_kept_as_it_is() {
    let pasted = parse(r#"{"alcohol":"high","pH":null,"quality":5}"#).unwrap();
    assert_eq!(pasted.fields[10].as_deref(), Some("high"));
    assert_eq!(pasted.fields[8].as_deref(), Some("null"));
    assert_eq!(pasted.ignored, ["quality"]);
    assert_eq!(pasted.missing(Schema::wine_quality()).len(), 9);
}

#[test]
fn rows_of_the_data_set_are_understood() {
    let header = "\"fixed acidity\";\"volatile acidity\";\"citric acid\";\"residual sugar\";\"chlorides\";\"free sulfur dioxide\";\"total sulfur dioxide\";\"density\";\"pH\";\"sulphates\";\"alcohol\";\"quality\"";
    let row = "7.4;0.7;0;1.9;0.076;11;34;0.9978;3.51;0.56;9.4;5";
    let with_header = parse(&format!("{header}\n{row}\n")).unwrap();
    assert_eq!(
        (with_header.found(), with_header.ignored.as_slice()),
        (11, &["quality".to_owned()][..])
    );
    let bare = parse(row).unwrap();
    assert_eq!(
        (bare.found(), bare.ignored.as_slice()),
        (11, &["5".to_owned()][..]),
        "5 is no wine type"
    );
    assert_eq!(
        parse("7.4,0.7,0,1.9,0.076,11,34,0.9978,3.51,0.56,9.4,1")
            .unwrap()
            .found(),
        12
    );
    assert_eq!(
        parse("7.4,0.7,0,1.9").unwrap_err(),
        PasteError::Columns {
            found: 4,
            expected: 12
        }
    );
    let kaggle = parse("type,alcohol,pH\nwhite,12,3.2").unwrap();
    assert_eq!(kaggle.fields[11].as_deref(), Some("white"));
}

#[test]
fn pairs_may_name_some_features() {
    for text in [
        "alcohol=12 pH=3.2",
        "vintner predict alcohol=12 pH=3.2",
        "alcohol: 12\npH: 3.2",
        "alcohol=12&ph=3.2",
    ] {
        let pasted = parse(text).unwrap();
        assert_eq!((pasted.shape, pasted.found()), (Shape::Pairs, 2), "{text}");
        assert_eq!(pasted.fields[10].as_deref(), Some("12"));
    }
    assert_eq!(parse("alcohol=12 pH=3.2").unwrap().fields[0], None);
}

#[test]
fn anything_else_is_not_understood() {
    assert_eq!(parse(" \n").unwrap_err(), PasteError::Empty);
    assert_eq!(parse("hello world").unwrap_err(), PasteError::Unknown);
    assert_eq!(parse("{}").unwrap_err(), PasteError::Unknown);
    assert!(matches!(parse("{\"a\":").unwrap_err(), PasteError::Json(_)));
    assert!(matches!(
        parse(&"x".repeat(LONGEST + 1)).unwrap_err(),
        PasteError::TooLong(_)
    ));
}

#[test]
fn the_summary_names_what_is_missing() {
    let pasted = parse(r#"{"alcohol":12,"vintage":1999}"#).unwrap();
    let summary = pasted.summary(Schema::wine_quality());
    assert!(
        summary.starts_with("JSON: 1 of 12 fields, missing fixed_acidity, ")
            && summary.ends_with(", ignored vintage")
    );
}

proptest! {
    #[test]
    fn no_paste_panics(text in "(curl )?[-a-zA-Z0-9=:;,{}\\[\\]'\"\\\\@ \\n\\t.]{0,120}") {
        if let Ok(pasted) = parse(&text) {
            prop_assert!(pasted.found() > 0);
            prop_assert!(pasted.fields.iter().flatten().all(|field| !field.chars().any(char::is_control)));
        }
    }

    #[test]
    fn what_is_copied_as_curl_pastes_back(values in prop::collection::vec(0.0..500.0_f64, 11)) {
        let schema = Schema::wine_quality();
        let mut row = values;
        row.push(1.0);
        let json = Features::from_values(schema, &row).unwrap().to_json(schema);
        prop_assert_eq!(body(&format!("curl -d '{json}' http://x")), json);
    }
}
