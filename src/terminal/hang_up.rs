//! Notices that the terminal is gone, whether or not a SIGHUP comes with it.

use std::io;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio_util::sync::CancellationToken;

/// Cancels `quit` when the other side of the terminal on stdin is closed. The thread sleeps until then.
pub fn quit_on_hang_up(quit: &CancellationToken) -> io::Result<()> {
    let quit = quit.clone();
    let watch = move || match wait_for_hang_up() {
        Ok(()) => {
            tracing::warn!("the terminal is gone");
            quit.cancel();
        }
        Err(error) => tracing::error!("the terminal cannot be watched: {error}"),
    };
    thread::Builder::new().name("hang-up".into()).spawn(watch)?;
    Ok(())
}

/// Asks for no kind of readiness: a hang-up and an error are told unasked.
fn wait_for_hang_up() -> Result<(), Errno> {
    let stdin = io::stdin();
    let mut terminal = [PollFd::new(&stdin, PollFlags::empty())];
    loop {
        match poll(&mut terminal, None) {
            // A system that cannot poll a terminal (older macOS) is not a terminal that is gone.
            Ok(_) if terminal[0].revents().contains(PollFlags::NVAL) => return Err(Errno::NOTTY),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}
