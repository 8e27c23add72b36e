use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use authgate_core::Unanswered;
use authgate_tower::{BodyError, Expiry, RequestBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::connect::Task;
use crate::fault::Fault;
use crate::wire::Wire;

/// A request's body on its way to the upstream: counted, watched, without trailers, and no longer than its admission.
pub(crate) struct Upload(Option<Underway>);

struct Underway {
    body: RequestBody,
    room: Option<u64>,
    /// Ready once whoever sends it may not any more.
    over: Option<Task>,
    wire: Arc<Wire>,
}

impl Upload {
    /// No body at all.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// `body`, of which no more than `most` bytes are passed on, and nothing after its `expiry`.
    pub(crate) fn new(
        body: RequestBody,
        most: Option<u64>,
        expiry: Option<Expiry>,
        wire: &Arc<Wire>,
    ) -> Self {
        let over = expiry.map(|expiry| -> Task { Box::pin(async move { expiry.expired().await }) });
        Self(Some(Underway { body, room: most, over, wire: Arc::clone(wire) }))
    }
}

impl Underway {
    fn count(&mut self, data: &Bytes) -> Result<(), BodyError> {
        let Some(room) = &mut self.room else { return Ok(()) };
        match room.checked_sub(data.len() as u64) {
            Some(left) => {
                *room = left;
                Ok(())
            }
            None => Err(self.fails(Fault::new(Unanswered::BodyTooLarge, "the request's body is too long"))),
        }
    }

    fn fails(&self, fault: Fault) -> BodyError {
        let text = fault.text.clone();
        self.wire.upload_fails(fault);
        text.into()
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(upload) = &mut self.0 else { return Poll::Ready(None) };
        if upload.over.as_mut().is_some_and(|over| over.as_mut().poll(context).is_ready()) {
            upload.over = None;
            let fault =
                Fault::new(Unanswered::AdmissionEnded, "the admission ended within the request's body");
            return Poll::Ready(Some(Err(upload.fails(fault))));
        }
        loop {
            let polled = Pin::new(&mut upload.body).poll_frame(context);
            upload.wire.upload_starves(polled.is_pending());
            match ready!(polled).map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => {
                    return Poll::Ready(Some(upload.count(&data).map(|()| Frame::data(data))));
                }
                Some(Ok(Err(_trailers))) => {}
                Some(Err(error)) => {
                    let fault =
                        Fault::because(Unanswered::BodyStalled, "the request's body broke off", &*error);
                    return Poll::Ready(Some(Err(upload.fails(fault))));
                }
                None => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|upload| upload.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), |upload| upload.body.size_hint())
    }
}

/// hyper drops it when it has taken all of it, or will take no more.
impl Drop for Underway {
    fn drop(&mut self) {
        self.wire.upload_ends();
    }
}
