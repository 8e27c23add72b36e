use std::future::{pending, poll_fn};
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use authgate_tower::Expiry;
use futures_lite::future::or;
use hyper::rt::{Read, ReadBuf, Write};
use hyper::upgrade::{OnUpgrade, Upgraded};

/// How much one way may copy at a time, in buffers, before others have their turn.
const ROUNDS: usize = 16;

/// Runs a websocket from the moment both sides have agreed, until either ends it or the admission is over. Both
/// connections are closed then: whoever has no admission any more has no half of a connection either.
pub(crate) async fn tunnel(client: OnUpgrade, upstream: OnUpgrade, expiry: Option<Expiry>) {
    let over = async {
        match expiry {
            Some(expiry) => expiry.expired().await,
            None => pending().await,
        }
    };
    let open = async {
        let (mut client, mut upstream) = match (client.await, upstream.await) {
            (Ok(client), Ok(upstream)) => (client, upstream),
            (Err(error), _) | (_, Err(error)) => {
                tracing::debug!(%error, "no websocket came of it");
                return;
            }
        };
        let (mut up, mut down) = (Direction::default(), Direction::default());
        let copied = poll_fn(|context| {
            if let Poll::Ready(ended) = up.poll(&mut client, &mut upstream, context) {
                return Poll::Ready(ended);
            }
            down.poll(&mut upstream, &mut client, context)
        });
        if let Err(error) = copied.await {
            tracing::debug!(%error, "websocket broke off");
        }
    };
    or(over, open).await;
}

/// One way through. It holds no more than what the reader has not taken yet, so an idle one holds nothing.
#[derive(Default)]
struct Direction {
    unsent: Vec<u8>,
}

impl Direction {
    /// Ready when `from` has ended and `to` has all of it, or when one of them failed.
    fn poll(
        &mut self,
        from: &mut Upgraded,
        to: &mut Upgraded,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let unsent = mem::take(&mut self.unsent);
        ready!(self.poll_send(&unsent, to, context))?;
        let mut bytes = [0; 8 * 1024];
        for _ in 0..ROUNDS {
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut *from).poll_read(context, buffer.unfilled())? {
                Poll::Ready(()) if buffer.filled().is_empty() => {
                    return Pin::new(&mut *to).poll_shutdown(context);
                }
                Poll::Ready(()) => ready!(self.poll_send(buffer.filled(), to, context))?,
                Poll::Pending => {
                    ready!(Pin::new(&mut *to).poll_flush(context))?;
                    return Poll::Pending;
                }
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Keeps what `to` has no room for.
    fn poll_send(
        &mut self,
        mut bytes: &[u8],
        to: &mut Upgraded,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !bytes.is_empty() {
            match Pin::new(&mut *to).poll_write(context, bytes)? {
                Poll::Ready(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Poll::Pending => {
                    self.unsent = bytes.to_vec();
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}
