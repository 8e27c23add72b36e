//! What has ended.

use std::collections::HashSet;
use std::time::Duration;

use authgate_core::{Ending, EndingsNews, EndingsSince, Timestamp};
use authgate_redis::RedisStore;
use authgate_tower::{SessionStore as _, SharedStore as _};

use crate::harness::{Redis, now, session};
use crate::runtime::block_on;

tests![
    who_shares_a_store_hears_of_every_ending,
    users_are_called_whatever_they_like,
    all_until_now_is_the_moment_of_the_ending,
    there_is_more_than_a_page,
    what_is_older_than_anybody_lives_is_thrown_away,
    what_is_too_much_is_thrown_away_and_everybody_from_before_ends,
    whoever_lives_longer_ends_with_what_was_thrown_away,
    the_clock_does_not_go_back,
];

pub(crate) const LIFETIME: Duration = Duration::from_hours(12);

pub(crate) async fn hear(store: &RedisStore, position: Option<&str>) -> EndingsNews {
    hear_for(LIFETIME, store, position).await
}

async fn hear_for(lifetime: Duration, store: &RedisStore, position: Option<&str>) -> EndingsNews {
    let since = EndingsSince { position: position.map(str::to_owned), lifetime };
    store.endings(since).await.unwrap()
}

/// Endings of sessions, one a millisecond, in a stream that began at the moment 1000.
fn fill(redis: &Redis, count: u64, first: u64) {
    let script = "redis.call('HSET', KEYS[2], 'birth', '1000', 'keep', ARGV[4])
        for i = 0, tonumber(ARGV[1]) - 1 do
          local id = string.format('%.0f-0', tonumber(ARGV[2]) + i)
          redis.call('XADD', KEYS[1], id, 's', ARGV[3])
        end";
    let id = session(9).0.to_string();
    let keep = LIFETIME.as_millis().to_string();
    let (count, first) = (count.to_string(), first.to_string());
    let _: redis::Value = redis.ask(&[
        "EVAL",
        script,
        "2",
        "authgate:endings",
        "authgate:endings:about",
        &count,
        &first,
        &id,
        &keep,
    ]);
}

fn ago(span: Duration) -> u64 {
    now().before(span).as_millis().unsigned_abs()
}

fn who_shares_a_store_hears_of_every_ending() {
    let redis = Redis::start();
    let (one, other) = (redis.store(), redis.store());
    let (id, session) = session(1);
    block_on(async move {
        let first = hear(&other, None).await;
        assert!(first.endings.is_empty() && !first.more && first.floor == first.now);
        one.create(id, session, now()).await.unwrap();
        one.remove(id, now()).await.unwrap();
        one.remove(id, now()).await.unwrap();
        one.end_user("ada".to_owned(), Duration::from_secs(5)).await.unwrap();
        let news = hear(&other, Some(&first.position)).await;
        let [Ending::Session { id: ended, at }, Ending::Session { .. }, Ending::User { user, until }] =
            &news.endings[..]
        else {
            panic!("{news:?}")
        };
        assert_eq!((ended, user.as_str()), (&id, "ada"));
        assert!(*at >= first.now && until.after(Duration::from_secs(5)) <= news.now && until < at);
        assert_eq!(news.floor, first.floor);
        assert!(hear(&other, Some(&news.position)).await.endings.is_empty());
        assert_eq!(hear(&one, None).await.endings, news.endings);
    });
}

fn users_are_called_whatever_they_like() {
    let redis = Redis::start();
    let store = redis.store();
    block_on(async move {
        let names = ["", ":", "a:b c\n\r\0", "Løwe \u{1f981}", "u:1:x", "'\"\\", "$5\r\nhello\r\n"];
        for name in names {
            store.end_user(name.to_owned(), Duration::ZERO).await.unwrap();
        }
        let told = hear(&store, None).await.endings;
        let users: Vec<_> = told
            .iter()
            .map(|ending| match ending {
                Ending::User { user, .. } => user.as_str(),
                Ending::Session { .. } => panic!("{ending:?}"),
            })
            .collect();
        assert_eq!(users, names);
    });
}

