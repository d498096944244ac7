//! One feature swept over the endpoint, and the mean curve of the data's rows on the local model.

use std::sync::Arc;

use super::{Event, LocalModel, blocking, endpoint};
use crate::client::ways;
use crate::domain::features::Features;
use crate::domain::schema::Schema;
use crate::domain::what_if::{self, POINTS};
use crate::effects::{Runner, Slot};

/// Rows of the data whose curves are averaged: enough for a smooth mean, few enough for a blink.
const ROWS: usize = 200;

/// One call after the other, so that the sweep is no load; ends at the first call that reaches nobody.
pub(super) fn run(
    ticket: u64,
    features: Features,
    field: usize,
    schema: Arc<Schema>,
    runner: &mut Runner,
) {
    let client = endpoint(runner).map(|url| runner.predict.client(&url));
    runner.spawn_in(Slot::Sweep, "sweeping", move |outbox, _| async move {
        let values = what_if::values(&schema.features[field], POINTS);
        let began = Event::SweepBegan {
            ticket,
            features: Box::new(features.clone()),
            field,
            total: values.len(),
        };
        outbox.send(began).await;
        let error = match client {
            Err(error) => Some(error),
            Ok(client) => {
                let mut unreachable = None;
                for value in values {
                    let body = features.with(field, value).to_json(&schema);
                    let way = ways::gateway(&client, &schema, &body).await;
                    let score = way.score().ok_or_else(|| way.fault().unwrap_or_default());
                    unreachable = way.result.err();
                    let swept = Event::Swept {
                        ticket,
                        value,
                        score,
                    };
                    if !outbox.send(swept).await || unreachable.is_some() {
                        break;
                    }
                }
                unreachable
            }
        };
        outbox.send(Event::SweepEnded { ticket, error }).await;
    });
}

/// Averages the curves of rows spread evenly over the data that ships, where it is about the schema's inputs.
pub(super) fn dependence(field: usize, local: LocalModel, schema: Arc<Schema>, runner: &Runner) {
    blocking(runner, move |outbox| {
        let LocalModel(local) = local;
        let rows = match rows(&schema) {
            Ok(rows) => rows,
            Err(error) => return tracing::warn!("no mean curve: {error}"),
        };
        let values = what_if::values(&schema.features[field], POINTS);
        let model = |row: &[f32]| local.predict(row);
        let points = what_if::dependence(&model, &rows, field, &values);
        outbox.send_blocking(Event::Dependence {
            version: local.version,
            field,
            n: rows.len(),
            points,
        });
    });
}

fn rows(schema: &Schema) -> Result<Vec<Vec<f32>>, crate::train::dataset::DataError> {
    if !schema.names().eq(crate::train::dataset::FEATURES) {
        return Ok(Vec::new());
    }
    let data = crate::train::Dataset::wine_quality()?;
    let stride = (data.len() / ROWS).max(1);
    let rows = data.rows().step_by(stride).take(ROWS);
    Ok(rows.map(|row| row.to_vec()).collect())
}
