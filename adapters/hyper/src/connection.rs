use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use authgate_tower::Host;

use crate::silence::{Silence, Verdict};
use crate::{Activity, Limits};

/// `timeout` as the clock can bear it: between 1 ms and 365 days.
///
/// A timeout of nothing would keep [`run_connection`] busy, and a much longer one could overflow the clock.
pub fn bounded(timeout: Duration) -> Duration {
    timeout.clamp(Duration::from_millis(1), Duration::from_hours(24 * 365))
}

/// Which request heads have to arrive within [`Limits::head_timeout`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimedHeads {
    /// All of them: bytes that arrive between requests begin one. For HTTP/1.
    All,
    /// The first of the connection only, because bytes also mean other things. For HTTP/2.
    First,
}

/// Polls `connection` to its end, asks it to `close` when the server drains or it has been idle for
/// [`Limits::idle_timeout`], and gives it up when it takes longer than [`Limits::head_timeout`] over a request head or
/// the closing, or when its peer takes nothing of what waits to be sent for [`Limits::idle_timeout`].
///
/// `activity` is that of the connection's [`Socket`](crate::Socket), and its service is
/// [`counted`](crate::counted) there.
///
/// # Errors
/// Those of `connection`. Giving it up is none.
pub async fn run_connection<C: Future<Output = hyper::Result<()>>>(
    connection: C,
    close: fn(Pin<&mut C>),
    activity: &Activity,
    heads: TimedHeads,
    limits: &Limits,
    host: &impl Host,
    draining: impl Future<Output = ()>,
) -> hyper::Result<()> {
    let ring_at = |deadline: Instant| host.sleep(deadline.saturating_duration_since(Instant::now()));
    let (mut connection, mut draining) = (pin!(connection), pin!(draining));
    let mut silence = Silence::new(activity, heads, limits);
    let mut armed = silence.deadline();
    let mut alarm = pin!(ring_at(armed));
    poll_fn(|cx| {
        if !silence.is_closing() && draining.as_mut().poll(cx).is_ready() {
            close(connection.as_mut());
            silence.drains();
        }
        loop {
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                return Poll::Ready(ended);
            }
            silence.look();
            // Most deadlines only move back, once per request; for that it is enough to look when the alarm rings.
            if silence.deadline() < armed {
                armed = silence.deadline();
                alarm.set(ring_at(armed));
            }
            if alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            match silence.verdict() {
                Verdict::GoOn => {}
                Verdict::Close => close(connection.as_mut()),
                Verdict::GiveUp => return Poll::Ready(Ok(())),
            }
            armed = silence.deadline();
            alarm.set(ring_at(armed));
        }
    })
    .await
}
