//! Keys that move and change: in the form, in the history, one step out.

use super::{Focus, Predict, View};
use crate::domain::schema::Schema;
use crate::effects::predict::Effect;
use crate::keys::Action;
use crate::tabs::Cx;
use crate::ui::text::clean;
use crate::ui::theme::Tone;

impl Predict {
    pub(super) fn form_action(&mut self, action: Action, schema: &Schema, cx: &mut Cx) {
        let page = isize::from(i16::MAX);
        self.typing = true;
        match action {
            Action::Up => self.form.select_by(-1),
            Action::Down => self.form.select_by(1),
            Action::Top | Action::PageUp => self.form.select_by(-page),
            Action::Bottom | Action::PageDown => self.form.select_by(page),
            Action::Left => self.form.step(schema, -1),
            Action::Right => self.form.step(schema, 1),
            Action::FastLeft => self.form.step(schema, -10),
            Action::FastRight => self.form.step(schema, 10),
            Action::Toggle | Action::Edit => match schema.features[self.form.selected].range() {
                Some(_) => {
                    let text = self.form.fields[self.form.selected].clone();
                    self.form.edit(schema, &text);
                }
                None => self.form.step(schema, 1),
            },
            Action::Reset => self.reset(schema, cx),
            _ => self.typing = false,
        }
    }

    fn reset(&mut self, schema: &Schema, cx: &mut Cx) {
        let reset = self.form.reset(schema);
        let feature = &schema.features[self.form.selected];
        let value = &self.form.fields[self.form.selected];
        let value = (value.parse()).map_or_else(|_| clean(value), |value| feature.display(value));
        let from = clean(&self.form.base_label);
        let text = if reset {
            format!(
                "{} is back to {value} ({from}); undo takes it back",
                feature.label
            )
        } else {
            format!("{} is {value} already ({from})", feature.label)
        };
        cx.toast(Tone::Muted, text);
    }

    pub(super) fn past_action(&mut self, action: Action, cx: &mut Cx) {
        let page = self
            .panes(cx.body)
            .past
            .map_or(10, |pane| pane.height.saturating_sub(2)) as isize;
        match action {
            Action::Up => self.past.select_by(-1),
            Action::Down => self.past.select_by(1),
            Action::PageUp => self.past.select_by(-page),
            Action::PageDown => self.past.select_by(page),
            Action::Top => self.past.selected = 0,
            Action::Bottom => self.past.select_by(isize::MAX),
            Action::Submit | Action::Edit => {
                if let Some(entry) = self.past.entry().cloned() {
                    self.load(&entry, cx);
                }
            }
            Action::Search => self.past.typing = Some(self.past.filter.clone().into()),
            _ => {}
        }
    }

    pub(super) fn back(&mut self, cx: &mut Cx) {
        if self.waiting.take().is_some() {
            cx.effect(Effect::Cancel);
            cx.toast(Tone::Muted, "no longer waiting for the answer");
        } else if self.view == View::Bench && self.bench.as_ref().is_some_and(|bench| bench.running)
        {
            self.bench
                .iter_mut()
                .for_each(|bench| bench.running = false);
            cx.effect(Effect::StopBench);
        } else if self.view == View::Batch && self.batch.as_ref().is_some_and(|batch| batch.running)
        {
            (self.batch.iter_mut()).for_each(|batch| batch.running = false);
            cx.effect(Effect::StopBatch);
        } else if self
            .charts
            .served
            .as_ref()
            .is_some_and(|served| served.running)
        {
            (self.charts.served.iter_mut()).for_each(|served| served.running = false);
            cx.effect(Effect::StopSweep);
        } else if self.view != View::Answer {
            self.view = View::Answer;
        } else if !self.past.filter.is_empty() && self.focus == Focus::Past {
            self.past.filter.clear();
        } else {
            self.focus = Focus::Form;
            self.typing = false;
        }
    }
}
