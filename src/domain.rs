//! Values and rules: what a feature, a prediction, a log line or a finding *is*. No screen, runtime, network, clock or file.

pub mod alerts;
pub mod arn;
pub mod compare;
pub mod cost;
pub mod doctor;
pub mod drift;
pub mod features;
pub mod fields;
pub mod function;
pub mod handover;
pub mod headline;
pub mod invocation;
pub mod latency;
pub mod line;
pub mod metrics;
pub mod paste;
pub mod prediction;
pub mod query;
pub mod report;
pub mod request_id;
pub mod schema;
pub mod slo;
pub mod template;
pub mod timestamp;
pub mod vitals;
pub mod what_if;
