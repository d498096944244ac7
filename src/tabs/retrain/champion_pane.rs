//! Who reigns: its figures, what it is, and the moves that made it so.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Retrain;
use super::lines::{ascii_line, flowed, scrolled, speak, wrapped};
use super::panes::Pane;
use crate::effects::retrain::Shelf;
use crate::registry::{Champion, Manifest, What};
use crate::remote::Remote;
use crate::tabs::Look;
use crate::ui::panel::{notice, panel};
use crate::ui::text::{age, clean};
use crate::ui::theme::Tone;

/// Draws who reigns.
pub(super) fn render(tab: &Retrain, area: Rect, buf: &mut Buffer, look: &Look) {
    let inner = panel(" Champion ", tab.focus == Pane::Champion, area, buf, look);
    if let Some(shelf) = tab.shelf() {
        let lines = lines(shelf, inner, look);
        return scrolled(
            lines,
            tab.scrolls.of(Pane::Champion),
            inner,
            area,
            buf,
            look,
        );
    }
    let (text, tone) = match &tab.shelf {
        Remote::Failed { error, .. } => (clean(error), Tone::Bad),
        Remote::Loading { since, .. } => (
            format!("reading the registry {}", look.spinner(*since)),
            Tone::Muted,
        ),
        _ => ("not connected yet".to_owned(), Tone::Muted),
    };
    notice(&text, tone, inner, buf, look);
}

/// What is known of the champion, the most telling first.
pub(super) fn lines(shelf: &Shelf, area: Rect, look: &Look) -> Vec<Line<'static>> {
    let theme = look.theme;
    let cells = usize::from(area.width);
    let mut lines: Vec<Line> = shelf
        .warnings
        .iter()
        .flat_map(|warning| wrapped(&clean(warning), cells, theme.bad))
        .collect();
    let Some(champion) = &shelf.champion else {
        lines.push(Line::styled("none yet: train and promote one", theme.muted));
        return lines;
    };
    lines.push(Line::from(vec![
        Span::styled(champion.version.to_string(), theme.accent),
        Span::styled(
            format!("  since {}", age(champion.since, look.now.wall)),
            theme.muted,
        ),
    ]));
    if let Some(manifest) = &shelf.manifest {
        lines.extend(metrics(manifest, cells, look));
        lines.extend(wrapped(&speak(manifest.summary(), look), cells, theme.text));
    }
    lines.extend(came(champion, cells, look));
    if let Some(manifest) = &shelf.manifest {
        lines.push(Line::default());
        lines.extend(made(manifest, cells, look));
    }
    lines.push(Line::default());
    lines.extend(moves(shelf, cells, look));
    lines
}

/// R2, MSE, then what was measured on the training rows; no figure is ever cut from its name.
fn metrics(manifest: &Manifest, cells: usize, look: &Look) -> Vec<Line<'static>> {
    let metrics = &manifest.metrics;
    let mut figures = Vec::new();
    if let Some(holdout) = &metrics.holdout {
        figures.push(("R² ", format!("{:.3}", holdout.r2)));
        figures.push(("MSE ", format!("{:.3}", holdout.mse)));
        figures.push(("MAE ", format!("{:.3}", holdout.mae)));
    }
    if let Some(oob) = &metrics.oob {
        figures.push(("oob R² ", format!("{:.3}", oob.r2)));
    }
    if let Some(cv) = &metrics.cv {
        figures.push((
            "CV R² ",
            format!(
                "{:.3} ± {:.3} ({} folds)",
                cv.r2, cv.r2_half_width, cv.folds
            ),
        ));
    }
    if let Some(linear) = &metrics.linear {
        figures.push(("linear R² ", format!("{:.3}", linear.r2)));
    }
    let mut lines: Vec<Vec<Span>> = vec![Vec::new()];
    let mut used = 0;
    for (name, figure) in figures {
        let wide = name.chars().count() + figure.chars().count();
        if used > 0 && used + 2 + wide > cells {
            lines.push(Vec::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(Span::raw("  "));
                used += 2;
            }
            used += wide;
            line.extend([Span::styled(name, look.theme.muted), Span::raw(figure)]);
        }
    }
    lines
        .into_iter()
        .map(|spans| Line::from(ascii_line(spans, look)))
        .collect()
}

/// Before whom, by whom, why.
fn came(champion: &Champion, cells: usize, look: &Look) -> Vec<Line<'static>> {
    let muted = look.theme.muted;
    let before = champion
        .previous
        .map_or_else(|| "nobody".to_owned(), |version| version.to_string());
    let mut lines = vec![Line::from(vec![
        Span::styled("before ", muted),
        Span::raw(before),
    ])];
    lines.extend(wrapped(&clean(&champion.by), cells, muted));
    lines.extend(wrapped(&clean(&champion.reason), cells, muted));
    lines
}

/// What it was made from.
fn made(manifest: &Manifest, cells: usize, look: &Look) -> Vec<Line<'static>> {
    let (data, muted) = (&manifest.data, look.theme.muted);
    let dedup = if data.deduplicated {
        "duplicates dropped"
    } else {
        "duplicates kept"
    };
    let short = |hash: &str| hash.chars().take(12).collect::<String>();
    let spans = [
        format!("preset {}  ", manifest.preset.as_deref().unwrap_or("none")),
        format!("seed {}  ", manifest.plan.params.seed),
        format!("made {}  ", age(manifest.created_at, look.now.wall)),
        format!("{} train, {} holdout  ", data.train, data.holdout),
        format!("{dedup}  "),
        format!("data {}  ", short(&data.sha256)),
        format!("model {}", short(&manifest.model_sha256)),
    ];
    flowed(
        spans.map(|text| Span::styled(clean(&text), muted)).to_vec(),
        cells,
    )
}

/// The audit log of the throne, newest first.
fn moves(shelf: &Shelf, cells: usize, look: &Look) -> Vec<Line<'static>> {
    let theme = look.theme;
    let mut lines = Vec::new();
    for event in shelf.events.iter().rev() {
        let word = match event.what {
            What::Promoted => "promoted",
            What::RolledBack => "rolled back to",
            What::Recovered => "recovered",
            _ => continue,
        };
        if lines.is_empty() {
            lines.push(Line::styled("moves, newest first", theme.muted));
        }
        let version = event
            .version
            .map_or_else(String::new, |version| version.to_string());
        lines.push(Line::from(vec![
            Span::styled(format!("{word} "), theme.text),
            Span::styled(version, theme.accent),
            Span::styled(format!("  {}", age(event.at, look.now.wall)), theme.muted),
        ]));
        if !event.overridden.is_empty() {
            let over = format!("over {}", event.overridden.join(", "));
            lines.extend(wrapped(&clean(&over), cells, theme.warn));
        }
        lines.extend(wrapped(&clean(&event.reason), cells, theme.muted));
    }
    lines
}
