//! The tab's two menus, and what choosing from them does.

use super::menu::{Choice, Item, Menu};
use super::{Predict, endpoint};

use crate::domain::schema::Schema;
use crate::domain::what_if;
use crate::effects::predict::Effect;
use crate::tabs::Cx;
use crate::ui::theme::Tone;

impl Predict {
    pub(super) fn chosen(&mut self, choice: Choice, cx: &mut Cx) {
        let schema = cx.env.schema.clone();
        match choice {
            Choice::Preset(n) => {
                let preset = &schema.presets[n];
                self.form
                    .fill_values(&schema, &preset.values, preset.label.clone());
            }
            Choice::RandomRow => cx.effect(Effect::RandomRow),
            Choice::LastFailed => {
                if let Some(entry) = self.past.history.last_failed().cloned() {
                    self.load(&entry, cx);
                }
            }
            Choice::CopyJson => cx.copy(self.body(&schema), "the body"),
            Choice::CopyCurl => match endpoint(cx.env) {
                Some(endpoint) => cx.copy(endpoint.curl(&self.body(&schema)), "a curl line"),
                None => cx.toast(Tone::Warn, "the target has no endpoint for a curl line"),
            },
            Choice::CopyVintner => {
                let pairs = (schema.names().zip(&self.form.fields))
                    .filter(|(_, text)| !text.trim().is_empty());
                let pairs: Vec<String> = pairs
                    .map(|(name, text)| shell_words::quote(&format!("{name}={text}")).into_owned())
                    .collect();
                cx.copy(
                    format!("vintner predict {}", pairs.join(" ")),
                    "a vintner line",
                );
            }
        }
    }

    pub(super) fn menu_of_presets(&self, schema: &Schema) -> Menu {
        let score = |n: usize| {
            let features =
                crate::domain::features::Features::from_values(schema, &schema.presets[n].values)
                    .ok();
            let both = self.local.as_ref().ok().zip(features);
            both.map_or_else(String::new, |(local, features)| {
                format!(
                    "local model: {:.3}",
                    what_if::score(&|row| local.predict(row), &features)
                )
            })
        };
        let mut items: Vec<Item> = (schema.presets.iter().enumerate())
            .map(|(n, preset)| Item {
                label: preset.label.clone(),
                detail: score(n),
                choice: Ok(Choice::Preset(n)),
            })
            .collect();
        let failed = self
            .past
            .history
            .last_failed()
            .map(|_| Choice::LastFailed)
            .ok_or("no request has failed yet");
        items.push(Item {
            label: "Random row".into(),
            detail: "of the data set".into(),
            choice: Ok(Choice::RandomRow),
        });
        items.push(Item {
            label: "Last failing request".into(),
            detail: String::new(),
            choice: failed,
        });
        Menu::new(" Presets · or paste a curl line, JSON, CSV ", items)
    }
}

/// Ways to copy the request.
pub(super) fn menu_of_copies() -> Menu {
    let item = |label: &str, detail: &str, choice| Item {
        label: label.into(),
        detail: detail.into(),
        choice: Ok(choice),
    };
    Menu::new(
        " Copy the request ",
        vec![
            item("curl line", "the same bytes", Choice::CopyCurl),
            item("JSON", "the body alone", Choice::CopyJson),
            item(
                "vintner line",
                "vintner predict alcohol=…",
                Choice::CopyVintner,
            ),
        ],
    )
}
