//! When the next frame is due: the first change at once, later ones share a frame. Pure: it is told the time.

use std::time::Duration;

use tokio::time::Instant;

/// The shortest pause between the end of one draw and the start of the next: at most 60 frames a second.
pub const FRAME: Duration = Duration::from_millis(16);

/// Remembers whether the screen is stale and when it was last drawn.
#[derive(Debug, Default)]
pub struct Pacer {
    stale: bool,
    drawn_at: Option<Instant>,
}

impl Pacer {
    /// Says that something on the screen has changed.
    pub const fn invalidate(&mut self) {
        self.stale = true;
    }

    /// When to draw: `None` while nothing changed, otherwise now or one frame after the end of the last draw.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let earliest = self.drawn_at.map_or(now, |at| at + FRAME);
        self.stale.then(|| earliest.max(now))
    }

    /// Says that a draw has just ended. Counting from its end leaves a slow terminal time for messages.
    pub const fn drawn(&mut self, at: Instant) {
        self.stale = false;
        self.drawn_at = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_changed_nothing_due() {
        assert_eq!(Pacer::default().due(Instant::now()), None);
    }

    #[test]
    fn the_first_change_is_drawn_at_once_and_later_ones_share_a_frame() {
        let (mut pacer, start) = (Pacer::default(), Instant::now());
        pacer.invalidate();
        assert_eq!(pacer.due(start), Some(start));
        pacer.drawn(start);
        assert_eq!(pacer.due(start), None);
        for ms in 1..10 {
            pacer.invalidate();
            assert_eq!(
                pacer.due(start + Duration::from_millis(ms)),
                Some(start + FRAME)
            );
        }
    }

    #[test]
    fn an_overdue_frame_is_due_now() {
        let (mut pacer, start) = (Pacer::default(), Instant::now());
        pacer.drawn(start);
        pacer.invalidate();
        let late = start + Duration::from_secs(1);
        assert_eq!(pacer.due(late), Some(late));
    }
}
