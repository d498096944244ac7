//! What a step up or down makes of a value.

/// A value some steps away: whole numbers by one (many trees by ten), shares by a tenth of themselves.
pub(super) fn stepped(name: &str, value: &str, steps: i32) -> String {
    let stride = if matches!(name, "n_estimators" | "max_iter") {
        10
    } else {
        1
    };
    let least = i64::from(!matches!(name, "seed"))
        + i64::from(matches!(name, "min_samples_split" | "max_leaf_nodes"));
    match (name, value, value.parse::<i64>()) {
        ("max_depth", "none", _) => {
            if steps > 0 {
                "none".to_owned()
            } else {
                "20".to_owned()
            }
        }
        ("max_depth", "20", _) if steps > 0 => "none".to_owned(),
        ("max_features", "all", _) => {
            if steps > 0 {
                "all".to_owned()
            } else {
                "11".to_owned()
            }
        }
        ("max_features", "11", _) if steps > 0 => "all".to_owned(),
        (_, _, Ok(number)) => number
            .saturating_add(i64::from(steps) * stride)
            .max(least)
            .to_string(),
        (_, text, Err(_)) => text.parse::<f64>().map_or_else(
            |_| "4".to_owned(),
            |share| {
                let changed = share * (1.0 + 0.1 * f64::from(steps));
                let most = if name == "learning_rate" {
                    f64::MAX
                } else {
                    1.0
                };
                format!("{:.4}", changed.min(most))
            },
        ),
    }
}
