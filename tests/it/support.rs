//! The harnesses: a screen without a terminal, the real loop without a terminal, the real binary in a PTY, a real tail.

pub mod holding;
pub mod journey;
pub mod loopback;
pub mod picture;
pub mod pty;
pub mod stage;
pub mod tailing;

use std::path::Path;
use std::sync::Arc;

use vintner::config::{Flags, Settings};

/// Settings whose every file is below `home`, as the defaults are but for a fast, quiet sandbox.
pub fn settings(home: &Path, flags: Flags) -> Arc<Settings> {
    let home = home.to_string_lossy().into_owned();
    let env = move |name: &str| (name == "HOME").then(|| home.clone());
    Arc::new(Settings::load(flags, &env).unwrap())
}
