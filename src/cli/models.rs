//! `vintner models`: the registry on the command line.

mod drift;
mod mlflow;
mod push;
mod served;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Subcommand;
use serde_json::{Value, json};

use super::{Context, Exit, Failure, Run, print_json};
use crate::challenger::{self, Service, Standing};
use crate::champion;
use crate::registry::{
    Champion, Entry, Manifest, Move, Registry, RegistryError, Version, diff, retention,
};
use crate::train::export::SKLEARN_CONVERTER;
use crate::ui::text::{age, bytes, clean, count};

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
        /// The file; named after the version if not given. Without --onnx and --sklearn it gets the trees as JSON
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
    },
    /// Log a version as a run in `MLflow` (`MLFLOW_TRACKING_URI`); queued on disk while the server is away
    Mlflow {
        /// The version; the champion if not given
        version: Option<Version>,
    },
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
        Command::List => list(&registry, json, out),
        Command::Show { version } => show(&registry, *version, json, out),
        Command::Diff { left, right } => differences(&registry, *left, *right, json, out),
        Command::Promote {
            version,
            reason,
            over,
            expect,
        } => {
            let service = Service::from(context.schema.as_ref());
            let wish = (reason.as_str(), *over, *expect);
            promote(&registry, *version, wish, &service, json, out)
        }
        Command::Rollback { version, reason } => {
            let reason = if reason.is_empty() {
                "rolled back on the command line"
            } else {
                reason
            };
            let wish = Move {
                reason: reason.to_owned(),
                expected: None,
                overridden: Vec::new(),
            };
            crowned(
                &registry.roll_back(*version, wish).map_err(failure)?,
                json,
                out,
            )
        }
        Command::Verify { version } => verify(&registry, *version, json, out),
        Command::Export {
            version,
            onnx,
            sklearn,
            output,
        } => export(
            &registry,
            *version,
            form(*onnx, *sklearn),
            output.as_deref(),
            json,
            out,
        ),
        Command::Log => log(&registry, json, out),
        Command::Runs => runs(&registry, json, out),
        Command::Prune { keep, dry_run } => prune(&registry, *keep, *dry_run, json, out),
        Command::Push { version, bucket } => {
            push::run(&registry, context, *version, bucket, json, out).await
        }
        Command::Mlflow { version } => mlflow::run(&registry, context, *version, json, out).await,
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

fn list(registry: &Registry, json: bool, out: &mut impl Write) -> Run {
    let champion = registry.champion().map_err(failure)?;
    let entries = registry.list().map_err(failure)?;
    if json {
        print_json(
            out,
            &json!({
                "registry": registry.root(),
                "champion": champion,
                "versions": entries.iter().map(entry_json).collect::<Vec<_>>(),
            }),
        )?;
        return Ok(Exit::Fine);
    }
    if entries.is_empty() {
        writeln!(
            out,
            "no versions in {} yet: `vintner train` makes one",
            registry.root().display()
        )?;
        return Ok(Exit::Fine);
    }
    writeln!(
        out,
        "   version  R2      oob     MSE     verdict   made          plan"
    )?;
    for entry in &entries {
        let reigns = champion
            .as_ref()
            .is_some_and(|champion| champion.version == entry.version);
        let mark = if reigns { "*" } else { " " };
        match &entry.manifest {
            Err(why) => writeln!(out, " {mark} {}    {}", entry.version, clean(why))?,
            Ok(manifest) => writeln!(out, " {mark} {}    {}", entry.version, line(manifest))?,
        }
    }
    match champion {
        Some(champion) => writeln!(
            out,
            "\n* champion since {} by {}: {}",
            champion.since,
            clean(&champion.by),
            clean(&champion.reason)
        )?,
        None => writeln!(out, "\nno champion: `vintner models promote VERSION`")?,
    }
    Ok(Exit::Fine)
}

fn entry_json(entry: &Entry) -> Value {
    match &entry.manifest {
        Err(why) => json!({ "version": entry.version, "error": why }),
        Ok(manifest) => json!({
            "version": manifest.version, "created_at": manifest.created_at, "plan": manifest.plan, "preset": manifest.preset,
            "metrics": manifest.metrics, "verdict": manifest.verdict, "gates": manifest.gates, "model_sha256": manifest.model_sha256,
        }),
    }
}

