//! Everything that talks to the outside: the prediction endpoint over HTTP, AWS over its SDK.

pub mod errors;
pub mod link;
pub mod logs;
