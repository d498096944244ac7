//! vintner: a terminal cockpit for one model in production.

pub mod client;
pub mod domain;
pub mod registry;
pub mod sandbox;
pub mod store;
pub mod train;
