//! What the Lambda tab asks for and hears: the function, its figures every minute, a diagnosis, the report.

mod desk;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{Outbox, Runner, Slot};
use crate::client::collect::{self, Examination};
use crate::client::link::Link;
use crate::client::report::compose;
use crate::client::survey::{self, Reports};
use crate::domain::alerts::Alerts;
use crate::domain::doctor::{Diagnosis, Fact, diagnose};
use crate::domain::function::Overview;
use crate::domain::latency::Window;
use crate::domain::metrics::{Budget, Snapshot};
use crate::domain::reckoning::{Figures, Work};
use crate::domain::schema::Schema;
use crate::domain::slo::Counts;
use crate::history::Entry;
use crate::history::drifted::drifted;

pub use crate::history::drifted::Drifted;

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
    /// Something for the books, from which the figures are worked out.
    Reckon(Work),
    /// Read another version or target, to compare.
    Compare {
        /// Comes back with the answer.
        ticket: u64,
        /// Which.
        with: Other,
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
    /// The figures of the newest question.
    Reckoned(Arc<Figures>),
    /// What to compare with was chosen; `None` compares with nothing any more. Told by the menu.
    Chosen(Option<Other>),
    /// Another version or target, as far as it can be read.
    Compared {
        /// The request's.
        ticket: u64,
        /// Which.
        with: Other,
        /// The answer.
        overview: Result<Box<Overview>, String>,
    },
    /// The alert rules were looked at anew; told by the tab itself.
    Watched(Box<Alerts>),
    /// How recent requests compare with the champion's training rows, or why that cannot be said.
    Drifted(Result<Box<Drifted>, String>),
    /// What Doctor found, or why it could not look.
    Diagnosed(Result<Box<Diagnosis>, String>),
    /// The report was written, as an absolute path, or why not.
    Reported(Result<PathBuf, String>),
}

/// What a function can be compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Other {
    /// A published version of it: `1`, `2`, …
    Version(String),
    /// The function of another target.
    Target(String),
}

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "version {version}"),
            Self::Target(target) => write!(f, "target {target}"),
        }
    }
}

/// What the Lambda room keeps between effects.
#[derive(Debug, Default)]
pub struct Room {
    /// Where figures are worked out, once any were asked for.
    desk: Option<desk::Desk>,
}

/// Starts what the effect asks for.
pub fn run(effect: Effect, runner: &mut Runner) {
    match effect {
        Effect::Watch { ticket, window } => watch(ticket, window, runner),
        Effect::Reckon(work) => desk::lay(work, runner),
        Effect::Compare { ticket, with } => read_other(ticket, with, runner),
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
    let endpoint = link.url();
    let function = examination.function.as_str();
    let mut stretch = window;
    let mut month: Option<(i64, Fact<Counts>)> = None;
    loop {
        let qualifier = examination.qualifier.as_deref();
        let overview = Box::pin(survey::overview(aws, function, qualifier, &endpoint)).await;
        let group = link.group_of(&overview);
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

fn read_other(ticket: u64, with: Other, runner: &mut Runner) {
    let here = target(runner.link.as_ref());
    let (settings, schema) = (Arc::clone(&runner.settings), Arc::clone(&runner.schema));
    runner.spawn_in(
        Slot::Describe,
        "reading what to compare with",
        move |outbox, _| async move {
            let overview = match &with {
                Other::Version(version) => match here {
                    Ok((_, here)) => version_of(&here, version).await,
                    Err(why) => Err(why),
                },
                Other::Target(name) => {
                    let link = Link::connect(&settings, &schema, name.as_str()).await;
                    Box::pin(overview_of(link.map_err(|error| format!("{error:#}")))).await
                }
            };
            let overview = overview.map(Box::new);
            outbox
                .send(Event::Compared {
                    ticket,
                    with,
                    overview,
                })
                .await;
        },
    );
}

/// A version's configuration; what belongs to the whole function is not asked again.
async fn version_of(here: &Examination, version: &str) -> Result<Overview, String> {
    let Some(aws) = &here.aws else {
        return Err("the target has no AWS behind it".to_owned());
    };
    let config = survey::version(aws, &here.function, version).await;
    match config.absence() {
        Some(why) => Err(why),
        None => Ok(Overview {
            config,
            ..Overview::default()
        }),
    }
}

/// Everything about another target's function.
async fn overview_of(link: Result<Link, String>) -> Result<Overview, String> {
    let (link, there) = target(Some(&link?))?;
    let Some(aws) = &there.aws else {
        return Err("the target has no AWS behind it".to_owned());
    };
    let endpoint = link.url();
    let (function, qualifier) = (&there.function, there.qualifier.as_deref());
    let overview = survey::overview(aws, function, qualifier, &endpoint).await;
    match overview.config.absence() {
        Some(why) => Err(why),
        None => Ok(overview),
    }
}

fn compare_with_training(schema: Arc<Schema>, latest: Option<Box<Entry>>, runner: &mut Runner) {
    let target = match &runner.link {
        Some(link) => link.session.target.clone(),
        None => runner.settings.target.clone(),
    };
    let settings = Arc::clone(&runner.settings);
    runner.spawn("drift", move |outbox| async move {
        let compare = move || drifted(&settings, &target, &schema, latest.map(|entry| *entry));
        if let Ok(drifted) = tokio::task::spawn_blocking(compare).await {
            outbox.send(Event::Drifted(drifted.map(Box::new))).await;
        }
    });
}

fn examine(schema: Arc<Schema>, runner: &mut Runner) {
    let link = runner.link.clone();
    let settings = Arc::clone(&runner.settings);
    runner.spawn_in(Slot::Doctor, "doctor", move |outbox, _| async move {
        let diagnosis = match link {
            Some(link) => {
                let examination =
                    Examination::of(&link, &schema, collect::sample_payload(&schema), now_ms());
                let examination = examination.by(&settings.rules);
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
        let written = written.map(|()| std::path::absolute(&path).unwrap_or(path));
        outbox.send(Event::Reported(written)).await;
    });
}
