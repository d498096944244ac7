//! The Retrain tab: keys in, effects out; a real run on its screens.

mod runs;
mod search;
mod throne;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossterm::event::{Event as TermEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use tempfile::TempDir;
use tokio::sync::mpsc;
use vintner::challenger::{Service, Source, Standing, standing};
use vintner::champion;
use vintner::domain::schema::Schema;
use vintner::effects::retrain::{Effect, Event, Form, Order, Report, Shelf, Tick, shelf, training};
use vintner::effects::{self, Outbox};
use vintner::registry::{Champion, Registry, Version};
use vintner::train::progress::Judged;
use vintner::train::{Flow, Plan};
use vintner::ui::theme::ThemeName;

use crate::support::stage::Stage;

/// One real run against a real first champion, made once for all tests of this file.
struct Rehearsal {
    _home: TempDir,
    shelf: Shelf,
    report: Arc<Report>,
    ticks: Vec<Tick>,
}

fn rehearsal() -> &'static Rehearsal {
    static REHEARSAL: OnceLock<Rehearsal> = OnceLock::new();
    REHEARSAL.get_or_init(|| {
        let home = tempfile::tempdir().unwrap();
        let registry = Registry::at(home.path());
        champion::establish(&registry).unwrap();
        let (sender, mut inbox) = mpsc::channel(10_000);
        let order = Order {
            ticket: 1,
            plan: Plan::preset("fast").unwrap(),
            preset: Some("fast".into()),
            source: Source::Embedded,
            dedup: true,
            service: Service::from(Schema::wine_quality()),
        };
        let report =
            training::train(&order, &registry, &Outbox::new(sender), &|| Flow::Continue).unwrap();
        let mut ticks = Vec::new();
        while let Ok(event) = inbox.try_recv() {
            if let effects::Event::Retrain(Event::Progress(tick)) = event {
                ticks.push(*tick);
            }
        }
        let shelf = steady(Shelf::look(&registry, false).unwrap());
        Rehearsal {
            _home: home,
            shelf,
            report: Arc::new(Report {
                fit_seconds: 0.5,
                ..report
            }),
            ticks,
        }
    })
}

/// The shelf without what differs from machine to machine.
fn steady(mut shelf: Shelf) -> Shelf {
    let at = "2026-11-23T11:00:00Z".parse().unwrap();
    for entry in &mut shelf.versions {
        let manifest = entry.manifest.as_mut().unwrap();
        (manifest.created_at, manifest.fit.seconds) = (at, 0.5);
    }
    let champion = shelf.champion.take().unwrap();
    shelf.champion = Some(Champion {
        by: "ann@laptop".into(),
        since: at,
        ..champion
    });
    shelf
}

/// Half a run: every tree up to the hundredth, at a steady pace.
fn halfway() -> Tick {
    let rehearsal = rehearsal();
    let ticks = || rehearsal.ticks.iter();
    let points: Vec<_> = ticks()
        .flat_map(|tick| tick.points.clone())
        .filter(|point| point.trees <= 150)
        .collect();
    let mut progress = ticks().find_map(|tick| tick.progress.clone()).unwrap();
    progress.done = 150;
    progress.total = 300;
    progress.coverage = 1.0;
    progress.elapsed = Duration::from_millis(250);
    progress.eta = Some(Duration::from_millis(250));
    progress.trees_per_second = Some(600.0);
    // The first message may come before the first tree.
    progress.scores = None;
    let host = effects::retrain::Host {
        cores: Some(1.9),
        rss: Some(64 << 20),
    };
    Tick {
        ticket: 1,
        phase: training::Phase::Fit,
        progress: Some(progress),
        points,
        nodes: 250_000,
        host,
    }
}

fn tell(stage: &mut Stage, event: Event) -> Vec<effects::Effect> {
    stage.event(effects::Event::Retrain(event))
}

fn check(source: Source, dedup: bool) -> effects::Effect {
    Effect::Check { source, dedup }.into()
}

/// The tab with data and registry read.
fn furnish(stage: &mut Stage) {
    stage.press("4");
    tell(
        stage,
        Event::Checked(Ok(Box::new(shelf::check(&Source::Embedded, true).unwrap()))),
    );
    tell(stage, Event::Shelf(Ok(Box::new(rehearsal().shelf.clone()))));
}

pub fn finish(stage: &mut Stage) {
    furnish(stage);
    stage.press("enter");
    tell(
        stage,
        Event::Trained {
            ticket: 1,
            result: Ok(Arc::clone(&rehearsal().report)),
        },
    );
    stage.wait(Duration::from_secs(10));
    stage.event(effects::Event::IncidentSet(None));
    stage.wait(Duration::from_secs(10));
    stage.press("g");
}

