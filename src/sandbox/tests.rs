#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bucket;
mod clients;
mod gateway;
mod insights;
mod logs;
mod reads;

use std::sync::Arc;

use super::*;
use crate::testing::DEMO;

/// A model whose answer shows its input: half the alcohol.
pub(super) fn half_the_alcohol() -> ServedModel {
    ServedModel::ready("v1.0", Arc::new(|row: &[f32]| row[10] / 2.0))
}

pub(super) async fn quiet() -> Sandbox {
    Sandbox::start(Options::quiet(), half_the_alcohol())
        .await
        .unwrap()
}

/// Poll until `check` gives a value; a test that waits for ever fails after ten seconds.
pub(super) async fn eventually<T, F: Future<Output = Option<T>>>(
    mut check: impl FnMut() -> F,
) -> T {
    tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            if let Some(value) = check().await {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the condition never came true")
}
