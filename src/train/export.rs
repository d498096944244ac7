//! Ways out for a model that are text: the converter that turns `forest.json` into a scikit-learn pickle.

/// A Python script for the environment that will load the pickle (its own scikit-learn):
/// `python forest_to_sklearn.py forest.json model.pkl`. It builds a genuine `RandomForestRegressor` whose predictions
/// are those of the model, also for boosters and blends.
pub const SKLEARN_CONVERTER: &str = include_str!("export/forest_to_sklearn.py");