fn trained(report: Report) -> Event {
    Event::Trained {
        ticket: 1,
        result: Ok(Arc::new(report)),
    }
}

/// The rehearsal's report, had its slices and its threshold stopped it.
fn blocked() -> Report {
    let mut report = Report::clone(&rehearsal().report);
    for gate in report.gates.iter_mut().take(2) {
        gate.passed = false;
    }
    report
}

#[test]
fn it_looks_right_before_a_run() {
    crate::assert_screens!("retrain-ready", furnish);
}

#[test]
fn it_looks_right_during_a_run() {
    crate::assert_screens!("retrain-running", |stage| {
        furnish(stage);
        stage.press("enter");
        tell(stage, Event::Progress(Box::new(halfway())));
    });
}

#[test]
fn it_looks_right_after_a_run() {
    crate::assert_screens!("retrain-verdict", finish);
}

#[test]
fn its_views_look_right() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        for (name, presses) in [
            ("residuals", "v"),
            ("scatter", "v v"),
            ("bands", "v v v"),
            ("importance", "v v v v"),
            ("history", "v v v v v v d"),
        ] {
            let mut stage = Stage::new(size, ThemeName::Dark);
            finish(&mut stage);
            stage.press(presses);
            let name = format!("retrain-{name}-{}x{}", size.0, size.1);
            insta::assert_debug_snapshot!(name, stage.buffer());
        }
    }
}

#[test]
fn no_word_of_the_views_and_the_verdict_is_cut_at_80x24() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    finish(&mut stage);
    let kept = Report {
        kept: true,
        ..Report::clone(&rehearsal().report)
    };
    stage.press("esc enter");
    let version = kept.version.clone();
    tell(
        &mut stage,
        Event::Trained {
            ticket: 2,
            result: Ok(Arc::new(kept)),
        },
    );
    assert!(version.is_ok());
    for _ in 0..5 {
        let text = stage.text();
        assert!(!text.contains('…'), "{text}");
        assert!(text.contains("P 1.00 "), "{text}");
        stage.press("v");
    }
}

/// Every view in every size, without a panic, and the verdict always in sight.
#[test]
fn every_view_fits_every_size() {
    for size in [(60, 16), (80, 24), (120, 40), (200, 60)] {
        let mut stage = Stage::new(size, ThemeName::Dark);
        finish(&mut stage);
        for _ in 0..7 {
            stage.press("v");
            let text = stage.text();
            assert!(text.contains("BETTER"), "{size:?}\n{text}");
        }
    }
}

#[test]
fn ascii_means_ascii() {
    let mut stage = Stage::with(
        (120, 40),
        vintner::config::Flags {
            ascii: true,
            ..Default::default()
        },
    );
    finish(&mut stage);
    for _ in 0..7 {
        stage.press("v");
        let text = stage.text();
        let strange = text.chars().find(|c| !c.is_ascii());
        assert_eq!(strange, None, "{text}");
    }
}

/// A line of the screen from this cell on.
fn line_with(stage: &Stage, words: &str) -> String {
    let text = stage.text();
    let line = text.lines().find(|line| line.contains(words));
    line.unwrap_or_else(|| panic!("{words} in\n{text}"))
        .to_owned()
}

/// Clicks where the screen says `words`.
fn click(stage: &mut Stage, words: &str) {
    let screen = stage.text();
    let found = screen.lines().enumerate().find_map(|(row, line)| {
        let before = line.split_once(words)?.0;
        Some((before.chars().count() as u16, row as u16))
    });
    let (column, row) = found.unwrap_or_else(|| panic!("no {words:?} in\n{screen}"));
    stage.term(TermEvent::Mouse(MouseEvent {
        kind: MouseEventKind::Down(MouseButton::Left),
        column,
        row,
        modifiers: KeyModifiers::NONE,
    }));
}

#[test]
fn a_click_selects_the_row_of_a_list() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    finish(&mut stage);
    click(&mut stage, "history");
    assert!(stage.press("x").is_empty() && stage.text().contains("Write v0002"));
    stage.press("esc");
    click(&mut stage, "random-forest 138×8");
    stage.press("x");
    assert!(stage.text().contains("Write v0001"), "{}", stage.text());
}

