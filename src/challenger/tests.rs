#![allow(clippy::unwrap_used)]
pub mod cellar;

use std::path::PathBuf;

use super::*;
use crate::registry::Move;
use crate::registry::draft::CURVE_FILE;
use crate::train::Family;
use crate::train::dataset::EMBEDDED;

use cellar::Cellar;

impl Cellar {
    fn train(&self, job: &Job) -> Report {
        let rows = job.source.read().unwrap();
        let go = &mut |_: News<'_>| Flow::Continue;
        train(job, &rows, Some(&self.registry), go).unwrap().report
    }

    /// A file with some of the wines.
    fn file(&self, name: &str, rows: std::ops::Range<usize>) -> PathBuf {
        self.wines(name, |len| rows.clone().map(|row| row * 13 % len).collect())
    }

    fn promote(&self, report: &Report) -> Result<Champion, RegistryError> {
        let wish = Move::seen(report.reigning.as_ref(), "test");
        self.registry.promote(report.version.clone().unwrap(), wish)
    }
}

/// A small forest without cross-validation.
fn job(family: Family, depth: usize) -> Job {
    let mut plan = Plan::new(family);
    plan.params.n_estimators = 12;
    plan.params.max_depth = Some(depth);
    plan.params.boosting.max_iter = 12;
    Job {
        folds: 0,
        ..Job::new(plan, Service::from(Schema::wine_quality()))
    }
}

fn gate<'a>(gates: &'a [crate::registry::manifest::Gate], name: &str) -> Option<&'a str> {
    let gate = gates.iter().find(|gate| gate.name == name && !gate.passed);
    gate.map(|gate| gate.reason.as_str())
}

#[test]
fn every_version_has_everything_whoever_listens() {
    let cellar = Cellar::new();
    let mut phases = Vec::new();
    let mut early = None;
    let job = Job {
        folds: 2,
        ..job(Family::Blend, 5)
    };
    let rows = job.source.read().unwrap();
    let mut listen = |news: News<'_>| {
        match news {
            News::Progress(phase, _) if phases.last() != Some(&phase) => phases.push(phase),
            News::Judging => phases.push(Phase::Judge),
            News::Judged(report) => early = Some(report.clone()),
            News::Progress(..) | News::Unwritable(_) => {}
        }
        Flow::Continue
    };
    let done = train(&job, &rows, Some(&cellar.registry), &mut listen).unwrap();
    let fold = |index| Phase::Fold { index, of: 2 };
    assert_eq!(
        phases,
        [Phase::Validate, Phase::Fit, Phase::Judge, fold(0), fold(1)]
    );
    let early = early.unwrap();
    assert_eq!(early.evaluation, done.report.evaluation);
    assert!(early.cv.is_none() && early.version.is_err());

    let manifest = cellar.registry.manifest(Version::FIRST).unwrap();
    assert_eq!(manifest.data.source, EMBEDDED);
    assert_eq!(manifest.metrics.cv.unwrap().folds, 2);
    assert!(manifest.metrics.linear.is_some() && manifest.metrics.more.contains_key("validation"));
    assert_eq!(manifest.gates.len(), 3);
    for name in [IMPORTANCE_FILE, ONNX_FILE, CURVE_FILE] {
        assert!(manifest.artefacts.contains_key(name), "{name}");
    }
    let run = &cellar.registry.runs().unwrap()[0];
    assert_eq!(manifest.run.as_ref(), Some(&run.id));
    assert_eq!(
        (run.state, run.version),
        (State::Finished, Some(Version::FIRST))
    );
}

#[test]
fn versions_of_any_source_can_be_reproduced_until_the_source_changes() {
    let cellar = Cellar::new();
    let (learn, holdout) = (cellar.file("a.csv", 0..600), cellar.file("b.csv", 700..900));
    let sources = [
        Source::Embedded,
        Source::of(Some(&learn), None),
        Source::of(Some(&learn), Some(&holdout)),
        Source::of(None, Some(&holdout)),
    ];
    let again = |version| reproduce(version, &cellar.registry, &mut |_, _| Flow::Continue);
    let mut versions = Vec::new();
    for source in sources {
        let job = Job {
            source: source.clone(),
            ..job(Family::ExtraTrees, 4)
        };
        let version = cellar.train(&job).version.unwrap();
        assert_eq!(again(version), Ok(true), "{source:?}");
        versions.push(version);
    }
    cellar.file("b.csv", 701..901);
    assert!(again(versions[2]).unwrap_err().contains("has changed"));
    std::fs::remove_file(&learn).unwrap();
    let gone = again(versions[1]).unwrap_err();
    assert!(
        gone.contains("cannot open") && gone.contains("a.csv"),
        "{gone}"
    );
}

#[test]
fn kept_trees_are_judged_not_cross_validated_and_reproducible() {
    let cellar = Cellar::new();
    let mut job = Job {
        folds: 2,
        ..job(Family::ExtraTrees, 4)
    };
    job.plan.params.n_estimators = 4000;
    let rows = job.source.read().unwrap();
    let mut stop = |news: News<'_>| match news {
        News::Progress(_, progress) if progress.done < 12 => Flow::Continue,
        _ => Flow::Stop { keep: true },
    };
    let report = train(&job, &rows, Some(&cellar.registry), &mut stop)
        .unwrap()
        .report;
    assert!(report.kept && report.cv.is_none() && report.trees < 4000);
    let version = report.version.unwrap();
    let again = reproduce(version, &cellar.registry, &mut |_, _| Flow::Continue);
    assert_eq!(again, Ok(true));
}

