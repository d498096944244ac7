//! The README's pictures: drawn here, kept in `assets/screens`, out of date when a screen changes.

use vintner::ui::theme::ThemeName;

use crate::support::picture::assert_picture;
use crate::support::stage::Stage;
use crate::{lambda, predict, retrain, screens};

const SIZE: (u16, u16) = (120, 34);

#[test]
fn the_pictures_in_the_readme_are_what_the_screens_show() {
    let mut stage = Stage::new(SIZE, ThemeName::Dark);
    stage.start();
    predict::informed(&mut stage);
    predict::answered(&mut stage, Ok(predict::answer(200, predict::GOOD)));
    assert_picture("predict", &stage.buffer());

    let mut stage = Stage::new(SIZE, ThemeName::Dark);
    screens::logs::open(&mut stage);
    assert_picture("logs", &stage.buffer());

    let mut stage = Stage::new(SIZE, ThemeName::Dark);
    lambda::diagnosed(&mut stage);
    assert_picture("doctor", &stage.buffer());

    let mut stage = Stage::new(SIZE, ThemeName::Dark);
    retrain::finish(&mut stage);
    assert_picture("retrain", &stage.buffer());
}
