//! What there is to choose from: targets, profiles, regions, functions; the first row is always what is configured.

use super::{Pane, TargetPicker};
use crate::client::destination::region_of;
use crate::config::{SANDBOX, Settings, Target};
use crate::ui::text::clean;

/// The regions of AWS, one a line with its name.
const REGIONS: &str = include_str!("../../../assets/regions.txt");

/// One row to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What it is called.
    pub label: String,
    /// More about it.
    pub detail: String,
    /// What choosing it means: a target's name, or a value instead of the configured one.
    pub value: Option<String>,
}

impl Choice {
    fn new(value: &str, detail: impl Into<String>) -> Self {
        Self {
            label: clean(value),
            detail: detail.into(),
            value: Some(value.to_owned()),
        }
    }

    fn configured(label: Option<&str>, otherwise: &str) -> Self {
        Self {
            label: clean(label.unwrap_or(otherwise)),
            detail: "as configured".to_owned(),
            value: None,
        }
    }
}

impl TargetPicker {
    /// The rows of a pane, or why it has none.
    pub(super) fn choices(
        &self,
        pane: Pane,
        settings: &Settings,
    ) -> Result<Vec<Choice>, &'static str> {
        let name = &self.wanted.target;
        let target = settings.target(name).cloned().unwrap_or_default();
        match pane {
            Pane::Target => {
                let known = settings.targets.iter();
                return Ok(known
                    .map(|(name, target)| Choice::new(name, clean(&target.summary())))
                    .collect());
            }
            Pane::Profile | Pane::Region if name == SANDBOX => {
                return Err("the sandbox has an account and a region of its own");
            }
            _ if !target.has_aws() => return Err("this target has no AWS behind it"),
            _ => {}
        }
        let mut choices = match pane {
            Pane::Target => Vec::new(),
            Pane::Profile => self.profiles(&target),
            Pane::Region => self.regions(&target, settings),
            Pane::Function => self.functions(&target),
        };
        // What was chosen stays in the list, though nobody lists it (now).
        if let Some(chosen) = self.wanted_in(pane)
            && !choices
                .iter()
                .any(|choice| choice.value.as_ref() == Some(chosen))
        {
            choices.push(Choice::new(chosen, "chosen before"));
        }
        Ok(choices)
    }

    fn profiles(&self, target: &Target) -> Vec<Choice> {
        let first = Choice::configured(
            target.profile.as_deref(),
            "AWS_PROFILE, keys in the environment, or default",
        );
        let found = self.profiles.value().map_or(&[][..], |(found, _)| found);
        let others = found.iter().map(|profile| {
            let region = profile
                .region
                .as_deref()
                .map(|region| format!(", {}", clean(region)));
            Choice::new(
                &profile.name,
                format!("{}{}", clean(&profile.source), region.unwrap_or_default()),
            )
        });
        [first].into_iter().chain(others).collect()
    }

    fn regions(&self, target: &Target, settings: &Settings) -> Vec<Choice> {
        let of_endpoint = || {
            let url = url::Url::parse(target.endpoint.as_deref()?).ok()?;
            region_of(&url)
        };
        let own = target.region.clone().or_else(of_endpoint);
        let mut choices = vec![Choice::configured(
            own.as_deref(),
            "AWS_REGION, or the profile's",
        )];
        choices.extend(REGIONS.lines().filter_map(|line| {
            let (region, place) = line.split_once(' ')?;
            Some(Choice::new(region, place))
        }));
        let of_targets = settings
            .targets
            .values()
            .filter_map(|target| target.region.as_deref());
        let found = self.profiles.value().map_or(&[][..], |(found, _)| found);
        for region in found
            .iter()
            .filter_map(|profile| profile.region.as_deref())
            .chain(of_targets)
        {
            if !choices
                .iter()
                .any(|choice| choice.value.as_deref() == Some(region))
            {
                choices.push(Choice::new(region, "named in a configuration file"));
            }
        }
        choices
    }

    fn functions(&self, target: &Target) -> Vec<Choice> {
        let own = target.function.as_deref();
        let otherwise = if self.wanted.target == SANDBOX {
            "its own"
        } else {
            "none"
        };
        let first = Choice::configured(own, otherwise);
        let found = self.listed().value().map_or(&[][..], |(found, _)| found);
        let others = found.iter().filter(|name| Some(name.as_str()) != own);
        [first]
            .into_iter()
            .chain(others.map(|name| Choice::new(name, "")))
            .collect()
    }
}
