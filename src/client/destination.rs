//! Where to connect: a configured target, with what was chosen by hand over it.

use url::Url;

use crate::config::{Settings, Target};

/// A target's name and what is to be different from its configuration. Choices last until another connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Destination {
    /// The configured target.
    pub target: String,
    /// Another profile.
    pub profile: Option<String>,
    /// Another region.
    pub region: Option<String>,
    /// Another function.
    pub function: Option<String>,
}

impl From<&str> for Destination {
    fn from(target: &str) -> Self {
        Self {
            target: target.to_owned(),
            ..Self::default()
        }
    }
}

impl From<String> for Destination {
    fn from(target: String) -> Self {
        Self {
            target,
            ..Self::default()
        }
    }
}

impl Destination {
    /// The account and region alone: where functions are listed.
    #[must_use]
    pub fn place(&self) -> Self {
        Self {
            function: None,
            ..self.clone()
        }
    }

    /// The target with the choices in it; `None` when it is not configured. An endpoint and log groups stand for one
    /// function in one region: with another of either they are left out rather than shown for something they are not.
    pub fn resolve(&self, settings: &Settings) -> Option<Target> {
        let mut target = settings.target(&self.target)?.clone();
        if self.moved(&target) {
            target.endpoint = None;
            target.log_groups.clear();
        }
        target.profile = self.profile.clone().or(target.profile);
        target.region = self.region.clone().or(target.region);
        target.function = self.function.clone().or(target.function);
        Some(target)
    }

    /// Whether function or region are others than the target's own.
    fn moved(&self, target: &Target) -> bool {
        let of_endpoint = || {
            let url = Url::parse(target.endpoint.as_deref()?).ok()?;
            region_of(&url)
        };
        let own = target.region.clone().or_else(of_endpoint);
        let differs =
            |chosen: &Option<String>, own: &Option<String>| chosen.is_some() && chosen != own;
        differs(&self.region, &own) || differs(&self.function, &target.function)
    }
}

/// The region in an `{api}.execute-api.{region}.amazonaws.com` host.
pub fn region_of(endpoint: &Url) -> Option<String> {
    let mut labels = endpoint.host_str()?.split('.');
    labels
        .find(|label| *label == "execute-api")
        .and_then(|_| labels.next())
        .map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;

    fn settings() -> Settings {
        let home = |name: &str| (name == "HOME").then(|| "/nowhere".to_owned());
        Settings::load(Flags::default(), &home).unwrap()
    }

    #[test]
    fn the_region_is_read_from_the_endpoint() {
        let region = |url| region_of(&Url::parse(url).unwrap());
        assert_eq!(
            region("https://abc.execute-api.us-east-2.amazonaws.com/x"),
            Some("us-east-2".to_owned())
        );
        assert_eq!(region("http://localhost:8000/predict"), None);
    }

    #[test]
    fn an_endpoint_is_only_kept_for_the_function_and_region_it_belongs_to() {
        let settings = settings();
        let plain = settings.target("aws").unwrap();
        assert!(plain.endpoint.is_some());
        let with = |choose: fn(&mut Destination)| {
            let mut destination = Destination::from("aws");
            choose(&mut destination);
            destination.resolve(&settings).unwrap()
        };
        assert_eq!(&with(|_| ()), plain);
        let same = with(|d| d.region = Some("us-east-2".into()));
        assert_eq!(same.endpoint, plain.endpoint);
        let profile = with(|d| d.profile = Some("prod".into()));
        assert_eq!(
            (profile.endpoint, profile.profile.as_deref()),
            (plain.endpoint.clone(), Some("prod"))
        );
        assert_eq!(with(|d| d.region = Some("eu-west-1".into())).endpoint, None);
        let other = with(|d| d.function = Some("other".into()));
        assert_eq!(
            (other.endpoint, other.function.as_deref()),
            (None, Some("other"))
        );
        assert_eq!(Destination::from("nowhere").resolve(&settings), None);
    }
}
