//! `vintner train`: fit, judge, compare with the champion, and (unless told not to) keep the model as a version.

mod bar;
mod print;
mod promotion;
mod tuning;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, anyhow};

use super::models::mlflow;
use super::{Context, Exit, Failure, Run, training};
use crate::challenger::{self, FOLDS, Job, Report, Service, Source, SourceError, params_file};
use crate::config::Settings;
use crate::domain::schema::Schema;
use crate::registry::Registry;
use crate::train::dataset::DataError;
use crate::train::plan::{CHAMPION, CUSTOM, EARLY_STOP, PRESETS};
use crate::train::tune::Trial;
use crate::train::{Family, Flow, Plan, TrainError, best_params, split, verdict};
use bar::Bar;
use promotion::Promotion;

/// Arguments of `vintner train`.
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub struct Args {
    /// owner (138 trees of depth 8), fast (300 trees of full depth), best (a blend of extra-trees and two boosters), or
    /// champion (its parameters again)
    #[arg(long, value_name = "NAME", default_value = "owner")]
    pub preset: String,
    /// Another family with its default parameters
    #[arg(long, value_name = "NAME", conflicts_with = "preset")]
    pub family: Option<Family>,
    /// A hyper-parameter under scikit-learn's name, such as `max_depth=12`; may be repeated. With --trials it stays so and
    /// is not searched
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
    #[arg(long, value_name = "N", default_value_t = split::SEED)]
    pub split_seed: u64,
    /// Folds of the cross-validation, at least 2, or 0 for none
    #[arg(long, value_name = "K", default_value_t = FOLDS)]
    pub folds: usize,
    /// Tune first: trials in all, those in the history included
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub trials: Option<usize>,
    /// Tune by uniform draws, the control for TPE
    #[arg(long, requires = "trials")]
    pub random: bool,
    /// History of the tuning, one JSON object a line; resumed when it exists, from the trials of the same family,
    /// parameters, data and split
    #[arg(long, value_name = "FILE", requires = "trials")]
    pub history: Option<PathBuf>,
    /// Write the parameters into this `best_params.json` when every gate is passed; the former file stays as .bak
    #[arg(long, value_name = "FILE")]
    pub write_params: Option<PathBuf>,
    /// Stop a random-forest when 30 more trees bring less than 0.001 of out-of-bag R2
    #[arg(long)]
    pub early_stop: bool,
    /// Worker threads; the model does not depend on it [default: one per core]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub threads: Option<usize>,
    /// Exit 1 unless every gate is passed
    #[arg(long)]
    pub gate: bool,
    /// Largest mean squared error the gate lets through
    #[arg(long, value_name = "MSE", default_value_t = verdict::MAX_MSE, value_parser = positive)]
    pub max_mse: f64,
    /// Make the version the champion; exit 1 when a gate is shut or another champion came in between
    #[arg(long, conflicts_with = "no_register")]
    pub promote: bool,
    /// Train without touching the registry
    #[arg(long)]
    pub no_register: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Trains on a thread of its own; Ctrl-C and SIGTERM cancel.
pub async fn run(args: &Args, context: &Context, out: &mut impl Write) -> Run {
    if context.settings.is_flag("sandbox.seed") {
        return Err(Failure::usage(anyhow!(
            "--seed is the sandbox's and would do nothing here: --set seed=N seeds the model, --split-seed N the split and the folds"
        )));
    }
    let cancelled = Arc::new(AtomicBool::new(false));
    let work = Work {
        args: args.clone(),
        settings: Arc::clone(&context.settings),
        schema: Arc::clone(&context.schema),
        cancelled: Arc::clone(&cancelled),
    };
    let done = training(&cancelled, move || work.run()).await?;
    let exit = done.and_then(|report| {
        print::print(&report, args.json, out)?;
        out.flush()?;
        Ok(report.exit(args.gate))
    });
    if !args.no_register {
        let registry = Registry::at(&context.settings.registry);
        mlflow::note(context, |tracking| {
            tracking.queue_last_run(&registry)?;
            if args.promote {
                tracking.queue_champion(&registry)?;
            }
            Ok(())
        })
        .await;
    }
    exit
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("it must be a whole number of at least 1".to_owned()),
        Ok(number) => Ok(number),
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
        _ => Err("it must be a number above 0".to_owned()),
    }
}

/// What is told at the end.
pub(super) struct Account {
    report: Report,
    trials: Vec<Trial>,
    /// Whether a version was to be made.
    registers: bool,
    promotion: Promotion,
}

impl Account {
    /// A shut gate (when asked), a version that could not be made, a promotion that was refused: 1.
    fn exit(&self, gate: bool) -> Exit {
        let shut = gate && !self.report.passed();
        let lost = self.registers && self.report.version.is_err();
        if shut || lost || self.promotion.refusal().is_some() {
            Exit::Failed
        } else {
            Exit::Fine
        }
    }
}

