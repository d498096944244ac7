//! What keys do on the tab besides moving about: compare, reveal, report, and the way to other places.

use std::path::PathBuf;

use super::{Lambda, Pane, config};
use crate::domain::arn;
use crate::domain::console;
use crate::domain::invocation::Wanted;
use crate::effects::lambda::{Effect, Other};
use crate::overlay::alerts::AlertList;
use crate::overlay::compare::CompareMenu;
use crate::tabs::{Cx, Now};
use crate::ui::theme::Tone;

impl Lambda {
    /// Opens the menu of what the function can be compared with.
    pub(super) fn compare(&self, cx: &mut Cx) {
        let overview = self.overview.value().map(|(overview, _)| overview);
        let versions = overview.and_then(|o| o.versions.known());
        let numbers = versions.into_iter().flatten().map(|v| v.version.as_str());
        let numbers: Vec<&str> = numbers.filter(|v| *v != "$LATEST").collect();
        let newest_first = numbers.into_iter().rev();
        let versions = newest_first.map(|v| Other::Version(v.to_owned()));
        let here = cx.env.session.value().map(|(s, _)| s.target.clone());
        let settings = &cx.env.settings;
        let others = settings.targets.iter().filter(|(name, target)| {
            target.has_aws() && Some(*name) != here.as_ref() && **name != settings.target
        });
        let targets = others.map(|(name, _)| Other::Target(name.clone()));
        let current = self.compared.as_ref().map(|(other, _)| other.clone());
        cx.open(CompareMenu::new(versions.chain(targets).collect(), current));
    }

    /// The variable under the cursor is shown or masked; elsewhere the cursor goes to the first one.
    pub(super) fn reveal(&mut self, cx: &mut Cx) {
        self.show(Pane::Config);
        let rows = config::rows(self);
        let Some(config::Row::Variable(index, _)) = rows.get(self.cursor) else {
            let is_variable = |row: &config::Row| matches!(row, config::Row::Variable(..));
            self.cursor = rows.iter().position(is_variable).unwrap_or(self.cursor);
            return cx.toast(Tone::Info, "choose a variable, then show it");
        };
        let overview = self.overview.value().map(|(overview, _)| overview);
        let config = overview.and_then(|o| o.config.known());
        let Some((name, _)) = config.and_then(|c| c.environment.get(*index)) else {
            return;
        };
        if !self.revealed.remove(name) {
            self.revealed.insert(name.clone());
        }
    }

    /// The requests behind the pane's figures: cold ones, failed ones, or those at and above p99.
    pub(super) fn behind(&self, now: Now) -> Wanted {
        let rows = self.vitals().into_iter().flat_map(|v| &v.latency);
        let mut durations = rows.filter(|row| row.what == "Duration");
        let p99 = durations.find_map(|row| row.p99?.value());
        let slow = !matches!(self.pane, Pane::Money | Pane::Alerts);
        Wanted {
            cold: self.pane == Pane::Money,
            failed: self.pane == Pane::Alerts,
            at_least_ms: p99.filter(|_| slow),
            since: Some(now.wall.as_millisecond() - self.shown().seconds() * 1000),
            ..Wanted::default()
        }
    }

    pub(super) fn report(&self, cx: &mut Cx) {
        let name = format!(
            "vintner-report-{}.md",
            cx.now.wall.strftime("%Y%m%d-%H%M%S")
        );
        cx.toast(Tone::Info, format!("writing {name} …"));
        cx.effect(Effect::Report {
            schema: cx.env.schema.clone(),
            window: self.window,
            path: PathBuf::from(name),
        });
    }

    pub(super) fn console_link(&self, cx: &mut Cx) {
        let Some(config) = self.overview.value().and_then(|(o, _)| o.config.known()) else {
            return;
        };
        let region = arn::region(&config.arn).unwrap_or_default();
        match console::function(region, &config.name) {
            Some(link) => cx.copy_link(link, "the console link"),
            None => cx.toast(Tone::Muted, "no region, no link"),
        }
    }

    pub(super) fn alert_list(&self, cx: &Cx) -> AlertList {
        let config = self.overview.value().and_then(|(o, _)| o.config.known());
        let region = config
            .and_then(|c| arn::region(&c.arn))
            .unwrap_or_default()
            .to_owned();
        let api_id = self
            .overview
            .value()
            .and_then(|(o, _)| o.api_id.known().cloned());
        let function = cx
            .env
            .session
            .value()
            .map(|(s, _)| s.function.clone())
            .unwrap_or_default();
        AlertList::new(self.alerts.clone(), function, api_id, region)
    }
}
