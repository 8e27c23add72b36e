//! Records.

use std::time::Duration;

use authgate_tower::SessionStore as _;

use crate::harness::{Redis, now, session};
use crate::runtime::block_on;

tests![it_keeps_what_a_store_must_keep, a_record_goes_by_itself, prefixes_know_nothing_of_each_other];

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
    block_on(async move {
        store.create(id, session.clone(), now()).await.unwrap();
        store.renew(id, session, now().before(Duration::from_hours(1))).await.unwrap();
    });
    let ttl: u64 = redis.ask(&["PTTL", &format!("authgate:session:{id}")]);
    let renewed = span + Duration::from_hours(1);
    assert!(
        renewed.abs_diff(Duration::from_millis(ttl)) < Duration::from_secs(10),
        "{ttl} ms of {renewed:?}"
    );
}

fn prefixes_know_nothing_of_each_other() {
    let redis = Redis::start();
    let (one, other) = (redis.store().prefix("one:"), redis.store().prefix("other:"));
    let (id, session) = session(1);
    block_on(async move {
        one.create(id, session.clone(), now()).await.unwrap();
        assert_eq!(other.load(id, now()).await, Ok(None));
        other.remove(id, now()).await.unwrap();
        assert_eq!(one.load(id, now()).await, Ok(Some(session)));
    });
}
