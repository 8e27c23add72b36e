//! Records.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use authgate_core::Ending;
use authgate_redis::RedisStore;
use authgate_tower::SessionStore as _;
use rustix::process::{Signal, kill_process};

use super::endings::hear;
use crate::harness::{Redis, now, session, until_it_answers};
use crate::runtime::{all, block_on};

tests![
    it_keeps_what_a_store_must_keep,
    a_record_goes_by_itself,
    what_is_no_record_is_none,
    prefixes_know_nothing_of_each_other,
    databases_know_nothing_of_each_other,
    what_was_acknowledged_outlives_a_crash,
];

fn it_keeps_what_a_store_must_keep() {
    let redis = Redis::start();
    let store = redis.store();
    block_on(async move { authgate_tests::stores::suite(&store, now()).await });
}

fn a_record_goes_by_itself() {
    let redis = Redis::start();
    let store = redis.store();
    let (id, session) = session(1);
    let span = session.until().time_left(now());
    let ttl = || redis.ask::<u64>(&["PTTL", &format!("authgate:session:{id}")]);
    let near = |ttl, span: Duration| span.abs_diff(Duration::from_millis(ttl)) < Duration::from_secs(10);
    let (store, session) = block_on(async move {
        store.create(id, session.clone(), now()).await.unwrap();
        (store, session)
    });
    assert!(near(ttl(), span));
    // A clock that is an hour behind.
    let ago = Duration::from_hours(1);
    block_on(async move { store.renew(id, session, now().before(ago)).await.unwrap() });
    assert!(near(ttl(), span + ago));
}

fn what_is_no_record_is_none() {
    let redis = Redis::start();
    let store = redis.store();
    let (id, session) = session(1);
    let key = format!("authgate:session:{id}");
    for odd in ["", "{}", "null", "version 2", r#"{"v":2}"#] {
        let () = redis.ask(&["SET", &key, odd]);
        let store = redis.store();
        assert_eq!(block_on(async move { store.load(id, now()).await }), Ok(None), "{odd:?}");
    }
    assert_eq!(block_on(async move { store.renew(id, session, now()).await }), Ok(true));
}

fn prefixes_know_nothing_of_each_other() {
    let redis = Redis::start();
    apart(redis.store().prefix("one:"), redis.store().prefix("other:"));
    let keys: Vec<String> = redis.ask(&["KEYS", "*"]);
    assert!(!keys.is_empty() && keys.iter().all(|key| key.starts_with("one:") || key.starts_with("other:")));
}

fn databases_know_nothing_of_each_other() {
    let redis = Redis::start();
    let at = |number| RedisStore::new(&format!("{}/{number}", redis.url())).unwrap();
    apart(at(0), at(3));
}

fn apart(one: RedisStore, other: RedisStore) {
    let (id, session) = session(1);
    block_on(async move {
        one.create(id, session.clone(), now()).await.unwrap();
        assert_eq!(other.load(id, now()).await, Ok(None));
        other.remove(id, now()).await.unwrap();
        assert_eq!(one.load(id, now()).await, Ok(Some(session)));
        assert!(hear(&one, None).await.endings.is_empty());
    });
}

fn what_was_acknowledged_outlives_a_crash() {
    let mut redis = Redis::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let (store, acknowledged) = (Arc::new(redis.store()), Arc::new(AtomicUsize::new(0)));
    let server = redis.pid();
    // Of a few at a time, every other session stays, and the rest are removed; the server crashes in the middle.
    let traffic = (0..8).map(|first| {
        let sessions: Vec<_> = (first..=255).step_by(8).map(|number| (number, session(number))).collect();
        let (store, acknowledged) = (Arc::clone(&store), Arc::clone(&acknowledged));
        async move {
            let count = |done: bool| {
                if done && acknowledged.fetch_add(1, Ordering::SeqCst) == 150 {
                    kill_process(server, Signal::KILL).unwrap();
                }
                done
            };
            let mut done = Vec::new();
            for (number, (id, session)) in sessions {
                let created = count(store.create(id, session, now()).await == Ok(true));
                let tried = created && (number / 8) % 2 == 0;
                let removed = tried && count(store.remove(id, now()).await.is_ok());
                done.push((id, created, tried, removed));
            }
            done
        }
    });
    let traffic: Vec<_> = traffic.collect();
    let done = block_on(async move { all(traffic).await.concat() });
    redis.start_again();
    let store = redis.store();
    block_on(async move {
        until_it_answers(&store).await;
        let news = hear(&store, None).await;
        let ended =
            |id| news.endings.iter().any(|e| matches!(e, Ending::Session { id: told, .. } if *told == id));
        let (mut stayed, mut went) = (0, 0);
        for &(id, created, tried, removed) in &done {
            let there = store.load(id, now()).await.unwrap().is_some();
            if removed {
                assert!(!there && ended(id), "an acknowledged ending is lost");
                went += 1;
            } else if created && !tried {
                assert!(there, "an acknowledged session is lost");
                stayed += 1;
            }
        }
        let unanswered =
            done.iter().filter(|(_, created, tried, removed)| !created || tried != removed).count();
        assert!(stayed > 0 && went > 0 && unanswered > 0, "{stayed} {went} {unanswered}");
    });
}
