//! Policies as they are found in the wild, and what each lets in.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;

use super::*;

const SOURCE: &str = "arn:aws:execute-api:us-east-2:123456789012:mc7310utyk/$default/POST/predict";

fn ask(statement: &Value) -> Answer {
    let document =
        json!({"Version": "2012-10-17", "Id": "default", "Statement": [statement]}).to_string();
    evaluate(&document, &question())
}

fn question() -> Question<'static> {
    Question {
        principal: "apigateway.amazonaws.com",
        action: "lambda:InvokeFunction",
        source_arn: Some(SOURCE),
        source_account: Some("123456789012"),
    }
}

fn statement(effect: &str, source: &str) -> Value {
    json!({"Sid": "apigateway-invoke", "Effect": effect, "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:us-east-2:123456789012:function:wine-quality-predictor",
        "Condition": {"ArnLike": {"AWS:SourceArn": source}}})
}

#[test]
fn the_usual_statement_allows() {
    for source in [
        "arn:aws:execute-api:us-east-2:123456789012:mc7310utyk/*/*/predict",
        "arn:aws:execute-api:us-east-2:123456789012:mc7310utyk/*/*",
        "arn:aws:execute-api:us-east-2:123456789012:mc7310utyk/*",
        "arn:aws:execute-api:*:*:mc7310utyk/$default/POST/predict",
        "arn:aws:execute-api:us-east-2:123456789012:*/*/*/*",
    ] {
        assert_eq!(
            ask(&statement("Allow", source)),
            Answer::Allowed("apigateway-invoke".to_owned()),
            "{source}"
        );
    }
}

#[test]
fn near_misses_say_what_differs() {
    for (source, difference) in [
        (
            "arn:aws:execute-api:us-east-2:123456789012:CustomAPI/*/*/predict",
            "another API id: CustomAPI instead of mc7310utyk",
        ),
        (
            "arn:aws:execute-api:us-east-1:123456789012:mc7310utyk/*/*/predict",
            "another region: us-east-1",
        ),
        (
            "arn:aws:execute-api:us-east-2:999999999999:mc7310utyk/*/*/predict",
            "another account: 999999999999",
        ),
        (
            "arn:aws-cn:execute-api:us-east-2:123456789012:mc7310utyk/*/*/predict",
            "another partition: aws-cn",
        ),
        (
            "arn:aws:execute-api:us-east-2:123456789012:mc7310utyk/prod/*/predict",
            "another stage: prod instead of $default",
        ),
        (
            "arn:aws:execute-api:us-east-2:123456789012:mc7310utyk/*/ANY/predict",
            "another method: ANY instead of POST",
        ),
        (
            "arn:aws:execute-api:us-east-2:123456789012:mc7310utyk/*/*/score",
            "another path: score instead of predict",
        ),
        (
            "arn:aws:execute-api:us-east-2:123456789012:mc7310utyk",
            "the stage is missing",
        ),
        ("mc7310utyk", "not an ARN"),
    ] {
        let Answer::NotAllowed {
            near_misses,
            allowed_sources,
        } = ask(&statement("Allow", source))
        else {
            panic!("{source} must not be allowed");
        };
        assert!(near_misses[0].contains(difference), "{near_misses:?}");
        assert_eq!(allowed_sources, [source]);
    }
}

#[test]
fn a_deny_wins_over_an_allow() {
    let document = json!({"Statement": [statement("Allow", "arn:aws:execute-api:*:*:*"), statement("Deny", "arn:aws:execute-api:*:*:mc7310utyk/*")]});
    assert_eq!(
        evaluate(&document.to_string(), &question()),
        Answer::Denied("apigateway-invoke".to_owned())
    );
    let elsewhere = json!({"Statement": [statement("Allow", "arn:aws:execute-api:*:*:*"), statement("Deny", "arn:aws:execute-api:*:*:other/*")]});
    assert!(matches!(
        evaluate(&elsewhere.to_string(), &question()),
        Answer::Allowed(_)
    ));
}

#[test]
fn another_principal_or_action_is_no_near_miss() {
    let mut events = statement("Allow", "arn:aws:events:us-east-2:123456789012:rule/warm");
    events["Principal"]["Service"] = json!("events.amazonaws.com");
    assert_eq!(
        ask(&events),
        Answer::NotAllowed {
            near_misses: vec![],
            allowed_sources: vec![]
        }
    );
    let mut get = statement("Allow", SOURCE);
    get["Action"] = json!("lambda:GetFunction");
    assert!(matches!(ask(&get), Answer::NotAllowed { near_misses, .. } if near_misses.is_empty()));
}

#[test]
fn shapes_of_statements() {
    let mut open = statement("Allow", SOURCE);
    open.as_object_mut().unwrap().remove("Condition");
    open["Action"] = json!(["lambda:Get*", "lambda:invoke*"]);
    assert!(
        matches!(ask(&open), Answer::Allowed(_)),
        "lists, globs and case of actions"
    );
    let single = json!({"Statement": open}).to_string();
    assert!(
        matches!(evaluate(&single, &question()), Answer::Allowed(_)),
        "one statement without a list"
    );
    let mut account = statement("Allow", SOURCE);
    account["Condition"] = json!({"StringEquals": {"aws:SourceAccount": "111111111111"}});
    assert!(
        matches!(ask(&account), Answer::NotAllowed { near_misses, .. } if near_misses[0].contains("111111111111"))
    );
    account["Condition"] =
        json!({"StringEquals": {"aws:SourceAccount": ["111111111111", "123456789012"]}});
    assert!(matches!(ask(&account), Answer::Allowed(_)));
    account["Condition"] = json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}});
    assert!(
        matches!(ask(&account), Answer::NotAllowed { near_misses, .. } if near_misses[0].contains("aws:principalorgid"))
    );
}

#[test]
fn nonsense_is_called_unreadable() {
    assert!(matches!(
        evaluate("<html>", &question()),
        Answer::Unreadable(_)
    ));
    assert!(matches!(evaluate("{}", &question()), Answer::Unreadable(_)));
    assert!(matches!(
        evaluate(r#"{"Statement":[1,null,{"Effect":7}]}"#, &question()),
        Answer::NotAllowed { .. }
    ));
}

#[test]
fn a_star_stops_at_a_colon_of_the_first_five_parts() {
    assert!(!arn_glob("arn:aws:*:mc7310utyk/*", SOURCE));
    assert!(arn_glob("arn:*:execute-api:*:*:*", SOURCE));
    assert!(glob("a*c?e", "abbbcde") && !glob("a*c?e", "abbbce"));
}

proptest! {
    #[test]
    fn evaluation_never_panics(document in ".{0,200}", source in ".{0,60}") {
        let question = Question { source_arn: Some(&source), ..question() };
        let _ = evaluate(&document, &question);
        let _ = evaluate(&json!({"Statement": [statement("Allow", &document)]}).to_string(), &question);
    }

    #[test]
    fn a_text_matches_itself_and_the_star(text in "[a-z*?/:$]{0,40}") {
        let plain: String = text.chars().filter(|c| !"*?".contains(*c)).collect();
        prop_assert!(glob(&plain, &plain));
        prop_assert!(glob("*", &text));
        prop_assert!(glob(&text, &plain) || text.contains('?'));
    }
}