#[test]
fn of_two_challengers_of_one_champion_the_second_is_refused() {
    let cellar = Cellar::new();
    let first = cellar.train(&job(Family::RandomForest, 3));
    cellar.promote(&first).unwrap();
    let second = cellar.train(&job(Family::RandomForest, 6));
    let third = cellar.train(&job(Family::RandomForest, 8));
    assert_eq!((second.looks, third.looks), (2, 3));
    cellar.promote(&second).unwrap();
    let refused = cellar.promote(&third);
    assert!(
        matches!(refused, Err(RegistryError::Moved { .. })),
        "{refused:?}"
    );
    // A first challenger rests on there being no champion.
    let late = Report {
        reigning: None,
        ..third
    };
    assert!(matches!(
        cellar.promote(&late),
        Err(RegistryError::Moved { .. })
    ));
}

#[test]
fn a_verdict_against_an_earlier_champion_is_not_taken_for_one_against_this() {
    let cellar = Cellar::new();
    let service = Service::from(Schema::wine_quality());
    let learn = cellar.file("wine.csv", 0..3000);
    let on_file = |depth| Job {
        source: Source::of(Some(&learn), None),
        ..job(Family::RandomForest, depth)
    };
    let standing = |report: &Report| {
        standing(&cellar.registry, report.version.clone().unwrap(), &service).unwrap()
    };
    let weak = cellar.train(&on_file(2));
    cellar.promote(&weak).unwrap();
    let same = cellar.train(&on_file(2));
    let strong = cellar.train(&on_file(9));
    assert_eq!(
        (same.verdict(), strong.verdict()),
        (Some("TIE"), Some("BETTER"))
    );
    let before = standing(&same);
    assert_eq!(
        (before.verdict.as_deref(), before.fresh),
        (Some("TIE"), false)
    );
    let champion = cellar.promote(&strong).unwrap();

    let now = standing(&same);
    assert_eq!((now.verdict.as_deref(), now.fresh), (Some("BLOCKED"), true));
    assert!(gate(&now.gates, "champion").is_some(), "{:?}", now.gates);
    assert_eq!(now.wish("all the same").expected, Some(champion.generation));
    assert!(
        now.wish("all the same")
            .overridden
            .contains(&"champion".to_owned())
    );

    std::fs::remove_file(&learn).unwrap();
    let blind = standing(&same);
    assert_eq!(blind.verdict, None);
    let why = gate(&blind.gates, "champion").unwrap();
    assert!(
        why.contains("not compared") && why.contains("wine.csv"),
        "{why}"
    );
}

#[test]
fn a_champion_that_cannot_be_compared_with_shuts_the_gate() {
    let cellar = Cellar::new();
    let first = cellar.train(&job(Family::RandomForest, 3));
    let champion = cellar.promote(&first).unwrap();
    let dir = cellar.registry.version_dir(champion.version);
    std::fs::write(dir.join(crate::registry::MODEL_FILE), "garbage").unwrap();
    let second = cellar.train(&job(Family::RandomForest, 6));
    assert!(gate(&second.gates, "champion").unwrap().contains("CORRUPT"));
    assert_eq!(second.reigning, Some(champion));
}

#[test]
fn a_registry_that_cannot_be_written_costs_no_report() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("file"), "").unwrap();
    let registry = Registry::at(home.path().join("file/registry"));
    let job = job(Family::RandomForest, 3);
    let mut warned = Vec::new();
    let mut listen = |news: News<'_>| {
        if let News::Unwritable(why) = news {
            warned.push(why.to_owned());
        }
        Flow::Continue
    };
    let rows = job.source.read().unwrap();
    let report = train(&job, &rows, Some(&registry), &mut listen)
        .unwrap()
        .report;
    assert_eq!(warned.len(), 1);
    assert!(report.evaluation.scores.r2 > 0.2);
    assert!(report.version.unwrap_err().contains("file/registry"));
}

#[test]
fn what_is_cancelled_or_cannot_begin_leaves_no_version() {
    let cellar = Cellar::new();
    let all = job(Family::RandomForest, 3);
    let rows = all.source.read().unwrap();
    let registry = Some(&cellar.registry);
    let cancelled = train(&all, &rows, registry, &mut |_| Flow::Stop { keep: false });
    assert!(matches!(cancelled, Err(TrainError::Cancelled { .. })));
    assert_eq!(cellar.registry.runs().unwrap()[0].state, State::Cancelled);
    for wrong in [
        Job {
            folds: 5000,
            ..all.clone()
        },
        Job {
            plan: Plan {
                early_stop: Some(0.001),
                ..Plan::new(Family::Blend)
            },
            ..all.clone()
        },
    ] {
        let refused = train(&wrong, &rows, registry, &mut |_| Flow::Continue);
        assert!(matches!(refused, Err(TrainError::Param(_))), "{refused:?}");
    }
    assert_eq!(cellar.registry.runs().unwrap().len(), 1);
    assert_eq!(cellar.registry.versions().unwrap(), []);
}

#[test]
fn a_forest_that_stops_at_a_plateau_says_so_and_is_made_again_alike() {
    let cellar = Cellar::new();
    let mut job = job(Family::RandomForest, 3);
    job.plan.params.n_estimators = 400;
    job.plan.early_stop = Some(0.01);
    let report = cellar.train(&job);
    assert!(report.early && !report.kept && report.trees < 400);
    let version = report.version.unwrap();
    let again = reproduce(version, &cellar.registry, &mut |_, _| Flow::Continue);
    assert_eq!(again, Ok(true));
}
