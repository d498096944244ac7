#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn complaints_are_scikit_learns() {
    let mut plan = Plan::preset("owner").unwrap();
    assert_eq!(
        plan.set("min_samples_split", "1").unwrap_err().to_string(),
        "The 'min_samples_split' parameter must be an int in the range [2, inf) or a float in the range (0.0, 1.0]. Got 1 instead."
    );
    let int = "must be an int in the range";
    for (name, value, complaint) in [
        (
            "n_estimators",
            "-1",
            format!("'n_estimators' parameter {int} [1, 10000]. Got -1"),
        ),
        (
            "n_estimators",
            "138.5",
            format!("'n_estimators' parameter {int} [1, 10000]. Got 138.5"),
        ),
        (
            "max_depth",
            "deep",
            format!("'max_depth' parameter {int} [1, inf) or None. Got 'deep'"),
        ),
        (
            "random_state",
            "none",
            format!("'random_state' parameter {int} [0, 18446744073709551615]. Got None"),
        ),
        (
            "learning_rate",
            "0",
            "'learning_rate' parameter must be a float in the range (0.0, inf). Got 0".into(),
        ),
        (
            "min_samples_split",
            "1.5",
            format!(
                "'min_samples_split' parameter must be {}. Got 1.5",
                params::must::SPLIT
            ),
        ),
        (
            "min_samples_split",
            "few",
            format!(
                "'min_samples_split' parameter must be {}. Got 'few'",
                params::must::SPLIT
            ),
        ),
        (
            "min_samples_leaf",
            "1.0",
            format!(
                "'min_samples_leaf' parameter must be {}. Got 1.0",
                params::must::LEAF
            ),
        ),
        (
            "min_samples_split",
            "-1",
            format!(
                "'min_samples_split' parameter must be {}. Got -1",
                params::must::SPLIT
            ),
        ),
        (
            "min_samples_leaf",
            "0",
            format!(
                "'min_samples_leaf' parameter must be {}. Got 0",
                params::must::LEAF
            ),
        ),
        (
            "max_features",
            "1.5",
            format!(
                "'max_features' parameter must be {}. Got 1.5",
                params::MAX_FEATURES
            ),
        ),
        (
            "max_features",
            "\"auto\"",
            format!(
                "'max_features' parameter must be {}. Got 'auto'",
                params::MAX_FEATURES
            ),
        ),
    ] {
        assert_eq!(
            plan.set(name, value).unwrap_err().to_string(),
            format!("The {complaint} instead.")
        );
    }
    assert!(
        plan.set("tress", "3")
            .unwrap_err()
            .to_string()
            .starts_with("There is no parameter 'tress'")
    );
    assert_eq!(plan, Plan::preset("owner").unwrap());
}

#[test]
fn text_sets_any_parameter() {
    let mut plan = Plan::preset("best").unwrap();
    for (name, value) in [
        ("max_depth", "none"),
        ("max_features", "0.5"),
        ("boosting.min_samples_leaf", "9"),
    ] {
        plan.set(name, value).unwrap();
    }
    plan.set("learning_rate", "0.1").unwrap();
    plan.set("min_samples_leaf", "2").unwrap();
    assert_eq!(
        (
            plan.params.boosting.min_samples_leaf,
            plan.params.min_samples_leaf
        ),
        (9, Samples::Count(2))
    );
    assert_eq!(plan.params.max_features, MaxFeatures::Fraction(0.5));
    let mut boosting = Plan::new(Family::GradientBoosting);
    boosting.set("n_estimators", "50").unwrap();
    boosting.set("min_samples_leaf", "3").unwrap();
    assert_eq!(
        (
            boosting.params.boosting.max_iter,
            boosting.params.boosting.min_samples_leaf
        ),
        (50, 3)
    );
}

#[test]
fn a_family_brings_its_own_defaults() {
    let mut plan = Plan::preset("fast").unwrap();
    plan.turn_to(Family::ExtraTrees);
    assert!(!plan.params.bootstrap && !plan.has_out_of_bag());
    plan.turn_to(Family::DecisionTree);
    assert_eq!(plan.params.max_depth, Some(3));
    plan.turn_to(Family::RandomForest);
    assert_eq!(plan, Plan::preset("fast").unwrap());
    plan.set("random_state", "7").unwrap();
    assert_eq!(plan.params.seed, 7);
}

#[test]
fn plans_survive_json() {
    for name in PRESETS {
        let plan = Plan::preset(name).unwrap();
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan, "{text}");
    }
}

#[test]
fn a_share_of_the_rows_counts_as_scikit_learn() {
    let mut plan = Plan::preset("owner").unwrap();
    plan.set("min_samples_split", "0.01").unwrap();
    plan.set("min_samples_leaf", "0.0005").unwrap();
    // ceil(0.01 * 4256) and ceil(0.0005 * 4256).
    let Params {
        min_samples_split,
        min_samples_leaf,
        ..
    } = plan.params;
    assert_eq!(
        (min_samples_split.of(4256), min_samples_leaf.of(4256)),
        (43, 3)
    );
    plan.set("min_samples_split", "1.0").unwrap();
    assert_eq!(plan.params.min_samples_split.of(4256), 4256);
    let text = serde_json::to_string(&plan).unwrap();
    assert!(text.contains(r#""min_samples_split":1.0"#), "{text}");
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    let old = text.replace(r#""min_samples_split":1.0"#, r#""min_samples_split":3"#);
    let old: Plan = serde_json::from_str(&old).unwrap();
    assert_eq!(old.params.min_samples_split, Samples::Count(3));
}

#[test]
fn max_features_counts_as_scikit_learn() {
    assert_eq!(MaxFeatures::Sqrt.of(12), 3);
    assert_eq!(MaxFeatures::Log2.of(12), 3);
    assert_eq!(MaxFeatures::Fraction(0.01).of(12), 1);
    assert_eq!(MaxFeatures::Count(40).of(12), 12);
}
