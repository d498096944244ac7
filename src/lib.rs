//! vintner: a terminal cockpit for one model in production.
//!
//! ```text
//!  crossterm EventStream ──Msg::Term──┐            ┌──Msg::Event (bounded channel)── tasks
//!                                     ▼            ▼                                   ▲
//!    quit > frame > input > event > wake   (select! biased, runtime)                   │ Effect
//!                                     │                                                │
//!            App::update(&mut self, Msg, now) -> Vec<Effect> ──────────────────────── Runner (effects, the only spawner)
//!                                     │
//!            &App drawn into a Buffer: pure in (state, theme, now, area)               (ui, tabs, overlay)
//! ```
//!
//! - [`domain`] and [`train`] are values and rules; they know no screen, runtime, network, clock or file.
//! - [`client`] talks to the outside; each SDK crate is named in one file only.
//! - [`sandbox`] is the outside when there is none: an embedded server with the real wire protocols, reached by the same clients.
//! - [`tabs`] are views of what the commands in [`cli`] do; both share the domain code.
//! - [`store`] and [`registry`] keep what must survive: log lines on disk, model versions.
//!
//! To add a tab, see [`tabs`]; an effect, see [`effects`]; a key, `assets/keys.toml`; a model, `assets/models`.

pub mod app;
pub mod batch;
pub mod challenger;
pub mod champion;
pub mod cli;
pub mod client;
pub mod config;
pub mod domain;
pub mod effects;
pub mod history;
pub mod keys;
pub mod overlay;
pub mod pacer;
pub mod private;
pub mod registry;
pub mod remote;
pub mod runtime;
pub mod sandbox;
pub mod screen;
pub mod store;
pub mod tabs;
pub mod terminal;
#[cfg(test)]
mod testing;
pub mod train;
pub mod ui;
