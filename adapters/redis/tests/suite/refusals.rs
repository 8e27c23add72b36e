//! Redis is there, and refuses.

use std::time::{Duration, Instant};

use authgate_redis::RedisStore;
use authgate_tower::{SessionStore as _, SharedStore as _};

use super::endings::hear;
use crate::harness::{Lines, Redis, Relay, free_port, now, session, until_it_answers};
use crate::runtime::{block_on, pause};

tests![
    out_of_memory_nobody_signs_in_and_everybody_can_sign_out,
    a_replica_takes_no_session_until_it_is_promoted,
    another_server_that_has_taken_over_is_found,
    a_key_that_is_somebody_elses,
];

fn out_of_memory_nobody_signs_in_and_everybody_can_sign_out() {
    let redis = Redis::start();
    let store = redis.store();
    let (id, kept) = session(1);
    let store = block_on(async move {
        store.create(id, kept, now()).await.unwrap();
        hear(&store, None).await;
        store
    });
    let () = redis.ask(&["CONFIG", "SET", "maxmemory", "1mb"]);
    block_on(async move {
        for number in 2..10 {
            let (id, session) = session(number);
            let why = store.create(id, session, now()).await.unwrap_err().to_string();
            assert!(why.contains("OOM"), "{why}");
        }
        assert!(store.load(id, now()).await.unwrap().is_some());
        store.end_user("ada".to_owned(), Duration::ZERO).await.unwrap();
        store.remove(id, now()).await.unwrap();
        assert!(store.load(id, now()).await.unwrap().is_none());
        assert_eq!(hear(&store, None).await.endings.len(), 2);
    });
    let lines = Lines::of(redis.port());
    assert!(lines.len() == 1 && lines[0].contains("OOM"), "once, not at every request: {lines:?}");
}

fn a_replica_takes_no_session_until_it_is_promoted() {
    let redis = Redis::start();
    let store = redis.store();
    let () = redis.ask(&["REPLICAOF", "127.0.0.1", &free_port().to_string()]);
    let store = block_on(async move {
        let (id, session) = session(1);
        let why = store.create(id, session, now()).await.unwrap_err().to_string();
        assert!(why.contains("READONLY"), "{why}");
        store.remove(id, now()).await.unwrap_err();
        // Another connection may lead to another server by now; this one does not.
        pause(Duration::from_millis(1100)).await;
        store.remove(id, now()).await.unwrap_err();
        store
    });
    let () = redis.ask(&["REPLICAOF", "NO", "ONE"]);
    block_on(async move {
        until_it_answers(&store).await;
        let (id, session) = session(1);
        assert_eq!(store.create(id, session, now()).await, Ok(true));
    });
    assert_eq!(Lines::of(redis.port()).len(), 1);
}

fn another_server_that_has_taken_over_is_found() {
    let (before, after) = (Redis::start(), Redis::start());
    let relay = Relay::to(before.port());
    let store = RedisStore::new(&relay.url()).unwrap();
    let store = block_on(async move {
        store.remove(session(1).0, now()).await.unwrap();
        store
    });
    let () = before.ask(&["REPLICAOF", "127.0.0.1", &free_port().to_string()]);
    relay.turn_to(after.port());
    block_on(async move {
        let begun = Instant::now();
        while store.remove(session(1).0, now()).await.is_err() {
            assert!(begun.elapsed() < Duration::from_secs(3), "it stays with who was there first");
            pause(Duration::from_millis(50)).await;
        }
    });
}

fn a_key_that_is_somebody_elses() {
    let redis = Redis::start();
    let store = redis.store();
    let () = redis.ask(&["SET", "authgate:endings", "ha"]);
    block_on(async move {
        let why = store.remove(session(1).0, now()).await.unwrap_err().to_string();
        assert!(why.contains("WRONGTYPE") || why.contains("refuses"), "{why}");
    });
}
