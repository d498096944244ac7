//! Every screen in every size, dark and mono, with its styles: a visible change is a snapshot change.

use crossterm::event::Event as TermEvent;
use vintner::effects::Effect;
use vintner::ui::theme::ThemeName;

use crate::support::stage::Stage;

mod frame;
pub mod logs;
mod target;

#[test]
fn a_screen_too_small_says_so_and_none_at_all_does_not_panic() {
    let mut stage = Stage::new((42, 12), ThemeName::Dark);
    assert!(
        stage.text().contains("60×16 needed, have 42×12"),
        "{}",
        stage.text()
    );
    for (width, height) in [(0, 0), (1, 1), (0, 50), (50, 0), (1, 200), (500, 2)] {
        stage.term(TermEvent::Resize(width, height));
        stage.buffer();
    }
}

#[test]
fn quit_keys_quit_and_escape_never_does() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    assert_eq!(stage.press("2 q"), [Effect::Quit]);
    assert_eq!(stage.press("ctrl-c"), [Effect::Quit]);
    assert_eq!(stage.press("? ctrl-c"), [Effect::Quit]);
    assert!(!stage.press("esc esc esc").contains(&Effect::Quit));
}

#[test]
fn the_palette_finds_and_does() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    stage.press(":");
    assert_eq!(stage.press("s u s p e n d enter"), [Effect::Suspend]);
}

#[test]
fn the_target_picker_connects() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    stage.press("shift-t up up up");
    assert_eq!(stage.press("enter"), [Effect::Connect("aws".into())]);
}

#[test]
fn start_connects_to_the_configured_target() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    assert!(stage.start().contains(&Effect::Connect("sandbox".into())));
}
