//! The walls: who may name whom. And: what is written in two places says the same.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    let file = root().join(format!("{folder}.rs"));
    if file.exists() {
        found.push((file.clone(), fs::read_to_string(file).unwrap()));
    }
    found
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.clone(), fs::read_to_string(path).unwrap()));
        }
    }
}

#[test]
fn domain_and_train_know_nothing_of_the_outside() {
    let outside = [
        "ratatui::",
        "crossterm::",
        "tokio::",
        "reqwest::",
        "hyper::",
        "axum::",
        "aws_config",
        "aws_sdk",
        "aws_smithy",
        "aws_credential",
        "std::fs",
        "std::net",
        "Timestamp::now",
    ];
    for folder in ["src/domain", "src/train"] {
        for (path, text) in sources(folder) {
            for name in outside {
                assert!(!text.contains(name), "{} names {name}", path.display());
            }
        }
    }
}

/// A key must not wait for a hundred thousand calls to be sorted: the tab asks, the desk reckons.
#[test]
fn the_lambda_tab_works_no_figures_out() {
    let reckoning = [
        "Samples",
        "Vitals::of",
        "series(",
        "histogram(",
        "Ladder::of",
    ];
    for (path, text) in sources("src/tabs/lambda") {
        for name in reckoning {
            assert!(!text.contains(name), "{} names {name}", path.display());
        }
    }
}

#[test]
fn each_sdk_crate_is_named_in_one_file() {
    for sdk in [
        "aws_sdk_cloudwatchlogs",
        "aws_sdk_lambda",
        "aws_sdk_cloudwatch::",
        "aws_sdk_sts",
    ] {
        let files: Vec<_> = sources("src")
            .into_iter()
            .filter(|(path, text)| {
                !path.to_string_lossy().contains("/tests")
                    && text
                        .split("#[cfg(test)]")
                        .next()
                        .unwrap_or_default()
                        .contains(sdk)
            })
            .map(|(path, _)| path)
            .collect();
        assert!(files.len() <= 1, "{sdk} is named in {files:?}");
    }
}

#[test]
fn only_effects_and_the_sandbox_spawn() {
    for (path, text) in sources("src") {
        let name = path
            .strip_prefix(root().join("src"))
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let may = [
            "effects",
            "sandbox",
            "screen.rs",
            "terminal.rs",
            "champion.rs",
            "cli",
            "client",
        ]
        .iter()
        .any(|room| name.starts_with(room));
        let body = text.split("#[cfg(test)]").next().unwrap_or_default();
        assert!(
            may || !(body.contains("tokio::spawn") || body.contains("thread::spawn")),
            "{name} spawns; that is the Runner's work"
        );
    }
}

#[test]
fn the_readme_carries_the_real_key_table() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let table = vintner::cli::keys::markdown(&vintner::keys::Keymap::default());
    let (_, rest) = readme
        .split_once("<!-- keys -->\n")
        .expect("README has a <!-- keys --> mark");
    let (shown, _) = rest
        .split_once("<!-- /keys -->")
        .expect("README has a <!-- /keys --> mark");
    assert_eq!(
        shown.trim(),
        table.trim(),
        "put the output of `vintner keys` between the marks in README.md"
    );
}
