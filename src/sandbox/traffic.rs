//! Background traffic: what other callers send, now and in the hours before the sandbox started.

mod history;

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tokio::time::Instant;

use super::gateway;
use super::incident::Incident;
use super::job;
use super::world::{World, dice, now_ms};
use crate::domain::schema::{Domain, Schema};
use crate::train::dataset::Dataset;

/// Share of callers who send a word where a number belongs.
const MISTAKES: f64 = 0.0002;

/// Fill in the history, then keep sending until the sandbox stops.
pub(super) async fn run(world: Arc<World>) {
    let recorder = Arc::clone(&world);
    // A panic in there must not leave every reader waiting.
    let _ = tokio::task::spawn_blocking(move || history::record(&recorder)).await;
    world.history_done();
    if world.options.rate <= 0.0 {
        return;
    }
    let stop = world.stop.clone();
    tokio::select! {
        () = stop.cancelled() => {}
        () = send(&world) => {}
        () = run_jobs(&world) => {}
    }
}

async fn send(world: &Arc<World>) {
    if world.model.loaded().await.is_none() {
        return std::future::pending().await;
    }
    let schema = Arc::clone(&world.options.schema);
    let Ok(mut callers) = tokio::task::spawn_blocking({
        let seed = world.options.seed;
        move || Callers::new(schema, seed)
    })
    .await
    else {
        return std::future::pending().await;
    };
    let mut next = Instant::now();
    loop {
        next += Duration::from_secs_f64(exponential(&mut callers.dice, world.options.rate));
        tokio::time::sleep_until(next).await;
        let body = callers.body(world.is(Incident::DriftedInput));
        let world = Arc::clone(world);
        tokio::spawn(
            async move { gateway::call(&world, true, "POST", "/", body.as_bytes()).await },
        );
    }
}

/// The other function's schedule.
async fn run_jobs(world: &Arc<World>) {
    let mut dice = dice(world.options.seed, 6);
    loop {
        let now = now_ms();
        let wait = job::EVERY_MS - now.rem_euclid(job::EVERY_MS);
        tokio::time::sleep(Duration::from_millis(wait as u64)).await;
        job::run(world, now + wait, &mut dice);
    }
}

/// Seconds until the next call of a Poisson process with `rate` calls a second.
fn exponential(dice: &mut impl Rng, rate: f64) -> f64 {
    -(1.0 - dice.r#gen::<f64>()).ln() / rate
}

/// People who ask for predictions, each with a row of the training data, or one like it.
struct Callers {
    schema: Arc<Schema>,
    rows: Vec<Vec<f64>>,
    dice: ChaCha8Rng,
}

impl Callers {
    fn new(schema: Arc<Schema>, seed: u64) -> Self {
        let rows = match Dataset::wine_quality() {
            Ok(data) if data.names.iter().map(String::as_str).eq(schema.names()) => data
                .rows()
                .map(|row| row.iter().map(|value| shortest(*value)).collect())
                .collect(),
            // Another model: its presets are all we know of its inputs.
            _ => schema
                .presets
                .iter()
                .map(|preset| preset.values.clone())
                .collect(),
        };
        Self {
            schema,
            rows,
            dice: dice(seed, 5),
        }
    }

    fn body(&mut self, drifted: bool) -> String {
        let row = &self.rows[self.dice.gen_range(0..self.rows.len())];
        let mistake = self
            .dice
            .gen_bool(MISTAKES)
            .then(|| self.dice.gen_range(0..row.len()));
        let mut body = serde_json::Map::new();
        for (position, (feature, value)) in self.schema.features.iter().zip(row).enumerate() {
            let mut value = *value;
            if let (true, Domain::Number(range)) = (drifted && position % 3 == 1, &feature.domain) {
                value = range.p99 + (range.max - range.p99) * self.dice.gen_range(0.0..0.5);
            }
            let value = if mistake == Some(position) {
                serde_json::json!("N/A")
            } else {
                serde_json::json!(value)
            };
            body.insert(feature.name.clone(), value);
        }
        serde_json::Value::Object(body).to_string()
    }
}

/// The `f64` that prints as the `f32` does: 0.7, not 0.699999988079071.
fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}
