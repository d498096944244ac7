//! Curves and clouds in braille dots (or ASCII), with axes: as pure as a picture.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::scale::Scale;
use crate::tabs::Look;
use crate::ui::text::{truncate, width};

/// Points in one style.
#[derive(Debug, Clone)]
pub struct Series {
    /// x and y.
    pub points: Vec<(f64, f64)>,
    /// Their style.
    pub style: Style,
    /// How they are drawn.
    pub stroke: Stroke,
}

/// How points become dots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// Joined (points ascending in x).
    Solid,
    /// Joined with gaps, so that it is told from a solid one without colour.
    Dashed,
    /// Left as they are.
    Cloud,
}

/// A horizontal line.
#[derive(Debug, Clone)]
pub struct Level {
    /// Where.
    pub y: f64,
    /// What it is made of, UTF-8 and ASCII.
    pub glyph: (&'static str, &'static str),
    /// Its style.
    pub style: Style,
}

/// A picture of series and levels over two axes.
#[derive(Debug, Clone)]
pub struct Plot {
    /// Range of x.
    pub x: (f64, f64),
    /// Least range of y; it is widened to round figures.
    pub y: (f64, f64),
    /// Drawn in order, later ones on top.
    pub series: Vec<Series>,
    /// Drawn below the series.
    pub levels: Vec<Level>,
    /// What x is.
    pub x_label: String,
}

/// Dots of a braille cell by column and row.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

impl Plot {
    /// Draws the picture.
    pub fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) {
        if area.height < 4 {
            return;
        }
        let scale = Scale::of(self.y, area.height - 1);
        let gutter = scale.gutter();
        if area.width < gutter + 8 {
            return;
        }
        let canvas = Rect {
            x: area.x + gutter,
            width: area.width - gutter,
            height: area.height - 1,
            ..area
        };
        self.axes(&scale, area, canvas, buf, look);
        let brush = Brush {
            x: self.x,
            scale,
            canvas,
            ascii: look.glyphs.ascii,
        };
        for level in &self.levels {
            brush.level(level, buf);
        }
        for series in &self.series {
            brush.series(series, buf);
        }
    }

    fn axes(&self, scale: &Scale, area: Rect, canvas: Rect, buf: &mut Buffer, look: &Look) {
        let theme = look.theme;
        for y in canvas.top()..canvas.bottom() {
            buf.set_string(canvas.x - 1, y, "│", theme.border);
        }
        for (row, text) in scale.ticks() {
            let x = (canvas.x - 1).saturating_sub(width(&text) as u16);
            buf.set_string(x, canvas.y + row, text, theme.muted);
        }
        let bottom = canvas.bottom();
        buf.set_string(canvas.x - 1, bottom, "└", theme.border);
        for x in canvas.left()..canvas.right() {
            buf.set_string(x, bottom, "─", theme.border);
        }
        let left = format!("{:.0}", self.x.0);
        let right = format!("{} {:.0}", self.x_label, self.x.1);
        let room = usize::from(canvas.width).saturating_sub(left.len() + 1);
        let right = truncate(&right, room, look.glyphs.ellipsis);
        buf.set_string(canvas.x, bottom, &left, theme.muted);
        buf.set_string(
            area.right() - width(&right) as u16,
            bottom,
            right,
            theme.muted,
        );
    }
}

/// Where points go, and with what they are drawn.
struct Brush {
    x: (f64, f64),
    scale: Scale,
    canvas: Rect,
    ascii: bool,
}

impl Brush {
    fn level(&self, level: &Level, buf: &mut Buffer) {
        let Some(row) = self.scale.dot_row(level.y) else {
            return;
        };
        let glyph = if self.ascii {
            level.glyph.1
        } else {
            level.glyph.0
        };
        for x in self.canvas.left()..self.canvas.right() {
            buf.set_string(x, self.canvas.y + row / 4, glyph, level.style);
        }
    }

    fn series(&self, series: &Series, buf: &mut Buffer) {
        let columns = f64::from(self.canvas.width * 2 - 1);
        let span = (self.x.1 - self.x.0).max(f64::EPSILON);
        let place = |&(x, y): &(f64, f64)| {
            let column = ((x - self.x.0) / span * columns).round();
            (column >= 0.0 && column <= columns).then_some((column as u16, y))
        };
        let mut last: Option<(u16, f64)> = None;
        for (column, y) in series.points.iter().filter_map(place) {
            match last.filter(|_| series.stroke != Stroke::Cloud) {
                None => {
                    if let Some(row) = self.scale.dot_row(y) {
                        self.dot((column, row), series, buf);
                    }
                }
                Some((from, before)) => {
                    let steps = column.saturating_sub(from).max(1);
                    for step in 1..=steps {
                        let share = |step: u16| f64::from(step) / f64::from(steps);
                        let high = before + (y - before) * share(step - 1);
                        let low = before + (y - before) * share(step);
                        self.riser(column - (steps - step), (high, low), series, buf);
                    }
                }
            }
            last = Some((column, y));
        }
    }

    /// A vertical stroke in one column of dots, so that steep curves stay joined.
    fn riser(&self, column: u16, (from, to): (f64, f64), series: &Series, buf: &mut Buffer) {
        let Some((a, b)) = self.scale.dot_rows(from, to) else {
            return;
        };
        let (top, bottom) = (a.min(b), a.max(b));
        // The stroke ends where the next column begins; only a jump of more than a dot needs filling.
        let range = if bottom - top <= 1 {
            b..=b
        } else {
            top..=bottom
        };
        for row in range {
            self.dot((column, row), series, buf);
        }
    }

    fn dot(&self, (column, row): (u16, u16), series: &Series, buf: &mut Buffer) {
        let dashed = series.stroke == Stroke::Dashed;
        // Two cells on, one off.
        if dashed && !self.ascii && (column / 2) % 3 == 2 {
            return;
        }
        let at = Position::new(self.canvas.x + column / 2, self.canvas.y + row / 4);
        let Some(cell) = buf.cell_mut(at) else { return };
        if self.ascii {
            cell.set_symbol(if dashed { "o" } else { "*" })
                .set_style(series.style);
            return;
        }
        let before = cell.symbol().chars().next().map_or(0, u32::from);
        let bits = if (0x2800..0x2900).contains(&before) {
            before - 0x2800
        } else {
            0
        };
        let bits = bits | u32::from(DOTS[usize::from(column % 2)][usize::from(row % 4)]);
        let mut text = [0; 4];
        let braille = char::from_u32(0x2800 + bits).unwrap_or(' ');
        cell.set_symbol(braille.encode_utf8(&mut text))
            .set_style(series.style);
    }
}
