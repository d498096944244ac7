//! What the user configured: defaults < file < environment < flags, and where each value came from.

mod dirs;
mod file;
mod resolve;
mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use thiserror::Error;

pub use dirs::Dirs;

use file::File;
use resolve::Resolver;

use crate::client::predict::EndpointError;
use crate::domain::alerts::Rule;
use crate::domain::cost::Prices;
use crate::sandbox::Incident;
use crate::ui::theme::ThemeName;

/// The target that needs nothing: the embedded sandbox.
pub const SANDBOX: &str = "sandbox";

/// A model in production, and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct Target {
    /// The prediction endpoint: a full URL, `POSTed` to as it is.
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

/// A local log to open instead of tailing.
#[derive(Debug, Clone, PartialEq)]
pub struct LogFile {
    /// The file.
    pub path: PathBuf,
    /// Play it as a recording at so many times its own pace; `None` reads it whole.
    pub speed: Option<f64>,
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
    pub log_file: Option<LogFile>,
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
    /// A profile in AWS's own files.
    Profile(String),
    /// The region in the endpoint's host name.
    Host,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Env(name) => write!(f, "${name}"),
            Self::Flag(name) => f.write_str(name),
            Self::Profile(name) => write!(f, "AWS profile {name}"),
            Self::Host => f.write_str("the endpoint's host name"),
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
    /// What calls cost.
    pub prices: Prices,
    /// What is watched for.
    pub rules: Vec<Rule>,
    /// A local log to open the Logs tab on.
    pub log_file: Option<LogFile>,
    /// Where our files are.
    pub dirs: Dirs,
    /// The configuration file, whether it is there or not.
    pub file: PathBuf,
    /// Every value with its origin.
    pub effective: Vec<Effective>,
}

/// A configuration that cannot be used; names the file, the key, the line.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file named by a flag or variable cannot be read.
    #[error("cannot read the configuration file {path}: {cause}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// Not TOML, an unknown key, a value of the wrong type.
    #[error("{path}: {cause}\n`vintner config --example` shows every key")]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What and where.
        cause: Box<toml::de::Error>,
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
    /// A flag that speaks of a real target, while the sandbox was asked for.
    #[error(
        "{flag} means nothing to the sandbox; leave it out, or choose another target (--target)"
    )]
    NotForSandbox {
        /// The flag.
        flag: &'static str,
    },
    /// A flag of the sandbox, while a real target was asked for.
    #[error("{flag} belongs to the sandbox; leave it out, or choose --target sandbox")]
    OnlyForSandbox {
        /// The flag.
        flag: &'static str,
    },
    /// A value that parses but makes no sense.
    #[error("{key} = {value} ({from}): {why}")]
    Senseless {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// Where it came from.
        from: String,
        /// What is wrong with it.
        why: String,
    },
    /// A prediction endpoint that is none.
    #[error("{key} ({from}): {cause}")]
    Endpoint {
        /// The key.
        key: String,
        /// Where it came from.
        from: String,
        /// What is wrong with it, without secrets.
        cause: EndpointError,
    },
}

/// Reads an environment variable; a parameter so that tests need not touch the process's own.
pub type EnvVar<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Settings {
    /// Whether this key's value came with the command line.
    pub fn is_flag(&self, key: &str) -> bool {
        let is_it = |value: &Effective| value.key == key && matches!(value.origin, Origin::Flag(_));
        self.effective.iter().any(is_it)
    }

    /// Resolves flags, environment and file into effective values.
    pub fn load(flags: Flags, env: EnvVar) -> Result<Self, ConfigError> {
        let dirs = Dirs::from_env(env);
        let (path, required) = file::path(&flags, env, &dirs);
        let file: File = file::read(&path, required)?;
        let mut resolver = Resolver {
            env,
            path: &path,
            effective: Vec::new(),
        };
        let targets = Resolver::targets(&file);
        let (target, from) = resolver.choose_target(&flags, &file);
        let mut settings = Self {
            theme: resolver.theme(&flags, &file),
            ascii: resolver.ascii(&flags, &file),
            mouse: resolver.pick(
                "mouse",
                flags.no_mouse.then_some(false),
                "--no-mouse",
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
            prices: resolver.prices(&file)?,
            rules: resolver.rules(&file)?,
            log_file: flags.log_file.clone(),
            target,
            targets,
            dirs,
            file: path.clone(),
            effective: Vec::new(),
        };
        resolver.apply_to_target(&flags, &file, &mut settings, &from)?;
        settings.effective = resolver.effective;
        Ok(settings)
    }

    /// The target of this name.
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.get(name)
    }
}

#[cfg(test)]
mod tests;
