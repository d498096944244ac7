//! AWS, or a part of it, that gives no answer.

use super::*;

/// Who is silent is said, and what the endpoint does meanwhile.
#[test]
fn a_silent_aws_is_no_clean_bill() {
    let mut all = healthy();
    aws_silent(&mut all);
    let verdict = diagnose(&all).verdict;
    let text = "AWS cannot be asked: cannot reach AWS: the connection is refused. The endpoint itself answers.";
    assert_eq!(
        (verdict.code.as_str(), verdict.text.as_str()),
        ("aws-unreachable", text)
    );

    let mut lambda = healthy();
    let identity = lambda.identity.clone();
    aws_silent(&mut lambda);
    lambda.identity = identity;
    gateway_500(&mut lambda);
    let text = diagnose(&lambda).verdict.text;
    assert!(text.starts_with("Lambda cannot be asked: "), "{text}");
    assert!(text.ends_with("cannot be decided without it."), "{text}");
}

/// One service that gives no answer is named, and takes no more away than a missing permission does.
#[test]
fn a_silent_service_is_named_beside_what_was_found() {
    let silences: [(&str, fn(&mut Facts)); 4] = [
        ("identity", |f| {
            f.identity = Fact::Failed("timed out".into())
        }),
        ("metrics", |f| f.metrics = Fact::Failed("timed out".into())),
        ("image", |f| f.image = Fact::Failed("timed out".into())),
        // Lambda's other answers and the direct call say enough.
        ("function", |f| {
            f.function = Fact::Failed("timed out".into())
        }),
    ];
    for (check, silence) in silences {
        let mut facts = healthy();
        silence(&mut facts);
        let diagnosis = diagnose(&facts);
        assert!(diagnosis.is_healthy(), "{check}: {:?}", diagnosis.verdict);
        let text = &diagnosis.verdict.text;
        assert!(text.starts_with("Nothing wrong was found"), "{text}");
        assert!(text.contains(&format!("no answer about {check}")), "{text}");
    }
}
