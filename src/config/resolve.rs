//! Flags beat the environment beats the file beats the defaults, and every winner is written down.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::file::File;
use super::{
    Colour, ConfigError, Effective, EnvVar, Flags, Origin, SANDBOX, SandboxSettings, Settings,
    Target,
};
use crate::ui::theme::ThemeName;

/// Picks the strongest source of each value and writes down which it was.
pub(super) struct Resolver<'a> {
    pub env: EnvVar<'a>,
    pub path: &'a Path,
    pub effective: Vec<Effective>,
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

    fn variable(&self, names: &[&'static str]) -> Option<(&'static str, String)> {
        names
            .iter()
            .find_map(|name| Some((*name, (self.env)(name).filter(|value| !value.is_empty())?)))
    }

    pub fn pick<T: fmt::Display + std::str::FromStr>(
        &mut self,
        key: &'static str,
        flag: Option<T>,
        flag_name: &'static str,
        env: &[&'static str],
        file: Option<T>,
        default: T,
    ) -> T {
        let from_env = self
            .variable(env)
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

    pub fn pick_path(
        &mut self,
        key: &'static str,
        flag: Option<PathBuf>,
        flag_name: &'static str,
        env: &'static str,
        file: Option<PathBuf>,
        default: Option<PathBuf>,
    ) -> Option<PathBuf> {
        let from_env = self
            .variable(&[env])
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

    pub fn targets(file: &File) -> BTreeMap<String, Target> {
        let built_in: File =
            toml::from_str(include_str!("../../assets/config.toml")).unwrap_or_default();
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
    pub fn choose_target(&mut self, flags: &Flags, file: &File) -> (String, Origin) {
        let implied = real_flag(flags).map(|flag| ("aws".to_owned(), Origin::Flag(flag)));
        let in_file = || file.target.clone().map(|name| (name, self.file_origin()));
        let (target, origin) = flags
            .target
            .clone()
            .map(|name| (name, Origin::Flag("--target")))
            .or_else(|| {
                self.variable(&["VINTNER_TARGET"])
                    .map(|(name, value)| (value, Origin::Env(name)))
            })
            .or_else(|| in_file().filter(|(name, _)| name != SANDBOX))
            .or(implied)
            .or_else(in_file)
            .unwrap_or_else(|| (SANDBOX.to_owned(), Origin::Default));
        self.note("target", &target, origin.clone());
        (target, origin)
    }

    pub fn theme(&mut self, flags: &Flags, file: &File) -> ThemeName {
        let colour = flags
            .color
            .or_else(|| self.variable(&["NO_COLOR"]).map(|_| Colour::Never))
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
    pub fn ascii(&mut self, flags: &Flags, file: &File) -> bool {
        let locale = self.variable(&["LC_ALL", "LC_CTYPE", "LANG"]);
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

    pub fn sandbox(&mut self, flags: &Flags, file: &File) -> Result<SandboxSettings, ConfigError> {
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
    pub fn apply_to_target(
        &mut self,
        flags: &Flags,
        file: &File,
        settings: &mut Settings,
        from: &Origin,
    ) -> Result<(), ConfigError> {
        let name = settings.target.clone();
        let known = settings.targets.keys().cloned().collect::<Vec<_>>();
        let no_such = ConfigError::NoSuchTarget {
            name: name.clone(),
            from: from.to_string(),
            known: known.join(", "),
        };
        let target = settings.targets.get_mut(&name).ok_or(no_such)?;
        if name == SANDBOX {
            return refuse_on_sandbox(flags);
        }
        let mut in_file = file.targets.get(&name).cloned().unwrap_or_default();
        let aws = target.has_aws();
        for field in FIELDS {
            let env = if field.aws && !aws { &[] } else { field.env };
            let from_flag = (field.given)(flags)
                .clone()
                .map(|text| (text, Origin::Flag(field.flag)));
            let from_env = self
                .variable(env)
                .map(|(name, text)| (text, Origin::Env(name)));
            let value = (field.of)(target);
            let from_file = value.take().map(|text| {
                let default = (field.of)(&mut in_file).is_none();
                let origin = if default {
                    Origin::Default
                } else {
                    self.file_origin()
                };
                (text, origin)
            });
            if let Some((text, origin)) = from_flag.or(from_env).or(from_file) {
                self.note(format!("targets.{name}.{}", field.key), &text, origin);
                *value = Some(text);
            }
        }
        if !flags.log_groups.is_empty() {
            target.log_groups.clone_from(&flags.log_groups);
            let key = format!("targets.{name}.log_groups");
            self.note(key, flags.log_groups.join(","), Origin::Flag("--log-group"));
        }
        Ok(())
    }
}

/// A key of a target that a flag or a variable may override.
struct Field {
    key: &'static str,
    flag: &'static str,
    env: &'static [&'static str],
    /// Whether it only makes sense with AWS behind the endpoint.
    aws: bool,
    given: fn(&Flags) -> &Option<String>,
    of: fn(&mut Target) -> &mut Option<String>,
}

const FIELDS: [Field; 5] = [
    Field {
        key: "endpoint",
        flag: "--endpoint",
        env: &["VINTNER_ENDPOINT"],
        aws: false,
        given: |flags| &flags.endpoint,
        of: |target| &mut target.endpoint,
    },
    Field {
        key: "function",
        flag: "--function",
        env: &["VINTNER_FUNCTION"],
        aws: true,
        given: |flags| &flags.function,
        of: |target| &mut target.function,
    },
    Field {
        key: "profile",
        flag: "--profile",
        env: &["AWS_PROFILE"],
        aws: true,
        given: |flags| &flags.profile,
        of: |target| &mut target.profile,
    },
    Field {
        key: "region",
        flag: "--region",
        env: &["AWS_REGION", "AWS_DEFAULT_REGION"],
        aws: true,
        given: |flags| &flags.region,
        of: |target| &mut target.region,
    },
    Field {
        key: "endpoint_url",
        flag: "--endpoint-url",
        env: &["AWS_ENDPOINT_URL"],
        aws: true,
        given: |flags| &flags.endpoint_url,
        of: |target| &mut target.endpoint_url,
    },
];

/// The first flag that speaks of a real target.
fn real_flag(flags: &Flags) -> Option<&'static str> {
    let field = FIELDS.iter().find(|field| (field.given)(flags).is_some());
    let group = (!flags.log_groups.is_empty()).then_some("--log-group");
    field.map(|field| field.flag).or(group)
}

fn refuse_on_sandbox(flags: &Flags) -> Result<(), ConfigError> {
    real_flag(flags).map_or(Ok(()), |flag| Err(ConfigError::NotForSandbox { flag }))
}