struct Work {
    args: Args,
    settings: Arc<Settings>,
    schema: Arc<Schema>,
    cancelled: Arc<AtomicBool>,
}

impl Work {
    fn run(self) -> Result<Account, Failure> {
        let registry = (!self.args.no_register).then(|| Registry::at(&self.settings.registry));
        let base = self.base(registry.as_ref())?;
        let mut plan = self.changed(&base)?;
        let source = Source::of(self.args.data.as_deref(), self.args.holdout.as_deref());
        let rows = source.read().map_err(unreadable)?;
        let mut bar = Bar::new();
        let trials = self.tune(&mut plan, (&source, &rows), registry.as_ref(), &mut bar)?;
        let job = Job {
            preset: self.preset(&base, &plan),
            source,
            dedup: !self.args.keep_duplicates,
            split_seed: self.args.split_seed,
            folds: self.args.folds,
            max_mse: self.args.max_mse,
            ..Job::new(plan, Service::from(self.schema.as_ref()))
        };
        let done = challenger::train(&job, &rows, registry.as_ref(), &mut |news| {
            bar.hear(&news);
            self.flow()
        });
        bar.clear();
        let mut report = done.map_err(training_failed)?.report;
        let written = self.write_params(&report)?;
        report.notes.extend(written);
        let promotion = match &registry {
            Some(registry) if self.args.promote => Promotion::of(&report, registry),
            _ => Promotion::Unasked,
        };
        Ok(Account {
            report,
            trials,
            registers: registry.is_some(),
            promotion,
        })
    }

    /// Writes the accepted parameters for Python, when asked to, and says what came of it.
    fn write_params(&self, report: &Report) -> Result<Vec<String>, Failure> {
        match &self.args.write_params {
            None => Ok(Vec::new()),
            Some(path) if report.passed() => {
                params_file::write(path, &report.plan.params, jiff::Timestamp::now())
                    .map_err(Failure::failed)
            }
            Some(path) => Ok(vec![format!(
                "{} is not written: a gate blocks",
                path.display()
            )]),
        }
    }

    fn flow(&self) -> Flow {
        if self.cancelled.load(Ordering::Relaxed) {
            Flow::Stop { keep: false }
        } else {
            Flow::Continue
        }
    }

    /// The plan to begin from.
    fn base(&self, registry: Option<&Registry>) -> Result<Plan, Failure> {
        match (&self.args.family, &self.args.best_params) {
            (Some(family), _) => Ok(Plan::new(*family)),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()));
                let read = best_params::read(&text.map_err(Failure::usage)?);
                Ok(read.map_err(Failure::usage)?.0)
            }
            (None, None) => self.named_plan(registry),
        }
    }

    /// The plan with what the flags change.
    fn changed(&self, base: &Plan) -> Result<Plan, Failure> {
        let mut plan = base.clone();
        for (name, value) in self.settings()? {
            plan.set(name, value).map_err(Failure::usage)?;
        }
        plan.threads = self.args.threads;
        if self.args.early_stop {
            plan.early_stop = Some(EARLY_STOP);
        }
        plan.check().map_err(Failure::usage)?;
        if let Some(path) = &self.args.write_params {
            params_file::check(&plan)
                .and_then(|()| params_file::check_place(path))
                .map_err(|error| Failure::usage(anyhow!("--write-params: {error}")))?;
        }
        Ok(plan)
    }

    /// Names and values of `--set`.
    fn settings(&self) -> Result<Vec<(&str, &str)>, Failure> {
        let mut settings = Vec::new();
        for setting in &self.args.set {
            let (name, value) = setting.split_once('=').ok_or_else(|| {
                Failure::usage(anyhow!(
                    "--set {setting}: write it as NAME=VALUE, such as max_depth=12"
                ))
            })?;
            settings.push((name.trim(), value.trim()));
        }
        Ok(settings)
    }

    /// The preset the plan still is; the champion's plan stays that with another seed.
    fn preset(&self, base: &Plan, plan: &Plan) -> Option<String> {
        if self.args.family.is_some() || self.args.best_params.is_some() {
            return None;
        }
        let name = self.args.preset.as_str();
        let mut same = base.clone();
        same.threads = plan.threads;
        if name == CHAMPION {
            same.params.seed = plan.params.seed;
        }
        Some(if same == *plan { name } else { CUSTOM }.to_owned())
    }

    fn named_plan(&self, registry: Option<&Registry>) -> Result<Plan, Failure> {
        let name = self.args.preset.as_str();
        if name == CHAMPION {
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
                "there is no preset {name:?}; there are {} and {CHAMPION}",
                PRESETS.join(", ")
            ))
        })
    }
}

fn unreadable(error: SourceError) -> Failure {
    Failure::usage(error)
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
