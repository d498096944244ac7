//! One value of a query: a number, a time, a text, or nothing.

use std::cmp::Ordering;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Missing,
    Number(f64),
    /// Milliseconds since 1970.
    Time(i64),
    Text(String),
}

impl Cell {
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Time(ms) => Some(*ms as f64),
            Self::Text(text) => text
                .trim()
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite()),
            Self::Missing => None,
        }
    }

    /// As Insights prints it; `None` when there is nothing.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Missing => None,
            Self::Text(text) => Some(text.clone()),
            Self::Time(ms) => {
                let time = jiff::Timestamp::from_millisecond(*ms).unwrap_or_default();
                Some(format!(
                    "{}.{:03}",
                    time.strftime("%Y-%m-%d %H:%M:%S"),
                    ms.rem_euclid(1000)
                ))
            }
            Self::Number(number) => {
                // Four decimals, none that say nothing.
                let text = format!("{number:.4}");
                Some(text.trim_end_matches('0').trim_end_matches('.').to_owned())
            }
        }
    }

    pub fn truth(&self) -> bool {
        self.number().is_some_and(|number| number != 0.0)
    }

    /// Numbers by size, texts by letters; what is missing comes first.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Missing, Self::Missing) => Ordering::Equal,
            (Self::Missing, _) => Ordering::Less,
            (_, Self::Missing) => Ordering::Greater,
            _ => match (self.number(), other.number()) {
                (Some(left), Some(right)) => left.total_cmp(&right),
                _ => self.text().cmp(&other.text()),
            },
        }
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Number(f64::from(u8::from(flag)))
    }
}

impl From<Option<f64>> for Cell {
    fn from(number: Option<f64>) -> Self {
        number.map_or(Self::Missing, Self::Number)
    }
}