fn all_until_now_is_the_moment_of_the_ending() {
    let redis = Redis::start();
    let store = redis.store();
    block_on(async move {
        for _ in 0..20 {
            store.end_user("ada".to_owned(), Duration::ZERO).await.unwrap();
            let news = hear(&store, None).await;
            let Some(Ending::User { until, .. }) = news.endings.last() else { panic!("{news:?}") };
            assert_eq!(news.position.split('-').next().unwrap(), until.as_millis().to_string());
        }
    });
}

fn there_is_more_than_a_page() {
    let redis = Redis::start();
    fill(&redis, 25_000, ago(Duration::from_hours(1)));
    let store = redis.store();
    block_on(async move {
        let (mut position, mut sizes, mut moments) = (None, Vec::new(), HashSet::new());
        loop {
            let news = hear(&store, position.as_deref()).await;
            sizes.push(news.endings.len());
            for ending in news.endings {
                let Ending::Session { at, .. } = ending else { panic!("{ending:?}") };
                assert!(moments.insert(at), "{at:?} twice");
            }
            position = Some(news.position);
            if !news.more {
                break;
            }
        }
        assert_eq!((sizes, moments.len()), (vec![10_000, 10_000, 5_000], 25_000));
    });
    // A page that is full, and is the last.
    let redis = Redis::start();
    fill(&redis, 10_000, ago(Duration::from_hours(1)));
    let store = redis.store();
    let news = block_on(async move { hear(&store, None).await });
    assert_eq!((news.endings.len(), news.more), (10_000, false));
}

fn what_is_older_than_anybody_lives_is_thrown_away() {
    let redis = Redis::start();
    fill(&redis, 500, ago(LIFETIME + Duration::from_mins(1)));
    fill(&redis, 1, ago(Duration::from_hours(11)));
    let store = redis.store();
    let news = block_on(async move {
        assert_eq!(hear(&store, None).await.endings.len(), 501);
        store.remove(session(1).0, now()).await.unwrap();
        hear(&store, None).await
    });
    assert_eq!((news.endings.len(), news.floor), (2, Timestamp::from_millis(1000)));
}

fn what_is_too_much_is_thrown_away_and_everybody_from_before_ends() {
    let redis = Redis::start();
    let first = ago(Duration::from_hours(1));
    fill(&redis, 100_000, first);
    let store = redis.store();
    let floor = block_on(async move {
        store.end_user("ada".to_owned(), Duration::ZERO).await.unwrap();
        store.remove(session(1).0, now()).await.unwrap();
        hear(&store, None).await.floor
    });
    assert_eq!(redis.ask::<u64>(&["XLEN", "authgate:endings"]), 100_000);
    assert_eq!(floor.as_millis().unsigned_abs(), first + 1, "the second was the last to go");
}

fn whoever_lives_longer_ends_with_what_was_thrown_away() {
    let redis = Redis::start();
    fill(&redis, 1, ago(Duration::from_hours(13)));
    let store = redis.store();
    block_on(async move {
        let before = hear(&store, None).await;
        assert_eq!(before.floor, Timestamp::from_millis(1000));
        let news = hear_for(2 * LIFETIME, &store, Some(&before.position)).await;
        assert_eq!(news.floor, news.now.before(LIFETIME));
        assert_eq!(hear(&store, Some(&news.position)).await.floor, news.floor);
    });
    let kept: u128 = redis.ask(&["HGET", "authgate:endings:about", "keep"]);
    assert_eq!(kept, 2 * LIFETIME.as_millis());
}

fn the_clock_does_not_go_back() {
    let redis = Redis::start();
    let ahead = now().after(Duration::from_hours(1));
    fill(&redis, 1, ahead.as_millis().unsigned_abs());
    let store = redis.store();
    block_on(async move {
        assert_eq!(hear(&store, None).await.now, ahead);
        store.end_user("ada".to_owned(), Duration::ZERO).await.unwrap();
        store.remove(session(1).0, now()).await.unwrap();
        let news = hear(&store, None).await;
        let [_, Ending::User { until, .. }, Ending::Session { at, .. }] = news.endings[..] else {
            panic!("{news:?}")
        };
        assert_eq!((until, at, news.now), (ahead, ahead, ahead));
        assert_eq!(news.position, format!("{}-2", ahead.as_millis()));
        assert_eq!(news.floor, Timestamp::from_millis(1000));
    });
}
