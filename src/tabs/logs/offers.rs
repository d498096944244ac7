//! What the Logs tab can do now.

use super::{Logs, View};
use crate::keys::Action;
use crate::tabs::Offer;

/// The offers, most useful first.
pub fn offers(logs: &Logs) -> Vec<Offer> {
    if let Some(prompt) = &logs.prompt {
        return prompt.offers();
    }
    let (has_lines, nothing) = if logs.view == View::Insights {
        (logs.insights.len() > 0, "there are no rows")
    } else {
        (!logs.store.is_empty(), "there are no lines yet")
    };
    let view = match logs.view {
        View::Lines => "requests",
        View::Requests => "errors",
        View::Errors if logs.insights.was_asked() => "Insights",
        View::Errors | View::Insights => "lines",
    };
    let enter = match logs.view {
        _ if logs.focus.is_some() => "requests behind it",
        View::Lines => "expand",
        View::Requests | View::Errors => "its lines",
        View::Insights => "whole row",
    };
    let insights = Offer::new(Action::Insights, "Insights query").only_if(
        !logs.groups.is_empty(),
        "this target names no log group: give --log-group or --function",
    );
    let is_query = logs.view == View::Insights;
    let mut offers = vec![
        Offer::new(Action::View, view),
        Offer::new(Action::Search, "search"),
        Offer::new(Action::Include, "only"),
        Offer::new(Action::Exclude, "hide").only_if(
            logs.view != View::Requests,
            "among requests & chooses: failed, cold, >500ms, a text",
        ),
        Offer::new(Action::Submit, enter).only_if(has_lines, nothing),
        Offer::new(
            Action::Follow,
            match logs.view {
                View::Requests => "newest first",
                _ if logs.lines.follow => "pause",
                _ => "follow",
            },
        )
        .only_if(
            matches!(logs.view, View::Lines | View::Requests),
            "nothing is followed here",
        ),
        Offer::new(
            Action::LevelUp,
            if logs.view == View::Requests {
                "only failures"
            } else {
                "level up"
            },
        ),
        Offer::new(
            Action::LevelDown,
            if logs.view == View::Requests {
                "all"
            } else {
                "level down"
            },
        ),
    ];
    if logs.view == View::Requests {
        offers.push(Offer::new(
            Action::Right,
            format!("sort: {}", logs.requests.sort.name()),
        ));
        offers.push(Offer::new(Action::Left, "previous sort"));
    } else {
        offers.push(Offer::new(Action::Right, "scroll right"));
        offers.push(Offer::new(Action::Left, "scroll left"));
    }
    let searching = "search first";
    offers.extend([
        Offer::new(Action::NextMatch, "next match")
            .only_if(logs.sieve.search().is_some(), searching),
        Offer::new(Action::PreviousMatch, "previous match")
            .only_if(logs.sieve.search().is_some(), searching),
        Offer::new(
            Action::Back,
            if logs.view == View::Insights && logs.insights.is_running() {
                "stop the query"
            } else {
                "one step out"
            },
        ),
        Offer::new(Action::Wrap, "wrap"),
        Offer::new(
            Action::TimeFormat,
            format!("times: {}", logs.lines.clock.name()),
        ),
        Offer::new(Action::TimeJump, "jump to time").only_if(has_lines, nothing),
        Offer::new(Action::Context, "context"),
        Offer::new(Action::Mark, "mark").only_if(has_lines, nothing),
        Offer::new(Action::NextMark, "next mark")
            .only_if(!logs.lines.marks.is_empty(), "nothing is marked"),
        Offer::new(Action::Copy, "copy").only_if(has_lines, nothing),
        Offer::new(
            Action::CopyMore,
            if logs.view == View::Insights {
                "copy as Markdown"
            } else {
                "copy request"
            },
        )
        .only_if(has_lines, nothing),
        Offer::new(Action::CopyCommand, "copy as aws logs")
            .only_if(!logs.groups.is_empty(), "there is no log group to ask"),
        Offer::new(Action::NextField, "next figure"),
        Offer::new(Action::PreviousField, "previous figure"),
        Offer::new(Action::Earlier, "earlier").only_if(has_lines, nothing),
        Offer::new(Action::Later, "later").only_if(has_lines, nothing),
        Offer::new(Action::Export, "export").only_if(has_lines, nothing),
        Offer::new(Action::OpenConsole, "copy console link").only_if(has_lines, nothing),
        Offer::new(Action::OpenFile, "open a file"),
        Offer::new(Action::Columns, "columns").only_if(
            logs.view == View::Lines,
            "only the view of the lines has columns",
        ),
        Offer::new(Action::FilterPattern, "server-side filter").only_if(
            logs.source.is_tail(),
            "a file is filtered here: include or exclude lines",
        ),
        Offer::new(
            Action::LiveTail,
            if logs.wishes.live_tail {
                "Live Tail off"
            } else {
                "Live Tail"
            },
        )
        .only_if(logs.source.is_tail(), "a file has no Live Tail"),
        Offer::new(Action::Refresh, "look now"),
        Offer::new(Action::Top, "first"),
        Offer::new(Action::Bottom, "last, follow"),
    ]);
    // Where the query is what is looked at, it comes first. To the errors from where the next view is another.
    offers.insert(if is_query { 1 } else { offers.len() }, insights);
    match logs.view {
        View::Lines | View::Insights => {
            let behind_query = if is_query { 2 } else { 1 };
            offers.insert(behind_query, Offer::new(Action::Errors, "errors"));
        }
        View::Requests => offers.push(Offer::new(Action::Errors, "errors")),
        View::Errors => offers.push(Offer::new(Action::Errors, "lines")),
    }
    offers
}
