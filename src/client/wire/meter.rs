//! A stream that notes when a request's last byte was written.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// Shared by a stream and the call that uses it.
#[derive(Clone, Default)]
pub(super) struct Meter(Arc<Mutex<Marks>>);

#[derive(Default)]
struct Marks {
    /// Bytes still to be written before the request counts as sent.
    missing: usize,
    sent_at: Option<Instant>,
}

impl Meter {
    /// A request begins whose head and `body` bytes are about to be written.
    pub(super) fn expect(&self, body: usize) {
        // The head goes out before or with the body, so the body's length is reached only with its last bytes.
        *self.marks() = Marks {
            missing: body.max(1),
            sent_at: None,
        };
    }

    /// When the request was written; `None` while it is not.
    pub(super) fn sent_at(&self) -> Option<Instant> {
        self.marks().sent_at
    }

    fn wrote(&self, bytes: usize) {
        let mut marks = self.marks();
        if marks.sent_at.is_none() && bytes > 0 {
            marks.missing = marks.missing.saturating_sub(bytes);
            if marks.missing == 0 {
                marks.sent_at = Some(Instant::now());
            }
        }
    }

    fn marks(&self) -> std::sync::MutexGuard<'_, Marks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream with a [`Meter`].
pub(super) struct Metered<S> {
    stream: S,
    meter: Meter,
}

impl<S> Metered<S> {
    pub(super) fn new(stream: S, meter: Meter) -> Self {
        Self { stream, meter }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

/// Vectored writes are left out on purpose: HTTP/1 then puts head and body into one write.
impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, data))?;
        self.meter.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
