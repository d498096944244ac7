//! The harnesses: a screen without a terminal, the real loop without a terminal, the real binary in a PTY, a real tail.

pub mod holding;
pub mod journey;
pub mod loopback;
pub mod picture;
pub mod pty;
pub mod stage;
pub mod tailing;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use vintner::config::{Flags, Settings};

/// Settings whose every file is below `home`, as the defaults are but for a fast, quiet sandbox.
pub fn settings(home: &Path, flags: Flags) -> Arc<Settings> {
    let home = home.to_string_lossy().into_owned();
    let env = move |name: &str| (name == "HOME").then(|| home.clone());
    Arc::new(Settings::load(flags, &env).unwrap())
}

/// The demo sample as the service's documentation sends it.
pub const DEMO: &str = r#"{"fixed_acidity":7.4,"volatile_acidity":0.7,"citric_acid":0,"residual_sugar":1.9,"chlorides":0.076,"free_sulfur_dioxide":11,"total_sulfur_dioxide":34,"density":0.9978,"pH":3.51,"sulphates":0.56,"alcohol":9.4,"wine_type_encoded":0}"#;

/// The binary with this home and nothing else in its environment.
pub fn binary(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vintner"));
    command.env_clear().env("HOME", home).env("LANG", "C.UTF-8");
    command
}

/// The same to be asserted about; it does not hang for ever.
pub fn vintner(home: &Path) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::from_std(binary(home));
    command.timeout(Duration::from_mins(5));
    command
}
