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
use crate::train::tune::{self, Basis, Sampling, Trial, settled};

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
            fixed: settled(plan, &self.settings()?).map_err(Failure::usage)?,
            trials,
            sampling,
            source: source.clone(),
            dedup: !self.args.keep_duplicates,
            split_seed: self.args.split_seed,
        };
        let file = self.args.history.as_deref();
        let prepared = rows.prepare(tuning.dedup, tuning.split_seed);
        let prepared = prepared.map_err(|error| training_failed(error.into()))?;
        let basis = tuning.basis(&prepared).map_err(Failure::usage)?;
        let earlier = match file {
            Some(path) => earlier(path, &basis, bar)?,
            None => Vec::new(),
        };
        let mut written = earlier.len();
        let mut broken = None;
        let mut listen = |news: SearchNews<'_>| {
            bar.hear_search(&news);
            if let (SearchNews::Progress(progress), Some(path)) = (&news, file) {
                for trial in progress.history.get(written..).unwrap_or_default() {
                    let appended = disk::append_line(path, &history::line(trial, Some(&basis)));
                    broken = broken.take().or_else(|| appended.err());
                }
                written = progress.history.len();
            }
            self.flow()
        };
        let found = challenger::search(&tuning, rows, earlier, registry, &mut listen);
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

/// The trials of an earlier session that rest on the same; none where there is no file. The user is told of the others.
fn earlier(path: &Path, basis: &Basis, bar: &mut Bar) -> Result<Vec<Trial>, Failure> {
    let history = match std::fs::read(path) {
        Ok(bytes) => History::on(basis, &String::from_utf8_lossy(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(Failure::usage(
                anyhow!(error).context(format!("cannot read {}", path.display())),
            ));
        }
    };
    for said in history.strangers().chain(history.loss()) {
        bar.note(&format!("{}: {said}", path.display()));
    }
    Ok(history.trials)
}
