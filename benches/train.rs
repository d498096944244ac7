//! Training and prediction: fit per family, one row, a batch, one explanation, loading a model.
//! `tests/interop/learning_test.py` puts the same fit beside scikit-learn's.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use vintner::challenger::{self, Job};
use vintner::domain::schema::Schema;
use vintner::registry::{Move, Registry};
use vintner::train::dataset::Preflight;
use vintner::train::{Dataset, Family, Flow, Model, Plan, Progress, fit};

fn go(_: &Progress) -> Flow {
    Flow::Continue
}

fn training_rows() -> Dataset {
    let (_, data, split) = Preflight::of(&Dataset::wine_quality().unwrap(), true, 42).unwrap();
    data.select(&split.train)
}

fn trained(preset: &str, rows: &Dataset) -> Model {
    fit(&Plan::preset(preset).unwrap(), rows, &mut go)
        .unwrap()
        .model
}

fn fits(criterion: &mut Criterion) {
    let rows = training_rows();
    let mut group = criterion.benchmark_group("fit");
    group.sample_size(10);
    for preset in ["owner", "fast", "best"] {
        let plan = Plan::preset(preset).unwrap();
        group.bench_function(preset, |bencher| {
            bencher.iter(|| fit(&plan, &rows, &mut go).unwrap());
        });
    }
    for family in [
        Family::ExtraTrees,
        Family::GradientBoosting,
        Family::Linear,
        Family::DecisionTree,
    ] {
        let plan = Plan::new(family);
        let id = BenchmarkId::new("family", family);
        group.bench_function(id, |bencher| {
            bencher.iter(|| fit(&plan, &rows, &mut go).unwrap());
        });
    }
}

fn predictions(criterion: &mut Criterion) {
    let rows = training_rows();
    let model = trained("owner", &rows);
    let wine = rows.features.row(0).to_vec();
    let mut group = criterion.benchmark_group("predict");
    group.bench_function("one row", |bencher| {
        bencher.iter(|| model.predict_row(black_box(&wine)));
    });
    group.bench_function("explain one row", |bencher| {
        bencher.iter(|| model.explain(black_box(&wine)));
    });
    let many = ndarray::concatenate(ndarray::Axis(0), &[rows.view(); 25]).unwrap();
    group.throughput(Throughput::Elements(many.nrows() as u64));
    group.sample_size(10);
    group.bench_function("batch", |bencher| {
        bencher.iter(|| model.predict(black_box(many.view())));
    });
}

fn loading(criterion: &mut Criterion) {
    let rows = training_rows();
    let mut group = criterion.benchmark_group("load");
    group.sample_size(20);
    for preset in ["owner", "fast", "best"] {
        let bytes = trained(preset, &rows).to_bytes();
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(preset, |bencher| {
            bencher.iter(|| Model::from_bytes(black_box(&bytes)).unwrap());
        });
        let home = tempfile::tempdir().unwrap();
        let registry = registered(preset, home.path());
        group.bench_function(BenchmarkId::new("champion", preset), |bencher| {
            bencher.iter(|| registry.load_champion().unwrap());
        });
    }
}

/// A registry whose champion is a model of this preset: loading it reads the disk, checks the sums and the canaries.
fn registered(preset: &str, home: &Path) -> Registry {
    let registry = Registry::at(home);
    let job = Job {
        folds: 0,
        ..Job::new(Plan::preset(preset).unwrap(), Schema::wine_quality().into())
    };
    let rows = job.source.read().unwrap();
    let made = challenger::train(&job, &rows, Some(&registry), &mut |_| Flow::Continue).unwrap();
    let version = made.report.version.unwrap();
    registry
        .promote(version, Move::seen(None, "bench"))
        .unwrap();
    registry
}

criterion_group!(benches, fits, predictions, loading);
criterion_main!(benches);
