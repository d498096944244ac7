//! Everything that talks to the outside: the prediction endpoint over HTTP, AWS over its SDK.

pub mod bench;
pub mod collect;
pub mod ecr;
pub mod endpoints;
pub mod errors;
pub mod fingerprint;
pub mod gateway;
pub mod github;
pub mod iam;
pub mod identity;
pub mod lambda;
pub mod link;
pub mod livetail;
pub mod logs;
pub mod metrics;
pub mod mlflow;
pub mod predict;
pub mod refusal;
pub mod report;
pub mod signed;
pub mod store;
pub mod survey;
pub mod tail;
pub mod ways;
pub mod wire;
