use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use authgate_core::Unanswered;
use authgate_tower::BodyError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::connect::Task;
use crate::fault::{About, Fault};
use crate::pool::{Connection, Pool};

/// An answer's body: the upstream's as it comes, or the gate's own about a fault.
///
/// It fails when the upstream breaks off or stalls, so that what arrived does not look whole. Dropping it closes
/// the connection to the upstream, unless all of it had come.
pub struct ProxyBody(Source);

enum Source {
    Own(Option<Bytes>),
    Upstream(Box<Download>),
    Over,
}

/// What the upstream sends.
pub(crate) struct Download {
    pub(crate) body: Incoming,
    pub(crate) connection: Connection,
    pub(crate) pool: Arc<Pool>,
    pub(crate) about: About,
    /// How long nothing may come.
    pub(crate) silence: Option<Duration>,
    pub(crate) waiting: Option<Waiting>,
}

pub(crate) struct Waiting {
    /// Whether something is waited for at all: an alarm is not stopped by what comes, but looks about when it rings.
    since: Option<Instant>,
    alarm: Task,
}

impl ProxyBody {
    pub(crate) fn own(bytes: Bytes) -> Self {
        Self(Source::Own(Some(bytes).filter(|bytes| !bytes.is_empty())))
    }

    pub(crate) fn download(download: Download) -> Self {
        if download.body.is_end_stream() {
            download.ends();
            return Self(Source::Over);
        }
        Self(Source::Upstream(Box::new(download)))
    }

    fn take(&mut self) -> Option<Box<Download>> {
        match std::mem::replace(&mut self.0, Source::Over) {
            Source::Upstream(download) => Some(download),
            Source::Own(_) | Source::Over => None,
        }
    }
}

impl Download {
    /// All has come.
    fn ends(self) {
        if self.connection.may_be_kept {
            self.pool.keep(self.connection);
        }
    }

    fn poll_data(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        loop {
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Some(waiting) = &mut self.waiting {
                        waiting.since = None;
                    }
                    // What is not data is trailers: they are not passed on.
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    let fault = self.connection.wire.upload_fault().cloned();
                    let broken = || Fault::because(Unanswered::Broken, "the answer broke off", &error);
                    return Poll::Ready(Some(Err(fault.unwrap_or_else(broken))));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return self.poll_silence(context).map(|fault| Some(Err(fault))),
            }
        }
    }

    /// Ready once nothing has come, nor moved of the request, for too long.
    fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<Fault> {
        let Some(limit) = self.silence else { return Poll::Pending };
        let (world, wire) = (self.pool.world(), &self.connection.wire);
        let waiting = self.waiting.get_or_insert_with(|| Waiting { since: None, alarm: world.sleep(limit) });
        let since = *waiting.since.get_or_insert_with(Instant::now);
        while waiting.alarm.as_mut().poll(context).is_ready() {
            let left = limit.saturating_sub(since.elapsed().min(wire.quiet()));
            if left.is_zero() {
                return Poll::Ready(wire.blame());
            }
            waiting.alarm = world.sleep(left);
        }
        Poll::Pending
    }
}

impl Body for ProxyBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let download = match &mut self.0 {
            Source::Own(bytes) => return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Source::Upstream(download) => download,
            Source::Over => return Poll::Ready(None),
        };
        let polled = download.poll_data(context);
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(data))) => {
                // Nobody asks again when it is plain that nothing follows.
                if download.body.is_end_stream()
                    && let Some(download) = self.take()
                {
                    download.ends();
                }
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Poll::Ready(Some(Err(fault))) => {
                download.about.warn(&fault);
                self.take();
                Poll::Ready(Some(Err(fault.text.into())))
            }
            Poll::Ready(None) => {
                if let Some(download) = self.take() {
                    download.ends();
                }
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Own(bytes) => bytes.is_none(),
            Source::Upstream(download) => download.body.is_end_stream(),
            Source::Over => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Source::Upstream(download) => download.body.size_hint(),
            Source::Over => SizeHint::with_exact(0),
        }
    }
}

impl fmt::Debug for ProxyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyBody").finish_non_exhaustive()
    }
}
