//! What comes from outside, and what becomes of it.

use super::{Retrain, is_sandbox};
use crate::champion::takes;
use crate::effects;
use crate::effects::retrain::{Effect, Event, Shelf};
use crate::registry::Champion;
use crate::tabs::Cx;
use crate::ui::theme::Tone;

impl Retrain {
    pub(super) fn hear(&mut self, event: &Event, cx: &mut Cx) {
        let at = cx.now.wall;
        match event {
            Event::Checked(report) => self.data.resolve(report.clone(), at),
            Event::Shelf(shelf) => self.shelved(shelf, cx),
            Event::Progress(tick) => self.ticked(tick),
            Event::Judged { ticket, report } => self.judged(*ticket, report),
            Event::Trained { ticket, result } => self.trained(*ticket, result, cx),
            Event::TuningBegun(begun) => self.tuning_begun(begun, cx),
            Event::Tuning(tick) => self.tuning(tick),
            Event::Tuned { ticket, result } => self.tuned(*ticket, result, cx),
            Event::Considered(standing) => self.considered(standing, cx),
            Event::Moved(moved) => self.moved(moved, cx),
            Event::Reproduced { version, result } => {
                self.reproduction_ended(*version, result, cx);
            }
            Event::Resumed => {
                if let Some(running) = &mut self.running {
                    running.paused = false;
                }
            }
            Event::Stopping => {
                if let Some(running) = &mut self.running {
                    // The pause is over: kept trees may still have to be grown on all rows.
                    running.paused = false;
                    running.stopping = true;
                }
            }
            // The app's header tells it.
            Event::Served(_) => {}
            Event::Logged { queued, error } => self.mlflow = Some((*queued, error.clone())),
            Event::Exported(Ok(paths)) => {
                let paths: Vec<String> = paths
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                cx.toast(Tone::Good, format!("wrote {}", paths.join(" and ")));
            }
            Event::ParamsWritten(Ok(notes)) => cx.toast(Tone::Good, notes.join("; ")),
            Event::Exported(Err(error)) | Event::ParamsWritten(Err(error)) => {
                crate::app::report(cx, error.clone());
            }
        }
    }

    fn shelved(&mut self, shelf: &Result<Box<Shelf>, String>, cx: &mut Cx) {
        self.shelf.resolve(shelf.clone(), cx.now.wall);
        let champion = self.champion().map(|champion| champion.version.to_string());
        let shown = cx
            .env
            .session
            .value()
            .and_then(|(session, _)| session.champion.clone());
        // A registry that other models share may have a champion for other inputs: it serves nothing here.
        let takes = shelf.as_ref().is_ok_and(|shelf| {
            let manifest = shelf.manifest.as_ref();
            manifest.is_none_or(|manifest| takes(&cx.env.schema, &manifest.features.names))
        });
        if champion.is_some() && champion != shown && takes {
            cx.tell(effects::Event::Champion(champion));
        }
    }

    fn moved(&mut self, moved: &Result<Box<Champion>, String>, cx: &mut Cx) {
        self.moving = false;
        match moved {
            Ok(champion) => {
                cx.toast(Tone::Good, format!("{} is the champion", champion.version));
                cx.tell(effects::Event::Champion(Some(champion.version.to_string())));
            }
            Err(error) => crate::app::report(cx, error.clone()),
        }
    }

    /// Reads the registry; with `establish`, makes sure that it has a champion.
    pub(super) fn look(&mut self, establish: bool, cx: &mut Cx) {
        self.shelf.load(cx.now.wall);
        cx.effect(Effect::Look { establish });
    }

    /// Checks the data anew.
    pub(super) fn check(&mut self, cx: &mut Cx) {
        self.data.load(cx.now.wall);
        cx.effect(Effect::Check {
            source: self.setup.source(),
            dedup: self.setup.dedup,
        });
    }

    /// Reads everything again.
    pub(super) fn refresh(&mut self, cx: &mut Cx) {
        self.look(is_sandbox(cx.env), cx);
        self.check(cx);
        let schema = std::sync::Arc::clone(&cx.env.schema);
        cx.effect(Effect::Recognise { schema });
    }
}
