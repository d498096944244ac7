//! A screen as an SVG picture: what the README shows is what a test drew.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anstyle_svg::{Term, WIN10_CONSOLE};
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

/// Compares a screen with its picture in `assets/screens`; with `UPDATE_PICTURES=1` it writes the picture instead.
pub fn assert_picture(name: &str, buffer: &Buffer) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("assets/screens/{name}.svg"));
    let svg = Term::new().palette(WIN10_CONSOLE).render_svg(&ansi(buffer));
    if std::env::var_os("UPDATE_PICTURES").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, svg).unwrap();
        return;
    }
    let drawn = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        drawn == svg,
        "{} is out of date: run the tests once with UPDATE_PICTURES=1 and look at it",
        path.display()
    );
}

/// The buffer as text with SGR escapes.
fn ansi(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut style = Style::new();
        for x in buffer.area.left()..buffer.area.right() {
            let cell = &buffer[(x, y)];
            if cell.style() != style {
                style = cell.style();
                let _ = write!(out, "\x1b[0{}m", sgr(style));
            }
            out.push_str(cell.symbol());
        }
        out.push_str("\x1b[0m\n");
    }
    out
}

fn sgr(style: Style) -> String {
    let mut codes = String::new();
    for (modifier, code) in [
        (Modifier::BOLD, 1),
        (Modifier::DIM, 2),
        (Modifier::ITALIC, 3),
        (Modifier::UNDERLINED, 4),
        (Modifier::REVERSED, 7),
    ] {
        if style.add_modifier.contains(modifier) {
            let _ = write!(codes, ";{code}");
        }
    }
    let foreground = style
        .fg
        .and_then(ansi_index)
        .map(|index| format!(";38;5;{index}"));
    let background = style
        .bg
        .and_then(ansi_index)
        .map(|index| format!(";48;5;{index}"));
    codes + &foreground.unwrap_or_default() + &background.unwrap_or_default()
}

fn ansi_index(colour: Color) -> Option<u8> {
    Some(match colour {
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        Color::Indexed(index) => index,
        _ => return None,
    })
}