fn line(manifest: &Manifest) -> String {
    let number =
        |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
    let holdout = manifest.metrics.holdout.as_ref();
    let (r2, mse) = (
        number(holdout.map(|scores| scores.r2)),
        number(holdout.map(|scores| scores.mse)),
    );
    let oob = number(manifest.metrics.oob.as_ref().map(|scores| scores.r2));
    let verdict = manifest.verdict.as_deref().unwrap_or("-");
    let made = age(manifest.created_at, jiff::Timestamp::now());
    let preset = manifest
        .preset
        .as_deref()
        .map(|preset| format!(" ({})", clean(preset)))
        .unwrap_or_default();
    format!(
        "{r2:<7} {oob:<7} {mse:<7} {verdict:<9} {made:<13} {}{preset}",
        manifest.summary()
    )
}

fn show(registry: &Registry, version: Option<Version>, json: bool, out: &mut impl Write) -> Run {
    let version = chosen(registry, version)?;
    let manifest = registry.manifest(version).map_err(failure)?;
    let sound = registry.verify(version);
    if json {
        let mut value = serde_json::to_value(&manifest).map_err(Failure::failed)?;
        value["sound"] = json!(sound.is_ok());
        print_json(out, &value)?;
        return Ok(if sound.is_ok() {
            Exit::Fine
        } else {
            Exit::Failed
        });
    }
    describe(&manifest, out)?;
    match sound {
        Ok(seal) => {
            writeln!(out, "checksums   all match (seal {})", &seal[..12])?;
            Ok(Exit::Fine)
        }
        Err(error) => {
            writeln!(out, "checksums   {error}")?;
            Ok(Exit::Failed)
        }
    }
}

fn describe(manifest: &Manifest, out: &mut impl Write) -> std::io::Result<()> {
    let data = &manifest.data;
    writeln!(out, "{}     {}", manifest.version, manifest.summary())?;
    writeln!(
        out,
        "made        {} by {} with vintner {} on {}",
        manifest.created_at,
        clean(&manifest.by),
        clean(&manifest.code.vintner),
        clean(&manifest.code.target)
    )?;
    writeln!(
        out,
        "fit         {} trees, {} nodes, {:.2} s, {}",
        manifest.fit.trees,
        count(manifest.fit.nodes),
        manifest.fit.seconds,
        clean(&manifest.fit.ended)
    )?;
    let dedup = if data.deduplicated { "dropped" } else { "KEPT" };
    writeln!(
        out,
        "data        {}: {} rows, {} duplicates {dedup}, {} train, {} holdout, sha256 {}",
        clean(&data.source),
        data.rows,
        data.duplicates,
        data.train,
        data.holdout,
        clean(&data.sha256.chars().take(12).collect::<String>())
    )?;
    let scores = [
        ("holdout", &manifest.metrics.holdout),
        ("oob", &manifest.metrics.oob),
        ("linear", &manifest.metrics.linear),
    ];
    for (name, scores) in scores
        .into_iter()
        .filter_map(|(name, scores)| Some((name, scores.as_ref()?)))
    {
        writeln!(
            out,
            "{name:<11} R2 {:.4}  MAE {:.4}  RMSE {:.4}  MSE {:.4}  n {}",
            scores.r2, scores.mae, scores.rmse, scores.mse, scores.n
        )?;
    }
    if let Some(cv) = &manifest.metrics.cv {
        writeln!(
            out,
            "{:<11} R2 {:.4} +- {:.4} over {} folds",
            "cv", cv.r2, cv.r2_half_width, cv.folds
        )?;
    }
    if let Some(verdict) = &manifest.verdict {
        let against = manifest
            .champion_at_train
            .map_or_else(String::new, |version| format!(" against {version}"));
        writeln!(out, "verdict     {}{against}", clean(verdict))?;
    }
    for gate in &manifest.gates {
        let word = if gate.passed { "pass" } else { "FAIL" };
        writeln!(
            out,
            "gate        {word} {:<11} {}",
            clean(&gate.name),
            clean(&gate.reason)
        )?;
    }
    for (name, artefact) in &manifest.artefacts {
        writeln!(
            out,
            "file        {:<16} {:>10}",
            clean(name),
            bytes(artefact.bytes)
        )?;
    }
    Ok(())
}

