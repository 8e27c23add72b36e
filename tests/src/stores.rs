//! What every session store must keep, whatever it is made of; see `authgate_core::MemoryStore`.

use std::time::{Duration, Instant};

use authgate_core::{
    Gate, Head, HeaderView, PasswordBackend, Session, SessionId, Sessions, Step, Timestamp, User,
};
use authgate_tower::SessionStore;

/// Puts a store through everything that it must keep. `start` must be close to the store's own time; it must hold
/// none of these sessions yet.
pub async fn suite(store: &impl SessionStore, start: Timestamp) {
    what_was_kept_is_given_back(store, start).await;
    an_id_that_exists_is_not_taken_over(store, start).await;
    a_renewal_replaces_and_never_revives(store, start).await;
    what_was_removed_is_gone_for_good(store, start).await;
    nothing_is_given_back_after_its_end(store, start).await;
}

async fn what_was_kept_is_given_back(store: &impl SessionStore, now: Timestamp) {
    let (id, session) = new(1, "Ada \"Löwe\"\n", now);
    assert_eq!(store.load(id, now).await, Ok(None));
    assert_eq!(store.create(id, session.clone(), now).await, Ok(true));
    assert_eq!(store.load(id, now).await, Ok(Some(session)));
    assert_eq!(store.load(new(2, "ada", now).0, now).await, Ok(None));
}

async fn an_id_that_exists_is_not_taken_over(store: &impl SessionStore, now: Timestamp) {
    let (id, first) = new(3, "ada", now);
    let (_, second) = new(3, "eve", now);
    assert_eq!(store.create(id, first.clone(), now).await, Ok(true));
    assert_eq!(store.create(id, second, now).await, Ok(false));
    assert_eq!(store.load(id, now).await, Ok(Some(first)));
}

async fn a_renewal_replaces_and_never_revives(store: &impl SessionStore, now: Timestamp) {
    let (id, first) = new(4, "ada", now);
    let (_, later) = new(4, "ada", now.after(Duration::from_mins(5)));
    assert_eq!(store.renew(id, later.clone(), now).await, Ok(false));
    assert_eq!(store.load(id, now).await, Ok(None));
    assert_eq!(store.create(id, first, now).await, Ok(true));
    assert_eq!(store.renew(id, later.clone(), now).await, Ok(true));
    assert_eq!(store.load(id, now).await, Ok(Some(later.clone())));
    assert_eq!(store.remove(id, now).await, Ok(()));
    assert_eq!(store.renew(id, later, now).await, Ok(false));
    assert_eq!(store.load(id, now).await, Ok(None));
}

async fn what_was_removed_is_gone_for_good(store: &impl SessionStore, now: Timestamp) {
    let (id, session) = new(5, "ada", now);
    let (other, kept) = new(6, "ada", now);
    assert_eq!(store.remove(id, now).await, Ok(()), "removing nothing is no fault");
    store.create(id, session, now).await.unwrap();
    store.create(other, kept.clone(), now).await.unwrap();
    assert_eq!(store.remove(id, now).await, Ok(()));
    assert_eq!(store.load(id, now).await, Ok(None));
    assert_eq!(store.load(other, now).await, Ok(Some(kept)));
}

/// A store may go by a clock of its own, and then only time tells.
async fn nothing_is_given_back_after_its_end(store: &impl SessionStore, now: Timestamp) {
    let brief = Sessions::records().idle(Duration::from_secs(1));
    let (id, session) = begin(7, "ada", brief, now);
    assert_eq!(store.create(id, session.clone(), now).await, Ok(true));
    assert_eq!(store.load(id, now).await, Ok(Some(session.clone())));
    let deadline = Instant::now() + Duration::from_secs(10);
    while store.load(id, session.until()).await != Ok(None) {
        assert!(Instant::now() < deadline, "it has ended");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The session that a sign-in at `now` makes, and its id; `number` decides the id.
pub fn new(number: u8, user: &str, now: Timestamp) -> (SessionId, Session) {
    begin(number, user, Sessions::records(), now)
}

fn begin(number: u8, user: &str, sessions: Sessions, now: Timestamp) -> (SessionId, Session) {
    let gate = Gate::builder(PasswordBackend::new()).sessions(sessions).build().unwrap();
    let fields: [(&[u8], &[u8]); 2] =
        [(b"content-type", b"application/x-www-form-urlencoded"), (b"sec-fetch-site", b"same-origin")];
    let mut step = gate.begin(&Head::new("POST", "/login", HeaderView::Pairs(&fields)), now);
    loop {
        step = match step {
            Step::ReadBody(limit, then) => then.resume(limit.body(b"username=x&password=y".to_vec()), now),
            Step::CheckPassword(_, then) => {
                let user = User { roles: vec!["ops".into()], is_admin: true, ..User::new(user) };
                then.resume(Ok(Some(user).into()), now)
            }
            Step::DrawBytes(then) => then.resume(Ok([number; 32]), now),
            Step::CreateSession(id, session, _) => return (id, session),
            other => panic!("not a step of a sign-in: {other:?}"),
        };
    }
}
