//! Doctor's overlay where there is little room: what is cut says so.

use super::*;

/// A command that ends in the middle would be typed like that.
#[test]
fn a_fix_that_has_no_room_says_how_much_is_missing_and_which_key_copies_it() {
    let mut long = diagnosis();
    let step = |n: u32| {
        format!(
            "aws lambda update-function-code --function-name f{n} --image-uri {}",
            "x".repeat(60)
        )
    };
    long.verdict.fix = (0..9).map(step).collect::<Vec<_>>().join("\n");
    long.findings[0].status = Status::Fail;
    long.findings[0].evidence = "seen ".repeat(200);
    for size in [(60, 16), (80, 24), (120, 40), (200, 60)] {
        let mut stage = Stage::new(size, ThemeName::Dark);
        stage.connect();
        stage.press("shift-d");
        stage.event(Event::Diagnosed(Ok(Box::new(long.clone()))));
        let text = stage.text();
        let whole = text.contains("function-name f8");
        assert!(
            whole != text.contains("more: y copies all"),
            "{size:?}:\n{text}"
        );
        assert!(
            text.contains("FAIL") && text.contains("y copy the fix"),
            "{size:?}:\n{text}"
        );
    }
}

#[test]
fn doctor_offers_only_the_fixes_there_are_and_stands_on_the_first_remark() {
    let finding = |check: &str, status, evidence: &str| Finding {
        check: check.into(),
        status,
        evidence: evidence.into(),
        fix: String::new(),
        missing_action: None,
    };
    let mut stage = Stage::new(SIZES[0], ThemeName::Dark);
    stage.connect();
    stage.press("shift-d");
    let told = |verdict| Diagnosis {
        verdict,
        findings: vec![
            finding("clock", Status::Pass, "0 s ahead"),
            finding("image", Status::Warn, "runs an older digest"),
        ],
    };
    let healthy = Verdict {
        fix: String::new(),
        ..diagnosis().verdict
    };
    stage.event(Event::Diagnosed(Ok(Box::new(told(healthy)))));
    let text = stage.text();
    assert_eq!(text.matches("runs an older digest").count(), 2, "{text}");
    assert!(
        text.contains("Esc close") && !text.contains("copy the fix"),
        "{text}"
    );
    stage.event(Event::Diagnosed(Ok(Box::new(told(diagnosis().verdict)))));
    let text = stage.text();
    assert!(text.contains("y copy the fix"), "{text}");
    assert!(!text.contains("copy this check's"), "{text}");
}
