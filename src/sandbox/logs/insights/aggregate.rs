//! The aggregations of `stats`.

use std::collections::HashSet;

use super::cell::Cell;
use super::expression::Expression;
use super::record::Record;

#[derive(Debug, Clone)]
pub(super) struct Aggregate {
    pub name: String,
    pub kind: Kind,
    /// `None` for `count(*)`.
    pub of: Option<Expression>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Count,
    CountDistinct,
    Sum,
    Average,
    Minimum,
    Maximum,
    Percentile(f64),
    Deviation,
    Earliest,
    Latest,
}

impl Kind {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "count" => Self::Count,
            "count_distinct" => Self::CountDistinct,
            "sum" => Self::Sum,
            "avg" => Self::Average,
            "min" => Self::Minimum,
            "max" => Self::Maximum,
            "pct" | "percentile" => Self::Percentile(0.0),
            "median" => Self::Percentile(50.0),
            "stddev" => Self::Deviation,
            "earliest" => Self::Earliest,
            "latest" => Self::Latest,
            _ => return None,
        })
    }
}

impl Aggregate {
    pub fn over(&self, records: &[Record]) -> Cell {
        let Some(expression) = &self.of else {
            return Cell::Number(records.len() as f64);
        };
        let cells: Vec<(Cell, Cell)> = records
            .iter()
            .map(|record| (expression.of(record), record.get("@timestamp")))
            .filter(|(cell, _)| *cell != Cell::Missing)
            .collect();
        let mut numbers: Vec<f64> = cells.iter().filter_map(|(cell, _)| cell.number()).collect();
        let count = numbers.len() as f64;
        let some = |number: f64| {
            if numbers.is_empty() {
                Cell::Missing
            } else {
                Cell::Number(number)
            }
        };
        match self.kind {
            Kind::Count => Cell::Number(cells.len() as f64),
            Kind::CountDistinct => Cell::Number(
                cells
                    .iter()
                    .filter_map(|(cell, _)| cell.text())
                    .collect::<HashSet<_>>()
                    .len() as f64,
            ),
            Kind::Sum => some(numbers.iter().sum()),
            Kind::Average => some(numbers.iter().sum::<f64>() / count),
            Kind::Minimum => cells
                .into_iter()
                .map(|(cell, _)| cell)
                .min_by(Cell::order)
                .unwrap_or(Cell::Missing),
            Kind::Maximum => cells
                .into_iter()
                .map(|(cell, _)| cell)
                .max_by(Cell::order)
                .unwrap_or(Cell::Missing),
            Kind::Earliest => cells
                .into_iter()
                .min_by(|a, b| a.1.order(&b.1))
                .map_or(Cell::Missing, |(cell, _)| cell),
            Kind::Latest => cells
                .into_iter()
                .max_by(|a, b| a.1.order(&b.1))
                .map_or(Cell::Missing, |(cell, _)| cell),
            Kind::Deviation => {
                let mean = numbers.iter().sum::<f64>() / count;
                some(
                    (numbers
                        .iter()
                        .map(|number| (number - mean).powi(2))
                        .sum::<f64>()
                        / count)
                        .sqrt(),
                )
            }
            Kind::Percentile(percent) => {
                if numbers.is_empty() {
                    return Cell::Missing;
                }
                numbers.sort_unstable_by(f64::total_cmp);
                let rank = (percent / 100.0 * count).ceil().max(1.0) as usize;
                Cell::Number(numbers[rank.min(numbers.len()) - 1])
            }
        }
    }
}
