//! What is drawn about the form besides the answer: what the local model would say, and what a sweep over the endpoint
//! brought.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::champion::Local;
use crate::domain::features::Features;
use crate::domain::schema::Schema;
use crate::domain::what_if::{self, Reach, Sweep};
use crate::keys::{Action, Scope};
use crate::tabs::Look;
use crate::train::shap::Explanation;
use crate::ui::hints::hint;
use crate::ui::panel::{self, notice, panel};
use crate::ui::text::clean;
use crate::ui::theme::Tone;

/// Everything that follows the form.
#[derive(Debug, Default)]
pub struct Charts {
    /// The selected feature swept.
    pub sweep: Option<Sweep>,
    /// Every feature's reach.
    pub tornado: Vec<Reach>,
    /// The score taken apart; only while it is looked at.
    pub explanation: Option<Explanation>,
    /// A sweep over the endpoint.
    pub served: Option<Served>,
    /// The mean curve that was asked for last.
    pub dependence: Option<Dependence>,
}

/// A sweep over the endpoint, on its way or done.
#[derive(Debug, Clone, PartialEq)]
pub struct Served {
    /// The sweep's number; answers to another are stale.
    pub ticket: u64,
    /// The inputs; the swept one is no part of what was asked.
    pub features: Features,
    /// Position of the swept feature.
    pub field: usize,
    /// How many calls there will be.
    pub total: usize,
    /// Value and score of the calls that brought a prediction.
    pub points: Vec<(f64, f64)>,
    /// Calls that did not.
    pub failed: usize,
    /// Whether it still runs.
    pub running: bool,
    /// Whether it is about what the form says now.
    pub shown: bool,
}

/// The mean curve of the data's rows, on its way while `n` is 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Dependence {
    /// The model's version.
    pub version: String,
    /// Position of the feature.
    pub field: usize,
    /// Rows that were averaged.
    pub n: usize,
    /// Value and mean score.
    pub points: Vec<(f64, f64)>,
}

impl Charts {
    /// Follows a change of the form; `explained` says whether the score is to be taken apart too.
    pub fn follow(
        &mut self,
        local: Option<&Local>,
        features: Option<&Features>,
        field: usize,
        explained: bool,
        schema: &Schema,
    ) {
        if let Some(served) = &mut self.served {
            served.shown = features.is_some_and(|features| served.is_about(features, field));
        }
        let Some((local, features)) = local.zip(features) else {
            self.sweep = None;
            self.tornado.clear();
            self.explanation = None;
            return;
        };
        let model = |row: &[f32]| local.predict(row);
        self.sweep = Some(what_if::sweep(&model, schema, features, field));
        self.tornado = what_if::tornado(&model, schema, features);
        self.explanation = explained.then(|| local.explain(features)).flatten();
    }

    /// The sweep over the endpoint, if it is this one.
    pub fn served_by(&mut self, ticket: u64) -> Option<&mut Served> {
        self.served
            .as_mut()
            .filter(|served| served.ticket == ticket)
    }

    /// The mean curve of this feature by this model, if it is there.
    pub fn dependence_of(&self, field: usize, version: &str) -> Option<&Dependence> {
        self.dependence
            .as_ref()
            .filter(|mean| mean.field == field && mean.version == version && mean.n > 0)
    }
}

impl Served {
    /// A sweep that begins.
    pub fn begin(ticket: u64, features: Features, field: usize, total: usize) -> Self {
        Self {
            ticket,
            features,
            field,
            total,
            points: Vec::new(),
            failed: 0,
            running: true,
            shown: true,
        }
    }

    /// Whether it swept this feature with the others as they are here.
    fn is_about(&self, features: &Features, field: usize) -> bool {
        self.field == field && self.features.with(field, 0.0) == features.with(field, 0.0)
    }
}

/// The longest of the titles that fits; what was `opened` says how it is closed, unless only the last title has room
/// for that.
pub fn title(variants: &[&[&str]], opened: bool, area: Rect, look: &Look) -> String {
    let closes = hint(Scope::Predict, Action::Back, "closes", look);
    let telling = &variants[..variants.len().saturating_sub(1)];
    let closing = telling.iter().map(|parts| [*parts, &[&closes]].concat());
    let plain = variants.iter().map(|parts| parts.to_vec());
    let variants: Vec<Vec<&str>> = closing.filter(|_| opened).chain(plain).collect();
    panel::title(&variants, area, look)
}

/// The frame with the reason why there is nothing in it.
pub fn nothing(
    title: &'static str,
    local: Result<&Local, &String>,
    opened: bool,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let inner = panel(title, opened, area, buf, look);
    let text = match local {
        Ok(_) => "correct the inputs to see what the model would say",
        Err(why) => why,
    };
    notice(&clean(text), Tone::Muted, inner, buf, look);
}
