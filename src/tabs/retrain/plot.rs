//! Curves and clouds in braille dots (or ASCII), with axes: as pure as a picture.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::tabs::Look;
use crate::ui::text::{truncate, width};

/// Points in one style.
#[derive(Debug, Clone)]
pub struct Series {
    /// x and y.
    pub points: Vec<(f64, f64)>,
    /// Their style.
    pub style: Style,
    /// Joined to a line (points ascending in x) or left as a cloud.
    pub joined: bool,
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
    /// Range of y.
    pub y: (f64, f64),
    /// Drawn in order, later ones on top.
    pub series: Vec<Series>,
    /// Drawn below the series.
    pub levels: Vec<Level>,
    /// What x is.
    pub x_label: String,
    /// Decimals on the y axis.
    pub decimals: usize,
}

/// Dots of a braille cell by column and row.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

impl Plot {
    /// Draws the picture.
    pub fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) {
        let gutter = self.gutter();
        if area.height < 4 || area.width < gutter + 8 {
            return;
        }
        let canvas = Rect {
            x: area.x + gutter,
            width: area.width - gutter,
            height: area.height - 1,
            ..area
        };
        self.axes(area, canvas, buf, look);
        for level in &self.levels {
            self.level(level, canvas, buf, look);
        }
        for series in &self.series {
            self.draw(series, canvas, buf, look);
        }
    }

    fn number(&self, value: f64) -> String {
        format!("{value:.*}", self.decimals)
    }

    fn gutter(&self) -> u16 {
        (width(&self.number(self.y.0)).max(width(&self.number(self.y.1))) + 1) as u16
    }

    fn axes(&self, area: Rect, canvas: Rect, buf: &mut Buffer, look: &Look) {
        let theme = look.theme;
        let (rise, corner, floor) = if look.glyphs.ascii {
            ("|", "+", "-")
        } else {
            ("│", "└", "─")
        };
        let ticks = (canvas.height / 4).clamp(1, 6);
        for y in canvas.top()..canvas.bottom() {
            buf.set_string(canvas.x - 1, y, rise, theme.border);
        }
        for tick in 0..=ticks {
            let row = (u32::from(canvas.height - 1) * u32::from(tick) / u32::from(ticks)) as u16;
            let share = f64::from(row) / f64::from(canvas.height - 1);
            let text = self.number(self.y.1 - share * (self.y.1 - self.y.0));
            let x = (canvas.x - 1).saturating_sub(width(&text) as u16);
            buf.set_string(x, canvas.y + row, text, theme.muted);
        }
        let bottom = canvas.bottom();
        buf.set_string(canvas.x - 1, bottom, corner, theme.border);
        for x in canvas.left()..canvas.right() {
            buf.set_string(x, bottom, floor, theme.border);
        }
        let left = format!("{:.0}", self.x.0);
        let right = format!("{} {:.0}", self.x_label, self.x.1);
        let right = truncate(&right, usize::from(canvas.width), look.glyphs.ellipsis);
        buf.set_string(canvas.x, bottom, &left, theme.muted);
        buf.set_string(
            area.right() - width(&right) as u16,
            bottom,
            right,
            theme.muted,
        );
    }

    /// Row of the canvas at a height in dots, `None` outside.
    fn dot_row(&self, y: f64, canvas: Rect) -> Option<u16> {
        let dots = f64::from(canvas.height * 4 - 1);
        let row = ((self.y.1 - y) / (self.y.1 - self.y.0) * dots).round();
        (row >= 0.0 && row <= dots).then_some(row as u16)
    }

    fn level(&self, level: &Level, canvas: Rect, buf: &mut Buffer, look: &Look) {
        let Some(row) = self.dot_row(level.y, canvas) else {
            return;
        };
        let glyph = if look.glyphs.ascii {
            level.glyph.1
        } else {
            level.glyph.0
        };
        for x in canvas.left()..canvas.right() {
            buf.set_string(x, canvas.y + row / 4, glyph, level.style);
        }
    }

    fn draw(&self, series: &Series, canvas: Rect, buf: &mut Buffer, look: &Look) {
        let columns = f64::from(canvas.width * 2 - 1);
        let span = (self.x.1 - self.x.0).max(f64::EPSILON);
        let place = |&(x, y): &(f64, f64)| {
            let column = ((x - self.x.0) / span * columns).round();
            (column >= 0.0 && column <= columns).then_some((column as u16, y))
        };
        let mut last: Option<(u16, f64)> = None;
        for (column, y) in series.points.iter().filter_map(place) {
            match last.filter(|_| series.joined) {
                None => self.dot(column, y, series.style, canvas, buf, look),
                Some((from, before)) => {
                    let steps = column.saturating_sub(from).max(1);
                    for step in 1..=steps {
                        let share = f64::from(step) / f64::from(steps);
                        let (high, low) = (
                            before + (y - before) * (share - 1.0 / f64::from(steps)),
                            before + (y - before) * share,
                        );
                        self.riser(
                            column - (steps - step),
                            (high, low),
                            series.style,
                            canvas,
                            buf,
                            look,
                        );
                    }
                }
            }
            last = Some((column, y));
        }
    }

    /// A vertical stroke in one column of dots, so that steep curves stay joined.
    fn riser(
        &self,
        column: u16,
        (from, to): (f64, f64),
        style: Style,
        canvas: Rect,
        buf: &mut Buffer,
        look: &Look,
    ) {
        let clamp = |y: f64| y.clamp(self.y.0, self.y.1);
        let (Some(a), Some(b)) = (
            self.dot_row(clamp(from), canvas),
            self.dot_row(clamp(to), canvas),
        ) else {
            return;
        };
        if (from < self.y.0 && to < self.y.0) || (from > self.y.1 && to > self.y.1) {
            return;
        }
        let (top, bottom) = (a.min(b), a.max(b));
        // The stroke ends where the next column begins; only a jump of more than a dot needs filling.
        let range = if bottom - top <= 1 {
            b..=b
        } else {
            top..=bottom
        };
        for row in range {
            dot((column, row), style, canvas, buf, look);
        }
    }

    fn dot(&self, column: u16, y: f64, style: Style, canvas: Rect, buf: &mut Buffer, look: &Look) {
        if let Some(row) = self.dot_row(y, canvas) {
            dot((column, row), style, canvas, buf, look);
        }
    }
}

fn dot((column, row): (u16, u16), style: Style, canvas: Rect, buf: &mut Buffer, look: &Look) {
    let at = Position::new(canvas.x + column / 2, canvas.y + row / 4);
    let Some(cell) = buf.cell_mut(at) else { return };
    if look.glyphs.ascii {
        cell.set_symbol(["'", "-", ".", "_"][usize::from(row % 4)])
            .set_style(style);
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
        .set_style(style);
}
