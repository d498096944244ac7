//! Flags beat the environment beats the file beats the defaults, and every winner is written down.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::file::File;
use super::{
    Colour, ConfigError, Effective, EnvVar, Flags, Origin, SANDBOX, SandboxSettings, Settings,
    Target,
};
use crate::client::endpoints;
use crate::client::predict::{Endpoint, without_secrets};
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

    pub fn pick<T: fmt::Display>(
        &mut self,
        key: impl Into<String>,
        flag: Option<T>,
        flag_name: &'static str,
        file: Option<T>,
        default: T,
    ) -> T {
        let from_file = file.map(|value| (value, self.file_origin()));
        let (value, origin) = flag
            .map(|value| (value, Origin::Flag(flag_name)))
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
        let dumb = || (self.env)("TERM").is_some_and(|term| term == "dumb");
        let no_color = self.variable(&["NO_COLOR"]).map(|(name, _)| name);
        let without = no_color.or_else(|| dumb().then_some("TERM"));
        let (colour, origin) = match (flags.color, without, file.color) {
            (Some(colour), ..) => (colour, Origin::Flag("--color")),
            (None, Some(variable), _) => (Colour::Never, Origin::Env(variable)),
            (None, None, Some(colour)) => (colour, self.file_origin()),
            (None, None, None) => (Colour::default(), Origin::Default),
        };
        let (theme, origin) = match (colour, flags.theme, file.theme) {
            (Colour::Never, ..) => (ThemeName::Mono, origin),
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
            file.sandbox.seed,
            default.seed,
        );
        let rate = self.pick(
            "sandbox.rate",
            flags.rate,
            "--rate",
            file.sandbox.rate,
            default.rate,
        );
        let speed = self.pick(
            "sandbox.speed",
            flags.speed,
            "--speed",
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
        if !rate.is_finite() || rate < 0.0 {
            return Err(self.senseless(
                "sandbox.rate",
                rate,
                "must be 0 or more predictions a second",
            ));
        }
        if !speed.is_finite() || speed <= 0.0 {
            return Err(self.senseless("sandbox.speed", speed, "must be above 0; 1 is real time"));
        }
        Ok(SandboxSettings {
            seed,
            rate,
            speed,
            incident,
        })
    }

    /// The complaint about a value that was picked.
    pub fn senseless(
        &self,
        key: impl Into<String>,
        value: impl fmt::Display,
        why: impl Into<String>,
    ) -> ConfigError {
        let key = key.into();
        ConfigError::Senseless {
            from: self.origin_of(&key),
            key,
            value: value.to_string(),
            why: why.into(),
        }
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
            refuse_on_sandbox(flags)?;
        } else {
            refuse_off_sandbox(flags)?;
            self.override_target(flags, file, &name, target)?;
        }
        for (other, target) in &settings.targets {
            if *other != name {
                self.note_target(file, other, target);
            }
        }
        Ok(())
    }

    fn override_target(
        &mut self,
        flags: &Flags,
        file: &File,
        name: &str,
        target: &mut Target,
    ) -> Result<(), ConfigError> {
        let aws = target.has_aws();
        for field in FIELDS {
            let key = format!("targets.{name}.{}", field.key);
            let env = if field.aws && !aws { &[] } else { field.env };
            let from_flag = (field.given)(flags)
                .clone()
                .map(|text| (text, Origin::Flag(field.flag)));
            let from_env = self
                .variable(env)
                .map(|(variable, text)| (text, Origin::Env(variable)));
            let from_file = (field.of)(target)
                .clone()
                .map(|text| (text, self.origin_in_file(file, name, &field)));
            let Some((text, origin)) = from_flag.or(from_env).or(from_file) else {
                continue;
            };
            if field.key == "endpoint" {
                Endpoint::parse(&text).map_err(|cause| ConfigError::Endpoint {
                    key: key.clone(),
                    from: origin.to_string(),
                    cause,
                })?;
            }
            self.note(&key, without_secrets(&text), origin.clone());
            if field.key == "endpoint_url" && !endpoints::is_endpoint(&text) {
                let shown = without_secrets(&text);
                return Err(self.senseless(key, shown, endpoints::WHAT_IS_NEEDED));
            }
            // The SDK reads these itself: the endpoints of single services beat the first, keys in the
            // environment the second, but not a profile asked for by flag or file.
            let left_to_sdk = matches!(origin, Origin::Env("AWS_ENDPOINT_URL" | "AWS_PROFILE"));
            *(field.of_mut)(target) = (!left_to_sdk).then_some(text);
        }
        let groups_origin = if flags.log_groups.is_empty() {
            self.file_origin()
        } else {
            target.log_groups.clone_from(&flags.log_groups);
            Origin::Flag("--log-group")
        };
        self.note_lists(file, name, target, groups_origin);
        Ok(())
    }

    /// A target that is not the chosen one stands as it is in the file.
    fn note_target(&mut self, file: &File, name: &str, target: &Target) {
        for field in FIELDS {
            if let Some(text) = (field.of)(target) {
                let origin = self.origin_in_file(file, name, &field);
                let key = format!("targets.{name}.{}", field.key);
                self.note(key, without_secrets(text), origin);
            }
        }
        self.note_lists(file, name, target, self.file_origin());
    }

    fn note_lists(&mut self, file: &File, name: &str, target: &Target, groups: Origin) {
        if !target.log_groups.is_empty() {
            let key = format!("targets.{name}.log_groups");
            self.note(key, target.log_groups.join(","), groups);
        }
        if let Some(aws) = target.aws {
            let in_file = file
                .targets
                .get(name)
                .is_some_and(|target| target.aws.is_some());
            let origin = if in_file {
                self.file_origin()
            } else {
                Origin::Default
            };
            self.note(format!("targets.{name}.aws"), aws, origin);
        }
    }

    /// The file's, or the built-in target's.
    fn origin_in_file(&self, file: &File, name: &str, field: &Field) -> Origin {
        match file.targets.get(name).map(field.of) {
            Some(Some(_)) => self.file_origin(),
            _ => Origin::Default,
        }
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
    of: fn(&Target) -> &Option<String>,
    of_mut: fn(&mut Target) -> &mut Option<String>,
}

