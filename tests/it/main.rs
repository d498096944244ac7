//! One test binary, so that it links once: architecture, command line, terminal, screens, journeys, clients.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod architecture;
mod cli;
mod cli_logs;
mod client_tail;
mod doctor;
mod journeys;
mod lambda;
mod lambda_incidents;
mod models;
mod models_away;
mod pictures;
mod predict;
mod report;
mod retrain;
mod screens;
mod serving;
mod storm;
mod support;
mod terminal;
mod train;
