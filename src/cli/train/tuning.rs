//! The search before a training: `--trials`, with `--history` to go on from.

use std::io;
use std::path::Path;

use anyhow::anyhow;

use super::super::Failure;
use super::bar::Bar;
use super::{Work, training_failed};
use crate::challenger::{self, SearchNews, Source, Tuning};
use crate::registry::{Registry, disk};
use crate::train::Plan;
use crate::train::retrain::Rows;
use crate::train::tune::history::{self, History};
use crate::train::tune::{self, Sampling, Trial};

impl Work {
    /// Tunes on the training rows only, when trials were asked for, and leaves the best in `plan`.
    pub(super) fn tune(
        &self,
        plan: &mut Plan,
        (source, rows): (&Source, &Rows),
        registry: Option<&Registry>,
        bar: &mut Bar,
    ) -> Result<Vec<Trial>, Failure> {
        let Some(trials) = self.args.trials else {
            return Ok(Vec::new());
        };
        let sampling = if self.args.random {
            Sampling::Random
        } else {
            Sampling::Tpe
        };
        let tuning = Tuning {
            plan: plan.clone(),
            trials,
            sampling,
            source: source.clone(),
            dedup: !self.args.keep_duplicates,
            split_seed: self.args.split_seed,
        };
        let file = self.args.history.as_deref();
        let earlier = file.map_or(Ok(History::default()), earlier)?;
        if let (Some(path), Some(loss)) = (file, earlier.loss()) {
            bar.note(&format!("{}: {loss}", path.display()));
        }
        let mut written = earlier.trials.len();
        let mut broken = None;
        let mut listen = |news: SearchNews<'_>| {
            bar.hear_search(&news);
            if let (SearchNews::Progress(progress), Some(path)) = (&news, file) {
                for trial in progress.history.get(written..).unwrap_or_default() {
                    let appended = disk::append_line(path, &history::line(trial));
                    broken = broken.take().or_else(|| appended.err());
                }
                written = progress.history.len();
            }
            self.flow()
        };
        let found = challenger::search(&tuning, rows, earlier.trials, registry, &mut listen);
        bar.clear();
        let found = found.map_err(training_failed)?;
        if let Some(error) = broken {
            return Err(Failure::failed(error));
        }
        if let Some(best) = tune::best(&found) {
            *plan = tuning.plan_of(&best.params).map_err(Failure::failed)?;
        }
        Ok(found)
    }
}

/// The trials of an earlier session; none where there is no file.
fn earlier(path: &Path) -> Result<History, Failure> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(History::read(&String::from_utf8_lossy(&bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(History::default()),
        Err(error) => Err(Failure::usage(
            anyhow!(error).context(format!("cannot read {}", path.display())),
        )),
    }
}
