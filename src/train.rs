//! Training: data in, model out. Synchronous and CPU-bound; progress goes through a callback that may stop it.
//!
//! The road a run takes: [`Dataset`] → [`Dataset::canonical`] (drop duplicates) → [`split::Split`] (stratified
//! 80/20) → [`fit`] on the training rows with a [`Plan`] → [`Model`], judged on the holdout.

pub mod dataset;
pub mod split;

pub mod best_params;
pub mod estimator;
pub mod evaluate;
pub mod export;
pub mod importance;
pub mod judge;
pub mod onnx;
pub mod retrain;
pub mod shap;
pub mod surrogate;
pub mod tune;
pub mod verdict;

pub mod fit;
pub mod model;
pub mod plan;
pub mod progress;

pub mod tree;

mod boost;
mod control;
mod cut;
mod grow;
mod ledger;
mod linear;
mod noise;
mod numpy;
mod packed;
mod rng;
mod table;

pub use dataset::{DataError, Dataset};
pub use fit::{Outcome, TrainError, fit, fit_watched};
pub use model::{Model, ModelError};
pub use plan::{Family, MaxFeatures, Params, Plan};
pub use progress::{Flow, Progress, Scores};
