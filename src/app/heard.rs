//! What comes from outside: noted by the app, and told to every tab.

use std::sync::Arc;

use super::{App, Env, report};
use crate::client::fingerprint::Served;
use crate::client::link::{Link, Session};
use crate::effects::{Effect, Event, retrain};
use crate::remote::Remote;
use crate::tabs::{Cx, Now};
use crate::ui::theme::Tone;

impl App {
    pub(super) fn on_event(&mut self, event: Event, now: Now) -> Vec<Effect> {
        self.with_cx(now, |app, cx| {
            app.note(&event, cx);
            app.spread(&event, cx);
        })
    }

    /// Every tab and overlay hears every event, so that hidden tabs stay current.
    pub(super) fn spread(&mut self, event: &Event, cx: &mut Cx) {
        for tab in &mut self.tabs {
            tab.on_event(event, cx);
        }
        for overlay in &mut self.overlays {
            overlay.on_event(event, cx);
        }
    }

    /// What the app itself learns from an event.
    pub(super) fn note(&mut self, event: &Event, cx: &mut Cx) {
        let env = Arc::make_mut(&mut self.env);
        match event {
            Event::Connected(link) => {
                env.session = connected(link, cx.now);
                env.connecting = None;
                env.incident = link.sandbox.as_ref().and_then(|sandbox| sandbox.incident());
            }
            Event::Unconnected { target, error } => {
                env.session.resolve(Err(error.clone()), cx.now.wall);
                env.connecting = None;
                report(cx, format!("{target}: {error}"));
            }
            Event::Identified { account } => {
                if let Remote::Ready { value, .. } = &mut env.session {
                    value.account = Some(account.clone());
                }
            }
            Event::IncidentSet(incident) => {
                env.incident = *incident;
                let text = incident.map_or_else(
                    || "the sandbox is healthy again".to_owned(),
                    |incident| format!("incident on: {incident}"),
                );
                cx.toast(Tone::Warn, text);
            }
            Event::Champion(version) => {
                if let Remote::Ready { value, .. } = &mut env.session {
                    value.champion.clone_from(version);
                }
            }
            Event::Retrain(retrain::Event::Served(served)) => self.recognised(served, cx),
            // In the sandbox the question costs nothing; elsewhere it is asked on request.
            Event::Retrain(retrain::Event::Moved(Ok(_))) if is_sandbox(env) => {
                let schema = Arc::clone(&env.schema);
                cx.effect(retrain::Effect::Recognise { schema });
            }
            Event::Crashed { what } => report(
                cx,
                format!("{what} crashed; see the log file, the rest goes on"),
            ),
            _ => {}
        }
    }

    fn recognised(&mut self, served: &Result<Box<Served>, String>, cx: &mut Cx) {
        match served {
            Ok(served) => {
                if let Remote::Ready { value, .. } = &mut Arc::make_mut(&mut self.env).session {
                    let names = served.served.iter().map(ToString::to_string);
                    value.serves = Some(names.collect());
                }
            }
            Err(error) => report(cx, format!("what is served is not known: {error}")),
        }
    }
}

fn connected(link: &Link, now: Now) -> Remote<Session> {
    Remote::Ready {
        value: link.session.clone(),
        at: now.wall,
    }
}

fn is_sandbox(env: &Env) -> bool {
    env.session
        .value()
        .is_some_and(|(session, _)| session.sandbox)
}
