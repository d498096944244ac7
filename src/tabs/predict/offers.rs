//! What can be done in the tab now, in the order of the footer.

use super::{Focus, Predict, View};
use crate::keys::Action;
use crate::tabs::Offer;

/// What can be done now, most useful first.
pub(super) fn offers(tab: &Predict) -> Vec<Offer> {
    let some = !tab.past.history.entries().is_empty();
    let none = "no request has been sent yet";
    let local = tab.local.as_ref().map(drop).map_err(Clone::clone);
    let mut offers = if tab.focus == Focus::Form {
        vec![
            Offer::new(Action::Submit, "predict"),
            Offer::new(Action::Presets, "presets"),
            Offer::new(Action::Edit, "type"),
        ]
    } else {
        vec![
            Offer::new(Action::Submit, "load").only_if(some, none),
            Offer::new(Action::Diff, "diff").only_if(some, none),
            Offer::new(Action::Pin, "pin").only_if(some, none),
            Offer::new(Action::Search, "filter").only_if(some, none),
            Offer::new(Action::Edit, "edit a copy").only_if(some, none),
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
        Offer::new(Action::Right, "step").only_if(tab.focus == Focus::Form, "only in the form"),
        Offer::new(Action::WhatIf, "what-if").ready_if(local.clone()),
        Offer::new(Action::Tornado, "tornado").ready_if(local.clone()),
        Offer::new(Action::Explain, "explain").ready_if(local),
        Offer::new(Action::Compare, "three ways"),
        Offer::new(Action::Bench, "bench"),
        Offer::new(Action::Batch, "score a CSV"),
        Offer::new(Action::Replay, "replay").only_if(some, none),
        Offer::new(Action::Copy, "copy"),
        Offer::new(Action::Undo, "undo").only_if(tab.form.can_undo(), "nothing to undo"),
        Offer::new(Action::Reset, "preset value"),
        Offer::new(
            Action::NextField,
            if tab.focus == Focus::Form {
                "history"
            } else {
                "form"
            },
        ),
        Offer::new(Action::SendRaw, "send as typed"),
        Offer::new(Action::CopyMore, "copy JSON"),
        Offer::new(Action::FastRight, "ten steps"),
    ]);
    offers.extend(last);
    if tab.focus == Focus::Form {
        offers.push(Offer::new(Action::Diff, "diff with the last").only_if(some, none));
    }
    offers
}
