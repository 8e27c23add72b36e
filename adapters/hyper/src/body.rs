use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use hyper::body::Buf;
use pin_project_lite::pin_project;

use crate::BoxError;
use crate::activity::{Open, Unsent};

pin_project! {
    /// The response body of a request, which is open until this is dropped.
    pub(crate) struct CountedBody<B> {
        #[pin]
        body: B,
        open: Open,
    }
}

impl<B> CountedBody<B> {
    pub(crate) fn new(body: B, open: Open) -> Self {
        Self { body, open }
    }
}

impl<B: Body<Error: Into<BoxError>>> Body for CountedBody<B> {
    type Data = CountedData<B::Data>;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, BoxError>>> {
        let this = self.project();
        let counted = |data| CountedData { data, unsent: this.open.unsent() };
        let polled = this.body.poll_frame(cx);
        polled.map_ok(|frame| frame.map_data(counted)).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A part of a response body that counts as unsent until hyper, having written it, drops it.
///
/// The socket alone cannot tell: over HTTP/2 a peer may read everything from it, and yet give a stream no room.
pub(crate) struct CountedData<D> {
    data: D,
    unsent: Unsent,
}

impl<D: Buf> Buf for CountedData<D> {
    fn remaining(&self) -> usize {
        self.data.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.data.chunk()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.data.chunks_vectored(slices)
    }

    fn advance(&mut self, count: usize) {
        self.data.advance(count);
        self.unsent.shrank();
    }
}
