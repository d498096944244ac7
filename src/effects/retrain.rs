//! What the Retrain tab asks for and hears.

use super::Runner;

/// What the Retrain tab asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {}

/// What the Retrain tab hears.
#[derive(Debug)]
pub enum Event {}

/// Starts what the effect asks for.
pub fn run(effect: Effect, _runner: &mut Runner) {
    match effect {}
}
