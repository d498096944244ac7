//! The one look at the holdout: a model beside the champion on the same rows, and the gates before a promotion.

use super::dataset::Dataset;
use super::evaluate::{Bands, Evaluation};
use super::model::Model;
use super::verdict::{self, Candidate, Comparison, Gate, Verdict};

/// Gates that depend on the champion of the day; the others hold for good.
pub const OF_THE_DAY: [&str; 2] = [CHAMPION, "slices"];

const CHAMPION: &str = "champion";

/// Who a challenger is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Rival<'a> {
    /// Nobody reigns yet.
    Nobody,
    /// The champion's model, of the same features.
    Champion(&'a Model),
    /// There is a champion, but no comparison, for this reason: the gate stays shut.
    Unknown(String),
}

/// How a judgement is made.
#[derive(Debug, Clone, Copy)]
pub struct Bench<'a> {
    /// The rows to judge with.
    pub holdout: &'a Dataset,
    /// Bands of the score.
    pub bands: &'a Bands,
    /// Features the service sends.
    pub served: &'a [String],
    /// Largest mean squared error the gate lets through.
    pub max_mse: f64,
    /// Seed of the resamples.
    pub seed: u64,
}

/// A model on the holdout, beside the champion.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The challenger.
    pub evaluation: Evaluation,
    /// The champion on the same rows.
    pub champion: Option<Evaluation>,
    /// Challenger against champion.
    pub comparison: Option<Comparison>,
    /// What a promotion needs.
    pub gates: Vec<Gate>,
}

impl Judgement {
    /// The word, when there was a comparison.
    pub fn word(&self) -> Option<Verdict> {
        self.comparison.map(|comparison| comparison.verdict)
    }
}

impl Bench<'_> {
    /// Judges `model`; `canaries` are its answers when they were recorded and now, row by row.
    pub fn judge(&self, model: &Model, canaries: &[(f32, f32)], rival: &Rival<'_>) -> Judgement {
        let evaluate = |model| Evaluation::of(model, self.holdout, self.bands, self.seed);
        let evaluation = evaluate(model);
        let champion = match rival {
            Rival::Champion(model) => Some(evaluate(*model)),
            Rival::Nobody | Rival::Unknown(_) => None,
        };
        let comparison = champion
            .as_ref()
            .and_then(|old| Comparison::paired(old, &evaluation, self.seed));
        let mut gates = verdict::gates(&Candidate {
            challenger: &evaluation,
            champion: champion.as_ref().zip(comparison),
            max_mse: self.max_mse,
            canaries,
            trained_features: model.names(),
            served_features: self.served,
        });
        if let Rival::Unknown(why) = rival {
            gates.push(not_compared(why));
        }
        Judgement {
            evaluation,
            champion,
            comparison,
            gates,
        }
    }

    /// What a fitted model answers to `count` rows as a batch, and one by one after a journey through bytes: as it was
    /// judged, and as the registry will load it.
    pub fn canaries(&self, model: &Model, count: usize) -> Vec<(f32, f32)> {
        let batch = model.predict(self.holdout.view());
        let again = Model::from_bytes(&model.to_bytes());
        let answer = |row: usize| {
            let wine = self.holdout.features.row(row).to_vec();
            let now = again
                .as_ref()
                .map_or(f32::NAN, |model| model.predict_row(&wine));
            (batch[row], now)
        };
        spread(count, self.holdout.len()).map(answer).collect()
    }
}

/// At most `count` of `rows` row numbers, spread evenly.
pub fn spread(count: usize, rows: usize) -> impl Iterator<Item = usize> {
    let count = count.min(rows);
    (0..count).map(move |number| number * rows / count)
}

/// The shut gate of a challenger that was not compared with the champion.
pub fn not_compared(why: &str) -> Gate {
    Gate {
        name: CHAMPION,
        passed: false,
        reason: format!("not compared: {why}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::train::evaluate::service_bands;
    use crate::train::verdict::MAX_MSE;
    use crate::train::{Family, Flow, Plan, dataset::Preflight, fit, split};

    #[test]
    fn a_rival_is_compared_an_unknown_one_shuts_the_gate_and_none_needs_no_gate() {
        let raw = Dataset::wine_quality().unwrap();
        let (_, data, halves) = Preflight::of(&raw, true, split::SEED).unwrap();
        let (train, holdout) = (data.select(&halves.train), data.select(&halves.holdout));
        let plan = Plan::new(Family::Linear);
        let model = fit(&plan, &train, &mut |_| Flow::Continue).unwrap().model;
        let (bands, served) = (service_bands(), data.names.clone());
        let bench = Bench {
            holdout: &holdout,
            bands: &bands,
            served: &served,
            max_mse: MAX_MSE,
            seed: split::SEED,
        };
        let canaries = bench.canaries(&model, 16);
        assert_eq!(canaries.len(), 16);
        let judge = |rival: Rival| {
            let judgement = bench.judge(&model, &canaries, &rival);
            let champion = judgement.gates.iter().find(|gate| gate.name == CHAMPION);
            (
                judgement.word(),
                champion.map(|gate| gate.passed),
                judgement.gates.iter().all(|gate| gate.passed),
            )
        };
        assert_eq!(judge(Rival::Nobody), (None, None, true));
        assert_eq!(
            judge(Rival::Champion(&model)),
            (Some(Verdict::Tie), Some(true), true)
        );
        assert_eq!(
            judge(Rival::Unknown("v0001 is CORRUPT".to_owned())),
            (None, Some(false), false)
        );
    }
}
