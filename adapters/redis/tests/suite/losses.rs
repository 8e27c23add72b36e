//! A server that has lost what it knew: nobody comes back by it.

use std::time::Duration;

use authgate_tower::{SessionStore as _, SharedStore as _};

use super::endings::hear;
use crate::harness::{Redis, now, session, until_it_answers};
use crate::runtime::{block_on, pause};

tests![
    everything_flushed_ends_everybody_once,
    an_older_snapshot_ends_everybody,
    an_older_snapshot_is_noticed_by_whoever_tells_first,
    a_lost_birth_or_stream_ends_everybody,
    a_clock_behind_what_was_lost_ends_everybody_once,
];

/// Moments are whole milliseconds: what comes after this is later than what was before.
async fn a_moment_later() {
    pause(Duration::from_millis(3)).await;
}

fn everything_flushed_ends_everybody_once() {
    let redis = Redis::start();
    let (store, url) = (redis.store(), redis.url());
    block_on(async move {
        store.remove(session(1).0, now()).await.unwrap();
        let before = hear(&store, None).await;
        a_moment_later().await;
        flush(&url);
        let news = hear(&store, Some(&before.position)).await;
        assert_eq!((news.floor, news.endings.len()), (news.now, 0));
        assert!(news.floor > before.now);
        a_moment_later().await;
        for position in [None, Some(&before.position), Some(&news.position)] {
            assert_eq!(hear(&store, position.map(String::as_str)).await.floor, news.floor, "{position:?}");
        }
        store.remove(session(1).0, now()).await.unwrap();
        assert_eq!(hear(&store, Some(&news.position)).await.endings.len(), 1);
    });
}

fn flush(url: &str) {
    let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
    let () = redis::cmd("FLUSHALL").query(&mut connection).unwrap();
}

fn an_older_snapshot_ends_everybody() {
    let mut redis = Redis::start();
    let store = redis.store();
    let (store, kept) = block_on(async move {
        store.remove(session(1).0, now()).await.unwrap();
        let kept = hear(&store, None).await;
        (store, kept)
    });
    let () = redis.ask(&["SAVE"]);
    let (store, before) = block_on(async move {
        a_moment_later().await;
        store.remove(session(2).0, now()).await.unwrap();
        let before = hear(&store, None).await;
        (store, before)
    });
    redis.start_again();
    // Whoever has just come cannot know.
    let fresh = redis.store();
    block_on(async move {
        a_moment_later().await;
        let news = hear(&fresh, None).await;
        assert_eq!((&news.endings, news.floor), (&kept.endings, kept.floor));
        assert_eq!(before.endings.len(), 2);
        until_it_answers(&store).await;
        let news = hear(&store, Some(&before.position)).await;
        assert_eq!((news.floor, news.endings.len()), (news.now, 0));
        assert_eq!(hear(&fresh, Some(&kept.position)).await.floor, news.floor);
    });
}

fn an_older_snapshot_is_noticed_by_whoever_tells_first() {
    for user in [false, true] {
        let mut redis = Redis::start();
        let store = redis.store();
        let store = block_on(async move {
            hear(&store, None).await;
            store
        });
        let () = redis.ask(&["SAVE"]);
        let store = block_on(async move {
            a_moment_later().await;
            store.remove(session(2).0, now()).await.unwrap();
            store
        });
        redis.start_again();
        let fresh = redis.store();
        block_on(async move {
            until_it_answers(&store).await;
            let began = hear(&fresh, None).await;
            a_moment_later().await;
            if user {
                store.end_user("ada".to_owned(), Duration::ZERO).await.unwrap();
            } else {
                store.remove(session(3).0, now()).await.unwrap();
            }
            let news = hear(&fresh, Some(&began.position)).await;
            assert!(news.floor > began.now, "{news:?}");
            assert_eq!(news.endings.len(), 1);
        });
    }
}

fn a_lost_birth_or_stream_ends_everybody() {
    for key in ["authgate:endings", "authgate:endings:about"] {
        for fresh in [false, true] {
            let redis = Redis::start();
            let store = redis.store();
            let (store, before) = block_on(async move {
                store.remove(session(2).0, now()).await.unwrap();
                let before = hear(&store, None).await;
                a_moment_later().await;
                (store, before)
            });
            let () = redis.ask(&["DEL", key]);
            let store = if fresh { redis.store() } else { store };
            block_on(async move {
                let news = hear(&store, Some(&before.position).filter(|_| !fresh).map(String::as_str)).await;
                assert_eq!(news.floor, news.now, "{key}");
                assert!(news.floor > before.now);
                a_moment_later().await;
                assert_eq!(hear(&store, Some(&news.position)).await.floor, news.floor);
            });
        }
    }
}

fn a_clock_behind_what_was_lost_ends_everybody_once() {
    let redis = Redis::start();
    let (store, url) = (redis.store(), redis.url());
    let ahead = now().after(Duration::from_hours(1));
    let () = redis.ask(&["XADD", "authgate:endings", &format!("{}-7", ahead.as_millis()), "b", "0"]);
    block_on(async move {
        let before = hear(&store, None).await;
        assert_eq!((before.now, before.floor), (ahead, ahead));
        flush(&url);
        let news = hear(&store, Some(&before.position)).await;
        assert_eq!((news.now, news.floor), (ahead, ahead));
        store.remove(session(2).0, now()).await.unwrap();
        let news = hear(&store, Some(&news.position)).await;
        assert_eq!((news.endings.len(), news.floor), (1, ahead));
    });
}
