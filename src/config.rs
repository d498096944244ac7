//! What the user configured: defaults < file < environment < flags, and where each value came from.

mod dirs;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

pub use dirs::Dirs;

use crate::sandbox::Incident;
use crate::ui::theme::ThemeName;

/// The target that needs nothing: the embedded sandbox.
pub const SANDBOX: &str = "sandbox";

/// A model in production, and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct Target {
    /// The prediction endpoint: a full URL, POSTed to as it is.
    pub endpoint: Option<String>,
    /// The Lambda function's name or ARN.
    pub function: Option<String>,
    /// Log groups, names or ARNs; empty means the function's own.
    #[serde(default)]
    pub log_groups: Vec<String>,
    /// The AWS profile.
    pub profile: Option<String>,
    /// The AWS region.
    pub region: Option<String>,
    /// One endpoint for every AWS service, as the AWS CLI's `--endpoint-url`.
    pub endpoint_url: Option<String>,
    /// False for an endpoint with no AWS behind it.
    pub aws: Option<bool>,
}

impl Target {
    /// One line for people: where it points.
    pub fn summary(&self) -> String {
        let parts = [
            &self.endpoint,
            &self.function,
            &self.profile,
            &self.region,
            &self.endpoint_url,
        ];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        if parts.is_empty() {
            "embedded, needs nothing".to_owned()
        } else {
            parts.join(" · ")
        }
    }

    /// Whether there is an AWS account behind the endpoint.
    pub fn has_aws(&self) -> bool {
        self.aws.unwrap_or(true)
    }

    fn merge(&mut self, other: Self) {
        let Self {
            endpoint,
            function,
            log_groups,
            profile,
            region,
            endpoint_url,
            aws,
        } = other;
        self.endpoint = endpoint.or(self.endpoint.take());
        self.function = function.or(self.function.take());
        if !log_groups.is_empty() {
            self.log_groups = log_groups;
        }
        self.profile = profile.or(self.profile.take());
        self.region = region.or(self.region.take());
        self.endpoint_url = endpoint_url.or(self.endpoint_url.take());
        self.aws = aws.or(self.aws);
    }
}

/// How the embedded sandbox behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct SandboxSettings {
    /// Everything random in it follows from this.
    pub seed: u64,
    /// Background predictions a second.
    pub rate: f64,
    /// Time scale of its latencies: 2 is twice as fast.
    pub speed: f64,
    /// The incident it starts with.
    pub incident: Option<Incident>,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self {
            seed: 7,
            rate: 1.0,
            speed: 1.0,
            incident: None,
        }
    }
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// As `NO_COLOR` and the terminal say.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A configuration file, every key optional. Unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    target: Option<String>,
    theme: Option<ThemeName>,
    color: Option<Colour>,
    ascii: Option<bool>,
    mouse: Option<bool>,
    model: Option<PathBuf>,
    registry: Option<PathBuf>,
    #[serde(default)]
    sandbox: SandboxFile,
    #[serde(default)]
    targets: BTreeMap<String, Target>,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SandboxFile {
    seed: Option<u64>,
    rate: Option<f64>,
    speed: Option<f64>,
    #[serde(default, deserialize_with = "incident")]
    incident: Option<Incident>,
}

fn incident<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Incident>, D::Error> {
    let name = String::deserialize(deserializer)?;
    name.parse().map(Some).map_err(serde::de::Error::custom)
}

