//! What can be done in the tab now, in the order of the footer.

use super::{Focus, Predict, View};
use crate::keys::Action;
use crate::tabs::Offer;

/// What can be done now, most useful first.
pub(super) fn offers(tab: &Predict) -> Vec<Offer> {
    if tab.past.typing.is_some() {
        return vec![
            Offer::new(Action::Submit, "keep the filter"),
            Offer::new(Action::Back, "drop the filter"),
        ];
    }
    if tab.is_in_field() {
        return vec![
            Offer::new(Action::Submit, "predict").about("send the inputs to the endpoint"),
            Offer::new(Action::Down, "next field"),
            Offer::new(Action::Up, "field before"),
            Offer::new(Action::Back, "leave it as it was"),
            Offer::new(Action::NextField, "history").about("to the earlier requests"),
        ];
    }
    let some = !tab.past.history.entries().is_empty();
    let none = "no request has been sent yet";
    let local = tab.local.as_ref().map(drop).map_err(Clone::clone);
    let mut offers = if tab.focus == Focus::Form {
        vec![
            Offer::new(Action::Submit, "predict").about("send the inputs to the endpoint"),
            Offer::new(Action::Presets, "presets")
                .about("samples, medians, a random row, the last failure"),
            Offer::new(Action::Edit, "type").about("type a value into the selected field"),
        ]
    } else {
        vec![
            Offer::new(Action::Submit, "load")
                .about("put the request back into the form")
                .only_if(some, none),
            Offer::new(Action::Diff, "diff")
                .about("what changed to the request before it")
                .only_if(some, none),
            Offer::new(Action::Pin, "pin")
                .about("keep it for ever")
                .only_if(some, none),
            Offer::new(Action::Search, "filter")
                .about("only requests with a text in them")
                .only_if(some, none),
            Offer::new(Action::Edit, "edit a copy")
                .about("change the request in the form")
                .only_if(some, none),
        ]
    };
    // Beside the local curve the endpoint's is what one wants next.
    let sweep = Offer::new(Action::Sweep, "sweep the endpoint");
    let (first, last) = if tab.view == View::WhatIf {
        (Some(sweep), None)
    } else {
        (None, Some(sweep))
    };
    offers.extend(first);
    offers.extend([
        Offer::new(Action::Right, "step")
            .about("the selected value, one step more")
            .only_if(tab.focus == Focus::Form, "only in the form"),
        Offer::new(Action::WhatIf, "what-if").ready_if(local.clone()),
        Offer::new(Action::Tornado, "tornado").ready_if(local.clone()),
        Offer::new(Action::Explain, "explain").ready_if(local),
        Offer::new(Action::Compare, "three ways"),
        Offer::new(Action::Bench, "bench"),
        Offer::new(Action::Batch, "score a CSV")
            .about("score every row of a file, there or on this machine"),
        Offer::new(Action::Replay, "replay")
            .about("send an earlier request again, byte for byte")
            .only_if(some, none),
        Offer::new(Action::Copy, "copy").about("the request as curl, JSON or a vintner line"),
        Offer::new(Action::Undo, "undo")
            .about("take the last change of the form back")
            .only_if(tab.form.can_undo(), "nothing to undo"),
        Offer::new(Action::Reset, "preset value").about("the selected value as the preset has it"),
        if tab.focus == Focus::Form {
            Offer::new(Action::NextField, "history").about("to the earlier requests")
        } else {
            Offer::new(Action::NextField, "form").about("back to the form")
        },
        Offer::new(Action::SendRaw, "send as typed").about("send the fields' text, valid or not"),
        Offer::new(Action::CopyMore, "copy JSON").about("the body as it would be sent"),
        Offer::new(Action::FastRight, "ten steps").about("the selected value, ten steps more"),
    ]);
    offers.extend(last);
    if tab.focus == Focus::Form {
        offers.push(
            Offer::new(Action::Diff, "diff with the last")
                .about("what changed between the last two requests")
                .only_if(some, none),
        );
    }
    offers
}
