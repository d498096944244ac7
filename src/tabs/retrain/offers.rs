//! What can be done now on the Retrain tab, most useful first.

use super::Retrain;
use super::run::{Job, Running};
use super::views::View;
use crate::keys::Action;
use crate::remote::Remote;
use crate::tabs::Offer;

impl Retrain {
    pub(super) fn all_offers(&self) -> Vec<Offer> {
        if self.setup.editing.is_some() {
            return vec![
                Offer::new(Action::Submit, "set it"),
                Offer::new(Action::NextField, "set, next row"),
                Offer::new(Action::Back, "leave it as it was"),
            ];
        }
        if self.history.is_typing() {
            return vec![
                Offer::new(Action::Submit, "keep the filter"),
                Offer::new(Action::Back, "drop the filter"),
            ];
        }
        let mut offers = self.run_offers();
        offers.extend(self.throne_offers());
        offers.extend(self.list_offers());
        offers.extend(self.resume_offer().err());
        offers.extend([
            Offer::new(Action::NextField, "next view"),
            Offer::new(Action::PreviousField, "previous view"),
            Offer::new(Action::Focus, "next pane"),
            Offer::new(Action::Up, "row up"),
            Offer::new(Action::Down, "row down"),
            Offer::new(Action::PageUp, "page up"),
            Offer::new(Action::PageDown, "page down"),
            Offer::new(Action::Left, "less"),
            Offer::new(Action::Right, "more"),
            Offer::new(Action::Copy, "copy the verdict")
                .only_if(self.report().is_some(), "nothing was trained yet"),
            Offer::new(
                Action::Refresh,
                "read the registry, ask what is served (16 calls)",
            ),
        ]);
        offers
    }

    /// The run in progress, or the one that could be started.
    fn run_offers(&self) -> Vec<Offer> {
        let mut offers = Vec::new();
        if let Some(running) = &self.running {
            let hold = if running.paused { "go on" } else { "pause" };
            offers.push(Offer::new(Action::Toggle, hold));
            let stop = match running.job {
                Job::Tune { .. } => "stop, keep the trials",
                Job::Train if running.is_fitted() => "skip cross-validation",
                _ => "stop",
            };
            offers.push(Offer::new(Action::Back, stop));
        }
        let trials = self.setup.trials_wanted();
        let start = if self.takes_trial() {
            "take the trial"
        } else if trials > 0 {
            "search"
        } else {
            "train"
        };
        let unusable = matches!(self.data, Remote::Failed { .. }) && !self.takes_trial();
        offers.push(
            Offer::new(Action::Submit, start)
                .only_if(!self.busy(), "a run is in progress")
                .only_if(!unusable, "the data cannot be used: see the pane Data"),
        );
        if self.setup.typing && self.running.is_none() {
            offers.push(self.edit_offer());
        }
        offers.extend(self.resume_offer().ok());
        offers.push(Offer::new(Action::View, "view"));
        offers
    }

    fn edit_offer(&self) -> Offer {
        Offer::new(Action::Edit, "edit value").only_if(
            self.setup.can_edit(),
            "choose a parameter with up and down first",
        )
    }

    fn throne_offers(&self) -> Vec<Offer> {
        let idle = "a run is in progress";
        let subject = self.subject();
        let reigns = self.champion().map(|champion| champion.version);
        let promotable = subject.is_some() && subject != reigns;
        let judging = self.running.as_ref().is_some_and(Running::is_fitted);
        let why_not = if judging {
            "it is registered once it is cross-validated"
        } else if subject.is_none() {
            "train a challenger first"
        } else {
            "it is the champion already"
        };
        let previous = self.champion().and_then(|champion| champion.previous);
        let named = |word: &str, version: Option<crate::registry::Version>, plain: &str| {
            version.map_or_else(|| plain.to_owned(), |version| format!("{word} {version}"))
        };
        let promote = named("promote", subject.filter(|_| promotable), "promote");
        let mut offers = vec![
            Offer::new(Action::Promote, promote).only_if(promotable && !self.moving, why_not),
            Offer::new(Action::Rollback, named("back to", previous, "roll back")).only_if(
                previous.is_some() && !self.moving,
                "there is no earlier champion",
            ),
            Offer::new(Action::Presets, "preset").only_if(!self.busy(), idle),
            Offer::new(Action::Reproduce, "reproduce")
                .only_if(!self.busy(), idle)
                .only_if(subject.is_some(), "there is no version to reproduce"),
            Offer::new(Action::Export, "export")
                .only_if(self.can_export(), "there is no version to export"),
        ];
        if !self.setup.typing || self.running.is_some() {
            offers.push(self.edit_offer());
        }
        offers
    }

    /// Going on with a search that was left; `Err` where that cannot be done now.
    fn resume_offer(&self) -> Result<Offer, Offer> {
        let offer = |label: String| Offer::new(Action::Resume, label);
        let refused = |why: String| offer("resume search".to_owned()).only_if(false, why);
        if self.busy() {
            return Err(refused("a run is in progress".to_owned()));
        }
        let (run, search) = self.left_search().map_err(refused)?;
        let made = run.trials.unwrap_or(0);
        Ok(offer(format!("resume search {made}/{}", search.wanted)))
    }

    fn list_offers(&self) -> Vec<Offer> {
        if self.view != View::History {
            return Vec::new();
        }
        vec![
            Offer::new(Action::Search, "filter"),
            Offer::new(Action::Pin, "pin as baseline"),
            Offer::new(Action::Diff, "only what differs"),
        ]
    }
}
