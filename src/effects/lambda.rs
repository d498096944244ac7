//! What the Lambda tab asks for and hears: the function, its figures every minute, a diagnosis, the report.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{Outbox, Runner, Slot};
use crate::champion::registry;
use crate::client::collect::{self, Examination};
use crate::client::link::Link;
use crate::client::report::compose;
use crate::client::survey::{self, Reports};
use crate::config::Settings;
use crate::domain::alerts::Alerts;
use crate::domain::doctor::{Diagnosis, Fact, diagnose};
use crate::domain::drift::DriftReport;
use crate::domain::features::Features;
use crate::domain::function::{FunctionConfig, Overview};
use crate::domain::latency::Window;
use crate::domain::metrics::{Budget, Snapshot};
use crate::domain::paste::Pasted;
use crate::domain::schema::Schema;
use crate::domain::slo::Counts;
use crate::history::{Entry, History, HistoryFile, Via};
use crate::registry::Version;
use crate::registry::drift::drift;
use crate::train::Dataset;

/// How often figures are read anew while the tab is in use.
pub const REFRESH: Duration = Duration::from_mins(1);
/// The error budget's month is read anew this often.
const MONTH_REFRESH_MS: i64 = 3_600_000;
/// After the first reading only so far back: late lines included.
const OVERLAP: Window = Window::M5;

/// What the Lambda tab asks for. Answers carry the ticket.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Read the function and everything about it, then its figures, and again every minute.
    Watch {
        /// Comes back with the answers; older ones are stale.
        ticket: u64,
        /// How far back the figures look.
        window: Window,
    },
    /// Read the configuration of one version, to compare.
    Version {
        /// Comes back with the answer.
        ticket: u64,
        /// `1`, `2`, …
        version: String,
    },
    /// Examine the target.
    Doctor {
        /// Whose predictions are sent.
        schema: Arc<Schema>,
    },
    /// Compare recent requests with what the champion was trained on.
    Drift {
        /// How to read their bodies.
        schema: Arc<Schema>,
        /// One that may not be in the history's file yet.
        latest: Option<Box<Entry>>,
    },
    /// Write the report to this file.
    Report {
        /// Whose predictions Doctor sends.
        schema: Arc<Schema>,
        /// How far back.
        window: Window,
        /// Where to.
        path: PathBuf,
    },
}

/// What the Lambda tab hears.
#[derive(Debug)]
pub enum Event {
    /// The function, as far as it can be read; or why nothing can.
    Described {
        /// The request's.
        ticket: u64,
        /// The answer.
        overview: Result<Box<Overview>, String>,
    },
    /// CloudWatch's figures and the error budget.
    Measured {
        /// The request's.
        ticket: u64,
        /// The window's figures.
        snapshot: Box<Fact<Snapshot>>,
        /// The budget's.
        budget: Fact<Budget>,
    },
    /// REPORT lines; some may be known already.
    Reports {
        /// The request's.
        ticket: u64,
        /// The lines, or why there are none.
        reports: Fact<Reports>,
    },
    /// Another version's configuration.
    Version {
        /// The request's.
        ticket: u64,
        /// Which.
        version: String,
        /// The answer.
        config: Box<Fact<FunctionConfig>>,
    },
    /// The alert rules were looked at anew; told by the tab itself.
    Watched(Box<Alerts>),
    /// How recent requests compare with the champion's training rows, or why that cannot be said.
    Drifted(Result<Box<Drifted>, String>),
    /// What Doctor found, or why it could not look.
    Diagnosed(Result<Box<Diagnosis>, String>),
    /// The report was written, or why not.
    Reported(Result<PathBuf, String>),
}

/// Recent requests beside the champion's training rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Drifted {
    /// The champion.
    pub version: Version,
    /// The comparison.
    pub report: DriftReport,
}

/// Starts what the effect asks for.
pub fn run(effect: Effect, runner: &mut Runner) {
    match effect {
        Effect::Watch { ticket, window } => watch(ticket, window, runner),
        Effect::Version { ticket, version } => read_version(ticket, version, runner),
        Effect::Doctor { schema } => examine(schema, runner),
        Effect::Drift { schema, latest } => compare_with_training(schema, latest, runner),
        Effect::Report {
            schema,
            window,
            path,
        } => write_report(schema, window, path, runner),
    }
}

fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// The connected target's Lambda side, or the sentence that says why there is none.
fn target(link: Option<&Link>) -> Result<(Link, Examination), String> {
    let link = link.ok_or("not connected yet")?;
    link.aws().map_err(|error| format!("{error:#}"))?;
    let examination = Examination::of(
        link,
        Schema::wine_quality(),
        serde_json::Value::Null,
        now_ms(),
    );
    if examination.function.is_empty() {
        return Err(format!(
            "the target `{}` names no function; give one with --function",
            link.session.target
        ));
    }
    Ok((link.clone(), examination))
}

fn watch(ticket: u64, window: Window, runner: &mut Runner) {
    let target = target(runner.link.as_ref());
    runner.spawn_in(
        Slot::Metrics,
        "reading metrics",
        move |outbox, _| async move {
            match target {
                Ok((link, examination)) => {
                    keep_watching(ticket, window, &link, &examination, &outbox).await;
                }
                Err(why) => {
                    let overview = Err(why);
                    outbox.send(Event::Described { ticket, overview }).await;
                }
            }
        },
    );
}

