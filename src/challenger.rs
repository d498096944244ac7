//! A challenger from rows to a version: fit, one look at the holdout beside the champion, cross-validation, registry.
//! The one path behind the Retrain tab, `vintner train` and the first start; they differ only in what they listen for.

pub mod params_file;
mod report;
mod reproduce;
mod search;
mod source;
mod standing;

#[cfg(test)]
mod tests;

use crate::domain::schema::Schema;
use crate::registry::draft::{IMPORTANCE_FILE, ONNX_FILE};
use crate::registry::manifest::{CANARIES, CrossValidated};
use crate::registry::runs::{Run, State};
use crate::registry::{Champion, Draft, Loaded, Registry, RegistryError, Version};
use crate::train::dataset::Preflight;
use crate::train::evaluate::service_bands;
use crate::train::judge::{Bench, Rival};
use crate::train::onnx::onnx;
use crate::train::plan::CHAMPION;
use crate::train::retrain::{Phase, Prepared, Rows, cross_validated, fit_with_curve, linear};
use crate::train::surrogate::Surrogate;
use crate::train::{Flow, Model, Outcome, Plan, Progress, TrainError, split, verdict};

pub use report::{Report, Weights};
pub use reproduce::{explain, reproduce};
pub use search::{Hear, ResumeError, SearchNews, Tuning, resume, search};
pub use source::{Source, SourceError};
pub use standing::{Standing, standing};

/// Folds of the cross-validation unless another number is asked for.
pub const FOLDS: usize = 5;

/// What is to be trained, and how it is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The plan.
    pub plan: Plan,
    /// The preset the plan is, [`CUSTOM`](crate::train::plan::CUSTOM), or none.
    pub preset: Option<String>,
    /// Where its rows come from.
    pub source: Source,
    /// Drop exact duplicates first.
    pub dedup: bool,
    /// Seed of the split, the folds and the resamples.
    pub split_seed: u64,
    /// Folds of the cross-validation, 0 for none.
    pub folds: usize,
    /// Largest mean squared error the gate lets through.
    pub max_mse: f64,
    /// What the service sends.
    pub service: Service,
}

impl Job {
    /// A plan on the embedded data, judged as usual.
    pub fn new(plan: Plan, service: Service) -> Self {
        Self {
            plan,
            preset: None,
            source: Source::Embedded,
            dedup: true,
            split_seed: split::SEED,
            folds: FOLDS,
            max_mse: verdict::MAX_MSE,
            service,
        }
    }
}

/// What the service sends, and how it names scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its features, in order.
    pub features: Vec<String>,
    /// Its bands: name and exclusive upper end, ascending.
    pub bands: Vec<(String, f64)>,
}

impl From<&Schema> for Service {
    fn from(schema: &Schema) -> Self {
        let features = schema.features.iter();
        let bands = schema.bands.iter();
        let bands: Vec<_> = bands.map(|band| (band.name.clone(), band.below)).collect();
        Self {
            features: features.map(|feature| feature.name.clone()).collect(),
            bands: if bands.is_empty() {
                service_bands()
            } else {
                bands
            },
        }
    }
}

/// What a listener hears. Its answer steers the run on [`News::Progress`] and is left out otherwise.
#[derive(Debug)]
pub enum News<'a> {
    /// The registry cannot be written, for this reason; training goes on.
    Unwritable(&'a str),
    /// A tree has finished, or time has passed.
    Progress(Phase, &'a Progress),
    /// The fit is done, the look at the holdout begins.
    Judging,
    /// The verdict is in; cross-validation and registry come after it.
    Judged(&'a Report),
}

/// Hears how a run goes, and says how to go on.
pub type Listen<'a> = dyn FnMut(News<'_>) -> Flow + 'a;

/// A judged model.
#[derive(Debug)]
pub struct Challenger {
    /// How it came out.
    pub report: Report,
    /// The model.
    pub model: Model,
}

/// Does a job. With a registry, the run is written down whatever becomes of it, and the model becomes a version; a
/// registry that cannot be written costs neither the training nor the report.
pub fn train(
    job: &Job,
    rows: &Rows,
    registry: Option<&Registry>,
    listen: &mut Listen<'_>,
) -> Result<Challenger, TrainError> {
    job.plan.check()?;
    let prepared = rows.prepare(job.dedup, job.split_seed)?;
    prepared.check_folds(job.folds)?;
    let started = registry.map(|registry| registry.start_run(&job.plan, job.preset.as_deref()));
    let run = started.and_then(|run| {
        run.map_err(|error| listen(News::Unwritable(&error.to_string())))
            .ok()
    });
    let mut trial = Trial {
        job,
        prepared,
        registry,
        run,
    };
    let done = trial.work(listen);
    end(trial.run, &done);
    done
}

fn end(run: Option<Run>, done: &Result<Challenger, TrainError>) {
    let (state, version, note) = match done {
        Ok(Challenger { report, .. }) => (
            State::Finished,
            report.version.as_ref().ok().copied(),
            report.verdict().map(ToOwned::to_owned),
        ),
        Err(TrainError::Cancelled { .. }) => (State::Cancelled, None, None),
        Err(error) => (State::Failed, None, Some(error.to_string())),
    };
    if let Some(Err(error)) = run.map(|run| run.end(state, version, note)) {
        tracing::warn!("the run could not be written down: {error}");
    }
}

/// A job under way.
struct Trial<'a> {
    job: &'a Job,
    prepared: Prepared,
    registry: Option<&'a Registry>,
    run: Option<Run>,
}