fn differences(
    registry: &Registry,
    left: Version,
    right: Option<Version>,
    json: bool,
    out: &mut impl Write,
) -> Run {
    let right = chosen(registry, right)?;
    let manifest = |version| registry.manifest(version).map_err(failure);
    let differences = diff::diff(&manifest(left)?, &manifest(right)?);
    if json {
        print_json(
            out,
            &json!({ "left": left, "right": right, "differences": differences }),
        )?;
    } else if differences.is_empty() {
        writeln!(
            out,
            "{left} and {right} are the same in everything that is recorded"
        )?;
    } else {
        writeln!(out, "{:<34} {:<22} {right}", "", left.to_string())?;
        for line in &differences {
            writeln!(
                out,
                "{:<34} {:<22} {}",
                line.field,
                clean(&line.left),
                clean(&line.right)
            )?;
        }
    }
    Ok(Exit::Fine)
}

fn promote(
    registry: &Registry,
    version: Version,
    (reason, over, expect): (&str, bool, Option<u64>),
    service: &Service,
    json: bool,
    out: &mut impl Write,
) -> Run {
    if over && reason.trim().is_empty() {
        return Err(Failure::usage(anyhow!(
            "--override needs a reason: --reason \"…\"; it goes into the audit log"
        )));
    }
    let standing = challenger::standing(registry, version, service).map_err(failure)?;
    let reigns = standing
        .champion
        .as_ref()
        .is_some_and(|champion| champion.version == version);
    if !(over || reigns || standing.failed().is_empty()) {
        return Err(Failure::failed(stopped(&standing)));
    }
    let reason = if reason.is_empty() {
        "promoted on the command line"
    } else {
        reason
    };
    let wish = standing.wish(reason);
    let wish = Move {
        expected: expect.or(wish.expected),
        ..wish
    };
    crowned(
        &registry.promote(version, wish).map_err(failure)?,
        json,
        out,
    )
}

fn stopped(standing: &Standing) -> anyhow::Error {
    let version = standing.version;
    let failed = standing.failed();
    let reasons: Vec<String> = failed
        .iter()
        .map(|gate| format!("  {}: {}", gate.name, clean(&gate.reason)))
        .collect();
    let again = match &standing.champion {
        Some(champion) if standing.fresh => format!(", judged again against {}", champion.version),
        _ => String::new(),
    };
    anyhow!(
        "{version} is stopped by {} gate(s){again}:\n{}\nto promote it all the same: vintner models promote {version} --override --reason \"…\"",
        failed.len(),
        reasons.join("\n")
    )
}

fn crowned(champion: &Champion, json: bool, out: &mut impl Write) -> Run {
    if json {
        print_json(out, champion)?;
    } else {
        let before = champion
            .previous
            .map_or_else(String::new, |version| format!("; before it {version}"));
        writeln!(
            out,
            "{} is the champion (generation {}){before}",
            champion.version, champion.generation
        )?;
    }
    Ok(Exit::Fine)
}

fn verify(registry: &Registry, version: Option<Version>, json: bool, out: &mut impl Write) -> Run {
    let versions = match version {
        Some(version) => vec![version],
        None => registry.versions().map_err(failure)?,
    };
    let checked: Vec<(Version, Result<String, String>)> = versions
        .into_iter()
        .map(|version| match registry.load(version) {
            Ok(loaded) => Ok((version, Ok(loaded.seal))),
            Err(error @ RegistryError::Unknown { .. }) => Err(failure(error)),
            Err(error) => Ok((version, Err(error.to_string()))),
        })
        .collect::<Result<_, Failure>>()?;
    if json {
        let value = |(version, result): &(Version, Result<String, String>)| match result {
            Ok(seal) => json!({ "version": version, "sound": true, "seal": seal }),
            Err(why) => json!({ "version": version, "sound": false, "error": why }),
        };
        print_json(out, &checked.iter().map(value).collect::<Vec<_>>())?;
    } else {
        for (version, result) in &checked {
            match result {
                Ok(_) => writeln!(
                    out,
                    "{version}  sound: checksums match, loads, canaries answer as recorded"
                )?,
                Err(why) => writeln!(out, "{version}  {}", clean(why))?,
            }
        }
    }
    Ok(if checked.iter().all(|(_, result)| result.is_ok()) {
        Exit::Fine
    } else {
        Exit::Failed
    })
}

#[derive(Clone, Copy)]
enum Form {
    Onnx,
    Sklearn,
    Json,
}

