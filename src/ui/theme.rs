//! Colours by role and glyphs by capability: the only place that knows either.

use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use serde::{Deserialize, Deserializer};

/// One style per role; panes ask for roles, never for colours.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the roles are their own description")]
pub struct Theme {
    #[serde(deserialize_with = "style")]
    pub text: Style,
    #[serde(deserialize_with = "style")]
    pub muted: Style,
    #[serde(deserialize_with = "style")]
    pub accent: Style,
    #[serde(deserialize_with = "style")]
    pub title: Style,
    #[serde(deserialize_with = "style")]
    pub good: Style,
    #[serde(deserialize_with = "style")]
    pub warn: Style,
    #[serde(deserialize_with = "style")]
    pub bad: Style,
    #[serde(deserialize_with = "style")]
    pub info: Style,
    #[serde(deserialize_with = "style")]
    pub key: Style,
    #[serde(deserialize_with = "style")]
    pub selected: Style,
    #[serde(deserialize_with = "style")]
    pub track: Style,
    #[serde(deserialize_with = "style")]
    pub border: Style,
    #[serde(deserialize_with = "style")]
    pub focus: Style,
    #[serde(deserialize_with = "style")]
    pub cold: Style,
    #[serde(deserialize_with = "style")]
    pub warm: Style,
}

/// The themes that ship.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ThemeName {
    /// For dark backgrounds.
    #[default]
    Dark,
    /// For light backgrounds.
    Light,
    /// No colour: weight, underline and reverse only.
    Mono,
}

impl ThemeName {
    /// What it is for, in a few words.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Dark => "for dark backgrounds",
            Self::Light => "for light backgrounds",
            Self::Mono => "no colour: weight, underline and reverse only",
        }
    }
}

impl Theme {
    /// A theme that ships.
    pub fn named(name: ThemeName) -> Self {
        let text = match name {
            ThemeName::Dark => include_str!("../../assets/themes/dark.toml"),
            ThemeName::Light => include_str!("../../assets/themes/light.toml"),
            ThemeName::Mono => include_str!("../../assets/themes/mono.toml"),
        };
        // The embedded files are tested; a plain theme is still better than no screen.
        toml::from_str(text).unwrap_or_else(|_| Self::plain())
    }

    fn plain() -> Self {
        let plain = Style::new();
        let (bold, reversed) = (
            plain.add_modifier(Modifier::BOLD),
            plain.add_modifier(Modifier::REVERSED),
        );
        Self {
            text: plain,
            muted: plain,
            accent: bold,
            title: bold,
            good: plain,
            warn: plain,
            bad: bold,
            info: plain,
            key: bold,
            selected: reversed,
            track: plain,
            border: plain,
            focus: bold,
            cold: plain,
            warm: plain,
        }
    }

    /// The row under the cursor, in every list: reversed, without the colours of its parts.
    pub fn cursor(&self) -> Style {
        Style::reset().patch(self.selected)
    }

    /// Good, warn, bad or muted, for a state that is one of the four.
    pub const fn tone(&self, tone: Tone) -> Style {
        match tone {
            Tone::Good => self.good,
            Tone::Warn => self.warn,
            Tone::Bad => self.bad,
            Tone::Muted => self.muted,
            Tone::Info => self.info,
            Tone::Plain => self.text,
        }
    }
}

/// How something is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Tone {
    Good,
    Warn,
    Bad,
    Muted,
    Info,
    #[default]
    Plain,
}

fn style<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Style, D::Error> {
    let words = String::deserialize(deserializer)?;
    words
        .split_whitespace()
        .try_fold(Style::new(), |style, word| match word {
            "bold" => Ok(style.add_modifier(Modifier::BOLD)),
            "dim" => Ok(style.add_modifier(Modifier::DIM)),
            "italic" => Ok(style.add_modifier(Modifier::ITALIC)),
            "underlined" => Ok(style.add_modifier(Modifier::UNDERLINED)),
            "reversed" => Ok(style.add_modifier(Modifier::REVERSED)),
            "reset" => Ok(style),
            colour => Color::from_str(colour)
                .map(|colour| style.fg(colour))
                .map_err(|_| {
                    serde::de::Error::custom(format!(
                        "`{colour}` is neither a colour nor a modifier"
                    ))
                }),
        })
}

/// Every glyph that is not plain ASCII, with its ASCII twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Glyphs {
    pub ascii: bool,
    pub rule: &'static str,
    pub full: &'static str,
    pub track: &'static str,
    pub knob: &'static str,
    pub median: &'static str,
    pub pointer: &'static str,
    pub dot: &'static str,
    pub ok: &'static str,
    pub warn: &'static str,
    pub bad: &'static str,
    pub skip: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub dirty: &'static str,
    pub ellipsis: &'static str,
    pub bullet: &'static str,
    pub cold: &'static str,
    pub here: &'static str,
    pub arrow: &'static str,
    pub plus_minus: &'static str,
    pub line: Marker,
    pub spot: Marker,
    pub bars: [&'static str; 8],
    pub spinner: &'static [&'static str],
}

impl Glyphs {
    /// For terminals that speak UTF-8.
    pub const UTF8: Self = Self {
        ascii: false,
        rule: "─",
        full: "█",
        track: "─",
        knob: "●",
        median: "┼",
        pointer: "▲",
        dot: "·",
        ok: "✓",
        warn: "!",
        bad: "✗",
        skip: "–",
        up: "▲",
        down: "▼",
        dirty: "•",
        ellipsis: "…",
        bullet: "•",
        cold: "*",
        here: "┃",
        arrow: "→",
        plus_minus: "±",
        line: Marker::Braille,
        spot: Marker::Block,
        bars: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
        spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
    };

    /// For the rest (`--ascii`, or a locale without UTF-8).
    pub const ASCII: Self = Self {
        ascii: true,
        rule: "-",
        full: "#",
        track: "-",
        knob: "O",
        median: "+",
        pointer: "^",
        dot: ".",
        ok: "v",
        warn: "!",
        bad: "x",
        skip: "-",
        up: "^",
        down: "v",
        dirty: "*",
        ellipsis: "~",
        bullet: "*",
        cold: "*",
        here: "|",
        arrow: "->",
        plus_minus: "+-",
        line: Marker::Dot,
        spot: Marker::Dot,
        bars: ["_", ".", ".", "-", "-", "=", "=", "#"],
        spinner: &["|", "/", "-", "\\"],
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_that_ships_parses() {
        for text in [
            include_str!("../../assets/themes/dark.toml"),
            include_str!("../../assets/themes/light.toml"),
            include_str!("../../assets/themes/mono.toml"),
        ] {
            toml::from_str::<Theme>(text).unwrap();
        }
    }

    #[test]
    fn mono_has_no_colour() {
        let mono = Theme::named(ThemeName::Mono);
        for style in [
            mono.text,
            mono.muted,
            mono.accent,
            mono.good,
            mono.warn,
            mono.bad,
            mono.key,
            mono.selected,
            mono.cold,
        ] {
            assert_eq!((style.fg, style.bg), (None, None));
        }
    }

    #[test]
    fn an_unknown_word_is_named() {
        let broken =
            include_str!("../../assets/themes/dark.toml").replace("\"green\"", "\"grene\"");
        let error = toml::from_str::<Theme>(&broken).unwrap_err().to_string();
        assert!(error.contains("grene"), "{error}");
    }
}
