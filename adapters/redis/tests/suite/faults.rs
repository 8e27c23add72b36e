//! Redis is down, frozen, restarted or somebody else; a call ends in time, and calls work again soon after.

use std::sync::Arc;
use std::time::{Duration, Instant};

use authgate_redis::RedisStore;
use authgate_tower::{SessionStore as _, SharedStore as _};

use super::endings::hear;
use crate::harness::{Fake, Lines, Redis, Relay, free_port, now, session, until_it_answers};
use crate::runtime::{all, block_on, pause, within};

tests![
    a_store_that_is_not_there_says_so_at_once,
    down_at_the_start_and_up_later,
    killed_and_started_again,
    a_closed_connection_is_opened_again_within_the_call,
    a_connection_known_to_be_closed_is_not_used,
    what_broke_is_asked_again_once_unless_it_may_have_been_done,
    frozen_and_gone_on,
    a_connection_that_is_half_open_is_replaced,
    callers_that_leave_early_replace_it_as_well,
    scripts_that_redis_has_forgotten,
    what_is_no_redis,
    a_loading_redis_is_not_there_yet,
    resting_spares_a_server_that_is_down,
];

const SHORT: Duration = Duration::from_millis(300);
/// What a busy machine may add to a deadline.
const SLACK: Duration = Duration::from_millis(500);

fn a_store_that_is_not_there_says_so_at_once() {
    let store = RedisStore::new(&format!("redis://:hunter2@127.0.0.1:{}", free_port())).unwrap();
    block_on(async move {
        let begun = Instant::now();
        for _ in 0..10 {
            let why = store.ping().await.unwrap_err().to_string();
            assert!(why.contains("refused") && why.contains("redis://127.0.0.1"), "{why}");
            assert!(!why.contains("hunter2"), "{why}");
        }
        assert!(begun.elapsed() < SLACK, "{:?}", begun.elapsed());
    });
}

fn down_at_the_start_and_up_later() {
    let mut redis = Redis::start();
    redis.kill();
    let store = redis.store();
    let store = block_on(async move {
        for _ in 0..30 {
            store.load(session(1).0, now()).await.unwrap_err();
            pause(Duration::from_millis(50)).await;
        }
        store
    });
    redis.start_again();
    let took = block_on(async move { until_it_answers(&store).await });
    assert!(took < Duration::from_secs(1) + SLACK, "{took:?}");
    let lines = Lines::of(redis.port());
    assert!(lines.len() == 2 && lines[0].starts_with("WARN") && lines[1].starts_with("INFO"), "{lines:?}");
}

fn killed_and_started_again() {
    let mut redis = Redis::start();
    let mut store = redis.store();
    for _ in 0..3 {
        store = block_on(async move {
            until_it_answers(&store).await;
            store
        });
        redis.kill();
        store = block_on(async move {
            let begun = Instant::now();
            store.load(session(1).0, now()).await.unwrap_err();
            store.remove(session(1).0, now()).await.unwrap_err();
            assert!(begun.elapsed() < SLACK, "{:?}", begun.elapsed());
            store
        });
        redis.start_again();
    }
    let took = block_on(async move { until_it_answers(&store).await });
    assert!(took < Duration::from_secs(1) + SLACK, "{took:?}");
}

fn a_closed_connection_is_opened_again_within_the_call() {
    let redis = Redis::start();
    let mut store = redis.store();
    for _ in 0..20 {
        store = block_on(async move {
            let (id, session) = session(1);
            store.load(id, now()).await.unwrap();
            store.renew(id, session, now()).await.unwrap();
            store
        });
        let closed: i64 = redis.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        assert!(closed >= 1);
    }
    assert_eq!(Lines::of(redis.port()), [""; 0], "nobody has noticed");
}

fn a_connection_known_to_be_closed_is_not_used() {
    let redis = Redis::start();
    let store = redis.store();
    let store = block_on(async move {
        store.ping().await.unwrap();
        store
    });
    let _: i64 = redis.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    block_on(async move {
        // The end of a connection takes a moment to arrive; what is sent before that is lost, as it must be.
        pause(Duration::from_millis(200)).await;
        let (id, session) = session(1);
        assert_eq!(store.create(id, session, now()).await, Ok(true));
    });
}

fn what_broke_is_asked_again_once_unless_it_may_have_been_done() {
    // It closes every connection at what comes after the greeting.
    let fake = Fake::answering(b"+PONG\r\n", None);
    let store = RedisStore::new(&fake.url()).unwrap();
    block_on(async move {
        let (id, session) = session(1);
        store.load(id, now()).await.unwrap_err();
        assert_eq!(fake.connections(), 2);
        store.create(id, session, now()).await.unwrap_err();
        assert_eq!(fake.connections(), 3);
        store.swap_counts(Vec::new(), now()).await.unwrap_err();
        assert_eq!(fake.connections(), 4);
        store.remove(id, now()).await.unwrap_err();
        assert_eq!(fake.connections(), 6);
    });
}

