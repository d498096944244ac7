//! The row of chips: what is filtered and looked for, and how much is left.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::clock::Clock;
use super::requests::Requests;
use super::sieve::Sieve;
use crate::store::Store;
use crate::tabs::Look;
use crate::ui::text::{clean, count, plural, truncate, width};

/// What the chips row says besides filters and search.
pub struct Notes<'a> {
    /// The pattern that CloudWatch filters by.
    pub pattern: Option<&'a str>,
    /// What else is counted in this view.
    pub counted: &'a str,
    /// What is being watched, where no chip stands.
    pub watched: &'a str,
}

/// The chips of pattern, level, filters and search on the left; counts on the right.
pub fn chips(
    sieve: &Sieve,
    index: usize,
    store: &Store,
    notes: &Notes,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let theme = look.theme;
    let all = plural(store.len(), "line");
    let counts = if sieve.is_filtering() {
        let passing = sieve.match_count(store);
        let around = match sieve.len(store).saturating_sub(passing) {
            0 => String::new(),
            around => format!(" and {} around", count(around)),
        };
        format!("{}{around} of {all}{} ", count(passing), notes.counted)
    } else {
        format!("{all}{} ", notes.counted)
    };
    let room = usize::from(area.width).saturating_sub(width(&counts) + 1);
    Line::styled(counts, theme.muted)
        .right_aligned()
        .render(area, buf);
    let mut spans = Vec::new();
    let mut chip = |mark: &str, text: &str, style| {
        spans.push(Span::raw(" "));
        spans.push(Span::styled(format!(" {mark}{} ", clean(text)), style));
    };
    if let Some(pattern) = notes.pattern {
        chip("at CloudWatch: ", pattern, theme.warn.patch(theme.selected));
    }
    if let Some(level) = sieve.level() {
        chip("level >= ", level.word(), theme.warn.patch(theme.selected));
    }
    for entry in sieve.entries() {
        let (mark, style) = if entry.layer.exclude {
            ("- ", theme.bad)
        } else {
            ("& ", theme.good)
        };
        chip(mark, &entry.label, style.patch(theme.selected));
    }
    if let Some(search) = sieve.search() {
        chip("/ ", &search.text, theme.accent.patch(theme.selected));
        let found = match sieve.found_count(index, store) {
            None => "searching".to_owned(),
            Some((_, 0)) => "no match".to_owned(),
            Some((0, all)) => matches(all),
            Some((at, all)) => format!("{} of {}", count(at), count(all)),
        };
        spans.push(Span::styled(format!(" {found}"), theme.muted));
    }
    if sieve.context > 0 {
        let around = format!("  {} around", plural(sieve.context, "line"));
        let taken: usize = spans.iter().map(Span::width).sum();
        if taken + width(&around) <= room {
            spans.push(Span::styled(around, theme.muted));
        }
    }
    if spans.is_empty() {
        let watched = format!(" {}", clean(notes.watched));
        let watched = truncate(&watched, room, look.glyphs.ellipsis);
        spans.push(Span::styled(watched, theme.muted));
    }
    Line::from(spans).render(
        Rect {
            width: room as u16,
            ..area
        },
        buf,
    );
}

/// `1 match`, `2 matches`.
pub fn matches(n: usize) -> String {
    format!("{} {}", count(n), if n == 1 { "match" } else { "matches" })
}

/// The chips of the Requests view: its own filter, not that of the lines.
pub fn requests(
    requests: &Requests,
    clock: Clock,
    notes: &Notes,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let theme = look.theme;
    let all = plural(requests.total(), "request");
    let wanted = requests.wanted();
    let counts = if wanted.is_all() {
        format!("{all} ")
    } else {
        format!("{} of {all} ", count(requests.len()))
    };
    let room = usize::from(area.width).saturating_sub(width(&counts) + 1);
    Line::styled(counts, theme.muted)
        .right_aligned()
        .render(area, buf);
    let pattern = notes
        .pattern
        .map(|pattern| format!("at CloudWatch: {}", clean(pattern)));
    let since = wanted
        .since
        .map(|since| format!("ended since {}", clock.print(since, look.now.wall)));
    let words = Some(wanted.words()).filter(|words| !words.is_empty());
    let words = words.map(|words| format!("& {}", clean(&words)));
    let chips = [
        (pattern, theme.warn),
        (since, theme.good),
        (words, theme.good),
    ];
    let mut spans = Vec::new();
    for (text, style) in chips {
        if let Some(text) = text {
            spans.push(Span::raw(" "));
            spans.push(Span::styled(
                format!(" {text} "),
                style.patch(theme.selected),
            ));
        }
    }
    if spans.is_empty() {
        let watched = truncate(
            &format!(" {}", clean(notes.watched)),
            room,
            look.glyphs.ellipsis,
        );
        spans.push(Span::styled(watched, theme.muted));
    }
    let rect = Rect {
        width: room as u16,
        ..area
    };
    Line::from(spans).render(rect, buf);
}