/// What the command line said; every field optional, the same names as the flags.
#[derive(Debug, Clone, PartialEq, Default)]
#[expect(missing_docs, reason = "the names are the flags'")]
pub struct Flags {
    pub config: Option<PathBuf>,
    pub target: Option<String>,
    pub endpoint: Option<String>,
    pub function: Option<String>,
    pub log_groups: Vec<String>,
    pub profile: Option<String>,
    pub region: Option<String>,
    pub endpoint_url: Option<String>,
    pub model: Option<PathBuf>,
    pub registry: Option<PathBuf>,
    pub theme: Option<ThemeName>,
    pub color: Option<Colour>,
    pub ascii: bool,
    pub no_mouse: bool,
    pub seed: Option<u64>,
    pub rate: Option<f64>,
    pub speed: Option<f64>,
    pub incident: Option<Incident>,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// An environment variable.
    Env(&'static str),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Env(name) => write!(f, "${name}"),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// One effective value, for `vintner config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// The key as it stands in the file, dotted.
    pub key: String,
    /// The value, printed.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// Everything the user configured, resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The target to connect to at the start.
    pub target: String,
    /// Every known target, flags and variables applied to the chosen one.
    pub targets: BTreeMap<String, Target>,
    /// The theme, `NO_COLOR` and `--color` considered.
    pub theme: ThemeName,
    /// Only ASCII glyphs.
    pub ascii: bool,
    /// Whether the mouse is ours.
    pub mouse: bool,
    /// Another model's schema file.
    pub model: Option<PathBuf>,
    /// Where model versions are kept.
    pub registry: PathBuf,
    /// How the sandbox behaves.
    pub sandbox: SandboxSettings,
    /// Where our files are.
    pub dirs: Dirs,
    /// Every value with its origin.
    pub effective: Vec<Effective>,
}

/// A configuration that cannot be used; names the file, the key, the line.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file named by a flag or variable cannot be read.
    #[error("cannot read the configuration file {path}: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, a value of the wrong type.
    #[error("{path}: {source}\nsee `vintner config` for the keys there are")]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What and where.
        source: Box<toml::de::Error>,
    },
    /// A target that nobody configured.
    #[error("there is no target `{name}` ({from}); known targets: {known}")]
    NoSuchTarget {
        /// The name asked for.
        name: String,
        /// Who asked.
        from: String,
        /// The names there are.
        known: String,
    },
    /// A value that parses but makes no sense.
    #[error("{key} = {value} ({from}): {why}")]
    Senseless {
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
        /// Where it came from.
        from: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// Reads an environment variable; a parameter so that tests need not touch the process's own.
pub type EnvVar<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Settings {
    /// Resolves flags, environment and file into effective values.
    pub fn load(flags: Flags, env: EnvVar) -> Result<Self, ConfigError> {
        let dirs = Dirs::from_env(env);
        let (path, required) = config_path(&flags, env, &dirs);
        let file = read_file(&path, required)?;
        let mut resolver = Resolver {
            env,
            path: &path,
            effective: Vec::new(),
        };
        let targets = resolver.targets(&file);
        let (target, from) = resolver.choose_target(&flags, &file);
        let mut settings = Self {
            theme: resolver.theme(&flags, &file),
            ascii: resolver.ascii(&flags, &file),
            mouse: resolver.pick(
                "mouse",
                flags.no_mouse.then_some(false),
                "--no-mouse",
                &[],
                file.mouse,
                true,
            ),
            model: resolver.pick_path(
                "model",
                flags.model.clone(),
                "--model",
                "VINTNER_MODEL",
                file.model.clone(),
                None,
            ),
            registry: resolver
                .pick_path(
                    "registry",
                    flags.registry.clone(),
                    "--registry",
                    "VINTNER_REGISTRY",
                    file.registry.clone(),
                    Some(dirs.data.join("registry")),
                )
                .unwrap_or_else(|| dirs.data.join("registry")),
            sandbox: resolver.sandbox(&flags, &file)?,
            target,
            targets,
            dirs,
            effective: Vec::new(),
        };
        resolver.apply_to_target(&flags, &mut settings, &from)?;
        settings.effective = resolver.effective;
        Ok(settings)
    }

    /// The target of this name.
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.get(name)
    }
}

fn config_path(flags: &Flags, env: EnvVar, dirs: &Dirs) -> (PathBuf, bool) {
    match (&flags.config, env("VINTNER_CONFIG")) {
        (Some(path), _) => (path.clone(), true),
        (None, Some(path)) => (path.into(), true),
        (None, None) => (dirs.config.join("config.toml"), false),
    }
}

fn read_file(path: &Path, required: bool) -> Result<File, ConfigError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => String::new(),
        Err(source) => {
            return Err(ConfigError::Unreadable {
                path: path.to_owned(),
                source,
            });
        }
    };
    toml::from_str(&text).map_err(|source| ConfigError::Invalid {
        path: path.to_owned(),
        source: Box::new(source),
    })
}

/// Picks the strongest source of each value and writes down which it was.
struct Resolver<'a> {
    env: EnvVar<'a>,
    path: &'a Path,
    effective: Vec<Effective>,
}

