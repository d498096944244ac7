//! What follows a change of the form: the local model's curves, and the chart in view.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::charts::Dependence;
use super::{Predict, View, explain, tornado, what_if};
use crate::domain::schema::Schema;
use crate::effects::predict::{Effect, LocalModel};
use crate::tabs::{Cx, Look};

impl Predict {
    /// What the local model says follows every change of the form.
    fn refresh(&mut self, schema: &Schema) {
        let features = self.form.parse(schema).ok();
        self.charts.follow(
            self.local.as_ref().ok(),
            features.as_ref(),
            self.form.selected,
            self.view == View::Explain,
            schema,
        );
    }

    /// Asks for the mean curve behind the sweep, where one is on screen and none is there or on its way.
    fn ask_dependence(&mut self, cx: &mut Cx) {
        let panes = self.panes(cx.body);
        let seen = self.view == View::WhatIf || panes.what_if.is_some();
        let (Ok(local), true) = (&self.local, seen) else {
            return;
        };
        let field = self.form.selected;
        let asked = self.charts.dependence.as_ref();
        if asked.is_some_and(|mean| mean.field == field && mean.version == local.version) {
            return;
        }
        self.charts.dependence = Some(Dependence {
            version: local.version.clone(),
            field,
            n: 0,
            points: Vec::new(),
        });
        cx.effect(Effect::Dependence {
            field,
            local: LocalModel(local.clone()),
            schema: cx.env.schema.clone(),
        });
    }

    /// What else follows a change: everything that is drawn about the form.
    pub(super) fn follow(&mut self, cx: &mut Cx) {
        self.refresh(&cx.env.schema);
        self.ask_dependence(cx);
    }

    /// Draws the chart of a view.
    pub(super) fn chart(
        &self,
        view: &View,
        opened: bool,
        area: Rect,
        buf: &mut Buffer,
        look: &Look,
    ) {
        let (charts, local) = (&self.charts, self.local.as_ref());
        let selected = self.form.selected;
        match view {
            View::Tornado => tornado::render(charts, local, selected, opened, area, buf, look),
            View::Explain => explain::render(charts, local, &self.form, area, buf, look),
            _ => what_if::render(charts, local, selected, opened, area, buf, look),
        }
    }

    /// After a promotion or a rollback what-if must ask the new champion, not the one from the start.
    pub(super) fn follow_champion(&self, version: &str, cx: &mut Cx) {
        let current = self
            .local
            .as_ref()
            .is_ok_and(|local| local.version == version);
        if self.opened && !current {
            cx.effect(Effect::LoadLocal);
        }
    }

    pub(super) fn toggle_view(&mut self, view: View) {
        self.view = if self.view == view {
            View::Answer
        } else {
            view
        };
    }
}
