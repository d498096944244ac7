//! The tornado: for each feature the range of scores that it alone can cause, the form's own score across them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::charts::{Charts, nothing, title};
use crate::champion::Local;
use crate::domain::what_if::Reach;
use crate::tabs::Look;
use crate::ui::gauge::band_style;
use crate::ui::panel::panel;
use crate::ui::text::{fit, width};

/// From this width on both ends of a range are printed, below only its size.
const ROOMY: u16 = 48;

/// Draws one bar per feature, the widest first.
pub fn render(
    charts: &Charts,
    local: Result<&Local, &String>,
    selected: usize,
    opened: bool,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let Some(sweep) = &charts.sweep else {
        return nothing(" Tornado ", local, opened, area, buf, look);
    };
    let version = local.map_or("", |local| local.version.as_str());
    let local = format!("local {version}");
    let variants: [&[&str]; 4] = [
        &["Tornado", "range of the score by feature", &local],
        &["Tornado", &local],
        &["Tornado", version],
        &["Tornado"],
    ];
    let title = title(&variants, opened, area, look);
    let inner = panel(title, opened, area, buf, look);
    let scale = Scale::of(charts, sweep.here.1, inner, look);
    let n = charts.tornado.len() as u16;
    // An empty line between the bars where there is room for it.
    let step = if inner.height > 2 * n { 2 } else { 1 };
    for (reach, y) in (charts.tornado.iter()).zip((inner.y..inner.bottom()).step_by(step)) {
        let rect = Rect {
            y,
            height: 1,
            ..inner
        };
        scale
            .bar(reach, reach.field == selected, look)
            .render(rect, buf);
    }
    let below = inner.y + n * step as u16;
    if below < inner.bottom() {
        let rect = Rect {
            y: below,
            height: 1,
            ..inner
        };
        scale.foot(look).render(rect, buf);
    }
}

/// Where scores lie between the lowest and the highest.
struct Scale {
    low: f64,
    high: f64,
    here: f64,
    label: usize,
    room: usize,
    roomy: bool,
}

impl Scale {
    fn of(charts: &Charts, here: f64, inner: Rect, look: &Look) -> Self {
        let ends = (charts.tornado.iter()).flat_map(|reach| [reach.low, reach.high]);
        let (low, high) = ends.fold((here, here), |(low, high), score| {
            (low.min(score), high.max(score))
        });
        let labels = look.env.schema.features.iter();
        let label = labels.map(|feature| width(&feature.label)).max();
        let roomy = inner.width >= ROOMY;
        let figures = if roomy { 14 } else { 6 };
        let label = label.unwrap_or(0);
        Self {
            low,
            high,
            here,
            label,
            room: usize::from(inner.width)
                .saturating_sub(label + figures)
                .max(1),
            roomy,
        }
    }

    fn cell(&self, score: f64) -> usize {
        let share = (score - self.low) / (self.high - self.low).max(1e-9);
        (share * (self.room - 1) as f64).round() as usize
    }

    fn score(&self, cell: usize) -> f64 {
        self.low + (self.high - self.low) * cell as f64 / (self.room - 1).max(1) as f64
    }

    fn bar<'a>(&self, reach: &Reach, selected: bool, look: &Look) -> Line<'a> {
        let (theme, schema) = (look.theme, &look.env.schema);
        let style = if selected { theme.accent } else { theme.text };
        let label = &schema.features[reach.field].label;
        let mut spans = vec![Span::styled(
            fit(label, self.label, look.glyphs.ellipsis),
            style,
        )];
        spans.push(Span::styled(
            if self.roomy {
                format!(" {:>5.2} ", reach.low)
            } else {
                " ".to_owned()
            },
            theme.muted,
        ));
        let (from, to, here) = (
            self.cell(reach.low),
            self.cell(reach.high),
            self.cell(self.here),
        );
        spans.extend((0..self.room).map(|cell| {
            if cell == here {
                Span::styled(look.glyphs.here, theme.title)
            } else if (from..=to).contains(&cell) {
                Span::styled(look.glyphs.full, band_style(schema, self.score(cell), look))
            } else {
                Span::raw(" ")
            }
        }));
        let figure = if self.roomy {
            format!(" {:>5.2}", reach.high)
        } else {
            format!(" {:.2}", reach.high - reach.low)
        };
        spans.push(Span::styled(figure, theme.muted));
        Line::from(spans)
    }

    /// The form's own score under its mark.
    fn foot<'a>(&self, look: &Look) -> Line<'a> {
        let before = self.label + if self.roomy { 7 } else { 1 };
        let text = format!("now {:.3}", self.here);
        let cells = width(&text);
        let start = (before + self.cell(self.here))
            .saturating_sub(cells / 2)
            .min((before + self.room).saturating_sub(cells));
        Line::from(vec![
            Span::raw(" ".repeat(start)),
            Span::styled(text, look.theme.title),
        ])
    }
}
