//! The event stream: the totals, once a second, until the admission ends.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use futures_lite::stream::{self, Stream};
use http_body::Frame;
use http_body_util::StreamBody;

use super::Timer;
use super::lifetime::{Lifetime, TICK};
use super::queues::{Queues, Totals};
use super::reply::DemoBody;

/// How long a browser waits before it opens a lost stream again.
const RETRY: &str = "retry: 2000\n";

/// A body that never ends by itself.
pub(super) fn body<T: Timer>(queues: Arc<Queues>, life: Lifetime<T>) -> DemoBody {
    DemoBody::new(StreamBody::new(events(queues, life)))
}

fn events<T: Timer>(
    queues: Arc<Queues>,
    life: Lifetime<T>,
) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send {
    stream::unfold((queues, life, None), |(queues, life, last)| async move {
        let now = next_second(&life, last).await?;
        let event = event(&queues.totals(now), now, last.is_none());
        Some((Ok(Frame::data(Bytes::from(event))), (queues, life, Some(now))))
    })
}

/// Waits for a second that has not been told yet. None: the stream is over.
async fn next_second<T: Timer>(life: &Lifetime<T>, last: Option<i64>) -> Option<i64> {
    loop {
        if life.ended().is_some() {
            return None;
        }
        let now = life.timer.seconds();
        if last != Some(now) {
            return Some(now);
        }
        life.timer.sleep(TICK).await;
    }
}

/// One event. Its id is the second that it tells of: the counters follow from it, so nothing needs replaying.
fn event(totals: &Totals, now: i64, first: bool) -> String {
    let retry = if first { RETRY } else { "" };
    let Totals { waiting, running, done, failed, paused } = totals;
    let data = serde_json::json!({
        "time": now, "waiting": waiting, "running": running, "done": done, "failed": failed, "paused": paused,
    });
    format!("{retry}id: {now}\ndata: {data}\n\n")
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicBool, Ordering};

    use futures_lite::StreamExt;
    use futures_lite::future::block_on;

    use super::super::testing::Clock;
    use super::*;

    fn told(clock: &Clock, until: Option<i64>, most: usize) -> Vec<String> {
        let events = events(Arc::new(Queues::new(0)), clock.lifetime(until));
        let text = |frame: Result<Frame<Bytes>, Infallible>| {
            let data = frame.unwrap().into_data().unwrap();
            String::from_utf8(data.to_vec()).unwrap()
        };
        block_on(pin!(events.take(most).map(text)).collect())
    }

    #[test]
    fn one_event_a_second_with_rising_ids() {
        let told = told(&Clock::at(100), None, 3);
        assert!(told[0].starts_with("retry: 2000\nid: 100\ndata: {"), "{}", told[0]);
        assert!(told[1].starts_with("id: 101\ndata: {"), "{}", told[1]);
        assert!(told[2].starts_with("id: 102\ndata: {"), "{}", told[2]);
        assert!(told.iter().all(|event| event.ends_with("}\n\n")));
    }

    #[test]
    fn the_counters_change_from_second_to_second() {
        let told = told(&Clock::at(100), None, 2);
        let data = |event: &str| -> serde_json::Value {
            serde_json::from_str(event.split("data: ").nth(1).unwrap()).unwrap()
        };
        assert_ne!(data(&told[0])["done"], data(&told[1])["done"]);
    }

    #[test]
    fn the_stream_ends_when_the_admission_does() {
        let clock = Clock::at(100);
        assert_eq!(told(&clock, Some(104), 99).len(), 4);
        assert_eq!(clock.seconds(), 104);
    }

    #[test]
    fn nothing_is_told_after_the_admission_has_ended() {
        assert!(told(&Clock::at(104), Some(104), 99).is_empty());
    }

    #[test]
    fn t13_the_stream_ends_when_its_user_signs_out() {
        let signed_out = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&signed_out);
        let mut life = Clock::at(0).lifetime(None);
        life.admission_ended = Box::new(move || ended.load(Ordering::Relaxed));
        let mut events = pin!(events(Arc::new(Queues::new(0)), life));
        assert!(block_on(events.next()).is_some());
        signed_out.store(true, Ordering::Relaxed);
        assert!(block_on(events.next()).is_none());
    }

    #[test]
    fn the_stream_ends_when_the_program_stops() {
        let life = Clock::at(0).lifetime(None);
        let stopping = Arc::clone(&life.stopping);
        let mut events = pin!(events(Arc::new(Queues::new(0)), life));
        assert!(block_on(events.next()).is_some());
        stopping.store(true, Ordering::Relaxed);
        assert!(block_on(events.next()).is_none());
    }
}
