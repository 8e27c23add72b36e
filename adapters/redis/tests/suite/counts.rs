//! Counts of tries to sign in.

use std::sync::Arc;
use std::time::Duration;

use authgate_core::{Count, Swap};
use authgate_tower::SharedStore as _;

use crate::harness::{Redis, count_keys, now};
use crate::runtime::{all, block_on};

tests![
    counts_are_swapped_all_or_none,
    who_comes_second_is_told_so,
    a_count_goes_by_itself,
    what_is_no_count_is_none,
];

fn count(minutes: u64) -> Count {
    Count { end: now().after(Duration::from_mins(minutes)), last: now() }
}

fn counts_are_swapped_all_or_none() {
    let redis = Redis::start();
    let store = redis.store();
    block_on(async move {
        let [one, other] = count_keys("ada")[..2] else { panic!("two counts") };
        let (first, second) = (count(1), count(2));
        let swap = |key, was, becomes| Swap { key, was, becomes };
        assert_eq!(store.counts(Vec::new()).await, Ok(Vec::new()));
        assert_eq!(store.counts(vec![one, other]).await, Ok(vec![None, None]));
        assert_eq!(store.swap_counts(vec![swap(one, None, Some(first))], now()).await, Ok(true));
        assert_eq!(store.counts(vec![other, one, one]).await, Ok(vec![None, Some(first), Some(first)]));
        let both = vec![swap(other, None, Some(second)), swap(one, Some(second), None)];
        assert_eq!(store.swap_counts(both, now()).await, Ok(false), "it is another");
        assert_eq!(store.counts(vec![one, other]).await, Ok(vec![Some(first), None]));
        let both = vec![swap(other, None, Some(second)), swap(one, Some(first), None)];
        assert_eq!(store.swap_counts(both, now()).await, Ok(true));
        assert_eq!(store.counts(vec![one, other]).await, Ok(vec![None, Some(second)]));
        assert_eq!(
            store.swap_counts(vec![swap(other, None, Some(first))], now()).await,
            Ok(false),
            "there is one"
        );
    });
}

fn who_comes_second_is_told_so() {
    let redis = Redis::start();
    let stores: Vec<_> = (0..5).map(|_| Arc::new(redis.store())).collect();
    block_on(async move {
        let keys = count_keys("ada");
        let begin = now().after(Duration::from_hours(1));
        let swapper = |number: usize| {
            let (store, keys) = (Arc::clone(&stores[number % stores.len()]), keys.clone());
            async move {
                // Each adds one to every count, as often as it takes.
                for tries in 1.. {
                    let was = store.counts(keys.clone()).await.unwrap();
                    let swaps = keys.iter().zip(was).map(|(&key, was)| {
                        let end = was.map_or(begin, |was: Count| was.end).after(Duration::from_millis(1));
                        Swap { key, was, becomes: Some(Count { end, last: begin }) }
                    });
                    if store.swap_counts(swaps.collect(), now()).await.unwrap() {
                        return tries;
                    }
                }
                unreachable!()
            }
        };
        let tries = all((0..50).map(swapper)).await;
        assert!(tries.iter().any(|&tries| tries > 1), "they never met: {tries:?}");
        for count in stores[0].counts(keys.clone()).await.unwrap() {
            assert_eq!(count.unwrap().end, begin.after(Duration::from_millis(50)));
        }
    });
}

fn a_count_goes_by_itself() {
    let redis = Redis::start();
    let store = redis.store();
    let key = count_keys("ada")[0];
    let gone = block_on(async move {
        let swap = Swap { key, was: None, becomes: Some(count(10)) };
        store.swap_counts(vec![swap], now()).await.unwrap();
        // This one has drained by now, and Redis takes no span of nothing.
        let swap =
            Swap { key: count_keys("bob")[0], was: None, becomes: Some(Count { end: now(), last: now() }) };
        store.swap_counts(vec![swap], now()).await
    });
    assert_eq!(gone, Ok(true));
    let ttl: u64 = redis.ask(&["PTTL", &format!("authgate:count:{key}")]);
    assert!((590_000..=600_000).contains(&ttl), "{ttl}");
}

fn what_is_no_count_is_none() {
    let redis = Redis::start();
    let store = redis.store();
    let key = count_keys("ada")[0];
    let () = redis.ask(&["SET", &format!("authgate:count:{key}"), "version 2"]);
    block_on(async move {
        assert_eq!(store.counts(vec![key]).await, Ok(vec![None]));
        let becomes = Some(count(10));
        assert_eq!(store.swap_counts(vec![Swap { key, was: None, becomes }], now()).await, Ok(true));
        assert_eq!(store.counts(vec![key]).await, Ok(vec![becomes]));
    });
}
