//! The hand-over of a shift, read now: the figures first, then Doctor, whose own calls must not be among them.

use std::sync::Arc;

use jiff::Timestamp;

use crate::client::collect::{self, Examination};
use crate::client::link::Link;
use crate::client::survey;
use crate::config::Settings;
use crate::domain::doctor::diagnose;
use crate::domain::function::surroundings;
use crate::domain::handover::{DriftLine, Drifting, Handover, Source};
use crate::domain::latency::Window;
use crate::domain::schema::Schema;
use crate::history::drifted::drifted;

/// Everything the report says, read now. Errors only when the target has no AWS or no function.
///
/// The parts are boxed: joined in place they are larger than a worker's stack can bear.
pub async fn compose(
    link: &Link,
    schema: &Schema,
    settings: &Arc<Settings>,
    window: Window,
) -> anyhow::Result<Handover> {
    let now = Timestamp::now();
    let now_ms = now.as_millisecond();
    let payload = collect::sample_payload(schema);
    let examination = Examination::of(link, schema, payload, now_ms).by(&settings.rules);
    let (gathered, errors) = tokio::join!(
        Box::pin(survey::gather(link, window, now_ms)),
        Box::pin(survey::errors(link, window, now_ms))
    );
    let gathered = gathered?;
    let drift = drift(link, schema, settings)
        .await
        .map_or_else(Drifting::Unread, Drifting::Compared);
    let facts = Box::pin(collect::facts(&examination)).await;
    let session = &link.session;
    Ok(Handover {
        written: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        source: Source {
            target: session.target.clone(),
            account: session
                .account
                .clone()
                .or_else(|| facts.identity.known().map(|i| i.account.clone())),
            region: session.region.clone(),
            function: session.function.clone(),
            endpoint: session.endpoint.clone(),
            sandbox: session.sandbox,
        },
        config: gathered.overview.config.known().cloned(),
        surroundings: surroundings(&gathered.overview).to_vec(),
        series: gathered.series(now_ms),
        histogram: gathered.histogram(now_ms),
        note: gathered.reports_note(),
        vitals: gathered.vitals(settings, now_ms),
        errors,
        drift,
        diagnosis: diagnose(&facts),
    })
}

/// Recent requests of this machine's history beside what the champion was trained on.
async fn drift(
    link: &Link,
    schema: &Schema,
    settings: &Arc<Settings>,
) -> Result<DriftLine, String> {
    let (target, schema, settings) = (
        link.session.target.clone(),
        schema.clone(),
        Arc::clone(settings),
    );
    let compare = move || drifted(&settings, &target, &schema, None);
    let drifted = tokio::task::spawn_blocking(compare)
        .await
        .map_err(|error| error.to_string())??;
    Ok(DriftLine {
        against: drifted.version.to_string(),
        report: drifted.report,
    })
}
