//! The model this machine serves: the registry's champion, or one trained on the first start.

use std::sync::Arc;

use crate::config::Settings;
use crate::sandbox::{Predictor, ServedModel};
use crate::train::{self, Dataset, Plan};

/// The champion's version, if the registry has one.
pub const fn version(_settings: &Settings) -> Option<String> {
    None
}

/// The champion, loading or training on a thread of its own.
pub fn served(_settings: &Arc<Settings>) -> ServedModel {
    let (slot, model) = ServedModel::pending();
    std::thread::spawn(move || match trained() {
        Ok(predictor) => slot.fill("v1.0", predictor),
        Err(error) => tracing::error!("the sandbox has no model: {error:#}"),
    });
    model
}

fn trained() -> anyhow::Result<Predictor> {
    let data = Dataset::wine_quality()?.canonical(true);
    let plan = Plan::preset("owner").ok_or_else(|| anyhow::anyhow!("no preset `owner`"))?;
    let model = train::fit(&plan, &data, &mut |_| train::Flow::Continue)?.model;
    Ok(Arc::new(move |row: &[f32]| model.predict_row(row)))
}
