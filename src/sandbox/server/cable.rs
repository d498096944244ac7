//! The network between the caller and the sandbox: sound, flaky, or unplugged.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use rand::Rng;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::super::incident::Incident;
use super::super::world::{World, lock};

/// In [`Incident::NetworkCut`], the cable is out this long …
const OUT: Duration = Duration::from_secs(6);
/// … and then in this long.
const IN: Duration = Duration::from_secs(14);

/// Pulls the cable again and again while [`Incident::NetworkCut`] lasts; it is back in when the incident ends.
pub(in super::super) async fn cut_the_network(world: Arc<World>) {
    let cut = |now: &Option<(Incident, i64)>| matches!(now, Some((Incident::NetworkCut, _)));
    let mut incidents = world.incidents();
    let forever = async {
        while incidents.wait_for(cut).await.is_ok() {
            for (out, lasts) in [(true, OUT), (false, IN)] {
                world.unplug(out);
                let over = incidents.wait_for(|now| !cut(now));
                let lasts = lasts.div_f64(world.options.speed.max(1e-3));
                if tokio::time::timeout(lasts, over).await.is_ok() {
                    world.unplug(false);
                    break;
                }
            }
        }
    };
    tokio::select! {
        () = world.stop.cancelled() => {}
        () = forever => {}
    }
}

/// A listener whose connections share the sandbox's network trouble.
pub(super) struct Socket {
    listener: TcpListener,
    world: Arc<World>,
}

impl Socket {
    pub fn new(listener: TcpListener, world: Arc<World>) -> Self {
        Self { listener, world }
    }

    /// Whether a new connection is cut, and after how long; `None` for a sound one.
    fn cut_after(&self) -> Option<Duration> {
        if !self.world.is(Incident::FlakyNetwork) {
            return None;
        }
        let mut dice = lock(&self.world.dice);
        dice.gen_bool(0.35).then(|| {
            Duration::from_secs_f64(dice.gen_range(0.0..0.4) / self.world.options.speed.max(1e-3))
        })
    }
}

impl Listener for Socket {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, peer)) = self.listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            let mut cable = self.world.cable();
            if *cable.borrow() {
                reset(&stream);
                continue;
            }
            let _ = stream.set_nodelay(true);
            let cut = CancellationToken::new();
            let (trigger, limit, stop) = (cut.clone(), self.cut_after(), self.world.stop.clone());
            let closed = cut.clone();
            tokio::spawn(async move {
                let worn = async {
                    match limit {
                        Some(limit) => tokio::time::sleep(limit).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    () = worn => trigger.cancel(),
                    _ = cable.wait_for(|out| *out) => trigger.cancel(),
                    () = stop.cancelled() => {}
                    () = closed.cancelled() => {}
                }
            });
            return (
                Wire {
                    stream,
                    cut: Box::pin(cut.clone().cancelled_owned()),
                    token: cut,
                },
                peer,
            );
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// Closing with linger 0 sends a reset instead of an orderly end.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}

/// A connection that can be cut under its user.
pub(super) struct Wire {
    stream: TcpStream,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    token: CancellationToken,
}

impl Wire {
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.cut.as_mut().poll(context).is_ready() {
            reset(&self.stream);
            return Err(io::Error::from(io::ErrorKind::ConnectionReset));
        }
        Ok(())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.token.cancel();
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