fn frozen_and_gone_on() {
    let redis = Redis::start();
    let store = Arc::new(redis.store().deadline(SHORT));
    let kept = Arc::clone(&store);
    block_on(async move {
        for number in 0..50 {
            let (id, session) = session(number);
            kept.create(id, session, now()).await.unwrap();
        }
    });
    redis.pause();
    let asking = Arc::clone(&store);
    block_on(async move {
        for _ in 0..5 {
            let begun = Instant::now();
            let ask = |number| {
                let store = Arc::clone(&asking);
                async move { store.load(session(number).0, now()).await }
            };
            let answers = all((0..50).map(ask)).await;
            assert!(answers.iter().all(Result::is_err), "{answers:?}");
            assert!(begun.elapsed() < SHORT + SLACK, "{:?}", begun.elapsed());
        }
    });
    redis.go_on();
    block_on(async move {
        let took = until_it_answers(&store).await;
        assert!(took < Duration::from_secs(1) + SLACK, "{took:?}");
        for number in 0..50 {
            let id = session(number).0;
            assert_eq!(store.load(id, now()).await.unwrap().unwrap().id(), id, "somebody else's answer");
        }
    });
    let lines = Lines::of(redis.port());
    assert!(lines.len() == 2 && lines[0].starts_with("WARN") && lines[1].starts_with("INFO"), "{lines:?}");
}

fn a_connection_that_is_half_open_is_replaced() {
    let redis = Redis::start();
    let relay = Relay::to(redis.port());
    let store = RedisStore::new(&relay.url()).unwrap().deadline(SHORT);
    block_on(async move {
        store.ping().await.unwrap();
        relay.lose();
        store.ping().await.unwrap_err();
        store.ping().await.unwrap();
        assert_eq!(relay.connections(), 2);
    });
}

fn callers_that_leave_early_replace_it_as_well() {
    let redis = Redis::start();
    let relay = Relay::to(redis.port());
    let store = RedisStore::new(&relay.url()).unwrap().deadline(SHORT);
    block_on(async move {
        store.ping().await.unwrap();
        relay.lose();
        let begun = Instant::now();
        // As a layer does whose own deadline is shorter.
        while within(SHORT / 6, store.ping()).await.is_none() {
            assert!(begun.elapsed() < SHORT + SLACK, "the connection is never given up");
        }
        assert_eq!(relay.connections(), 2);
        // One who left is no reason while others are answered.
        assert!(smol::future::poll_once(store.ping()).await.is_none());
        store.ping().await.unwrap();
        pause(SHORT * 2).await;
        store.ping().await.unwrap();
        assert_eq!(relay.connections(), 2);
    });
}

fn scripts_that_redis_has_forgotten() {
    let redis = Redis::start();
    let store = redis.store();
    let store = block_on(async move {
        hear(&store, None).await;
        store
    });
    let () = redis.ask(&["SCRIPT", "FLUSH"]);
    block_on(async move {
        hear(&store, None).await;
        store.end_user("ada".to_owned(), Duration::ZERO).await.unwrap();
    });
}

fn what_is_no_redis() {
    for (ping, answer) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], None),
        (b"\x15\x03\x03\0\x02\x02\x28", None),
        (b"", None),
        (b"+PONG\r\n", Some(&b"ha\r\n"[..])),
        (b"+PONG\r\n", Some(b"*1\r\n$2\r\nha\r\n")),
        (b"+PONG\r\n", Some(b"$-1\r\n")),
        (b"+PONG\r\n", Some(b"$99999999999\r\n")),
        (b"+PONG\r\n", Some(b"")),
        (b"+PONG\r\n", None),
    ] {
        let fake = Fake::answering(ping, answer);
        let store = RedisStore::new(&fake.url()).unwrap().deadline(SHORT);
        block_on(async move {
            for _ in 0..3 {
                let begun = Instant::now();
                let told = store.remove(session(1).0, now()).await;
                assert!(told.is_err(), "{:?}: {answer:?}", String::from_utf8_lossy(ping));
                assert!(begun.elapsed() < SHORT + SLACK, "{:?}", begun.elapsed());
            }
        });
    }
}

fn a_loading_redis_is_not_there_yet() {
    let fake = Fake::answering(b"-LOADING Redis is loading the dataset in memory\r\n", Some(b"+PONG\r\n"));
    let store = RedisStore::new(&fake.url()).unwrap();
    block_on(async move {
        let why = store.load(session(1).0, now()).await.unwrap_err().to_string();
        assert!(why.contains("LOADING"), "{why}");
    });
}

fn resting_spares_a_server_that_is_down() {
    let fake = Fake::answering(b"-LOADING Redis is loading the dataset in memory\r\n", None);
    let store = RedisStore::new(&fake.url()).unwrap();
    block_on(async move {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(2) {
            store.ping().await.unwrap_err();
            pause(Duration::from_millis(2)).await;
        }
        assert!((3..=8).contains(&fake.connections()), "{} attempts in two seconds", fake.connections());
    });
}
