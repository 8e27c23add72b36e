use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use pin_project_lite::pin_project;

use crate::expiry::Expiry;

/// Whatever the inner service's body could fail with, or [`Expired`].
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a request that a host answers itself, whatever the server's type is.
pub type RequestBody = UnsyncBoxBody<Bytes, BodyError>;

pin_project! {
    /// A body of the gate's own, or the inner service's for as long as the admission holds.
    pub struct GateBody<B> {
        #[pin]
        inner: Source<B>,
        guard: Option<Guard>,
    }
}

pin_project! {
    #[project = SourceProjection]
    enum Source<B> {
        Own { bytes: Option<Bytes> },
        Inner { #[pin] body: B },
        Cut,
    }
}

/// Watches a body that may outlive the admission.
struct Guard {
    expiry: Expiry,
    /// Made when the body first keeps us waiting: most never do.
    timer: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// An event stream just ends, and the browser asks again. Anything else must not look complete.
    ends_quietly: bool,
}

/// The admission ended before the response did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired;

impl<B> GateBody<B> {
    pub(crate) fn own(bytes: Bytes) -> Self {
        let bytes = Some(bytes).filter(|bytes| !bytes.is_empty());
        Self { inner: Source::Own { bytes }, guard: None }
    }

    pub(crate) fn inner(body: B, headers: &HeaderMap, expiry: Expiry) -> Self {
        let guard = expiry.until().map(|_| {
            let media = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
            let media = media.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
            Guard { expiry, timer: None, ends_quietly: media.eq_ignore_ascii_case(b"text/event-stream") }
        });
        Self { inner: Source::Inner { body }, guard }
    }
}

impl Guard {
    /// Whether it is over. Asks the clock while data flows, and a timer while it does not; where others may end it, both.
    fn is_over(&mut self, data_flows: bool, context: &mut Context<'_>) -> bool {
        if data_flows {
            let has_passed = self.expiry.has_passed();
            if has_passed || !self.expiry.is_shared() {
                return has_passed;
            }
        }
        self.timer.get_or_insert_with(|| self.expiry.clone().boxed()).as_mut().poll(context).is_ready()
    }
}

impl<B> Body for GateBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BodyError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let mut this = self.project();
        let polled = match this.inner.as_mut().project() {
            SourceProjection::Own { bytes } => {
                return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes))));
            }
            SourceProjection::Inner { body } => body.poll_frame(context),
            SourceProjection::Cut => return Poll::Ready(None),
        };
        if let Some(guard) = this.guard
            && !matches!(polled, Poll::Ready(None | Some(Err(_))))
            && guard.is_over(polled.is_ready(), context)
        {
            this.inner.set(Source::Cut);
            return Poll::Ready((!guard.ends_quietly).then(|| Err(Expired.into())));
        }
        polled.map(|frame| frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Source::Own { bytes } => bytes.is_none(),
            Source::Inner { body } => body.is_end_stream(),
            Source::Cut => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Source::Own { bytes } => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Source::Inner { body } => body.size_hint(),
            Source::Cut => SizeHint::with_exact(0),
        }
    }
}

impl std::fmt::Display for Expired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the admission ended before the response did")
    }
}

impl std::error::Error for Expired {}
