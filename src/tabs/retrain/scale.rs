//! A y axis whose ticks are round figures on whole rows, all the same distance apart.

use crate::ui::text::width;

/// Steps on an axis: fewer tell nothing, more are clutter.
const STEPS: std::ops::RangeInclusive<u16> = 2..=8;
/// What a step may begin with.
const ROUND: [f64; 3] = [1.0, 2.0, 5.0];

/// Which value stands on which row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    /// Rows of cells.
    rows: u16,
    /// Value on the lowest tick.
    base: f64,
    /// Row of the lowest tick, from the top.
    base_row: u16,
    /// Value between two ticks.
    step: f64,
    /// Rows between two ticks.
    stride: u16,
}

impl Scale {
    /// The tightest scale of `rows` rows that shows all of `low..=high`.
    pub(super) fn of((low, high): (f64, f64), rows: u16) -> Self {
        let rows = rows.max(3);
        let span = (high - low).max(1e-9);
        let coarse = 10f64.powf(span.log10().floor());
        let steps =
            (-2..=1).flat_map(|power| ROUND.map(|digit| digit * coarse * 10f64.powi(power)));
        let all: Vec<f64> = steps.collect();
        let candidates = (1..rows)
            .filter(|stride| STEPS.contains(&((rows - 1) / stride)))
            .flat_map(|stride| all.iter().map(move |step| (stride, *step)));
        let fitting = candidates.filter_map(|(stride, step)| {
            let base = (low / step + 1e-9).floor() * step;
            let scale = Self {
                rows,
                base,
                base_row: rows - 1,
                step,
                stride,
            };
            (scale.top() >= high).then_some(scale)
        });
        let tightest = fitting.min_by(|a, b| (a.top() - a.base).total_cmp(&(b.top() - b.base)));
        tightest.unwrap_or(Self {
            rows,
            base: low,
            base_row: rows - 1,
            step: span,
            stride: rows - 1,
        })
    }

    /// Value on the middle of the top row.
    fn top(&self) -> f64 {
        self.base + self.step * f64::from(self.base_row) / f64::from(self.stride)
    }

    /// Row and text of every tick.
    pub(super) fn ticks(&self) -> Vec<(u16, String)> {
        (0..=self.base_row / self.stride)
            .map(|tick| {
                let value = self.base + f64::from(tick) * self.step;
                (self.base_row - tick * self.stride, self.number(value))
            })
            .collect()
    }

    fn number(&self, value: f64) -> String {
        let decimals = (-self.step.log10().floor()).max(0.0) as usize;
        // No minus before a zero.
        let value = if value.abs() < self.step / 1e6 {
            0.0
        } else {
            value
        };
        format!("{value:.decimals$}")
    }

    /// Cells that the widest tick and the axis take.
    pub(super) fn gutter(&self) -> u16 {
        let ticks = self.ticks();
        let widest = ticks.iter().map(|(_, text)| width(text)).max();
        widest.unwrap_or(0) as u16 + 1
    }

    /// Row of dots (four a cell) at a value, `None` outside.
    pub(super) fn dot_row(&self, value: f64) -> Option<u16> {
        let row = self.dot(value).round();
        (row >= 0.0 && row <= f64::from(self.rows * 4 - 1)).then_some(row as u16)
    }

    /// Rows of dots of a stroke between two values, cut at the edges; `None` when all of it is outside.
    pub(super) fn dot_rows(&self, from: f64, to: f64) -> Option<(u16, u16)> {
        let last = f64::from(self.rows * 4 - 1);
        let (a, b) = (self.dot(from).round(), self.dot(to).round());
        let outside = (a < 0.0 && b < 0.0) || (a > last && b > last);
        (!outside && a.is_finite() && b.is_finite())
            .then(|| (a.clamp(0.0, last) as u16, b.clamp(0.0, last) as u16))
    }

    /// A tick stands in the middle of its cell, between the second and the third of four dots.
    fn dot(&self, value: f64) -> f64 {
        let rows = (value - self.base) / self.step * f64::from(self.stride);
        (f64::from(self.base_row) - rows) * 4.0 + 1.5
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn texts(range: (f64, f64), rows: u16) -> Vec<String> {
        let ticks = Scale::of(range, rows).ticks();
        ticks.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            texts((0.16, 0.41), 19),
            ["0.15", "0.20", "0.25", "0.30", "0.35", "0.40", "0.45"]
        );
        assert_eq!(texts((-4.0, 4.0), 17).first().unwrap(), "-4");
        assert!(texts((-4.0, 4.0), 17).contains(&"0".to_owned()));
    }

    proptest! {
        #[test]
        fn ticks_are_evenly_spaced_and_everything_is_inside(
            low in -100.0f64..100.0, span in 0.001f64..1000.0, rows in 3u16..60
        ) {
            let scale = Scale::of((low, low + span), rows);
            let ticks = scale.ticks();
            let gaps: Vec<u16> = ticks.windows(2).map(|pair| pair[0].0 - pair[1].0).collect();
            prop_assert!(gaps.windows(2).all(|pair| pair[0] == pair[1]), "{ticks:?}");
            prop_assert!(scale.dot_row(low).is_some() && scale.dot_row(low + span).is_some(), "{scale:?}");
            for (row, text) in &ticks {
                let value: f64 = text.parse().unwrap();
                let dot = scale.dot_row(value).unwrap();
                prop_assert_eq!(dot / 4, *row, "{} {:?}", text, ticks);
            }
        }
    }
}
