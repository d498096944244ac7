//! Where our files are: the XDG base directories, on macOS too.

use std::path::PathBuf;

use super::EnvVar;

/// Our own folder in each base directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dirs {
    /// `config.toml`, `keys.toml`.
    pub config: PathBuf,
    /// The registry.
    pub data: PathBuf,
    /// History and our own log.
    pub state: PathBuf,
}

impl Dirs {
    /// `$XDG_…_HOME/vintner`, or the defaults under the home directory (`%APPDATA%` on Windows).
    /// Without a home directory everything lands in the current directory's `.vintner`.
    pub fn from_env(env: EnvVar) -> Self {
        let home = env("HOME")
            .or_else(|| env("USERPROFILE"))
            .filter(|home| !home.is_empty())
            .map(PathBuf::from);
        let base = |variable: &str, below_home: &str| {
            // The specification says to ignore relative paths.
            let set = env(variable)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute());
            let default = || {
                home.as_ref()
                    .map_or_else(|| PathBuf::from(".vintner"), |home| home.join(below_home))
            };
            set.unwrap_or_else(default).join("vintner")
        };
        Self {
            config: base("XDG_CONFIG_HOME", ".config"),
            data: base("XDG_DATA_HOME", ".local/share"),
            state: base("XDG_STATE_HOME", ".local/state"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xdg_wins_over_home_and_relative_is_ignored() {
        let env = |name: &str| match name {
            "HOME" => Some("/home/me".to_owned()),
            "XDG_STATE_HOME" => Some("/state".to_owned()),
            "XDG_DATA_HOME" => Some("data".to_owned()),
            _ => None,
        };
        let dirs = Dirs::from_env(&env);
        assert_eq!(dirs.config, PathBuf::from("/home/me/.config/vintner"));
        assert_eq!(dirs.state, PathBuf::from("/state/vintner"));
        assert_eq!(dirs.data, PathBuf::from("/home/me/.local/share/vintner"));
    }
}
