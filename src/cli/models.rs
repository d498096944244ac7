//! `vintner models`: the registry on the command line.

mod diff;
mod dispatch;
mod drift;
mod export;
mod history;
mod list;
pub(super) mod mlflow;
mod push;
mod reproduce;
mod served;
mod show;
mod throne;
mod upkeep;

use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;

use super::{Context, Failure, Run};
use crate::challenger::Service;
use crate::champion;
use crate::registry::{Registry, RegistryError, Version, retention};

/// Arguments of `vintner models`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// What can be done with models.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Every version, newest first
    List,
    /// One version: where it comes from and how good it is
    Show {
        /// The version; the champion if not given
        version: Option<Version>,
        /// Tell the model in words: the rules of a depth-3 tree that follows it
        #[arg(long)]
        explain: bool,
    },
    /// What two versions do not have in common
    Diff {
        /// The one
        left: Version,
        /// The other; the champion if not given
        right: Option<Version>,
    },
    /// Make a version the champion; exit 1 when a gate stops it
    Promote {
        /// The version
        version: Version,
        /// Why, for the audit log
        #[arg(long, default_value = "")]
        reason: String,
        /// Promote over failed gates; needs --reason
        #[arg(long = "override", requires = "reason")]
        over: bool,
        /// Only if the champion's generation is still this one
        #[arg(long, value_name = "N")]
        expect: Option<u64>,
    },
    /// Back to the previous champion, or to an earlier version
    Rollback {
        /// The version; the previous champion if not given
        version: Option<Version>,
        /// Why, for the audit log
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Check every byte of the versions; exit 1 when one is corrupt
    Verify {
        /// Only this version
        version: Option<Version>,
    },
    /// Train a version again from its manifest; exit 1 when it is not bit by bit the same model
    Reproduce {
        /// The version
        version: Version,
    },
    /// Write a model for other programs
    Export {
        /// The version; the champion if not given
        version: Option<Version>,
        /// ONNX, for onnxruntime and others
        #[arg(long, group = "form")]
        onnx: bool,
        /// forest.json and the script that makes a scikit-learn pickle of it
        #[arg(long, group = "form")]
        sklearn: bool,
        /// The file; named after the version if not given. Without --onnx and --sklearn its ending decides: .onnx, else JSON
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// The audit log
    Log,
    /// Every training run
    Runs,
    /// Remove old versions; champion, the one before it and the newest stay
    Prune {
        /// How many of the newest stay
        #[arg(long, default_value_t = retention::KEEP)]
        keep: usize,
        /// Only say what would go
        #[arg(long)]
        dry_run: bool,
    },
    /// Copy a version into the S3 model store: immutable keys, a pointer moved only if nobody else moved it
    Push {
        /// The version; the champion if not given
        version: Option<Version>,
        /// The bucket
        #[arg(long, env = "S3_BUCKET_NAME", default_value = "wine-quality-mlops")]
        bucket: String,
        /// The pickle the converter made of it (`export --sklearn`), for the Lambda that reads models/model.pkl
        #[arg(long, value_name = "FILE")]
        pkl: Option<PathBuf>,
    },
    /// Log a version as a run in `MLflow` (`MLFLOW_TRACKING_URI`) and point the alias champion to the champion;
    /// queued on disk while the server is away
    Mlflow {
        /// The version; the champion if not given
        version: Option<Version>,
        /// Only send what is queued
        #[arg(long, conflicts_with = "version")]
        drain: bool,
    },
    /// Start the retrain-and-deploy workflow of a GitHub repository; asks first
    Dispatch(dispatch::Args),
    /// Which version the endpoint serves, by its answers to sixteen questions; exit 1 when it is not the champion
    Served,
    /// Whether recent inputs have moved away from the training rows; exit 1 on an alert
    Drift {
        /// CSV with the feature columns of recent requests
        #[arg(long, value_name = "FILE")]
        data: PathBuf,
        /// Compare with this version; the champion if not given
        #[arg(long)]
        version: Option<Version>,
    },
}

/// Does what the arguments say.
pub async fn run(args: &Args, context: &Context, out: &mut impl Write) -> Run {
    let registry = champion::registry(&context.settings);
    let json = args.json;
    match &args.command {
        Command::List => list::run(&registry, json, out),
        Command::Show { version, explain } => show::run(&registry, *version, *explain, json, out),
        Command::Diff { left, right } => diff::run(&registry, *left, *right, json, out),
        Command::Promote {
            version,
            reason,
            over,
            expect,
        } => {
            let service = Service::from(context.schema.as_ref());
            let wish = (reason.as_str(), *over, *expect);
            let exit = throne::promote(&registry, *version, wish, &service, json, out)?;
            out.flush()?;
            mlflow::note(context, |tracking| tracking.queue_champion(&registry)).await;
            Ok(exit)
        }
        Command::Rollback { version, reason } => {
            let exit = throne::roll_back(&registry, *version, reason, json, out)?;
            out.flush()?;
            mlflow::note(context, |tracking| tracking.queue_champion(&registry)).await;
            Ok(exit)
        }
        Command::Verify { version } => upkeep::verify(&registry, *version, json, out),
        Command::Reproduce { version } => reproduce::run(&registry, *version, json, out).await,
        Command::Export {
            version,
            onnx,
            sklearn,
            output,
        } => {
            let form = export::form(*onnx, *sklearn, output.as_deref())?;
            export::run(&registry, *version, form, output.as_deref(), json, out)
        }
        Command::Log => history::log(&registry, json, out),
        Command::Runs => history::runs(&registry, json, out),
        Command::Prune { keep, dry_run } => upkeep::prune(&registry, *keep, *dry_run, json, out),
        Command::Push {
            version,
            bucket,
            pkl,
        } => {
            push::run(
                &registry,
                context,
                *version,
                (bucket, pkl.as_deref()),
                json,
                out,
            )
            .await
        }
        Command::Mlflow { version, drain } => {
            mlflow::run(&registry, context, (*version, *drain), json, out).await
        }
        Command::Dispatch(args) => dispatch::run(args, json, out).await,
        Command::Served => served::run(&registry, context, json, out).await,
        Command::Drift { data, version } => drift::run(&registry, data, *version, json, out),
    }
}

/// Usage errors (an unknown version) are 2, everything else is a failed check.
fn failure(error: RegistryError) -> Failure {
    match error {
        RegistryError::Unknown { .. } | RegistryError::NotAVersion(_) => Failure::usage(error),
        error => Failure::failed(error),
    }
}

/// The version asked for, or the champion.
fn chosen(registry: &Registry, version: Option<Version>) -> Result<Version, Failure> {
    if let Some(version) = version {
        Ok(version)
    } else {
        let champion = registry.champion().map_err(failure)?;
        Ok(champion
            .ok_or(RegistryError::NoChampion)
            .map_err(failure)?
            .version)
    }
}
