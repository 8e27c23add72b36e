//! What has ended.

use std::time::Duration;

use authgate_core::{Ending, EndingsNews, EndingsSince};
use authgate_redis::RedisStore;
use authgate_tower::{SessionStore as _, SharedStore as _};

use crate::harness::{Redis, now, session};
use crate::runtime::block_on;

tests![who_shares_a_store_hears_of_every_ending, users_are_called_whatever_they_like];

pub(crate) const LIFETIME: Duration = Duration::from_hours(12);

pub(crate) async fn hear(store: &RedisStore, position: Option<&str>) -> EndingsNews {
    let since = EndingsSince { position: position.map(str::to_owned), lifetime: LIFETIME };
    store.endings(since).await.unwrap()
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
