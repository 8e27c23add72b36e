//! Users and passwords.

use std::time::Duration;

use authgate_redis::RedisStore;
use authgate_tower::{SessionStore as _, SharedStore as _};

use super::endings::hear;
use crate::harness::{Lines, Redis, count_keys, now, session, until_it_answers};
use crate::runtime::{block_on, pause};

tests![
    a_password_is_asked_for,
    a_wrong_password_is_never_repeated,
    a_user_needs_no_more_than_is_told,
    a_password_that_was_changed_back,
];

fn at(redis: &Redis, login: &str) -> RedisStore {
    RedisStore::new(&format!("redis://{login}@127.0.0.1:{}", redis.port())).unwrap()
}

fn a_password_is_asked_for() {
    let redis = Redis::start_with(&["--requirepass", "p@ss/w: rd"]);
    let (with, without) = (at(&redis, ":p%40ss%2Fw%3A%20rd"), redis.store());
    block_on(async move {
        with.ping().await.unwrap();
        let why = without.ping().await.unwrap_err().to_string();
        assert!(why.contains("NOAUTH"), "{why}");
    });
}

fn a_wrong_password_is_never_repeated() {
    let redis = Redis::start_with(&["--requirepass", "right"]);
    let store = at(&redis, "ada:hunter2");
    block_on(async move {
        let why = store.ping().await.unwrap_err().to_string();
        assert!(why.contains("refuses the user or the password") && !why.contains("hunter2"), "{why}");
        let shown = format!("{store:?}");
        assert!(shown.contains("127.0.0.1") && !shown.contains("hunter2"), "{shown}");
    });
    assert!(!Lines::of(redis.port()).is_empty());
    assert!(Lines::all().iter().all(|line| !line.contains("hunter2")));
}

fn a_user_needs_no_more_than_is_told() {
    let redis = Redis::start();
    let mut words = vec!["ACL", "SETUSER", "gate", "on", ">hunter2"];
    words.extend(authgate_redis::layout::PERMISSIONS.split(' '));
    let () = redis.ask(&words);
    let store = at(&redis, "gate:hunter2");
    block_on(async move {
        let (id, kept) = session(1);
        let (other, kept_too) = session(2);
        store.ping().await.unwrap();
        store.create(id, kept.clone(), now()).await.unwrap();
        store.renew(id, kept, now()).await.unwrap();
        store.load(id, now()).await.unwrap();
        store.remove(id, now()).await.unwrap();
        store.create(other, kept_too, now()).await.unwrap();
        store.end_user("ada".to_owned(), Duration::ZERO).await.unwrap();
        hear(&store, None).await;
        let (key, end) = (count_keys("ada")[0], now().after(Duration::from_mins(1)));
        let count = Some(authgate_core::Count { end, last: now() });
        let swap = |was, becomes| vec![authgate_core::Swap { key, was, becomes }];
        store.swap_counts(swap(None, count), now()).await.unwrap();
        store.counts(vec![key]).await.unwrap();
        store.swap_counts(swap(count, None), now()).await.unwrap();
        let elsewhere = store.prefix("elsewhere:");
        let why = elsewhere.remove(other, now()).await.unwrap_err().to_string();
        assert!(why.contains("NOPERM") || why.contains("refuses"), "{why}");
    });
}

fn a_password_that_was_changed_back() {
    let redis = Redis::start_with(&["--requirepass", "right"]);
    let store = at(&redis, ":wrong");
    let store = block_on(async move {
        store.ping().await.unwrap_err();
        pause(Duration::from_millis(100)).await;
        store.ping().await.unwrap_err();
        store
    });
    let mut connection = redis::Client::open(format!("redis://:right@127.0.0.1:{}", redis.port())).unwrap();
    let () = redis::cmd("CONFIG").arg(&["SET", "requirepass", "wrong"]).query(&mut connection).unwrap();
    block_on(async move {
        assert!(until_it_answers(&store).await < Duration::from_millis(1500));
    });
}
