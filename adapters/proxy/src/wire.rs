use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use authgate_core::Unanswered;
use authgate_tower::Host;
use hyper::rt::{Read, ReadBufCursor, Write};

use crate::fault::Fault;
use crate::limits::bounded;

/// What happens on one connection to the upstream. It carries one request at a time.
#[derive(Debug)]
pub(crate) struct Wire {
    opened: Instant,
    /// When something of the request last moved, in milliseconds since the connection was opened.
    moved: AtomicU64,
    /// How often something was read since the request began, be it the end of the stream.
    reads: AtomicU32,
    /// Whether it is the client that is waited for.
    starved: AtomicBool,
    /// Why the client's body could not be passed on. Such a connection serves nobody else.
    upload: OnceLock<Fault>,
}

impl Wire {
    pub(crate) fn new() -> Self {
        Self {
            opened: Instant::now(),
            moved: AtomicU64::new(0),
            reads: AtomicU32::new(0),
            starved: AtomicBool::new(false),
            upload: OnceLock::new(),
        }
    }

    /// A request begins.
    pub(crate) fn begins(&self) {
        self.reads.store(0, Ordering::Relaxed);
        self.moves();
    }

    pub(crate) fn upload_ends(&self) {
        self.starved.store(false, Ordering::Relaxed);
    }

    pub(crate) fn upload_fails(&self, fault: Fault) {
        let _ = self.upload.set(fault);
    }

    pub(crate) fn upload_starves(&self, starves: bool) {
        self.starved.store(starves, Ordering::Relaxed);
        if !starves {
            self.moves();
        }
    }

    /// Whether the connection failed with `error` before a single byte of an answer came.
    pub(crate) fn died_silently(&self, error: &hyper::Error) -> bool {
        match self.reads.load(Ordering::Relaxed) {
            0 => true,
            // That one was the end of the stream.
            1 => error.is_incomplete_message(),
            _ => false,
        }
    }

    pub(crate) fn upload_fault(&self) -> Option<&Fault> {
        self.upload.get()
    }

    /// How long nothing of the request has moved.
    pub(crate) fn quiet(&self) -> Duration {
        self.opened.elapsed().saturating_sub(Duration::from_millis(self.moved.load(Ordering::Relaxed)))
    }

    /// Returns once nothing has moved for `limit`, and says who is to blame.
    pub(crate) async fn silence(&self, host: &impl Host, limit: Duration) -> Fault {
        let limit = bounded(limit);
        loop {
            let left = limit.saturating_sub(self.quiet());
            if left.is_zero() {
                return self.blame();
            }
            host.sleep(left).await;
        }
    }

    /// Who is to blame for a silence.
    pub(crate) fn blame(&self) -> Fault {
        if self.starved.load(Ordering::Relaxed) {
            Fault::new(Unanswered::BodyStalled, "the client sent nothing more of its body")
        } else {
            Fault::new(Unanswered::TimedOut, "the upstream said nothing for too long")
        }
    }

    fn moves(&self) {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(now, Ordering::Relaxed);
    }

    fn wrote(&self, write: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(write, Poll::Ready(Ok(1..))) {
            self.moves();
        }
        write
    }
}

/// A connection that notes on its [`Wire`] what moves.
pub(crate) struct Metered<I> {
    io: I,
    wire: Arc<Wire>,
}

impl<I> Metered<I> {
    pub(crate) fn new(io: I, wire: Arc<Wire>) -> Self {
        Self { io, wire }
    }
}

impl<I: Read + Unpin> Read for Metered<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if matches!(read, Poll::Ready(Ok(()))) {
            self.wire.reads.fetch_add(1, Ordering::Relaxed);
        }
        read
    }
}

impl<I: Write + Unpin> Write for Metered<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.io).poll_write(context, bytes);
        self.wire.wrote(write)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        // Every runtime's TCP stream is. Some wrappers are silent about it, and hyper would copy every body once more.
        true
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.io).poll_write_vectored(context, slices);
        self.wire.wrote(write)
    }
}
