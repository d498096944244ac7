//! The members of a JSON object as slices of its text, without building a tree: what a million log lines need of JSON.

/// Walks the top-level members of the object that starts at the first `{`; yields (key without quotes, raw value text).
/// Stops silently where the text stops being JSON.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    text: &'a [u8],
    at: usize,
}

/// The members of the object in `text`, or none when it does not begin with `{` (after white space).
pub fn members(text: &[u8]) -> Members<'_> {
    let at = skip_space(text, 0);
    let at = if text.get(at) == Some(&b'{') {
        at + 1
    } else {
        text.len()
    };
    Members { text, at }
}

/// The raw value of one top-level member.
pub fn member<'a>(text: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    members(text)
        .find(|(name, _)| *name == key)
        .map(|(_, value)| value)
}

/// The raw value at a dotted path (`record.metrics.durationMs`), also through a member whose own name holds the dots.
pub fn at_path<'a>(text: &'a [u8], path: &str) -> Option<&'a [u8]> {
    if let Some(value) = member(text, path.as_bytes()) {
        return Some(value);
    }
    path.match_indices('.').find_map(|(dot, _)| {
        let inner = member(text, &path.as_bytes()[..dot])?;
        at_path(inner, &path[dot + 1..])
    })
}

/// The inside of a raw string value that has no escapes; `None` for other values.
pub fn plain_str(raw: &[u8]) -> Option<&[u8]> {
    let inside = raw.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    memchr::memchr(b'\\', inside).is_none().then_some(inside)
}

/// A raw value as text: a string without quotes and escapes, anything else as written.
pub fn text(raw: &[u8]) -> String {
    if let Some(plain) = plain_str(raw) {
        return String::from_utf8_lossy(plain).into_owned();
    }
    let written = String::from_utf8_lossy(raw);
    if raw.first() == Some(&b'"')
        && let Ok(unescaped) = serde_json::from_str::<String>(&written)
    {
        return unescaped;
    }
    written.into_owned()
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut at = skip_space(self.text, self.at);
        if self.text.get(at) == Some(&b',') {
            at = skip_space(self.text, at + 1);
        }
        let key_end = string_end(self.text, at)?;
        let colon = skip_space(self.text, key_end);
        if self.text.get(colon) != Some(&b':') {
            return None;
        }
        let value = skip_space(self.text, colon + 1);
        let value_end = value_end(self.text, value)?;
        self.at = value_end;
        Some((
            &self.text[at + 1..key_end - 1],
            &self.text[value..value_end],
        ))
    }
}

fn skip_space(text: &[u8], mut at: usize) -> usize {
    while text
        .get(at)
        .is_some_and(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'))
    {
        at += 1;
    }
    at
}

/// Where the string that opens at `at` ends (after its closing quote).
fn string_end(text: &[u8], at: usize) -> Option<usize> {
    if text.get(at) != Some(&b'"') {
        return None;
    }
    let mut at = at + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn value_end(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b'"' => string_end(text, at),
        b'{' | b'[' => nested_end(text, at),
        _ => {
            let len = text[at..]
                .iter()
                .position(|b| matches!(b, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r'));
            len.filter(|len| *len > 0).map(|len| at + len)
        }
    }
}

fn nested_end(text: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match text.get(at)? {
            b'"' => {
                at = string_end(text, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn walks_members_of_every_kind() {
        let line = br#" { "level" : "WARN", "n":-1.5e3,"deep":{"a":[1,"}"],"b":{"c":"x"}}, "text":"say \"hi\"\n", "a.b":true }"#;
        let keys: Vec<_> = members(line)
            .map(|(key, _)| String::from_utf8_lossy(key).into_owned())
            .collect();
        assert_eq!(keys, ["level", "n", "deep", "text", "a.b"]);
        assert_eq!(
            plain_str(member(line, b"level").unwrap()),
            Some(&b"WARN"[..])
        );
        assert_eq!(at_path(line, "deep.b.c"), Some(&b"\"x\""[..]));
        assert_eq!(at_path(line, "a.b"), Some(&b"true"[..]));
        assert_eq!(text(member(line, b"text").unwrap()), "say \"hi\"\n");
        assert_eq!(text(member(line, b"n").unwrap()), "-1.5e3");
        assert_eq!(members(b"plain text").count(), 0);
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(object in proptest::collection::btree_map("[a-z\"\\\\]{1,6}", "\\PC{0,12}", 0..6), indent: bool) {
            let text = if indent { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) }.unwrap();
            let found: Vec<_> = members(text.as_bytes()).map(|(_, value)| super::text(value)).collect();
            let want: Vec<_> = object.into_values().collect();
            prop_assert_eq!(found, want);
        }

        #[test]
        fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..120), text in "[{}\\[\\]\":,a\\\\ 1]{0,60}") {
            let _ = (members(&bytes).count(), members(text.as_bytes()).count());
            let _ = at_path(text.as_bytes(), "a.a");
        }
    }
}
