//! Log timestamps: RFC 3339 text to and from milliseconds since the epoch, fast enough for a million lines; and distances in time.

/// Milliseconds of each unit.
const UNITS: [(&str, i64); 6] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 7 * 86_400_000),
];

/// Reads `2026-10-08T07:30:29.470Z`, `2026-10-08 07:30:29,470` (Python's logging) or an offset form (`+00:00`, `-0500`) at the
/// start of `text`: the time in milliseconds (finer digits are cut) and how many bytes it took. No zone means UTC.
pub fn parse_prefix(text: &[u8]) -> Option<(i64, usize)> {
    let number = |from: usize, len: usize| -> Option<i64> {
        text.get(from..from + len)?
            .iter()
            .try_fold(0, |value, byte| {
                byte.is_ascii_digit()
                    .then(|| value * 10 + i64::from(byte - b'0'))
            })
    };
    let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    if text.len() < 19
        || separators.iter().any(|&(at, byte)| text[at] != byte)
        || !matches!(text[10], b'T' | b't' | b' ')
    {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    if !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    let mut at = 19;
    let mut millis = 0;
    if matches!(text.get(at), Some(b'.' | b',')) && text.get(at + 1).is_some_and(u8::is_ascii_digit)
    {
        at += 1;
        let mut unit = 100;
        while let Some(digit) = text.get(at).filter(|b| b.is_ascii_digit()) {
            millis += unit * i64::from(digit - b'0');
            unit /= 10;
            at += 1;
        }
    }
    let (offset_minutes, zone_len) = parse_zone(&text[at..]);
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
        - offset_minutes * 60;
    Some((seconds * 1000 + millis, at + zone_len))
}

/// Reads a text that is one timestamp and nothing else.
pub fn parse(text: &[u8]) -> Option<i64> {
    let (millis, len) = parse_prefix(text)?;
    (len == text.len()).then_some(millis)
}

/// Minutes east of UTC and bytes used, (0, 0) where no zone is written.
fn parse_zone(text: &[u8]) -> (i64, usize) {
    let two = |at: usize| -> Option<i64> {
        let (a, b) = (text.get(at)?, text.get(at + 1)?);
        (a.is_ascii_digit() && b.is_ascii_digit()).then(|| i64::from((a - b'0') * 10 + (b - b'0')))
    };
    let sign = match text.first() {
        Some(b'Z' | b'z') => return (0, 1),
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return (0, 0),
    };
    let colon = usize::from(text.get(3) == Some(&b':'));
    match (two(1), two(3 + colon)) {
        (Some(hours), Some(minutes)) => (sign * (hours * 60 + minutes), 5 + colon),
        _ => (0, 0),
    }
}

/// Days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Writes milliseconds since the epoch as `2026-10-08T07:30:29.470Z`; a time beyond the calendar prints as the plain number.
pub fn format(millis: i64) -> String {
    match jiff::Timestamp::from_millisecond(millis) {
        Ok(time) => format!("{time:.3}"),
        Err(_) => millis.to_string(),
    }
}

/// Milliseconds of one or more numbers with units: `90s`, `1h30m`, `2d`; `None` for anything else.
pub fn distance(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut sum = 0_i64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let count: i64 = rest.get(..digits)?.parse().ok()?;
        let letters = rest[digits..]
            .bytes()
            .take_while(u8::is_ascii_alphabetic)
            .count();
        let unit = &rest[digits..digits + letters];
        let (_, size) = UNITS.iter().find(|(name, _)| *name == unit)?;
        sum = sum.checked_add(count.checked_mul(*size)?)?;
        rest = &rest[digits + letters..];
    }
    (!text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_every_form_loggers_write() {
        // `date -u -d 2026-10-08T07:30:29.470Z +%s%3N`
        let want = 1_791_444_629_470;
        for text in [
            "2026-10-08T07:30:29.470Z",
            "2026-10-08T07:30:29.470123456Z",
            "2026-10-08 07:30:29,470",
            "2026-10-08T09:30:29.470+02:00",
            "2026-10-08T02:30:29.470-0500",
        ] {
            assert_eq!(parse(text.as_bytes()), Some(want), "{text}");
        }
        assert_eq!(
            parse_prefix(b"2026-10-08T07:30:29.470Z\tabc"),
            Some((want, 24))
        );
        for text in [
            "2026-13-08T07:30:29Z",
            "2026-10-08",
            "",
            "2026-10-08T07:30:2xZ",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn prints_and_parses_back(millis in -62_135_596_800_000_i64..253_402_300_799_999) {
            prop_assert_eq!(parse(format(millis).as_bytes()), Some(millis));
        }

        #[test]
        fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = parse_prefix(&bytes);
        }
    }
}
