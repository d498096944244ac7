//! Recent requests beside the champion's training rows.

use crate::champion::registry;
use crate::config::Settings;
use crate::domain::drift::DriftReport;
use crate::domain::features::Features;
use crate::domain::paste::Pasted;
use crate::domain::schema::Schema;
use crate::history::{Entry, History, HistoryFile, Via};
use crate::registry::Version;
use crate::registry::drift::drift;
use crate::train::Dataset;

/// Recent requests beside the champion's training rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Drifted {
    /// The champion.
    pub version: Version,
    /// The comparison.
    pub report: DriftReport,
    /// The version's reference holds no scores of unseen rows: scores are not compared.
    pub in_sample: bool,
}

/// The newest requests of a target's history that went over the network, against the champion. Reads files.
pub fn drifted(
    settings: &Settings,
    target: &str,
    schema: &Schema,
    latest: Option<Entry>,
) -> Result<Drifted, String> {
    let history = HistoryFile::in_dir(&settings.dirs.state)
        .load()
        .map_err(|error| error.to_string())?;
    let entries = history.entries().iter().cloned();
    let history = History::new(entries.chain(latest).collect());
    let registry = registry(settings);
    let (champion, loaded) = registry
        .load_champion()
        .map_err(|error| error.to_string())?;
    let names = loaded.manifest.features.names.clone();
    let sent = history
        .entries()
        .iter()
        .filter(|entry| entry.target == target && entry.via != Via::Local);
    let rows: Vec<Vec<f32>> = sent
        .filter_map(|entry| row(&entry.body, schema, &names))
        .collect();
    let requests = Dataset::of_requests(names, &rows).map_err(|error| error.to_string())?;
    let compared = drift(&registry, &loaded, &requests).map_err(|error| error.to_string())?;
    Ok(Drifted {
        version: champion.version,
        report: compared.report,
        in_sample: compared.in_sample,
    })
}

/// A body's values in the model's order; `None` for a body that the service would have refused.
fn row(body: &str, schema: &Schema, names: &[String]) -> Option<Vec<f32>> {
    let pasted = Pasted::parse(schema, body).ok()?;
    let fields: Vec<String> = pasted
        .fields
        .into_iter()
        .map(Option::unwrap_or_default)
        .collect();
    let features = Features::parse(schema, &fields).ok()?;
    let value = |name: &String| Some(features.row()[schema.position(name)?] as f32);
    names.iter().map(value).collect()
}
