//! Values and rules: what a feature, a prediction, a log line or a finding *is*. No screen, runtime, network, clock or file.

pub mod line;
