//! Expressions of a query, over the fields of one record.

use regex::Regex;

use super::cell::Cell;
use super::record::Record;

#[derive(Debug, Clone)]
pub(super) enum Expression {
    Field(String),
    Constant(Cell),
    Not(Box<Expression>),
    Binary(Box<Expression>, Operator, Box<Expression>),
    Like(Box<Expression>, Regex),
    In(Box<Expression>, Vec<Expression>),
    IsPresent(Box<Expression>),
    /// Round a time down to a multiple of so many ms.
    Bin(i64),
    Call(Function, Vec<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
    Add,
    Subtract,
    Multiply,
    Divide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Ceil,
    Floor,
    Coalesce,
    StrLen,
    ToLower,
    ToUpper,
    StrContains,
}

impl Function {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "abs" => Self::Abs,
            "ceil" => Self::Ceil,
            "floor" => Self::Floor,
            "coalesce" => Self::Coalesce,
            "strlen" => Self::StrLen,
            "tolower" => Self::ToLower,
            "toupper" => Self::ToUpper,
            "strcontains" => Self::StrContains,
            _ => return None,
        })
    }

    fn call(self, arguments: &[Cell]) -> Cell {
        let first = arguments.first().cloned().unwrap_or(Cell::Missing);
        let number = |f: fn(f64) -> f64| first.number().map(f).into();
        let text = |f: fn(&str) -> String| {
            first
                .text()
                .map_or(Cell::Missing, |text| Cell::Text(f(&text)))
        };
        match self {
            Self::Abs => number(f64::abs),
            Self::Ceil => number(f64::ceil),
            Self::Floor => number(f64::floor),
            Self::Coalesce => arguments
                .iter()
                .find(|cell| **cell != Cell::Missing)
                .cloned()
                .unwrap_or(Cell::Missing),
            Self::StrLen => first.text().map(|text| text.chars().count() as f64).into(),
            Self::ToLower => text(str::to_lowercase),
            Self::ToUpper => text(str::to_uppercase),
            Self::StrContains => match (first.text(), arguments.get(1).and_then(Cell::text)) {
                (Some(text), Some(part)) => text.contains(&part).into(),
                _ => false.into(),
            },
        }
    }
}

impl Expression {
    pub fn of(&self, record: &Record) -> Cell {
        match self {
            Self::Field(name) => record.get(name),
            Self::Constant(cell) => cell.clone(),
            Self::Not(inner) => (!inner.of(record).truth()).into(),
            Self::Like(inner, regex) => inner
                .of(record)
                .text()
                .is_some_and(|text| regex.is_match(&text))
                .into(),
            Self::In(inner, list) => {
                let cell = inner.of(record);
                list.iter()
                    .any(|item| equal(&cell, &item.of(record)))
                    .into()
            }
            Self::IsPresent(inner) => (inner.of(record) != Cell::Missing).into(),
            Self::Bin(width) => match record.get("@timestamp") {
                Cell::Time(ms) => Cell::Time(ms - ms.rem_euclid(*width)),
                _ => Cell::Missing,
            },
            Self::Call(function, arguments) => {
                let arguments: Vec<Cell> = arguments
                    .iter()
                    .map(|argument| argument.of(record))
                    .collect();
                function.call(&arguments)
            }
            Self::Binary(left, operator, right) => {
                binary(&left.of(record), *operator, || right.of(record))
            }
        }
    }
}

fn equal(left: &Cell, right: &Cell) -> bool {
    *left != Cell::Missing && left.order(right).is_eq()
}

fn binary(left: &Cell, operator: Operator, right: impl FnOnce() -> Cell) -> Cell {
    match operator {
        Operator::Or => return (left.truth() || right().truth()).into(),
        Operator::And => return (left.truth() && right().truth()).into(),
        _ => {}
    }
    let right = right();
    let known = *left != Cell::Missing && right != Cell::Missing;
    let order = left.order(&right);
    let arithmetic = |f: fn(f64, f64) -> f64| -> Cell {
        let (Some(a), Some(b)) = (left.number(), right.number()) else {
            return Cell::Missing;
        };
        Some(f(a, b)).filter(|result| result.is_finite()).into()
    };
    match operator {
        Operator::Equal => equal(left, &right).into(),
        Operator::NotEqual => (!equal(left, &right)).into(),
        Operator::Less => (known && order.is_lt()).into(),
        Operator::AtMost => (known && order.is_le()).into(),
        Operator::More => (known && order.is_gt()).into(),
        Operator::AtLeast => (known && order.is_ge()).into(),
        Operator::Add => arithmetic(|a, b| a + b),
        Operator::Subtract => arithmetic(|a, b| a - b),
        Operator::Multiply => arithmetic(|a, b| a * b),
        Operator::Divide => arithmetic(|a, b| a / b),
        Operator::Or | Operator::And => Cell::Missing,
    }
}