const fn form(onnx: bool, sklearn: bool) -> Form {
    match (onnx, sklearn) {
        (true, _) => Form::Onnx,
        (_, true) => Form::Sklearn,
        _ => Form::Json,
    }
}

fn export(
    registry: &Registry,
    version: Option<Version>,
    form: Form,
    output: Option<&Path>,
    json: bool,
    out: &mut impl Write,
) -> Run {
    let version = chosen(registry, version)?;
    let path = output.map_or_else(|| default_name(version, form), Path::to_owned);
    let written = write_model(registry, version, &path)?;
    let converter =
        matches!(form, Form::Sklearn).then(|| path.with_file_name("forest_to_sklearn.py"));
    if let Some(script) = &converter {
        std::fs::write(script, SKLEARN_CONVERTER)
            .with_context(|| format!("cannot write {}", script.display()))
            .map_err(Failure::failed)?;
    }
    if json {
        print_json(
            out,
            &json!({ "version": version, "file": path, "bytes": written, "converter": converter }),
        )?;
    } else {
        writeln!(
            out,
            "wrote {version} to {} ({})",
            path.display(),
            bytes(written as u64)
        )?;
        if let Some(script) = &converter {
            writeln!(
                out,
                "with the scikit-learn that will load it: python {} {} model.pkl",
                script.display(),
                path.display()
            )?;
        }
    }
    Ok(Exit::Fine)
}

fn default_name(version: Version, form: Form) -> PathBuf {
    let ending = if matches!(form, Form::Onnx) {
        "onnx"
    } else {
        "forest.json"
    };
    PathBuf::from(format!("wine-quality-{version}.{ending}"))
}

/// Writes a version as ONNX or JSON, by the file's ending.
fn write_model(registry: &Registry, version: Version, path: &Path) -> Result<usize, Failure> {
    let loaded = registry.load(version).map_err(failure)?;
    let content = loaded.export(path).map_err(failure)?;
    std::fs::write(path, &content)
        .with_context(|| format!("cannot write {}", path.display()))
        .map_err(Failure::failed)?;
    Ok(content.len())
}

fn log(registry: &Registry, json: bool, out: &mut impl Write) -> Run {
    let events = registry.events().map_err(failure)?;
    if json {
        for event in &events {
            writeln!(
                out,
                "{}",
                serde_json::to_string(event).map_err(Failure::failed)?
            )?;
        }
        return Ok(Exit::Fine);
    }
    for event in &events {
        let what = serde_json::to_value(event.what)
            .ok()
            .and_then(|value| value.as_str().map(ToOwned::to_owned))
            .unwrap_or_default();
        let version = event
            .version
            .map_or_else(String::new, |version| version.to_string());
        let over = if event.overridden.is_empty() {
            String::new()
        } else {
            format!(" over {}", event.overridden.join(", "))
        };
        writeln!(
            out,
            "{}  {what:<11} {version:<7} {}  {}{}",
            event.at,
            clean(&event.by),
            clean(&event.reason),
            clean(&over)
        )?;
    }
    Ok(Exit::Fine)
}

fn runs(registry: &Registry, json: bool, out: &mut impl Write) -> Run {
    let runs = registry.runs().map_err(failure)?;
    if json {
        print_json(out, &runs)?;
        return Ok(Exit::Fine);
    }
    for run in &runs {
        let version = run
            .version
            .map_or_else(|| "-".to_owned(), |version| version.to_string());
        let note = run.note.as_deref().map(clean).unwrap_or_default();
        writeln!(
            out,
            "{}  {:<9} {version:<7} {:<17} {:>5} trees  {note}",
            run.started,
            run.state.name(),
            run.plan.family,
            run.trees
        )?;
    }
    Ok(Exit::Fine)
}

fn prune(registry: &Registry, keep: usize, dry_run: bool, json: bool, out: &mut impl Write) -> Run {
    let gone = if dry_run {
        registry.prunable(keep)
    } else {
        registry.prune(keep)
    }
    .map_err(failure)?;
    if json {
        print_json(out, &json!({ "removed": gone, "dry_run": dry_run }))?;
    } else {
        let word = if dry_run { "would remove" } else { "removed" };
        let names: Vec<String> = gone.iter().map(ToString::to_string).collect();
        writeln!(
            out,
            "{word} {}",
            if names.is_empty() {
                "nothing".to_owned()
            } else {
                names.join(", ")
            }
        )?;
    }
    Ok(Exit::Fine)
}
