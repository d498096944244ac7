//! A Lambda request id: the UUID that joins START, app lines, END and REPORT.

use std::fmt;
use std::str::FromStr;

/// A request id, kept as its 128 bits. Prints as the lower-case hyphenated UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u128);

/// Length of a printed request id.
pub const TEXT_LEN: usize = 36;

impl RequestId {
    /// Reads a UUID at the very start of `text`; what follows it is ignored.
    pub fn at_start(text: &[u8]) -> Option<Self> {
        let text = text.get(..TEXT_LEN)?;
        let mut bits = 0_u128;
        for (at, &byte) in text.iter().enumerate() {
            if matches!(at, 8 | 13 | 18 | 23) {
                if byte != b'-' {
                    return None;
                }
                continue;
            }
            let digit = HEX[usize::from(byte)];
            if digit > 15 {
                return None;
            }
            bits = bits << 4 | u128::from(digit);
        }
        Some(Self(bits))
    }

    /// The id in 64 bits, for counting calls once.
    pub fn folded(self) -> u64 {
        self.0 as u64 ^ (self.0 >> 64) as u64
    }

    /// Reads a text that is a UUID and nothing else.
    pub fn exact(text: &[u8]) -> Option<Self> {
        if text.len() == TEXT_LEN {
            Self::at_start(text)
        } else {
            None
        }
    }

    /// Finds the first UUID that stands alone as a word of `text`.
    pub fn find(text: &[u8]) -> Option<Self> {
        memchr::memchr_iter(b'-', text).find_map(|dash| {
            let start = dash.checked_sub(8)?;
            let id = Self::at_start(&text[start..])?;
            let free =
                |byte: Option<&u8>| byte.is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'-');
            let before = start.checked_sub(1).and_then(|at| text.get(at));
            (free(before) && free(text.get(start + TEXT_LEN))).then_some(id)
        })
    }
}

const HEX: [u8; 256] = {
    let mut table = [255; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789abcdef"[digit] as usize] = digit as u8;
        table[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    table
};

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let b = self.0;
        let part = |shift: u32, mask: u128| (b >> shift) & mask;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            part(96, 0xffff_ffff),
            part(80, 0xffff),
            part(64, 0xffff),
            part(48, 0xffff),
            part(0, 0xffff_ffff_ffff)
        )
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a request id: expected a UUID like 79b5e81f-1c2d-4e3f-8a9b-0c1d2e3f4a5b")]
pub struct NotARequestId(pub String);

impl FromStr for RequestId {
    type Err = NotARequestId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::exact(text.as_bytes()).ok_or_else(|| NotARequestId(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_an_id_only_where_it_stands_alone() {
        let id = "79b5e81f-1c2d-4e3f-8a9b-0c1d2e3f4a5b";
        let found = RequestId::find(format!("2026-10-08T07:30:29Z {id} Task timed out").as_bytes());
        assert_eq!(found.unwrap().to_string(), id);
        assert_eq!(RequestId::find(format!("x{id}").as_bytes()), None);
        assert_eq!(RequestId::find(format!("{id}-1").as_bytes()), None);
        assert_eq!(
            id.to_uppercase().parse::<RequestId>().unwrap().to_string(),
            id
        );
        assert!("nonsense".parse::<RequestId>().is_err());
    }

    proptest! {
        #[test]
        fn prints_and_parses_back(bits: u128) {
            prop_assert_eq!(RequestId(bits).to_string().parse::<RequestId>().unwrap(), RequestId(bits));
        }

        #[test]
        fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = (RequestId::at_start(&bytes), RequestId::find(&bytes));
        }
    }
}
