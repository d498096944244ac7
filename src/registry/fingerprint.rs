//! Which version is it? The answers to the canaries tell versions apart: two forests with another seed differ on nine
//! rows of ten, so sixteen answers, even rounded to two decimals, name one version.

use serde::Serialize;

use super::{Manifest, Registry, RegistryError, Version};

/// A version that might have given the answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suspect {
    /// The version.
    pub version: Version,
    /// Answers that are this version's.
    pub agreeing: usize,
    /// The largest distance of an answer.
    pub largest_gap: f64,
    /// Whether all answers are this version's.
    pub matches: bool,
}

/// Every sound version with these features, best match first. `answers` are clipped to 0..10, as the service does.
pub fn suspects(
    registry: &Registry,
    features: &[String],
    rows: &[Vec<f32>],
    answers: &[f64],
) -> Result<Vec<Suspect>, RegistryError> {
    let tolerance = tolerance(answers);
    let mut suspects = Vec::new();
    for entry in registry.list()? {
        let Ok(manifest) = entry.manifest else {
            continue;
        };
        if manifest.features.names != features {
            continue;
        }
        let Some(own) = own_answers(registry, &manifest, rows) else {
            continue;
        };
        let gaps: Vec<f64> = own
            .iter()
            .zip(answers)
            .map(|(own, answer)| (f64::from(own.clamp(0.0, 10.0)) - answer).abs())
            .collect();
        let agreeing = gaps.iter().filter(|gap| **gap <= tolerance).count();
        suspects.push(Suspect {
            version: entry.version,
            agreeing,
            largest_gap: gaps.iter().copied().fold(0.0, f64::max),
            matches: !gaps.is_empty() && agreeing == answers.len(),
        });
    }
    suspects.sort_by(|a, b| {
        b.matches
            .cmp(&a.matches)
            .then(a.largest_gap.total_cmp(&b.largest_gap))
    });
    Ok(suspects)
}

/// The versions whose answers all of them are.
pub fn matching(suspects: &[Suspect]) -> Vec<Version> {
    suspects
        .iter()
        .filter(|suspect| suspect.matches)
        .map(|suspect| suspect.version)
        .collect()
}

/// A version's answers: recorded, when the rows are its own canaries, else asked of the model.
fn own_answers(registry: &Registry, manifest: &Manifest, rows: &[Vec<f32>]) -> Option<Vec<f32>> {
    let recorded = manifest.canaries.len() == rows.len()
        && manifest
            .canaries
            .iter()
            .zip(rows)
            .all(|(canary, row)| canary.x == *row);
    if recorded {
        return Some(manifest.canaries.iter().map(|canary| canary.y).collect());
    }
    let model = registry.load(manifest.version).ok()?.model;
    Some(rows.iter().map(|row| model.predict_row(row)).collect())
}

/// A service that rounds its answers can only agree as far as it rounds.
fn tolerance(answers: &[f64]) -> f64 {
    let rounded = |decimals: i32| {
        let scale = 10f64.powi(decimals);
        answers
            .iter()
            .all(|answer| (answer * scale - (answer * scale).round()).abs() < 1e-6)
    };
    (1..=4)
        .find(|decimals| rounded(*decimals))
        .map_or(1e-5, |decimals| 0.5 * 10f64.powi(-decimals) + 1e-6)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tests::draft;
    use super::*;

    #[test]
    fn sixteen_answers_name_one_version_even_rounded() {
        let home = tempfile::tempdir().unwrap();
        let registry = Registry::at(home.path());
        let versions: Vec<Version> = (1..=5)
            .map(|seed| registry.commit(draft(seed)).unwrap().version)
            .collect();
        for (index, version) in versions.iter().enumerate() {
            let manifest = registry.manifest(*version).unwrap();
            let rows = manifest.canary_rows();
            for scale in [1e6, 1e4, 1e2] {
                let answers: Vec<f64> = manifest
                    .canaries
                    .iter()
                    .map(|canary| (f64::from(canary.y) * scale).round() / scale)
                    .collect();
                let suspects =
                    suspects(&registry, &manifest.features.names, &rows, &answers).unwrap();
                assert_eq!(
                    matching(&suspects),
                    [versions[index]],
                    "rounded to 1/{scale}"
                );
            }
        }
    }

    #[test]
    fn a_stranger_is_nobody() {
        let home = tempfile::tempdir().unwrap();
        let registry = Registry::at(home.path());
        let manifest = registry.commit(draft(1)).unwrap();
        let rows = manifest.canary_rows();
        let answers = vec![5.175_872; rows.len()];
        let suspects = suspects(&registry, &manifest.features.names, &rows, &answers).unwrap();
        assert!(
            !suspects[0].matches && suspects[0].largest_gap > 0.01,
            "{suspects:?}"
        );
    }
}
