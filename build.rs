//! Tells a release build which commit it is made from, so that the manifests of its models can (`code.git_sha`). Debug
//! builds leave it out: they would be compiled anew after every commit.

#![allow(clippy::print_stdout, reason = "cargo reads it")]

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=VINTNER_GIT_SHA");
    let known = std::env::var_os("VINTNER_GIT_SHA").is_some();
    if known || std::env::var("PROFILE").as_deref() != Ok("release") {
        return;
    }
    if let Some(moves) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={moves}");
    }
    if let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) {
        println!("cargo::rustc-env=VINTNER_GIT_SHA={commit}");
    }
}

/// The answer of git; `None` without git or a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
