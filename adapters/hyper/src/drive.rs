use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use authgate_tower::{Host, Limits};

use crate::Activity;

/// `timeout` as the clock can bear it: between 1 ms and 365 days.
///
/// A timeout of nothing would keep [`drive`] busy, and a much longer one could overflow the clock.
pub fn bounded(timeout: Duration) -> Duration {
    timeout.clamp(Duration::from_millis(1), Duration::from_hours(24 * 365))
}

/// Polls `connection` to its end, asks it to `close` when the server drains or it has been idle for
/// [`Limits::idle_timeout`], and gives it up when it takes longer than [`Limits::head_timeout`] over a request head or
/// the closing.
///
/// `activity` is that of the connection's [`Socket`](crate::Socket). With `heads_are_timed`, bytes that arrive between
/// requests begin a head; without, only the first head of the connection is timed, which is for protocols where bytes
/// also mean other things.
///
/// # Errors
/// Those of `connection`. Giving it up is none.
pub async fn drive<C: Future<Output = hyper::Result<()>>>(
    connection: C,
    close: fn(Pin<&mut C>),
    activity: &Activity,
    heads_are_timed: bool,
    limits: &Limits,
    host: &impl Host,
    draining: impl Future<Output = ()>,
) -> hyper::Result<()> {
    let after = |timeout: Duration| Instant::now() + bounded(timeout);
    let ring_at = |deadline: Instant| host.sleep(deadline.saturating_duration_since(Instant::now()));
    let (mut connection, mut draining) = (pin!(connection), pin!(draining));
    let mut deadline = after(limits.head_timeout);
    let mut alarm = pin!(ring_at(deadline));
    let mut armed = deadline;
    let mut in_head = true;
    let mut closing = false;
    poll_fn(|cx| {
        if !closing && draining.as_mut().poll(cx).is_ready() {
            closing = true;
            close(connection.as_mut());
            // Nothing is owed to a request whose head is not all there; it may still complete, but is not waited for.
            deadline = deadline.min(after(Duration::from_secs(1)));
        }
        loop {
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                return Poll::Ready(ended);
            }
            let received = heads_are_timed && activity.has_received();
            let busy = activity.has_requests();
            if busy {
                in_head = false;
                deadline = after(limits.idle_timeout);
            } else if received && !in_head {
                in_head = true;
                deadline = after(limits.head_timeout);
            }
            // Most deadlines only move back, once per request; for that it is enough to look when the alarm rings.
            if deadline < armed {
                armed = deadline;
                alarm.set(ring_at(deadline));
            }
            if alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if !busy && deadline <= Instant::now() {
                if closing || in_head {
                    return Poll::Ready(Ok(()));
                }
                closing = true;
                close(connection.as_mut());
                deadline = after(limits.head_timeout);
            }
            armed = deadline;
            alarm.set(ring_at(deadline));
        }
    })
    .await
}