#[test]
fn no_figure_of_the_bands_is_cut_and_the_rest_is_a_page_away() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    finish(&mut stage);
    stage.press("v v v");
    let report = &rehearsal().report;
    let row = &report.evaluation.confusion[1];
    let found = 100.0 * row[1] as f64 / row.iter().sum::<usize>() as f64;
    let line = line_with(&stage, "Average ");
    assert!(stage.text().contains(&format!("{found:.0}%")), "{line}");
    assert!(stage.text().contains("▼"), "{}", stage.text());
    stage.press("pagedown");
    let last = report.evaluation.slices.last().unwrap();
    let line = line_with(
        &stage,
        &format!("{:.3}  n {}", last.scores.mse, last.scores.n),
    );
    assert!(line.contains("was 0.") || line.contains("was 1."), "{line}");
    assert!(stage.text().contains("▲"), "{}", stage.text());
    stage.press("pageup pageup");
    assert!(
        stage.text().contains("rows: actual band"),
        "{}",
        stage.text()
    );
    stage.press("pagedown pagedown pagedown");
    // The one best wine of the holdout is the last line, with its own row and error.
    let best = line_with(&stage, "   9     1 ");
    assert!(best.contains("-3."), "{best}");
}

#[test]
fn every_gates_reason_and_the_way_on_can_be_read_at_80x24() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    furnish(&mut stage);
    stage.press("enter");
    stage.event(trained(blocked()));
    assert!(
        stage.text().contains("overrides (asks)"),
        "{}",
        stage.text()
    );
    let mut seen = stage.text();
    stage.press("f f");
    for _ in 0..30 {
        stage.press("down");
        seen.push_str(&stage.text());
    }
    for gate in &blocked().gates {
        let first: String = gate
            .reason
            .split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ");
        assert!(seen.contains(&first), "{first} in\n{}", stage.text());
    }
}

#[test]
fn the_wheel_scrolls_what_is_under_it() {
    use crossterm::event::{Event as TermEvent, KeyModifiers, MouseEvent, MouseEventKind};
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    finish(&mut stage);
    assert!(!stage.text().contains("first start"), "{}", stage.text());
    for _ in 0..2 {
        stage.term(TermEvent::Mouse(MouseEvent {
            kind: MouseEventKind::ScrollDown,
            column: 5,
            row: 20,
            modifiers: KeyModifiers::NONE,
        }));
    }
    assert!(stage.text().contains("first start"), "{}", stage.text());
}

#[test]
fn each_line_of_the_curve_has_its_own_mark_and_says_what_it_is_measured_on() {
    let mut stage = Stage::new((120, 40), ThemeName::Mono);
    finish(&mut stage);
    let legend = line_with(&stage, "challenger oob R²");
    for mark in ["━━ challenger oob R²", "┄┄ v0001 oob R²", "┈┈ linear CV R²"] {
        assert!(legend.contains(mark), "{mark} in {legend}");
    }
    stage.press("down right enter");
    let mut tick = halfway();
    tick.ticket = 2;
    let progress = tick.progress.as_mut().unwrap();
    progress.coverage = 0.0;
    progress.scores = Some((Judged::Watched, rehearsal().report.evaluation.scores));
    tell(&mut stage, Event::Progress(Box::new(tick)));
    assert!(!stage.text().contains("covered"), "{}", stage.text());
    let stopped = training::Stopped::Cancelled {
        done: 100,
        total: 200,
    };
    let ended = Event::Trained {
        ticket: 2,
        result: Err(stopped),
    };
    tell(&mut stage, ended);
    let legend = line_with(&stage, "stopped run");
    assert!(
        legend.contains("stopped run validation R²") && legend.contains("v0001 oob R²"),
        "{legend}"
    );
}

#[test]
fn the_history_is_filtered_and_its_differences_scroll() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    finish(&mut stage);
    stage.press("v v v v v v / o w n e r enter");
    let text = stage.text();
    assert!(text.contains("138×8") && !text.contains("300×∞"), "{text}");
    stage.press("esc down * up");
    let pinned = line_with(&stage, "138×8");
    assert!(pinned.contains("✓* v0001"), "{pinned}");
    let text = stage.text();
    assert!(
        text.contains("fields differ") && text.contains("▼"),
        "{text}"
    );
    assert!(!text.contains("model_sha256"), "{text}");
    stage.press("pagedown pagedown pagedown pagedown");
    assert!(stage.text().contains("model_sha256"), "{}", stage.text());
}

#[test]
fn the_rehearsals_challenger_is_better_and_reproducible() {
    let rehearsal = rehearsal();
    let report = &rehearsal.report;
    let comparison = report.comparison.unwrap();
    assert_eq!(comparison.verdict.to_string(), "BETTER", "{comparison:?}");
    assert!(report.passed(), "{:?}", report.gates);
    assert_eq!(report.version, Ok("v0002".parse::<Version>().unwrap()));
    assert_eq!(report.looks, 2);
    let (sender, _inbox) = mpsc::channel(10_000);
    let registry = Registry::at(rehearsal.shelf.root.clone());
    for version in ["v0001", "v0002"] {
        let again = training::reproduce(
            version.parse().unwrap(),
            &registry,
            &Outbox::new(sender.clone()),
            &|| Flow::Continue,
        );
        assert_eq!(again, Ok(true), "{version}");
    }
}
