//! Times in the Logs tab: how they are shown, and how a jump is written.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, civil};

use crate::domain::timestamp;

/// How times are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    /// `14:03:22.470`, UTC, as CloudWatch has it.
    #[default]
    Utc,
    /// `16:03:22.470`, this machine's zone.
    Local,
    /// `10-08 14:03:22`, UTC.
    Date,
    /// How long before now: `-12.3 s`.
    Relative,
}

impl Clock {
    /// The next one.
    pub const fn next(self) -> Self {
        match self {
            Self::Utc => Self::Local,
            Self::Local => Self::Date,
            Self::Date => Self::Relative,
            Self::Relative => Self::Utc,
        }
    }

    /// Its name on screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utc => "UTC",
            Self::Local => "local",
            Self::Date => "date, UTC",
            Self::Relative => "ago",
        }
    }

    /// Cells that a time takes.
    pub const fn width(self) -> usize {
        match self {
            Self::Utc | Self::Local => 12,
            Self::Date => 14,
            Self::Relative => 9,
        }
    }

    /// Prints a time in milliseconds since the epoch; blank when unknown.
    pub fn print(self, millis: i64, now: Timestamp) -> String {
        let Some(time) = (millis != 0)
            .then(|| Timestamp::from_millisecond(millis).ok())
            .flatten()
        else {
            return String::new();
        };
        match self {
            Self::Utc => time
                .to_zoned_datetime(TimeZone::UTC)
                .strftime("%H:%M:%S%.3f")
                .to_string(),
            Self::Local => time
                .to_zoned_datetime(TimeZone::system())
                .strftime("%H:%M:%S%.3f")
                .to_string(),
            Self::Date => time
                .to_zoned_datetime(TimeZone::UTC)
                .strftime("%m-%d %H:%M:%S")
                .to_string(),
            Self::Relative => ago(now.as_millisecond() - millis),
        }
    }

    /// Hours and minutes only.
    pub fn short(self, millis: i64) -> String {
        let zone = if self == Self::Local {
            TimeZone::system()
        } else {
            TimeZone::UTC
        };
        Timestamp::from_millisecond(millis).map_or_else(
            |_| String::new(),
            |time| time.to_zoned_datetime(zone).strftime("%H:%M").to_string(),
        )
    }

    fn zone(self) -> TimeZone {
        if self == Self::Local {
            TimeZone::system()
        } else {
            TimeZone::UTC
        }
    }
}

fn ago(millis: i64) -> String {
    let seconds = millis as f64 / 1000.0;
    match seconds {
        s if s < 100.0 => format!("{:+.1} s", -s),
        s if s < 6000.0 => format!("{:+.1} min", -s / 60.0),
        s if s < 360_000.0 => format!("{:+.1} h", -s / 3600.0),
        s => format!("{:+.1} d", -s / 86_400.0),
    }
}

/// Reads where to jump: `14:03`, `14:03:22` (the last such time before `now`, in the clock's zone), `-15m`, `-2h`, or a
/// full RFC 3339 time. Milliseconds since the epoch.
pub fn parse_jump(text: &str, clock: Clock, now: Timestamp) -> Result<i64, String> {
    let text = text.trim();
    if let Some(back) = text.strip_prefix('-') {
        let back = timestamp::distance(back).ok_or_else(|| hint(text))?;
        return Ok(now.as_millisecond().saturating_sub(back));
    }
    if let Some(millis) = timestamp::parse(text.as_bytes()) {
        return Ok(millis);
    }
    let wanted: civil::Time = text.parse().map_err(|_| hint(text))?;
    let here = now.to_zoned_datetime(clock.zone());
    let today = here
        .date()
        .to_datetime(wanted)
        .to_zoned_datetime(clock.zone())
        .map_err(|error| error.to_string())?;
    let jump = if today > here {
        today
            .checked_sub(1.day())
            .map_err(|error| error.to_string())?
    } else {
        today
    };
    Ok(jump.timestamp().as_millisecond())
}

fn hint(text: &str) -> String {
    format!("`{text}` is no time: write 14:03, 14:03:22, -15m, -2h or 2026-10-08T14:03:00Z")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn jumps_are_read_as_people_write_them() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let at = |text: &str| parse_jump(text, Clock::Utc, now).map(timestamp::format);
        assert_eq!(at("11:03").unwrap(), "2026-11-23T11:03:00.000Z");
        assert_eq!(
            at("14:03:22").unwrap(),
            "2026-11-22T14:03:22.000Z",
            "not in the future"
        );
        assert_eq!(at("-15m").unwrap(), "2026-11-23T11:45:00.000Z");
        assert_eq!(
            at("2026-10-08T14:03:00Z").unwrap(),
            "2026-10-08T14:03:00.000Z"
        );
        assert!(at("soon").unwrap_err().contains("is no time"));
        assert!(at("-xm").is_err() && at("").is_err() && at("-é").is_err());
    }

    #[test]
    fn every_clock_fits_its_column() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        for clock in [Clock::Utc, Clock::Local, Clock::Date, Clock::Relative] {
            for before in [0_i64, 12_345, 5_000_000, 90_000_000, 9_000_000_000] {
                let text = clock.print(now.as_millisecond() - before, now);
                assert!(text.len() <= clock.width(), "{text}");
            }
        }
        assert_eq!(Clock::Utc.print(0, now), "");
        assert_eq!(
            Clock::Relative.print(now.as_millisecond() - 12_345, now),
            "-12.3 s"
        );
    }
}
