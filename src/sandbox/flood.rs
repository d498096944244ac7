//! A flood of log lines, for as long as the incident lasts: what a tail, a store and a screen must stand.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;

use super::incident::Incident;
use super::streams::Delivery;
use super::world::{World, dice, lock, now_ms};

/// Lines in one burst; they share a millisecond.
const BURST: u64 = 50;
/// Twenty bursts make a thousand lines a second.
const BURST_EVERY: Duration = Duration::from_millis(50);
/// Bursts that one stream takes before the next environment starts: ten seconds.
const BURSTS_PER_STREAM: u64 = 200;

/// Writes into the function's log group whenever [`Incident::LogFlood`] is on, until the sandbox stops.
pub(super) async fn run(world: Arc<World>) {
    let mut incidents = world.incidents();
    let flooded = |now: &Option<(Incident, i64)>| matches!(now, Some((Incident::LogFlood, _)));
    tokio::select! {
        () = world.stop.cancelled() => {}
        () = async {
            while incidents.wait_for(flooded).await.is_ok() {
                pour(&world).await;
            }
        } => {}
    }
}

async fn pour(world: &World) {
    let mut dice = dice(world.options.seed, 9);
    let mut tick = tokio::time::interval(BURST_EVERY);
    let mut stream = String::new();
    for burst in 0_u64.. {
        tick.tick().await;
        if !world.is(Incident::LogFlood) {
            return;
        }
        let at = now_ms();
        if burst % BURSTS_PER_STREAM == 0 {
            let day = jiff::Timestamp::from_millisecond(at)
                .unwrap_or_default()
                .strftime("%Y/%m/%d");
            stream = format!("{day}/[$LATEST]{:032x}", dice.r#gen::<u128>());
        }
        let group = world.log_group();
        let mut logs = lock(&world.logs);
        for line in 0..BURST {
            let message = format!(
                "DEBUG feature cache: line {} of the flood, bucket {} missed\n",
                burst * BURST + line,
                dice.gen_range(0..4096)
            );
            logs.write(&group, &stream, at, &message, Delivery::default());
        }
    }
}
