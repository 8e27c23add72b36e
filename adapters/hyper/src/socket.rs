use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};

use crate::Activity;

/// A stream that keeps its place among the connections until it is closed, and cannot be read once the server is gone.
///
/// Both matter after an upgrade: the stream then belongs to the service, out of the server's reach.
pub struct Socket<I, P> {
    activity: Arc<Activity>,
    io: I,
    has_left: fn(&I) -> bool,
    cut: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    _place: P,
}

impl<I, P> Socket<I, P> {
    /// A socket that holds `place` until it is dropped. `has_left` tells whether the peer has closed its half, as
    /// [`has_left`](crate::has_left) does for a stream of the operating system's. Once `cut` is ready, a read that would
    /// wait fails with
    /// [`io::ErrorKind::ConnectionAborted`] instead.
    pub fn new(
        io: I,
        place: P,
        has_left: fn(&I) -> bool,
        cut: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self { activity: Arc::default(), io, has_left, cut: Some(Box::pin(cut)), _place: place }
    }

    /// The stream itself.
    pub fn io(&self) -> &I {
        &self.io
    }

    /// What happens on this connection. Bytes that arrive and writes that wait are noted by the socket, requests and
    /// their responses by [`counted`](crate::counted).
    pub fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    fn is_cut(&mut self, cx: &mut Context<'_>) -> bool {
        if self.cut.as_mut().is_some_and(|cut| cut.as_mut().poll(cx).is_ready()) {
            self.cut = None;
        }
        self.cut.is_none()
    }

    fn wrote<T>(&self, write: Poll<T>) -> Poll<T> {
        self.activity.wrote(write.is_pending());
        write
    }
}

impl<I: Read + Unpin, P: Unpin> Read for Socket<I, P> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(cx, buffer);
        if read.is_ready() {
            self.activity.received();
        } else if self.is_cut(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        read
    }
}

impl<I: Write + Unpin, P: Unpin> Write for Socket<I, P> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.wrote(write)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.activity.answer(|| (self.has_left)(&self.io));
        let write = Pin::new(&mut self.io).poll_flush(cx);
        self.wrote(write)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        // Every runtime's TCP stream is. Some wrappers are silent about it, and hyper would copy every body once more.
        true
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.wrote(write)
    }
}
