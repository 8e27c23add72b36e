use std::time::{Duration, Instant};

use crate::{Activity, Limits, TimedHeads, bounded};

/// How long a connection may go on as it is.
pub(crate) struct Silence<'a> {
    activity: &'a Activity,
    heads: TimedHeads,
    limits: &'a Limits,
    deadline: Instant,
    state: State,
    closing: bool,
}

/// Whom the connection waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The peer, for the rest of a request head.
    Head,
    /// The peer, to take what waits to be sent.
    Reader,
    /// The service, over an open request.
    Service,
    /// The peer, for the next request.
    Idle,
    /// Nobody: there is nothing to send, and nobody to send it to.
    Left,
}

pub(crate) enum Verdict {
    GoOn,
    /// The connection is to be closed, and has until the deadline.
    Close,
    GiveUp,
}

impl<'a> Silence<'a> {
    pub(crate) fn new(activity: &'a Activity, heads: TimedHeads, limits: &'a Limits) -> Self {
        let deadline = after(limits.head_timeout);
        Self { activity, heads, limits, deadline, state: State::Head, closing: false }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }

    /// The connection has been asked to close because the server drains.
    pub(crate) fn drains(&mut self) {
        self.closing = true;
        // Nothing is owed to a request whose head is not all there; it may still complete, but is not waited for.
        if self.state != State::Reader {
            self.deadline = self.deadline.min(after(Duration::from_secs(1)));
        }
    }

    /// Takes in what happened since the last look.
    pub(crate) fn look(&mut self) {
        if self.activity.has_left() {
            (self.state, self.deadline) = (State::Left, Instant::now());
            return;
        }
        let received = self.heads == TimedHeads::All && self.activity.has_received();
        let requests = self.activity.has_requests();
        let taken = self.activity.has_taken();
        let waits = self.activity.waits_for_peer();
        let timeout;
        (self.state, timeout) = if waits {
            // From when it began to wait; then each time the peer takes something. An open request makes no difference.
            (State::Reader, (taken || self.state != State::Reader).then_some(self.limits.idle_timeout))
        } else if requests || self.activity.is_open() {
            // From when it came, and again from when it went.
            (State::Service, (requests || taken).then_some(self.limits.idle_timeout))
        } else if taken {
            (State::Idle, Some(self.limits.idle_timeout))
        } else if self.state == State::Head {
            (State::Head, None)
        } else if received {
            (State::Head, Some(self.limits.head_timeout))
        } else {
            (State::Idle, None)
        };
        if let Some(timeout) = timeout {
            self.deadline = after(timeout);
        }
    }

    /// What is to be done now, after a look.
    pub(crate) fn verdict(&mut self) -> Verdict {
        if self.deadline > Instant::now() {
            return Verdict::GoOn;
        }
        if self.state == State::Service {
            // It may be silent for as long as it likes. But hyper sees only between requests that the client has gone.
            self.activity.ask();
            self.deadline = after(self.limits.idle_timeout);
            return Verdict::GoOn;
        }
        if self.closing || self.state != State::Idle {
            return Verdict::GiveUp;
        }
        self.closing = true;
        self.deadline = after(self.limits.head_timeout);
        Verdict::Close
    }
}

fn after(timeout: Duration) -> Instant {
    Instant::now() + bounded(timeout)
}
