//! Session stores keep what a store must keep, and no more than they have room for.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use authgate_core::MemoryStore;
use authgate_tests::stores::{new, suite};
use authgate_tests::world::NOW;
use authgate_tower::{SessionStore as _, SharedMemory};

#[test]
fn the_memory_store_keeps_what_a_store_must_keep() {
    smol::block_on(suite(&SharedMemory::default(), NOW));
}

#[test]
fn a_full_memory_lets_the_session_go_that_would_end_first() {
    let mut store = MemoryStore::new(3);
    let later = |minutes| NOW.after(Duration::from_mins(minutes));
    for (number, began) in [(1, 2), (2, 1), (3, 3), (4, 4)] {
        let (id, session) = new(number, "ada", later(began));
        assert!(store.create(id, session, later(4)));
    }
    let kept: Vec<_> =
        (1..=4).map(|number| store.load(&new(number, "ada", NOW).0, later(4)).is_some()).collect();
    assert_eq!(kept, [true, false, true, true]);
    assert_eq!(store.len(), 3);
}

#[test]
fn what_has_ended_makes_room_as_steps_happen() {
    let mut store = MemoryStore::new(1000);
    for number in 0..200 {
        let (id, session) = new(number, &format!("user {number}"), NOW);
        store.create(id, session, NOW);
    }
    assert_eq!((store.len(), store.is_empty()), (200, false));
    let (id, session) = new(201, "ada", NOW.after(Duration::from_hours(1)));
    store.create(id, session, NOW.after(Duration::from_hours(1)));
    assert_eq!(store.len(), 1);
    store.remove(&id, NOW.after(Duration::from_hours(1)));
    assert!(store.is_empty());
}

#[test]
fn one_user_washes_nobody_out() {
    let mut store = MemoryStore::new(150);
    let (adas, session) = new(255, "ada", NOW);
    store.create(adas, session, NOW);
    let ids: Vec<_> = (0..200)
        .map(|number| {
            let now = NOW.after(Duration::from_secs(i64::from(number).unsigned_abs()));
            let (id, session) = new(number, "bob", now);
            assert!(store.create(id, session, now));
            id
        })
        .collect();
    assert_eq!(store.len(), 101);
    assert!(store.load(&adas, NOW).is_some());
    let kept: Vec<_> = ids.iter().map(|id| store.load(id, NOW).is_some()).collect();
    assert_eq!(kept.iter().position(|&kept| kept), Some(100), "the oldest went first");
}

#[test]
fn everybody_who_holds_the_memory_sees_the_same() {
    let (id, session) = new(1, "ada", NOW);
    let store = SharedMemory::new(MemoryStore::new(10));
    smol::block_on(async {
        store.create(id, session.clone(), NOW).await.unwrap();
        assert_eq!(store.load(id, NOW).await, Ok(Some(session)));
    });
}