impl Trial<'_> {
    fn work(&mut self, listen: &mut Listen<'_>) -> Result<Challenger, TrainError> {
        let job = self.job;
        let train = self.prepared.train();
        let run = &mut self.run;
        let outcome = fit_with_curve(&job.plan, &train, job.split_seed, &mut |phase, progress| {
            if let Some(run) = run {
                run.progress(progress);
            }
            listen(News::Progress(phase, progress))
        })?;
        listen(News::Judging);
        let throne = Throne::of(self.registry);
        let mut report = self.judge(&outcome, &throne)?;
        listen(News::Judged(&report));
        if !report.kept {
            self.cross_validate(&mut report, listen)?;
        }
        if let Some(registry) = self.registry {
            let draft = self.draft(&report, &outcome, &throne);
            report.version = registry
                .commit(draft)
                .map(|manifest| manifest.version)
                .map_err(|error| error.to_string());
        }
        Ok(Challenger {
            report,
            model: outcome.model,
        })
    }

    /// The one look at the holdout.
    fn judge(&self, outcome: &Outcome, throne: &Throne) -> Result<Report, TrainError> {
        let (train, holdout) = (self.prepared.train(), self.prepared.holdout());
        let bench = Bench {
            holdout: &holdout,
            bands: &self.job.service.bands,
            served: &self.job.service.features,
            max_mse: self.job.max_mse,
            seed: self.job.split_seed,
        };
        let model = &outcome.model;
        let canaries = bench.canaries(model, CANARIES);
        let judgement = bench.judge(model, &canaries, &throne.rival(model.names()));
        let linear = linear(&train, &holdout)?;
        let weights = report::weights(outcome, &self.job.plan, &train, &holdout);
        let preflight = &self.prepared.preflight;
        let report = Report::of(self.job, preflight, outcome, judgement, throne.champion());
        Ok(Report {
            linear,
            importance: weights,
            surrogate: Surrogate::of(model, &train, &holdout).ok(),
            looks: 1 + self.registry.map_or(0, |registry| self.looks(registry)),
            notes: throne.notes(preflight),
            ..report
        })
    }

    /// Versions that were judged on this holdout before.
    fn looks(&self, registry: &Registry) -> usize {
        let ours = &self.prepared.preflight;
        let entries = registry.list().unwrap_or_default();
        let manifests = entries
            .iter()
            .filter_map(|entry| entry.manifest.as_ref().ok());
        manifests
            .filter(|theirs| {
                theirs.data.holdout_sha256 == ours.holdout_sha256
                    && theirs.data.sha256 == ours.sha256
            })
            .count()
    }

    fn cross_validate(
        &mut self,
        report: &mut Report,
        listen: &mut Listen<'_>,
    ) -> Result<(), TrainError> {
        let job = self.job;
        let run = &mut self.run;
        let cv = cross_validated(
            &job.plan,
            &self.prepared.data,
            job.folds,
            job.split_seed,
            &mut |phase, progress| {
                if let Some(run) = run {
                    run.beat();
                }
                listen(News::Progress(phase, progress))
            },
        )?;
        match cv {
            Some(cv) if !(cv.r2.is_finite() && cv.r2_half_width.is_finite()) => report.notes.push(
                "the cross-validation has no R2: a fold holds rows of one quality only".to_owned(),
            ),
            cv => report.cv = cv,
        }
        Ok(())
    }

    fn draft(&self, report: &Report, outcome: &Outcome, throne: &Throne) -> Draft {
        let job = self.job;
        let Prepared {
            preflight,
            data,
            split,
        } = &self.prepared;
        let (source, holdout_source) = job.source.names();
        let weights = &report.importance;
        let importance = serde_json::json!({
            "impurity": weights.impurity,
            "permutation": weights.permutation,
            "permutation_is": weights.measure,
        });
        let champion = report.champion.as_ref().map(|(version, _)| *version);
        let draft = Draft::new(&job.plan, &source, preflight, data, split, outcome)
            .holdout_from(holdout_source)
            .preset(job.preset.as_deref())
            .parent(throne.parent_of(job))
            .judged(
                champion,
                report.verdict().map(ToOwned::to_owned),
                report.gates.clone(),
            )
            .measured(|metrics| {
                metrics.linear = Some(report.linear);
                metrics.cv = report.cv.as_ref().map(|cv| CrossValidated {
                    folds: cv.folds.len(),
                    r2: cv.r2,
                    r2_half_width: cv.r2_half_width,
                });
                if let Some(watched) = report.validation {
                    let watched = serde_json::json!(watched);
                    metrics.more.insert("validation".to_owned(), watched);
                }
            })
            .artefact(IMPORTANCE_FILE, importance.to_string());
        let draft = match &self.run {
            Some(run) => draft.run(run.id()),
            None => draft,
        };
        match onnx(
            &outcome.model,
            &[("dataset_sha256", preflight.sha256.as_str())],
        ) {
            Some(bytes) => draft.artefact(ONNX_FILE, bytes),
            None => draft,
        }
    }
}