const FIELDS: [Field; 5] = [
    Field {
        key: "endpoint",
        flag: "--endpoint",
        env: &["VINTNER_ENDPOINT"],
        aws: false,
        given: |flags| &flags.endpoint,
        of: |target| &target.endpoint,
        of_mut: |target| &mut target.endpoint,
    },
    Field {
        key: "function",
        flag: "--function",
        env: &["VINTNER_FUNCTION"],
        aws: true,
        given: |flags| &flags.function,
        of: |target| &target.function,
        of_mut: |target| &mut target.function,
    },
    Field {
        key: "profile",
        flag: "--profile",
        env: &["AWS_PROFILE"],
        aws: true,
        given: |flags| &flags.profile,
        of: |target| &target.profile,
        of_mut: |target| &mut target.profile,
    },
    Field {
        key: "region",
        flag: "--region",
        env: &["AWS_REGION", "AWS_DEFAULT_REGION"],
        aws: true,
        given: |flags| &flags.region,
        of: |target| &target.region,
        of_mut: |target| &mut target.region,
    },
    Field {
        key: "endpoint_url",
        flag: "--endpoint-url",
        env: &["AWS_ENDPOINT_URL"],
        aws: true,
        given: |flags| &flags.endpoint_url,
        of: |target| &target.endpoint_url,
        of_mut: |target| &mut target.endpoint_url,
    },
];

/// The first flag that speaks of a real target.
fn real_flag(flags: &Flags) -> Option<&'static str> {
    let field = FIELDS.iter().find(|field| (field.given)(flags).is_some());
    let group = (!flags.log_groups.is_empty()).then_some("--log-group");
    field.map(|field| field.flag).or(group)
}

/// An incident is only played in the sandbox; nobody should believe that it is on elsewhere.
fn refuse_off_sandbox(flags: &Flags) -> Result<(), ConfigError> {
    match flags.incident {
        None => Ok(()),
        Some(_) => Err(ConfigError::OnlyForSandbox { flag: "--incident" }),
    }
}

fn refuse_on_sandbox(flags: &Flags) -> Result<(), ConfigError> {
    real_flag(flags).map_or(Ok(()), |flag| Err(ConfigError::NotForSandbox { flag }))
}
