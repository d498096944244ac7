//! `vintner train`: fit, judge, compare with the champion, and (unless told not to) keep the model as a version.

mod bar;
mod print;
mod throne;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, anyhow};

use super::{Context, Exit, Failure, Run};
use crate::config::Settings;
use crate::domain::schema::Schema;
use crate::registry::Registry;
use crate::train::dataset::DataError;
use crate::train::evaluate::service_bands;
use crate::train::retrain::{Job, Retrained, retrain};
use crate::train::tune::{self, Sampling, Search, SearchProgress, Trial};
use crate::train::{Dataset, Family, Flow, Plan, TrainError, best_params, plan::PRESETS};
use bar::Bar;
use throne::Throne;

/// Arguments of `vintner train`.
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub struct Args {
    /// owner (138 trees, depth 8), fast, best, or champion (its parameters again)
    #[arg(long, value_name = "NAME", default_value = "owner")]
    pub preset: String,
    /// Another family with its default parameters
    #[arg(long, value_name = "NAME", conflicts_with = "preset")]
    pub family: Option<Family>,
    /// A hyper-parameter under scikit-learn's name, such as `max_depth=12`; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Start from the `randomforest` of this `best_params.json`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["preset", "family"])]
    pub best_params: Option<PathBuf>,
    /// CSV with the schema's columns and `quality` [default: UCI Wine Quality, embedded]
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// CSV to judge with; then all rows of the data are learned from
    #[arg(long, value_name = "FILE")]
    pub holdout: Option<PathBuf>,
    /// Keep exact duplicates (they cross the split and inflate R2)
    #[arg(long)]
    pub keep_duplicates: bool,
    /// Seed of the split and the folds
    #[arg(long, value_name = "N", default_value_t = 42)]
    pub split_seed: u64,
    /// Folds of the cross-validation, 0 for none
    #[arg(long, value_name = "K", default_value_t = 5)]
    pub folds: usize,
    /// Tune first: trials in all, those in the history included
    #[arg(long, value_name = "N")]
    pub trials: Option<usize>,
    /// Tune by uniform draws, the control for TPE
    #[arg(long, requires = "trials")]
    pub random: bool,
    /// History of the tuning, one JSON object a line; resumed when it exists
    #[arg(long, value_name = "FILE", requires = "trials")]
    pub history: Option<PathBuf>,
    /// Stop a forest when 30 more trees bring less than 0.001 of out-of-bag R2
    #[arg(long)]
    pub early_stop: bool,
    /// Worker threads; the model does not depend on it [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Exit 1 unless every gate is passed
    #[arg(long)]
    pub gate: bool,
    /// Largest mean squared error the gate lets through
    #[arg(long, value_name = "MSE", default_value_t = 5.0)]
    pub max_mse: f64,
    /// Make the version the champion when every gate is passed
    #[arg(long, conflicts_with = "no_register")]
    pub promote: bool,
    /// Train without touching the registry
    #[arg(long)]
    pub no_register: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Trains on a thread of its own; Ctrl-C cancels.
pub async fn run(args: &Args, context: &Context, out: &mut impl Write) -> Run {
    let cancelled = Arc::new(AtomicBool::new(false));
    let work = Work {
        args: args.clone(),
        settings: Arc::clone(&context.settings),
        schema: Arc::clone(&context.schema),
        cancelled: Arc::clone(&cancelled),
    };
    let mut running = tokio::task::spawn_blocking(move || work.run());
    let finished = tokio::select! {
        finished = &mut running => finished,
        _ = tokio::signal::ctrl_c() => {
            cancelled.store(true, Ordering::Relaxed);
            running.await
        }
    };
    let report = finished
        .context("training failed")
        .map_err(Failure::failed)??;
    print::print(&report, args.json, out)?;
    Ok(if args.gate && !report.throne.passed() {
        Exit::Failed
    } else {
        Exit::Fine
    })
}

/// What is told at the end.
pub(super) struct Report {
    plan: Plan,
    source: String,
    retrained: Retrained,
    trials: Vec<Trial>,
    throne: Throne,
}

struct Work {
    args: Args,
    settings: Arc<Settings>,
    schema: Arc<Schema>,
    cancelled: Arc<AtomicBool>,
}

impl Work {
    fn run(self) -> Result<Report, Failure> {
        let registry = (!self.args.no_register).then(|| Registry::at(&self.settings.registry));
        let mut plan = self.plan(registry.as_ref())?;
        let rows = read(self.args.data.as_deref())?;
        let holdout = self
            .args
            .holdout
            .as_deref()
            .map(|path| read(Some(path)))
            .transpose()?;
        let mut bar = Bar::new();
        let trials = self.tune(&mut plan, &rows, &mut bar)?;
        let bands = self.bands();
        let job = Job {
            plan: &plan,
            rows: &rows,
            holdout: holdout.as_ref(),
            dedup: !self.args.keep_duplicates,
            split_seed: self.args.split_seed,
            folds: self.args.folds,
            bands: &bands,
        };
        let retrained = retrain(&job, &mut |stage, progress| {
            bar.draw(stage, progress);
            self.flow()
        });
        bar.clear();
        let retrained = retrained.map_err(training_failed)?;
        let source = self
            .args
            .data
            .as_ref()
            .map_or("UCI Wine Quality".to_owned(), |path| {
                path.display().to_string()
            });
        let served: Vec<String> = self
            .schema
            .features
            .iter()
            .map(|feature| feature.name.clone())
            .collect();
        let wishes = throne::Wishes {
            preset: self.preset(),
            source: &source,
            max_mse: self.args.max_mse,
            promote: self.args.promote,
            served: &served,
            bands: &bands,
            seed: self.args.split_seed,
        };
        let throne = Throne::decide(registry.as_ref(), &plan, &retrained, &wishes)?;
        Ok(Report {
            plan,
            source,
            retrained,
            trials,
            throne,
        })
    }

    fn flow(&self) -> Flow {
        if self.cancelled.load(Ordering::Relaxed) {
            Flow::Stop { keep: false }
        } else {
            Flow::Continue
        }
    }

    /// The model's bands, or the service's when the schema has none.
    fn bands(&self) -> Vec<(String, f64)> {
        let bands: Vec<(String, f64)> = self
            .schema
            .bands
            .iter()
            .map(|band| (band.name.clone(), band.below))
            .collect();
        if bands.is_empty() {
            service_bands()
        } else {
            bands
        }
    }

    fn preset(&self) -> Option<&str> {
        let named = self.args.family.is_none() && self.args.best_params.is_none();
        named.then_some(self.args.preset.as_str())
    }

    fn plan(&self, registry: Option<&Registry>) -> Result<Plan, Failure> {
        let mut plan = match (&self.args.family, &self.args.best_params) {
            (Some(family), _) => Plan::new(*family),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()));
                best_params::read(&text.map_err(Failure::usage)?)
                    .map_err(Failure::usage)?
                    .0
            }
            (None, None) => self.named_plan(registry)?,
        };
        for setting in &self.args.set {
            let (name, value) = setting.split_once('=').ok_or_else(|| {
                Failure::usage(anyhow!(
                    "--set {setting}: write it as NAME=VALUE, such as max_depth=12"
                ))
            })?;
            plan.set(name.trim(), value.trim())
                .map_err(Failure::usage)?;
        }
        plan.threads = self.args.threads;
        plan.early_stop = self.args.early_stop.then_some(0.001);
        plan.check().map_err(Failure::usage)?;
        Ok(plan)
    }

    fn named_plan(&self, registry: Option<&Registry>) -> Result<Plan, Failure> {
        let name = self.args.preset.as_str();
        if name == "champion" {
            let default = Registry::at(&self.settings.registry);
            let (_, loaded) = registry
                .unwrap_or(&default)
                .load_champion()
                .map_err(|error| {
                    Failure::usage(
                        anyhow!(error)
                            .context("the preset champion needs one; train with --promote first"),
                    )
                })?;
            return Ok(loaded.manifest.plan);
        }
        Plan::preset(name).ok_or_else(|| {
            Failure::usage(anyhow!(
                "there is no preset {name:?}; there are {} and champion",
                PRESETS.join(", ")
            ))
        })
    }

    /// Tunes on the training rows only, when trials were asked for, and leaves the best in `plan`.
    fn tune(&self, plan: &mut Plan, rows: &Dataset, bar: &mut Bar) -> Result<Vec<Trial>, Failure> {
        let Some(trials) = self.args.trials else {
            return Ok(Vec::new());
        };
        let sampling = if self.args.random {
            Sampling::Random
        } else {
            Sampling::Tpe
        };
        let search = Search {
            plan: plan.clone(),
            trials,
            sampling,
            seed: plan.params.seed,
        };
        let (_, data, split) = crate::train::dataset::Preflight::of(
            rows,
            !self.args.keep_duplicates,
            self.args.split_seed,
        )
        .map_err(Failure::usage)?;
        let earlier = self
            .args
            .history
            .as_deref()
            .map_or(Ok(Vec::new()), earlier)?;
        let mut written = earlier.len();
        let mut broken = None;
        let mut listen = |progress: &SearchProgress<'_>| {
            bar.draw_trial(progress);
            if let (Some(path), Some(new)) = (&self.args.history, progress.history.get(written..)) {
                written += new.len();
                broken = broken.take().or_else(|| append(path, new).err());
            }
            self.flow()
        };
        let history = tune::tune(&search, &data.select(&split.train), earlier, &mut listen);
        bar.clear();
        let history = history.map_err(training_failed)?;
        if let Some(error) = broken {
            return Err(Failure::failed(error));
        }
        if let Some(best) = tune::best(&history) {
            *plan = search.plan_of(&best.params).map_err(Failure::failed)?;
        }
        Ok(history)
    }
}

fn read(path: Option<&Path>) -> Result<Dataset, Failure> {
    let Some(path) = path else {
        return Dataset::wine_quality().map_err(Failure::failed);
    };
    let name = path.display().to_string();
    let file = File::open(path)
        .with_context(|| format!("cannot open {name}"))
        .map_err(Failure::usage)?;
    Dataset::from_csv(file, &name).map_err(Failure::usage)
}

/// The trials of an earlier session; a line cut short by a kill is left out with all after it.
fn earlier(path: &Path) -> Result<Vec<Trial>, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text
            .lines()
            .map_while(|line| serde_json::from_str(line).ok())
            .collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Failure::usage(
            anyhow!(error).context(format!("cannot read {}", path.display())),
        )),
    }
}

fn append(path: &Path, trials: &[Trial]) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(path)
        .with_context(cannot)?;
    for trial in trials {
        writeln!(file, "{}", serde_json::to_string(trial)?).with_context(cannot)?;
    }
    Ok(())
}

fn training_failed(error: TrainError) -> Failure {
    match error {
        TrainError::Param(_)
        | TrainError::Data(DataError::TooFewRows { .. } | DataError::OneClass { .. }) => {
            Failure::usage(error)
        }
        error => Failure::failed(error),
    }
}