async fn keep_watching(
    ticket: u64,
    window: Window,
    link: &Link,
    examination: &Examination,
    outbox: &Outbox,
) {
    let Some(aws) = &examination.aws else { return };
    let endpoint = link
        .endpoint
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let function = examination.function.as_str();
    let mut stretch = window;
    let mut month: Option<(i64, Fact<Counts>)> = None;
    loop {
        let qualifier = examination.qualifier.as_deref();
        let overview = Box::pin(survey::overview(aws, function, qualifier, &endpoint)).await;
        let configured = overview.config.known().map(|c| c.log_group.clone());
        let group = link
            .log_groups
            .first()
            .cloned()
            .or(configured)
            .unwrap_or_default();
        let api_id = overview.api_id.known().cloned();
        outbox
            .send(Event::Described {
                ticket,
                overview: Ok(Box::new(overview)),
            })
            .await;
        let now = now_ms();
        let fresh = |(at, counts): &(i64, Fact<Counts>)| {
            counts.known().is_some() && now - at < MONTH_REFRESH_MS
        };
        if !month.as_ref().is_some_and(fresh) {
            month = Some((now, survey::month(aws, api_id.as_deref(), now).await));
        }
        let counts = month.as_ref().map_or(&Fact::NotAsked, |(_, counts)| counts);
        let ((snapshot, budget), reports) = tokio::join!(
            Box::pin(survey::measure(
                aws,
                function,
                api_id.as_deref(),
                window,
                counts,
                now
            )),
            Box::pin(survey::reports(aws, &group, stretch, now))
        );
        if matches!(reports, Fact::Known(_)) {
            stretch = OVERLAP.min(window);
        }
        outbox.send(Event::Reports { ticket, reports }).await;
        outbox
            .send(Event::Measured {
                ticket,
                snapshot: Box::new(snapshot),
                budget,
            })
            .await;
        tokio::time::sleep(REFRESH).await;
    }
}

fn read_version(ticket: u64, version: String, runner: &mut Runner) {
    let target = target(runner.link.as_ref());
    runner.spawn_in(
        Slot::Describe,
        "reading a version",
        move |outbox, _| async move {
            let config = match &target {
                Ok((_, examination)) => match &examination.aws {
                    Some(aws) => survey::version(aws, &examination.function, &version).await,
                    None => Fact::NotAsked,
                },
                Err(why) => Fact::Failed(why.clone()),
            };
            outbox
                .send(Event::Version {
                    ticket,
                    version,
                    config: Box::new(config),
                })
                .await;
        },
    );
}

fn compare_with_training(schema: Arc<Schema>, latest: Option<Box<Entry>>, runner: &mut Runner) {
    let target = match &runner.link {
        Some(link) => link.session.target.clone(),
        None => runner.settings.target.clone(),
    };
    let settings = Arc::clone(&runner.settings);
    runner.spawn("drift", move |outbox| async move {
        let compare = move || drifted(&settings, &target, &schema, latest);
        if let Ok(drifted) = tokio::task::spawn_blocking(compare).await {
            outbox.send(Event::Drifted(drifted.map(Box::new))).await;
        }
    });
}

/// The newest requests of a target's history that went over the network, against the champion.
fn drifted(
    settings: &Settings,
    target: &str,
    schema: &Schema,
    latest: Option<Box<Entry>>,
) -> Result<Drifted, String> {
    let history = HistoryFile::in_dir(&settings.dirs.state)
        .load()
        .map_err(|error| error.to_string())?;
    let entries = history.entries().iter().cloned();
    let history = History::new(entries.chain(latest.map(|entry| *entry)).collect());
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
    let (_, report) = drift(&registry, &loaded, &requests).map_err(|error| error.to_string())?;
    Ok(Drifted {
        version: champion.version,
        report,
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

fn examine(schema: Arc<Schema>, runner: &mut Runner) {
    let link = runner.link.clone();
    runner.spawn_in(Slot::Doctor, "doctor", move |outbox, _| async move {
        let diagnosis = match link {
            Some(link) => {
                let examination =
                    Examination::of(&link, &schema, collect::sample_payload(&schema), now_ms());
                let facts = Box::pin(collect::facts(&examination)).await;
                Ok(Box::new(diagnose(&facts)))
            }
            None => Err("not connected yet".to_owned()),
        };
        outbox.send(Event::Diagnosed(diagnosis)).await;
    });
}

fn write_report(schema: Arc<Schema>, window: Window, path: PathBuf, runner: &mut Runner) {
    let link = runner.link.clone();
    let settings = Arc::clone(&runner.settings);
    runner.spawn("report", move |outbox| async move {
        let outcome = match link {
            Some(link) => compose(&link, &schema, &settings, window)
                .await
                .map_err(|error| format!("{error:#}")),
            None => Err("not connected yet".to_owned()),
        };
        let written = match outcome {
            Ok(handover) => tokio::fs::write(&path, handover.markdown())
                .await
                .map_err(|error| format!("cannot write {}: {error}", path.display())),
            Err(why) => Err(why),
        };
        outbox.send(Event::Reported(written.map(|()| path))).await;
    });
}
