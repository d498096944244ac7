//! What cannot be done: each failure with its code and its remedy.

use vintner::sandbox::Incident;

use super::{Scene, text, vintner};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_failure_has_its_code_and_its_remedy() {
    let scene = Scene::new().await;
    let says = async |arguments: &[&str], code: i32, wanted: &str| {
        let output = scene.logs(arguments).await;
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(wanted), "{arguments:?}: {said}");
        assert_eq!(text(&output.stdout), "");
    };
    says(&["--since", "yesterday"], 2, "--since yesterday").await;
    says(&["--grep", "("], 2, "(").await;
    says(&["--level", "loud"], 2, "loud").await;
    says(&["--filter", "{ $.level = "], 2, "logs:FilterLogEvents").await;
    says(
        &["--log-group", "/aws/lambda/nobody"],
        3,
        "/aws/lambda/nobody not found in us-east-2",
    )
    .await;
    says(&["--log-group", "/nowhere/*"], 3, "no log group matches").await;
    says(&["--file", "/no/such/file"], 2, "/no/such/file").await;
    scene
        .sandbox
        .set_incident(Some(Incident::CredentialsExpired));
    says(&["--since", "1h"], 3, "aws sso login").await;
    scene.sandbox.set_incident(Some(Incident::AccessDenied));
    says(&["--since", "1h"], 3, "logs:FilterLogEvents").await;
    let at = |endpoint: &str| {
        let mut command = vintner(scene.home.path());
        command.args(["logs", "--target", "aws", "--region", "us-east-2"]);
        command.args(["--log-group", "g", "--endpoint-url", endpoint]);
        command
    };
    let nowhere = at("http://127.0.0.1:1")
        .env("AWS_ACCESS_KEY_ID", "key")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .output()
        .unwrap();
    assert_eq!(nowhere.status.code(), Some(3));
    assert!(
        text(&nowhere.stderr).contains("refused"),
        "{}",
        text(&nowhere.stderr)
    );
    let bare = at(&scene.sandbox.aws_endpoint()).output().unwrap();
    assert_eq!(bare.status.code(), Some(3));
    assert!(
        text(&bare.stderr).contains("no AWS credentials"),
        "{}",
        text(&bare.stderr)
    );
}

#[test]
fn flags_that_contradict_each_other_are_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    for (arguments, wanted) in [
        (&["--follow", "--until", "1h"][..], "'--until <WHEN>'"),
        (&["--requests", "--errors"], "'--errors'"),
        (&["--errors", "--follow"], "'--follow'"),
        (&["--requests", "--grep", "x"], "'--grep <RE>'"),
        (&["--errors", "--level", "warn"], "'--level <LEVEL>'"),
        (&["--live"], "  --follow\n"),
        (&["--stats"], "  --file <FILE>\n"),
        (
            &["--file", "x", "--filter", "ERROR"],
            "'--filter <PATTERN>'",
        ),
        (&["--file", "x", "--replay", "y"], "'--replay <FILE>'"),
        (&["--replay", "x", "--follow"], "'--follow'"),
        (&["--insights", "limit 1", "--follow"], "'--follow'"),
    ] {
        let output = vintner(home.path())
            .arg("logs")
            .args(arguments)
            .output()
            .unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(wanted), "{arguments:?}: {said}");
        assert_eq!(text(&output.stdout), "");
    }
}
