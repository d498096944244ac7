//! `SHA256SUMS`: the fingerprint of a version, in the format of `sha256sum`.

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::disk::read_bounded;

/// The file, written last.
pub const FILE: &str = "SHA256SUMS";

const MAX_SUMS: u64 = 64 << 10;
const MAX_FILE: u64 = 1 << 30;

/// The content of `SHA256SUMS` for these files.
pub(super) fn of(files: &[(String, Vec<u8>)]) -> String {
    let mut lines: Vec<String> = files
        .iter()
        .map(|(name, bytes)| format!("{}  {name}\n", hex(bytes)))
        .collect();
    lines.sort_by(|a, b| a[66..].cmp(&b[66..]));
    lines.concat()
}

/// SHA-256 in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Files by name.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// Which listed files have their content checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// Every one.
    All,
    /// Those that are kept: what is not read is not trusted either.
    Kept,
}

/// Checks that the directory holds exactly the listed files, and the content of those that `check` says; meanwhile
/// `parse` reads those named in `keep`, which need not be sound yet. Returns the seal (SHA-256 of the list itself) and
/// what was parsed, or a sentence about what is wrong.
pub(super) fn verify<T: Send>(
    dir: &Path,
    keep: &[&str],
    check: Check,
    parse: impl FnOnce(&Files) -> T + Send,
) -> Result<(String, T), String> {
    let (sums, seal) = read(dir)?;
    let found = super::names_in(dir).map_err(|error| error.to_string())?;
    if let Some(name) = sums.keys().find(|name| !found.contains(name)) {
        return Err(format!("{name} is missing"));
    }
    let stranger = found
        .iter()
        .find(|name| *name != FILE && !sums.contains_key(*name));
    if let Some(name) = stranger {
        return Err(format!("{} is not listed in {FILE}", printable(name)));
    }
    let (kept, others): (Vec<_>, Vec<_>) = sums
        .iter()
        .partition(|(name, _)| keep.contains(&name.as_str()));
    let load = |name: &String| read_bounded(&dir.join(name), MAX_FILE).map_err(|e| e.to_string());
    let files: Files = kept
        .iter()
        .map(|(name, _)| Ok(((*name).clone(), load(name)?)))
        .collect::<Result<_, String>>()?;
    let check = || {
        for (name, wanted) in kept {
            matches(name, &files[name], wanted)?;
        }
        if check == Check::All {
            for (name, wanted) in others {
                matches(name, &load(name)?, wanted)?;
            }
        }
        Ok(())
    };
    let (checked, parsed) = rayon::join(check, || parse(&files));
    checked.map(|()| (seal, parsed))
}

fn matches(name: &str, bytes: &[u8], wanted: &str) -> Result<(), String> {
    if hex(bytes) == wanted {
        Ok(())
    } else {
        Err(format!("{name} does not match its checksum"))
    }
}

/// One listed file, its content checked.
pub(super) fn read_checked(dir: &Path, name: &str) -> Result<Vec<u8>, String> {
    let (sums, _) = read(dir)?;
    let wanted = sums.get(name).ok_or_else(|| {
        let known: Vec<&str> = sums.keys().map(String::as_str).collect();
        format!("it has no {}; it has {}", printable(name), known.join(", "))
    })?;
    let bytes = read_bounded(&dir.join(name), MAX_FILE).map_err(|error| error.to_string())?;
    matches(name, &bytes, wanted).map(|()| bytes)
}

/// Name → checksum, and the seal. The list is not trusted either: names must be plain.
fn read(dir: &Path) -> Result<(BTreeMap<String, String>, String), String> {
    let bytes = read_bounded(&dir.join(FILE), MAX_SUMS).map_err(|error| error.to_string())?;
    let text = std::str::from_utf8(&bytes).map_err(|_| format!("{FILE} is not text"))?;
    let mut sums = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let entry = line
            .split_once("  ")
            .filter(|(sum, name)| is_sum(sum) && is_plain(name));
        let Some((sum, name)) = entry else {
            return Err(format!(
                "{FILE}, line {}: not a checksum and a plain file name",
                number + 1
            ));
        };
        sums.insert(name.to_owned(), sum.to_owned());
    }
    if sums.is_empty() {
        return Err(format!("{FILE} lists nothing"));
    }
    Ok((sums, hex(&bytes)))
}

fn is_sum(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A name that cannot lead out of its directory.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 100
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn printable(name: &str) -> String {
    crate::domain::text::one_line(name, 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_sha256sums() {
        // printf 'abc' | sha256sum
        let files = [
            ("b.txt".to_owned(), b"abc".to_vec()),
            ("a.txt".to_owned(), b"abc".to_vec()),
        ];
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(of(&files), format!("{sum}  a.txt\n{sum}  b.txt\n"));
    }

    #[test]
    fn names_stay_in_their_directory() {
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "/etc/passwd",
            ".hidden",
            "a b",
            "a\u{1b}b",
        ] {
            assert!(!is_plain(bad), "{bad:?}");
        }
        assert!(is_plain("oob_curve.csv"));
    }
}
