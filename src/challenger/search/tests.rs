#![allow(clippy::unwrap_used)]
use std::fs;
use std::path::PathBuf;

use super::*;
use crate::challenger::tests::cellar::Cellar;
use crate::registry::runs::RunRecord;
use crate::train::{Family, split};

/// A registry, and a small file to search on.
fn cellar() -> Cellar {
    let cellar = Cellar::new();
    cellar.wines("wines.csv", |len| (0..len).step_by(10).collect());
    cellar
}

impl Cellar {
    fn tuning(&self, trials: usize) -> Tuning {
        Tuning {
            plan: Plan::new(Family::RandomForest),
            fixed: Vec::new(),
            trials,
            sampling: Sampling::Tpe,
            source: Source::of(Some(&self.home.path().join("wines.csv")), None),
            dedup: true,
            split_seed: split::SEED,
        }
    }

    /// Searches for 14 trials, and is stopped after so many: `keep` as by Esc, else as by quitting the program.
    fn stopped(&self, after: usize, keep: bool) -> String {
        let tuning = self.tuning(14);
        let mut listen = |news: SearchNews<'_>| match news {
            SearchNews::Progress(progress) if progress.history.len() >= after => {
                Flow::Stop { keep }
            }
            _ => Flow::Continue,
        };
        let rows = tuning.source.read().unwrap();
        let done = search(
            &tuning,
            &rows,
            Vec::new(),
            Some(&self.registry),
            &mut listen,
        );
        assert_eq!(done.is_ok(), keep);
        self.registry.runs().unwrap()[0].id.clone()
    }

    fn whole(&self) -> Vec<Trial> {
        let tuning = self.tuning(14);
        let rows = tuning.source.read().unwrap();
        search(&tuning, &rows, Vec::new(), None, &mut |_| Flow::Continue).unwrap()
    }

    fn run(&self, id: &str) -> RunRecord {
        self.registry.run(id).unwrap()
    }

    fn path(&self, id: &str, file: &str) -> PathBuf {
        self.registry.root().join("runs").join(id).join(file)
    }

    /// Resumes, and gives what was there, what was lost, and every trial in the end.
    fn resume(&self, id: &str) -> Result<(History, Vec<Trial>, usize), ResumeError> {
        let (mut made, mut first) = (History::default(), None);
        let all = resume(id, 0, &self.registry, &mut |news| {
            match news {
                SearchNews::Begun { run, earlier, .. } => {
                    assert_eq!(run, Some(id));
                    made = earlier.clone();
                }
                SearchNews::Progress(progress) => first = first.or(Some(progress.trial)),
                SearchNews::Unwritable(why) => panic!("{why}"),
            }
            Flow::Continue
        })?;
        Ok((made, all, first.unwrap_or(usize::MAX)))
    }
}

#[test]
fn a_search_left_by_quitting_goes_on_in_its_own_run_as_if_never_left() {
    let cellar = cellar();
    let whole = cellar.whole();
    for keep in [true, false] {
        let id = cellar.stopped(4, keep);
        let run = cellar.run(&id);
        assert_eq!((run.state, run.trials), (State::Cancelled, Some(4)));
        let (made, all, first) = cellar.resume(&id).unwrap();
        assert_eq!((&made.trials[..], made.dropped, first), (&whole[..4], 0, 4));
        assert_eq!(all, whole, "the same trials as in one go");
        let run = cellar.run(&id);
        assert_eq!((run.state, run.trials), (State::Finished, Some(14)));
        assert_eq!(cellar.registry.trials(&id).unwrap().trials, whole);
    }
    assert_eq!(cellar.registry.runs().unwrap().len(), 2, "no run was added");
}

/// As a `kill -9` leaves it: the record says running, nobody holds the lock, the last line is half written.
#[test]
fn a_search_killed_in_the_middle_of_a_line_loses_that_trial_alone() {
    let cellar = cellar();
    let id = cellar.stopped(5, true);
    let record = fs::read_to_string(cellar.path(&id, "run.json")).unwrap();
    let record = record.replace("\"cancelled\"", "\"running\"");
    fs::write(cellar.path(&id, "run.json"), record).unwrap();
    let lines = fs::read_to_string(cellar.path(&id, "trials.jsonl")).unwrap();
    fs::write(cellar.path(&id, "trials.jsonl"), &lines[..lines.len() - 20]).unwrap();
    let run = cellar.run(&id);
    assert_eq!((run.state, run.trials), (State::Crashed, Some(4)));
    let (made, all, first) = cellar.resume(&id).unwrap();
    assert_eq!((made.trials.len(), made.dropped, first), (4, 1, 4));
    assert_eq!(all, cellar.whole());
    let written = cellar.registry.trials(&id).unwrap();
    assert_eq!((written.trials, written.dropped), (all, 0));
}

#[test]
fn a_search_is_not_resumed_twice_nor_when_done_nor_on_other_rows() {
    let cellar = cellar();
    let id = cellar.stopped(2, true);
    let wanted = cellar.run(&id).resumable(0).unwrap();
    let tuning = cellar.tuning(14);
    let rows = tuning.source.read().unwrap().prepare(true, split::SEED);
    let basis = tuning.basis(&rows.unwrap()).unwrap();
    let registry = &cellar.registry;
    let held = registry.resume_search(&id, wanted.clone(), &basis).unwrap();
    let why = cellar.resume(&id).unwrap_err().to_string();
    assert!(why.contains("process") && why.contains("is at it"), "{why}");
    let why = registry.resume_search(&id, wanted, &basis).unwrap_err();
    assert!(why.to_string().contains("is at the search"), "{why}");
    held.run.end(State::Cancelled, None, None).unwrap();

    let wines = cellar.home.path().join("wines.csv");
    let text = fs::read_to_string(&wines).unwrap();
    let fewer: Vec<&str> = text.lines().take(300).collect();
    fs::write(&wines, fewer.join("\n")).unwrap();
    let why = cellar.resume(&id).unwrap_err().to_string();
    assert!(why.contains("its data has changed since"), "{why}");
    assert_eq!(cellar.run(&id).state, State::Cancelled);
    fs::write(&wines, text).unwrap();
    assert_eq!(cellar.resume(&id).unwrap().1.len(), 14);
    let why = cellar.resume(&id).unwrap_err().to_string();
    assert!(why.contains("all its 14 trials are made"), "{why}");
    let more = cellar.run(&id).resumable(20).unwrap();
    assert_eq!(more.wanted, 20, "a higher total goes on");
}

#[test]
fn a_search_goes_on_from_trials_that_were_not_written_down() {
    let cellar = cellar();
    let (whole, tuning) = (cellar.whole(), cellar.tuning(14));
    let rows = tuning.source.read().unwrap();
    let registry = Some(&cellar.registry);
    let earlier = whole[..6].to_vec();
    let all = search(&tuning, &rows, earlier, registry, &mut |_| Flow::Continue).unwrap();
    assert_eq!(all, whole);
    let run = &cellar.registry.runs().unwrap()[0];
    assert_eq!((run.state, run.trials), (State::Finished, Some(14)));
    assert!(run.note.as_deref().unwrap().starts_with("best MSE"));
    assert_eq!(cellar.registry.trials(&run.id).unwrap().trials, all);
}
