//! A model in words: the tree of depth three that answers most nearly as the model does.
//!
//! It is a regression tree of our own on the model's scores, not linfa's class tree on rounded ones: that one breaks
//! ties by the order of a hash map, and a model must not be told in other words each time.

use std::fmt;

use serde::Serialize;

use super::dataset::Dataset;
use super::fit::{TrainError, fit};
use super::model::Model;
use super::plan::{Family, Params, Plan};
use super::progress::{Flow, Scores};
use super::tree::Tree;

/// Edges from the root to a leaf: eight rules at most.
const DEPTH: usize = 3;

/// A model's rules of thumb.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Surrogate {
    /// One for each leaf, the lowest score first.
    pub rules: Vec<Rule>,
    /// R2 of the rules against the model's own scores of rows that neither has learned: how much of the model they
    /// tell.
    pub fidelity: f64,
    /// Those rows.
    pub rows: usize,
}

/// Where all conditions hold, the model says about this.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rule {
    /// What must hold; none when there is one rule for all.
    pub conditions: Vec<Condition>,
    /// The model's mean score there.
    pub score: f32,
    /// Rows there.
    pub rows: usize,
}

/// A feature above a threshold, or at most it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Condition {
    /// The feature.
    pub feature: String,
    /// Above the threshold, else at most it.
    pub above: bool,
    /// The threshold.
    pub threshold: f32,
}

impl Surrogate {
    /// Reads the rules off a tree fitted to the model's scores of `rows`, and judges them on `unseen` ones.
    pub fn of(model: &Model, rows: &Dataset, unseen: &Dataset) -> Result<Self, TrainError> {
        let scores = model.predict(rows.view());
        let first = scores.first().copied().unwrap_or(f32::NAN);
        if scores.iter().all(|score| *score == first) {
            return Ok(Self {
                rules: vec![Rule {
                    conditions: Vec::new(),
                    score: first,
                    rows: scores.len(),
                }],
                fidelity: 1.0,
                rows: unseen.len(),
            });
        }
        let plan = Plan {
            params: Params {
                n_estimators: 1,
                max_depth: Some(DEPTH),
                bootstrap: false,
                ..Params::default()
            },
            ..Plan::new(Family::RandomForest)
        };
        let asked = Dataset {
            target: scores.clone(),
            ..rows.clone()
        };
        let copy = fit(&plan, &asked, &mut |_| Flow::Continue)?.model;
        let (wanted, answers) = (model.predict(unseen.view()), copy.predict(unseen.view()));
        let mut rules = Vec::new();
        if let Some((_, tree)) = copy.trees().next() {
            collect(tree, 0, &mut Vec::new(), &rows.names, &mut rules);
        }
        rules.sort_by(|a, b| a.score.total_cmp(&b.score));
        Ok(Self {
            rules,
            fidelity: Scores::of(wanted, answers).r2,
            rows: unseen.len(),
        })
    }
}

fn collect(
    tree: &Tree,
    at: usize,
    path: &mut Vec<Condition>,
    names: &[String],
    rules: &mut Vec<Rule>,
) {
    let node = &tree.nodes()[at];
    if node.is_leaf() {
        rules.push(Rule {
            conditions: tightest(path),
            score: node.value,
            rows: node.rows as usize,
        });
        return;
    }
    for above in [false, true] {
        path.push(Condition {
            feature: names[usize::from(node.feature)].clone(),
            above,
            threshold: node.threshold,
        });
        collect(
            tree,
            node.left as usize + usize::from(above),
            path,
            names,
            rules,
        );
        path.pop();
    }
}

/// Of several conditions in one direction on one feature, the last holds the others; those on one feature stand
/// together.
fn tightest(path: &[Condition]) -> Vec<Condition> {
    let repeated = |(at, condition): &(usize, &Condition)| {
        path[at + 1..]
            .iter()
            .any(|later| later.feature == condition.feature && later.above == condition.above)
    };
    let kept = path.iter().enumerate().filter(|pair| !repeated(pair));
    let mut kept: Vec<Condition> = kept.map(|(_, condition)| condition.clone()).collect();
    kept.sort_by_key(|condition| {
        let first = path
            .iter()
            .position(|other| other.feature == condition.feature);
        (first, !condition.above)
    });
    kept
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.above { "above" } else { "at most" };
        let number = format!("{:.4}", self.threshold);
        let number = number.trim_end_matches('0').trim_end_matches('.');
        write!(f, "{} {word} {number}", self.feature)
    }
}

impl Rule {
    /// `alcohol above 10.85 and volatile_acidity at most 0.3 (n 812)`.
    pub fn when(&self) -> String {
        let conditions: Vec<String> = self.conditions.iter().map(ToString::to_string).collect();
        let when = if conditions.is_empty() {
            "always".to_owned()
        } else {
            conditions.join(" and ")
        };
        format!("{when} (n {})", self.rows)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::train::split::Split;

    #[test]
    fn the_rules_cover_every_row_once_and_say_what_they_are_worth() {
        let all = Dataset::wine_quality().unwrap().canonical(true);
        let split = Split::stratified(&all.target, 0.2, 42);
        let (rows, unseen) = (all.select(&split.train), all.select(&split.holdout));
        let mut plan = Plan::preset("owner").unwrap();
        plan.params.n_estimators = 20;
        let model = fit(&plan, &rows, &mut |_| Flow::Continue).unwrap().model;
        let surrogate = Surrogate::of(&model, &rows, &unseen).unwrap();
        assert_eq!(surrogate, Surrogate::of(&model, &rows, &unseen).unwrap());
        assert!((0.4..0.95).contains(&surrogate.fidelity), "{surrogate:?}");
        let holds = |condition: &Condition, row: usize| {
            let place = rows
                .names
                .iter()
                .position(|name| *name == condition.feature);
            (rows.features[[row, place.unwrap()]] > condition.threshold) == condition.above
        };
        let scores = model.predict(rows.view());
        for rule in &surrogate.rules {
            let there: Vec<usize> = (0..rows.len())
                .filter(|row| {
                    rule.conditions
                        .iter()
                        .all(|condition| holds(condition, *row))
                })
                .collect();
            assert_eq!(there.len(), rule.rows, "{rule:?}");
            let mean = there.iter().map(|row| f64::from(scores[*row])).sum::<f64>();
            assert!(
                (mean / there.len() as f64 - f64::from(rule.score)).abs() < 1e-3,
                "{rule:?}"
            );
        }
        let covered: usize = surrogate.rules.iter().map(|rule| rule.rows).sum();
        assert_eq!(covered, rows.len());
        let features: Vec<&str> = surrogate.rules[0]
            .conditions
            .iter()
            .map(|condition| condition.feature.as_str())
            .collect();
        assert!(features.contains(&"alcohol"), "{features:?}");
    }

    #[test]
    fn a_rule_reads_as_a_sentence_without_what_a_later_condition_holds_already() {
        let condition = |above, threshold| Condition {
            feature: "alcohol".to_owned(),
            above,
            threshold,
        };
        let path = [
            condition(true, 9.5),
            condition(true, 10.85),
            condition(false, 12.0),
        ];
        let rule = Rule {
            conditions: tightest(&path),
            score: 6.284,
            rows: 812,
        };
        assert_eq!(
            rule.when(),
            "alcohol above 10.85 and alcohol at most 12 (n 812)"
        );
        let always = Rule {
            conditions: Vec::new(),
            ..rule
        };
        assert_eq!(always.when(), "always (n 812)");
    }
}
