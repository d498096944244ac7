//! The local champion's score taken apart: from the mean prediction each feature leads a step up or down to the score.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::charts::{Charts, nothing, title};
use super::form::Form;
use crate::champion::Local;
use crate::tabs::Look;
use crate::train::shap::Explanation;
use crate::ui::panel::panel;
use crate::ui::text::{fit, truncate, width};

/// From this width on the values are printed too.
const ROOMY: u16 = 48;

/// Cells of a value.
const VALUE: usize = 9;

/// One step of the way from the mean to the score.
struct Step {
    /// The feature's label, or what the step is.
    name: String,
    /// The feature's value.
    value: String,
    /// Before the step.
    from: f64,
    /// After it.
    to: f64,
}

/// Draws the way from the mean to the score.
pub fn render(
    charts: &Charts,
    local: Result<&Local, &String>,
    form: &Form,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let Some((explanation, local)) = charts.explanation.as_ref().zip(local.ok()) else {
        return nothing(" Explanation ", local, true, area, buf, look);
    };
    let local = format!("local {}", local.version);
    let shap = format!("TreeSHAP, {local}");
    let variants: [&[&str]; 4] = [
        &["Explanation", "what each feature adds to the mean", &shap],
        &["Explanation", &shap],
        &["Explanation", &local],
        &["Explanation"],
    ];
    let inner = panel(title(&variants, true, area, look), true, area, buf, look);
    let room = usize::from(inner.height.saturating_sub(2)).max(1);
    let steps = steps(explanation, form, room, look);
    let score = explanation.score();
    let lows = steps.iter().map(|step| step.from.min(step.to));
    let highs = steps.iter().map(|step| step.from.max(step.to));
    let low = lows.fold(explanation.base, f64::min);
    let high = highs.fold(explanation.base, f64::max);
    let columns = Columns::of(inner, low, high, look);
    let mut lines = vec![columns.end("mean prediction", explanation.base, look)];
    lines.extend(steps.iter().map(|step| columns.step(step, look)));
    lines.push(columns.end("score", score, look));
    // An empty line between the steps where there is room for it.
    let apart = 1 + usize::from(usize::from(inner.height) >= 2 * lines.len());
    for (line, y) in (lines.into_iter()).zip((inner.y..inner.bottom()).step_by(apart)) {
        let rect = Rect {
            y,
            height: 1,
            ..inner
        };
        line.render(rect, buf);
    }
}

/// The features by the size of their step, at most `room` steps: the smallest are taken together.
fn steps(explanation: &Explanation, form: &Form, room: usize, look: &Look) -> Vec<Step> {
    let features = &look.env.schema.features;
    let ranked = explanation.ranked();
    let alone = if ranked.len() > room {
        room - 1
    } else {
        ranked.len()
    };
    let mut at = explanation.base;
    let mut step = |name: String, value: String, part: f64| {
        let from = at;
        at += part;
        Step {
            name,
            value,
            from,
            to: at,
        }
    };
    let mut steps: Vec<Step> = (ranked[..alone].iter())
        .map(|&(field, part)| {
            let feature = &features[field];
            let text = &form.fields[field];
            let value = (text.trim().parse()).map_or_else(
                |_| {
                    feature
                        .default
                        .map_or_else(String::new, |value| feature.display(value))
                },
                |value| feature.display(value),
            );
            step(feature.label.clone(), value, part)
        })
        .collect();
    let rest = &ranked[alone..];
    if !rest.is_empty() {
        let sum = rest.iter().map(|(_, part)| part).sum();
        steps.push(step(format!("{} others", rest.len()), String::new(), sum));
    }
    steps
}

/// Where the parts of a line are, and which scores the bars lie between.
struct Columns {
    label: usize,
    value: usize,
    room: usize,
    low: f64,
    high: f64,
}

impl Columns {
    fn of(inner: Rect, low: f64, high: f64, look: &Look) -> Self {
        let labels = look.env.schema.features.iter();
        let label = labels.map(|feature| width(&feature.label)).max();
        let value = if inner.width >= ROOMY { VALUE } else { 0 };
        let label = label.unwrap_or(0);
        Self {
            label,
            value,
            // The step's figure and the spaces around it.
            room: usize::from(inner.width)
                .saturating_sub(label + value + 8)
                .max(1),
            low,
            high,
        }
    }

    fn cell(&self, score: f64) -> usize {
        let share = (score - self.low) / (self.high - self.low).max(1e-9);
        (share * (self.room - 1) as f64).round() as usize
    }

    fn step<'a>(&self, step: &Step, look: &Look) -> Line<'a> {
        let part = step.to - step.from;
        let style = if part < 0.0 {
            look.theme.warn
        } else {
            look.theme.accent
        };
        let (a, b) = (self.cell(step.from), self.cell(step.to));
        let (from, to) = (a.min(b), a.max(b));
        let cut = truncate(
            &step.value,
            self.value.saturating_sub(1),
            look.glyphs.ellipsis,
        );
        let pad = self.value.saturating_sub(width(&cut));
        Line::from(vec![
            Span::styled(
                fit(&step.name, self.label, look.glyphs.ellipsis),
                look.theme.text,
            ),
            Span::styled(format!("{}{cut}", " ".repeat(pad)), look.theme.muted),
            Span::styled(format!(" {part:>+6.3} "), style),
            Span::raw(" ".repeat(from)),
            Span::styled(look.glyphs.full.repeat(to - from + 1), style),
        ])
    }

    /// The mean that the way begins at, or the score that it ends at.
    fn end<'a>(&self, name: &str, score: f64, look: &Look) -> Line<'a> {
        let before = self.label + self.value;
        Line::from(vec![
            Span::styled(fit(name, before, look.glyphs.ellipsis), look.theme.title),
            Span::styled(format!(" {score:>6.3} "), look.theme.title),
            Span::raw(" ".repeat(self.cell(score))),
            Span::styled(look.glyphs.here, look.theme.title),
        ])
    }
}