/// Who reigned when the challenger was judged; a promotion rests on it.
enum Throne {
    /// Nobody, or nobody is asked.
    Empty,
    /// A champion that loads.
    Taken(Champion, Box<Loaded>),
    /// A champion that does not, and why.
    Hidden(Option<Champion>, String),
}

impl Throne {
    fn of(registry: Option<&Registry>) -> Self {
        let Some(registry) = registry else {
            return Self::Empty;
        };
        match registry.load_champion() {
            Ok((champion, loaded)) => Self::Taken(champion, Box::new(loaded)),
            Err(RegistryError::NoChampion) => Self::Empty,
            Err(error) => Self::Hidden(registry.champion().unwrap_or_default(), error.to_string()),
        }
    }

    fn rival(&self, names: &[String]) -> Rival<'_> {
        match self {
            Self::Empty => Rival::Nobody,
            Self::Taken(_, loaded) if loaded.model.names() == names => {
                Rival::Champion(&loaded.model)
            }
            Self::Taken(champion, _) => {
                Rival::Unknown(format!("{} takes other features", champion.version))
            }
            Self::Hidden(_, why) => Rival::Unknown(why.clone()),
        }
    }

    fn champion(&self) -> Option<&Champion> {
        match self {
            Self::Empty => None,
            Self::Taken(champion, _) => Some(champion),
            Self::Hidden(champion, _) => champion.as_ref(),
        }
    }

    /// What the user should know about the comparison.
    fn notes(&self, ours: &Preflight) -> Vec<String> {
        let Self::Taken(champion, loaded) = self else {
            return Vec::new();
        };
        let theirs = &loaded.manifest.data;
        let same = theirs.sha256 == ours.sha256 && theirs.holdout_sha256 == ours.holdout_sha256;
        let note = format!(
            "{} was trained on another split: it may have learned rows of this holdout",
            champion.version
        );
        if same { Vec::new() } else { vec![note] }
    }

    /// The champion, when the job is its plan again (the seed may differ).
    fn parent_of(&self, job: &Job) -> Option<Version> {
        let Self::Taken(champion, loaded) = self else {
            return None;
        };
        let seedless = |plan: &Plan| {
            let mut plan = plan.clone();
            plan.params.seed = 0;
            (plan.family, plan.params)
        };
        let refit = job.preset.as_deref() == Some(CHAMPION)
            && seedless(&job.plan) == seedless(&loaded.manifest.plan);
        refit.then_some(champion.version)
    }
}
