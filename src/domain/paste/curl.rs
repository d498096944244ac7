//! The body that a curl line sends.

use super::{PasteError, one_line};

/// The data of a curl command line.
pub fn body(line: &str) -> Result<String, PasteError> {
    // Line continuations of POSIX shells, cmd (^) and PowerShell (`).
    let line = line
        .replace("\\\r\n", " ")
        .replace("\\\n", " ")
        .replace("^\n", " ")
        .replace("`\n", " ");
    let words = shell_words::split(&line)
        .map_err(|_| PasteError::Curl("has a quote that is never closed".to_owned()))?;
    let mut words = words.iter().map(String::as_str);
    let mut data: Vec<&str> = Vec::new();
    while let Some(word) = words.next() {
        match word {
            "-d" | "--data" | "--data-raw" | "--data-binary" | "--data-ascii" | "--json" => {
                data.push(
                    words
                        .next()
                        .ok_or_else(|| PasteError::Curl(format!("ends after {word}")))?,
                );
            }
            _ => data.extend(glued_data(word)),
        }
    }
    match data.as_slice() {
        [] => Err(PasteError::Curl(
            "has no body (-d, --data, --json)".to_owned(),
        )),
        [file] if file.starts_with('@') => Err(PasteError::Curl(format!(
            "takes its body from the file {}: paste the file's content",
            one_line(&file[1..])
        ))),
        // Bash's $'…' quoting leaves its dollar sign in front.
        _ => Ok(data.join("&").trim_start_matches('$').to_owned()),
    }
}

/// `-d{…}`, `--data={…}`: the value glued to its option.
fn glued_data(word: &str) -> Option<&str> {
    if let Some((option, value)) = word.split_once('=') {
        let options = [
            "--data",
            "--data-raw",
            "--data-binary",
            "--data-ascii",
            "--json",
        ];
        return options.contains(&option).then_some(value);
    }
    word.strip_prefix("-d")
        .filter(|value| value.starts_with(['{', '[', '@']))
}
