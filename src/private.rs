//! Files for their owner only: what this program keeps may be somebody's data.

use std::fs::OpenOptions;

/// A file that these options create can be read and written by its owner only (mode 0600).
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn nobody_else_may_read_a_private_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine");
        let file = private(OpenOptions::new().create(true).append(true)).open(path);
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