impl Resolver<'_> {
    fn note(&mut self, key: impl Into<String>, value: impl fmt::Display, origin: Origin) {
        self.effective.push(Effective {
            key: key.into(),
            value: value.to_string(),
            origin,
        });
    }

    fn file_origin(&self) -> Origin {
        Origin::File(self.path.to_owned())
    }

    fn from_env(&self, names: &[&'static str]) -> Option<(&'static str, String)> {
        names
            .iter()
            .find_map(|name| Some((*name, (self.env)(name).filter(|value| !value.is_empty())?)))
    }

    fn pick<T: fmt::Display + std::str::FromStr>(
        &mut self,
        key: &'static str,
        flag: Option<T>,
        flag_name: &'static str,
        env: &[&'static str],
        file: Option<T>,
        default: T,
    ) -> T {
        let from_env = self
            .from_env(env)
            .and_then(|(name, text)| Some((text.parse().ok()?, Origin::Env(name))));
        let from_file = file.map(|value| (value, self.file_origin()));
        let (value, origin) = flag
            .map(|value| (value, Origin::Flag(flag_name)))
            .or(from_env)
            .or(from_file)
            .unwrap_or((default, Origin::Default));
        self.note(key, &value, origin);
        value
    }

    fn pick_path(
        &mut self,
        key: &'static str,
        flag: Option<PathBuf>,
        flag_name: &'static str,
        env: &'static str,
        file: Option<PathBuf>,
        default: Option<PathBuf>,
    ) -> Option<PathBuf> {
        let from_env = self
            .from_env(&[env])
            .map(|(name, text)| (PathBuf::from(text), Origin::Env(name)));
        let from_file = file.map(|value| (value, self.file_origin()));
        let picked = flag
            .map(|value| (value, Origin::Flag(flag_name)))
            .or(from_env)
            .or(from_file)
            .or(default.map(|value| (value, Origin::Default)));
        let (value, origin) = picked?;
        self.note(key, value.display(), origin);
        Some(value)
    }

    fn targets(&mut self, file: &File) -> BTreeMap<String, Target> {
        let built_in: File =
            toml::from_str(include_str!("../assets/config.toml")).unwrap_or_default();
        let mut targets = built_in.targets;
        for (name, target) in &file.targets {
            targets
                .entry(name.clone())
                .or_default()
                .merge(target.clone());
        }
        targets
    }

    /// AWS flags or an endpoint without a target mean the real thing, not the sandbox.
    fn choose_target(&mut self, flags: &Flags, file: &File) -> (String, Origin) {
        let implied = [
            (flags.endpoint.is_some(), "--endpoint"),
            (flags.function.is_some(), "--function"),
            (!flags.log_groups.is_empty(), "--log-group"),
            (flags.profile.is_some(), "--profile"),
            (flags.region.is_some(), "--region"),
            (flags.endpoint_url.is_some(), "--endpoint-url"),
        ];
        let implied = implied
            .into_iter()
            .find(|(given, _)| *given)
            .map(|(_, flag)| Origin::Flag(flag));
        let (target, origin) = flags
            .target
            .clone()
            .map(|name| (name, Origin::Flag("--target")))
            .or_else(|| {
                self.from_env(&["VINTNER_TARGET"])
                    .map(|(name, value)| (value, Origin::Env(name)))
            })
            .or_else(|| file.target.clone().map(|name| (name, self.file_origin())))
            .or_else(|| implied.map(|origin| ("aws".to_owned(), origin)))
            .unwrap_or_else(|| (SANDBOX.to_owned(), Origin::Default));
        self.note("target", &target, origin.clone());
        (target, origin)
    }

    fn theme(&mut self, flags: &Flags, file: &File) -> ThemeName {
        let colour = flags
            .color
            .or_else(|| self.from_env(&["NO_COLOR"]).map(|_| Colour::Never))
            .or(file.color)
            .unwrap_or_default();
        let (theme, origin) = match (colour, flags.theme, file.theme) {
            (Colour::Never, ..) if flags.color.is_some() => {
                (ThemeName::Mono, Origin::Flag("--color"))
            }
            (Colour::Never, ..) if (self.env)("NO_COLOR").is_some_and(|v| !v.is_empty()) => {
                (ThemeName::Mono, Origin::Env("NO_COLOR"))
            }
            (Colour::Never, ..) => (ThemeName::Mono, self.file_origin()),
            (_, Some(theme), _) => (theme, Origin::Flag("--theme")),
            (_, None, Some(theme)) => (theme, self.file_origin()),
            (_, None, None) => (ThemeName::Dark, Origin::Default),
        };
        self.note("theme", format!("{theme:?}").to_lowercase(), origin);
        theme
    }

    /// `--ascii`, the file, or a locale that names a character set other than UTF-8.
    fn ascii(&mut self, flags: &Flags, file: &File) -> bool {
        let locale = self.from_env(&["LC_ALL", "LC_CTYPE", "LANG"]);
        let from_locale = locale.filter(|(_, value)| {
            let value = value.to_lowercase();
            !value.contains("utf-8") && !value.contains("utf8")
        });
        let (ascii, origin) = match (flags.ascii, file.ascii, from_locale) {
            (true, ..) => (true, Origin::Flag("--ascii")),
            (_, Some(ascii), _) => (ascii, self.file_origin()),
            (_, None, Some((name, _))) => (true, Origin::Env(name)),
            (_, None, None) => (false, Origin::Default),
        };
        self.note("ascii", ascii, origin);
        ascii
    }

    fn sandbox(&mut self, flags: &Flags, file: &File) -> Result<SandboxSettings, ConfigError> {
        let default = SandboxSettings::default();
        let seed = self.pick(
            "sandbox.seed",
            flags.seed,
            "--seed",
            &[],
            file.sandbox.seed,
            default.seed,
        );
        let rate = self.pick(
            "sandbox.rate",
            flags.rate,
            "--rate",
            &[],
            file.sandbox.rate,
            default.rate,
        );
        let speed = self.pick(
            "sandbox.speed",
            flags.speed,
            "--speed",
            &[],
            file.sandbox.speed,
            default.speed,
        );
        let incident = flags.incident.or(file.sandbox.incident);
        if let Some(incident) = incident {
            let origin = if flags.incident.is_some() {
                Origin::Flag("--incident")
            } else {
                self.file_origin()
            };
            self.note("sandbox.incident", incident, origin);
        }
        let senseless = |key, value: f64, why| ConfigError::Senseless {
            key,
            value: value.to_string(),
            from: self.origin_of(key),
            why,
        };
        if !rate.is_finite() || rate < 0.0 {
            return Err(senseless(
                "sandbox.rate",
                rate,
                "must be 0 or more predictions a second",
            ));
        }
        if !speed.is_finite() || speed <= 0.0 {
            return Err(senseless(
                "sandbox.speed",
                speed,
                "must be above 0; 1 is real time",
            ));
        }
        Ok(SandboxSettings {
            seed,
            rate,
            speed,
            incident,
        })
    }

    fn origin_of(&self, key: &str) -> String {
        self.effective
            .iter()
            .rfind(|value| value.key == key)
            .map_or_else(String::new, |value| value.origin.to_string())
    }

    /// Flags and AWS variables override what the chosen target says; the sandbox is beyond their reach.
    fn apply_to_target(
        &mut self,
        flags: &Flags,
        settings: &mut Settings,
        from: &Origin,
    ) -> Result<(), ConfigError> {
        let name = settings.target.clone();
        let known = settings
            .targets
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let no_such = ConfigError::NoSuchTarget {
            name: name.clone(),
            from: from.to_string(),
            known,
        };
        let target = settings.targets.get_mut(&name).ok_or(no_such)?;
        if name == SANDBOX {
            return Ok(());
        }
        let aws = target.has_aws();
        let env = |names: &'static [&'static str]| if aws { names } else { &[] };
        self.field(
            &name,
            "endpoint",
            flags.endpoint.clone(),
            "--endpoint",
            &["VINTNER_ENDPOINT"],
            &mut target.endpoint,
        );
        self.field(
            &name,
            "function",
            flags.function.clone(),
            "--function",
            &["VINTNER_FUNCTION"],
            &mut target.function,
        );
        self.field(
            &name,
            "profile",
            flags.profile.clone(),
            "--profile",
            env(&["AWS_PROFILE"]),
            &mut target.profile,
        );
        self.field(
            &name,
            "region",
            flags.region.clone(),
            "--region",
            env(&["AWS_REGION", "AWS_DEFAULT_REGION"]),
            &mut target.region,
        );
        self.field(
            &name,
            "endpoint_url",
            flags.endpoint_url.clone(),
            "--endpoint-url",
            env(&["AWS_ENDPOINT_URL"]),
            &mut target.endpoint_url,
        );
        if !flags.log_groups.is_empty() {
            target.log_groups.clone_from(&flags.log_groups);
            self.note(
                format!("targets.{name}.log_groups"),
                flags.log_groups.join(","),
                Origin::Flag("--log-group"),
            );
        }
        Ok(())
    }

    fn field(
        &mut self,
        target: &str,
        key: &str,
        flag: Option<String>,
        flag_name: &'static str,
        env: &[&'static str],
        value: &mut Option<String>,
    ) {
        let from_flag = flag.map(|text| (text, Origin::Flag(flag_name)));
        let from_env = self
            .from_env(env)
            .map(|(name, text)| (text, Origin::Env(name)));
        let from_file = value.take().map(|text| {
            (
                text,
                if self.path.exists() {
                    self.file_origin()
                } else {
                    Origin::Default
                },
            )
        });
        if let Some((text, origin)) = from_flag.or(from_env).or(from_file) {
            self.note(format!("targets.{target}.{key}"), &text, origin);
            *value = Some(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(flags: Flags, file: &str, env: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, file).unwrap();
        let flags = Flags {
            config: Some(path),
            ..flags
        };
        Settings::load(flags, &|name| {
            env.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    fn origin(settings: &Settings, key: &str) -> Origin {
        settings
            .effective
            .iter()
            .find(|value| value.key == key)
            .unwrap()
            .origin
            .clone()
    }

    #[test]
    fn nothing_configured_means_the_sandbox() {
        let settings = load(
            Flags::default(),
            "",
            &[("AWS_PROFILE", "prod"), ("AWS_REGION", "eu-west-1")],
        )
        .unwrap();
        assert_eq!(settings.target, SANDBOX);
        assert_eq!(settings.target(SANDBOX), Some(&Target::default()));
    }

    #[test]
    fn flags_beat_environment_beats_file() {
        let file = "target = \"aws\"\n[targets.aws]\nregion = \"eu-north-1\"\nfunction = \"f\"";
        let env = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_DEFAULT_REGION", "eu-west-2"),
        ];
        let region = |flags, env: &[(&str, &str)]| {
            load(flags, file, env).unwrap().targets["aws"]
                .region
                .clone()
                .unwrap()
        };
        assert_eq!(region(Flags::default(), &[]), "eu-north-1");
        assert_eq!(region(Flags::default(), &env), "eu-west-1");
        assert_eq!(
            region(
                Flags {
                    region: Some("us-east-1".into()),
                    ..Flags::default()
                },
                &env
            ),
            "us-east-1"
        );
    }

    #[test]
    fn aws_flags_alone_mean_aws() {
        let flags = Flags {
            log_groups: vec!["/aws/lambda/x".into()],
            region: Some("us-east-2".into()),
            ..Flags::default()
        };
        let settings = load(flags, "", &[]).unwrap();
        assert_eq!(settings.target, "aws");
        assert_eq!(origin(&settings, "target"), Origin::Flag("--log-group"));
        assert_eq!(settings.targets["aws"].log_groups, ["/aws/lambda/x"]);
    }

    #[test]
    fn an_unknown_key_names_file_line_and_key() {
        let error = load(
            Flags::default(),
            "target = \"sandbox\"\nthem = \"dark\"",
            &[],
        )
        .unwrap_err()
        .to_string();
        assert!(
            error.contains("config.toml") && error.contains("line 2") && error.contains("them"),
            "{error}"
        );
        let error = load(Flags::default(), "[targets.aws]\nregoin = \"x\"", &[])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line 2") && error.contains("regoin"),
            "{error}"
        );
    }

    #[test]
    fn an_unknown_target_lists_the_known() {
        let error = load(
            Flags {
                target: Some("prod".into()),
                ..Flags::default()
            },
            "",
            &[],
        )
        .unwrap_err()
        .to_string();
        assert_eq!(
            error,
            "there is no target `prod` (--target); known targets: aws, local, sandbox"
        );
    }

    #[test]
    fn a_missing_file_that_was_asked_for_is_an_error() {
        let flags = Flags {
            config: Some("/nowhere/config.toml".into()),
            ..Flags::default()
        };
        let error = Settings::load(flags, &|_| None).unwrap_err().to_string();
        assert!(error.contains("/nowhere/config.toml"), "{error}");
    }

    #[test]
    fn no_color_means_mono_unless_a_flag_says_otherwise() {
        let env = [("NO_COLOR", "1")];
        assert_eq!(
            load(Flags::default(), "", &env).unwrap().theme,
            ThemeName::Mono
        );
        let always = Flags {
            color: Some(Colour::Always),
            ..Flags::default()
        };
        assert_eq!(
            load(always, "theme = \"light\"", &env).unwrap().theme,
            ThemeName::Light
        );
    }

    #[test]
    fn senseless_numbers_are_named() {
        let error = load(
            Flags {
                speed: Some(0.0),
                ..Flags::default()
            },
            "",
            &[],
        )
        .unwrap_err()
        .to_string();
        assert_eq!(
            error,
            "sandbox.speed = 0 (--speed): must be above 0; 1 is real time"
        );
    }

    #[test]
    fn a_locale_without_utf8_means_ascii() {
        assert!(load(Flags::default(), "", &[("LANG", "C")]).unwrap().ascii);
        assert!(
            !load(Flags::default(), "", &[("LANG", "de_DE.UTF-8")])
                .unwrap()
                .ascii
        );
        assert!(!load(Flags::default(), "", &[]).unwrap().ascii);
    }
}
