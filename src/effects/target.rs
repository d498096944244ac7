//! What the target overlay asks for and hears: the profiles in the AWS files, the functions of a place.

use std::sync::Arc;

use super::{Runner, Slot};
use crate::client::destination::Destination;
use crate::client::lambda::Lambda;
use crate::client::link::Link;
use crate::client::profiles::{Profile, profiles};
use crate::config::{SANDBOX, Settings};

/// More functions than anybody chooses from.
const MOST: usize = 2000;

/// What the overlay asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Read the AWS configuration and credentials files.
    Profiles,
    /// List the functions there.
    Functions(Destination),
}

/// What the overlay hears.
#[derive(Debug)]
pub enum Event {
    /// The profiles, or why they cannot be read.
    Profiles(Result<Vec<Profile>, String>),
    /// The functions of a place, or why they cannot be listed.
    Functions {
        /// Where.
        place: Destination,
        /// Their names, sorted; or a sentence with the remedy.
        names: Result<Vec<String>, String>,
    },
}

/// Starts what the effect asks for.
pub fn run(effect: Effect, runner: &mut Runner) {
    match effect {
        Effect::Profiles => {
            runner.spawn_in(Slot::Profiles, "reading profiles", |outbox, _| async move {
                outbox.send(Event::Profiles(profiles().await)).await;
            });
        }
        Effect::Functions(place) => {
            let (link, settings) = (runner.link.clone(), Arc::clone(&runner.settings));
            runner.spawn_in(
                Slot::Functions,
                "listing functions",
                |outbox, _| async move {
                    let names = functions(&place, link.as_ref(), &settings).await;
                    outbox.send(Event::Functions { place, names }).await;
                },
            );
        }
    }
}

async fn functions(
    place: &Destination,
    link: Option<&Link>,
    settings: &Settings,
) -> Result<Vec<String>, String> {
    let here = link.filter(|link| link.destination.place() == *place);
    let aws = match here {
        Some(link) => link.aws_again().await,
        None if place.target == SANDBOX => {
            return Err("connect to the sandbox to see its function".to_owned());
        }
        None => Link::reach(settings, place).await,
    };
    let aws = aws.map_err(|error| format!("{error:#}"))?;
    let listed = Lambda::new(&aws.config, "", None, Some(&aws.profile))
        .list_functions(MOST)
        .await;
    match listed.absence() {
        Some(why) => Err(why),
        None => Ok(listed.known().cloned().unwrap_or_default()),
    }
}
