//! The function's configuration: remarks first, environment masked, and the difference to another version.

use ratatui::text::{Line, Span};

use super::Lambda;
use crate::domain::doctor::Fact;
use crate::domain::function::{FunctionConfig, Overview, diff, lints};
use crate::tabs::Look;
use crate::ui::text::{clean, truncate};

const LABEL: usize = 18;

/// The pane's lines.
pub fn lines(tab: &Lambda, width: u16, look: &Look) -> Vec<Line<'static>> {
    let Some((overview, _)) = tab.overview.value() else {
        return Vec::new();
    };
    let room = usize::from(width).saturating_sub(LABEL + 1);
    let mut lines = Vec::new();
    let max_memory = tab.vitals.as_ref().and_then(|v| v.max_memory);
    for lint in lints(overview, max_memory) {
        lines.push(Line::from(vec![
            Span::styled(format!("{} ", look.glyphs.warn), look.theme.warn),
            Span::styled(format!("{}: ", lint.field), look.theme.warn),
            Span::styled(clean(&lint.text), look.theme.text),
        ]));
    }
    match &overview.config {
        Fact::Known(config) => {
            lines.extend(compared(tab, config, room, look));
            lines.extend(rows(config, room, look));
            lines.extend(environment(tab, config, room, look));
        }
        other => lines.push(Line::styled(
            format!("the function: {}", why(other)),
            look.theme.bad,
        )),
    }
    lines.extend(around(overview, room, look));
    lines
}

fn row(label: &str, value: &str, room: usize, look: &Look) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!("{label:<LABEL$} "), look.theme.muted),
        Span::styled(
            truncate(&clean(value), room, look.glyphs.ellipsis),
            look.theme.text,
        ),
    ])
}

fn rows(config: &FunctionConfig, room: usize, look: &Look) -> Vec<Line<'static>> {
    let shown = config
        .rows()
        .into_iter()
        .filter(|(field, _)| *field != "environment");
    shown
        .map(|(field, value)| row(field, &value, room, look))
        .collect()
}

/// Names in the open, values masked unless asked for.
fn environment(
    tab: &Lambda,
    config: &FunctionConfig,
    room: usize,
    look: &Look,
) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (index, (name, value)) in config.environment.iter().enumerate() {
        let shown = if tab.revealed.contains(name) {
            clean(value.reveal())
        } else {
            "••••••".to_owned()
        };
        let text = truncate(
            &format!("{} = {shown}", clean(name)),
            room,
            look.glyphs.ellipsis,
        );
        let style = if index == tab.variable {
            look.theme.selected
        } else {
            look.theme.text
        };
        let label = if index == 0 { "environment" } else { "" };
        lines.push(Line::from(vec![
            Span::styled(format!("{label:<LABEL$} "), look.theme.muted),
            Span::styled(text, style),
        ]));
    }
    lines
}

fn compared(tab: &Lambda, config: &FunctionConfig, room: usize, look: &Look) -> Vec<Line<'static>> {
    let Some((version, other)) = &tab.compared else {
        return Vec::new();
    };
    let changes = diff(other, config);
    let mut lines = vec![Line::styled(
        format!(
            "version {version} → {}: {} fields differ",
            config.version,
            changes.len()
        ),
        look.theme.accent,
    )];
    for (field, left, right) in changes {
        let text = truncate(
            &format!("{} → {}", clean(&left), clean(&right)),
            room,
            look.glyphs.ellipsis,
        );
        lines.push(Line::from(vec![
            Span::styled(format!("  {field:<16} "), look.theme.muted),
            Span::styled(text, look.theme.warn),
        ]));
    }
    lines.push(Line::default());
    lines
}

/// What surrounds the function: aliases, versions, concurrency, URL, event sources, retention.
fn around(overview: &Overview, room: usize, look: &Look) -> Vec<Line<'static>> {
    let aliases = text(&overview.aliases, |aliases| {
        let one = |a: &crate::domain::function::Alias| {
            let weights: String = a
                .weights
                .iter()
                .map(|(v, share)| format!(" + {v} ({:.0} %)", share * 100.0))
                .collect();
            format!("{} → {}{weights}", a.name, a.version)
        };
        aliases.iter().map(one).collect::<Vec<_>>().join(", ")
    });
    let versions = text(&overview.versions, |v| {
        v.iter()
            .map(|v| v.version.clone())
            .collect::<Vec<_>>()
            .join(", ")
    });
    let concurrency = text(&overview.concurrency, |c| {
        let reserved = c.reserved.map_or("none".to_owned(), |n| n.to_string());
        format!(
            "reserved {reserved}, account limit {}",
            c.account_limit
                .known()
                .map_or_else(|| why(&c.account_limit), ToString::to_string)
        )
    });
    let provisioned = text(&overview.provisioned, |p| {
        p.iter()
            .map(|(q, n)| format!("{q}: {n}"))
            .collect::<Vec<_>>()
            .join(", ")
    });
    let sources = text(&overview.event_sources, |s| s.join(", "));
    let retention = text(&overview.retention, |days| {
        days.map_or("for ever".to_owned(), |d| format!("{d} days"))
    });
    vec![
        row("aliases", &aliases, room, look),
        row("versions", &versions, room, look),
        row("concurrency", &concurrency, room, look),
        row("provisioned", &provisioned, room, look),
        row(
            "function URL",
            &text(&overview.url, Clone::clone),
            room,
            look,
        ),
        row("event sources", &sources, room, look),
        row("log retention", &retention, room, look),
        row(
            "API Gateway",
            &text(&overview.api_id, Clone::clone),
            room,
            look,
        ),
    ]
}

fn text<T>(fact: &Fact<T>, show: impl FnOnce(&T) -> String) -> String {
    match fact {
        Fact::Known(value) => Some(show(value))
            .filter(|t| !t.is_empty())
            .unwrap_or_else(|| "none".to_owned()),
        Fact::Missing(_) => "none".to_owned(),
        other => why(other),
    }
}

fn why<T>(fact: &Fact<T>) -> String {
    match fact {
        Fact::Known(_) => String::new(),
        Fact::Denied { action } => format!("needs {action}"),
        Fact::Missing(why) | Fact::Failed(why) | Fact::NoCredentials(why) => clean(why),
        Fact::NotAsked => "–".to_owned(),
    }
}
