//! The model the sandbox serves: perhaps not trained yet, perhaps replaced while it runs.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

/// Turns one row of features (in the schema's order, `NaN` where a value is missing) into a score.
pub type Predictor = Arc<dyn Fn(&[f32]) -> f32 + Send + Sync>;

/// A model version in service.
#[derive(Clone)]
pub(super) struct Served {
    pub version: String,
    pub predictor: Predictor,
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Served({})", self.version)
    }
}

/// The model given to a sandbox: ready, or promised through a [`ModelSlot`].
#[derive(Debug)]
pub struct ServedModel {
    slot: watch::Sender<Option<Served>>,
}

/// Fills a [`ServedModel::pending`] once the model is there.
#[derive(Debug, Clone)]
pub struct ModelSlot {
    slot: watch::Sender<Option<Served>>,
}

impl ServedModel {
    /// A model that can answer now.
    pub fn ready(version: impl Into<String>, predictor: Predictor) -> Self {
        Self {
            slot: watch::Sender::new(Some(Served {
                version: version.into(),
                predictor,
            })),
        }
    }

    /// A model still being loaded or trained; calls wait until the slot is filled.
    pub fn pending() -> (ModelSlot, Self) {
        let slot = watch::Sender::new(None);
        (ModelSlot { slot: slot.clone() }, Self { slot })
    }

    pub(super) fn deploy(&self, version: impl Into<String>, predictor: Predictor) {
        self.slot.send_replace(Some(Served {
            version: version.into(),
            predictor,
        }));
    }

    /// The version in service, without waiting.
    pub(super) fn current(&self) -> Option<Served> {
        self.slot.borrow().clone()
    }

    /// The version in service, once there is one.
    pub(super) async fn loaded(&self) -> Option<Served> {
        let mut slot = self.slot.subscribe();
        slot.wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|served| served.clone())
    }
}

impl ModelSlot {
    /// Put the model into service.
    pub fn fill(&self, version: impl Into<String>, predictor: Predictor) {
        self.slot.send_replace(Some(Served {
            version: version.into(),
            predictor,
        }));
    }
}
